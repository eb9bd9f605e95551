/*
 * This process's record: made at the first section, ended at the process's end, never in the way.
 *
 * One lock guards all that is rare: new nodes, new regions, growth, the move into a file. What happens at
 * every section is done without it, by the one thread that owns the region.
 */
#ifndef WITHIN_RECORD_RECORD_H
#define WITHIN_RECORD_RECORD_H

#include <within/record.h>

#include "record/arena.h"
#include "record/lane.h"

void wi__record_lock(void);
void wi__record_unlock(void);

/** The calling thread's lane, made or taken over at its first section; NULL if there is no memory. */
wi__lane *wi__lane_here(void);
/** Begin the header of a new record for this process. */
void wi__header_begin(wi__header *header);
/** Copy bytes of the record from a cell on, while other threads may write them. */
void wi__record_copy(void *copy, uint32_t cell, size_t length);
/** Renew the header's last anchor: called when the lane's next_anchor is past. */
void wi__record_renew_anchor(wi__lane *lane, uint64_t now);

/**
 * Open or make a file for this process's record, and move the record there. The lock is held.
 *
 * @param may_add_pid  when the file belongs to another process of the same run, use "<path>.<pid>".
 * @return 0, or an errno value, with the reason in `why`; the record is where it was.
 */
int wi__record_move_to_file(const char *path, int may_add_pid, char *why, size_t size);

#endif
