/*
 * The signal that asked a process to end, as far as its record can tell: one that it took itself, else one that
 * `within run --grace` passed on.
 */
#ifndef WITHIN_REPORT_INTERRUPTION_H
#define WITHIN_REPORT_INTERRUPTION_H

#include <stddef.h>

#include "record/profile.h"

/** "SIGTERM from process 4711 at 2026-11-22 14:03:12; 12.4 s of 30.00 s were left at the end"; "" if none came. */
void wi__interruption_text(const wi__profile *profile, char *text, size_t size);
/** Seconds of the grace period that were left at the record's end; negative when it was over, NaN without one. */
double wi__interruption_left_s(const wi__profile *profile);
/** The grace period in seconds, of the program or of its runner; NaN without one. */
double wi__interruption_grace_s(const wi__profile *profile);

#endif
