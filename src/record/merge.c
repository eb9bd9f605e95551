/* Merging trees: each node of each region finds its path, and adds its calls there. */
#include "record/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct merge {
    wi__reader *reader;
    wi__profile *profile;
    size_t path_room, open_room;
    uint32_t *path_of_cell; /* + 1; 0: no node was read there */
    uint32_t *index;        /* hash table of paths, + 1; 0: free */
    size_t index_size;      /* a power of two */
    uint32_t *pending;      /* cells of nodes whose children are still to be read */
    size_t pending_count, pending_room;
    uint32_t *spans; /* cells of the region's nodes in which spans are open */
    size_t span_count, span_room;
    int failed; /* out of memory */
} merge;

/* Room for one more item in a growing array. 0, and the merge has failed, if there is no memory. */
static int grow(merge *m, void *array, size_t *room, size_t count, size_t item) {
    if (count < *room) return 1;
    size_t wanted = *room ? 2 * *room : 64;
    void *grown = realloc(*(void **)array, wanted * item);
    if (!grown) {
        m->failed = 1;
        return 0;
    }
    *(void **)array = grown;
    *room = wanted;
    return 1;
}

/* ---- paths by parent and name ---- */

static size_t hash(uint32_t parent, const char *name) {
    uint64_t h = 14695981039346656037u ^ parent; /* FNV-1a (Fowler, Noll and Vo 1991) */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
    return (size_t)(h ^ h >> 29);
}

static uint32_t *slot_of(const merge *m, uint32_t parent, const char *name, int apart) {
    for (size_t i = hash(parent, name);; i++) {
        uint32_t *slot = &m->index[i & (m->index_size - 1)];
        if (!*slot) return slot;
        const wi__path *path = &m->profile->paths[*slot - 1];
        if (path->parent == parent && path->apart == apart && strcmp(path->name, name) == 0)
            return slot;
    }
}

static int grow_index(merge *m) {
    if (m->index && 2 * (m->profile->path_count + 1) <= m->index_size) return 1;
    free(m->index);
    m->index_size = m->index_size ? 4 * m->index_size : 256;
    m->index = calloc(m->index_size, sizeof *m->index);
    if (!m->index) {
        m->failed = 1;
        return 0;
    }
    for (uint32_t i = 0; i < m->profile->path_count; i++) {
        const wi__path *path = &m->profile->paths[i];
        *slot_of(m, path->parent, path->name, path->apart) = i + 1;
    }
    return 1;
}

static void add_child(wi__profile *profile, uint32_t parent, uint32_t child) {
    wi__path *around = &profile->paths[parent];
    if (around->first_child == WI__NO_PATH)
        around->first_child = child;
    else
        profile->paths[around->last_child].next_sibling = child;
    around->last_child = child;
}

static uint32_t path_new(merge *m, uint32_t parent, const char *name) {
    wi__profile *profile = m->profile;
    if (!grow(m, (void *)&profile->paths, &m->path_room, profile->path_count,
              sizeof *profile->paths))
        return WI__NO_PATH;
    uint32_t index = (uint32_t)profile->path_count;
    wi__path *path = &profile->paths[index];
    *path = (wi__path){.parent = parent, .first_child = WI__NO_PATH, .next_sibling = WI__NO_PATH};
    path->name = strdup(name);
    if (!path->name) {
        m->failed = 1;
        return WI__NO_PATH;
    }
    profile->path_count++;
    if (parent != WI__NO_PATH) add_child(profile, parent, index);
    return index;
}

static uint32_t path_of(merge *m, uint32_t parent, const char *name, int apart) {
    if (!grow_index(m)) return WI__NO_PATH;
    uint32_t *slot = slot_of(m, parent, name, apart);
    if (*slot) return *slot - 1;
    uint32_t path = path_new(m, parent, name);
    if (path == WI__NO_PATH) return WI__NO_PATH;
    m->profile->paths[path].apart = apart;
    *slot = path + 1;
    return path;
}

/* ---- figures ---- */

