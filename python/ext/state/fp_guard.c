/* within.fp_guard: an exception for what a block's arithmetic has raised, NumPy's too. */
#include "raised.h"
#include "state/fp_block.h"

#include <structmember.h>

static const char *const words[] = {"invalid", "divide", "overflow", "underflow", "inexact"};
static const int excepts[] = {FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INEXACT};
enum { WORDS = sizeof words / sizeof *words };

/* ---- NumPy, if the program has it ---- */

static PyObject *chosen_words(int chosen) {
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < WORDS; i++) {
        PyObject *word = chosen & excepts[i] ? PyUnicode_FromString(words[i]) : NULL;
        if (chosen & excepts[i] && (!word || PyList_Append(list, word))) Py_CLEAR(list);
        Py_XDECREF(word);
    }
    return list;
}

/* @return 0, or -1 with an exception set. */
static int numpy_begin(within_fp_block *block) {
    PyObject *name = PyUnicode_FromString("numpy");
    PyObject *numpy = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    if (!numpy) return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(numpy);
    PyObject *record = within_import("within._fp_numpy", "record");
    PyObject *list = record ? chosen_words(block->core.guard.excepts) : NULL;
    block->numpy = list ? PyObject_CallOneArg(record, list) : NULL;
    Py_XDECREF(record);
    Py_XDECREF(list);
    return block->numpy ? 0 : -1;
}

/*
 * Have NumPy's errors handled as before. Steals the core's exception, or None.
 *
 * @return the block's exception, or None; NULL with an exception set: a signal's handler has raised in
 *         the middle. It is tried again then: what was raised is not raised twice.
 */
static PyObject *numpy_end(within_fp_block *block, PyObject *error) {
    PyObject *end = PyObject_GetAttrString(block->numpy, "end");
    PyObject *outcome = end ? PyObject_CallOneArg(end, error) : NULL;
    if (!outcome && end) {
        PyObject *interruption = within_take_raised();
        PyObject *again = PyObject_CallOneArg(end, error);
        Py_XDECREF(again);
        within_raise(interruption);
    }
    Py_XDECREF(end);
    Py_DECREF(error);
    Py_CLEAR(block->numpy);
    return outcome;
}

/* ---- the block ---- */

static PyObject *guard_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_fp_block *block = (within_fp_block *)self;
    if (within_fp_is_open(block))
        return PyErr_Format(PyExc_RuntimeError,
                            "fp_guard: it is in a block already; use one for each block");
    if (numpy_begin(block)) return NULL;
    block->core.guard.marked = block->numpy != NULL;
    if (within_fp_enter(block) == 0) return Py_NewRef(self);
    if (block->numpy) {
        PyObject *error = within_take_raised();
        Py_XDECREF(numpy_end(block, Py_NewRef(Py_None)));
        within_raise(error);
    }
    return NULL;
}

/* The exception that an ended block has; what is set already is it, or there is none. */
static int add_numpy(within_fp_block *block, int failed) {
    if (!block->numpy) return failed;
    PyObject *outcome = numpy_end(block, failed ? within_take_raised() : Py_NewRef(Py_None));
    if (!outcome) return -1;
    if (outcome == Py_None) {
        Py_DECREF(outcome);
        return 0;
    }
    within_raise(outcome);
    return -1;
}

/* The body's exception passes on, whatever the flags. */
static PyObject *guard_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    within_fp_block *block = (within_fp_block *)self;
    int raised = count > 0 && args[0] != Py_None;
    int failed = within_fp_exit(block, raised ? WI_RAISED : WI_END);
    if (failed && within_fp_is_open(block)) return NULL;
    if (failed && !PyErr_ExceptionMatches(PyExc_FloatingPointError)) return NULL;
    failed = add_numpy(block, failed);
    if (failed && raised && PyErr_ExceptionMatches(PyExc_FloatingPointError)) {
        PyErr_Clear();
        failed = 0;
    }
    Py_DECREF(self);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", guard_enter, METH_NOARGS, "Clear the flags; the block gets the object."},
    .exit = {"__exit__", WITHIN_FASTCALL(guard_exit),
             "Raise what the flags say, and put back those that were before."},
};

