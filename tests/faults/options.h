/* What the tool was asked to do. */
#ifndef WITHIN_FAULTS_OPTIONS_H
#define WITHIN_FAULTS_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses of the tool's own, as of env and timeout. */
enum { CANNOT_WORK = 125, CANNOT_RUN = 126, NO_COMMAND = 127 };

typedef enum { NO_FAULT, ERROR, SHORT, KILL } fault_kind;

extern struct options {
    char folder[PATH_MAX]; /* absolute, without links */
    FILE *trace;           /* NULL: none */
    unsigned wanted;       /* CALL_READS, CALL_STATS */
    long at;
    fault_kind fault;
    int error;
    bool from_on;
} options;

/** Fill in options. Returns the words of the command; ends the program at the first mistake. */
char **read_options(int argc, char **argv);

/** Say what does not work, and why; end the program. */
_Noreturn void fail(const char *what, const char *why);

#endif
