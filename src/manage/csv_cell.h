/* Cells as RFC 4180 has them, and texts as messages show them. */
#ifndef WITHIN_MANAGE_CSV_CELL_H
#define WITHIN_MANAGE_CSV_CELL_H

#include <stddef.h>

/** The bytes that a text needs as a cell, at most. */
size_t wi__csv_cell_room(const char *text);
/**
 * Write a text as a cell: in quotes if it has a comma, a quote, a line's end or an outer space, or is empty.
 *
 * @return the cell's end; there is no '\0'.
 */
char *wi__csv_put_cell(char *at, const char *text);
/**
 * Compare a cell, quoted or not, with a text.
 *
 * @param[in,out] at  a cell's begin; afterwards its end, at a comma or at `end`, if it is that text.
 */
int wi__csv_cell_is(const char **at, const char *end, const char *text);

enum { WI__CSV_SHOWN = 100 };
typedef struct wi__csv_shown {
    char text[WI__CSV_SHOWN];
} wi__csv_shown;
/** Any bytes as text for a message: without control characters, and cut, with "…", where they are many. */
wi__csv_shown wi__csv_show(const char *bytes, size_t n);

#endif
