/*
 * Lanes: what the process keeps for each thread that measures, beside the thread's region in the record.
 *
 * A lane has the private side of the thread's tree: a branch for each node, with the tables that find a
 * section's child without searching. Readers of the record see nothing of it.
 *
 * Life cycle: a thread takes a lane at its first section and hands it on at its end; lanes are never freed.
 */
#ifndef WITHIN_RECORD_LANE_H
#define WITHIN_RECORD_LANE_H

#include "record/format.h"

typedef struct wi__branch wi__branch;
typedef struct wi__lane wi__lane;

/** A child, found by a key: a site's address, or the hash of a name made odd. */
typedef struct wi__child {
    uintptr_t key; /* 0: free */
    wi__branch *branch;
    wi__node *node; /* the branch's, and its cell: what opening it needs, in one place */
    uint32_t cell;
} wi__child;

enum { WI__CACHED_CHILDREN = 8 };

/**
 * Is a branch of plain sections open? It is if it is on the thread's chain, from the current branch to the
 * root, unless spans have moved the thread from one chain to another. Branches of spans have a count.
 */
typedef enum wi__branch_state {
    WI__ON_ITS_CHAIN, /* open if and only if it is on the chain */
    WI__SET_ASIDE,    /* open, and not on the chain */
    WI__GHOST,        /* on the chain, and not open */
} wi__branch_state;

struct wi__branch {
    wi__node *node;
    wi__branch *parent; /* of "(other)": the branch that it was opened in */
    wi__lane *lane;
    wi__branch *last_child;
    uint32_t cell; /* of the node; if that is not in the file, of the nearest around it that is */
    uint32_t count;
    uint32_t mask;       /* slots of the table, a power of two, less one */
    uint32_t depth : 24; /* 0 of the root */
    uint32_t state : 8;  /* wi__branch_state */
    wi__child *children; /* all, in a table that is at most half full; or NULL */
    uint64_t
        hurdle; /* ticks: the end of a span that began before it has more to do; at least `floor` */
    wi__child cache[WI__CACHED_CHILDREN]; /* those used last: one load nearer */
    uintptr_t key;                        /* as in its parent's table */
    wi__branch *previous;                 /* the parent's child before it */
    uint64_t
        emptied;    /* ticks: spans that began before it are not in the node's count of open ones */
    uint64_t floor; /* ticks: spans that began before it count from then on */
    wi__gpu_counts *gpu;         /* the node's, once it has used a GPU; else NULL */
    struct wi__watched *watched; /* NULL: it is not watched */
    uint32_t watch_generation;   /* in which that was decided */
    unsigned char apart;         /* below a root of its own: wi__span_root */
    unsigned char told; /* of spans whose caller says what encloses them: wi__span_begin_inside */
};

struct wi__lane {
    wi__region *region;
    uint64_t next_anchor; /* ticks: when the record's last anchor is to be renewed */
    uint64_t watch_due;   /* ticks: when a watched path is to be looked at again */
    wi__branch *root;
    wi__branch *other;
    wi__lane *next;              /* of all, newest first */
    wi__lane *next_free;         /* of those without a thread */
    uint32_t slab, slab_end;     /* cells that this lane may use up next */
    uint32_t gpu;                /* of its newest wi__gpu_counts: the region's `gpu` */
    struct wi__watched *watched; /* all that are, newest first */
    uint32_t watch_generation;
};

/** A lane for the calling thread: one that was given back, or a new one; NULL if there is no memory. */
wi__lane *wi__lane_take(void);
/** All lanes there are, linked by `next`. The lock is held. */
wi__lane *wi__lanes(void);
/** The thread that had it has ended. The lock is held for both. */
void wi__lane_give_back(wi__lane *lane);
/** In a forked child: all counts to zero from `now` on, and all lanes but `keep` free. The lock is held. */
void wi__lanes_restart(const wi__lane *keep, uint64_t now);

/** Sites are 24 bytes long: steps of 16 tell them apart. */
static inline uintptr_t wi__key_hash(uintptr_t key) { return key >> 4; }

static inline wi__child *wi__cached_child(wi__branch *branch, uintptr_t key) {
    return &branch->cache[wi__key_hash(key) % WI__CACHED_CHILDREN];
}

#endif
