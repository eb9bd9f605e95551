/* Tables on a terminal. */
#include "cli/runs/grid.h"

#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "report/utf8.h"

enum { GAP = 2, MOST_COLUMNS = 80 };

char *wi__printable_copy(const char *text) {
    size_t size = 8 * strlen(text) + 1; /* a character of two bytes may become eight */
    char *copy = wi_check_null(malloc(size), "print");
    wi__printable(copy, size, text);
    return copy;
}

void wi__grid_init(wi__grid *grid, const wi__grid_column *heads, int columns, int indent) {
    *grid = (wi__grid){.heads = heads, .columns = columns, .indent = indent};
}

void wi__grid_release(wi__grid *grid) {
    for (size_t i = 0; i < grid->count; i++) free(grid->cells[i].text);
    free(grid->cells);
    *grid = (wi__grid){0};
}

void wi__grid_cell_add(wi__grid *grid, wi__ink ink, const char *text) {
    if (grid->count == grid->room) {
        size_t room = grid->room ? 2 * grid->room : 64;
        grid->cells = wi_check_null(realloc(grid->cells, room * sizeof *grid->cells), "print");
        grid->room = room;
    }
    char *copy = wi__printable_copy(text);
    grid->cells[grid->count++] = (wi__grid_cell){copy, wi__text_width(copy), ink};
}

/* ---- widths ---- */

typedef struct layout {
    int shown; /* columns, from the left */
    int widths[MOST_COLUMNS];
} layout;

static void measure(const wi__grid *grid, layout *table) {
    table->shown = grid->columns < MOST_COLUMNS ? grid->columns : MOST_COLUMNS;
    for (int c = 0; c < table->shown; c++) table->widths[c] = wi__text_width(grid->heads[c].title);
    for (size_t i = 0; i < grid->count; i++) {
        int c = (int)(i % (size_t)grid->columns);
        if (c < table->shown && grid->cells[i].width > table->widths[c])
            table->widths[c] = grid->cells[i].width;
    }
}

static int width_of(const wi__grid *grid, const layout *table) {
    int width = grid->indent;
    for (int c = 0; c < table->shown; c++) width += (c ? GAP : 0) + table->widths[c];
    return width;
}

/* First the widest of the columns that may be shortened gives way, then the last columns go. */
static void fit(const wi__grid *grid, layout *table, int width) {
    while (width_of(grid, table) > width) {
        int widest = -1;
        for (int c = 0; c < table->shown; c++)
            if (grid->heads[c].least && table->widths[c] > grid->heads[c].least &&
                (widest < 0 || table->widths[c] > table->widths[widest]))
                widest = c;
        if (widest >= 0)
            table->widths[widest]--;
        else if (table->shown > 1)
            table->shown--;
        else
            break;
    }
}

/* ---- printing ---- */

/* A cell in its column. @param owed  the spaces that the one before is short of. @return those of this one. */
static int print_cell(const wi__page *page, const wi__grid_cell *cell, int width, int is_right,
                      int owed) {
    int used = cell->width < width ? cell->width : width;
    fprintf(page->out, "%*s", owed + (is_right ? width - used : 0), "");
    if (cell->ink != WI__PLAIN) wi__page_ink(page, cell->ink);
    wi__print_shortened(page->out, cell->text, width);
    if (cell->ink != WI__PLAIN) wi__page_ink(page, WI__PLAIN);
    return is_right ? 0 : width - used;
}

static void print_row(const wi__grid *grid, const layout *table, const wi__page *page,
                      const wi__grid_cell *row) {
    int owed = grid->indent, used = table->shown;
    while (used && !row[used - 1].width) used--; /* no spaces at a line's end */
    for (int c = 0; c < used; c++)
        owed = GAP + print_cell(page, &row[c], table->widths[c], grid->heads[c].is_right, owed);
    fputc('\n', page->out);
}

static void print_titles(const wi__grid *grid, const layout *table, const wi__page *page) {
    wi__grid_cell titles[MOST_COLUMNS];
    int any = 0;
    for (int c = 0; c < table->shown; c++) {
        char *title = (char *)grid->heads[c].title; /* only read */
        titles[c] = (wi__grid_cell){title, wi__text_width(title), WI__FAINT};
        any |= *title != '\0';
    }
    if (any) print_row(grid, table, page, titles);
}

static void print_left_out(const wi__grid *grid, const layout *table, const wi__page *page) {
    for (int c = table->shown; c < grid->columns; c++)
        fprintf(page->out, "%s%s",
                c > table->shown ? ", " : "columns left out: ", grid->heads[c].title);
    if (table->shown < grid->columns) fputs("; a wider terminal shows them\n", page->out);
}

void wi__grid_print(const wi__grid *grid, const wi__page *page) {
    layout table = {0};
    measure(grid, &table);
    if (page->width) fit(grid, &table, page->width);
    print_titles(grid, &table, page);
    for (size_t i = 0; i + (size_t)grid->columns <= grid->count; i += (size_t)grid->columns)
        print_row(grid, &table, page, &grid->cells[i]);
    print_left_out(grid, &table, page);
}
