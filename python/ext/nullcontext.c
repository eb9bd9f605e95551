/* contextlib.nullcontext: a manager that does nothing but hand out a value. */
#include "with_methods.h"

#include <structmember.h>

typedef struct nullcontext {
    within_manager manager;
    PyObject *enter_result;
    PyObject *attributes;
    PyObject *weak_references;
} nullcontext;

static PyObject *nullcontext_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *result = ((nullcontext *)self)->enter_result;
    return Py_NewRef(result ? result : Py_None);
}

static PyObject *nullcontext_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self, (void)args, (void)count;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", nullcontext_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", (PyCFunction)(void (*)(void))nullcontext_exit, METH_FASTCALL, NULL},
};

static PyObject *nullcontext_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *nullcontext_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((nullcontext *)self)->manager.call = nullcontext_call;
    return self;
}

static int nullcontext_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"enter_result", NULL};
    PyObject *result = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:nullcontext", names, &result)) return -1;
    Py_XSETREF(((nullcontext *)self)->enter_result, Py_NewRef(result));
    return 0;
}

static int nullcontext_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((nullcontext *)self)->enter_result);
    Py_VISIT(((nullcontext *)self)->attributes);
    return 0;
}

static int nullcontext_clear(PyObject *self) {
    Py_CLEAR(((nullcontext *)self)->enter_result);
    Py_CLEAR(((nullcontext *)self)->attributes);
    return 0;
}

static void nullcontext_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((nullcontext *)self)->weak_references) PyObject_ClearWeakRefs(self);
    nullcontext_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"__dictoffset__", T_PYSSIZET, offsetof(nullcontext, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(nullcontext, weak_references), READONLY, NULL},
    {"enter_result", T_OBJECT, offsetof(nullcontext, enter_result), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A manager that does nothing, and gives enter_result to its block."},
    {Py_tp_new, nullcontext_new},
    {Py_tp_init, nullcontext_init},
    {Py_tp_traverse, nullcontext_traverse},
    {Py_tp_clear, nullcontext_clear},
    {Py_tp_dealloc, nullcontext_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib.nullcontext",
    .basicsize = sizeof(nullcontext),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_nullcontext(PyObject *module) {
    PyTypeObject *type = within_add_type(module, &spec, NULL);
    return type ? within_add_with_methods(module, type, &with_methods) : -1;
}
