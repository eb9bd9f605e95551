/* Complaints of the record. */
#include "record/complain.h"

#include <stdarg.h>
#include <stdio.h>

void wi__complain(const char *format, ...) {
    enum { MOST = 4 };
    static int said;
    if (__atomic_fetch_add(&said, 1, __ATOMIC_RELAXED) >= MOST) return;
    char text[1024] = "within: ";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + 8, sizeof text - 8, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", text);
}
