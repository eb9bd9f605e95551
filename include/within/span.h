/*
 * Spans: sections whose begins and ends need not nest, for event loops, coroutines and requests that many
 * threads work on.
 *
 *     wi_span request;
 *     wi_span_begin(&request, NULL, "request");
 *     wi_span_suspend(&request);         it waits, and the thread does something else
 *     …
 *     wi_span_resume(&request);
 *     wi_span_end(&request, WI_END);
 *
 * They are counted in the same tree as sections, and a path of spans may be open many times at once. Like
 * a section a span never fails and never changes the program.
 */
#ifndef WITHIN_SPAN_H
#define WITHIN_SPAN_H

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/** An open span. The caller owns the memory, which must stay where it is until the end. */
typedef struct wi_span {
    void *branch;   /* NULL: not open, or not measured */
    void *around;   /* where the thread was, if that is not the branch's parent */
    uint64_t start; /* ticks; after the end, how many it took */
} wi_span;

/**
 * Begin a span. The code that follows on this thread is inside of it, until it is suspended or ends.
 *
 * @param[out] span    filled; what it held before is not looked at.
 * @param[in]  parent  an open span that this one is part of, of any thread; NULL: the innermost section
 *                     or span that the thread is in.
 * @param      name    as in wi_section.
 *
 * Cost: as a section's.
 */
#define wi_span_begin(span, parent, name)                                                          \
    wi__span_begin(span, parent, WI__IS_LITERAL(name) ? WI__SITE : NULL, name)

/**
 * End a span, at any time and on any thread. One that is not open is left alone.
 *
 * A call on another thread than the one that began it is counted in that thread's tree: reports merge them.
 *
 * @param reason  WI_RAISED counts an error.
 */
WI_API void wi_span_end(wi_span *span, wi_reason reason);

/** The code that follows on this thread is not inside of the span any more; its time goes on. */
WI_API void wi_span_suspend(wi_span *span);

/** The code that follows on this thread, which may be another one, is inside of the span again. */
WI_API void wi_span_resume(wi_span *span);

/* ---- behind the macros ---- */

WI_API void wi__span_begin(wi_span *span, const wi_span *parent, const wi_place *site,
                           const char *name);

WI__END_DECLS

#endif
