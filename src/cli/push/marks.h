/*
 * What is known of a run on a server, in the database: the tables `pushed` and `pushed_series`.
 *
 * Before a request that must not be sent twice what it holds is marked as tried, and when it was answered as sent;
 * each mark is on the disk before the next step. So whoever goes on after a kill knows what the server may have, and
 * asks it. One process at a time pushes a run to a server: it is named in the mark, with the time.
 */
#ifndef WITHIN_CLI_PUSH_MARKS_H
#define WITHIN_CLI_PUSH_MARKS_H

#include <stdint.h>

#include <within/sqlite.h>

enum { WI__REMOTE_ID = 257 };

/** Points of a series, by their positions. */
typedef struct wi__marked_range {
    int64_t series;
    int64_t from;
    int64_t count;
} wi__marked_range;

typedef struct wi__marks {
    const wi_protocol *protocol;
    wi_database *db;
    int64_t run;
    const char *server;
    char remote[WI__REMOTE_ID]; /* the run's id there; "" if it has none yet */
    int is_creating;            /* it may have one: the request was sent */
    int64_t written_ms;         /* when the mark was made new last */
} wi__marks;

/**
 * A manager: the run is this process's to push in its block.
 *
 * @raise on enter  WI_BUSY_ERROR if another process pushes it there, or one of another host has done so in the last
 *        minutes.
 */
wi__marks wi__marks_of(wi_database *db, int64_t run, const char *server);

/** Forget what was sent there. Not in its block. */
void wi__marks_forget(wi_database *db, int64_t run, const char *server);

/** A run is about to be made there. */
void wi__marks_creating(wi__marks *marks);
/** It has this id. */
void wi__marks_created(wi__marks *marks, const char *remote);

/** Points are about to be sent. */
void wi__marks_trying(wi__marks *marks, const wi__marked_range *ranges, int count);
/** All that was tried has arrived. */
void wi__marks_arrived(wi__marks *marks);
/** What was tried and is not known to have arrived. @return how many ranges there are, at most `most`. */
int wi__marks_tried(wi__marks *marks, wi__marked_range *ranges, int most);
/** This process is alive. To be called at least once a minute; it does nothing if it was called a moment ago. */
void wi__marks_alive(wi__marks *marks);

#endif
