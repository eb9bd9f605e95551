/* Coroutines whose body is a C function. */
#include "contextlib/coroutine.h"
#include "arguments.h"
#include "awaitable.h"
#include "entering.h"
#include "raised.h"
#include "unbroken.h"

#include <string.h>
#include <structmember.h>

PyObject *within_coroutine_new(PyObject *owner, within_step step, const char *name) {
    within_state *state = within_state_of_subtype(Py_TYPE(owner));
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

PyObject *within_coroutine_of_exit(PyObject *owner, within_step step, const char *name,
                                   PyObject *const args[3]) {
    PyObject *self = within_coroutine_new(owner, step, name);
    if (self) within_unwinding_begin(&((within_coroutine *)self)->unwinding, args);
    return self;
}

PySendResult within_coroutine_end(PyObject *value, PyObject **result) {
    if (!value) return PYGEN_ERROR;
    Py_DECREF(value);
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static int coroutine_clear(PyObject *self) {
    within_coroutine *coroutine = (within_coroutine *)self;
    coroutine->step = NULL;
    Py_CLEAR(coroutine->owner);
    Py_CLEAR(coroutine->awaiting);
    Py_CLEAR(coroutine->first);
    Py_CLEAR(coroutine->second);
    Py_CLEAR(coroutine->entering);
    Py_CLEAR(coroutine->handled);
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

/* What surrounds the awaited while it runs, as the coroutine's own block would. */
typedef struct surroundings {
    within_entered entered;
    within_handled handled;
} surroundings;

static void surround(const within_coroutine *self, surroundings *saved) {
    saved->entered = (within_entered){self->entering, within_entering};
    within_entering = &saved->entered;
    if (self->handled) saved->handled = within_handle(self->handled);
}

static void restore(const within_coroutine *self, const surroundings *saved) {
    if (self->handled) within_handled_restore(saved->handled);
    within_entering = saved->entered.around;
}

/* Coroutines await coroutines: the interpreter's limit of depth is for them too. */
static PySendResult send_to_awaited(within_coroutine *self, PyObject *sent, PyObject **value) {
    surroundings saved;
    *value = NULL;
    if (Py_EnterRecursiveCall(" while awaiting")) return PYGEN_ERROR;
    surround(self, &saved);
    PySendResult outcome = PyIter_Send(self->awaiting, sent, value);
    restore(self, &saved);
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
            if (outcome == PYGEN_ERROR) within_raise(within_take_raised()); /* with its traceback */
            return outcome;
        }
        value = NULL;
        self->awaiting = within_awaitable_iterator(*result);
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
    unsigned long around = within_unbroken_begin();
    PySendResult outcome = send_value(self, sent, result);
    within_unbroken_end(around);
    Py_DECREF(self);
    return outcome;
}

/* The result of a send as that of a method: what was returned becomes a StopIteration. */
static PyObject *as_iteration(PySendResult outcome, PyObject *result) {
    if (outcome != PYGEN_RETURN) return result;
    within_raise_stop(result);
    Py_DECREF(result);
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
    return as_iteration(outcome, result);
#endif
}

/* Calls a method of what is awaited. NULL without an error: it has no such method. */
static PyObject *call_awaited(within_coroutine *self, const char *name, PyObject *const *args,
                              Py_ssize_t count) {
    PyObject *method = PyObject_GetAttrString(self->awaiting, name);
    if (!method) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
        return NULL;
    }
    surroundings saved;
    surround(self, &saved);
    self->running = true;
    PyObject *result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
    self->running = false;
    restore(self, &saved);
    Py_DECREF(method);
    return result;
}

/* An error thrown into a coroutine has what that was handling as its context, whatever it had before. */
static void set_context(PyObject *handled) {
    PyObject *error = within_take_raised();
    if (error != handled) PyException_SetContext(error, Py_NewRef(handled));
    within_raise(error);
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
    if (PyErr_Occurred())
        Py_DECREF(thrown);
    else
        within_raise(thrown);
    PyObject *returned = closing ? NULL : within_take_stop();
    if (!returned && self->handled) set_context(self->handled);
    return returned;
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
    if (check_usable(self) || within_raise_thrown(args, count)) return NULL;
    PyObject *result = NULL;
    Py_INCREF(self);
    unsigned long around = within_unbroken_begin();
    PySendResult outcome = throw_error(self, args, count, &result);
    within_unbroken_end(around);
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
    Py_VISIT(coroutine->entering);
    Py_VISIT(coroutine->handled);
    return within_unwinding_traverse(&coroutine->unwinding, visit, arg);
}

/* A finalised object bears the collector's mark for ever: it does not go to the pool. */
static void coroutine_dealloc(PyObject *self) {
    within_coroutine *coroutine = (within_coroutine *)self;
    if (coroutine->step && PyObject_CallFinalizerFromDealloc(self)) return;
    PyObject_GC_UnTrack(self);
    if (coroutine->step) coroutine_clear(self); /* one that is over is cleared already */
    within_state *state = within_state_of_type(Py_TYPE(self));
    if (coroutine->lent && state) Py_CLEAR(((PyStopIterationObject *)state->stop_iteration)->value);
    coroutine->started = coroutine->lent = false;
    coroutine->phase = 0;
    within_pool_keep(state && !coroutine->finalized ? &state->coroutines : NULL, self);
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
    {"throw", WITHIN_FASTCALL(coroutine_throw), "Resume it with an exception."},
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
    within_state *state = within_state_of(module);
    if (within_hold(&state->stop_iteration, PyObject_CallNoArgs(PyExc_StopIteration))) return -1;
    return within_hold_type(&state->coroutine, within_add_type(module, &spec, NULL));
}
