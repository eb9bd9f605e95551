/*
 * Interrupts: in the block a signal that asks the program to end becomes an error, WI_INTERRUPTED, at the
 * next safe point. So blocks are released, checkpoints are saved, and the process ends by that very signal.
 *
 *     within (wi_interrupts(.grace_s = 30)) {
 *         for (int step = 0; step < steps; step++) { advance(field); wi_poll(); }
 *     }
 *
 * Safe points are wi_poll(), and the begin and the end of every section, of the thread that has opened the
 * block. No exit of a block is one, whatever it calls: no exit is cut in half.
 */
#ifndef WITHIN_INTERRUPTS_H
#define WITHIN_INTERRUPTS_H

#include <stdint.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

enum { WI_SIGNALS_MAX = 8 };

typedef struct wi_interrupts_options {
    double grace_s;              /* from the signal to the kill that follows it; 0: none is known */
    int signals[WI_SIGNALS_MAX]; /* a 0 ends them; none: SIGTERM, SIGINT, SIGUSR1 */
    int foreign;                 /* of a language with frames of its own: wi__interrupts_seen */
} wi_interrupts_options;

typedef struct wi_interrupts {
    const wi_protocol *protocol;
    wi_interrupts_options options;
    const wi_place *place;      /* where it stands */
    int is_open;                /* in this process */
    int claimed;                /* foreign: signals seen that are not over */
    uint32_t seen;              /* the serial of the last signal that need not be raised here */
    uint64_t taken;             /* a bit a signal, from 1 on */
    void *thread;               /* who opened it */
    void *outside;              /* the chain of blocks around it */
    struct wi_interrupts *next; /* of all that are open, newest first */
    wi_holding holding;
} wi_interrupts;

/**
 * Take signals for the block: wi_interrupts(), wi_interrupts(.grace_s = 30, .signals = {SIGTERM, SIGHUP}).
 *
 * Without names SIGTERM, SIGINT and SIGUSR1 are taken, but those that are ignored stay so (nohup); a signal
 * that is named is taken in any case. A signal is raised once in each thread that has such a block open, in
 * the innermost. Nobody has to catch it: uncaught it ends the process by the signal, after all blocks of the
 * thread are released; in a thread that is not the main one, while another thread has a block open that
 * takes the signal, it ends that thread alone.
 *
 * From a signal to the end of its errors another one acts at once, as if there were no block; but the same
 * signal within 100 ms is the same one, sent twice (to the process and to its group). What handled the
 * signal before is called too, and put back at the block's end, or when the error has ended. No signal is
 * blocked. System calls go on after the handler (SA_RESTART), unless the handler before wanted them
 * interrupted. In a forked child the old handlers are back.
 *
 * The block's own end is a safe point. Left early (return, goto) with a signal that nobody has seen, the old
 * handlers get it.
 *
 * @raise WI_VALUE_ERROR on enter for signals that cannot be taken (SIGKILL, SIGSTOP), are faults (SIGSEGV,
 *        SIGABRT, …) or do not end a process (SIGCHLD, …), and for a grace_s that is negative or not finite;
 *        WI_USAGE_ERROR if it is open already. No handler is changed then.
 *
 * Threads: the handler runs on any; it only sets a flag. Cost: a few microseconds a block.
 */
#define wi_interrupts(...)                                                                         \
    wi__interrupts(WI__HERE, WI__FIELDS_MAY_BE_MISSING(wi_interrupts_options, {__VA_ARGS__}))

/**
 * A safe point: raises WI_INTERRUPTED if a signal has come that this thread's wi_interrupts take and that was
 * not raised in it yet. Nothing is raised in an exit of a block, while an error passes, in wi_uninterrupted,
 * and in a thread without such a block. Cost: a load and a branch.
 */
#define wi_poll() wi__poll(WI__HERE)

/**
 * A manager in whose block safe points of this thread raise nothing: within (wi_uninterrupted()) { … } What
 * came meanwhile is raised at the next one behind it. For steps that must not be cut apart, and around calls
 * that no error may leave: a parallel region of OpenMP, C++ frames with destructors, callbacks of libraries.
 */
#define wi_uninterrupted() wi__uninterrupted()

/**
 * The signal that this thread is to end by, or 0: from its coming while a wi_interrupts of the thread is open
 * until its errors have ended. For loops that leave by themselves, and for code that nothing may be raised in.
 */
WI_API int wi_interrupted(void);

/**
 * Seconds left of the grace_s of the thread's wi_interrupts since the signal came; 0 when it is over, INFINITY
 * without a signal or without a grace_s. To be asked while an exit saves what it can.
 */
WI_API double wi_grace_left(void);

/* ---- behind the macros ---- */

/* A signal that comes again within this time was sent twice: to the process, and to its group. */
enum { WI__SAME_SIGNAL_US = 100000 };

/* Not 0: a signal has come that a block has not seen. */
extern WI_API int wi__interrupt_is_due;

WI_API wi_interrupts wi__interrupts(const wi_place *place, wi_interrupts_options options);
WI_API void wi__safe_point(const wi_place *place);

WI__INLINE int wi__safe_point_is_due(void) {
    return WI__UNLIKELY(__atomic_load_n(&wi__interrupt_is_due, __ATOMIC_RELAXED));
}
WI__INLINE void wi__poll(const wi_place *place) {
    if (wi__safe_point_is_due()) wi__safe_point(place);
}

typedef struct wi__uninterruptible {
    const wi_protocol *protocol;
} wi__uninterruptible;
extern WI_API const wi_protocol wi__uninterrupted_protocol;
WI__INLINE wi__uninterruptible wi__uninterrupted(void) {
    wi__uninterruptible manager = {&wi__uninterrupted_protocol};
    return manager;
}

/*
 * For languages whose frames no error of C may cross. Their block has .foreign = 1 and is entered within a
 * wi_call. Safe points raise for it only where a wi_try or wi_call was opened since; else the language asks,
 * raises by its own means and says so. A signal that was seen so is over at the block's exit, or before.
 */
typedef struct wi__interruption {
    int signal;
    int sender;    /* its pid, or 0 */
    double age_s;  /* since it came */
    double left_s; /* of the block's grace_s: 0 when over, INFINITY if there is none */
} wi__interruption;

/* The signal that came and was not seen here yet, or 0. @param[out] what  filled if there is one; may be NULL. */
WI_API int wi__interrupts_pending(const wi_interrupts *block, wi__interruption *what);
/* It was raised. On the block's thread; does nothing if there is none. */
WI_API void wi__interrupts_seen(wi_interrupts *block);
/* What was raised has been handled: from now on another signal is the first. Any number of times. */
WI_API void wi__interrupts_over(wi_interrupts *block);
/* A signal that is queued with this as its value is none: it ends a system call, and the handler before is called. */
extern WI_API char wi__no_signal;

WI__END_DECLS

#endif
