/* Coroutines whose body is a C function. */
#include "coroutine.h"
#include "awaitable.h"
#include "raised.h"

#include <string.h>
#include <structmember.h>

PyObject *within_coroutine_new(PyObject *owner, within_step step, const char *name) {
    within_state *state = within_state_from(Py_TYPE(owner));
    if (!state) return PyErr_Format(PyExc_SystemError, "%s: the module is gone", name);
    PyObject *self = within_pool_new(&state->coroutines, state->coroutine);
    if (!self) return NULL;
    within_coroutine *coroutine = (within_coroutine *)self;
    coroutine->step = step;
    coroutine->name = name;
    coroutine->owner = Py_NewRef(owner);
    PyObject_GC_Track(self);
    return self;
}

static int coroutine_clear(PyObject *self) {
    within_coroutine *coroutine = (within_coroutine *)self;
    coroutine->step = NULL;
    Py_CLEAR(coroutine->owner);
    Py_CLEAR(coroutine->awaiting);
    Py_CLEAR(coroutine->first);
    Py_CLEAR(coroutine->second);
    within_unwinding_release(&coroutine->unwinding);
    return 0;
}

static int fail(PyObject *type, const char *text) {
    PyErr_SetString(type, text);
    return -1;
}

static int check_usable(const within_coroutine *self) {
    if (self->running) return fail(PyExc_ValueError, "coroutine already executing");
    if (!self->step) return fail(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return 0;
}

/* Coroutines await coroutines: the interpreter's limit of depth is for them too. */
static PySendResult send_to_awaited(within_coroutine *self, PyObject *sent, PyObject **value) {
    *value = NULL;
    if (Py_EnterRecursiveCall(" while awaiting")) return PYGEN_ERROR;
    PySendResult outcome = PyIter_Send(self->awaiting, sent, value);
    Py_LeaveRecursiveCall();
    if (outcome != PYGEN_NEXT) Py_CLEAR(self->awaiting);
    return outcome;
}

/* Runs the body until it awaits something that yields, or is over. value: as for a step. */
static PySendResult run(within_coroutine *self, PyObject *value, PyObject **result) {
    for (;;) {
        *result = NULL;
        PySendResult outcome = self->step(self, value, result);
        if (outcome != PYGEN_NEXT) {
            coroutine_clear((PyObject *)self);
            return outcome;
        }
        PyObject *awaitable = *result;
        value = NULL;
        self->awaiting = within_awaitable_iterator(within_state_of_type(Py_TYPE(self)), awaitable);
        Py_DECREF(awaitable);
        if (!self->awaiting) continue;
        if (send_to_awaited(self, Py_None, &value) == PYGEN_NEXT) {
            *result = value;
            return PYGEN_NEXT;
        }
    }
}

static PySendResult resume(within_coroutine *self, PyObject *value, PyObject **result) {
    self->started = self->running = true;
    PySendResult outcome = run(self, value, result);
    self->running = false;
    return outcome;
}

static PySendResult send_value(within_coroutine *self, PyObject *sent, PyObject **result) {
    PyObject *value = NULL;
    if (self->awaiting) {
        self->running = true;
        PySendResult outcome = send_to_awaited(self, sent, &value);
        self->running = false;
        if (outcome == PYGEN_NEXT) {
            *result = value;
            return PYGEN_NEXT;
        }
    }
    return resume(self, value, result);
}

static PySendResult coroutine_am_send(PyObject *object, PyObject *sent, PyObject **result) {
    within_coroutine *self = (within_coroutine *)object;
    *result = NULL;
    if (check_usable(self)) return PYGEN_ERROR;
    if (!self->started && !Py_IsNone(sent)) {
        fail(PyExc_TypeError, "can't send non-None value to a just-started coroutine");
        return PYGEN_ERROR;
    }
    Py_INCREF(self); /* the body may let go of the last other reference */
    PySendResult outcome = send_value(self, sent, result);
    Py_DECREF(self);
    return outcome;
}

/* The result of a send as that of a method: what was returned becomes a StopIteration. */
static PyObject *as_iteration(PySendResult outcome, PyObject *result) {
    if (outcome != PYGEN_RETURN) return result;
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);
    Py_DECREF(result);
    if (stop) PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    return NULL;
}

static PyObject *coroutine_send(PyObject *self, PyObject *sent) {
    PyObject *result;
    PySendResult outcome = coroutine_am_send(self, sent, &result);
    return as_iteration(outcome, result);
}

/*
 * For await, up to now: what was returned travels in a StopIteration, or as NULL without an error for None.
 * The interpreter takes the value out at once, so that one exception object serves again and again.
 */
