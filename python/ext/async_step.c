/* The steps into and out of an asynchronous generator's block: awaitables that drive the generator. */
#include "async_step.h"

#include "enclosing.h"
#include "generator.h"
#include "raised.h"

typedef enum async_stage {
    ENTER, /* not started: to enter */
    EXIT,  /* not started: to leave */
    ENTERING,
    FINISHING, /* the body has ended: the generator should, too */
    THROWING,  /* the body's error has been raised in the generator */
    CLOSING,   /* it did not stop; self->error says so, when it is closed */
    DONE,
} async_stage;

typedef struct async_step {
    PyObject_HEAD generator_manager *manager;
    PyObject *awaited;   /* from the first resume on: the iterator that gets the next one */
    PyObject *raised[3]; /* of exit: type, value, traceback */
    PyObject *error;
    async_stage stage;
    bool running;
} async_step;

static async_step *step_new(within_state *state, generator_manager *manager, async_stage stage) {
    async_step *self = (async_step *)within_pool_new(&state->async_steps, state->async_step);
    if (!self) return NULL;
    self->manager = (generator_manager *)Py_NewRef(manager);
    self->awaited = self->error = NULL;
    self->raised[0] = self->raised[1] = self->raised[2] = NULL;
    self->stage = stage;
    self->running = false;
    return self;
}

