/* The rare part of a lane's tree: new branches and nodes, child tables that grow, names. */
#include "record/tree.h"

#include <stdlib.h>
#include <string.h>

#include <within/record.h>

#include "record/gpu.h"
#include "record/watched.h"

enum { SLAB_CELLS = 256, FIRST_SLOTS = 8 };

/* Taken from the arena a slab at a time. */
uint32_t wi__lane_allocate(wi__lane *lane, uint32_t cells) {
    if (cells > lane->slab_end - lane->slab) {
        uint32_t slab = wi__arena_allocate(SLAB_CELLS);
        if (!slab) return 0;
        lane->slab = slab;
        lane->slab_end = slab + SLAB_CELLS;
    }
    uint32_t first = lane->slab;
    lane->slab += cells;
    return first;
}

void wi__histogram_carry(wi__lane *lane, wi__node *node) {
    wi__record_lock();
    if (!node->high)
        node->high = wi__lane_allocate(lane, WI__CELLS(WI__BUCKETS * sizeof(uint32_t)));
    wi__record_unlock();
    node->histogram[node->pending] -= 1u << 31;
    if (node->high) ((uint32_t *)wi__cell(node->high))[node->pending]++;
}

uint64_t wi__count_call(wi__branch *branch, uint64_t start, uint64_t now, int raised) {
    wi__node *node = branch->node;
    uint64_t ticks = now > start ? now - start : 0;
    if (!wi__node_add_call(node, ticks)) {
        wi__histogram_carry(branch->lane, node);
        wi__node_add_call(node, ticks);
    }
    if (raised) node->errors++;
    return ticks;
}

/* ---- names ---- */

typedef struct section_name {
    const char *bytes;
    uint16_t length;
    uint16_t cut;
    uint32_t hash;
} section_name;

