/* Managers of the core, entered and left. */
#include "core_manager.h"

typedef struct leaving {
    wi_manager *manager;
    wi_reason reason;
} leaving;

static void enter(void *manager) { ((wi_manager *)manager)->protocol->enter(manager); }

static void leave(void *arg) {
    const leaving *l = arg;
    l->manager->protocol->exit(l->manager, l->reason, NULL);
}

int within_core_enter(within_caller *call, void *manager) { return call(enter, manager); }

int within_core_exit(within_caller *call, void *manager, wi_reason reason) {
    return call(leave, &(leaving){manager, reason});
}

void within_core_drop(within_caller *call, void *manager, wi_reason reason, PyObject *source) {
    PyObject *kind, *value, *traceback;
    PyErr_Fetch(&kind, &value, &traceback);
    if (within_core_exit(call, manager, reason)) PyErr_WriteUnraisable(source);
    PyErr_Restore(kind, value, traceback);
}
