/*
 * An open run: what there is between its block's begin and end, and the list of all of this process.
 *
 * A forked child has none: its parent's are marked, and what is called with them raises.
 */
#ifndef WITHIN_RUNS_OPEN_RUN_H
#define WITHIN_RUNS_OPEN_RUN_H

#include <limits.h>
#include <pthread.h>

#include <within/memory.h>
#include <within/run.h>
#include <within/sqlite.h>

#include "record/profile.h"
#include "runs/environment.h"
#include "runs/journal.h"
#include "runs/live.h"
#include "runs/names.h"
#include "runs/store.h"
#include "runs/writer.h"

/* How the block is to end, where that is known before its exit. */
typedef struct wi__outcome {
    char status[16]; /* empty: as the exit is told */
    int64_t number;  /* a signal or exit status; -1: not known */
    char *error;     /* owned; may be NULL */
} wi__outcome;

typedef struct wi__open_run {
    wi_run *run;
    int is_inherited; /* this is a forked child's copy */
    int is_ending;
    char database[PATH_MAX];
    wi_database store; /* the writer's while there is one */
    int64_t row;
    wi__live live;
    int has_live, has_row;
    wi__points *points;
    int notes; /* a descriptor, or -1 */
    wi__writer *writer;
    wi__environment *environment;
    int has_before;
    wi__profile before; /* the process's, at the begin */
    wi_memory memory;
    pthread_mutex_t lock; /* of what follows */
    wi__names series, params;
    uint32_t series_count;
    uint32_t seeds;
    wi__outcome outcome;
    wi_holding holding;
    pthread_t thread; /* that entered it */
    struct wi__open_run *next;
} wi__open_run;

struct wi_series {
    wi__named named;
    wi__open_run *open;
    uint32_t number;
    char name[];
};

/**
 * The list of runs whose connection is the writer's, so that a fork can close it: from the writer's start on until it is
 * stopped. Before and after that libwithin-sqlite knows of the connection.
 */
void wi__open_runs_add(wi__open_run *open);
void wi__open_runs_remove(wi__open_run *open);
/** It ends: it stays in the list, and is no active run any more. */
void wi__open_runs_hide(wi__open_run *open);

/** The run, if it is open in this process. @raise WI_USAGE_ERROR; `attempted` is what the call is about. */
wi__open_run *wi__open_run_of(const wi_run *run, const char *attempted);
_Noreturn void wi__raise_not_open(const wi_run *run, const char *attempted);
/** Append a note now. @raise as writing does: WI_DISK_FULL, … */
void wi__open_run_note(wi__open_run *open, wi__note_kind kind, const char *key, const char *value,
                       int64_t number);

/** A series that the run has already, of an earlier time. @return 0: there is no memory. */
int wi__open_run_know_series(wi__open_run *open, const char *name, uint32_t number);
int wi__open_run_know_param(wi__open_run *open, const char *key, const char *value);

/** Begin a wi_run, and set its `open`; what fails raises, and leaves nothing. */
void wi__run_begin(void *run);
/** End, with all that it takes. Never raises: what fails is said on stderr, and left to whoever looks next. */
void wi__run_end(wi__open_run *open, wi_reason reason, const wi_error *error);

/** How long to wait for others' locks at either end. */
double wi__run_timeout_s(const wi__open_run *open);
/** The same in milliseconds, for SQLite: negative for not at all. */
int wi__run_timeout_ms(const wi__open_run *open);
void wi__open_run_free(wi__open_run *open);

/** The status of an exit() that is going on; -1 if there is none. */
int wi__exit_status(void);

#endif
