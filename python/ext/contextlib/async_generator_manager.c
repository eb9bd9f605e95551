/* contextlib._AsyncGeneratorContextManager: an asynchronous generator as the manager of a block. */
#include "contextlib/async_generator.h"
#include "contextlib/generator_manager.h"

#define NAME "_AsyncGeneratorContextManager"

static PyObject *manager_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_coroutine_new(self, within_async_generator_enter, NAME ".__aenter__");
}

static PyObject *manager_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__aexit__() takes 3 arguments (%zd given)", count);
    return within_coroutine_of_exit(self, within_async_generator_exit, NAME ".__aexit__", args);
}

/* As a decorator: a coroutine function has to be one, so it is Python's. */
static PyObject *decorate(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *call = PyObject_GetAttrString(state->async_context_decorator, "__call__");
    PyObject *bound = call ? PyMethod_New(call, self) : NULL;
    PyObject *result =
        bound ? PyObject_Vectorcall(bound, args, PyVectorcall_NARGS(nargsf), names) : NULL;
    Py_XDECREF(call);
    Py_XDECREF(bound);
    return result;
}

static const within_with_methods with_methods = {
    .enter = {"__aenter__", manager_enter, METH_NOARGS, "Run the generator up to its yield."},
    .exit = {"__aexit__", WITHIN_FASTCALL(manager_exit),
             "Run the generator to its end, or raise the body's error in it."},
    .call = decorate,
};

PyObject *within_async_generator_manager_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

PyObject *within_async_generator_manager_vectorcall(PyObject *type, PyObject *const *args,
                                                    size_t nargsf, PyObject *names) {
    return within_generator_manager_construct(
        (PyTypeObject *)type, within_async_generator_manager_call, args, nargsf, names);
}

/* Of subclasses: their objects are no blocks when they are called. */
static PyObject *manager_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_generator_manager_new(type, decorate);
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The manager that a function decorated with asynccontextmanager returns."},
    {Py_tp_new, manager_new},
    {Py_tp_members, members},
    WITHIN_GENERATOR_MANAGER_SLOTS,
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib." NAME,
    .basicsize = sizeof(generator_manager),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_async_generator_manager(PyObject *module) {
    within_state *state = within_state_of(module);
    PyObject *stops = PyTuple_Pack(2, PyExc_StopIteration, PyExc_StopAsyncIteration);
    if (within_hold(&state->stops, stops)) return -1;
    PyObject *decorator = within_import("contextlib", "AsyncContextDecorator");
    if (within_hold(&state->async_context_decorator, decorator)) return -1;
    PyObject *bases = PyTuple_Pack(2, state->generator_manager_base, decorator);
    if (!bases) return -1;
    PyTypeObject *type = within_add_manager(module, &spec, bases, &with_methods,
                                            within_async_generator_manager_vectorcall);
    Py_DECREF(bases);
    return within_hold_type(&state->async_generator_manager, type);
}
