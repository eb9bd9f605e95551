/* A callback of an exit stack as an object with the signature of __exit__, for those who read _exit_callbacks. */
#ifndef WITHIN_EXT_EXIT_CALLBACK_H
#define WITHIN_EXT_EXIT_CALLBACK_H

#include "contextlib/exits.h"

typedef struct within_exit_callback {
    PyObject_HEAD vectorcallfunc call;
    within_exit exit;
} within_exit_callback;

#endif
