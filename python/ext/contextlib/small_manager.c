/* Managers that are made of one argument: making, collecting and freeing them. */
#include "contextlib/small_manager.h"

PyObject *within_small_manager_make(PyTypeObject *type, vectorcallfunc call, PyObject *argument,
                                    within_remember remember) {
    PyObject *self = within_pool_new(WITHIN_POOL(type, small_managers), type);
    if (!self) return NULL;
    within_small_manager *manager = (within_small_manager *)self;
    manager->instance.manager.call = call;
    manager->argument = Py_NewRef(argument);
    PyObject_GC_Track(self);
    if (remember && remember(manager)) Py_CLEAR(self);
    return self;
}

PyObject *within_small_manager_new(PyTypeObject *type, vectorcallfunc call) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((within_manager *)self)->call = within_call_for(type, call);
    return self;
}

int within_small_manager_set(PyObject *self, PyObject *argument, within_remember remember) {
    within_small_manager *manager = (within_small_manager *)self;
    Py_XSETREF(manager->argument, Py_NewRef(argument));
    return remember ? remember(manager) : 0;
}

int within_remember_list(within_small_manager *self) {
    return within_hold(&self->memory, PyList_New(0));
}

int within_small_manager_traverse(PyObject *self, visitproc visit, void *arg) {
    within_small_manager *manager = (within_small_manager *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(manager->argument);
    Py_VISIT(manager->memory);
    Py_VISIT(manager->instance.attributes);
    return 0;
}

int within_small_manager_clear(PyObject *self) {
    within_small_manager *manager = (within_small_manager *)self;
    Py_CLEAR(manager->argument);
    Py_CLEAR(manager->memory);
    Py_CLEAR(manager->instance.attributes);
    return 0;
}

void within_small_manager_dealloc(PyObject *self) {
    const PyTypeObject *type = Py_TYPE(self);
    bool is_exact = type->tp_dealloc == within_small_manager_dealloc;
    PyObject_GC_UnTrack(self);
    if (((within_instance *)self)->weak_references) PyObject_ClearWeakRefs(self);
    within_small_manager_clear(self);
    within_pool_keep(is_exact ? WITHIN_POOL(type, small_managers) : NULL, self);
}

PyMethodDef within_small_manager_methods[] = {
    WITHIN_INSTANCE_GENERIC,
    WITHIN_INSTANCE_STATE,
    {NULL, NULL, 0, NULL},
};
