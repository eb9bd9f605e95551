/*
 * The program that `within run` starts: signals sent to the runner are passed on to it.
 *
 * Life cycle: wi__program_prepare once, before anything else of the run; wi__program_start; if it
 * succeeded and exec_error is 0, wi__program_wait.
 */
#ifndef WITHIN_CLI_PROGRAM_H
#define WITHIN_CLI_PROGRAM_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct wi__program {
    pid_t pid;
    int exec_error;  /* the errno value with which it could not be executed, or 0 */
    sigset_t passed; /* signals that are passed on, and SIGCHLD: blocked here while it runs */
    sigset_t before; /* what was blocked before, for the program */
    struct sigaction pipe_before, child_before;
    double grace_s;    /* after a signal that asks it to end it has so long; negative: for ever */
    int asked_by;      /* that signal, or 0 */
    uint64_t asked_ns; /* when it came, since 1970 */
    uint64_t deadline_ns; /* of CLOCK_MONOTONIC; 0: none */
    int killed;           /* the time was over */
} wi__program;

/** @param grace_s  negative: it is never killed. */
void wi__program_prepare(wi__program *program, double grace_s);
/** @param record  for WITHIN_RECORD; NULL: it is taken out of the program's environment.
 *  @return 0, or the errno value with which no process could be made. */
int wi__program_start(wi__program *program, char **words, const char *record);
/** Wait for its end. @return the status as of wait(2), or -1 if nothing can be known. */
int wi__program_wait(wi__program *program);

#endif
