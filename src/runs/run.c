/* wi_run: the manager of a run, and what is common to all that is called with one. */
#include <within/run.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/now.h"
#include "runs/open_run.h"

/* ---- what calls need ---- */

void wi__raise_not_open(const wi_run *run, const char *attempted) {
    if (run && run->open)
        wi_raise(WI_USAGE_ERROR,
                 "%s: run %s is of the process that this one was forked from; begin a run here",
                 attempted, run->name);
    wi_raise(WI_USAGE_ERROR, "%s: run %s is not open: its block has not begun, or is over",
             attempted, run && run->name ? run->name : "(none)");
}

wi__open_run *wi__open_run_of(const wi_run *run, const char *attempted) {
    if (__builtin_expect(!run || !run->open || run->open->is_inherited, 0))
        wi__raise_not_open(run, attempted);
    return run->open;
}

void wi__open_run_note(wi__open_run *open, wi__note_kind kind, const char *key, const char *value,
                       int64_t number) {
    wi__note note = {kind, number, wi__now_ms(), key, value ? value : ""};
    int error = wi__notes_append(open->notes, &note);
    if (error) wi_raise_errno(error, "run %s: note %.80s in its journal", open->run->name, key);
}

/* ---- the outcome ---- */

void wi__run_outcome(wi_run *run, const char *status, int64_t number, const char *error) {
    wi__open_run *open = wi__open_run_of(run, "set the outcome");
    char *copy = error ? strdup(error) : NULL;
    pthread_mutex_lock(&open->lock);
    snprintf(open->outcome.status, sizeof open->outcome.status, "%s", status);
    open->outcome.number = number;
    char *old = open->outcome.error;
    open->outcome.error = copy;
    pthread_mutex_unlock(&open->lock);
    free(old);
}

void wi_run_finish(wi_run *run) { wi__run_outcome(run, "FINISHED", -1, NULL); }

void wi__run_environment(wi_run *run, const char *key, const char *value) {
    wi__open_run *open = wi__open_run_of(run, "note the environment");
    wi__open_run_note(open, WI__NOTE_ENVIRONMENT, key, value, 0);
}

/* ---- the manager ---- */

static void run_enter(void *self) {
    wi_run *run = self;
    if (!run->name || !*run->name) wi_raise(WI_VALUE_ERROR, "wi_run: the name is empty");
    if (run->open && !run->open->is_inherited)
        wi_raise(WI_USAGE_ERROR, "run %s: it is open already; use one wi_run a block", run->name);
    int cancelling;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    run->open = NULL;
    wi_error *error;
    int begun = wi_call(wi__run_begin, run, &error);
    pthread_setcancelstate(cancelling, NULL);
    if (!begun) wi_reraise(error);
}

static wi_verdict run_exit(void *self, wi_reason reason, const wi_error *error) {
    wi_run *run = self;
    int cancelling;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    if (run->open) wi__run_end(run->open, reason, error);
    run->open = NULL;
    pthread_setcancelstate(cancelling, NULL);
    return WI_PROPAGATE;
}

static void run_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_run *)self)->name);
}

static const wi_protocol run_protocol = {"run", run_enter, run_exit, run_describe};

wi_run wi__run(const char *name, wi_run_options options) {
    wi_run run;
    memset(&run, 0, sizeof run);
    run.protocol = &run_protocol;
    run.name = name;
    run.options = options;
    return run;
}
