/*
 * The file of a journal's points: a head, then segments of 32,768 points each, in the machine's byte order.
 *
 *     head       64 KiB: a mark, the byte order, and for each place of a segment which one lies there
 *     segments   1 MiB each. Segment N has the tickets from N * 32768 on; it lies wherever there was a free place
 *
 * A place is used again when its points are drained. A point's check tells it from what lay there before.
 */
#ifndef WITHIN_RUNS_POINTS_FILE_H
#define WITHIN_RUNS_POINTS_FILE_H

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "runs/journal.h"

#define WI__POINTS_MARK "within points 1"
#define WI__POINTS_ORDER UINT64_C(0x0102030405060708)

enum {
    WI__SEGMENT_POINTS = 1 << 15,
    WI__SEGMENT_BYTES = 1 << 20,
    WI__MOST_SEGMENTS = 1024,
    WI__POINTS_HEAD = 1 << 16 /* pages are at most so large */
};

/* A point as it lies in the file. */
typedef struct wi__stored_point {
    uint32_t series, check;
    int64_t step;
    uint64_t value; /* the double's bits */
    int64_t ms;
} wi__stored_point;

_Static_assert(sizeof(wi__stored_point) * WI__SEGMENT_POINTS == WI__SEGMENT_BYTES,
               "a segment is full of points");

/* Of a point that could not be written, and whose ticket nobody else has: it is passed over. */
#define WI__NO_SERIES UINT32_MAX

typedef struct wi__points_head {
    char mark[16];
    uint64_t order;
    uint64_t unused[5];
    uint64_t holds[WI__MOST_SEGMENTS]; /* a segment's number + 1; 0: none yet */
} wi__points_head;

/* A file that was opened to read: which segments are in it, by their number. */
typedef struct wi__placed_segment {
    uint64_t number;
    int place;
} wi__placed_segment;

struct wi__points {
    /* What each append changes, and what it reads, on lines of their own. */
    _Alignas(64) uint64_t next; /* ticket */
    char rest_of_line[56];
    uint64_t limit;   /* tickets below it have room */
    uint64_t wake_at; /* the ticket at which who waits is woken */
    int is_plain;     /* written by calls: the file system cannot be trusted with maps */
    wi__stored_point *segments[WI__MOST_SEGMENTS]; /* by number, modulo how many may be */

    pthread_mutex_t lock;
    pthread_cond_t woken, drained_some;
    int file;
    int is_awake;      /* somebody has called wi__points_wake */
    int said_it_waits; /* once */
    uint64_t drained;  /* ticket */
    uint64_t ahead;    /* tickets that shall have room before they are asked for */
    int most_places;
    int places;                                 /* in the file */
    wi__points_head *head;                      /* the file's, or a copy of it if it is plain */
    wi__stored_point *place[WI__MOST_SEGMENTS]; /* mapped, or in memory if it is plain */
    int place_of[WI__MOST_SEGMENTS];            /* by number, modulo how many may be */
    int free[WI__MOST_SEGMENTS];                /* places, the one longest free first */
    int first_free, free_count;

    /* Of a file that was opened to read; `head` is NULL. */
    wi__placed_segment placed[WI__MOST_SEGMENTS];
    int placed_count;
    int loaded; /* index in `placed`, or -1 */
    wi__stored_point *buffer;
};

/** One that has no file yet. NULL: errno says why. */
wi__points *wi__points_new(uint64_t ticket);

static inline uint64_t wi__points_mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/*
 * The hash of the fields plus the ticket: so what lay in a place before, with another ticket, never passes. Nor do 32
 * zero bytes. Two chains, so that a processor works on both at a time. Method: multiplicative hashing, Knuth, The Art
 * of Computer Programming, vol. 3, 6.4, with the high bits folded back at each step.
 */
static inline uint32_t wi__point_check(const wi__stored_point *point, uint64_t ticket) {
    uint64_t a = wi__points_mix(wi__points_mix(1, (uint64_t)point->step), point->value);
    uint64_t b = wi__points_mix(wi__points_mix(2, point->series), (uint64_t)point->ms);
    uint32_t check = (uint32_t)wi__points_mix(a, b << 32 | b >> 32) + (uint32_t)ticket;
    return check ? check : 1;
}

#endif
