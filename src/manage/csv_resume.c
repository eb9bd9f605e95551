/*
 * Going on with a CSV file: is its first line the right one, and does its last row have an end?
 *
 * A row ends with a newline that is not in quotes, and only the bytes before a newline tell whether it is. Where all
 * columns are numbers there are no quotes, and looking back from the file's end will do; else it is read once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "manage/csv_cell.h"
#include "manage/csv_log.h"
#include "manage/csv_quoting.h"
#include "manage/durable.h"

/* How much is read at a time; a first line, and a torn row, are shorter. */
enum { PIECE = 1 << 20 };
#define PATIENCE_NS INT64_C(2000000000) /* for rows that others are writing at the moment */

/* A file as it is found. */
typedef struct finding {
    wi_csv *f;
    char *line;  /* that the file should begin with, and its newline */
    char *piece; /* of the file: PIECE bytes */
    off_t size;
    off_t end; /* of its last whole row; 0: there is not even a first line */
} finding;

static size_t read_piece(const finding *file, off_t at) {
    size_t n = file->size - at < PIECE ? (size_t)(file->size - at) : PIECE;
    ssize_t got = wi__csv_read(file->f->log->fd, file->piece, n, at);
    return (size_t)wi_check_errno(got, "%s: cannot be read", file->f->path);
}

/* ---- the first line ---- */

static const char *without_mark(const char *line, const char *end) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    return end - line >= 3 && memcmp(line, byte_order_mark, 3) == 0 ? line + 3 : line;
}

/* The first newline outside of quotes, or NULL. */
static const char *end_of_line(const char *text, size_t n) {
    wi__csv_quoting q = WI__CSV_NO_QUOTES;
    for (const char *at = text, *newline;; at = newline + 1) {
        newline = memchr(at, '\n', n - (size_t)(at - text));
        if (!newline) return NULL;
        wi__csv_quoting_read(&q, at, (size_t)(newline + 1 - at));
        if (q.end) return newline;
    }
}

/* Is all there is a first line that was cut off before its newline? */
static int is_torn_line(const finding *file, size_t n) {
    const size_t length = strlen(file->line) - 1;
    if (n > length + 1 || memcmp(file->piece, file->line, n < length ? n : length) != 0) return 0;
    return n <= length || file->piece[length] == '\r';
}

/* Find the first line, which must be the right one. */
static void read_first_line(finding *file) {
    wi__csv_log *log = file->f->log;
    const size_t n = read_piece(file, 0);
    const char *newline = end_of_line(file->piece, n), *end = newline ? newline : file->piece + n;
    if (!newline && is_torn_line(file, n)) return;
    log->is_crlf = end > file->piece && end[-1] == '\r';
    const char *line = without_mark(file->piece, end);
    end -= log->is_crlf;
    if (!newline || !wi__csv_columns_are(&log->columns, line, end))
        wi_raise(WI_DATA_ERROR, "%s: it begins with \"%s\", not with the columns \"%s\"",
                 file->f->path, wi__csv_show(line, (size_t)(end - line)).text,
                 wi__csv_show(file->line, strlen(file->line) - 1).text);
    file->end = newline + 1 - file->piece;
}

/* ---- the last row ---- */

static void read_all_rows(finding *file) {
    wi__csv_quoting q = WI__CSV_NO_QUOTES;
    size_t n;
    for (off_t at = file->end; at < file->size; at += (off_t)n) {
        n = read_piece(file, at);
        if (n == 0) break; /* it was cut meanwhile */
        wi__csv_quoting_read(&q, file->piece, n);
        if (q.end) file->end = at + (q.end - file->piece);
    }
}

static void read_last_row(finding *file) {
    off_t from = file->size - PIECE > file->end ? file->size - PIECE : file->end;
    const size_t n = read_piece(file, from);
    const char *newline = memrchr(file->piece, '\n', n);
    if (newline) file->end = from + (newline + 1 - file->piece);
}

