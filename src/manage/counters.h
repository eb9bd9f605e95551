/*
 * The table of what can leak: named counters of this process that cost a microsecond to read, or are read seldom.
 *
 * Those of the system are there from the start; who knows of others adds them: the Python door its blocks. A counter
 * that cannot be read at a moment is absent then, and never wrong.
 */
#ifndef WITHIN_MANAGE_COUNTERS_H
#define WITHIN_MANAGE_COUNTERS_H

#include <stdint.h>

#include <within/macros.h>

WI__BEGIN_DECLS

enum { WI__COUNTERS = 8 }; /* what the table has room for */

#define WI__ABSENT INT64_MIN

typedef enum wi__growth {
    WI__IS_LEAK, /* things that can be counted, which a loop gives back: more and more of them is a leak */
    WI__IS_SUSPICION, /* memory, which may well be a cache that fills */
} wi__growth;

typedef struct wi__counter {
    const char *one,
        *many; /* "descriptor", "descriptors"; of a counter of bytes both are "resident memory" */
    int is_bytes;
    wi__growth growth;
    int is_dear; /* takes long to read: is read apart from the others, as seldom as that asks for */
    int64_t least; /* growth below this in a judged stretch is not worth a word */
    int64_t (*read)(
        void); /* now; WI__ABSENT if it cannot be told. Called with a lock held: it is quick, and opens
                                no section */
    void (*prepare)(
        void); /* what read needs of code that must not run with the lock held; of dear ones only. NULL: nothing */
    int64_t (*limit)(
        void); /* where the growth ends; WI__ABSENT if there is no limit known. NULL: there is none */
} wi__counter;

/** Memory of GPUs, as the CUDA driver knows it: for who knows better, and has its place in the table. */
extern WI_API const wi__counter wi__gpu_counter;

/** What the counters of the table said at one moment, in its order. */
typedef struct wi__levels {
    int64_t of[WI__COUNTERS];
    uint64_t dear_ticks; /* of the record's clock, that the dear ones took */
} wi__levels;

typedef enum wi__which { WI__CHEAP_COUNTERS, WI__ALL_COUNTERS } wi__which;

/**
 * Add a counter, for the process's life; one of this name is replaced.
 *
 * @param counter  borrowed for ever.
 * @return its index, or -1 if the table is full.
 */
WI_API int wi__counter_add(const wi__counter *counter);
/** The counter at an index; NULL behind the last. */
WI_API const wi__counter *wi__counter_at(int index);
/** Read all, or all but the dear ones, which are absent then. Threads: any. Cost: 3 to 5 us, and the dear ones'. */
WI_API wi__levels wi__counters_read(wi__which which);

/**
 * Have memory that only waits to be given back be given back, before its growth is told: Python's garbage.
 *
 * @param settle  called by the thread that found growth, without the lock; it may run any code, sections too. Returns
 *                0 if it cannot at this moment.
 */
WI_API void wi__counters_settle_by(int (*settle)(void));
/** Do it. @return 0 if there is nobody who can. */
int wi__counters_settle(void);

/** One lock for all that counts: held by wi__counters_read, whole again in a forked child. */
void wi__counters_lock(void);
void wi__counters_unlock(void);

WI__END_DECLS

#endif
