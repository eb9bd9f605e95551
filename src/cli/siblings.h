/*
 * Records of the other processes of a run: they lie beside its own as "<path>.<pid>".
 */
#ifndef WITHIN_CLI_SIBLINGS_H
#define WITHIN_CLI_SIBLINGS_H

#include <stdint.h>
#include <stdio.h>

/** Say how many there are and how to read them; nothing if there are none.
 *  @param since_ns  when the run began: what is older was left by another one. */
void wi__print_siblings(FILE *out, const char *path, uint64_t since_ns);

#endif
