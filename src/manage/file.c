/* wi_file: a stream that its block closes. */
#include <within/file.h>

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/trouble.h"

/* One of r, w and a, then each of the others once at most: the C library takes "rw" for "r". */
static int is_mode(const char *mode) {
    if (!mode || !*mode || !strchr("rwa", *mode)) return 0;
    for (const char *at = mode + 1; *at; at++)
        if (!strchr("+bx", *at) || strchr(at + 1, *at)) return 0;
    return 1;
}

/* The C library opens folders for reading, and fails at the first read. */
static wi__trouble refuse_folder(FILE *stream) {
    struct stat status;
    int error = fstat(fileno(stream), &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    return wi__trouble_if(error, "cannot be opened");
}

static wi__trouble open_stream(void *self) {
    wi_file *file = self;
    char mode[8];
    snprintf(mode, sizeof mode, "%se", file->mode);
    do file->stream = fopen(file->path, mode);
    while (!file->stream && errno == EINTR);
    if (!file->stream) return wi__trouble_of("cannot be opened", errno);
    wi__trouble trouble = refuse_folder(file->stream);
    if (!trouble.what) return trouble;
    fclose(file->stream);
    file->stream = NULL;
    return trouble;
}

static void file_enter(void *self) {
    wi_file *file = self;
    if (file->stream) wi_raise(WI_USAGE_ERROR, "%s: this wi_file is open already", file->path);
    if (!is_mode(file->mode))
        wi_raise(WI_VALUE_ERROR, "%s: mode \"%s\" is none of r, w and a with +, b or x behind it",
                 file->path, file->mode ? file->mode : "(null)");
    wi__do_whole(file->path, open_stream, file);
    file->pid = getpid();
    file->holding = wi_hold("file", "%s", file->path);
}

static wi__trouble close_stream(void *self) {
    wi_file *file = self;
    FILE *stream = file->stream;
    file->stream = NULL;
    wi_let_go(file->holding);
    if (file->pid != getpid()) __fpurge(stream); /* it would be written twice */
    int flushed = fflush(stream) == 0 ? 0 : errno;
    int closed = fclose(stream) == 0 || errno == EINTR ? 0 : errno; /* it is closed even then */
    return flushed ? wi__trouble_of("cannot be written", flushed)
                   : wi__trouble_if(closed, "cannot be closed");
}

static wi_verdict file_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_file *file = self;
    int had_failed = ferror(file->stream);
    wi__do_whole(file->path, close_stream, file);
    if (had_failed && reason != WI_RAISED)
        wi_raise(WI_OS_ERROR, "%s: an earlier read or write of it has failed", file->path);
    return WI_PROPAGATE;
}

static void file_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_file *)self)->path);
}

static const wi_protocol file_protocol = {"file", file_enter, file_exit, file_describe};

wi_file wi__file(const char *path, const char *mode) {
    wi_file file = {&file_protocol, path, mode, NULL, 0, {NULL, 0}};
    return file;
}
