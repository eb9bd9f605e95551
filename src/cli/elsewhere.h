/*
 * Commands that are executables of their own, because they need a library that `within` does without.
 *
 * They lie beside `within`, or in libexec/within, as git keeps its own. What one needs several lines for in its
 * table is there; here is the line that `within --help` has, whether it is installed or not.
 */
#ifndef WITHIN_CLI_ELSEWHERE_H
#define WITHIN_CLI_ELSEWHERE_H

#include "cli/command.h"

#define WI__RUNS_SUMMARY "list runs: how they ended, and what came of them"
#define WI__SHOW_SUMMARY "print all that is known of a run"
#define WI__COMPARE_SUMMARY "print what differs between runs"
#define WI__PLOT_SUMMARY "draw metrics of runs, here or into a file"
#define WI__EXPORT_SUMMARY "write a run as CSV, JSON or Parquet"
#define WI__CLOSE_SUMMARY "end a run whose host or container is gone"
#define WI__DELETE_SUMMARY "delete runs and their artifacts"
#define WI__PUSH_SUMMARY "send runs to an MLflow server"

/** By its name, or NULL. */
const wi__elsewhere *wi__elsewhere_named(const char *name);

/**
 * Become the executable of a command.
 *
 * @param words  what follows the name of the executable, ended by NULL.
 * @return only if it cannot be: the exit status, after the reason was said on stderr.
 */
int wi__go_elsewhere(const wi__elsewhere *command, char **words);

#endif