static int add_bucket(wi__path *path, uint32_t bucket, uint64_t calls) {
    uint32_t i = 0;
    while (i < path->bucket_count && path->buckets[i].bucket < bucket) i++;
    if (i < path->bucket_count && path->buckets[i].bucket == bucket) {
        path->buckets[i].calls += calls;
        return 1;
    }
    if (path->bucket_count % 8 == 0) {
        size_t size = (path->bucket_count + 8) * sizeof *path->buckets;
        wi__bucket_calls *grown = realloc(path->buckets, size);
        if (!grown) return 0;
        path->buckets = grown;
    }
    memmove(&path->buckets[i + 1], &path->buckets[i],
            (path->bucket_count - i) * sizeof *path->buckets);
    path->buckets[i] = (wi__bucket_calls){bucket, calls};
    path->bucket_count++;
    return 1;
}

static void add_histogram(merge *m, wi__path *path, const wi__node *node) {
    for (uint32_t bucket = 0; bucket < WI__BUCKETS; bucket++) {
        uint64_t calls = wi__reader_bucket(m->reader, node, bucket);
        if (calls && !add_bucket(path, bucket, calls)) m->failed = 1;
    }
}

static void add_node(merge *m, uint32_t index, const wi__node *node) {
    wi__path *path = &m->profile->paths[index];
    path->errors += node->errors;
    path->suppressed += node->suppressed;
    if (!node->calls) return;
    if (!path->calls || node->min < path->min) path->min = node->min;
    if (node->max > path->max) path->max = node->max;
    path->calls += node->calls;
    path->total += node->total;
    if (index != WI__ROOT) path->folded += (double)node->folded;
    path->squares += (unsigned __int128)node->squares[1] << 64 | node->squares[0];
    add_histogram(m, path, node);
}

/* ---- trees ---- */

static void remember_spans(merge *m, uint32_t cell, const wi__node *node) {
    if (!wi__reader_spans(node)) return;
    if (grow(m, (void *)&m->spans, &m->span_room, m->span_count, sizeof *m->spans))
        m->spans[m->span_count++] = cell;
}

/* Read the node at a cell as a child of `parent`, and remember it for its children. */
static int read_node(merge *m, uint32_t cell, uint32_t parent, wi__node *node) {
    char name[4 * 256];
    if (!wi__reader_node(m->reader, cell, node)) return 0;
    wi__reader_name(m->reader, node, name, sizeof name);
    uint32_t path = parent == WI__NO_PATH ? WI__ROOT : path_of(m, parent, name, node->apart == 1);
    if (path == WI__NO_PATH) return 0;
    add_node(m, path, node);
    m->path_of_cell[cell] = path + 1;
    if (parent != WI__NO_PATH) remember_spans(m, cell, node);
    if (!grow(m, (void *)&m->pending, &m->pending_room, m->pending_count, sizeof *m->pending))
        return 0;
    m->pending[m->pending_count++] = cell;
    return 1;
}

/* The node at a cell that was read before, as it was when all was copied: its links lie inside the copy. */
static const wi__node *node_at(const merge *m, uint32_t cell) {
    return (const wi__node *)(m->reader->bytes + (size_t)cell * WI__CELL_BYTES);
}

/* The path of the node that was read at a cell, or WI__NO_PATH. */
static uint32_t path_at(const merge *m, uint32_t cell) {
    return cell < m->reader->cells ? m->path_of_cell[cell] - 1 : WI__NO_PATH;
}

static void read_tree(merge *m, uint32_t root) {
    wi__node node;
    m->pending_count = m->span_count = 0;
    read_node(m, root, WI__NO_PATH, &node);
    while (m->pending_count && !m->failed) {
        uint32_t cell = m->pending[--m->pending_count], path = m->path_of_cell[cell] - 1;
        uint32_t child = node_at(m, cell)->first_child;
        while (child && read_node(m, child, path, &node)) child = node_at(m, child)->next_sibling;
    }
}

/* ---- on a GPU ---- */

static void add_gpu_counts(wi__gpu_counts *to, const wi__gpu_counts *counts) {
    to->calls += counts->calls;
    to->timed += counts->timed;
    to->time_ns += counts->time_ns;
    to->captured += counts->captured;
    to->tracked += counts->tracked;
    to->delta = (int64_t)((uint64_t)to->delta + (uint64_t)counts->delta);
    if (counts->peak > to->peak) to->peak = counts->peak;
}

static void read_gpu_counts(merge *m, uint32_t cell) {
    wi__gpu_counts counts;
    for (; cell && wi__reader_gpu_counts(m->reader, cell, &counts); cell = counts.next) {
        uint32_t path = path_at(m, counts.node);
        if (path != WI__NO_PATH)
            add_gpu_counts(&m->profile->paths[path].gpu, &counts);
        else if (!wi__reader_is_lost(m->reader, counts.node))
            m->reader->damaged++;
    }
}

