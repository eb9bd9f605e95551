/* Steps that are done whole, and what went wrong with them, raised. */
#include "manage/trouble.h"

#include <pthread.h>

void wi__do_whole(const char *path, wi__trouble (*steps)(void *arg), void *arg) {
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    wi__trouble trouble = steps(arg);
    pthread_setcancelstate(before, NULL);
    if (!trouble.what) return;
    if (trouble.errnum) wi_raise_errno(trouble.errnum, "%s: %s", path, trouble.what);
    wi_raise(WI_OS_ERROR, "%s: %s", path, trouble.what);
}
