/*
 * What went wrong with a file, told to a caller who has to clean up before it is raised.
 */
#ifndef WITHIN_MANAGE_TROUBLE_H
#define WITHIN_MANAGE_TROUBLE_H

#include <within/error.h>

typedef struct wi__trouble {
    const char *what; /* "cannot be replaced", of the file; NULL: all is well. A literal */
    int errnum;       /* why; 0 if `what` says it all */
} wi__trouble;

WI__INLINE wi__trouble wi__trouble_of(const char *what, int errnum) {
    wi__trouble trouble = {what, errnum};
    return trouble;
}

/** `what` if there is an errno value. */
WI__INLINE wi__trouble wi__trouble_if(int errnum, const char *what) {
    return wi__trouble_of(errnum ? what : NULL, errnum);
}

#define WI__NO_TROUBLE wi__trouble_of(NULL, 0)

/**
 * Do steps of which none may be left half-way: a thread that is being cancelled ends after them.
 *
 * @raise the trouble that they come back with: "PATH: WHAT: the system's text". The kind is that of the
 *        errno value, WI_OS_ERROR without one.
 */
void wi__do_whole(const char *path, wi__trouble (*steps)(void *arg), void *arg);

#endif
