/*
 * Who owns an unfinished file or a scratch folder: its name says so, and those of dead processes can be told.
 *
 *     .ber.csv.within-4711-8812345-1a2b3c4d-5e6f7a8b-0
 *      STEM           PID  START   BOOT     HOST     N
 *
 * START is the process's start time in clock ticks since the boot, BOOT the beginning of the kernel's boot
 * id. HOST is a hash of the host's name and of the pid namespace: elsewhere the pid means nothing.
 */
#ifndef WITHIN_MANAGE_OWNER_H
#define WITHIN_MANAGE_OWNER_H

#include <limits.h>

#include <within/macros.h>

#include "record/process.h"

typedef struct wi__owner {
    wi__process process;
    char boot[9];
    char host[9];
} wi__owner;

typedef enum wi__owner_state {
    WI__OWNER_ALIVE,
    WI__OWNER_DEAD,
    WI__OWNER_ELSEWHERE /* on another host, or in another container: it cannot be told from here */
} wi__owner_state;

WI_API wi__owner wi__owner_self(void);
WI_API wi__owner_state wi__owner_state_of(const wi__owner *owner);

/**
 * A name that this process has not used yet: ".STEM.within-…".
 *
 * @param stem  text without a '/'; cut where the name would become longer than file systems allow.
 */
WI_API void wi__owned_name(const char *stem, char name[NAME_MAX + 1]);
/** Is this such a name? Then its owner is filled in. */
WI_API int wi__owner_of_name(const char *name, wi__owner *owner);

#endif
