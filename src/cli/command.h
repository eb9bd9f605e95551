/*
 * Commands: each is one file with one table of what it takes, from which its parser, its help and its
 * manual page are made. To add one: write the file, and name it in the list of its executable: within.c, or
 * runs/within_runs.c for those that need SQLite.
 */
#ifndef WITHIN_CLI_COMMAND_H
#define WITHIN_CLI_COMMAND_H

#include <stddef.h>
#include <stdio.h>

enum {
    WI__STATUS_FAILED = 1,
    WI__STATUS_USAGE = 2,
    WI__MOST_OPTIONS = 16,
    WI__MOST_GIVEN = 64,
};

/** One option, `--name` or `--name ARGUMENT`. A table of them ends with a name of NULL. */
typedef struct wi__option {
    const char *name;
    const char *argument; /* NULL: takes none; "TAG...": may be given several times */
    const char *help;     /* one sentence without its full stop */
} wi__option;

/** An option as it was typed: its place in the table, and what it was given. */
typedef struct wi__given {
    int option;
    const char *value;
} wi__given;

/** What the user typed, checked against the table. */
typedef struct wi__arguments {
    /* In the order of the table: NULL if it is not given, "" if it takes no argument. */
    const char *values[WI__MOST_OPTIONS];
    int given_count; /* of those that repeat, in the order of the command line */
    wi__given given[WI__MOST_GIVEN];
    int count;
    char **operands; /* what is no option; ends with NULL */
} wi__arguments;

/** Its texts are wrapped at 80 columns; lines of theirs that begin with two spaces stay as they are. */
typedef struct wi__command {
    const char *name;
    const char *summary;  /* one line, without full stop */
    const char *operands; /* as usage lines show them: "[PATH]" */
    const char *text;     /* paragraphs: what it does */
    const char *details;  /* more of them, for the manual page only; or NULL */
    const char *statuses; /* lines "status<tab>meaning" */
    const char *examples; /* lines */
    const wi__option *options;
    int most_operands; /* -1: any number; then the first one ends the options */
    int (*run)(const wi__arguments *arguments); /* returns the exit status */
} wi__command;

/** A command in an executable of its own, which needs a library that this one does without. */
typedef struct wi__elsewhere {
    const char *name;
    const char *summary;
    const char *program;
    const char *needs; /* the library */
} wi__elsewhere;

/** The executable's commands, ended by NULL, and those of others that it knows, ended by a name of NULL. */
extern const wi__command *const wi__commands[];
extern const wi__elsewhere wi__elsewhere_commands[];
/** By its name, or NULL. */
const wi__command *wi__command_named(const char *name);

/** The words after the executable's name as they were typed; parsing moves them. */
extern char **wi__typed_words;

/** Print the usage line and what the command does, with its options. */
void wi__print_help(FILE *out, const wi__command *command);
/** The same for `within` itself. */
void wi__print_overview(FILE *out);
/** Print the manual page as roff: of a command, or of `within` itself for NULL. */
void wi__print_manual(FILE *out, const wi__command *command);

#endif
