/* The begin of a run: its live folder is there before its row is, so that no row tells of a run that nobody keeps. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/open_run.h"
#include "runs/process_record.h"
#include "runs/recover.h"
#include "runs/row.h"

enum { DEFAULT_TIMEOUT_S = 120 };

/* ---- where ---- */

static void find_database(wi__open_run *open) {
    const char *path = open->run->options.database;
    char folder[PATH_MAX] = "";
    if (!path) path = getenv("WITHIN_DATABASE");
    if (!path || !*path) path = "runs.db";
    if (strcmp(path, ":memory:") == 0)
        wi_raise(WI_VALUE_ERROR,
                 "wi_run: the database is :memory:, which no journal can be beside");
    if (path[0] != '/') wi_check_null(getcwd(folder, sizeof folder), "find the working folder");
    int length = snprintf(open->database, sizeof open->database, "%s%s%s", folder,
                          folder[0] ? "/" : "", path);
    if (length >= PATH_MAX) wi_raise_errno(ENAMETOOLONG, "%.200s", path);
}

double wi__run_timeout_s(const wi__open_run *open) {
    double asked_s = open->run->options.busy_timeout_s;
    return asked_s == 0 ? DEFAULT_TIMEOUT_S : fmax(asked_s, 0);
}

int wi__run_timeout_ms(const wi__open_run *open) {
    double wished_ms = ceil(1e3 * wi__run_timeout_s(open));
    return wished_ms < 1 ? -1 : (int)fmin(wished_ms, INT_MAX);
}

static void find_id(wi__open_run *open) {
    if (open->run->options.resume)
        wi__row_find(open, open->run->options.resume, open->run->id);
    else
        wi__row_new_id(open->run->id);
}

/* As it was told; else this thread's innermost. NULL: none of this process. */
static const char *parent_here(const wi_run *run) {
    const wi_run *active = wi_active_run();
    if (run->parent) return *run->parent ? run->parent : NULL;
    return active && active->open && pthread_equal(active->open->thread, pthread_self())
               ? active->id
               : NULL;
}

/* That one, or the one whose command this is. One in another database is none. */
static int64_t find_parent(const wi__open_run *open) {
    const char *id = parent_here(open->run);
    if (!id) id = getenv("WITHIN_RUN");
    return id ? wi__row_of(open->store.handle, id) : 0;
}

/* ---- what it keeps ---- */

static void make_journal(wi__open_run *open) {
    int error = wi__live_make(&open->live, open->database, open->run->id);
    if (error == EEXIST)
        wi_raise(WI_VALUE_ERROR, "wi_run: resume %s: that run is running, here or elsewhere",
                 open->run->id);
    if (error) wi_raise_errno(error, "%s.live: make the folder of the run", open->database);
    open->has_live = 1;
    open->points = wi_check_null(wi__points_create(open->live.folder, 0),
                                 "%s: make the journal of points", open->live.path);
    open->notes = wi_check_errno(wi__notes_open(open->live.folder), "%s: make the journal of notes",
                                 open->live.path);
}

static void look_at_record(wi__open_run *open) {
    wi__process_record_put(&open->live);
    open->has_before = wi__profile_of_self(&open->before);
    if (open->has_before) wi__process_record_copy(&open->live, &open->before);
}

static void write_row(wi__open_run *open) {
    if (open->run->options.resume)
        wi__row_resume(open);
    else
        wi__row_insert(open, find_parent(open));
}

static void start_threads(wi__open_run *open) {
    open->writer =
        wi_check_null(wi__writer_start(&open->store.handle, open->row, open->points, open->notes),
                      "run %s: start its thread", open->run->name);
    open->environment = wi__environment_begin(open->notes);
}

/* ---- all of it ---- */

static void begin(void *arg) {
    wi__open_run *open = arg;
    find_database(open);
    wi__store_open(&open->store, open->database, WI__STORE_MAKE, wi__run_timeout_ms(open));
    wi__runs_recover(open->store.handle, open->database);
    find_id(open);
    make_journal(open);
    look_at_record(open);
    write_row(open);
    open->has_row = 1;
    start_threads(open);
}

void wi__open_run_free(wi__open_run *open) {
    if (open->has_before) wi__profile_release(&open->before);
    wi__names_release(&open->series, free);
    wi__names_release(&open->params, free);
    pthread_mutex_destroy(&open->lock);
    free(open->outcome.error);
    free(open);
}

static void undo(wi__open_run *open) {
    if (open->has_row) wi__row_take_back(open);
    if (open->points) wi__points_close(open->points);
    if (open->notes >= 0) close(open->notes);
    if (open->has_live) wi__live_remove(&open->live);
    if (open->store.handle) wi__store_close(&open->store);
    wi__open_run_free(open);
}

static wi__open_run *new_run(wi_run *run) {
    wi__open_run *open = calloc(1, sizeof *open);
    if (!open) wi_raise(WI_MEMORY_ERROR, "run %s: out of memory", run->name);
    open->run = run;
    open->notes = -1;
    open->outcome.number = -1;
    open->thread = pthread_self();
    pthread_mutex_init(&open->lock, NULL);
    return open;
}

void wi__run_begin(void *arg) {
    wi_run *run = arg;
    wi__open_run *open = new_run(run);
    wi_error *error;
    if (!wi_call(begin, open, &error)) {
        undo(open);
        wi_reraise(error);
    }
    open->memory = wi_memory(run->name, .quiet = 1);
    open->memory.protocol->enter(&open->memory);
    open->holding = wi_hold("run", "%s", run->name);
    run->open = open;
    wi__open_runs_add(open);
}
