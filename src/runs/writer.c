/* The thread of a run that drains its journal. */
#include "runs/writer.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/complain.h"
#include "runs/drain.h"
#include "runs/now.h"

enum {
    MANY_POINTS =
        1 << 17,  /* so many are drained before the time is over: 4 MiB, in one transaction */
    BUSY_MS = 250 /* others' locks are waited for so long at a time, and the end waits for that */
};

static const double interval_s = 0.2, retry_s = 0.02;

struct wi__writer {
    pthread_t thread;
    pthread_mutex_t lock; /* of the connection and the drainer */
    int forks;            /* atomic: that wait for the lock */
    sqlite3 **db;         /* NULL there: a fork has closed it */
    char *path;           /* of the database; NULL: it is in no file */
    wi__drainer *drainer; /* NULL while there is no connection */
    int64_t run;
    wi__points *points;
    int notes;
    int is_over;
    double timeout_s; /* once it is over */
    int code;         /* of the last drain */
};

static int is_over(wi__writer *writer) {
    return __atomic_load_n(&writer->is_over, __ATOMIC_ACQUIRE);
}

/* ---- the connection ---- */

static int prepare_to_drain(wi__writer *writer) {
    sqlite3_busy_timeout(*writer->db, BUSY_MS);
    writer->drainer = wi__drainer_new(*writer->db, writer->run);
    return writer->drainer ? SQLITE_OK : SQLITE_NOMEM;
}

static void disconnect(wi__writer *writer) {
    wi__drainer_free(writer->drainer);
    writer->drainer = NULL;
    sqlite3_close(*writer->db);
    *writer->db = NULL;
}

static int connect(wi__writer *writer) {
    if (*writer->db) return SQLITE_OK;
    int code = sqlite3_open_v2(writer->path, writer->db, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(*writer->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = prepare_to_drain(writer);
    if (code != SQLITE_OK) disconnect(writer);
    return code;
}

/* The log stays: to copy it into the database is not what a fork should wait for. */
void wi__writer_before_fork(wi__writer *writer) {
    __atomic_fetch_add(&writer->forks, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&writer->lock);
    if (!*writer->db || !writer->path) return;
    sqlite3_db_config(*writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    disconnect(writer);
}

void wi__writer_after_fork(wi__writer *writer) {
    __atomic_fetch_sub(&writer->forks, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&writer->lock);
}

/* ---- draining ---- */

static int connect_and_step(wi__writer *writer, int *has_more) {
    *has_more = 0;
    pthread_mutex_lock(&writer->lock);
    int code = connect(writer);
    if (code == SQLITE_OK)
        code = wi__drainer_step(writer->drainer, writer->points, writer->notes, 0, has_more);
    pthread_mutex_unlock(&writer->lock);
    return code;
}

/* Who unlocks and locks again would be first for ever, where as much is logged as the database takes. */
static void let_forks_go_first(wi__writer *writer) {
    while (__atomic_load_n(&writer->forks, __ATOMIC_RELAXED))
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static int connect_and_drain(wi__writer *writer) {
    int code, has_more;
    do {
        let_forks_go_first(writer);
        code = connect_and_step(writer, &has_more);
    } while (has_more);
    return code;
}

/* A database that others hold for a moment is nothing to speak of. */
static void drain(wi__writer *writer, int *said) {
    writer->code = connect_and_drain(writer);
    int is_busy = (writer->code & 0xff) == SQLITE_BUSY;
    if (writer->code == SQLITE_OK || is_busy || *said) return;
    wi__complain("%s: what a run logs cannot be brought in now, and waits in its journal: %s",
                 writer->path ? writer->path : "a database of runs", sqlite3_errstr(writer->code));
    *said = 1;
}

static void drain_the_rest(wi__writer *writer, int *said) {
    double end = wi__monotonic_s() + writer->timeout_s;
    drain(writer, said);
    while ((writer->code & 0xff) == SQLITE_BUSY && wi__monotonic_s() < end) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(retry_s * 1e9)}, NULL);
        drain(writer, said);
    }
}

/* Arithmetic of its own: a program may have exceptions trap, and SQLite compares numbers of all kinds. */
static void *run(void *arg) {
    wi__writer *writer = arg;
    int said = 0;
    fesetenv(FE_DFL_ENV);
    while (!is_over(writer)) {
        wi__points_wait(writer->points, MANY_POINTS, interval_s);
        if (!is_over(writer)) drain(writer, &said);
    }
    drain_the_rest(writer, &said);
    return NULL;
}

static int start(wi__writer *writer) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void release(wi__writer *writer) {
    wi__drainer_free(writer->drainer);
    pthread_mutex_destroy(&writer->lock);
    free(writer->path);
    free(writer);
}

wi__writer *wi__writer_start(sqlite3 **db, int64_t run_row, wi__points *points, int notes) {
    wi__writer *writer = calloc(1, sizeof *writer);
    if (!writer) return NULL;
    const char *path = sqlite3_db_filename(*db, "main");
    pthread_mutex_init(&writer->lock, NULL);
    writer->db = db;
    writer->path = path && *path ? strdup(path) : NULL;
    writer->run = run_row;
    writer->points = points;
    writer->notes = notes;
    int has_memory = (writer->path || !path || !*path) && prepare_to_drain(writer) == SQLITE_OK;
    int error = has_memory ? start(writer) : ENOMEM;
    if (!error) return writer;
    release(writer);
    errno = error;
    return NULL;
}

int wi__writer_stop(wi__writer *writer, double timeout_s) {
    writer->timeout_s = timeout_s;
    __atomic_store_n(&writer->is_over, 1, __ATOMIC_RELEASE);
    wi__points_wake(writer->points);
    pthread_join(writer->thread, NULL);
    return writer->code;
}

int wi__writer_free(wi__writer *writer) {
    int code = connect(writer);
    release(writer);
    return code;
}