/* ---- what is open ---- */

static wi__open_scope *open_new(merge *m, const char *kind, const char *what, uint64_t start) {
    wi__profile *profile = m->profile;
    if (!grow(m, (void *)&profile->open, &m->open_room, profile->open_count, sizeof *profile->open))
        return NULL;
    wi__open_scope *scope = &profile->open[profile->open_count];
    memset(scope, 0, sizeof *scope);
    snprintf(scope->kind, sizeof scope->kind, "%s", kind);
    scope->what = strdup(what);
    scope->start = scope->starts = start;
    scope->count = 1;
    scope->path = scope->around = WI__NO_PATH;
    if (!scope->what) {
        m->failed = 1;
        return NULL;
    }
    profile->open_count++;
    return scope;
}

/* `depth`: larger further in. `around`: the section that "(other)" is open in. */
static void add_open_section(merge *m, const wi__region *region, uint32_t cell, uint32_t depth) {
    uint32_t path = m->path_of_cell[cell] - 1;
    const wi__node *node = node_at(m, cell);
    wi__open_scope *scope = open_new(m, "section", m->profile->paths[path].name, node->start);
    if (!scope) return;
    scope->thread = region->thread;
    scope->path = path;
    scope->depth = depth;
    if (node->spans) {
        scope->count = wi__reader_spans(node);
        scope->starts = node->starts - node->away_starts;
    }
    if (cell == region->other) scope->around = path_at(m, region->other_parent);
}

/* Is a node of the chain open? Those of spans know it themselves. */
static int is_open(const wi__node *node) { return !node->spans || wi__reader_spans(node); }

/* Each node is listed at most once, and is forgotten afterwards: that cuts cycles. */
static void read_open_sections(merge *m, const wi__region *region) {
    uint32_t cell = region->current;
    for (uint32_t out = 0; cell != region->root && !m->failed; out++) {
        uint32_t path = path_at(m, cell);
        if (path == WI__NO_PATH || path == WI__ROOT) {
            if (!wi__reader_is_lost(m->reader, cell)) m->reader->damaged++;
            return;
        }
        if (is_open(node_at(m, cell))) add_open_section(m, region, cell, UINT32_MAX - out);
        m->path_of_cell[cell] = 0;
        cell = cell == region->other ? region->other_parent : node_at(m, cell)->parent;
    }
}

/* Those that are not on the chain: the thread does something else. Parents are before their children. */
static void read_open_spans(merge *m, const wi__region *region) {
    for (size_t i = 0; i < m->span_count && !m->failed; i++)
        if (m->path_of_cell[m->spans[i]] && wi__reader_spans(node_at(m, m->spans[i])))
            add_open_section(m, region, m->spans[i], (uint32_t)i);
}

static void read_holds(merge *m, const wi__region *region) {
    for (int i = 0; i < WI__HOLDS && !m->failed; i++) {
        wi__hold hold = region->holds[i];
        if (!hold.serial) continue;
        hold.kind[sizeof hold.kind - 1] = hold.what[sizeof hold.what - 1] = '\0';
        wi__open_scope *scope = open_new(m, hold.kind, hold.what, hold.start);
        if (scope) scope->thread = region->thread;
    }
}

static void read_region(merge *m, const wi__region *region) {
    m->profile->threads += region->threads;
    read_tree(m, region->root);
    read_gpu_counts(m, region->gpu);
    read_open_sections(m, region);
    read_open_spans(m, region);
    read_holds(m, region);
}

int wi__merge(wi__reader *reader, wi__profile *profile) {
    merge m = {.reader = reader, .profile = profile};
    m.path_of_cell = calloc(reader->cells + 1u, sizeof *m.path_of_cell);
    m.failed = !m.path_of_cell || path_new(&m, WI__NO_PATH, "") == WI__NO_PATH;
    uint32_t cell = wi__reader_header(reader).first_region;
    while (cell && !m.failed) {
        const wi__region *region = wi__reader_region(reader, cell);
        if (!region) break;
        read_region(&m, region);
        cell = region->next_region;
    }
    free(m.path_of_cell);
    free(m.index);
    free(m.pending);
    free(m.spans);
    return !m.failed;
}
