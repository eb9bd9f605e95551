/* contextlib.ContextDecorator: a manager as a decorator, each call of the function in a block of its own. */
#include "contextlib/context_decorator.h"

#include "arguments.h"
#include "contextlib/function_call.h"
#include "contextlib/special_method.h"
#include "raised.h"

/* within/_functions.py makes the function that stands for the decorated one. */
static PyObject *decorate(PyObject *manager, PyObject *func) {
    PyObject *make = within_import("within._functions", "decorated_function");
    PyObject *result = make ? PyObject_CallFunctionObjArgs(make, manager, func, NULL) : NULL;
    Py_XDECREF(make);
    return result;
}

PyObject *within_decorate(PyObject *manager, PyObject *const *args, size_t nargsf,
                          PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf), named = names ? PyTuple_GET_SIZE(names) : 0;
    bool right = count + named == 1;
    if (right && named)
        right = PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "func") == 0;
    if (!right)
        return PyErr_Format(PyExc_TypeError, "%.100s.__call__() takes one argument, func",
                            Py_TYPE(manager)->tp_name);
    return decorate(manager, args[0]);
}

static PyObject *decorator_call(PyObject *manager, PyObject *args, PyObject *keywords) {
    PyObject *func;
    static char *names[] = {"func", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:__call__", names, &func)) return NULL;
    return decorate(manager, func);
}

/* What __exit__ makes of the function's error, which is being handled meanwhile. */
static PyObject *leave_raised(PyObject *manager, within_special_method exit) {
    PyObject *error = within_take_raised(), *traceback = PyException_GetTraceback(error);
    PyObject *const details[] = {(PyObject *)Py_TYPE(error), error,
                                 traceback ? traceback : Py_None};
    within_handled handled = within_handle(error);
    PyObject *verdict = within_call_exit(exit, manager, details);
    int swallowed = verdict ? PyObject_IsTrue(verdict) : -1;
    within_handled_restore(handled);
    Py_XDECREF(verdict);
    return within_left(swallowed, error, traceback);
}

/* The block itself. Its manager's methods have been found. */
static PyObject *block(PyObject *manager, within_special_method enter, within_special_method exit,
                       const within_call *call) {
    PyObject *const nothing[] = {Py_None, Py_None, Py_None};
    PyObject *entered = within_call_special(enter, manager);
    if (!entered) return NULL;
    Py_DECREF(entered);
    PyObject *result = within_make_call(call);
    if (!result) return leave_raised(manager, exit);
    PyObject *left = within_call_exit(exit, manager, nothing);
    if (!left) Py_CLEAR(result);
    Py_XDECREF(left);
    return result;
}

/* No manager after all: a with statement says so in the words of the running version. */
static PyObject *refuse(PyObject *manager) {
    PyObject *enter_and_exit = within_import("within._functions", "enter_and_exit");
    PyObject *result = enter_and_exit ? PyObject_CallOneArg(enter_and_exit, manager) : NULL;
    Py_XDECREF(enter_and_exit);
    return result;
}

static PyObject *call_in(PyObject *manager, const within_state *state, const within_call *call) {
    within_special_method enter = {NULL, 0}, exit = {NULL, 0};
    PyObject *result = NULL;
    int found = within_find_special(manager, state->names.n__enter__, &enter);
    if (found > 0) found = within_find_special(manager, state->names.n__exit__, &exit);
    if (found > 0) result = block(manager, enter, exit, call);
    if (found == 0) result = refuse(manager);
    Py_XDECREF(enter.function);
    Py_XDECREF(exit.function);
    return result;
}

/* The manager of this call: itself, unless its class says otherwise. */
static PyObject *recreated(const within_state *state, PyObject *manager) {
    within_special_method method;
    int found = within_find_special(manager, state->names.n_recreate_cm, &method);
    if (found < 0) return NULL;
    if (found > 0) Py_DECREF(method.function);
    if (found > 0 && method.function == state->recreate_itself) return Py_NewRef(manager);
    return PyObject_CallMethodNoArgs(manager, state->names.n_recreate_cm);
}

static PyObject *call_inside(const within_state *state, PyObject *manager,
                             const within_call *call) {
    if (within_is_generator_manager(manager))
        return within_generator_manager_call_inside(state, manager, call);
    PyObject *fresh = recreated(state, manager);
    if (!fresh) return NULL;
    PyObject *result = call_in(fresh, state, call);
    Py_DECREF(fresh);
    return result;
}

/* The decorated function's call; its closure is the function and the manager. */
static PyObject *decorated_vectorcall(PyObject *function, PyObject *const *args, size_t nargsf,
                                      PyObject *names) {
    PyObject *func = within_function_cell(function, 0),
             *manager = within_function_cell(function, 1);
    const within_state *state = manager ? within_state_of_subtype(Py_TYPE(manager)) : NULL;
    if (!func || !state) return within_function_call_python(function, args, nargsf, names);
    within_call call = {.func = func, .args = args, .nargsf = nargsf, .names = names};
    Py_INCREF(func);
    Py_INCREF(manager);
    PyObject *result = call_inside(state, manager, &call);
    Py_DECREF(func);
    Py_DECREF(manager);
    return result;
}

static PyObject *fast_decorated_function(PyObject *module, PyObject *function) {
    (void)module;
    return within_function_set_call(function, decorated_vectorcall);
}

/* call_inside(manager, func, args, kwds): the same from the function's body. */
static PyObject *call_inside_from_python(PyObject *module, PyObject *const *args,
                                         Py_ssize_t count) {
    if (count != 4 || !PyTuple_Check(args[2]) || !PyDict_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "expected a manager, a function, a tuple and a dict");
        return NULL;
    }
    within_call call = {.func = args[1], .tuple = args[2], .keywords = args[3]};
    return call_inside(within_state_of(module), args[0], &call);
}

static PyObject *recreate(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

static PyMethodDef functions[] = {
    {"fast_decorated_function", fast_decorated_function, METH_O, NULL},
    {"call_inside", WITHIN_FASTCALL(call_inside_from_python), NULL},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef methods[] = {
    {"_recreate_cm", recreate, METH_NOARGS, "Return the manager of the next call: itself."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A base class or mixin that enables context managers to work as decorators."},
    {Py_tp_call, decorator_call},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib.ContextDecorator",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

/* A subclass of the standard one, for whoever asks with isinstance. */
int within_add_context_decorator(PyObject *module) {
    PyObject *base = within_import("contextlib", "ContextDecorator");
    PyTypeObject *type = base ? within_add_type(module, &spec, base) : NULL;
    Py_XDECREF(base);
    within_state *state = within_state_of(module);
    if (within_hold_type(&state->context_decorator, type)) return -1;
    PyObject *recreate_itself = PyObject_GetAttrString((PyObject *)type, "_recreate_cm");
    if (within_hold(&state->recreate_itself, recreate_itself)) return -1;
    return PyModule_AddFunctions(module, functions);
}
