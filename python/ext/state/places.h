/*
 * Where the main thread stands: in an exit, an enter, a finalizer, or where an exception may be raised.
 *
 * Told from the frames of its Python code: by names of functions, and by the instruction that each frame is at, which
 * finds the exits of managers in C and those that have another name.
 */
#ifndef WITHIN_EXT_STATE_PLACES_H
#define WITHIN_EXT_STATE_PLACES_H

#include "module.h"

typedef enum within_place {
    WITHIN_FREE,     /* an exception may be raised */
    WITHIN_HELD,     /* not here: an exit, an enter or a finalizer would be cut */
    WITHIN_AT_EXIT,  /* a with statement calls an exit in C, or has just done so */
    WITHIN_AT_ENTER, /* the same of an enter: what it has acquired would never be released */
} within_place;

/** What surrounds a block: exits and the like that were running when it began. */
typedef struct within_surroundings {
    PyObject *frames; /* a list of (frame, instruction), or NULL: of Python */
    unsigned long unbroken;
} within_surroundings;

/**
 * Note what surrounds a block that is being entered by the running function, its __enter__.
 *
 * @return 0, or -1 with an error set. `frames` is the caller's to release.
 */
int within_note_surroundings(within_surroundings *surroundings);

/**
 * The place of the main thread, inside a block with these surroundings.
 *
 * @param frame            the innermost.
 * @param[out] instruction where that is; with the frame it tells one place from another.
 */
within_place within_place_of(PyObject *frame, const within_surroundings *surroundings,
                             Py_ssize_t *instruction);

/** May the running function, an exit of ours, raise an exception? Not if the code that it is called by is held. */
int within_exit_may_raise(const within_surroundings *surroundings);

#endif
