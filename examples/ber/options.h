/*
 * The options of the simulation, read and checked.
 */
#ifndef BER_OPTIONS_H
#define BER_OPTIONS_H

#include <stdint.h>

typedef struct ber_options {
    double snr_min_db, snr_max_db, snr_step_db;
    int points; /* of the sweep */
    long bits;  /* per point, at least */
    uint64_t seed;
    const char *csv;
} ber_options;

/** Read the command line. Help ends the program with status 0, a wrong option with a message and 2. */
ber_options read_options(int argc, char **argv);

#endif
