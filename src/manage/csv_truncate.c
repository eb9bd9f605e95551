/* wi_csv_truncate: keeps the first rows of a log, so that it goes on where a checkpoint was. */
#include <errno.h>
#include <string.h>

#include "manage/csv_log.h"
#include "manage/csv_quoting.h"

/* How far the file was read, and what was found. */
typedef struct row_count {
    wi__csv_quoting quoting;
    uint64_t lines; /* whole ones, the first line with the names of the columns too */
    uint64_t wanted;
    off_t end; /* of the last one that is wanted */
} row_count;

static void count_lines(row_count *count, const char *piece, size_t n, off_t at) {
    const char *from = piece, *stop = piece + n;
    while (count->lines < count->wanted && from < stop) {
        const char *newline = memchr(from, '\n', (size_t)(stop - from));
        const char *to = newline ? newline + 1 : stop;
        wi__csv_quoting_read(&count->quoting, from, (size_t)(to - from));
        if (count->quoting.end) {
            count->lines++;
            count->end = at + (to - piece);
        }
        from = to;
    }
}

static int find_end(int fd, row_count *count) {
    char piece[16384];
    for (off_t at = 0; count->lines < count->wanted;) {
        ssize_t n = wi__csv_read(fd, piece, sizeof piece, at);
        if (n < 0) return errno;
        if (n == 0) break;
        count_lines(count, piece, (size_t)n, at);
        at += n;
    }
    return 0;
}

void wi_csv_truncate(wi_csv *f, uint64_t rows) {
    if (!f->log) wi_raise(WI_USAGE_ERROR, "%s: the CSV log is not open", f->path);
    const int fd = f->log->fd;
    if (!wi__csv_lock_alone(fd))
        wi_raise(WI_BUSY_ERROR, "%s: no rows are cut: another process is writing it", f->path);
    row_count count = {WI__CSV_NO_QUOTES, 0, rows + 1, 0};
    int error = find_end(fd, &count);
    const int has_them = count.lines == count.wanted;
    const uint64_t found = count.lines ? count.lines - 1 : 0; /* somebody may have emptied it */
    if (!error && has_them) error = wi__csv_truncate(fd, count.end);
    wi__csv_lock_shared(fd);
    wi_check_code(error, "%s: cannot be cut after row %llu", f->path, (unsigned long long)rows);
    if (!has_them)
        wi_raise(WI_DATA_ERROR, "%s: it has %llu rows, not the %llu that are to stay", f->path,
                 (unsigned long long)found, (unsigned long long)rows);
}
