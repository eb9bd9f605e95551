/* contextlib._GeneratorContextManagerBase: a generator and the call that made it, as a Python object. */
#include "contextlib/generator_manager.h"

#include "arguments.h"

generator_manager *within_generator_manager_allocate(PyTypeObject *type, vectorcallfunc call) {
    within_pool *pool = WITHIN_POOL(type, generator_managers);
    generator_manager *self = (generator_manager *)within_pool_new(pool, type);
    if (!self) return NULL;
    self->manager.call = call;
    self->gen = self->func = self->args = self->kwds = NULL;
    self->doc = self->attributes = self->weak_references = NULL;
    self->packed = false;
    return self;
}

int within_generator_manager_traverse(PyObject *object, visitproc visit, void *arg) {
    generator_manager *self = (generator_manager *)object;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->gen);
    Py_VISIT(self->func);
    Py_VISIT(self->args);
    Py_VISIT(self->kwds);
    Py_VISIT(self->doc);
    Py_VISIT(self->attributes);
    return 0;
}

int within_generator_manager_clear(PyObject *object) {
    generator_manager *self = (generator_manager *)object;
    Py_CLEAR(self->gen);
    Py_CLEAR(self->func);
    self->packed = false;
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwds);
    Py_CLEAR(self->doc);
    Py_CLEAR(self->attributes);
    return 0;
}

/* A subclass has another tp_dealloc, which calls this one; its objects may have another size. */
static bool is_exact(PyObject *self) {
    return Py_TYPE(self)->tp_dealloc == within_generator_manager_dealloc;
}

void within_generator_manager_dealloc(PyObject *self) {
    within_pool *pool = is_exact(self) ? WITHIN_POOL(Py_TYPE(self), generator_managers) : NULL;
    PyObject_GC_UnTrack(self);
    if (((generator_manager *)self)->weak_references) PyObject_ClearWeakRefs(self);
    within_generator_manager_clear(self);
    within_pool_keep(pool, self);
}

PyObject *within_generator_manager_new(PyTypeObject *type, vectorcallfunc call) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((generator_manager *)self)->manager.call = within_call_for(type, call);
    return self;
}

static PyObject *base_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_generator_manager_new(type, NULL);
}

/* A subclass has a __doc__ in its dictionary, which would hide the manager's. */
static int manager_init(PyObject *object, PyObject *args, PyObject *keywords) {
    static char *names[] = {"func", "args", "kwds", NULL};
    generator_manager *self = (generator_manager *)object;
    PyObject *func, *call_args, *kwds;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO:__init__", names, &func, &call_args,
                                     &kwds))
        return -1;
    return within_generator_manager_set_call(self, func, call_args, kwds);
}

PyObject *within_generator_manager_construct(PyTypeObject *type, vectorcallfunc call,
                                             PyObject *const *args, size_t nargsf,
                                             PyObject *names) {
    if (PyVectorcall_NARGS(nargsf) != 3 || names) {
        PyObject *made = within_call_type((PyObject *)type, args, nargsf, names);
        if (made) ((generator_manager *)made)->manager.call = call;
        return made;
    }
    generator_manager *self = within_generator_manager_allocate(type, call);
    if (!self) return NULL;
    PyObject_GC_Track(self);
    if (within_generator_manager_set_call(self, args[0], args[1], args[2])) Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *within_generator_manager_generator(generator_manager *self) {
    return self->gen ? Py_NewRef(self->gen) : within_generator_manager_missing(self, "gen");
}

static PyObject *recreate_exactly(generator_manager *self) {
    PyObject *gen = within_generator_manager_call_again(self);
    if (!gen) return NULL;
    generator_manager *fresh = within_generator_manager_allocate(Py_TYPE(self), self->manager.call);
    if (!fresh) {
        Py_DECREF(gen);
        return NULL;
    }
    fresh->gen = gen;
    fresh->func = Py_XNewRef(self->func);
    fresh->args = Py_XNewRef(self->args);
    fresh->kwds = Py_XNewRef(self->kwds);
    fresh->doc = Py_XNewRef(self->doc);
    fresh->packed = self->packed;
    PyObject_GC_Track(fresh);
    return (PyObject *)fresh;
}

/* These managers are used up by one block: each call of a decorated function gets a fresh one. */
static PyObject *recreate(PyObject *object, PyObject *unused) {
    (void)unused;
    generator_manager *self = (generator_manager *)object;
    if (is_exact(object)) return recreate_exactly(self);
    if (!self->func) return within_generator_manager_missing(self, "func");
    if (within_generator_manager_unpack(self)) return NULL;
    if (!self->args || !self->kwds)
        return within_generator_manager_missing(self, self->args ? "kwds" : "args");
    PyObject *type = PyObject_GetAttrString(object, "__class__");
    if (!type) return NULL;
    PyObject *args[] = {self->func, self->args, self->kwds};
    PyObject *fresh = PyObject_Vectorcall(type, args, 3, NULL);
    Py_DECREF(type);
    return fresh;
}

/* The doc of the function that was decorated, as if it were the object's own. */
static PyObject *get_attribute(PyObject *object, PyObject *name) {
    generator_manager *self = (generator_manager *)object;
    PyObject *doc = self->doc;
    if (!doc || Py_IsNone(doc) || PyUnicode_CompareWithASCIIString(name, "__doc__"))
        return PyObject_GenericGetAttr(object, name);
    if (self->attributes) {
        PyObject *own = PyDict_GetItemWithError(self->attributes, name);
        if (own || PyErr_Occurred()) return Py_XNewRef(own);
    }
    return Py_NewRef(doc);
}

static PyObject **field_of(generator_manager *self, void *name) {
    return strcmp(name, "args") == 0 ? &self->args : &self->kwds;
}

static PyObject *get_field(PyObject *object, void *name) {
    generator_manager *self = (generator_manager *)object;
    if (within_generator_manager_unpack(self)) return NULL;
    PyObject *value = *field_of(self, name);
    return value ? Py_NewRef(value) : within_generator_manager_missing(self, name);
}

static int set_field(PyObject *object, PyObject *value, void *name) {
    generator_manager *self = (generator_manager *)object;
    if (within_generator_manager_unpack(self)) return -1;
    PyObject **field = field_of(self, name);
    if (!value && !*field) return within_generator_manager_missing(self, name), -1;
    Py_XSETREF(*field, Py_XNewRef(value));
    return 0;
}

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(generator_manager, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(generator_manager, weak_references), READONLY,
     NULL},
    {"gen", T_OBJECT_EX, offsetof(generator_manager, gen), 0, NULL},
    {"func", T_OBJECT_EX, offsetof(generator_manager, func), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"args", get_field, set_field, NULL, "args"},
    {"kwds", get_field, set_field, NULL, "kwds"},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"_recreate_cm", recreate, METH_NOARGS, "Return a fresh manager, of the same call."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "For type hints."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What the managers of contextmanager and asynccontextmanager share."},
    {Py_tp_new, base_new},
    {Py_tp_init, manager_init},
    {Py_tp_traverse, within_generator_manager_traverse},
    {Py_tp_clear, within_generator_manager_clear},
    {Py_tp_dealloc, within_generator_manager_dealloc},
    {Py_tp_getattro, get_attribute},
    {Py_tp_members, members},
    {Py_tp_getset, getset},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib._GeneratorContextManagerBase",
    .basicsize = sizeof(generator_manager),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int within_add_generator_manager_base(PyObject *module) {
    return within_hold_type(&within_state_of(module)->generator_manager_base,
                            within_add_type(module, &spec, NULL));
}
