/* Choosing and ordering the rows of a report. */
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

/* Working memory of one pass over the paths. */
typedef struct choice {
    const wi__profile *profile;
    const wi__report_options *options;
    char *shown;     /* of each path: will it be a row? */
    uint32_t *depth; /* of each path; the root's children have 0 */
    double whole_s;  /* the total of all paths at the top */
} choice;

/* Those with calls or memory of a GPU, and what is above them. Parents come before their children. */
static void find_used(choice *chosen) {
    for (size_t i = chosen->profile->path_count; i-- > 1;) {
        const wi__path *path = &chosen->profile->paths[i];
        if (path->calls || path->open_calls || path->gpu.tracked) chosen->shown[i] = 1;
        if (chosen->shown[i]) chosen->shown[path->parent] = 1;
    }
}

static void find_depths(choice *chosen) {
    for (size_t i = 1; i < chosen->profile->path_count; i++) {
        uint32_t parent = chosen->profile->paths[i].parent;
        chosen->depth[i] = parent == WI__ROOT ? 0 : chosen->depth[parent] + 1;
    }
}

static double key_of(const wi__figures *figures, wi__report_sort sort) {
    switch (sort) {
    case WI__BY_TOTAL: return figures->total_s;
    case WI__BY_SELF: return figures->self_s;
    case WI__BY_CALLS: return (double)figures->calls;
    default: return 0;
    }
}

static wi__row row_of(const choice *chosen, uint32_t i) {
    wi__row row = {i, chosen->profile->paths[i].parent, chosen->depth[i],
                   0, chosen->profile->paths[i].name,   wi__path_figures(chosen->profile, i)};
    row.key = key_of(&row.figures, chosen->options->sort);
    return row;
}

static void find_whole(choice *chosen, const wi__view *view) {
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].depth == 0) chosen->whole_s += view->rows[i].figures.total_s;
}

/* What is open is shown however short it was. */
static int is_too_small(const choice *chosen, const wi__row *row) {
    return !chosen->profile->paths[row->path].open_calls &&
           100 * row->figures.total_s < chosen->options->min_percent * chosen->whole_s;
}

static void fill(wi__view *view, choice *chosen) {
    for (uint32_t i = 1; i < chosen->profile->path_count; i++)
        if (chosen->shown[i]) view->rows[view->row_count++] = row_of(chosen, i);
    find_whole(chosen, view);
}

static void hide(wi__view *view, choice *chosen) {
    size_t kept = 0;
    chosen->shown[WI__ROOT] = 1;
    for (size_t i = 0; i < view->row_count; i++) {
        const wi__row *row = &view->rows[i];
        int deep = chosen->options->depth && row->depth >= chosen->options->depth;
        int small = !chosen->shown[row->parent] || is_too_small(chosen, row);
        if (deep) view->too_deep++;
        if (!deep && small) view->too_small++;
        if (deep || small)
            chosen->shown[row->path] = 0;
        else
            view->rows[kept++] = *row;
    }
    view->row_count = kept;
}

/* ---- order ---- */

static int by_key(const void *left, const void *right) {
    const wi__row *a = left, *b = right;
    if (a->key != b->key) return a->key > b->key ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : a->path < b->path ? -1 : 1;
}

static int by_parent_and_key(const void *left, const void *right) {
    const wi__row *a = left, *b = right;
    if (a->parent != b->parent) return a->parent < b->parent ? -1 : 1;
    return by_key(left, right);
}

/* From rows that are sorted by parent to a tree: each row, then all below it. */
static void walk(const choice *chosen, const wi__row *sorted, wi__view *view, size_t *first,
                 size_t *waiting) {
    size_t count = view->row_count, paths = chosen->profile->path_count, depth = 0, done = 0;
    for (size_t i = 0; i <= paths; i++) first[i] = count;
    for (size_t i = count; i-- > 0;) first[sorted[i].parent] = i;
    waiting[depth++] = first[WI__ROOT];
    while (depth) {
        size_t next = waiting[--depth];
        if (next >= count) continue;
        view->rows[done++] = sorted[next];
        int has_sibling = next + 1 < count && sorted[next + 1].parent == sorted[next].parent;
        if (has_sibling) waiting[depth++] = next + 1;
        waiting[depth++] = first[sorted[next].path];
    }
}

static int order_as_tree(const choice *chosen, wi__view *view) {
    size_t count = view->row_count, paths = chosen->profile->path_count;
    wi__row *sorted = malloc((count + 1) * sizeof *sorted);
    size_t *first = malloc((paths + 1) * sizeof *first),
           *waiting = malloc((2 * count + 2) * sizeof *waiting);
    int enough = sorted && first && waiting;
    if (enough) {
        memcpy(sorted, view->rows, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_parent_and_key);
        walk(chosen, sorted, view, first, waiting);
    }
    free(sorted);
    free(first);
    free(waiting);
    return enough;
}

/* ---- full paths ---- */

/* Put `text` before what is at `at`. @return the new begin, or NULL if it does not fit. */
static char *put_before(const char *begin, char *at, const char *text) {
    size_t length = strlen(text);
    if (length > (size_t)(at - begin)) return NULL;
    while (length) *--at = text[--length];
    return at;
}

void wi__full_path(const wi__profile *profile, uint32_t path, char *buffer, size_t size) {
    static const char between[] = " > ", cut[] = "… > ";
    char *begin = buffer + sizeof cut - 1, *at = buffer + size - 1;
    *at = '\0';
    for (uint32_t i = path; i != WI__ROOT; i = profile->paths[i].parent) {
        char *name_at = *at ? put_before(begin, at, between) : at;
        char *next = name_at ? put_before(begin, name_at, profile->paths[i].name) : NULL;
        if (!next) {
            at = put_before(buffer, at, cut);
            break;
        }
        at = next;
    }
    memmove(buffer, at, strlen(at) + 1);
}

/* ---- life ---- */

static int has_gpu(const wi__profile *profile) {
    for (size_t i = 0; i < profile->path_count; i++)
        if (profile->paths[i].gpu.calls || profile->paths[i].gpu.tracked) return 1;
    return 0;
}

static int choose(wi__view *view, choice *chosen) {
    view->has_gpu = has_gpu(chosen->profile);
    find_used(chosen);
    find_depths(chosen);
    fill(view, chosen);
    hide(view, chosen);
    if (!chosen->options->flat) return order_as_tree(chosen, view);
    qsort(view->rows, view->row_count, sizeof *view->rows, by_key);
    return 1;
}

int wi__view_init(wi__view *view, const wi__profile *profile, const wi__report_options *options) {
    size_t paths = profile->path_count ? profile->path_count : 1;
    choice chosen = {profile, options, calloc(paths, 1), calloc(paths, sizeof(uint32_t)), 0};
    *view = (wi__view){.rows = malloc(paths * sizeof *view->rows)};
    int enough = view->rows && chosen.shown && chosen.depth && choose(view, &chosen);
    free(chosen.shown);
    free(chosen.depth);
    if (!enough) wi__view_release(view);
    return enough;
}

void wi__view_release(wi__view *view) {
    free(view->rows);
    *view = (wi__view){0};
}