PyObject *within_async_step_enter(within_state *state, generator_manager *manager) {
    async_step *self = step_new(state, manager, ENTER);
    if (self) PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *within_async_step_exit(within_state *state, generator_manager *manager,
                                 PyObject *const *raised) {
    async_step *self = step_new(state, manager, EXIT);
    if (!self) return NULL;
    for (int i = 0; i < 3; i++) self->raised[i] = Py_NewRef(raised[i]);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* Wait for the next yield or the end of the generator. */
static int await_next(async_step *self, async_stage stage) {
    PyObject *gen = within_generator_manager_generator(self->manager);
    if (!gen) return -1;
    const PyAsyncMethods *async = Py_TYPE(gen)->tp_as_async;
    if (async && async->am_anext)
        self->awaited = within_async_iterator(async->am_anext(gen));
    else
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator",
                     Py_TYPE(gen)->tp_name);
    Py_DECREF(gen);
    self->stage = stage;
    return self->awaited ? 0 : -1;
}

/* Up to 3.11 contextlib hands athrow() all three. */
static PyObject *throw_into(const within_state *state, PyObject *gen, PyObject *const *raised) {
    PyObject *args[] = {gen, raised[0], raised[1], raised[2]};
    size_t count = 4;
#if PY_VERSION_HEX >= 0x030C0000
    args[1] = raised[1];
    count = 2;
#endif
    return PyObject_VectorcallMethod(state->names.nathrow, args, count, NULL);
}

static int await_throw(async_step *self) {
    const within_state *state = within_state_from(Py_TYPE(self));
    if (Py_IsNone(self->raised[1])) {
        PyObject *made = PyObject_CallNoArgs(self->raised[0]);
        if (!made) return -1;
        Py_SETREF(self->raised[1], made);
    }
    PyObject *gen = within_generator_manager_generator(self->manager);
    if (!gen) return -1;
    self->awaited = within_async_iterator(throw_into(state, gen, self->raised));
    Py_DECREF(gen);
    self->stage = THROWING;
    return self->awaited ? 0 : -1;
}

static int begin(async_step *self) {
    if (self->stage == EXIT)
        return Py_IsNone(self->raised[0]) ? await_next(self, FINISHING) : await_throw(self);
    if (within_generator_manager_forget_call(self->manager)) return -1;
    return await_next(self, ENTERING);
}

/* One more yield. The generator is closed before the error goes its way, if contextlib does so. */
static int did_not_stop(async_step *self, const char *message) {
    PyErr_SetString(PyExc_RuntimeError, message);
    if (!within_generator_closes()) return -1;
    self->error = within_take_raised();
    self->stage = CLOSING;
    PyObject *gen = within_generator_manager_generator(self->manager);
    within_handled handled = within_handle(self->error);
    PyObject *closing = gen ? PyObject_CallMethod(gen, "aclose", NULL) : NULL;
    Py_XSETREF(self->awaited, within_async_iterator(closing));
    within_handled_restore(handled);
    Py_XDECREF(gen);
    return self->awaited ? 0 : -1;
}

static PySendResult verdict(int swallowed, PyObject **result) {
    if (swallowed < 0) return PYGEN_ERROR;
    *result = Py_NewRef(swallowed ? Py_True : Py_False);
    return PYGEN_RETURN;
}

static PySendResult entered(PySendResult sent) {
    if (sent != PYGEN_ERROR || !PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) return sent;
    PyObject *stop = within_take_raised();
    within_generator_did_not_yield(stop);
    Py_DECREF(stop);
    return PYGEN_ERROR;
}

static PySendResult finished(PyObject **result) {
    if (!PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) return PYGEN_ERROR;
    PyErr_Clear();
    return verdict(0, result);
}

static PySendResult thrown(async_step *self, PyObject **result) {
    const within_state *state = within_state_from(Py_TYPE(self));
    return verdict(within_generator_thrown(self->raised[1], self->raised[2],
                                           PyExc_StopAsyncIteration, state->stops),
                   result);
}

/* The awaited iterator has ended. PYGEN_NEXT: there is another one to be waited for. */
static PySendResult ended(async_step *self, PySendResult sent, PyObject **result) {
    if (self->stage == ENTERING) return entered(sent);
    if (sent == PYGEN_ERROR && self->stage == FINISHING) return finished(result);
    if (sent == PYGEN_ERROR && self->stage == THROWING) return thrown(self, result);
    if (sent == PYGEN_ERROR) return sent;
    Py_CLEAR(*result);
    if (self->stage == CLOSING) {
        within_raise(Py_NewRef(self->error));
        return PYGEN_ERROR;
    }
    const char *message =
        self->stage == FINISHING ? "generator didn't stop" : "generator didn't stop after athrow()";
    return did_not_stop(self, message) ? PYGEN_ERROR : PYGEN_NEXT;
}

/* What the generator opens on its way to the yield belongs to who enters. */
static PySendResult send_entering(async_step *self, PyObject *value, PyObject **result) {
    within_entered entered;
    within_entering_begin(&entered, self->manager->gen);
    PySendResult sent = PyIter_Send(self->awaited, value, result);
    within_entering_end(&entered);
    return sent;
}

static PyObject *next_entering(async_step *self) {
    within_entered entered;
    within_entering_begin(&entered, self->manager->gen);
    PyObject *result = Py_TYPE(self->awaited)->tp_iternext(self->awaited);
    within_entering_end(&entered);
    return result;
}

/* While the generator is closed, the error that it did not stop is being handled. */
static PySendResult send(async_step *self, PyObject *value, PyObject **result) {
    if (self->stage == ENTERING) return send_entering(self, value, result);
    if (self->stage != CLOSING) return PyIter_Send(self->awaited, value, result);
    within_handled handled = within_handle(self->error);
    PySendResult sent = PyIter_Send(self->awaited, value, result);
    within_handled_restore(handled);
    return sent;
}

static void done(async_step *self) {
    self->stage = DONE;
    self->running = false;
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->error);
    for (int i = 0; i < 3; i++) Py_CLEAR(self->raised[i]);
}

/* Go on as far as the awaited iterators let it: to their next yield, or to the end of the step. */
static PySendResult go_on(async_step *self, PySendResult sent, PyObject **result) {
    while (sent != PYGEN_NEXT) {
        sent = ended(self, sent, result);
        if (sent != PYGEN_NEXT) {
            if (sent == PYGEN_ERROR) within_raise(within_take_raised()); /* with its traceback */
            done(self);
            return sent;
        }
        sent = send(self, Py_None, result);
    }
    self->running = false;
    return sent;
}

