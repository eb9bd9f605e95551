/* What a run ran on: its processor and system are read, and git is asked, while the run goes on. */
#include "runs/environment.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "manage/gpu_name.h"
#include "runs/git.h"
#include "runs/journal.h"
#include "runs/now.h"

struct wi__environment {
    int notes;
    wi__git git;
    char folder[PATH_MAX];
    int gpus; /* so many are noted */
    pthread_t thread;
};

static void note(const wi__environment *environment, const char *key, const char *value) {
    wi__note row = {WI__NOTE_ENVIRONMENT, 0, wi__now_ms(), key, value};
    wi__notes_append(environment->notes, &row);
}

/* ---- the machine ---- */

/* The first line of that name in /proc/cpuinfo, behind its colon. */
static int read_processor(const char *name, char *value, size_t size) {
    char line[256];
    int is_found = 0;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !is_found && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, name, strlen(name)) != 0) continue;
        const char *text = colon + 1 + strspn(colon + 1, " \t");
        snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
        is_found = 1;
    }
    if (file) fclose(file);
    return is_found;
}

static void note_machine(const wi__environment *environment) {
    char text[256];
    struct utsname names;
    cpu_set_t allowed;
    if (read_processor("model name", text, sizeof text) ||
        read_processor("CPU part", text, sizeof text))
        note(environment, "processor", text);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        snprintf(text, sizeof text, "%d", CPU_COUNT(&allowed));
        note(environment, "cores", text);
    }
    if (uname(&names) == 0) {
        snprintf(text, sizeof text, "%.80s %.80s %.80s", names.sysname, names.release,
                 names.machine);
        note(environment, "system", text);
    }
}

/* Those that CUDA shows to the program, once it has initialised CUDA. */
static void note_gpus(wi__environment *environment) {
    char key[32], text[200];
    while (wi__gpu_name(environment->gpus, text, sizeof text)) {
        snprintf(key, sizeof key, "gpu.%d", environment->gpus++);
        note(environment, key, text);
    }
}

/* ---- the thread ---- */

static void *look(void *self) {
    wi__environment *environment = self;
    note_machine(environment);
    note_gpus(environment);
    if (environment->folder[0]) wi__git_ask(&environment->git, environment->folder);
    if (!environment->git.commit[0]) return NULL;
    note(environment, "git.commit", environment->git.commit);
    note(environment, "git.dirty", environment->git.is_dirty ? "yes" : "no");
    return NULL;
}

/* Signals are the program's: none of its handlers is to run on this thread. */
static int start(wi__environment *environment) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&environment->thread, NULL, look, environment);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

wi__environment *wi__environment_begin(int notes) {
    wi__environment *environment = calloc(1, sizeof *environment);
    if (!environment) return NULL;
    environment->notes = notes;
    pthread_mutex_init(&environment->git.lock, NULL);
    if (!getcwd(environment->folder, sizeof environment->folder)) environment->folder[0] = '\0';
    int error = start(environment);
    if (!error) return environment;
    free(environment);
    errno = error;
    return NULL;
}

void wi__environment_end(wi__environment *environment) {
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 1;
    if (pthread_timedjoin_np(environment->thread, NULL, &limit) != 0) {
        wi__git_cancel(&environment->git);
        pthread_join(environment->thread, NULL);
    }
    note_gpus(environment); /* most programs come to them inside of the run */
    pthread_mutex_destroy(&environment->git.lock);
    free(environment);
}
