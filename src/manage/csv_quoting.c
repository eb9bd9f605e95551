/* Where rows of a CSV file end. */
#include "manage/csv_quoting.h"

#include <string.h>

/* A quote that does not begin a cell, and is in none that is quoted, is a letter like others. */
static void meet_quote(wi__csv_quoting *q, char before) {
    if (q->is_open) {
        q->is_open = 0;
        q->has_closed = 1;
    } else if (before == ',' || before == '\n' || before == '\r' ||
               (before == '"' && q->has_closed)) {
        q->is_open = 1;
    }
}

void wi__csv_quoting_read(wi__csv_quoting *q, const char *at, size_t n) {
    const char *stop = at + n;
    q->end = NULL;
    while (at < stop) {
        const char *quote = memchr(at, '"', (size_t)(stop - at)), *to = quote ? quote : stop;
        const char *newline = q->is_open ? NULL : memrchr(at, '\n', (size_t)(to - at));
        if (newline) q->end = newline + 1;
        if (to > at) {
            q->last = to[-1];
            q->has_closed = 0;
        }
        if (!quote) break;
        meet_quote(q, q->last);
        q->last = '"';
        at = quote + 1;
    }
}
