/* Safe points of this library's own exits. */
#ifndef WITHIN_MANAGE_SAFE_POINT_H
#define WITHIN_MANAGE_SAFE_POINT_H

#include <within/interrupts.h>

/** At the end of an exit that was told WI_END: what is around its block may be left by an error. */
void wi__safe_point_of_exit(const wi_place *place);

#endif
