/* Loops that are measured: each pass, and apart from it the wait for the next item. */
#include "sections/iteration.h"

int within_iteration_wait(within_iteration *self) {
    if (self->waiting) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Profiler.iterate(): the next item is waited for already: "
                        "one loop takes the items, one at a time");
        return -1;
    }
    within_timed_close(&self->pass, WI_END);
    self->waiting = 1;
    within_timed_open(&self->wait, &self->tree->family);
    return 0;
}

void within_iteration_arrived(within_iteration *self, within_arrival arrival) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    self->waiting = 0;
    within_timed_close(&self->wait, arrival == WITHIN_ERROR ? WI_RAISED : WI_END);
    if (arrival == WITHIN_END) Py_CLEAR(self->source);
    if (arrival == WITHIN_ITEM) within_timed_open(&self->pass, &self->tree->family);
    PyErr_Restore(type, value, traceback);
}

/* ---- for ---- */

static within_arrival arrival_of(PyObject *item) {
    if (item) return WITHIN_ITEM;
    return PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration) ? WITHIN_ERROR
                                                                            : WITHIN_END;
}

static PyObject *iteration_next(PyObject *op) {
    within_iteration *self = (within_iteration *)op;
    if (!self->source) {
        within_timed_close(&self->pass, WI_END);
        return NULL;
    }
    if (within_iteration_wait(self)) return NULL;
    PyObject *source = Py_NewRef(self->source);
    PyObject *item = Py_TYPE(source)->tp_iternext(source);
    within_iteration_arrived(self, arrival_of(item));
    Py_DECREF(source);
    return item;
}

static PyObject *iteration_length_hint(PyObject *op, PyObject *unused) {
    (void)unused;
    within_iteration *self = (within_iteration *)op;
    if (!self->source) return PyLong_FromLong(0);
    Py_ssize_t hint = PyObject_LengthHint(self->source, -1);
    if (hint == -1 && PyErr_Occurred()) return NULL;
    return hint < 0 ? Py_NewRef(Py_NotImplemented) : PyLong_FromSsize_t(hint);
}

/* ---- life ---- */

static int iteration_traverse(PyObject *op, visitproc visit, void *arg) {
    within_iteration *self = (within_iteration *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    return 0;
}

/* While an exception unwinds a loop it is set: then it is what ended the pass. */
static int iteration_clear(PyObject *op) {
    within_iteration *self = (within_iteration *)op;
    within_timed_close(&self->wait, WI_LEFT);
    within_timed_close(&self->pass, PyErr_Occurred() ? WI_RAISED : WI_LEFT);
    Py_CLEAR(self->source);
    return 0;
}

static void iteration_dealloc(PyObject *op) {
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    within_iteration *self = (within_iteration *)op;
    iteration_clear(op);
    within_timed_release(&self->pass);
    within_timed_release(&self->wait);
    Py_CLEAR(self->tree);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef loop_methods[] = {
    {"__length_hint__", iteration_length_hint, METH_NOARGS,
     "How many items are left, if the source knows."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A loop that Profiler.iterate() measures."},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iteration_next},
    {Py_tp_methods, loop_methods},
    {Py_tp_traverse, iteration_traverse},
    {Py_tp_clear, iteration_clear},
    {Py_tp_dealloc, iteration_dealloc},
    {0, NULL},
};

static PyType_Slot async_slots[] = {
    {Py_tp_doc, "An asynchronous loop that Profiler.iterate() measures."},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, within_iteration_anext},
    {Py_tp_traverse, iteration_traverse},
    {Py_tp_clear, iteration_clear},
    {Py_tp_dealloc, iteration_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.iteration",
    .basicsize = sizeof(within_iteration),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

static PyType_Spec async_spec = {
    .name = "within._within.async_iteration",
    .basicsize = sizeof(within_iteration),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = async_slots,
};

/* ---- making one ---- */

/* A name that the record cuts at its end would lose what is appended: passes and waits would be one line. */
static PyObject *wait_name(PyObject *name) {
    static const char suffix[] = " (wait)", mark[] = "…";
    enum { ROOM = WI_NAME_MAX - (int)sizeof suffix + 1, CUT_ROOM = ROOM - (int)sizeof mark + 1 };
    PyObject *bytes = PyUnicode_AsEncodedString(name, "utf-8", "backslashreplace");
    if (!bytes) return NULL;
    PyObject *begin = NULL, *whole = NULL;
    if (PyBytes_GET_SIZE(bytes) <= ROOM)
        whole = PyUnicode_FromFormat("%U%s", name, suffix);
    else if ((begin = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), CUT_ROOM, "ignore")))
        whole = PyUnicode_FromFormat("%U%s%s", begin, mark, suffix);
    Py_XDECREF(begin);
    Py_DECREF(bytes);
    return whole;
}

static int is_asynchronous(PyObject *iterable) {
    const PyAsyncMethods *methods = Py_TYPE(iterable)->tp_as_async;
    return methods && methods->am_aiter && !Py_TYPE(iterable)->tp_iter;
}

static PyObject *async_iterator_of(PyObject *iterable) {
    PyObject *source = Py_TYPE(iterable)->tp_as_async->am_aiter(iterable);
    const PyAsyncMethods *methods = source ? Py_TYPE(source)->tp_as_async : NULL;
    if (!source || (methods && methods->am_anext)) return source;
    PyErr_Format(PyExc_TypeError,
                 "Profiler.iterate() iterable gave %.200s, which has no __anext__()",
                 Py_TYPE(source)->tp_name);
    Py_DECREF(source);
    return NULL;
}

static PyObject *iterator_of(PyObject *iterable) {
    PyObject *source = PyObject_GetIter(iterable);
    if (source || !PyErr_ExceptionMatches(PyExc_TypeError) || Py_TYPE(iterable)->tp_iter)
        return source;
    return PyErr_Format(PyExc_TypeError, "Profiler.iterate() iterable must be iterable, not %.200s",
                        Py_TYPE(iterable)->tp_name);
}

static int set_up(within_iteration *self, PyObject *name, PyObject *iterable) {
    PyObject *waiting = wait_name(name);
    int failed = !waiting || within_name_of(name, &self->pass.name) ||
                 within_name_of(waiting, &self->wait.name);
    Py_XDECREF(waiting);
    if (failed) return -1;
    self->source = is_asynchronous(iterable) ? async_iterator_of(iterable) : iterator_of(iterable);
    return self->source ? 0 : -1;
}

PyObject *within_iteration_new(within_state *state, within_tree *tree, PyObject *name,
                               PyObject *iterable) {
    PyTypeObject *type = is_asynchronous(iterable) ? state->async_iteration : state->iteration;
    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "Profiler.iterate() name must be str, not %.200s",
                            Py_TYPE(name)->tp_name);
    within_iteration *self = (within_iteration *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->tree = (within_tree *)Py_NewRef(tree);
    if (set_up(self, name, iterable)) Py_CLEAR(self);
    return (PyObject *)self;
}

int within_add_iteration(PyObject *module) {
    within_state *state = within_state_of(module);
    if (within_hold_type(&state->iteration, within_add_type(module, &spec, NULL))) return -1;
    return within_hold_type(&state->async_iteration, within_add_type(module, &async_spec, NULL));
}
