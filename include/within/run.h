/*
 * Runs: an experiment's whole life in one SQLite file. Its parameters, metrics, sections and artifacts, and how
 * it ended; what was logged before a kill -9 is there too.
 *
 *     within (run, wi_run("lorenz", .database = "runs.db")) {
 *         wi_run_param(run, "sigma", "%g", 10.0);
 *         for (int64_t step = 0; step < steps; step++) wi_run_metric(run, "energy", step, advance(&state));
 *     }
 *
 * Of the library within-runs, and not part of within.h: pkg-config --cflags --libs within-runs. The schema of
 * the database is docs/formats/runs.md; `within runs` and `within show` print it.
 *
 * What is logged is in the run's journal, a file in shared memory pages, when a call returns; a thread of this
 * library brings it into the database some tenths of a second later. So no call of this header but a block's
 * begin and end waits for the disk or for other programs that hold the database.
 *
 * Threads: all may log into one run at once. Processes: a run is of the process that began it; in a forked
 * child its calls raise WI_USAGE_ERROR, and its end leaves the run alone. The child may begin runs of its own.
 */
#ifndef WITHIN_RUN_H
#define WITHIN_RUN_H

#include <stdint.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

enum { WI_RUN_ID_LENGTH = 32 };

typedef struct wi_run_options {
    const char *database;  /* NULL: the environment's WITHIN_DATABASE, else "runs.db" */
    const char *resume;    /* the id of a run that goes on, or its first digits; NULL: a new run */
    double busy_timeout_s; /* how long to wait for others' locks at begin and end; 0: 120 */
} wi_run_options;

typedef struct wi_run {
    const wi_protocol *protocol;
    const char *name;
    wi_run_options options;
    char id[WI_RUN_ID_LENGTH + 1]; /* hexadecimal digits, from the begin on */
    struct wi__open_run *open;     /* NULL outside of the block */
    const char *parent;            /* NULL but for wi__run_child_of */
} wi_run;

/** A metric's points: one name of one run. Lives as long as the run's block. */
typedef struct wi_series wi_series;

/**
 * A run: wi_run("lorenz"), wi_run("lorenz", .database = "runs.db"), wi_run("lorenz", .resume = "3f2a").
 *
 * Enter writes its row: host, command, directory, git commit, processor. Inside of another run's block of this
 * thread it is that one's child; in a program that `within run --name` or another run has started, that one's.
 * Runs of dead processes that the database calls RUNNING are put right on the way.
 * Exit brings in all that was logged, and how the block ended:
 *
 *     the body's end               FINISHED
 *     an error                     FAILED, with its message and trail
 *     WI_INTERRUPTED               INTERRUPTED, with the signal
 *     return, goto, exit(), …      FAILED, "left before its end": call wi_run_finish before a return
 *     the process is killed        KILLED: whoever looks next finds that out
 *
 * A database that stays locked for longer than the timeout at the end loses nothing: the journal stays beside it,
 * that is said once on stderr, and whoever looks next brings it in.
 *
 * @param name  text; borrowed until the block ends. Any characters; not empty.
 * @raise on enter  WI_DATA_ERROR if the file is no database of runs, or of a newer version; WI_DATABASE_BUSY,
 *        WI_DISK_FULL, WI_PERMISSION_ERROR, … if the row cannot be written; WI_VALUE_ERROR if `resume` is no run,
 *        of several, or of one that is running.
 * Cost: some milliseconds at either end.
 */
#define wi_run(...) WI__RUN(__VA_ARGS__, )
#define WI__RUN(name, ...) wi__run(name, WI__FIELDS_MAY_BE_MISSING(wi_run_options, {__VA_ARGS__}))

/**
 * A parameter: what does not change in a run.
 *
 * @param key   not empty; any characters.
 * @param format  of printf, for the value.
 * @raise WI_VALUE_ERROR if it has another value already; WI_USAGE_ERROR if the run is not open here.
 */
WI_API void wi_run_param(wi_run *run, const char *key, const char *format, ...) WI__PRINTF(3, 4);

/** A tag: the last value counts. Otherwise as wi_run_param. */
WI_API void wi_run_tag(wi_run *run, const char *key, const char *format, ...) WI__PRINTF(3, 4);

/**
 * A point of a metric.
 *
 * @param name   not empty; any characters.
 * @param step   any number; the points of a series keep the order in which they were logged.
 * @param value  NaN and infinities too.
 * @raise WI_USAGE_ERROR if the run is not open here; WI_DISK_FULL if the journal can grow no more.
 * Cost: a look at a table, and some 40 bytes of shared memory; no system call but one every 32,768 points.
 */
WI_API void wi_run_metric(wi_run *run, const char *name, int64_t step, double value);

/** The series of that name, for loops: wi_series_add does not look for it. Errors as of wi_run_metric. */
WI_API wi_series *wi_run_series(wi_run *run, const char *name);
WI_API void wi_series_add(wi_series *series, int64_t step, double value);

/**
 * Keep a copy of a file with the run.
 *
 * @param path  a file; read now.
 * @param name  under which it is kept, with '/' for folders; NULL: the file's own. An older one is replaced.
 * @raise as opening and writing a file does; WI_VALUE_ERROR if the name leads out of the run's folder.
 */
WI_API void wi_run_artifact(wi_run *run, const char *path, const char *name);
/** The same of a text. */
WI_API void wi_run_text(wi_run *run, const char *name, const char *text);

/** The outcome is FINISHED, however the block is left from now on. */
WI_API void wi_run_finish(wi_run *run);

/** The innermost run that is open in this thread; else the process's newest; NULL if there is none. */
WI_API wi_run *wi_active_run(void);

/* ---- behind the macro ---- */

WI_API wi_run wi__run(const char *name, wi_run_options options);

/*
 * For other languages, whose errors an exit cannot be shown: how the block ends, in place of what its exit would
 * make of its reason. The status is FINISHED, FAILED or INTERRUPTED; the error's text may be NULL.
 *
 * number: the signal if it is INTERRUPTED; else the exit status, or -1 where that is not known.
 */
WI_API void wi__run_outcome(wi_run *run, const char *status, int64_t number, const char *error);
/* A row of the run's environment: "python", "package.numpy". */
WI_API void wi__run_environment(wi_run *run, const char *key, const char *value);
/*
 * Before the begin: the run that it is a child of, by its id, in place of the innermost of its thread. It is borrowed
 * until then; "": none of this process.
 */
WI_API void wi__run_child_of(wi_run *run, const char *parent);
/* wi_series_add with a time of the caller's own, in milliseconds since 1970. */
WI_API void wi__series_add_at(wi_series *series, int64_t step, double value, int64_t ms);
/*
 * Can so many points be logged without waiting for the database? For a caller that holds a lock which others need:
 * if not, it waits for the room without that lock. Errors of the latter as of wi_run_metric.
 */
WI_API int wi__run_has_room(const wi_run *run, size_t points);
WI_API void wi__run_wait_for_room(wi_run *run, size_t points);

WI__END_DECLS

#endif
