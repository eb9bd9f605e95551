/*
 * The record file, version 1: what its bytes mean. docs/formats/record.md says the same in prose.
 *
 * The file is an array of 64-byte cells. It begins with the header; everything else is found by 32-bit
 * cell numbers, of which 0 means none. Numbers are of the writer's byte order and word size, which the
 * header shows. Each thread has a region, and each region a tree of nodes, one a path of sections.
 *
 * A node's `seq` is odd while its owner changes it: a reader that finds it odd, or changed afterwards,
 * reads again, and after the owner's death knows that the last update was cut off.
 */
#ifndef WITHIN_RECORD_FORMAT_H
#define WITHIN_RECORD_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define WI__MAGIC "WITHIN\r\n" /* the line end shows a transfer that changed line ends */
enum {
    WI__VERSION = 1,
    WI__BYTE_ORDER = 0x01020304,
    WI__CELL_BYTES = 64,
    WI__BUCKETS = 512, /* of a histogram: wi__bucket */
    WI__OCTAVE_BUCKETS = 8,
    WI__NODE_CAP = 65536,      /* nodes of a process; what comes later is folded into "(other)" */
    WI__HOLDS = 32,            /* things held that a region lists */
    WI__TALLIES = 32,          /* different lines of the tally */
    WI__SIGNAL_LIMIT = 64,     /* no signal has a larger number */
    WI__CELL_LIMIT = 1u << 28, /* 16 GiB: no cell has a larger number */
};

/** One moment in three clocks. */
typedef struct wi__anchor {
    uint64_t ticks;        /* of the clock that sections use */
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC_RAW */
    uint64_t realtime_ns;  /* since 1970, UTC */
} wi__anchor;

/** Which clock ticks. */
typedef enum wi__clock {
    WI__CLOCK_MONOTONIC,  /* CLOCK_MONOTONIC, in nanoseconds */
    WI__CLOCK_TSC,        /* x86-64 rdtsc */
    WI__CLOCK_TSC_FENCED, /* x86-64 lfence; rdtsc; lfence */
    WI__CLOCK_CNTVCT,     /* aarch64 cntvct_el0 */
    WI__CLOCKS
} wi__clock;

/** What a line of the tally counts. */
typedef enum wi__tally_kind {
    WI__NO_TALLY,
    WI__SUPPRESSED, /* what: "WI_OS_ERROR: newest message", where: "file:line in function" */
    WI__MISMATCHED, /* what: how a section's end did not match its begin, where: the section */
    WI__LEAKING, /* what: how fast something that can be counted grows, where: the path; count: calls so far */
    WI__GROWING,   /* the same of bytes, which is a suspicion */
    WI__WITHDRAWN, /* one of these that was not true */
    WI__TALLY_KINDS
} wi__tally_kind;

typedef struct wi__tally {
    uint32_t kind;
    uint32_t
        explanation; /* of a finding: cell of a wi__text, lines of what there is more of; or 0 */
    uint64_t count;
    char what[120];
    char where[120];
} wi__tally;

/** A process, told apart from another with the same number by its start, in clock ticks since boot. */
typedef struct wi__process {
    uint32_t pid; /* 0: none */
    uint32_t reserved;
    uint64_t start;
} wi__process;

/** A signal that asked the process to end, and came while it took signals (wi_interrupts); the newest. */
typedef struct wi__interruption_note {
    uint32_t signal;    /* its number; 0: none came. Written last */
    uint32_t sender;    /* the pid that sent it; 0: the kernel, a terminal */
    uint64_t came_ns;   /* since 1970, UTC */
    uint64_t raised_ns; /* the same of the safe point that first raised it; 0: none has */
    double grace_s;     /* from the signal to the kill that was expected; 0: not known */
    uint32_t count;     /* signals that came, those that were sent twice or more included */
    uint32_t reserved;
} wi__interruption_note;

/** What `within run --grace` did. Written by the runner. */
typedef struct wi__grace_note {
    uint32_t signal;    /* that was the first to end the program; 0: none */
    uint32_t killed;    /* 1: the time was over, and the runner killed it */
    uint64_t passed_ns; /* since 1970, UTC: when that signal came */
    double grace_s;
} wi__grace_note;

typedef struct wi__header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint32_t header_bytes, region_bytes, node_bytes, cell_bytes;
    char boot_id[40];
    char host[64];
    char command[1024];       /* arguments, separated by spaces; cut when longer */
    wi__process owner;        /* who measures; pid 0 while `within run` waits for it */
    wi__process runner;       /* the `within run` that started it, or pid 0 */
    uint32_t forked_from;     /* pid of the process whose fork the owner is, or 0 */
    uint32_t ended;           /* 1 once the owner reached its exit */
    uint32_t has_wait_status; /* 1 once the runner saw the end: wait_status is as in wait(2) */
    int32_t wait_status;
    uint32_t clock; /* wi__clock */
    uint32_t anchor_seq;
    uint64_t clock_step_ticks; /* measured at the begin: the smallest step, */
    double clock_read_ticks;   /* what reading it costs, */
    double section_ticks;      /* and what a section costs, both reads included */
    wi__anchor first;          /* when the record began */
    wi__anchor last;           /* renewed about every second; two anchors make ticks seconds */
    uint32_t used_cells;
    uint32_t first_region;
    uint32_t file_cells; /* if not 0, cells from this one on are missing: the file could not grow */
    uint32_t nodes;
    uint64_t folded;   /* calls that are in "(other)" for lack of nodes */
    uint64_t dropped;  /* calls that could not be recorded at all */
    uint64_t unlisted; /* things held that found no room in the ledger */
    uint64_t untallied;
    uint32_t journal_cell, journal_cells; /* for metric points and events; none in version 1 */
    wi__interruption_note interruption;
    wi__grace_note grace;
    wi__tally tallies[WI__TALLIES];
} wi__header;

