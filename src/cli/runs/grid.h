/*
 * Tables on a terminal: columns as wide as what is in them, and cut to the terminal's width.
 *
 * Life cycle: wi__grid_init; wi__grid_cell, row by row from the left; wi__grid_print; wi__grid_release.
 */
#ifndef WITHIN_CLI_RUNS_GRID_H
#define WITHIN_CLI_RUNS_GRID_H

#include <stddef.h>

#include "report/page.h"

typedef struct wi__grid_column {
    const char *title; /* printable; borrowed */
    int is_right;      /* numbers stand at the right */
    int least;         /* on a narrow terminal it is shortened, but not below this; 0: never */
} wi__grid_column;

typedef struct wi__grid_cell {
    char *text; /* printable */
    int width;
    wi__ink ink;
} wi__grid_cell;

typedef struct wi__grid {
    int columns;
    int indent;
    const wi__grid_column *heads;
    size_t count, room; /* of cells */
    wi__grid_cell *cells;
} wi__grid;

/** @param heads  array of shape (columns,); borrowed. */
void wi__grid_init(wi__grid *grid, const wi__grid_column *heads, int columns, int indent);
/** The next cell: any bytes; what would move the cursor is shown like \x1b. @raise WI_MEMORY_ERROR */
void wi__grid_cell_add(wi__grid *grid, wi__ink ink, const char *text);
/** Print titles, if there are any, and rows. On a narrow terminal the last columns may be left out, which is said. */
void wi__grid_print(const wi__grid *grid, const wi__page *page);
void wi__grid_release(wi__grid *grid);

/** The copy of any text that may be printed; free it. @raise WI_MEMORY_ERROR */
char *wi__printable_copy(const char *text);

#endif
