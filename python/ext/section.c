/* wi.section: a block that measures itself. */
#include "section.h"

#include <structmember.h>

#include "section_names.h"
#include "with_methods.h"

typedef struct section {
    within_manager manager;
    within_place place;
    within_name name;
    PyObject *str;
    PyObject *owner; /* what has the family; NULL: the process */
    within_family *family;
    double elapsed; /* seconds, once somebody has asked; negative: not known */
} section;

static PyTypeObject
    *section_type; /* borrowed from the module, which outlives its objects' use of it */

/* ---- objects: those of the type itself are used again, and keep their reference to it ---- */

enum { MOST_FREE = 32 };

static struct {
    section *first;
    int count;
} unused;

static section *allocate(PyTypeObject *type) {
    section *self = unused.first;
    if (type != section_type || !self) return (section *)type->tp_alloc(type, 0);
    unused.first = (section *)self->str;
    unused.count--;
    _Py_NewReference((PyObject *)self);
    return self;
}

static void release(section *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (type == section_type && unused.count < MOST_FREE) {
        self->str = (PyObject *)unused.first;
        unused.first = self;
        unused.count++;
    } else {
        type->tp_free(self);
        Py_DECREF(type);
    }
}

static void forget_unused(PyObject *capsule) {
    (void)capsule;
    section_type = NULL;
    while (unused.first) {
        section *self = unused.first;
        PyTypeObject *type = Py_TYPE(self);
        unused.first = (section *)self->str;
        PyObject_Free(self);
        Py_DECREF(type);
    }
    unused.count = 0;
}

/* ---- enter and exit ---- */

static int is_open(const section *self) { return self->place.enclosure != NULL; }

static PyObject *refuse_to_enter(const section *self) {
    PyErr_Format(PyExc_RuntimeError,
                 "section %R is open already: each block needs an object of its own, so write "
                 "section(name) in the with statement",
                 self->str);
    return NULL;
}

static PyObject *section_enter(PyObject *object, PyObject *unused_argument) {
    (void)unused_argument;
    section *self = (section *)object;
    if (is_open(self)) return refuse_to_enter(self);
    self->elapsed = -1;
    if (within_place_open(&self->place, self->family, self->name.site, self->name.text))
        return NULL;
    return Py_NewRef(object);
}

/* A generator that is closed in the middle ends by GeneratorExit, which is no error. */
static wi_reason reason_of(PyObject *type) {
    if (type == Py_None) return WI_END;
    return type == PyExc_GeneratorExit ? WI_LEFT : WI_RAISED;
}

static PyObject *section_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    section *self = (section *)object;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)", count);
    if (!is_open(self))
        return PyErr_Format(PyExc_RuntimeError, "section %R is not open", self->str);
    within_place_close(&self->place, reason_of(args[0]));
    Py_RETURN_NONE;
}

static PyObject *section_decorate(PyObject *object, PyObject *const *args, size_t nargsf,
                                  PyObject *names);

static const within_with_methods with_methods = {
    .enter = {"__enter__", section_enter, METH_NOARGS, "Open the section."},
    .exit = {"__exit__", (PyCFunction)(void (*)(void))section_exit, METH_FASTCALL,
             "Close the section, and count the call."},
    .call = section_decorate,
};

static PyObject *section_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- life ---- */

static PyObject *refuse_name(PyObject *name) {
    const char *type = Py_TYPE(name)->tp_name;
    if (PyCallable_Check(name) && !PyType_Check(name))
        return PyErr_Format(PyExc_TypeError,
                            "section() name must be str, not %.200s; to decorate a function, write "
                            "@section(\"name\")",
                            type);
    return PyErr_Format(PyExc_TypeError, "section() name must be str, not %.200s", type);
}

static PyObject *discard(section *self, PyObject *str) {
    if (self) release(self);
    Py_DECREF(str);
    return NULL;
}

static PyObject *new_of_type(PyTypeObject *type, PyObject *name, PyObject *owner,
                             within_family *family) {
    within_name found;
    if (!PyUnicode_Check(name)) return refuse_name(name);
    PyObject *str = PyUnicode_CheckExact(name) ? Py_NewRef(name) : PyUnicode_FromObject(name);
    if (!str) return NULL;
    section *self = allocate(type);
    if (!self || within_name_of(str, &found)) return discard(self, str);
    self->manager.call = section_call;
    self->place.enclosure = NULL;
    self->place.span.start = 0;
    self->name = found;
    self->str = str;
    self->owner = Py_XNewRef(owner);
    self->family = family;
    self->elapsed = 0;
    return (PyObject *)self;
}

