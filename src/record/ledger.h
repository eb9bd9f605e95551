/*
 * The tally of what was suppressed or repaired; with src/record/ledger.c's wi_hold, the ledger.
 */
#ifndef WITHIN_RECORD_LEDGER_H
#define WITHIN_RECORD_LEDGER_H

#include "record/record.h"

/** Count a line of the tally: kind, what and where together tell lines apart. */
void wi__record_tally(wi__tally_kind kind, const char *what, const char *where);

#endif
