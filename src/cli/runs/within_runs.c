/* The commands of `within-runs`, which `within` hands on to it. */
#include "cli/command.h"

extern const wi__command wi__run_command;
extern const wi__command wi__runs_command;
extern const wi__command wi__show_command;
extern const wi__command wi__compare_command;
extern const wi__command wi__plot_command;
extern const wi__command wi__export_command;
extern const wi__command wi__close_command;
extern const wi__command wi__delete_command;

const wi__command *const wi__commands[] = {
    &wi__run_command,     &wi__runs_command,   &wi__show_command,
    &wi__compare_command, &wi__plot_command,   &wi__export_command,
    &wi__close_command,   &wi__delete_command, NULL,
};

const wi__elsewhere wi__elsewhere_commands[] = {{NULL, NULL, NULL, NULL}};
