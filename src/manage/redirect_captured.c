/* wi_captured: what was printed in a block, kept in a file without a name. */
#include "manage/redirect_captured.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"
#include "manage/redirect_slot.h"
#include "manage/redirect_streams.h"

struct wi__capture {
    int fd;
    int open;
    size_t end; /* once it is not open any more */
    char *text; /* captured->length bytes and a '\0'; NULL: never asked for */
};

/* ---- the file ---- */

/* Where the kernel has no files in memory, or a sandbox forbids them. */
static int unnamed_file(void) {
    char path[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    int length =
        snprintf(path, sizeof path, "%s/within.XXXXXX", folder && *folder ? folder : "/tmp");
    if (length >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC | O_APPEND);
    if (fd >= 0) unlink(path);
    return fd;
}

static int file_in_memory(void) {
    int fd = memfd_create("within", MFD_CLOEXEC);
    if (fd >= 0) fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

/* One for the writers, one for the readers. */
static int open_file(int *writing, int *reading) {
    *writing = file_in_memory();
    if (*writing < 0) *writing = unnamed_file();
    if (*writing < 0) return errno;
    *reading = fcntl(*writing, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (*reading >= 0) return 0;
    int error = errno;
    wi__close(*writing);
    return error;
}

int wi__capture_new(struct wi__capture **made, int *fd) {
    struct wi__capture *capture = calloc(1, sizeof *capture);
    if (!capture) return ENOMEM;
    int error = open_file(fd, &capture->fd);
    if (error)
        free(capture);
    else
        *made = capture;
    return error;
}

void wi__capture_free(struct wi__capture *capture) {
    if (!capture) return;
    wi__close(capture->fd);
    free(capture->text);
    free(capture);
}

/* ---- a block ---- */

int wi__captured_is_open(const wi_captured *captured) {
    return captured->capture && captured->capture->open;
}

void wi__captured_open(wi_captured *captured, struct wi__capture *capture) {
    wi__capture_free(captured->capture);
    captured->length = 0;
    captured->capture = capture;
    capture->open = 1;
}

static size_t size_of(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
}

void wi__captured_close(wi_captured *captured) {
    captured->capture->open = 0;
    captured->capture->end = size_of(captured->capture->fd);
}

/* ---- reading ---- */

static void make_room(struct wi__capture *capture, size_t size) {
    char *text = realloc(capture->text, size + 1);
    if (!text) wi_raise(WI_MEMORY_ERROR, "no memory for %zu bytes of output", size);
    capture->text = text;
}

static void read_from(wi_captured *captured, size_t end) {
    struct wi__capture *capture = captured->capture;
    while (captured->length < end) {
        ssize_t n = pread(capture->fd, capture->text + captured->length, end - captured->length,
                          (off_t)captured->length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) wi_raise_errno(errno, "what was caught cannot be read");
        if (n == 0) break;
        captured->length += (size_t)n;
    }
}

const char *wi_captured_text(wi_captured *captured) {
    struct wi__capture *capture = captured->capture;
    if (!capture) return "";
    if (capture->open) wi__streams_flush();
    size_t end = capture->open ? size_of(capture->fd) : capture->end;
    if (end < captured->length)
        captured->length = 0; /* a program that was started has emptied it */
    if (end > captured->length || !capture->text) {
        make_room(capture, end);
        read_from(captured, end);
    }
    capture->text[captured->length] = '\0';
    return capture->text;
}

void wi_captured_free(wi_captured *captured) {
    if (wi__captured_is_open(captured))
        wi_raise(WI_USAGE_ERROR, "this wi_captured is being filled: free it after its block");
    wi__capture_free(captured->capture);
    captured->length = 0;
    captured->capture = NULL;
}
