/* The calls of functions that contextmanager and asynccontextmanager decorated: each makes a manager. */
#include "contextlib/function_call.h"
#include "contextlib/generator_manager.h"

/* What the objects of a type do when they are called. @return NULL for a type that is not of these. */
static vectorcallfunc call_of(PyObject *type) {
    if (!type || !PyType_Check(type)) return NULL;
    vectorcallfunc construct = ((PyTypeObject *)type)->tp_vectorcall;
    if (construct == within_generator_manager_vectorcall) return within_generator_manager_call;
    if (construct == within_async_generator_manager_vectorcall)
        return within_async_generator_manager_call;
    return NULL;
}

/* The function's closure is the type of its managers and the generator function. */
static PyObject *function_vectorcall(PyObject *function, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    PyObject *type = within_function_cell(function, 0), *func = within_function_cell(function, 1);
    vectorcallfunc call = call_of(type);
    if (!call || !func) return within_function_call_python(function, args, nargsf, names);
    return within_generator_manager_of_call((PyTypeObject *)type, call, func, args, nargsf, names);
}

static PyObject *fast_manager_function(PyObject *module, PyObject *function) {
    (void)module;
    return within_function_set_call(function, function_vectorcall);
}

static PyObject *of_generator(PyTypeObject *type, vectorcallfunc call, PyObject *const *args,
                              Py_ssize_t count) {
    if (count >= 2)
        return within_generator_manager_of_generator(type, call, args[0], args[1], args + 2,
                                                     (size_t)count - 2, NULL);
    PyErr_SetString(PyExc_TypeError, "expected a generator and its function");
    return NULL;
}

/* generator_manager(gen, func, *args): the manager of gen, which func(*args) returned. */
static PyObject *generator_manager_of(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    return of_generator(within_state_of(module)->generator_manager, within_generator_manager_call,
                        args, count);
}

static PyObject *async_generator_manager_of(PyObject *module, PyObject *const *args,
                                            Py_ssize_t count) {
    return of_generator(within_state_of(module)->async_generator_manager,
                        within_async_generator_manager_call, args, count);
}

/* Whether a function's code uses one of the names, or hands on an argument with the keyword. */
static int code_mentions(PyObject *code, PyObject *used, PyObject *keyword) {
    PyObject *names = ((PyCodeObject *)code)->co_names, *consts = ((PyCodeObject *)code)->co_consts;
    int found = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names) && !found; i++)
        found = PySet_Contains(used, PyTuple_GET_ITEM(names, i));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(consts) && !found; i++)
        if (PyTuple_CheckExact(PyTuple_GET_ITEM(consts, i)))
            found = PySequence_Contains(PyTuple_GET_ITEM(consts, i), keyword);
    return found;
}

/* mentions(func, names, keyword): the names in a frozenset. */
static PyObject *mentions(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (count != 3 || !PyFrozenSet_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "expected a function, a frozenset and a keyword");
        return NULL;
    }
    if (!PyFunction_Check(args[0])) Py_RETURN_FALSE;
    int found = code_mentions(PyFunction_GET_CODE(args[0]), args[1], args[2]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000

/* plain_parameters(func): the names of a function's parameters if all are plain, without defaults. */
static PyObject *plain_parameters(PyObject *module, PyObject *func) {
    (void)module;
    if (!PyFunction_Check(func) || PyFunction_GET_DEFAULTS(func)) Py_RETURN_NONE;
    const PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(func);
    int starred = code->co_flags & (CO_VARARGS | CO_VARKEYWORDS);
    if (starred || code->co_kwonlyargcount || code->co_posonlyargcount) Py_RETURN_NONE;
    return PyTuple_GetSlice(code->co_localsplusnames, 0, code->co_argcount);
}

#endif

static PyMethodDef functions[] = {
    {"fast_manager_function", fast_manager_function, METH_O, NULL},
#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
    {"plain_parameters", plain_parameters, METH_O, NULL},
#endif
    {"mentions", WITHIN_FASTCALL(mentions), NULL},
    {"generator_manager", WITHIN_FASTCALL(generator_manager_of), NULL},
    {"async_generator_manager", WITHIN_FASTCALL(async_generator_manager_of), NULL},
    {NULL, NULL, 0, NULL},
};

int within_add_contextmanager(PyObject *module) { return PyModule_AddFunctions(module, functions); }
