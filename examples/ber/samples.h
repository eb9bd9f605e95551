/*
 * A block of received symbols of each point, kept in an HDF5 file; nowhere in a build without HDF5.
 */
#ifndef BER_SAMPLES_H
#define BER_SAMPLES_H

#include "sweep.h"

enum { BLOCK = 4096 }; /* symbols that are simulated at a time */

/**
 * Open the file, until the stack is released. What it holds of the points that are done stays.
 *
 * @param path  "": nothing is kept.
 */
void samples_open(wi_exit_stack *stack, const char *path, const sweep_state *sweep);
/** Keep the symbols of a point, array of shape (BLOCK,). They are in the file when this returns. */
void samples_keep(const double *symbols);

#endif
