/* Asking git for the state of a folder. */
#ifndef WITHIN_RUNS_GIT_H
#define WITHIN_RUNS_GIT_H

#include <pthread.h>
#include <sys/types.h>

/* A question to git that another thread can end. */
typedef struct wi__git {
    pthread_mutex_t lock;
    pid_t pid; /* 0: it does not run */
    int is_cancelled;
    char commit[65]; /* the answer; empty: there is none, or no git, or no repository */
    int is_dirty;    /* files that git tracks are changed */
} wi__git;

/** Ask, and wait for the answer. */
void wi__git_ask(wi__git *git, const char *folder);
/** Have the other thread wait no longer. */
void wi__git_cancel(wi__git *git);

#endif
