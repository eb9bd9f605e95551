/* wi_atomic_file: a stream into a file that is published when its block ends. */
#include <within/atomic_file.h>

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>

#include "manage/durable.h"
#include "manage/publish.h"

/* ---- enter ---- */

static wi__trouble open_stream(wi_atomic_file *file) {
    const wi_atomic_file_options *options = &file->options;
    wi__trouble trouble =
        wi__publication_create(file->publication, &file->fd, options->size, options->mode);
    if (trouble.what) return trouble;
    file->stream = fdopen(file->fd, "w+");
    if (file->stream) return trouble;
    trouble = wi__trouble_of("no stream can be opened", errno);
    wi__close(file->fd);
    return trouble;
}

static wi__trouble begin(void *self) {
    wi_atomic_file *file = self;
    wi__publication_options options = {"atomic file", file->options.no_sync,
                                       file->options.exclusive};
    wi__trouble trouble = wi__publication_begin(&file->publication, file->path, options);
    if (trouble.what) return trouble;
    trouble = open_stream(file);
    if (!trouble.what) return trouble;
    wi__publication_end(file->publication);
    file->publication = NULL;
    file->fd = -1;
    return trouble;
}

static void atomic_file_enter(void *self) {
    wi_atomic_file *file = self;
    if (file->publication)
        wi_raise(WI_USAGE_ERROR, "%s: this wi_atomic_file is open already", file->path);
    wi__do_whole(file->path, begin, file);
}

/* ---- ends ---- */

static wi__trouble write_out(const wi_atomic_file *file) {
    if (fflush(file->stream) != 0) return wi__trouble_of("cannot be written", errno);
    if (ferror(file->stream)) return wi__trouble_of("an earlier read or write of it has failed", 0);
    return wi__publication_settle(file->publication, file->fd, file->options.mode);
}

static wi__trouble close_stream(wi_atomic_file *file) {
    FILE *stream = file->stream;
    file->stream = NULL;
    file->fd = -1;
    int failed = fclose(stream) != 0 && errno != EINTR;
    return wi__trouble_if(failed ? errno : 0, "cannot be closed");
}

/* What the stream still holds is not to be written: in a forked child it would go into the parent's file. */
static wi__trouble discard(void *self) {
    wi_atomic_file *file = self;
    if (file->stream) {
        __fpurge(file->stream);
        close_stream(file);
    }
    wi__publication_end(file->publication);
    file->publication = NULL;
    return WI__NO_TROUBLE;
}

static wi__trouble commit(void *self) {
    wi_atomic_file *file = self;
    wi__trouble trouble = write_out(file);
    if (!trouble.what) trouble = close_stream(file);
    if (!trouble.what) trouble = wi__publication_publish(file->publication);
    discard(file);
    return trouble;
}

void wi_atomic_file_commit(wi_atomic_file *file) {
    if (!file->publication || wi__publication_is_foreign(file->publication))
        wi_raise(WI_USAGE_ERROR, "%s: there is nothing that this process could publish",
                 file->path);
    wi__do_whole(file->path, commit, file);
}

static wi_verdict atomic_file_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_atomic_file *file = self;
    if (!file->publication) return WI_PROPAGATE;
    int foreign = wi__publication_is_foreign(file->publication);
    wi__do_whole(file->path, reason == WI_END && !foreign ? commit : discard, file);
    if (reason == WI_LEFT && !foreign) wi__publication_say_left(file->path);
    return WI_PROPAGATE;
}

static void atomic_file_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_atomic_file *)self)->path);
}

static const wi_protocol atomic_file_protocol = {"atomic file", atomic_file_enter, atomic_file_exit,
                                                 atomic_file_describe};

wi_atomic_file wi__atomic_file(const char *path, wi_atomic_file_options options) {
    wi_atomic_file file = {&atomic_file_protocol, path, options, NULL, -1, NULL};
    return file;
}
