/* The commands of `within` itself, and those that it leaves to executables beside it. */
#include "cli/command.h"
#include "cli/elsewhere.h"

extern const wi__command wi__run_command;
extern const wi__command wi__report_command;
extern const wi__command wi__clean_command;

const wi__command *const wi__commands[] = {&wi__run_command, &wi__report_command,
                                           &wi__clean_command, NULL};

const wi__elsewhere wi__elsewhere_commands[] = {
    {"runs", WI__RUNS_SUMMARY, "within-runs", "SQLite"},
    {"show", WI__SHOW_SUMMARY, "within-runs", "SQLite"},
    {"compare", WI__COMPARE_SUMMARY, "within-runs", "SQLite"},
    {"plot", WI__PLOT_SUMMARY, "within-runs", "SQLite"},
    {"export", WI__EXPORT_SUMMARY, "within-runs", "SQLite"},
    {"close", WI__CLOSE_SUMMARY, "within-runs", "SQLite"},
    {"delete", WI__DELETE_SUMMARY, "within-runs", "SQLite"},
    {"push", WI__PUSH_SUMMARY, "within-push", "libcurl"},
    {NULL, NULL, NULL, NULL},
};