PyObject *within_section_new(PyObject *name, PyObject *owner, within_family *family) {
    return new_of_type(section_type, name, owner, family);
}

static PyObject *section_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", NULL};
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:section", names, &name)) return NULL;
    return new_of_type(type, name, NULL, &within_process);
}

static PyObject *section_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                    PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count == 1 && !names && (PyTypeObject *)type == section_type)
        return new_of_type(section_type, args[0], NULL, &within_process);
    PyObject *tuple = PyTuple_New(count), *result = NULL, *keywords = NULL;
    for (Py_ssize_t i = 0; tuple && i < count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    if (tuple && named) keywords = PyDict_New();
    for (Py_ssize_t i = 0; keywords && i < named; i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]))
            Py_CLEAR(keywords);
    if (tuple && (keywords || !named)) result = section_new((PyTypeObject *)type, tuple, keywords);
    Py_XDECREF(keywords);
    Py_XDECREF(tuple);
    return result;
}

/* One that is open is closed: its block was thrown away half done. */
static void section_dealloc(PyObject *object) {
    section *self = (section *)object;
    if (is_open(self)) within_place_close(&self->place, WI_LEFT);
    Py_XDECREF(self->name.owner);
    Py_XDECREF(self->owner);
    Py_DECREF(self->str);
    release(self);
}

/* ---- attributes ---- */

static PyObject *get_elapsed(PyObject *object, void *unused_closure) {
    (void)unused_closure;
    section *self = (section *)object;
    uint64_t ticks = self->place.span.start;
    if (is_open(self)) return PyFloat_FromDouble(wi__span_seconds(wi__span_ticks() - ticks));
    if (self->elapsed < 0) self->elapsed = wi__span_seconds(ticks);
    return PyFloat_FromDouble(self->elapsed);
}

static PyObject *section_repr(PyObject *object) {
    const section *self = (section *)object;
    return PyUnicode_FromFormat("<%s %R, %s>", Py_TYPE(object)->tp_name, self->str,
                                is_open(self) ? "open" : "not open");
}

/* Rare, and easier to say in Python: within/_decorators.py. */
static PyObject *section_decorate(PyObject *object, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    if (PyVectorcall_NARGS(nargsf) != 1 || names)
        return PyErr_Format(PyExc_TypeError, "a section as a decorator takes one function");
    PyObject *decorators = PyImport_ImportModule("within._decorators");
    if (!decorators) return NULL;
    PyObject *result = PyObject_CallMethod(decorators, "in_section", "OO", object, args[0]);
    Py_DECREF(decorators);
    return result;
}

/* ---- the type ---- */

static PyObject *section_again(PyObject *object, PyObject *unused_argument) {
    (void)unused_argument;
    section *self = (section *)object;
    if (Py_TYPE(object) == section_type)
        return within_section_new(self->str, self->owner, self->family);
    return PyObject_CallOneArg((PyObject *)Py_TYPE(object), self->str);
}

static PyMethodDef methods[] = {
    {"_again", section_again, METH_NOARGS, "A section like this one, not open."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"name", T_OBJECT_EX, offsetof(section, str), READONLY, "The name, as it was given."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"elapsed", get_elapsed, NULL,
     "Seconds in the block so far; afterwards, how long it took. 0.0 before the first.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(doc, "section(name)\n--\n\n"
                  "A block that measures itself, in the record of the process.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},        {Py_tp_new, section_new},   {Py_tp_dealloc, section_dealloc},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_repr, section_repr}, {Py_tp_methods, methods},
    {Py_tp_members, members},        {Py_tp_getset, getset},     {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.section",
    .basicsize = sizeof(section),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_section(PyObject *module) {
    section_type = within_add_type(module, &spec, NULL);
    if (!section_type || within_add_with_methods(module, section_type, &with_methods)) return -1;
    section_type->tp_vectorcall = section_vectorcall;
    PyObject *keeper = PyCapsule_New(&unused, NULL, forget_unused);
    int failed = !keeper || PyModule_AddObjectRef(module, "_sections", keeper);
    Py_XDECREF(keeper);
    return failed ? -1 : 0;
}
