/* within.Timer: prints how long its block took, and keeps the figure. */
#include "sections/section.h"
#include "sections/timed.h"
#include "with_methods.h"

#include <structmember.h>
#include <time.h>

typedef struct timer {
    within_manager manager;
    PyObject *label;
    PyObject *stream;    /* NULL: sys.stdout, as it is when the block ends */
    struct timer *maker; /* of a decorated call's: the decorator, which learns the time; or NULL */
    within_timed section;
    double start_s; /* CLOCK_MONOTONIC */
    double elapsed_s;
    char quiet, running;
} timer;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double elapsed_s(const timer *t) { return t->running ? now_s() - t->start_s : t->elapsed_s; }

/* ---- printing ---- */

static PyObject *line_of(const timer *t) {
    char *seconds = PyOS_double_to_string(t->elapsed_s, 'f', 4, 0, NULL);
    if (!seconds) return PyErr_NoMemory();
    PyObject *line = PyUnicode_FromFormat("%U: %ss\n", t->label, seconds);
    PyMem_Free(seconds);
    return line;
}

/* A terminal that lacks a label's letters is no reason to fail. */
static int write_escaped(PyObject *line, PyObject *stream) {
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(line, "ascii", "backslashreplace");
    PyObject *text = bytes ? PyUnicode_FromEncodedObject(bytes, "ascii", NULL) : NULL;
    int failed = text ? PyFile_WriteObject(text, stream, Py_PRINT_RAW) : -1;
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    return failed;
}

/* The line goes out in one write: those of several threads do not mix. */
static int print_line(const timer *t) {
    PyObject *stream = t->stream ? t->stream : PySys_GetObject("stdout");
    if (!stream || stream == Py_None) return 0; /* as print() has it */
    PyObject *line = line_of(t);
    if (!line) return -1;
    Py_INCREF(stream);
    int failed = PyFile_WriteObject(line, stream, Py_PRINT_RAW);
    if (failed && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        failed = write_escaped(line, stream);
    Py_DECREF(stream);
    Py_DECREF(line);
    return failed;
}

/* ---- with ---- */

static PyObject *timer_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    timer *t = (timer *)self;
    if (t->running)
        return PyErr_Format(PyExc_RuntimeError,
                            "Timer %R is running already: one object times one block at a time",
                            t->label);
    t->running = 1;
    t->elapsed_s = 0;
    within_timed_open(&t->section, &within_process);
    t->start_s = now_s();
    return Py_NewRef(self);
}

static void stop(timer *t, wi_reason reason) {
    t->elapsed_s = elapsed_s(t);
    t->running = 0;
    within_timed_close(&t->section, reason);
    if (t->maker && !t->maker->running) t->maker->elapsed_s = t->elapsed_s;
}

/* The body's exception passes on; only one that ends programs, KeyboardInterrupt, may take its place. */
static PyObject *timer_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    timer *t = (timer *)self;
    if (!t->running) return PyErr_Format(PyExc_RuntimeError, "Timer %R is not running", t->label);
    int raised = count > 0 && args[0] != Py_None;
    stop(t, raised ? within_reason_of(args[0]) : WI_END);
    if (t->quiet || print_line(t) == 0) Py_RETURN_NONE;
    if (!raised || !PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
    PyErr_WriteUnraisable(self);
    Py_RETURN_NONE;
}

/* ---- decorator ---- */

static PyObject *timer_call_other(PyObject *self, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    if (PyVectorcall_NARGS(nargsf) != 1 || names)
        return PyErr_Format(PyExc_TypeError,
                            "a Timer is called with the function that it decorates");
    return within_in_section(self, args[0]);
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", timer_enter, METH_NOARGS, "Start the clock; the block gets the timer."},
    .exit = {"__exit__", WITHIN_FASTCALL(timer_exit), "Stop the clock and print."},
    .call = timer_call_other,
};

static PyObject *timer_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- life ---- */

static void timer_dealloc(PyObject *self);

static PyObject *timer_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    timer *t = (timer *)type->tp_alloc(type, 0);
    if (!t) return NULL;
    int is_exact = type->tp_dealloc == timer_dealloc;
    t->manager.call = is_exact ? timer_call : timer_call_other;
    t->label = PyUnicode_FromString("Elapsed");
    if (t->label && within_timed_rename(&t->section, t->label) == 0) return (PyObject *)t;
    Py_DECREF(t);
    return NULL;
}

/* What a subclass keeps in its objects. */
static int copy_attributes(PyObject *from, PyObject *to) {
    PyObject *attributes = PyObject_GetAttrString(from, "__dict__");
    PyObject *copies = attributes ? PyObject_GetAttrString(to, "__dict__") : NULL;
    int failed = copies ? PyDict_Update(copies, attributes) : -1;
    Py_XDECREF(attributes);
    Py_XDECREF(copies);
    if (!failed || !PyErr_ExceptionMatches(PyExc_AttributeError)) return failed;
    PyErr_Clear();
    return 0;
}

/* Each decorated call's timer: recursion and threads do not meet in one object. */
static PyObject *timer_again(PyObject *self, PyObject *unused) {
    (void)unused;
    timer *made = (timer *)self, *t = (timer *)timer_new(Py_TYPE(self), NULL, NULL);
    if (!t) return NULL;
    Py_SETREF(t->label, Py_NewRef(made->label));
    t->stream = Py_XNewRef(made->stream);
    t->maker = (timer *)Py_NewRef(self);
    t->quiet = made->quiet;
    if (within_timed_rename(&t->section, t->label) == 0 &&
        copy_attributes(self, (PyObject *)t) == 0)
        return (PyObject *)t;
    Py_DECREF(t);
    return NULL;
}

