/*
 * Spans for languages whose with-statements enclose code that is suspended and resumed, and which know
 * better than the thread what encloses what: the Python door.
 */
#ifndef WITHIN_RECORD_SPAN_H
#define WITHIN_RECORD_SPAN_H

#include <within/span.h>

WI__BEGIN_DECLS

/**
 * Begin a span that `around` encloses: below it, or below the innermost plain section that was opened inside.
 *
 * @param around  an open span, which is this thread's from now on if it was another's; NULL: no span encloses
 *                it, but plain sections may.
 * @param site    the name's identity, at an even address, good for the life of the process; NULL: the name
 *                itself is.
 */
WI_API void wi__span_begin_inside(wi_span *span, wi_span *around, const void *site,
                                  const char *name);
/** Begin a span for which there is no room: it is counted with the dropped calls, and by nothing else. */
WI_API void wi__span_begin_dropped(wi_span *span);
/** The code that follows on this thread is enclosed by `around`, in the same way. */
WI_API void wi__span_return_to(wi_span *around);

/**
 * Begin a span at the top, whatever the thread is in: the root of a tree apart, for what says that it is
 * inside. The thread stays where it is. Spans of one name share a tree, which no section of that name is in.
 * At the node cap there is none: the span's branch is NULL.
 */
WI_API void wi__span_root(wi_span *span, const char *name);
/**
 * Forget the calls of the trees apart of this name, in all threads. What is open in them counts from now on.
 *
 * Threads: a plain section that ends in one on another thread meanwhile may be counted half.
 */
WI_API void wi__span_forget(const char *name);

/** Ticks of the clock in use, and what they are worth by now: an estimate that gets better with time. */
WI_API uint64_t wi__span_ticks(void);
WI_API double wi__span_seconds(uint64_t ticks);

WI__END_DECLS

#endif
