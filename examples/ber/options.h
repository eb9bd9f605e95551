/*
 * The options of the simulation, read and checked.
 */
#ifndef BER_OPTIONS_H
#define BER_OPTIONS_H

#include <stdint.h>

enum { MOST_POINTS = 10000 };

/* What the numbers depend on. */
typedef struct ber_setting {
    double snr_min_db, snr_max_db, snr_step_db;
    int points; /* of the sweep; at most MOST_POINTS */
    long bits;  /* per point, at least */
    uint64_t seed;
} ber_setting;

typedef struct ber_options {
    ber_setting setting;
    const char *csv;
    const char *checkpoints; /* a folder */
    const char *samples;     /* an HDF5 file; "" for none */
} ber_options;

/** Read the command line. Help ends the program with status 0, a wrong option with a message and 2. */
ber_options read_options(int argc, char **argv);

#endif
