/* The version of the library. */
#include <within/version.h>

const char *wi_version(void) { return WI_VERSION; }
