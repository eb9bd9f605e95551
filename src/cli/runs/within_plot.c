/* The command of `within-plot`: `within plot` once more, with PNG. */
#include "cli/command.h"

extern const wi__command wi__plot_command;

const wi__command *const wi__commands[] = {&wi__plot_command, NULL};

const wi__elsewhere wi__elsewhere_commands[] = {{NULL, NULL, NULL, NULL}};
