/*
 * How a process ended, as far as its record can tell.
 */
#ifndef WITHIN_REPORT_ENDING_H
#define WITHIN_REPORT_ENDING_H

#include <stddef.h>

#include "record/profile.h"

typedef enum wi__ending {
    WI__NOT_MEASURED, /* no process has used the record */
    WI__RUNNING,
    WI__EXITED,   /* with a status that `within run` saw */
    WI__KILLED,   /* by a signal that `within run` saw */
    WI__FINISHED, /* reached its exit; nobody saw the status */
    WI__CUT_OFF,  /* gone without reaching its exit */
} wi__ending;

wi__ending wi__ending_of(const wi__profile *profile);
/** "ended with status 3", "killed by signal 11 (SIGSEGV): segmentation fault", … */
void wi__ending_text(const wi__profile *profile, char *buffer, size_t size);
/** The same from a status as of wait(2). */
void wi__wait_status_text(int wait_status, char *buffer, size_t size);
/** "exit", "signal", … : the word for programs. */
const char *wi__ending_word(wi__ending ending);

#endif
