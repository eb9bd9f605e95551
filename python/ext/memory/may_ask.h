/*
 * When the leak watch may ask Python: its looks happen wherever a section begins or ends.
 */
#ifndef WITHIN_EXT_MEMORY_MAY_ASK_H
#define WITHIN_EXT_MEMORY_MAY_ASK_H

#include "module.h"

#if PY_VERSION_HEX >= 0x030d0000
#define within_current_state PyThreadState_GetUnchecked
#else
#define within_current_state _PyThreadState_UncheckedGet
#endif

/* The thread must have the lock of the interpreter, the main one, at a moment at which it may call functions. */
static inline bool within_may_ask(void) {
    PyThreadState *mine = Py_IsInitialized() ? PyGILState_GetThisThreadState() : NULL;
    return mine && mine == within_current_state() &&
           PyThreadState_GetInterpreter(mine) == PyInterpreterState_Main();
}

#endif
