/* The open runs of this process, newest first. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "manage/seeding.h"
#include "runs/now.h"
#include "runs/open_run.h"

static wi__open_run *newest;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- forks: no connection of a run is open then ---- */

static void before_fork(void) {
    pthread_mutex_lock(&lock);
    for (wi__open_run *each = newest; each; each = each->next) wi__writer_before_fork(each->writer);
}

static void after_fork(void) {
    for (wi__open_run *each = newest; each; each = each->next) wi__writer_after_fork(each->writer);
    pthread_mutex_unlock(&lock);
}

static void leave_to_parent(void) {
    for (wi__open_run *each = newest; each; each = each->next) each->is_inherited = 1;
    newest = NULL;
    pthread_mutex_unlock(&lock);
}

/* ---- seeds: those that are set inside of a run ---- */

static void note_seed(int64_t seed) {
    char key[32], value[32];
    snprintf(value, sizeof value, "%lld", (long long)seed);
    pthread_mutex_lock(&lock);
    for (wi__open_run *each = newest; each; each = each->next) {
        if (each->is_ending) continue;
        snprintf(key, sizeof key, "seed.%u", each->seeds++);
        wi__note note = {WI__NOTE_ENVIRONMENT, 0, wi__now_ms(), key, value};
        wi__notes_append(each->notes, &note);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- how the process ends ---- */

static int status = -1;

static void remember_status(int ends_with, void *arg) {
    (void)arg;
    status = ends_with;
}

int wi__exit_status(void) { return status; }

/* What exit() calls last is registered first: this comes before blocks are released. */
static void prepare(void) {
    pthread_atfork(before_fork, after_fork, leave_to_parent);
    on_exit(remember_status, NULL);
    wi__seed_observer = note_seed;
}

/* ---- the list ---- */

void wi__open_runs_add(wi__open_run *open) {
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
    wi__sqlite_put_away(&open->store);
    open->next = newest;
    newest = open;
    pthread_mutex_unlock(&lock);
}

void wi__open_runs_hide(wi__open_run *open) {
    pthread_mutex_lock(&lock);
    open->is_ending = 1;
    pthread_mutex_unlock(&lock);
}

void wi__open_runs_remove(wi__open_run *open) {
    pthread_mutex_lock(&lock);
    wi__open_run **at = &newest;
    while (*at && *at != open) at = &(*at)->next;
    if (*at) *at = open->next;
    wi__sqlite_take_back(&open->store);
    pthread_mutex_unlock(&lock);
}

wi_run *wi_active_run(void) {
    pthread_mutex_lock(&lock);
    wi__open_run *found = NULL;
    for (wi__open_run *each = newest; each; each = each->next) {
        if (each->is_ending) continue;
        int is_of_this_thread = pthread_equal(each->thread, pthread_self()) != 0;
        if (!found || is_of_this_thread) found = each;
        if (is_of_this_thread) break;
    }
    wi_run *run = found ? found->run : NULL;
    pthread_mutex_unlock(&lock);
    return run;
}
