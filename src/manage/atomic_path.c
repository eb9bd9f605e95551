/* wi_atomic_path: a path for a library to make a file at, which is then published. */
#include <within/atomic_file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"
#include "manage/publish.h"

static wi__trouble begin(void *self) {
    wi_atomic_path *file = self;
    wi__publication_options options = {"atomic path", file->options.no_sync, 0};
    wi__trouble trouble = wi__publication_begin(&file->publication, file->path, options);
    if (!trouble.what) file->temporary = wi__publication_temporary(file->publication);
    return trouble;
}

static void atomic_path_enter(void *self) {
    wi_atomic_path *file = self;
    if (file->publication)
        wi_raise(WI_USAGE_ERROR, "%s: this wi_atomic_path is open already", file->path);
    wi__do_whole(file->path, begin, file);
}

/* ---- what the body has made ---- */

static wi__trouble open_made(const wi_atomic_path *file, int *fd) {
    /* A pipe would wait for somebody to write into it. */
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    do *fd = open(file->temporary, flags);
    while (*fd < 0 && errno == EINTR);
    if (*fd >= 0) return WI__NO_TROUBLE;
    if (errno == ENOENT)
        return wi__trouble_of("the block has made no file at its temporary path", ENOENT);
    if (errno == ELOOP)
        return wi__trouble_of("the block has made a link, which is not published", 0);
    return wi__trouble_of("what the block has made cannot be opened", errno);
}

static wi__trouble check_made(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) return wi__trouble_of("cannot be looked at", errno);
    if (S_ISDIR(status.st_mode))
        return wi__trouble_of("the block has made a folder: only a file can be published", EISDIR);
    if (!S_ISREG(status.st_mode))
        return wi__trouble_of("the block has made something that is no regular file", 0);
    return WI__NO_TROUBLE;
}

static wi__trouble publish(const wi_atomic_path *file) {
    int fd;
    wi__trouble trouble = open_made(file, &fd);
    if (trouble.what) return trouble;
    trouble = check_made(fd);
    if (!trouble.what) trouble = wi__publication_settle(file->publication, fd, 0);
    int error = wi__close(fd);
    if (!trouble.what) trouble = wi__trouble_if(error, "cannot be closed");
    return trouble.what ? trouble : wi__publication_publish(file->publication);
}

/* ---- ends ---- */

static wi__trouble end(void *self) {
    wi_atomic_path *file = self;
    wi__publication_end(file->publication);
    file->publication = NULL;
    file->temporary = NULL;
    return WI__NO_TROUBLE;
}

static wi__trouble commit(void *self) {
    wi__trouble trouble = publish(self);
    end(self);
    return trouble;
}

void wi_atomic_path_commit(wi_atomic_path *file) {
    if (!file->publication || wi__publication_is_foreign(file->publication))
        wi_raise(WI_USAGE_ERROR, "%s: there is nothing that this process could publish",
                 file->path);
    wi__do_whole(file->path, commit, file);
}

static wi_verdict atomic_path_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_atomic_path *file = self;
    if (!file->publication) return WI_PROPAGATE;
    int foreign = wi__publication_is_foreign(file->publication);
    wi__do_whole(file->path, reason == WI_END && !foreign ? commit : end, file);
    if (reason == WI_LEFT && !foreign) wi__publication_say_left(file->path);
    return WI_PROPAGATE;
}

static void atomic_path_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_atomic_path *)self)->path);
}

static const wi_protocol atomic_path_protocol = {"atomic path", atomic_path_enter, atomic_path_exit,
                                                 atomic_path_describe};

wi_atomic_path wi__atomic_path(const char *path, wi_atomic_path_options options) {
    wi_atomic_path file = {&atomic_path_protocol, path, options, NULL, NULL};
    return file;
}
