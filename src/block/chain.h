/*
 * The thread's chain of open blocks and handlers.
 *
 * Invariants: the chain runs from wi__self.top to the thread's base frame; frames live on the C stack of
 * the functions that opened them; a frame is taken off the chain before anything of it is run.
 */
#ifndef WITHIN_BLOCK_CHAIN_H
#define WITHIN_BLOCK_CHAIN_H

#include <within/block.h>

/* Managers without a protocol: their frames are no blocks. */
extern wi_manager wi__base_frame;       /* the end of the chain */
extern wi_manager wi__handler_frame;    /* an error lands here */
extern wi_manager wi__suppressor_frame; /* an error lands here if the block above it says so */
extern wi_manager wi__guard_frame;      /* holds an error on behalf of code that is being run */

/* A manager's first member; it may be declared as a pointer to a wi_suppressing_protocol. */
typedef const wi_protocol *wi__first_member __attribute__((may_alias));

/** The protocol of a frame that is on the chain, or of a copy of one; NULL if it is no block. */
static inline const wi_protocol *wi__protocol_of(const wi__frame *frame) {
    return *(const wi__first_member *)frame->manager;
}

/** Put a landing on the chain. `kind` is the address of one of the above; `error` is taken over. */
void wi__arm(wi__landing *landing, wi_manager *kind, wi_error *error);
/** Take it off, with what lies above it, and handle again what was handled before. Any number of times. */
void wi__disarm(wi__landing *landing);
/** Take it off, and give up the error that it holds. Any number of times. */
void wi__end_landing(wi__landing *landing);
/** Take the top frame off the chain, so that its own way out does nothing more. A copy of what it was. */
wi__frame wi__take_off(wi__frame *top);
/** Run the exit of a frame that was taken off, with WI_LEFT; nothing if it is no block. */
void wi__exit_left(const wi__frame *block);
/** A link to what is around a block, while the block's exit runs: see WI__IN_EXIT. */
static inline wi__frame *wi__marked(wi__frame *link) {
    uintptr_t marks = (uintptr_t)link, more = WI__IN_EXIT | (marks << 1 & WI__IN_OUTER_EXIT);
    void *marked = (char *)link + (more & ~marks);
    return (wi__frame *)marked;
}
static inline wi__frame *wi__unmarked(wi__frame *link) {
    void *unmarked = (char *)link - ((uintptr_t)link & WI__MARKS);
    return (wi__frame *)unmarked;
}
/** Is the place with this link to what is around it in an exit, or does an error pass there? */
int wi__is_in_exit(wi__frame *link);
/** Would an error land between it and the frame `outside`? */
int wi__lands_before(wi__frame *link, const wi__frame *outside);
/** Carry an error to the nearest handler. Takes the reference over. */
_Noreturn void wi__unwind(wi_error *error);

/**
 * Raise the WI_INTERRUPTED of a signal. Who does so has set the two functions below: the first is told when
 * such an error ends, the second when nobody handles it; it does not come back if the thread alone is to end.
 */
_Noreturn void wi__raise_signal(const wi_place *place, int signal, const char *format, ...)
    WI__PRINTF(3, 4);
extern void (*wi__on_interruption_over)(void);
extern void (*wi__on_uncaught_interruption)(wi_error *error);

/** Has the thread come to an exit() that releases its blocks? */
extern int wi__releasing_at_exit;

/** Told of every error that is suppressed; set by the record. */
extern void (*wi__on_suppressed)(const wi_error *error);
void wi__suppressed(const wi_error *error);

#endif
