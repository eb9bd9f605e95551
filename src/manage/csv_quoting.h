/*
 * Where rows of a CSV file end: at newlines that are not in quotes, which only the bytes before them tell.
 */
#ifndef WITHIN_MANAGE_CSV_QUOTING_H
#define WITHIN_MANAGE_CSV_QUOTING_H

#include <stddef.h>

/* What is known of a text of rows, as far as it was read. */
typedef struct wi__csv_quoting {
    int is_open; /* in quotes */
    int has_closed; /* the last byte was a quote that closed: another one makes it a quote of the text */
    char last;      /* byte; a newline before the first */
    /* behind the last newline outside of quotes, in the piece that was read last; or NULL */
    const char *end;
} wi__csv_quoting;

#define WI__CSV_NO_QUOTES {0, 0, '\n', NULL}

/** Read the n bytes that follow. */
void wi__csv_quoting_read(wi__csv_quoting *q, const char *at, size_t n);

#endif
