/*
 * Which open section encloses the code that runs.
 *
 * A section's parent is the innermost open section whose block encloses the running code: one that belongs
 * to a suspended generator or task does not; the generator's own does, once it is resumed.
 *
 * Each open section remembers the frame that entered it. Sections of ordinary frames are a list for each
 * thread, newest first. Those of frames that can wait, of generators and coroutines, are found by their
 * frame, on whatever thread it is resumed. All of this is guarded by the GIL.
 *
 * Code that enters for others is looked through: of contextlib, and generators that are entered as managers.
 */
#ifndef WITHIN_EXT_ENCLOSING_H
#define WITHIN_EXT_ENCLOSING_H

#include "record/span.h"
#include "sections/frames.h"

/** An open section's place, a part of its object. */
typedef struct within_place within_place;
struct within_place {
    wi_span span;
    struct within_enclosure *enclosure; /* NULL: not open */
    within_frame *frame;                /* that entered it; not looked into, for it may be gone */
    within_place *older, *newer; /* of its thread's list; of one by frame: the next with its hash */
    int by_frame;
};

/** Sections that enclose each other: the process's, or those of one profiler. */
typedef struct within_family {
    const char
        *root_name;  /* NULL: the process's. Else of the tree apart that they are counted in */
    size_t by_frame; /* how many open sections are found by their frame */
    struct within_enclosure *last; /* used last */
    struct within_enclosure *all;
} within_family;

/** A family's open sections in one thread. */
typedef struct within_enclosure {
    within_family *family; /* NULL once that is gone */
    struct within_thread *thread;
    within_place *newest; /* of ordinary frames */
    wi_span root;         /* of the tree apart */
    size_t open;
    struct within_enclosure *next, *next_in_thread;
} within_enclosure;

extern within_family within_process;

/**
 * Open a section below the one that encloses it.
 *
 * @param site, text  as in wi__span_begin_inside.
 * @return 0, or -1 with a MemoryError set.
 */
int within_place_open(within_place *place, within_family *family, const void *site,
                      const char *text);
/** Close it, on any thread. */
void within_place_close(within_place *place, wi_reason reason);

/**
 * Why a block ends, told by the type that its __exit__ got. A generator that is closed in the middle ends by
 * GeneratorExit, which is no error.
 */
static inline wi_reason within_reason_of(PyObject *type) {
    if (type == Py_None) return WI_END;
    return type == PyExc_GeneratorExit ? WI_LEFT : WI_RAISED;
}

/** End a family: nothing of it is open. */
void within_family_end(within_family *family);

#endif
