/* A run as it is in the database: its row, what is told of it as tags, and its series. */
#ifndef WITHIN_CLI_PUSH_STORED_H
#define WITHIN_CLI_PUSH_STORED_H

#include <stdint.h>

#include <jansson.h>
#include <within/sqlite.h>

#include "cli/push/names.h"

enum { WI__STORED_STATUS = 16 };

typedef struct wi__stored_run {
    int64_t id;
    char uuid[33];
    char status[WI__STORED_STATUS];
    int64_t started_ms, ended_ms; /* 0: not ended */
    char *name;                   /* owned */
} wi__stored_run;

/**
 * Fill in what the row says; a second time it is brought up to date.
 * @raise WI_LOOKUP_ERROR if there is no such run (any more).
 */
void wi__stored_read(wi_database *db, int64_t id, wi__stored_run *run);
void wi__stored_release(wi__stored_run *run);

/** MLflow's word for a status: INTERRUPTED is KILLED there. */
const char *wi__stored_remote_status(const wi__stored_run *run);

/**
 * Texts of a run as {"key": "value", …}, with the names and values that MLflow takes. The caller's.
 *
 * @param server   of tags: the parent's run there is told.
 * @param changed  the names of those that had to be changed, as they are in the database, are set in this object.
 */
json_t *wi__stored_params(wi_database *db, int64_t run, json_t *changed);
json_t *wi__stored_tags(wi_database *db, int64_t run, const char *server, json_t *changed);

/** A series that has more points than were sent. */
typedef struct wi__stored_series {
    int64_t id, number;
    int64_t sent, count;
    char name[WI__REMOTE_NAME_BYTES]; /* on the server */
    int is_renamed;
} wi__stored_series;

/**
 * Series of a run, from a number on, that have points beyond those of `pushed_series`, in the order of their numbers.
 *
 * @param[out] series  array of shape (most,).
 * @return how many there are.
 */
int wi__stored_series_from(wi_database *db, int64_t run, const char *server, int64_t number,
                           wi__stored_series *series, int most);

/** A series' own name, in UTF-8. The caller's, to free. */
char *wi__stored_series_name(wi_database *db, int64_t series);

/** How many points a run has, and how many of them the server has. */
void wi__stored_progress(wi_database *db, int64_t run, const char *server, int64_t *count,
                         int64_t *sent);

#endif
