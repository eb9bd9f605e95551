/* The call that made a manager's generator: kept until enter, and made again for decorated functions. */
#include "contextlib/generator_manager.h"

PyObject *within_generator_manager_missing(generator_manager *self, const char *name) {
    return PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%s'",
                        Py_TYPE(self)->tp_name, name);
}

static int doc_of(PyObject *func, PyObject **doc) {
    if (PyFunction_Check(func)) {
        *doc = Py_XNewRef(((PyFunctionObject *)func)->func_doc);
        return 0;
    }
    *doc = PyObject_GetAttrString(func, "__doc__");
    if (*doc) return 0;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    return 0;
}

/* All values of a call in one tuple. */
static int pack(generator_manager *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    if (names) count += PyTuple_GET_SIZE(names);
    if (count > 0) {
        self->args = PyTuple_New(count);
        if (!self->args) return -1;
        for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(self->args, i, Py_NewRef(args[i]));
    }
    self->kwds = Py_XNewRef(names);
    self->packed = true;
    return 0;
}

PyObject *within_generator_manager_of_generator(PyTypeObject *type, vectorcallfunc call,
                                                PyObject *gen, PyObject *func,
                                                PyObject *const *args, size_t nargsf,
                                                PyObject *names) {
    generator_manager *self = within_generator_manager_allocate(type, call);
    if (!self) return NULL;
    self->gen = Py_NewRef(gen);
    self->func = Py_NewRef(func);
    int failed = pack(self, args, PyVectorcall_NARGS(nargsf), names) || doc_of(func, &self->doc);
    PyObject_GC_Track(self);
    if (failed) Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *within_generator_manager_of_call(PyTypeObject *type, vectorcallfunc call, PyObject *func,
                                           PyObject *const *args, size_t nargsf, PyObject *names) {
    PyObject *gen = PyObject_Vectorcall(func, args, nargsf, names);
    if (!gen) return NULL;
    PyObject *self =
        within_generator_manager_of_generator(type, call, gen, func, args, nargsf, names);
    Py_DECREF(gen);
    return self;
}

int within_generator_manager_unpack(generator_manager *self) {
    if (!self->packed) return 0;
    Py_ssize_t all = self->args ? PyTuple_GET_SIZE(self->args) : 0;
    Py_ssize_t named = self->kwds ? PyTuple_GET_SIZE(self->kwds) : 0;
    PyObject *kwds = PyDict_New();
    PyObject *args = self->args ? PyTuple_GetSlice(self->args, 0, all - named) : PyTuple_New(0);
    int failed = !kwds || !args;
    for (Py_ssize_t i = 0; i < named && !failed; i++)
        failed = PyDict_SetItem(kwds, PyTuple_GET_ITEM(self->kwds, i),
                                PyTuple_GET_ITEM(self->args, all - named + i));
    if (failed) {
        Py_XDECREF(args);
        Py_XDECREF(kwds);
        return -1;
    }
    self->packed = false;
    Py_XSETREF(self->args, args);
    Py_XSETREF(self->kwds, kwds);
    return 0;
}

/* func(*args, **kwds): any iterable and any mapping. */
static PyObject *call_with(PyObject *func, PyObject *args, PyObject *kwds) {
    PyObject *tuple = PySequence_Tuple(args), *dictionary = NULL, *result = NULL;
    if (tuple) dictionary = PyDict_CheckExact(kwds) ? Py_NewRef(kwds) : PyDict_New();
    if (dictionary && (dictionary == kwds || PyDict_Update(dictionary, kwds) == 0))
        result = PyObject_Call(func, tuple, dictionary);
    Py_XDECREF(tuple);
    Py_XDECREF(dictionary);
    return result;
}

int within_generator_manager_set_call(generator_manager *self, PyObject *func, PyObject *args,
                                      PyObject *kwds) {
    PyObject *doc, *gen = call_with(func, args, kwds);
    if (!gen) return -1;
    Py_XSETREF(self->gen, gen);
    self->packed = false;
    Py_XSETREF(self->func, Py_NewRef(func));
    Py_XSETREF(self->args, Py_NewRef(args));
    Py_XSETREF(self->kwds, Py_NewRef(kwds));
    if (doc_of(func, &doc)) return -1;
    Py_XSETREF(self->doc, doc);
    return 0;
}

static PyObject *call_packed(PyObject *func, PyObject *args, PyObject *names) {
    Py_ssize_t count = args ? PyTuple_GET_SIZE(args) : 0;
    if (names) count -= PyTuple_GET_SIZE(names);
    PyObject *const *values = args ? ((PyTupleObject *)args)->ob_item : NULL;
    return PyObject_Vectorcall(func, values, (size_t)count, names);
}

/* The references are held for the call: what it runs may enter the manager, which drops them. */
PyObject *within_generator_manager_call_again(generator_manager *self) {
    if (!self->func) return within_generator_manager_missing(self, "func");
    if (!self->packed && !self->args) return within_generator_manager_missing(self, "args");
    if (!self->packed && !self->kwds) return within_generator_manager_missing(self, "kwds");
    PyObject *func = Py_NewRef(self->func);
    PyObject *args = Py_XNewRef(self->args), *kwds = Py_XNewRef(self->kwds);
    PyObject *gen = self->packed ? call_packed(func, args, kwds) : call_with(func, args, kwds);
    Py_DECREF(func);
    Py_XDECREF(args);
    Py_XDECREF(kwds);
    return gen;
}

int within_generator_manager_forget_call(generator_manager *self) {
    const char *name = NULL;
    if (!self->packed && !self->args)
        name = "args";
    else if (!self->packed && !self->kwds)
        name = "kwds";
    else if (!self->func)
        name = "func";
    if (name) return within_generator_manager_missing(self, name), -1;
    self->packed = false;
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwds);
    Py_CLEAR(self->func);
    return 0;
}
