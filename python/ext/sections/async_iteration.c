/* What `async for` awaits at each pass of a measured loop: the source's own step, timed. */
#include "awaitable.h"
#include "raised.h"
#include "sections/iteration.h"

typedef struct step {
    PyObject_HEAD within_iteration *iteration;
    PyObject *awaited; /* what the source's step iterates; NULL: not begun, or ended */
    char begun;
} step;

/* ---- begin and end ---- */

static PyObject *ask(PyObject *source) {
    return within_awaitable_iterator(Py_TYPE(source)->tp_as_async->am_anext(source));
}

static void end(step *self, within_arrival arrival) {
    PyObject *awaited = self->awaited;
    self->awaited = NULL;
    within_iteration_arrived(self->iteration, arrival);
    Py_XDECREF(awaited);
}

static void end_by_error(step *self) {
    end(self, PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ? WITHIN_END : WITHIN_ERROR);
}

static int begin(step *self) {
    if (self->begun) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse a step of Profiler.iterate(): it was awaited");
        return -1;
    }
    if (!self->iteration->source) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return -1;
    }
    if (within_iteration_wait(self->iteration)) return -1;
    self->begun = 1;
    self->awaited = ask(self->iteration->source);
    if (self->awaited) return 0;
    end_by_error(self);
    return -1;
}

/* ---- the protocol of what is awaited ---- */

static PySendResult step_send(PyObject *op, PyObject *value, PyObject **result) {
    step *self = (step *)op;
    *result = NULL;
    if (!self->awaited && begin(self)) return PYGEN_ERROR;
    PyObject *awaited = Py_NewRef(self->awaited);
    PySendResult sent = PyIter_Send(awaited, value, result);
    Py_DECREF(awaited);
    if (sent == PYGEN_ERROR) end_by_error(self);
    if (sent == PYGEN_RETURN) end(self, WITHIN_ITEM);
    return sent;
}

static PyObject *stop_with(PyObject *item) {
    within_raise_stop(item);
    Py_DECREF(item);
    return NULL;
}

static PyObject *step_send_method(PyObject *op, PyObject *value) {
    PyObject *result;
    return step_send(op, value, &result) == PYGEN_RETURN ? stop_with(result) : result;
}

static PyObject *step_next(PyObject *op) { return step_send_method(op, Py_None); }

static PyObject *throw_into(PyObject *awaited, PyObject *args) {
    PyObject *method = PyObject_GetAttrString(awaited, "throw");
    PyObject *result = method ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    return result;
}

/* It ends by an item when the source handles what is thrown in. */
static PyObject *step_throw(PyObject *op, PyObject *args) {
    step *self = (step *)op;
    if (!self->awaited && begin(self)) return NULL;
    PyObject *awaited = Py_NewRef(self->awaited);
    PyObject *result = throw_into(awaited, args);
    Py_DECREF(awaited);
    if (result) return result;
    if (PyErr_ExceptionMatches(PyExc_StopIteration))
        end(self, WITHIN_ITEM);
    else
        end_by_error(self);
    return NULL;
}

static PyObject *step_close(PyObject *op, PyObject *unused) {
    (void)unused;
    step *self = (step *)op;
    self->begun = 1;
    if (!self->awaited) Py_RETURN_NONE;
    PyObject *closed = PyObject_CallMethod(self->awaited, "close", NULL);
    end(self, WITHIN_ERROR);
    return closed;
}

/* ---- life ---- */

static int step_traverse(PyObject *op, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((step *)op)->iteration);
    Py_VISIT(((step *)op)->awaited);
    return 0;
}

static int step_clear(PyObject *op) {
    step *self = (step *)op;
    if (self->awaited && self->iteration) end(self, WITHIN_ERROR);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->iteration);
    return 0;
}

static void step_dealloc(PyObject *op) {
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    step_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef step_methods[] = {
    {"send", step_send_method, METH_O, "Go on with a value."},
    {"throw", step_throw, METH_VARARGS, "Go on with an exception."},
    {"close", step_close, METH_NOARGS, "Give up."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What `async for` awaits in a loop that Profiler.iterate() measures."},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, step_send},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, step_next},
    {Py_tp_methods, step_methods},
    {Py_tp_traverse, step_traverse},
    {Py_tp_clear, step_clear},
    {Py_tp_dealloc, step_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.iteration_step",
    .basicsize = sizeof(step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *within_iteration_anext(PyObject *iteration) {
    within_state *state = within_state_of_type(Py_TYPE(iteration));
    step *self = state ? PyObject_GC_New(step, state->iteration_step) : NULL;
    if (!self) return NULL;
    self->iteration = (within_iteration *)Py_NewRef(iteration);
    self->awaited = NULL;
    self->begun = 0;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

int within_add_async_iteration(PyObject *module) {
    return within_hold_type(&within_state_of(module)->iteration_step,
                            within_add_type(module, &spec, NULL));
}
