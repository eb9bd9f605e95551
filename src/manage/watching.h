/*
 * The leak watch inside: who watches, what is kept of each path, and how a verdict gets out.
 */
#ifndef WITHIN_MANAGE_WATCHING_H
#define WITHIN_MANAGE_WATCHING_H

#include <within/watch.h>

#include "manage/counters.h"
#include "manage/leak_judge.h"
#include "record/watched.h"

enum { WI__WATCHED_PATHS = 64, WI__REMEMBERED_LOOKS = 4 };

/** A level after garbage was collected; of no call if it was not yet. */
typedef struct wi__settled {
    uint64_t call;
    int64_t level;
} wi__settled;

/** An explanation that is asked for: an inventory, and what it is of. */
typedef struct wi__explaining wi__explaining;

/** What the newest looks cost, in ticks. */
typedef struct wi__look_costs {
    uint64_t newest[WI__REMEMBERED_LOOKS];
    uint32_t count;
} wi__look_costs;

/** What is kept of a watched path. */
typedef struct wi__watch_path {
    wi__watched watched; /* first */
    pid_t pid;           /* whose calls the figures are of */
    uint64_t session;    /* of which watch: wi__watch_session */
    int is_named;        /* asked for by name; else judged while it is the outermost loop */
    wi__levels before;
    wi__which which;      /* counters this look is at */
    uint64_t cost;        /* ticks of reading the levels before the call, but for the dear ones */
    wi__look_costs costs; /* of whole looks, but for the dear ones; */
    wi__look_costs dear_costs; /* of these */
    uint64_t dear_due;         /* ticks: when the dear ones are looked at again */
    wi__leak_series series[WI__COUNTERS];
    wi__settled settled[WI__COUNTERS];
    wi__tally *lines[WI__COUNTERS]; /* in the record */
    char names[WI__COUNTERS][256];  /* under which it was told */
    wi__explaining *explaining[WI__COUNTERS];
} wi__watch_path;

/** Looks at calls: what the record calls. */
extern const wi__watcher wi__leak_watcher;

/** "epoch > load". */
void wi__branch_path(const wi__branch *branch, char *text, size_t size);
/** Is a path asked for by a list of names or ends of paths? */
int wi__is_named(const char *path, const char *sections);

/** Does an open watch ask for the path by its name? And does one watch outermost loops? */
int wi__watch_asks_for(const char *path);
int wi__watch_asks_for_loops(void);

/** Counts the times that watching began with no watch open: what was seen before does not count any more. */
uint64_t wi__watch_session(void);

/** One of a path's counters grows, or is found to do so still: tell it, write it down. */
void wi__watch_tell(wi__watch_path *path, int counter, wi__leak_news news,
                    const wi__leak_growth *growth);
/** The same of one that does not grow any more. */
void wi__watch_withdraw(wi__watch_path *path, int counter);
/** Hand a leak to the open watches that it concerns: new, with newer figures, or withdrawn. @return 1 if one of them
 *  would have it explained, and has not had it yet. */
int wi__watch_hand_out(const wi_leak *leak, const char *judged_path, int is_loop);
/** Hand out what explains a leak: `lines`, below a heading. */
void wi__watch_hand_explanation(const char *section, const char *what, const char *judged_path,
                                int is_loop, const char *heading, const char *lines);

/**
 * Have the growth of a counter explained, at the next calls of the path that it happens in.
 *
 * @param told  the path that was judged; of the same thread.
 */
void wi__explain(wi__watch_path *culprit, const wi__watch_path *told, int counter, double per_call);
/** A call that is looked at begins; it has ended. Where nothing is asked for they do nothing; else milliseconds. */
void wi__explain_begin(wi__watch_path *path);
void wi__explain_end(wi__watch_path *path, const wi__levels *levels);
/** Forget what was asked for. */
void wi__explain_no_more(wi__watch_path *path);

#endif
