/* Python functions whose calls C makes: the one place where they are set up, for each Python. */
#include "contextlib/function_call.h"

#include "arguments.h"

/* Of all functions that Python makes. */
static vectorcallfunc python_call;

static void set_call(PyFunctionObject *function, vectorcallfunc call) {
#if PY_VERSION_HEX >= 0x030C0000
    PyFunction_SetVectorcall(function, call);
#else
    function->vectorcall = call;
#endif
}

PyObject *within_function_set_call(PyObject *object, vectorcallfunc call) {
    PyFunctionObject *function = (PyFunctionObject *)object;
    if (!PyFunction_Check(object) || !function->func_closure ||
        PyTuple_GET_SIZE(function->func_closure) != 2) {
        PyErr_SetString(PyExc_TypeError, "expected a function with two cells in its closure");
        return NULL;
    }
    python_call = function->vectorcall;
    set_call(function, call);
    return Py_NewRef(object);
}

PyObject *within_function_call_python(PyObject *function, PyObject *const *args, size_t nargsf,
                                      PyObject *names) {
    return python_call(function, args, nargsf, names);
}

/* An attribute that the wrapped object lacks is left as it is. */
static int copy_attribute(PyObject *wrapper, PyObject *wrapped, PyObject *name) {
    PyObject *value = PyObject_GetAttr(wrapped, name);
    if (value) {
        int failed = PyObject_SetAttr(wrapper, name, value);
        Py_DECREF(value);
        return failed;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    return 0;
}

static int copy_dictionary(PyObject *wrapper, PyObject *wrapped) {
    PyObject *from = PyObject_GetAttrString(wrapped, "__dict__");
    if (!from && !PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    if (!from) return 0;
    PyObject *to = PyObject_GetAttrString(wrapper, "__dict__");
    int failed = to ? PyDict_Update(to, from) : -1;
    Py_XDECREF(to);
    Py_DECREF(from);
    return failed;
}

int within_function_wrap(const within_state *state, PyObject *wrapper, PyObject *wrapped) {
    PyObject *names = state->wrapper_assignments;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (copy_attribute(wrapper, wrapped, PyTuple_GET_ITEM(names, i))) return -1;
    if (copy_dictionary(wrapper, wrapped)) return -1;
    return PyObject_SetAttr(wrapper, state->names.n__wrapped__, wrapped);
}

/* wrap(wrapper, wrapped): the wrapper. */
static PyObject *wrap(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) return PyErr_Format(PyExc_TypeError, "wrap() takes 2 arguments");
    if (within_function_wrap(within_state_of(module), args[0], args[1])) return NULL;
    return Py_NewRef(args[0]);
}

static PyMethodDef functions[] = {
    {"wrap", WITHIN_FASTCALL(wrap), NULL},
    {NULL, NULL, 0, NULL},
};

/* What a wrapper copies differs between versions; functools knows. */
int within_add_function_call(PyObject *module) {
    PyObject *names = within_import("functools", "WRAPPER_ASSIGNMENTS");
    PyObject *tuple = names ? PySequence_Tuple(names) : NULL;
    Py_XDECREF(names);
    if (within_hold(&within_state_of(module)->wrapper_assignments, tuple)) return -1;
    return PyModule_AddFunctions(module, functions);
}
