/*
 * Stretches of C code that run an enter or an exit: an Interrupted waits until they are over.
 *
 * Python code in an enter or exit is known by its frames; this is for enters and exits that have none.
 *
 *     unsigned long around = within_unbroken_begin();
 *     …                                        run the rest of a generator, or the exits of a stack
 *     within_unbroken_end(around);
 */
#ifndef WITHIN_EXT_UNBROKEN_H
#define WITHIN_EXT_UNBROKEN_H

/* Stretches of a thread are numbered, so that one that began before a block is told from one in it. */
typedef struct within_unbroken {
    unsigned long running; /* the innermost; 0 if none runs */
    unsigned long last;    /* that has begun */
    int blocks;            /* of within.uninterrupted that are open */
} within_unbroken;

/** Of the calling thread; its owner is state/places.c. */
extern __thread within_unbroken within_unbroken_here __attribute__((tls_model("initial-exec")));

static inline unsigned long within_unbroken_begin(void) {
    unsigned long around = within_unbroken_here.running;
    within_unbroken_here.running = ++within_unbroken_here.last;
    return around;
}

static inline void within_unbroken_end(unsigned long around) {
    within_unbroken_here.running = around;
}

#endif
