/*
 * The version of this library: of the headers at compile time, of the library at run time.
 */
#ifndef WITHIN_VERSION_H
#define WITHIN_VERSION_H

#include <within/macros.h>

WI__BEGIN_DECLS

#define WI_VERSION "0.1.0"

/** The version of the library that the program runs with: "0.1.0". */
WI_API const char *wi_version(void);

WI__END_DECLS

#endif
