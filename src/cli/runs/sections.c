/* A run's sections, put into the rows of a report. */
#include "cli/runs/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "cli/runs/grid.h"
#include "report/view.h"
#include "runs/read.h"

enum { NONE = -1 };

typedef struct section {
    char *path; /* printable */
    wi__figures figures;
    int parent; /* index, or NONE */
} section;

typedef struct tree {
    section *sections; /* by path; later by parent, and the largest total first */
    int count, room;
    wi__row *rows; /* in the order of printing */
    size_t row_count;
    double whole_s;
} tree;

static uint64_t count_of(sqlite3_stmt *row, int column) {
    int64_t count = sqlite3_column_int64(row, column);
    return count > 0 ? (uint64_t)count : 0;
}

static void add_section(void *arg, sqlite3_stmt *row) {
    tree *of = arg;
    if (of->count == of->room) {
        int room = of->room ? 2 * of->room : 64;
        of->sections =
            wi_check_null(realloc(of->sections, (size_t)room * sizeof *of->sections), "sections");
        of->room = room;
    }
    of->sections[of->count++] = (section){.path = wi__printable_copy(wi__column_text(row, 0)),
                                          .parent = NONE,
                                          .figures = {.calls = count_of(row, 1),
                                                      .total_s = wi__column_number(row, 2),
                                                      .self_s = wi__column_number(row, 3),
                                                      .mean_s = wi__column_number(row, 4),
                                                      .std_s = wi__column_number(row, 5),
                                                      .min_s = wi__column_number(row, 6),
                                                      .p50_s = wi__column_number(row, 7),
                                                      .p99_s = wi__column_number(row, 8),
                                                      .max_s = wi__column_number(row, 9),
                                                      .errors = count_of(row, 10)}};
}

/* ---- who is whose child ---- */

static int by_path(const void *left, const void *right) {
    return strcmp(((const section *)left)->path, ((const section *)right)->path);
}

/* Where the last " > " before `end` begins; NULL if there is none. */
static char *last_separator(char *path, const char *end) {
    char *found = NULL;
    for (char *at = path; (at = strstr(at, " > ")) && at < end; at++) found = at;
    return found;
}

/* The longest begin of the path that is a path too: names may have " > " in them. */
static int parent_of(const tree *of, const section *child) {
    section key = {.path = wi_check_null(strdup(child->path), "sections")};
    const section *found = NULL;
    for (char *cut = key.path + strlen(key.path);
         !found && (cut = last_separator(key.path, cut));) {
        *cut = '\0';
        found = bsearch(&key, of->sections, (size_t)of->count, sizeof key, by_path);
    }
    free(key.path);
    return found ? (int)(found - of->sections) : NONE;
}

/* ---- rows ---- */

typedef struct child {
    int parent, section;
    double total_s;
} child;

static int by_parent_and_total(const void *left, const void *right) {
    const child *a = left, *b = right;
    if (a->parent != b->parent) return a->parent < b->parent ? -1 : 1;
    if (a->total_s != b->total_s) return a->total_s > b->total_s ? -1 : 1;
    return a->section - b->section;
}

static int first_child(const child *children, int count, int parent) {
    int low = 0, high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (children[middle].parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_row(tree *of, int index, uint32_t depth) {
    section *self = &of->sections[index];
    const section *parent = self->parent == NONE ? NULL : &of->sections[self->parent];
    double whole_s = parent ? parent->figures.total_s : of->whole_s;
    self->figures.percent_of_parent = whole_s > 0 ? 100 * self->figures.total_s / whole_s : NAN;
    const char *name = parent ? self->path + strlen(parent->path) + strlen(" > ") : self->path;
    of->rows[of->row_count++] = (wi__row){.depth = depth, .name = name, .figures = self->figures};
}

/* Paths are cut at some thousand bytes, which bounds the depth. */
static void add_children(tree *of, const child *children, int parent, uint32_t depth) {
    for (int i = first_child(children, of->count, parent);
         i < of->count && children[i].parent == parent; i++) {
        add_row(of, children[i].section, depth);
        add_children(of, children, children[i].section, depth + 1);
    }
}

static void order(tree *of) {
    child *children = wi_check_null(malloc((size_t)of->count * sizeof *children), "sections");
    of->rows = wi_check_null(calloc((size_t)of->count, sizeof *of->rows), "sections");
    qsort(of->sections, (size_t)of->count, sizeof *of->sections, by_path);
    for (int i = 0; i < of->count; i++) {
        of->sections[i].parent = parent_of(of, &of->sections[i]);
        children[i] = (child){of->sections[i].parent, i, of->sections[i].figures.total_s};
    }
    qsort(children, (size_t)of->count, sizeof *children, by_parent_and_total);
    add_children(of, children, NONE, 0);
    free(children);
}

static void print(const wi__page *page, const tree *of) {
    wi__path root = {0};
    wi__profile profile = {.paths = &root, .path_count = 1};
    wi__report_options options = {0};
    wi__view view = {.row_count = of->row_count, .rows = of->rows};
    wi__page whole = *page;
    whole.profile = &profile;
    whole.options = &options;
    whole.view = &view;
    wi__page_table(&whole);
}

void wi__print_sections(const wi__page *page, sqlite3 *db, int64_t run, double whole_s) {
    tree of = {.whole_s = whole_s};
    wi__run_each(db, run, WI__RUN_SECTIONS, add_section, &of);
    if (of.count) {
        order(&of);
        print(page, &of);
    }
    for (int i = 0; i < of.count; i++) free(of.sections[i].path);
    free(of.sections);
    free(of.rows);
}
