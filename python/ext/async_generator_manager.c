/* contextlib._AsyncGeneratorContextManager: an asynchronous generator as the manager of a block. */
#include "async_step.h"
#include "function_call.h"

static PyObject *manager_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    const within_state *state = within_state_of_type(Py_TYPE(self));
    return within_async_step_enter(state, (generator_manager *)self);
}

static PyObject *manager_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__aexit__() takes 3 arguments (%zd given)", count);
    const within_state *state = within_state_of_type(Py_TYPE(self));
    return within_async_step_exit(state, (generator_manager *)self, args);
}

/* As a decorator: a coroutine function has to be one, so it is Python's. */
static PyObject *decorate(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    const within_state *state = within_state_of_type(Py_TYPE(self));
    PyObject *call = PyObject_GetAttrString((PyObject *)state->async_context_decorator, "__call__");
    PyObject *bound = call ? PyMethod_New(call, self) : NULL;
    PyObject *result =
        bound ? PyObject_Vectorcall(bound, args, PyVectorcall_NARGS(nargsf), names) : NULL;
    Py_XDECREF(call);
    Py_XDECREF(bound);
    return result;
}

static const within_with_methods with_methods = {
    .enter = {"__aenter__", manager_enter, METH_NOARGS, "Run the generator up to its yield."},
    .exit = {"__aexit__", (PyCFunction)(void (*)(void))manager_exit, METH_FASTCALL,
             "Run the generator to its end, or raise the body's error in it."},
    .call = decorate,
};

static PyObject *manager_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *manager_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                    PyObject *names) {
    return within_generator_manager_construct((PyTypeObject *)type, manager_call, args, nargsf,
                                              names);
}

/* Of subclasses: their objects are no blocks when they are called. */
static PyObject *manager_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_generator_manager_new(type, decorate);
}

/* A decorated generator function's call; its closure is the type and the generator function. */
static PyObject *function_vectorcall(PyObject *function, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    PyObject *type = within_function_cell(function, 0), *func = within_function_cell(function, 1);
    if (!func || !type || !PyType_Check(type) ||
        ((PyTypeObject *)type)->tp_vectorcall != manager_vectorcall)
        return within_function_call_python(function, args, nargsf, names);
    return within_generator_manager_of_call((PyTypeObject *)type, manager_call, func, args, nargsf,
                                            names);
}

static PyObject *fast_manager_function(PyObject *module, PyObject *function) {
    (void)module;
    return within_function_set_call(function, function_vectorcall);
}

/* async_generator_manager(gen, func, *args): the manager of gen, which func(*args) returned. */
static PyObject *manager_of_generator(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count < 2) return PyErr_Format(PyExc_TypeError, "expected a generator and its function");
    return within_generator_manager_of_generator(within_state_of(module)->async_generator_manager,
                                                 manager_call, args[0], args[1], args + 2,
                                                 (size_t)count - 2, NULL);
}

static PyMethodDef functions[] = {
    {"async_generator_manager", (PyCFunction)(void (*)(void))manager_of_generator, METH_FASTCALL,
     NULL},
    {"fast_async_manager_function", fast_manager_function, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

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
    .name = "within.contextlib._AsyncGeneratorContextManager",
    .basicsize = sizeof(generator_manager),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_async_generator_manager(PyObject *module) {
    within_state *state = within_state_of(module);
    PyObject *contextlib = PyImport_ImportModule("contextlib");
    if (!contextlib) return -1;
    PyObject *decorator = PyObject_GetAttrString(contextlib, "AsyncContextDecorator");
    Py_DECREF(contextlib);
    state->async_context_decorator = (PyTypeObject *)decorator;
    PyObject *bases = decorator ? PyTuple_Pack(2, state->generator_manager_base, decorator) : NULL;
    PyTypeObject *type = bases ? within_add_type(module, &spec, bases) : NULL;
    Py_XDECREF(bases);
    if (!type || within_add_with_methods(module, type, &with_methods)) return -1;
    type->tp_vectorcall = manager_vectorcall;
    state->async_generator_manager = (PyTypeObject *)Py_NewRef(type);
    return PyModule_AddFunctions(module, functions);
}
