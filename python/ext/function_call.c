/* Python functions whose calls C makes: the one place where they are set up, for each Python. */
#include "function_call.h"

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
