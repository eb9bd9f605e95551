/*
 * The one parser of command lines: `--name value`, `--name=value`, `--`.
 */
#ifndef WITHIN_CLI_OPTIONS_H
#define WITHIN_CLI_OPTIONS_H

#include "cli/command.h"

typedef enum wi__parsed { WI__PARSED, WI__PARSED_HELP, WI__PARSED_WRONG } wi__parsed;

/**
 * Check a command line against a command's table.
 *
 * @param words      what follows the command's name, ended by NULL; operands are moved to its begin.
 * @param arguments  result; borrows from `words`.
 * @return WI__PARSED_HELP if --help was asked for, WI__PARSED_WRONG if something is wrong, which then was
 *         said on stderr.
 */
wi__parsed wi__parse(const wi__command *command, char **words, wi__arguments *arguments);

/** Say on stderr what is wrong with the command line, and where help is. @return WI__STATUS_USAGE. */
int wi__usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The index of the name that is nearest to `word` by edit distance; -1 if there are none. */
int wi__nearest(const char *word, const char *const *names, size_t count);

#endif
