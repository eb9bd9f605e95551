/*
 * Which process is which: a pid alone is reused, so its start time and the boot belong to it.
 */
#ifndef WITHIN_RECORD_PROCESS_H
#define WITHIN_RECORD_PROCESS_H

#include <stddef.h>

#include <within/macros.h>

#include "record/format.h"

/** The process with this pid; its start is 0 when it cannot be told. */
wi__process wi__process_of(uint32_t pid);
wi__process wi__process_self(void);
/** This process's arguments, with spaces between; cut when longer. */
WI_API void wi__process_command(char *buffer, size_t size);
/** Is this process of the present boot alive? */
int wi__process_lives(const wi__process *process);
/** Is it alive? `boot_id` is of the boot that it ran in: no process of another boot is. */
int wi__process_is_alive(const wi__process *process, const char *boot_id);
/** This boot's id; an empty string when it cannot be told. */
void wi__boot_id(char *buffer, size_t size);

#endif