static int check_label(PyObject *label) {
    if (!label || PyUnicode_Check(label)) return 0;
    PyErr_Format(PyExc_TypeError, "Timer() label must be str, not %.200s%s",
                 Py_TYPE(label)->tp_name,
                 PyCallable_Check(label) ? ": write @Timer() above a function" : "");
    return -1;
}

static int check_quiet(PyObject *quiet) {
    if (!quiet) return 0;
    const PyNumberMethods *number = Py_TYPE(quiet)->tp_as_number;
    if (number && number->nb_bool) return PyObject_IsTrue(quiet);
    PyErr_Format(PyExc_TypeError, "Timer() quiet must be bool, not %.200s",
                 Py_TYPE(quiet)->tp_name);
    return -1;
}

static int check_stream(PyObject *stream) {
    if (!stream || stream == Py_None || PyObject_HasAttrString(stream, "write")) return 0;
    PyErr_Format(PyExc_TypeError, "Timer() stream must have a method write(), and %.200s has none",
                 Py_TYPE(stream)->tp_name);
    return -1;
}

static int timer_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"label", "quiet", "stream", NULL};
    timer *t = (timer *)self;
    PyObject *label = NULL, *quiet = NULL, *stream = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OOO:Timer", names, &label, &quiet, &stream))
        return -1;
    if (check_label(label) || check_stream(stream)) return -1;
    int is_quiet = check_quiet(quiet);
    if (is_quiet < 0) return -1;
    if (label && within_timed_rename(&t->section, label)) return -1;
    t->quiet = (char)is_quiet;
    if (label) Py_SETREF(t->label, Py_NewRef(label));
    Py_XSETREF(t->stream, stream == Py_None ? NULL : Py_XNewRef(stream));
    return 0;
}

static int timer_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((timer *)self)->stream);
    Py_VISIT(((timer *)self)->maker);
    return 0;
}

static int timer_clear(PyObject *self) {
    Py_CLEAR(((timer *)self)->stream);
    Py_CLEAR(((timer *)self)->maker);
    return 0;
}

static void timer_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    timer_clear(self);
    within_timed_release(&((timer *)self)->section);
    Py_CLEAR(((timer *)self)->label);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *timer_repr(PyObject *self) {
    const timer *t = (timer *)self;
    char *seconds = PyOS_double_to_string(elapsed_s(t), 'f', 4, 0, NULL);
    if (!seconds) return PyErr_NoMemory();
    PyObject *text = PyUnicode_FromFormat("<%s %R: %ss%s>", Py_TYPE(self)->tp_name, t->label,
                                          seconds, t->running ? ", running" : "");
    PyMem_Free(seconds);
    return text;
}

static PyObject *get_elapsed(PyObject *self, void *unused) {
    (void)unused;
    return PyFloat_FromDouble(elapsed_s((timer *)self));
}

static PyMethodDef methods[] = {
    {"_again", timer_again, METH_NOARGS, "A timer like this one, for one decorated call."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"elapsed", get_elapsed, NULL,
     "Seconds: so far while the timer runs, its block's after that, 0.0 before.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"label", T_OBJECT, offsetof(timer, label), READONLY, "Printed before the time."},
    {"quiet", T_BOOL, offsetof(timer, quiet), READONLY, "Print nothing."},
    {"stream", T_OBJECT, offsetof(timer, stream), READONLY, "Where to print; None for sys.stdout."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    doc, "Timer(label='Elapsed', quiet=False, stream=None)\n"
         "--\n"
         "\n"
         "Print how long a block took, and keep the figure.\n"
         "\n"
         "As a decorator it times each call of a function, a coroutine or a generator, from its "
         "first step to\n"
         "its end, with a fresh timer each: recursion and threads are no trouble. ``elapsed`` of "
         "the decorator\n"
         "itself is that of the call that ended last. A timer is a section as well: the record has "
         "a line for it.\n"
         "\n"
         "Parameters\n"
         "----------\n"
         "label : str\n"
         "    Printed before the time; the section's name.\n"
         "quiet : bool\n"
         "    Print nothing.\n"
         "stream : object with a method ``write``, optional\n"
         "    Where to print; by default what ``print`` writes to, ``sys.stdout`` at that moment. "
         "(The timer of\n"
         "    the C library prints on stderr: C programs write results to stdout that other "
         "programs read.)\n"
         "\n"
         "Attributes\n"
         "----------\n"
         "elapsed : float\n"
         "    Seconds: so far while the timer runs, its block's after that, 0.0 before.\n"
         "\n"
         "Raises\n"
         "------\n"
         "RuntimeError\n"
         "    When the timer is entered while it runs: one object times one block at a time.\n"
         "\n"
         "Notes\n"
         "-----\n"
         "An exception in the block passes on, and the time is taken and printed all the same.\n"
         "\n"
         "Examples\n"
         "--------\n"
         ">>> import within as wi\n"
         ">>> with wi.Timer(\"SVD\") as t:  # doctest: +ELLIPSIS\n"
         "...     so_far = t.elapsed\n"
         "SVD: 0...s\n"
         ">>> 0 < so_far < t.elapsed\n"
         "True");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},         {Py_tp_new, timer_new},     {Py_tp_init, timer_init},
    {Py_tp_traverse, timer_traverse}, {Py_tp_clear, timer_clear}, {Py_tp_dealloc, timer_dealloc},
    {Py_tp_call, PyVectorcall_Call},  {Py_tp_repr, timer_repr},   {Py_tp_methods, methods},
    {Py_tp_getset, getset},           {Py_tp_members, members},   {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.Timer",
    .basicsize = sizeof(timer),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_timer(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, NULL) ? 0 : -1;
}