static PyObject *guard_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- life ---- */

/* @return FE_ flags; 0 with an exception set. */
static int excepts_of(PyObject *kinds) {
    int chosen = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kinds); i++) {
        int word = within_fp_choose("fp_guard", PyTuple_GET_ITEM(kinds, i), words, WORDS);
        if (word < 0) return 0;
        chosen |= excepts[word];
    }
    if (!chosen)
        PyErr_SetString(PyExc_ValueError,
                        "fp_guard: name what it shall look for: \"invalid\", \"divide\", …");
    return chosen;
}

static int trap_of(PyObject *keywords, int *trap) {
    static char *names[] = {"trap", NULL};
    PyObject *nothing = PyTuple_New(0);
    int taken =
        nothing && PyArg_ParseTupleAndKeywords(nothing, keywords, "|$p:fp_guard", names, trap);
    Py_XDECREF(nothing);
    return taken ? 0 : -1;
}

static PyObject *guard_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    int trap = 0, chosen = trap_of(keywords, &trap) ? 0 : excepts_of(args);
    within_fp_block *block = chosen ? (within_fp_block *)type->tp_alloc(type, 0) : NULL;
    if (!block) return NULL;
    block->manager.call = within_call_for(type, guard_call);
    block->core.guard = wi_fp_guard(chosen, .locate = trap);
    block->layer = &block->core.guard.traps;
    return (PyObject *)block;
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    doc,
    "fp_guard(*kinds, trap=False)\n"
    "--\n"
    "\n"
    "Raise FloatingPointError at the block's end if its arithmetic has made what should not be.\n"
    "\n"
    "Python, NumPy and C code that it calls go on with NaN and infinity, and say nothing or warn. "
    "The processor\n"
    "keeps a flag of each kind: they are saved and cleared when the block begins, looked at when "
    "it "
    "ends, and put\n"
    "back on every way out. NumPy clears them for itself: its errors come by ``numpy.errstate``, "
    "and the exception\n"
    "names the line.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "*kinds : {\"invalid\", \"divide\", \"overflow\", \"underflow\", \"inexact\"}\n"
    "    What to look for: NaN out of numbers, infinity out of a division, infinity out of large "
    "numbers, less than\n"
    "    the smallest number, and rounding. NumPy has no \"inexact\".\n"
    "trap : bool\n"
    "    Have the processor interrupt the first such instruction, so that the exception tells "
    "the C function that it is\n"
    "    in. The calculation goes on, and the exception is raised at the block's end all the "
    "same.\n"
    "\n"
    "Raises\n"
    "------\n"
    "FloatingPointError\n"
    "    At the block's end, unless an exception passes.\n"
    "ValueError\n"
    "    For other kinds, or none.\n"
    "OSError\n"
    "    At the begin, with `trap`: the processor cannot do so, as most of aarch64.\n"
    "RuntimeError\n"
    "    The object is in a block already, or is left on another thread, where nothing is put "
    "back.\n"
    "\n"
    "Notes\n"
    "-----\n"
    "Of a block in which NumPy calculates it tells NumPy's errors; with `trap` those of C code "
    "beside it, too. What\n"
    "``numpy.errstate`` ignores inside the block is no error, except with `trap`; where it is "
    "\"raise\", NumPy\n"
    "raises by itself. NumPy must be imported before. Only this thread's arithmetic is looked at; "
    "do not ``await`` in\n"
    "the block, where other tasks would calculate. Python's own ``1 / 0`` is ZeroDivisionError, "
    "as ever.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import within as wi\n"
    ">>> with wi.fp_guard(\"invalid\", \"divide\", \"overflow\"):\n"
    "...     energy = 1e200\n"
    "...     for step in range(3):\n"
    "...         energy *= energy\n"
    "Traceback (most recent call last):\n"
    "FloatingPointError: fp_guard: overflow in this block\n"
    ">>> energy\n"
    "inf");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},        {Py_tp_new, guard_new},   {Py_tp_dealloc, within_fp_dealloc},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, members}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.fp_guard",
    .basicsize = sizeof(within_fp_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_fp_guard(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, NULL) ? 0 : -1;
}
