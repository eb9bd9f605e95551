/*
 * The sweep as a run: what was asked for, what came out, and how it ended; nothing in a build without SQLite.
 */
#ifndef BER_LOGBOOK_H
#define BER_LOGBOOK_H

#include <within.h>

#include "options.h"

/** Begin the run, which ends when the stack is released. */
void logbook_open(wi_exit_stack *stack, const ber_setting *setting);
/** The rate at a point of the sweep, counted from 0, and that of the closed form. */
void logbook_point(int point, double snr_db, double measured, double predicted);
/** The sweep has come to its end. The CSV is kept. */
void logbook_result(const char *csv, int disagreements);

#endif
