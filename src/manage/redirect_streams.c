/* Buffers that programs print into: written out, and stdout line by line for a while. */
#include "manage/redirect_streams.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

/* ---- Fortran ---- */

/* Wheels of Python packages bring copies of libgfortran under names of their own, each with units of its own. */
enum { MOST_LIBRARIES = 8 };

typedef struct libraries {
    const char *names[MOST_LIBRARIES];
    int count;
} libraries;

static int note_fortran(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    libraries *found = arg;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;
    if (strncmp(name, "libgfortran", 11) == 0 && found->count < MOST_LIBRARIES)
        found->names[found->count++] = info->dlpi_name;
    return 0;
}

/* FLUSH without a unit, as Fortran programs call it: all units. */
static void flush_units_of(void *library) {
    void (*flush)(int *unit) = (void (*)(int *))dlsym(library, "_gfortran_flush_i4");
    if (flush) flush(NULL);
}

/* Not asked for under the lock of dl_iterate_phdr, which dlopen needs. */
static void flush_fortran(void) {
    libraries found = {.count = 0};
    dl_iterate_phdr(note_fortran, &found);
    for (int i = 0; i < found.count; i++) {
        void *library = dlopen(found.names[i], RTLD_LAZY | RTLD_NOLOAD);
        if (!library) continue;
        flush_units_of(library);
        dlclose(library);
    }
}

/* ---- C ---- */

/*
 * Only these two: fflush(NULL) would wait for the lock of a stream that another thread reads a terminal or a pipe by.
 * @return 0 or an errno value; then what it held is dropped.
 */
static int flush(FILE *stream) {
    errno = 0;
    if (fflush(stream) == 0) return 0;
    int error = errno ? errno : EIO;
    __fpurge(stream);
    return error;
}

void wi__streams_flush(void) {
    flush(stdout);
    flush(stderr);
    flush_fortran();
}

/* ---- stdout line by line ---- */

/* Blocks may end in any order. Guarded by stdout's own lock, which forked children find free. */
static struct {
    int blocks, by_line; /* open, and those of them that want it so */
    int was_by_line;     /* before the first of them */
} now;

/* The C library looks at the descriptor when the stream is first written to. */
static int is_by_line(FILE *stream) {
    if (__fbufsize(stream)) return __flbf(stream);
    return isatty(fileno(stream));
}

static int is_unbuffered(FILE *stream) { return __fbufsize(stream) == 1; }

void wi__streams_keep(wi__streams *block) {
    flockfile(stdout);
    if (now.blocks++ == 0) now.was_by_line = is_by_line(stdout);
    funlockfile(stdout);
    block->failed[0] = ferror(stdout);
    block->failed[1] = ferror(stderr);
    block->by_line = 0;
}

/* glibc takes room that it has found in a buffer before for room still, whatever the mode has become. */
static void forget_room(FILE *stream) {
#ifdef __GLIBC__
    stream->_IO_write_end = stream->_IO_write_base;
#else
    (void)stream;
#endif
}

void wi__streams_by_line(wi__streams *block) {
    flockfile(stdout);
    block->by_line = 1;
    now.by_line++;
    if (!is_unbuffered(stdout)) {
        setvbuf(stdout, NULL, _IOLBF, 0);
        forget_room(stdout);
    }
    funlockfile(stdout);
}

void wi__streams_put_back(const wi__streams *block) {
    flockfile(stdout);
    now.blocks--;
    now.by_line -= block->by_line;
    if (!now.by_line && !is_unbuffered(stdout) && !now.was_by_line != !__flbf(stdout))
        setvbuf(stdout, NULL, now.was_by_line ? _IOLBF : _IOFBF, 0);
    funlockfile(stdout);
}

/* ---- what could not be written ---- */

static int is_on(FILE *stream, const int *fds, int count) {
    for (int i = 0; i < count; i++)
        if (fileno(stream) == fds[i]) return 1;
    return 0;
}

static wi__trouble finish(FILE *stream, int had_failed) {
    int error = flush(stream), failed = ferror(stream) && !had_failed;
    if (failed) clearerr(stream);
    if (error) return wi__trouble_of("cannot be written", error);
    return wi__trouble_of(failed ? "an earlier write of it has failed" : NULL, 0);
}

wi__trouble wi__streams_finish(const wi__streams *block, const int *fds, int count) {
    FILE *streams[2] = {stdout, stderr};
    wi__trouble first = WI__NO_TROUBLE;
    flush_fortran();
    for (int i = 0; i < 2; i++) {
        if (!is_on(streams[i], fds, count)) {
            flush(streams[i]);
            continue;
        }
        wi__trouble trouble = finish(streams[i], block->failed[i]);
        if (!first.what) first = trouble;
    }
    return first;
}
