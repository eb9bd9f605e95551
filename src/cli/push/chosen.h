/* The runs that the words of a command line mean. */
#ifndef WITHIN_CLI_PUSH_CHOSEN_H
#define WITHIN_CLI_PUSH_CHOSEN_H

#include <stddef.h>
#include <stdint.h>

#include <within/sqlite.h>

typedef struct wi__chosen {
    int64_t *ids; /* rows, each once, the oldest first: a run's parent is there before it */
    size_t count;
} wi__chosen;

/**
 * Find runs by their words, ended by NULL.
 * @raise WI_VALUE_ERROR if one means no run, or several.
 */
void wi__choose(wi_database *db, char **words, wi__chosen *chosen);
void wi__chosen_release(wi__chosen *chosen);

#endif
