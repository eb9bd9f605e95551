/* within.rounding and within.flush_denormals: how a block's arithmetic is done. */
#include "state/fp_block.h"

#include <structmember.h>

/* ---- the block ---- */

static PyObject *mode_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_fp_enter((within_fp_block *)self) ? NULL : Py_NewRef(self);
}

static PyObject *mode_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    if (within_fp_exit((within_fp_block *)self, WI_END)) return NULL;
    Py_DECREF(self);
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", mode_enter, METH_NOARGS, "Set the mode; the block gets the object."},
    .exit = {"__exit__", WITHIN_FASTCALL(mode_exit), "Put back what was before."},
};

static PyObject *mode_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- life ---- */

static PyObject *make(PyTypeObject *type, wi__fp_mode core) {
    within_fp_block *block = (within_fp_block *)type->tp_alloc(type, 0);
    if (!block) return NULL;
    block->manager.call = within_call_for(type, mode_call);
    block->core.mode = core;
    block->layer = &block->core.mode.layer;
    return (PyObject *)block;
}

static PyObject *rounding_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static const char *const words[] = {"nearest", "upward", "downward", "towardzero"};
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    static char *names[] = {"mode", NULL};
    PyObject *word;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:rounding", names, &word)) return NULL;
    int chosen = within_fp_choose("rounding", word, words, 4);
    return chosen < 0 ? NULL : make(type, wi_rounding(modes[chosen]));
}

static PyObject *flush_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"on", NULL};
    int on;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "p:flush_denormals", names, &on)) return NULL;
    return make(type, wi_flush_denormals(on));
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(rounding_doc,
             "rounding(mode)\n"
             "--\n"
             "\n"
             "Round the block's floating-point results in one direction.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "mode : {\"nearest\", \"upward\", \"downward\", \"towardzero\"}\n"
             "    The thread's; what was before is put back on every way out.\n"
             "\n"
             "Raises\n"
             "------\n"
             "ValueError\n"
             "    For any other mode.\n"
             "RuntimeError\n"
             "    The object is in a block already, or is left on another thread, where nothing is "
             "put back.\n"
             "\n"
             "Notes\n"
             "-----\n"
             "Sums, products, quotients and square roots are rounded so, in C code too. What the C "
             "library computes\n"
             "(``math.exp``), numbers that are read or printed, and NumPy's own functions are made "
             "for \"nearest\", and\n"
             "may be off by more than the last digit. Do not ``await`` in the block: other tasks "
             "would round so, too.\n"
             "\n"
             "Examples\n"
             "--------\n"
             ">>> import within as wi\n"
             ">>> one, three = 1.0, 3.0\n"
             ">>> with wi.rounding(\"downward\"):\n"
             "...     low = one / three\n"
             ">>> with wi.rounding(\"upward\"):\n"
             "...     high = one / three\n"
             ">>> high - low\n"
             "5.551115123125783e-17");

PyDoc_STRVAR(
    flush_doc,
    "flush_denormals(on)\n"
    "--\n"
    "\n"
    "Take denormal numbers for zero in the block, as operands and as results; or do not.\n"
    "\n"
    "Numbers below 2.2e-308, or 1.2e-38 in single precision, cost a hundred cycles each on "
    "many processors.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "on : bool\n"
    "    For the thread; what was before is put back on every way out.\n"
    "\n"
    "Raises\n"
    "------\n"
    "OSError\n"
    "    At the block's begin, on other processors than x86-64 and aarch64.\n"
    "RuntimeError\n"
    "    The object is in a block already, or is left on another thread, where nothing is "
    "put back.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import sys\n"
    ">>> import within as wi\n"
    ">>> smallest = sys.float_info.min\n"
    ">>> with wi.flush_denormals(True):\n"
    "...     flushed = smallest / 2\n"
    ">>> flushed, smallest / 2\n"
    "(0.0, 1.1125369292536007e-308)");

/* ---- the types ---- */

static PyType_Slot rounding_slots[] = {
    {Py_tp_doc, (void *)rounding_doc},  {Py_tp_new, rounding_new},
    {Py_tp_dealloc, within_fp_dealloc}, {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, members},           {0, NULL},
};

static PyType_Slot flush_slots[] = {
    {Py_tp_doc, (void *)flush_doc},  {Py_tp_new, flush_new},   {Py_tp_dealloc, within_fp_dealloc},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, members}, {0, NULL},
};

#define SPEC(type_name, type_slots)                                                                \
    {                                                                                              \
        .name = type_name,                                                                         \
        .basicsize = sizeof(within_fp_block),                                                      \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,            \
        .slots = type_slots,                                                                       \
    }

static PyType_Spec rounding_spec = SPEC("within.rounding", rounding_slots);
static PyType_Spec flush_spec = SPEC("within.flush_denormals", flush_slots);

int within_add_fp_modes(PyObject *module) {
    return within_add_manager(module, &rounding_spec, NULL, &with_methods, NULL) &&
                   within_add_manager(module, &flush_spec, NULL, &with_methods, NULL)
               ? 0
               : -1;
}
