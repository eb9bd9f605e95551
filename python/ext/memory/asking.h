/* Whether a thread that the core calls from may ask Python. */
#ifndef WITHIN_EXT_MEMORY_ASKING_H
#define WITHIN_EXT_MEMORY_ASKING_H

#include "module.h"

#if PY_VERSION_HEX >= 0x030d0000
#define WITHIN_CURRENT_STATE PyThreadState_GetUnchecked
#else
#define WITHIN_CURRENT_STATE _PyThreadState_UncheckedGet
#endif

/** The thread must have the lock of the interpreter, the main one, at a moment at which it may call functions. */
static inline bool within_may_ask(void) {
    PyThreadState *mine = Py_IsInitialized() ? PyGILState_GetThisThreadState() : NULL;
    return mine && mine == WITHIN_CURRENT_STATE() &&
           PyThreadState_GetInterpreter(mine) == PyInterpreterState_Main();
}

#endif