/* `known` is the end of a row that was found before, up to which nothing need be read again; or 0. */
static void look(finding *file, off_t known) {
    struct stat status;
    wi_check_errno(fstat(file->f->log->fd, &status), "%s: cannot be looked at", file->f->path);
    file->size = status.st_size;
    file->end = 0;
    if (file->size) read_first_line(file);
    if (!file->end) return;
    if (known > file->end && known <= file->size) file->end = known;
    if (wi__csv_columns_may_have_quotes(&file->f->log->columns))
        read_all_rows(file);
    else
        read_last_row(file);
}

/* ---- changing it ---- */

static void begin_anew(const wi_csv *f, int is_alone) {
    if (!is_alone)
        wi_raise(WI_BUSY_ERROR, "%s: it is not begun anew: another process is writing it", f->path);
    wi_check_code(wi__csv_truncate(f->log->fd, 0), "%s: cannot be begun anew", f->path);
}

/*
 * Nothing is as long as this that a kill has cut off. A quote that somebody forgot looks so, and what follows it is
 * not to be lost.
 */
static void check_torn_row(const finding *file) {
    if (file->size - file->end > PIECE)
        wi_raise(WI_DATA_ERROR,
                 "%s: the row at byte %lld has no end in the %lld bytes up to the file's; is a "
                 "quote missing?",
                 file->f->path, (long long)file->end, (long long)(file->size - file->end));
}

static void cut_torn_end(finding *file) {
    wi_csv *f = file->f;
    check_torn_row(file);
    const size_t n = read_piece(file, file->end);
    wi_check_code(wi__csv_truncate(f->log->fd, file->end), "%s: its torn last row cannot be cut",
                  f->path);
    f->cut = n;
    fprintf(stderr, "within: %s: the last row was torn and is cut, %zu byte%s: %s\n", f->path, n,
            n == 1 ? "" : "s", wi__csv_show(file->piece, n).text);
}

static void write_first_line(const finding *file) {
    const wi_csv *f = file->f;
    wi_check_code(wi__csv_append(f->log, file->line, strlen(file->line)),
                  "%s: the columns cannot be written", f->path);
    if (f->options.sync_every_s < 0) return;
    wi_check_code(wi__sync_folder_of(f->path), "%s: its folder cannot be synced", f->path);
}

static void repair(finding *file) {
    if (file->end < file->size) cut_torn_end(file);
    if (!file->end) write_first_line(file);
}

/*
 * Alone with the file one knows that what is torn stays so. Else it may be a row that is being written: it is, if
 * there is more of it than a moment ago.
 */
static int is_ready(finding *file) {
    wi_csv *f = file->f;
    const int is_alone = wi__csv_lock_alone(f->log->fd);
    const off_t known = is_alone ? 0 : file->end;
    if (!is_alone) wi__csv_lock_shared(f->log->fd);
    if (f->options.fresh) begin_anew(f, is_alone);
    look(file, known);
    const int is_whole = file->end && file->end == file->size,
              has_moved = known && file->end > known;
    if (!is_alone) return is_whole || has_moved;
    repair(file);
    wi__csv_lock_shared(f->log->fd);
    return 1;
}

static void resume(void *self) {
    finding *file = self;
    const wi_csv *f = file->f;
    const struct timespec millisecond = {.tv_nsec = 1000000};
    file->line = wi__csv_columns_line(&f->log->columns);
    file->piece = malloc(PIECE);
    if (!file->piece) wi_raise(WI_MEMORY_ERROR, "%s: no memory to read it", f->path);
    for (int64_t until = wi__csv_now_ns() + PATIENCE_NS; !is_ready(file);) {
        wi__csv_unlock(f->log->fd);
        if (wi__csv_now_ns() > until)
            wi_raise(WI_BUSY_ERROR,
                     "%s: its %s is torn, and cannot be cut: another process has it open", f->path,
                     file->end ? "last row" : "first line");
        nanosleep(&millisecond, NULL);
    }
}

void wi__csv_resume(wi_csv *f) {
    finding file = {.f = f};
    wi_error *error;
    wi_call(resume, &file, &error);
    free(file.line);
    free(file.piece);
    if (error) wi_reraise(error);
}
