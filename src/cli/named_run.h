/*
 * `within run --name`: the program is a run in a database. That needs SQLite, so `within` becomes within-runs for it,
 * which has `within run` too.
 */
#ifndef WITHIN_CLI_NAMED_RUN_H
#define WITHIN_CLI_NAMED_RUN_H

#include "record/profile.h"

/**
 * Begin a run, do the work in it, and end it.
 *
 * @param database  NULL: the usual one.
 * @param words     the program's command line.
 * @param work      gives the exit status; in the environment are WITHIN_RUN and WITHIN_DATABASE.
 * @return what the work gave; -1 if there was no run, which was said on stderr, and nothing was done.
 */
int wi__as_named_run(const char *name, const char *database, char **words, int (*work)(void *arg),
                     void *arg);

/** In the work: how the program ended, as of wait(2). Nothing is done where there is no run. */
void wi__named_run_ended(int wait_status);
/** Then what it measured. */
void wi__named_run_measured(const wi__profile *profile);

#endif
