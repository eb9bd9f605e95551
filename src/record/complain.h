/*
 * Trouble inside the record is said once, on stderr, and never passed on to the program.
 */
#ifndef WITHIN_RECORD_COMPLAIN_H
#define WITHIN_RECORD_COMPLAIN_H

#include <within/macros.h>

/** Print "within: …" on stderr. At most four complaints a process: one trouble must not flood a log. */
WI_API void wi__complain(const char *format, ...) WI__PRINTF(1, 2);

#endif
