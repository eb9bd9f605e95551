/* wi.section: a block that measures itself. */
#include "sections/section.h"

#include <structmember.h>

#include "arguments.h"
#include "sections/section_names.h"
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

static PyObject *section_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    section *self = (section *)object;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)", count);
    if (!is_open(self))
        return PyErr_Format(PyExc_RuntimeError, "section %R is not open", self->str);
    within_place_close(&self->place, within_reason_of(args[0]));
    Py_RETURN_NONE;
}

static PyObject *section_decorate(PyObject *object, PyObject *const *args, size_t nargsf,
                                  PyObject *names);

static const within_with_methods with_methods = {
    .enter = {"__enter__", section_enter, METH_NOARGS, "Open the section."},
    .exit = {"__exit__", WITHIN_FASTCALL(section_exit), "Close the section, and count the call."},
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

static void section_dealloc(PyObject *object);

/* Those of subclasses have their own size, and no part in the pool. */
static int is_exact(const PyTypeObject *type) { return type->tp_dealloc == section_dealloc; }

static section *allocate(PyTypeObject *type) {
    if (!is_exact(type)) return (section *)type->tp_alloc(type, 0);
    return (section *)within_pool_new(WITHIN_POOL(type, sections), type);
}

static void release(section *self) {
    const PyTypeObject *type = Py_TYPE(self);
    within_pool_keep(is_exact(type) ? WITHIN_POOL(type, sections) : NULL, (PyObject *)self);
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
    self->manager.call = is_exact(type) ? section_call : section_decorate;
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
    within_state *state = within_state_of_type(Py_TYPE(owner));
    if (!state) return PyErr_Format(PyExc_SystemError, "section(): the module is gone");
    return new_of_type(state->section, name, owner, family);
}

int within_section_branch(PyObject *object, void **branch) {
    const within_state *state = within_last.state;
    int is_section = PyObject_TypeCheck(object, state->section);
    if (!is_section) PyErr_SetString(PyExc_TypeError, "a section is wanted");
    *branch = is_section ? ((section *)object)->place.span.branch : NULL;
    return is_section ? 0 : -1;
}

/* Rare, and easier to say in Python. */
PyObject *within_gpu_section_new(PyObject *name, PyObject *owner, within_family *family) {
    PyObject *kind = within_import("within._gpu_section", "gpu_section");
    PyObject *made = kind ? new_of_type((PyTypeObject *)kind, name, owner, family) : NULL;
    Py_XDECREF(kind);
    return made;
}

static PyObject *new_on_gpu(PyTypeObject *type, PyObject *name) {
    if (!is_exact(type))
        return PyErr_Format(PyExc_TypeError, "section() gpu=True is not for %.200s", type->tp_name);
    return within_gpu_section_new(name, NULL, &within_process);
}

static PyObject *section_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", "gpu", NULL};
    PyObject *name;
    int gpu = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$p:section", names, &name, &gpu))
        return NULL;
    return gpu ? new_on_gpu(type, name) : new_of_type(type, name, NULL, &within_process);
}

static PyObject *section_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                    PyObject *names) {
    if (names || PyVectorcall_NARGS(nargsf) != 1)
        return within_call_type(type, args, nargsf, names);
    return new_of_type((PyTypeObject *)type, args[0], NULL, &within_process);
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

/* Rare, and easier to say in Python. */
PyObject *within_in_section(PyObject *owner, PyObject *function) {
    PyObject *decorate = within_import("within._decorators", "in_section");
    PyObject *result =
        decorate ? PyObject_CallFunctionObjArgs(decorate, owner, function, NULL) : NULL;
    Py_XDECREF(decorate);
    return result;
}

static PyObject *section_decorate(PyObject *object, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    if (PyVectorcall_NARGS(nargsf) != 1 || names)
        return PyErr_Format(PyExc_TypeError, "a section as a decorator takes one function");
    return within_in_section(object, args[0]);
}

/* ---- the type ---- */

static PyObject *section_again(PyObject *object, PyObject *unused_argument) {
    (void)unused_argument;
    section *self = (section *)object;
    if (is_exact(Py_TYPE(object)) || self->owner)
        return new_of_type(Py_TYPE(object), self->str, self->owner, self->family);
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

PyDoc_STRVAR(doc, "section(name, *, gpu=False)\n--\n\n"
                  "A block that measures itself, in the record of the process.\n"
                  "\n"
                  "With ``gpu=True`` also its time on the GPU, in PyTorch's or CuPy's current "
                  "stream, and its memory there.");

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
    PyTypeObject *type = within_add_manager(module, &spec, NULL, &with_methods, section_vectorcall);
    return within_hold_type(&within_state_of(module)->section, type);
}