/* Whether the step can be resumed. */
static int check(async_step *self) {
    if (self->running)
        PyErr_SetString(PyExc_ValueError, "coroutine already executing");
    else if (self->stage == DONE)
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    else
        return 0;
    return -1;
}

static PySendResult step_am_send(PyObject *object, PyObject *value, PyObject **result) {
    async_step *self = (async_step *)object;
    *result = NULL;
    if (check(self)) return PYGEN_ERROR;
    if (self->stage <= EXIT && !Py_IsNone(value)) {
        PyErr_SetString(PyExc_TypeError, "can't send non-None value to a just-started coroutine");
        return PYGEN_ERROR;
    }
    self->running = true;
    if (self->stage <= EXIT && begin(self)) {
        done(self);
        return PYGEN_ERROR;
    }
    return go_on(self, send(self, value, result), result);
}

static PyObject *resume(PyObject *self) {
    PyObject *result;
    PySendResult sent = step_am_send(self, Py_None, &result);
    return within_async_result(sent, result);
}

/*
 * What the generator yields is what __aenter__ gives, and comes in the very StopIteration that says so:
 * from 3.12 on, where `await` asks for the next item, it is passed on without being unpacked.
 */
static PyObject *enter_next(async_step *self) {
    self->running = true;
    if (self->stage == ENTER && begin(self)) {
        done(self);
        return NULL;
    }
    PyObject *result = NULL;
    PySendResult sent = PYGEN_ERROR;
    if (!PyIter_Check(self->awaited))
        sent = send(self, Py_None, &result);
    else if ((result = next_entering(self)))
        sent = PYGEN_NEXT;
    else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_StopIteration)) {
        done(self);
        return NULL;
    }
    sent = go_on(self, sent, &result);
    return within_async_result(sent, result);
}

static PyObject *step_next(PyObject *object) {
    async_step *self = (async_step *)object;
    if (self->running || (self->stage != ENTER && self->stage != ENTERING)) return resume(object);
    return enter_next(self);
}

static PyObject *step_send(PyObject *self, PyObject *value) {
    PyObject *result;
    PySendResult sent = step_am_send(self, value, &result);
    return within_async_result(sent, result);
}

/* GeneratorExit closes what is awaited; other errors are raised in it. */
static PySendResult throw_on(async_step *self, PyObject **args, Py_ssize_t count,
                             PyObject **result) {
    *result = NULL;
    if (!PyErr_GivenExceptionMatches(args[0], PyExc_GeneratorExit))
        return within_async_throw(self->awaited, args, count, result);
    if (within_async_close(self->awaited) == 0) within_async_raise(args, count);
    return PYGEN_ERROR;
}

/* An error thrown into a coroutine has what that was handling as its context, whatever it had before. */
static PySendResult throw_while_closing(async_step *self, PyObject **args, Py_ssize_t count,
                                        PyObject **result) {
    within_handled handled = within_handle(self->error);
    PySendResult sent = throw_on(self, args, count, result);
    within_handled_restore(handled);
    if (sent == PYGEN_ERROR) {
        PyObject *error = within_take_raised();
        if (error != self->error) PyException_SetContext(error, Py_NewRef(self->error));
        within_raise(error);
    }
    return sent;
}

static PySendResult throw_in(async_step *self, PyObject **args, Py_ssize_t count,
                             PyObject **result) {
    *result = NULL;
    if (self->stage <= EXIT) {
        done(self);
        within_async_raise(args, count);
        return PYGEN_ERROR;
    }
    self->running = true;
    PySendResult sent = self->stage == CLOSING ? throw_while_closing(self, args, count, result)
                                               : throw_on(self, args, count, result);
    return go_on(self, sent, result);
}

