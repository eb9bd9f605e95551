/* Profiler, its C side: sections and loops of a tree of their own, and what was measured there. */
#include "arguments.h"
#include "sections/iteration.h"
#include "sections/paths.h"
#include "sections/section.h"
#include "sections/tree.h"

typedef struct profiler {
    PyObject_HEAD within_tree *tree;
} profiler;

static within_tree *tree_of(PyObject *self) { return ((profiler *)self)->tree; }

/* ---- methods ---- */

/* gpu is given by its name, or not at all. */
static int take_name_and_gpu(PyObject **name, int *gpu, PyObject *const *args, Py_ssize_t count,
                             PyObject *names) {
    static const char *const parameters[] = {"name", "gpu"};
    PyObject *values[2] = {NULL, Py_False};
    int most = names && count < 2 && count + PyTuple_GET_SIZE(names) == 2 ? 2 : 1;
    if (within_take_arguments("Profiler.section", parameters, values, most, args, count, names))
        return -1;
    *name = values[0];
    *gpu = PyObject_IsTrue(values[1]);
    return *gpu < 0 ? -1 : 0;
}

static PyObject *profiler_section(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                  PyObject *names) {
    within_tree *tree = tree_of(self);
    if (count == 1 && !names) return within_section_new(args[0], (PyObject *)tree, &tree->family);
    PyObject *name;
    int gpu;
    if (take_name_and_gpu(&name, &gpu, args, count, names)) return NULL;
    return gpu ? within_gpu_section_new(name, (PyObject *)tree, &tree->family)
               : within_section_new(name, (PyObject *)tree, &tree->family);
}

static PyObject *profiler_iterate(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                  PyObject *names) {
    static const char *const parameters[] = {"name", "iterable"};
    PyObject *values[2];
    if (within_take_arguments("Profiler.iterate", parameters, values, 2, args, count, names))
        return NULL;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    return state ? within_iteration_new(state, tree_of(self), values[0], values[1]) : NULL;
}

static PyObject *profiler_reset(PyObject *self, PyObject *unused) {
    (void)unused;
    wi__span_forget(tree_of(self)->name);
    Py_RETURN_NONE;
}

static PyObject *profiler_lines(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_paths(tree_of(self)->name);
}

/* ---- life ---- */

static PyObject *profiler_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) return NULL;
    within_state *state = within_state_of_subtype(type);
    ((profiler *)self)->tree = state ? within_tree_new(state) : NULL;
    if (tree_of(self)) return self;
    Py_DECREF(self);
    return NULL;
}

static int profiler_init(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    static char *names[] = {NULL};
    return PyArg_ParseTupleAndKeywords(args, keywords, ":Profiler", names) ? 0 : -1;
}

static void profiler_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(((profiler *)self)->tree);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *profiler_repr(PyObject *self) {
    return PyUnicode_FromFormat("<%s, in the record as \"%s\">", Py_TYPE(self)->tp_name,
                                tree_of(self)->name);
}

PyDoc_STRVAR(
    section_doc,
    "section($self, /, name, *, gpu=False)\n--\n\n"
    "A section of this profiler, as a with-block or a decorator: like ``within.section``.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "name : str\n"
    "    The last part of its path; cut at 200 bytes.\n"
    "gpu : bool\n"
    "    Measure its work on the GPU too, as ``within.section`` does.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import within as wi\n"
    ">>> profiler = wi.Profiler()\n"
    ">>> @profiler.section(\"load\")\n"
    "... def load():\n"
    "...     with profiler.section(\"parse\"):\n"
    "...         return 7\n"
    ">>> load()\n"
    "7\n"
    ">>> [line.path for line in profiler.stats()]\n"
    "['load', 'load > parse']");

PyDoc_STRVAR(iterate_doc,
             "iterate($self, /, name, iterable)\n--\n\n"
             "Loop over an iterable, and measure its passes and the waiting for its items apart.\n"
             "\n"
             "A pass ends when the next item is asked for, or when the loop is left; sections in "
             "it are inside\n"
             "``name``. The wait that finds the end counts: there is one more of them than of "
             "passes. What the\n"
             "iterable itself measures is inside ``name (wait)``.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "name : str\n"
             "    Of the passes; the waiting has the name ``name (wait)``.\n"
             "iterable : iterable, or asynchronous iterable for use in ``async for``\n"
             "    It is asked for its iterator at once, and for its items by the loop.\n"
             "\n"
             "Returns\n"
             "-------\n"
             "iterator, or asynchronous iterator\n"
             "    For one loop.\n"
             "\n"
             "Examples\n"
             "--------\n"
             ">>> import within as wi\n"
             ">>> profiler = wi.Profiler()\n"
             ">>> for batch in profiler.iterate(\"batch\", [1, 2, 3]):\n"
             "...     with profiler.section(\"forward\"):\n"
             "...         pass\n"
             ">>> [(line.path, line.calls) for line in profiler.stats()]\n"
             "[('batch', 3), ('batch (wait)', 4), ('batch > forward', 3)]");

PyDoc_STRVAR(reset_doc,
             "reset($self, /)\n--\n\n"
             "Forget all calls, of all threads. Sections that are open count from now on.");

static PyMethodDef methods[] = {
    {"section", WITHIN_FASTCALL_KEYWORDS(profiler_section), section_doc},
    {"iterate", WITHIN_FASTCALL_KEYWORDS(profiler_iterate), iterate_doc},
    {"reset", profiler_reset, METH_NOARGS, reset_doc},
    {"_lines", profiler_lines, METH_NOARGS, "What stats() makes records of, in no order."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The C side of Profiler."},
    {Py_tp_new, profiler_new},
    {Py_tp_init, profiler_init},
    {Py_tp_dealloc, profiler_dealloc},
    {Py_tp_repr, profiler_repr},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.Profiler",
    .basicsize = sizeof(profiler),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

int within_add_profiler(PyObject *module) { return within_add_type(module, &spec, NULL) ? 0 : -1; }
