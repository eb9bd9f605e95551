/*
 * The tally of what was suppressed or repaired; with src/record/ledger.c's wi_hold, the ledger.
 */
#ifndef WITHIN_RECORD_LEDGER_H
#define WITHIN_RECORD_LEDGER_H

#include "record/record.h"

/** Count a line of the tally: kind, what and where together tell lines apart. */
void wi__record_tally(wi__tally_kind kind, const char *what, const char *where);

/**
 * Write a finding about a path into a line of its own, over what it said before.
 *
 * @param line  where it was written before; NULL, or a line that a fork has emptied: a free one is taken.
 * @return the line; NULL if there is no room.
 */
wi__tally *wi__record_finding(wi__tally *line, wi__tally_kind kind, const char *what,
                              const char *where, uint64_t count);
/** Add to a finding, once, the lines of what there is more of. */
void wi__record_explanation(wi__tally *line, const char *text);

#endif