static PyObject *step_throw(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    async_step *self = (async_step *)object;
    if (count < 1 || count > 3)
        return PyErr_Format(PyExc_TypeError, "throw() takes 1 to 3 arguments (%zd given)", count);
    if (check(self)) return NULL;
    PyObject *copy[4] = {NULL}, *result;
    for (Py_ssize_t i = 0; i < count; i++) copy[i + 1] = args[i];
    PySendResult sent = throw_in(self, copy + 1, count, &result);
    return within_async_result(sent, result);
}

static PyObject *step_close(PyObject *object, PyObject *unused) {
    (void)unused;
    async_step *self = (async_step *)object;
    if (self->stage <= EXIT) done(self);
    if (self->stage == DONE) Py_RETURN_NONE;
    if (check(self)) return NULL;
    PyObject *args[] = {NULL, PyExc_GeneratorExit}, *result;
    PySendResult sent = throw_in(self, args + 1, 1, &result);
    Py_XDECREF(result);
    if (sent == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return NULL;
    }
    if (sent == PYGEN_ERROR) {
        if (!PyErr_ExceptionMatches(PyExc_GeneratorExit)) return NULL;
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static int step_traverse(PyObject *object, visitproc visit, void *arg) {
    async_step *self = (async_step *)object;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->manager);
    Py_VISIT(self->awaited);
    Py_VISIT(self->error);
    for (int i = 0; i < 3; i++) Py_VISIT(self->raised[i]);
    return 0;
}

static int step_clear(PyObject *object) {
    async_step *self = (async_step *)object;
    done(self);
    Py_CLEAR(self->manager);
    return 0;
}

static void warn_never_awaited(async_step *self) {
    const char *name = self->stage == ENTER ? "__aenter__" : "__aexit__";
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%s.%s' was never awaited",
                         "_AsyncGeneratorContextManager", name))
        PyErr_WriteUnraisable((PyObject *)self);
}

/* A step that nobody awaits to its end is closed, as a coroutine is. */
static void step_finalize(PyObject *object) {
    async_step *self = (async_step *)object;
    if (self->stage == DONE) return;
    PyObject *raised = PyErr_Occurred() ? within_take_raised() : NULL;
    if (self->stage <= EXIT) warn_never_awaited(self);
    PyObject *closed = step_close(object, NULL);
    if (!closed) PyErr_WriteUnraisable(object);
    Py_XDECREF(closed);
    if (raised) within_raise(raised);
}

static void step_dealloc(PyObject *object) {
    async_step *self = (async_step *)object;
    PyTypeObject *type = Py_TYPE(object);
    within_state *state = within_state_of_type(type);
    if (self->stage != DONE && PyObject_CallFinalizerFromDealloc(object)) return;
    PyObject_GC_UnTrack(object);
    step_clear(object);
    /* The mark of a finalized object stays with the memory. */
    within_pool_keep(state && !PyObject_GC_IsFinalized(object) ? &state->async_steps : NULL,
                     object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"send", step_send, METH_O, "Go on with a value; raise StopIteration at the end."},
    {"throw", (PyCFunction)(void (*)(void))step_throw, METH_FASTCALL, "Go on with an error."},
    {"close", step_close, METH_NOARGS, "End with GeneratorExit."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A step into or out of an asynchronous generator's block."},
    {Py_tp_traverse, step_traverse},
    {Py_tp_clear, step_clear},
    {Py_tp_finalize, step_finalize},
    {Py_tp_dealloc, step_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, step_next},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, step_am_send},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.async_step",
    .basicsize = sizeof(async_step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_async_step(PyObject *module) {
    within_state *state = within_state_of(module);
    state->stops = PyTuple_Pack(2, PyExc_StopIteration, PyExc_StopAsyncIteration);
    PyTypeObject *type = state->stops ? within_add_type(module, &spec, NULL) : NULL;
    state->async_step = (PyTypeObject *)Py_XNewRef(type);
    return type ? 0 : -1;
}