/** Something held by a manager: a file, a lock, a transaction. */
typedef struct wi__hold {
    uint64_t serial; /* 0: the slot is free */
    uint64_t start;  /* ticks */
    char kind[16];
    char what[224];
} wi__hold;

/** What one thread writes. A thread that ends hands its region on to the next that starts. */
typedef struct wi__region {
    uint32_t current; /* node of the innermost open section; the root when none is open */
    uint32_t root;
    uint32_t other;        /* the node of what the node cap has no room for */
    uint32_t other_parent; /* where `other` is open */
    uint32_t next_region;
    uint32_t thread;  /* of its owner; 0 when it has none */
    uint32_t threads; /* how many have owned it so far */
    uint32_t gpu;     /* cell of its newest wi__gpu_counts, or 0 */
    uint32_t reserved[8];
    wi__hold holds[WI__HOLDS];
} wi__region;

/**
 * One path of nested sections, as one thread saw it. Times are in ticks.
 *
 * The open sections are the nodes from `current` to the root, each open once, but for those of spans. A node
 * of spans is open as often as `spans` and `away` say, wherever it is.
 */
typedef struct wi__node {
    uint32_t seq;
    uint32_t errors;     /* calls that ended by an error */
    uint64_t calls;      /* that have ended */
    uint64_t total;      /* of calls that have ended */
    uint64_t squares[2]; /* the sum of squares, 128 bits, low half first */
    uint64_t min, max;   /* min is UINT64_MAX without calls */
    uint64_t start;      /* of the call that is open, if one is; of the newest, if several are */
    uint64_t folded;     /* of `total`: spent in children that are in "(other)" */
    uint32_t parent, first_child, next_sibling;
    uint32_t name;       /* cell of a wi__text */
    uint32_t suppressed; /* errors that were suppressed in here */
    uint32_t pending;    /* the bucket of the last call, which the histogram lacks yet */
    uint32_t high;       /* cell of as many counters of 2^31 calls each, once one was full; or 0 */
    uint32_t spans;  /* 0: never a span's; else 1, and how many began less those that ended here */
    uint64_t starts; /* the sum of their starts, modulo 2^64 */
    uint64_t away_starts; /* the same of those counted by `away` */
    uint32_t away;  /* spans that other threads have ended, which write here and in away_starts */
    uint32_t apart; /* 1: the root of a tree apart; sections of the same name are another path */
    uint32_t
        histogram[WI__BUCKETS]; /* bucket 0 has one too many: the first call found `pending` 0 */
} wi__node;

/**
 * What a node's calls did on a GPU, for nodes that have used one. Any thread adds to it, a word at a time: times
 * become known after their calls.
 */
typedef struct wi__gpu_counts {
    uint32_t node;     /* whose */
    uint32_t next;     /* the region's one before it, or 0 */
    uint64_t calls;    /* that have ended */
    uint64_t timed;    /* of `calls`: their time on the GPU is known */
    uint64_t time_ns;  /* of these */
    uint64_t captured; /* of `calls`: not timed, for their stream was being captured into a graph */
    uint64_t tracked;  /* blocks in it of which is known what was in use; a call is one itself */
    int64_t delta;     /* bytes in use at their ends less those at their begins, together */
    uint64_t peak;     /* bytes: the most in use at any time of any of them; 0 if none is known */
} wi__gpu_counts;

/** A section's name, or lines that explain a finding. */
typedef struct wi__text {
    uint16_t length; /* bytes that follow, no '\0' among them */
    uint16_t cut;    /* 1 if the name was longer */
    uint32_t hash;   /* of a name */
    char bytes[];
} wi__text;

#define WI__CELLS(bytes) ((uint32_t)(((bytes) + WI__CELL_BYTES - 1) / WI__CELL_BYTES))
#define WI__HEADER_CELLS WI__CELLS(sizeof(wi__header))

_Static_assert(sizeof(wi__node) == (size_t)34 * WI__CELL_BYTES,
               "a node is 34 cells, the first its figures");
_Static_assert(sizeof(wi__gpu_counts) == WI__CELL_BYTES, "they are one cell");
_Static_assert(sizeof(wi__tally) == 256 && sizeof(wi__hold) == 256, "ledger entries are 256 bytes");

/**
 * The histogram bucket of a duration: one for each number below 16, then 8 equal steps in each octave
 * (log-linear, as in HdrHistogram, Tene 2012). No duration reaches the last 16 buckets.
 */
static inline uint32_t wi__bucket(uint64_t ticks) {
    uint32_t shift = (63u ^ (uint32_t)__builtin_clzll(ticks | WI__OCTAVE_BUCKETS)) - 3;
    return (uint32_t)(ticks >> shift) + WI__OCTAVE_BUCKETS * shift;
}

#endif
