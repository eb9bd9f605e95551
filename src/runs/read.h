/*
 * Reading a database of runs: lists of runs, the run that a word means, and all that is known of one.
 *
 * Rows are handed to a function one after the other; what they point to is gone when it returns. All raise what
 * SQLite says (within/sqlite.h). A list of 10,000 runs takes some 20 ms.
 */
#ifndef WITHIN_RUNS_READ_H
#define WITHIN_RUNS_READ_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <within/run.h>

/** What every run has. Texts of the database may hold any bytes. */
typedef struct wi__run_row {
    int64_t id; /* its row */
    const char *uuid;
    const char *name;
    const char *status;
    int64_t started_ms; /* since 1970 */
    double duration_s;  /* up to now while it is RUNNING; NaN if it is not known */
} wi__run_row;

/* ---- lists ---- */

typedef enum wi__run_order {
    WI__BY_START,    /* the newest first */
    WI__BY_DURATION, /* the longest first */
    WI__BY_RUN_NAME,
    WI__BY_STATUS,
    WI__BY_ID,
    WI__BY_COLUMN /* the largest first; texts after the numbers; runs that have none last */
} wi__run_order;

/** "loss" "<" "0.1": of a parameter, a metric's last value or a tag. A text is compared as a text. */
typedef struct wi__run_condition {
    const char *name;      /* as a column's */
    const char *operation; /* < <= = != >= > */
    const char *value;
} wi__run_condition;

enum { WI__RUN_COLUMNS = 64 }; /* at most */

/** All zero: all runs, the newest first. */
typedef struct wi__runs_query {
    const char *name; /* as a shell's pattern; NULL: any */
    size_t status_count, tag_count, condition_count, column_count;
    const char *const *statuses; /* one of these, whatever the letters' case */
    const char *const *tags;     /* "key" or "key=value", each of them */
    const wi__run_condition *conditions;
    const char *const *
        columns; /* names: "param:NAME", "metric:NAME", "tag:NAME", or "NAME" for the first of these */
    wi__run_order order;
    const char *order_column;
    int reverse;
    int64_t limit; /* 0: none */
} wi__runs_query;

/** @param columns  as many as asked for: SQLITE_NULL if the run has none. */
typedef void wi__take_run(void *arg, const wi__run_row *run, sqlite3_value *const *columns);
void wi__runs_list(sqlite3 *db, const wi__runs_query *query, wi__take_run *take, void *arg);

/* ---- one run ---- */

/**
 * The runs that a word means: "last" the newest; else those whose id begins with it, at least 4 digits, and the
 * newest of that name.
 *
 * @param[out] ids  the rows of the first `most`, the newest first.
 * @return how many there are.
 */
size_t wi__runs_meant(sqlite3 *db, const char *word, int64_t *ids, size_t most);
/** The row of a run. @return 0 if it is gone. */
int wi__run_each_row(sqlite3 *db, int64_t run, wi__take_run *take, void *arg);

/** What else there is of a run, and the columns of its rows. */
typedef enum wi__run_part {
    WI__RUN_FACTS, /* parent's uuid, parent's name, started_ms, ended_ms, host, pid, user, command, directory,
                      exit_status, signal, error, doing, peak_memory */
    WI__RUN_PARAMS,      /* key, value */
    WI__RUN_TAGS,        /* key, value */
    WI__RUN_ENVIRONMENT, /* key, value */
    WI__RUN_METRICS,     /* name, count, last_step, last, least, most, last_ms */
    WI__RUN_SECTIONS, /* path, calls, total, self, mean, std, min, p50, p99, max, errors; in seconds */
    WI__RUN_FINDINGS,  /* kind, section, what */
    WI__RUN_ARTIFACTS, /* name, bytes, crc32c */
    WI__RUN_CHILDREN,  /* uuid, name, status */
    WI__RUN_PARTS
} wi__run_part;

typedef void wi__take_row(void *arg, sqlite3_stmt *row);
/** In the order of the first column; metrics as they were first logged. */
void wi__run_each(sqlite3 *db, int64_t run, wi__run_part part, wi__take_row *take, void *arg);

/** A column's text; never NULL. */
const char *wi__column_text(sqlite3_stmt *row, int column);
/** A column's number; NaN for NULL: that is how SQLite keeps a NaN. */
double wi__column_number(sqlite3_stmt *row, int column);

#endif