#if PY_VERSION_HEX >= 0x030C0000
static void raise_stop(within_coroutine *self, PyObject *value) {
    within_state *state = within_state_of_type(Py_TYPE(self));
    PyStopIterationObject *stop = (PyStopIterationObject *)state->stop_iteration;
    if (Py_REFCNT(stop) > 1 || stop->context || stop->traceback) {
        as_iteration(PYGEN_RETURN, value);
        return;
    }
    Py_XSETREF(stop->value, value);
    self->lent = true;
    PyErr_SetRaisedException(Py_NewRef(stop));
}
#endif

static PyObject *coroutine_next(PyObject *self) {
    PyObject *result;
    PySendResult outcome = coroutine_am_send(self, Py_None, &result);
    if (outcome != PYGEN_RETURN) return result;
    if (Py_IsNone(result)) {
        Py_DECREF(result);
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030C0000
    raise_stop((within_coroutine *)self, result);
    return NULL;
#else
    if (PyTuple_Check(result) || PyExceptionInstance_Check(result))
        return as_iteration(outcome, result);
    PyErr_SetObject(PyExc_StopIteration, result); /* made into an object only if somebody looks */
    Py_DECREF(result);
    return NULL;
#endif
}

/* Sets the error that the arguments of throw() describe. */
static int set_thrown(PyObject *const *args, Py_ssize_t count) {
    PyObject *type = args[0], *value = count > 1 && !Py_IsNone(args[1]) ? args[1] : NULL;
    PyObject *traceback = count > 2 && !Py_IsNone(args[2]) ? args[2] : NULL;
    if (traceback && !PyTraceBack_Check(traceback))
        return fail(PyExc_TypeError, "throw() third argument must be a traceback object");
    if (PyExceptionInstance_Check(type)) {
        if (value) return fail(PyExc_TypeError, "instance exception may not have a separate value");
        if (traceback && PyException_SetTraceback(type, traceback)) return -1;
        within_raise(Py_NewRef(type));
        return 0;
    }
    if (!PyExceptionClass_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        return -1;
    }
    PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), Py_XNewRef(traceback));
    within_raise(within_take_raised());
    return 0;
}

/* Calls a method of what is awaited. NULL without an error: it has no such method. */
static PyObject *call_awaited(within_coroutine *self, const char *name, PyObject *const *args,
                              Py_ssize_t count) {
    PyObject *method = PyObject_GetAttrString(self->awaiting, name);
    if (!method) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
        return NULL;
    }
    self->running = true;
    PyObject *result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
    self->running = false;
    Py_DECREF(method);
    return result;
}

/* Takes the value out of the StopIteration that is raised; NULL, the error still set, if another one is. */
static PyObject *stop_value(void) {
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return NULL;
    PyObject *stop = within_take_raised();
    PyObject *value = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return value;
}

/* Leaves the error in `thrown`, as the awaited one made of it, set; or gives what it returned. */
static PyObject *throw_into_awaited(within_coroutine *self, PyObject *const *args, Py_ssize_t count,
                                    PyObject **yielded) {
    int closing = PyErr_ExceptionMatches(PyExc_GeneratorExit);
    PyObject *thrown = within_take_raised();
    PyObject *result =
        closing ? call_awaited(self, "close", NULL, 0) : call_awaited(self, "throw", args, count);
    if (result && !closing) {
        *yielded = result;
        Py_DECREF(thrown);
        return NULL;
    }
    Py_CLEAR(self->awaiting);
    Py_XDECREF(result);
    if (!PyErr_Occurred()) {
        within_raise(thrown);
        return NULL;
    }
    Py_DECREF(thrown);
    return closing ? NULL : stop_value();
}

static PySendResult throw_error(within_coroutine *self, PyObject *const *args, Py_ssize_t count,
                                PyObject **result) {
    PyObject *value = NULL;
    if (self->awaiting) {
        *result = NULL;
        value = throw_into_awaited(self, args, count, result);
        if (*result) return PYGEN_NEXT;
    } else if (!self->started) {
        coroutine_clear((PyObject *)self);
        return PYGEN_ERROR;
    }
    return resume(self, value, result);
}

static PyObject *coroutine_throw(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    within_coroutine *self = (within_coroutine *)object;
    if (count < 1 || count > 3)
        return PyErr_Format(PyExc_TypeError, "throw() takes 1 to 3 arguments, but %zd were given",
                            count);
    if (check_usable(self) || set_thrown(args, count)) return NULL;
    PyObject *result = NULL;
    Py_INCREF(self);
    PySendResult outcome = throw_error(self, args, count, &result);
    Py_DECREF(self);
    return as_iteration(outcome, outcome == PYGEN_ERROR ? NULL : result);
}

