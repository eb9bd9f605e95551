/*
 * The frames of the Python code that runs: which one, what is around it, and whether it can be suspended.
 *
 * A frame is known by its address, which stays while its code runs or is suspended, and by nothing else:
 * no reference is held.
 */
#ifndef WITHIN_EXT_FRAMES_H
#define WITHIN_EXT_FRAMES_H

#include "module.h"

typedef struct within_frame within_frame;

/** The innermost frame of the calling thread, and what is asked of it at every section. */
typedef struct within_running {
    within_frame *frame; /* NULL if no Python code runs */
    PyObject *globals;   /* of its code, borrowed */
    int can_wait;        /* within_frame_can_wait */
} within_running;
within_running within_frame_running(void);

/** The frame around it: its caller, or who resumed it. */
within_frame *within_frame_outer(within_frame *frame);
/** Is it of a generator, coroutine or asynchronous generator? */
int within_frame_can_wait(const within_frame *frame);
/** That object, borrowed. */
PyObject *within_frame_generator(const within_frame *frame);
/** The globals of its code, borrowed. */
PyObject *within_frame_globals(const within_frame *frame);
/** The name of its function, borrowed. */
PyObject *within_frame_name(const within_frame *frame);

#endif
