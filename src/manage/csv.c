/* wi_csv: a log whose rows are in the file, whole, as soon as they are written. */
#include <within/csv.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "manage/csv_log.h"
#include "manage/durable.h"

static void check(const wi_csv *f) {
    if (!f->path || !f->columns) wi_raise(WI_USAGE_ERROR, "a CSV log needs a path and columns");
    if (f->log)
        wi_raise(WI_USAGE_ERROR, "%s: the CSV log is open already; use one for each block",
                 f->path);
    if (isnan(f->options.sync_every_s))
        wi_raise(WI_VALUE_ERROR, "%s: sync_every_s is nan", f->path);
}

/* Close the file and forget it. 0, or an errno value. */
static int release(wi_csv *f) {
    wi__csv_log *log = f->log;
    const int error = log->fd >= 0 ? wi__close(log->fd) : 0;
    wi_let_go(log->holding);
    wi__csv_columns_release(&log->columns);
    free(log);
    f->log = NULL;
    return error;
}

static void begin(void *self) {
    wi_csv *f = self;
    wi__csv_columns_read(&f->log->columns, f->columns, f->path);
    f->log->fd = wi__csv_open(f->path);
    wi__csv_resume(f);
    f->log->holding = wi_hold("csv", "%s", f->path);
}

static void csv_enter(void *self) {
    wi_csv *f = self;
    wi_error *error;
    int cancels;
    check(f);
    f->rows = f->cut = 0;
    f->log = malloc(sizeof *f->log);
    if (!f->log) wi_raise(WI_MEMORY_ERROR, "%s: no memory for a CSV log", f->path);
    *f->log = (wi__csv_log){.fd = -1, .pid = getpid(), .synced_ns = wi__csv_now_ns()};
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
    if (!wi_call(begin, f, &error)) release(f);
    pthread_setcancelstate(cancels, NULL);
    if (error) wi_reraise(error);
}

/* In a forked child the file is still its parent's: to sync it, and to tell what fails, is the parent's. */
static wi_verdict csv_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_csv *f = self;
    const int is_owner = f->log->pid == getpid(), syncs = f->options.sync_every_s >= 0;
    int cancels;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
    const int not_synced = is_owner && syncs ? wi__sync(f->log->fd) : 0;
    const int not_closed = release(f);
    pthread_setcancelstate(cancels, NULL);
    wi_check_code(not_synced, "%s: cannot be synced", f->path);
    if (is_owner) wi_check_code(not_closed, "%s: cannot be closed", f->path);
    return WI_PROPAGATE;
}

static void csv_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_csv *)self)->path);
}

static const wi_protocol csv_protocol = {"csv", csv_enter, csv_exit, csv_describe};

const char *wi_csv_column(const wi_csv *f, size_t i) {
    return f->log && i < f->log->columns.count ? f->log->columns.list[i].name : NULL;
}

wi_csv wi__csv(const char *path, const char *columns, wi_csv_options options) {
    return (wi_csv){
        .protocol = &csv_protocol, .path = path, .columns = columns, .options = options};
}