static PyObject *coroutine_close(PyObject *object, PyObject *unused) {
    within_coroutine *self = (within_coroutine *)object;
    (void)unused;
    if (self->running) return fail(PyExc_ValueError, "coroutine already executing"), NULL;
    if (!self->started) coroutine_clear(object);
    if (!self->step) Py_RETURN_NONE;
    PyObject *yielded = coroutine_throw(object, &PyExc_GeneratorExit, 1);
    if (yielded) {
        Py_DECREF(yielded);
        return PyErr_Format(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration) &&
        !PyErr_ExceptionMatches(PyExc_GeneratorExit))
        return NULL;
    PyErr_Clear();
    Py_RETURN_NONE;
}

static PyObject *coroutine_await(PyObject *object) {
    if (!((within_coroutine *)object)->awaiting) return Py_NewRef(object);
    return PyErr_Format(PyExc_RuntimeError, "coroutine is being awaited already");
}

/* One that is dropped half-way is closed; one that never began is warned of. */
static void coroutine_finalize(PyObject *object) {
    within_coroutine *self = (within_coroutine *)object;
    self->finalized = true;
    if (!self->step) return;
    PyObject *raised = PyErr_Occurred() ? within_take_raised() : NULL;
    PyObject *closed = NULL;
    if (!self->started)
        PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%s' was never awaited", self->name);
    else
        closed = coroutine_close(object, NULL);
    if (PyErr_Occurred()) PyErr_WriteUnraisable(object);
    Py_XDECREF(closed);
    if (raised) within_raise(raised);
}

static int coroutine_traverse(PyObject *self, visitproc visit, void *arg) {
    within_coroutine *coroutine = (within_coroutine *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(coroutine->owner);
    Py_VISIT(coroutine->awaiting);
    Py_VISIT(coroutine->first);
    Py_VISIT(coroutine->second);
    return within_unwinding_traverse(&coroutine->unwinding, visit, arg);
}

/* A finalised object bears the collector's mark for ever: it does not go to the pool. */
static void coroutine_dealloc(PyObject *self) {
    within_coroutine *coroutine = (within_coroutine *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (coroutine->step && PyObject_CallFinalizerFromDealloc(self)) return;
    PyObject_GC_UnTrack(self);
    if (coroutine->step) coroutine_clear(self); /* one that is over is cleared already */
    within_state *state = within_state_of_type(type);
    if (coroutine->lent && state) Py_CLEAR(((PyStopIterationObject *)state->stop_iteration)->value);
    coroutine->started = coroutine->lent = false;
    coroutine->phase = 0;
    within_pool_keep(state && !coroutine->finalized ? &state->coroutines : NULL, self);
    Py_DECREF(type);
}

static PyObject *coroutine_repr(PyObject *self) {
    return PyUnicode_FromFormat("<coroutine object %s at %p>", ((within_coroutine *)self)->name,
                                self);
}

static PyObject *get_qualname(PyObject *self, void *unused) {
    (void)unused;
    return PyUnicode_FromString(((within_coroutine *)self)->name);
}

static PyObject *get_name(PyObject *self, void *unused) {
    (void)unused;
    const char *name = ((within_coroutine *)self)->name, *dot = strrchr(name, '.');
    return PyUnicode_FromString(dot ? dot + 1 : name);
}

static PyMethodDef methods[] = {
    {"send", coroutine_send, METH_O, "Resume it with a value."},
    {"throw", (PyCFunction)(void (*)(void))coroutine_throw, METH_FASTCALL,
     "Resume it with an exception."},
    {"close", coroutine_close, METH_NOARGS, "End it, with GeneratorExit where it is."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_qualname, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"cr_await", T_OBJECT, offsetof(within_coroutine, awaiting), READONLY, NULL},
    {"cr_running", T_BOOL, offsetof(within_coroutine, running), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_traverse, coroutine_traverse},
    {Py_tp_clear, coroutine_clear},
    {Py_tp_finalize, coroutine_finalize},
    {Py_tp_dealloc, coroutine_dealloc},
    {Py_tp_repr, coroutine_repr},
    {Py_tp_iternext, coroutine_next},
    {Py_am_await, coroutine_await},
    {Py_am_send, coroutine_am_send},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.coroutine",
    .basicsize = sizeof(within_coroutine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_coroutine(PyObject *module) {
    PyTypeObject *type = within_add_type(module, &spec, NULL);
    within_state *state = within_state_of(module);
    state->coroutine = (PyTypeObject *)Py_XNewRef(type);
    state->stop_iteration = PyObject_CallNoArgs(PyExc_StopIteration);
    return type && state->stop_iteration ? 0 : -1;
}