/* Where to cut a long name: never inside a UTF-8 character, which has at most 3 bytes after its first. */
static size_t cut_length(const char *text) {
    size_t length = WI_NAME_MAX;
    while (length > WI_NAME_MAX - 4 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    return length > WI_NAME_MAX - 4 ? length : WI_NAME_MAX;
}

static section_name name_of(const char *text) {
    if (!text) text = "(null)";
    section_name name = {text, 0, 0, 2166136261u}; /* FNV-1a (Fowler, Noll and Vo 1991) */
    size_t length = strnlen(text, WI_NAME_MAX + 1);
    name.cut = length > WI_NAME_MAX;
    name.length = (uint16_t)(name.cut ? cut_length(text) : length);
    for (size_t i = 0; i < name.length; i++)
        name.hash = (name.hash ^ (unsigned char)text[i]) * 16777619u;
    return name;
}

static uint32_t text_new(wi__lane *lane, const section_name *name) {
    uint32_t cell = wi__lane_allocate(lane, WI__CELLS(sizeof(wi__text) + name->length));
    if (!cell) return 0;
    wi__text *text = wi__cell(cell);
    text->length = name->length;
    text->cut = name->cut;
    text->hash = name->hash;
    memcpy(text->bytes, name->bytes, name->length);
    return cell;
}

static int has_name(const wi__branch *branch, const section_name *name) {
    const wi__text *text = wi__cell(branch->node->name);
    return text->hash == name->hash && text->length == name->length &&
           memcmp(text->bytes, name->bytes, name->length) == 0;
}

/* ---- branches and their nodes ---- */

static uint32_t node_new(wi__lane *lane, uint32_t parent, const section_name *name) {
    uint32_t cell = wi__lane_allocate(lane, WI__CELLS(sizeof(wi__node)));
    uint32_t text = cell ? text_new(lane, name) : 0;
    if (!text) return 0;
    wi__node *node = wi__node_at(cell);
    node->min = UINT64_MAX;
    node->parent = parent;
    node->name = text;
    wi__record_header()->nodes++;
    return cell;
}

/* From here on readers see the node: it is complete. Behind its siblings: if it is in memory only, because
 * the file could not grow, they are still found. */
static void publish(wi__branch *branch) {
    wi__branch *parent = branch->parent;
    if (!parent) return;
    wi__branch *last = parent->last_child;
    branch->previous = last;
    parent->last_child = branch;
    __atomic_store_n(last ? &last->node->next_sibling : &parent->node->first_child,
                     wi__cell_of(branch->node), __ATOMIC_RELEASE);
}

static wi__branch *branch_new(wi__lane *lane, wi__branch *parent, const section_name *name) {
    wi__branch *branch = calloc(1, sizeof *branch);
    if (!branch) return NULL;
    uint32_t cell = node_new(lane, parent ? wi__cell_of(parent->node) : 0, name);
    if (!cell) {
        free(branch);
        return NULL;
    }
    branch->node = wi__node_at(cell);
    branch->cell = parent && wi__arena_is_lost(cell) ? parent->cell : cell;
    branch->parent = parent;
    branch->lane = lane;
    branch->depth = parent ? parent->depth + 1 : 0;
    branch->apart = parent && parent->apart;
    publish(branch);
    return branch;
}

wi__branch *wi__branch_new(wi__lane *lane, wi__branch *parent, const char *text) {
    section_name name = name_of(text);
    return branch_new(lane, parent, &name);
}

/* ---- child tables ---- */

/* The slot of a key, or the free one where it belongs. There is always a free one. */
static wi__child *slot_of(const wi__branch *branch, uintptr_t key, const section_name *name) {
    for (uintptr_t i = wi__key_hash(key);; i++) {
        wi__child *slot = &branch->children[i & branch->mask];
        if (!slot->key) return slot;
        if (slot->key == key && (key % 2 == 0 || has_name(slot->branch, name))) return slot;
    }
}

static int has_room(const wi__branch *branch) {
    return branch->children && 2 * (branch->count + 1) <= branch->mask + 1;
}

static int grow_table(wi__branch *branch) {
    wi__child *old = branch->children;
    uint32_t old_slots = old ? branch->mask + 1 : 0, slots = old ? 4 * old_slots : FIRST_SLOTS;
    wi__child *table = calloc(slots, sizeof *table);
    if (!table) return 0;
    branch->children = table;
    branch->mask = slots - 1;
    for (uint32_t i = 0; i < old_slots; i++) {
        if (!old[i].key) continue;
        uintptr_t j = wi__key_hash(old[i].key);
        while (table[j & branch->mask].key) j++;
        table[j & branch->mask] = old[i];
    }
    free(old);
    return 1;
}

static wi__branch *child_new(wi__branch *parent, uintptr_t key, const section_name *name) {
    if (wi__record_header()->nodes >= WI__NODE_CAP) return parent->lane->other;
    if (!has_room(parent) && !grow_table(parent)) return NULL;
    wi__branch *child = branch_new(parent->lane, parent, name);
    if (!child) return NULL;
    child->key = key;
    *slot_of(parent, key, name) = (wi__child){key, child, child->node, child->cell};
    parent->count++;
    return child;
}

static wi__branch *child_of(wi__branch *parent, uintptr_t key, const section_name *name) {
    wi__child *slot = parent->children ? slot_of(parent, key, name) : NULL;
    if (slot && slot->key) return slot->branch;
    wi__record_lock();
    wi__branch *child = child_new(parent, key, name);
    wi__record_unlock();
    return child;
}

/* The key is there only while all of it is: another thread may fork at any moment, and a thread of the
 * child will use this. */
static void cache_child(wi__branch *parent, uintptr_t key, wi__branch *child) {
    wi__child *cached = wi__cached_child(parent, key);
    if (wi__is_to_be_watched(child)) return;
    __atomic_store_n(&cached->key, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    cached->branch = child;
    cached->node = child->node;
    cached->cell = child->cell;
    __atomic_store_n(&cached->key, key, __ATOMIC_RELEASE);
}

int wi__cache_known_child(wi__branch *parent, const void *site) {
    wi__child *slot = parent->children ? slot_of(parent, (uintptr_t)site, NULL) : NULL;
    if (!slot || !slot->key || wi__is_to_be_watched(slot->branch)) return 0;
    cache_child(parent, slot->key, slot->branch);
    return 1;
}

wi__branch *wi__child_of_site(wi__branch *parent, const void *site, const char *text) {
    uintptr_t key = (uintptr_t)site;
    section_name name = name_of(text);
    wi__branch *child = child_of(parent, key, &name);
    if (child && child != parent->lane->other) cache_child(parent, key, child);
    return child;
}

wi__branch *wi__child_of_name(wi__branch *parent, const char *text) {
    section_name name = name_of(text);
    return child_of(parent, (uintptr_t)name.hash << 4 | 1, &name);
}

wi__branch *wi__child_of_span_name(wi__branch *parent, const char *text) {
    section_name name = name_of(text);
    return child_of(parent, (uintptr_t)name.hash << 4 | 3, &name);
}

/* ---- trees apart ---- */

static wi__branch *set_apart(wi__branch *branch) {
    branch->apart = branch->told = 1;
    branch->node->apart = 1;
    return branch;
}

static uintptr_t key_apart(const section_name *name) { return (uintptr_t)name->hash << 4 | 5; }

wi__branch *wi__known_tree_apart(wi__lane *lane, const char *text) {
    section_name name = name_of(text);
    return lane->root->children ? slot_of(lane->root, key_apart(&name), &name)->branch : NULL;
}

wi__branch *wi__tree_apart(wi__lane *lane, const char *text) {
    section_name name = name_of(text);
    wi__branch *branch = child_of(lane->root, key_apart(&name), &name);
    return branch && branch != lane->other ? set_apart(branch) : branch;
}

/* ---- the same path in another lane ---- */

static wi__branch *same_child(wi__branch *parent, const wi__branch *branch) {
    const wi__text *text = wi__cell(branch->node->name);
    section_name name = {text->bytes, text->length, text->cut, text->hash};
    wi__branch *child = child_of(parent, branch->key, &name);
    if (!child || child == parent->lane->other) return child;
    child->told = branch->told;
    return wi__is_root_apart(branch) ? set_apart(child) : child;
}

/* From the top down, and without recursion: paths may be as deep as one. */
wi__branch *wi__same_branch(wi__lane *lane, const wi__branch *branch) {
    if (branch->lane == lane) return (wi__branch *)branch;
    if (branch == branch->lane->other) return lane->other;
    uint32_t depth = branch->depth;
    struct {
        const wi__branch *branch;
    } *way = calloc(depth + 1, sizeof *way);
    if (!way) return NULL;
    for (; branch->parent; branch = branch->parent) way[branch->depth].branch = branch;
    wi__branch *same = lane->root;
    for (uint32_t i = 1; i <= depth && same && same != lane->other && way[i].branch; i++)
        same = same_child(same, way[i].branch);
    free(way);
    return same;
}

/* ---- forgetting ---- */

void wi__forget_children(wi__lane *lane) {
    wi__branch *root = lane->root;
    for (uint32_t i = 0; root->children && i <= root->mask; i++) free(root->children[i].branch);
    free(root->children);
    wi__record_header()->nodes -= root->count;
    root->children = NULL;
    root->count = root->mask = 0;
    memset(root->cache, 0, sizeof root->cache);
    root->last_child = lane->other;
    lane->other->previous = NULL;
    lane->other->node->next_sibling = 0;
}

/* `seq` was left odd if this is a forked child whose parent's thread was changing the node. */
static void zero_node(wi__node *node) {
    node->seq |= 1;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    node->errors = node->suppressed = node->pending = 0;
    node->calls = node->total = node->folded = node->squares[0] = node->squares[1] = node->max = 0;
    node->min = UINT64_MAX;
    memset(node->histogram, 0, sizeof node->histogram);
    node->high = 0;
    wi__node_end_change(node, node->seq + 1);
}

static void restart_spans(wi__branch *branch, uint64_t now, int keep) {
    wi__node *node = branch->node;
    branch->floor = branch->hurdle = now;
    if (!keep) branch->emptied = now;
    if (!node->spans) return;
    uint32_t open = keep ? wi__spans_open(node) : 0;
    node->spans = 1 + open;
    node->starts = open * now;
    node->away = 0;
    node->away_starts = 0;
    node->start = now;
}

static wi__branch *parent_in_tree(wi__branch *branch) {
    return branch == branch->lane->other ? branch->lane->root : branch->parent;
}

/* A forked child knows the children that there were at the fork; what it copied may have its parent's too. */
static void link_children(wi__branch *branch) {
    uint32_t next = 0;
    for (wi__branch *child = branch->last_child; child; child = child->previous) {
        child->node->next_sibling = next;
        next = wi__cell_of(child->node);
    }
    branch->node->first_child = next;
}

void wi__tree_zero(wi__branch *root, uint64_t now, int keep_spans) {
    wi__branch *branch = root;
    for (;;) {
        link_children(branch);
        zero_node(branch->node);
        if (branch->gpu) wi__gpu_zero(branch->gpu);
        restart_spans(branch, now, keep_spans);
        if (branch->last_child) {
            branch = branch->last_child;
            continue;
        }
        while (branch != root && !branch->previous) branch = parent_in_tree(branch);
        if (branch == root) return;
        branch = branch->previous;
    }
}
