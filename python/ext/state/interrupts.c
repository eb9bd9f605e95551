/* within._within.Interrupts: signals taken for a block, and given back as they were. */
#include "state/interrupts.h"

#include <errno.h>
#include <math.h>
#include <structmember.h>
#include <time.h>
#include <unistd.h>

#include "core_manager.h"
#include "raised.h"
#include "state/hooks.h"

/* Of each signal: how many open blocks take it, and what was in force before the first. */
typedef struct taken {
    int blocks;
    struct sigaction before;
} taken;

static taken signals[WITHIN_SIGNALS];

static int is_ignored(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_IGN;
}

/* ---- one signal ---- */

enum { PATIENCE = 100 };

/*
 * What signal.signal() does. It calls the handlers of signals that have come first: what these raise is kept in
 * `raised`, and does not keep it from being done.
 */
static PyObject *set_handler(const within_state *state, int signal, PyObject *handler,
                             PyObject **raised) {
    PyObject *before = NULL;
    for (int i = 0; i < PATIENCE && !before; i++) {
        if (i > 0) Py_XSETREF(*raised, within_take_raised());
        before = PyObject_CallFunction(state->set_signal_handler, "iO", signal, handler);
    }
    return before;
}

static int take_first(const within_state *state, PyObject *signal, int number, PyObject **raised) {
    PyObject *before = set_handler(state, number, state->deliver, raised);
    if (!before) return -1;
    within_cover(number, &signals[number].before, PyCallable_Check(before));
    int failed = PyDict_SetItem(state->handlers_before, signal, before);
    Py_DECREF(before);
    return failed;
}

/* The first block that takes it changes its handler, unless it is ignored and stays so. */
static int take(const within_state *state, within_interrupts *block, PyObject *signal,
                PyObject **raised) {
    int number = (int)PyLong_AsLong(signal);
    taken *of = &signals[number];
    if (of->blocks == 0) {
        if (sigaction(number, NULL, &of->before)) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (!block->by_name && is_ignored(&of->before)) return 0;
    }
    /* Counted first: what fails half-way is given back. */
    block->taken |= within_signal_bit(number);
    return of->blocks++ == 0 ? take_first(state, signal, number, raised) : 0;
}

static PyObject *handler_before(const within_state *state, PyObject *signal) {
    PyObject *before = PyDict_GetItemWithError(state->handlers_before, signal);
    /* None was put there in C, and Python cannot say it. */
    return before && !Py_IsNone(before) ? before : state->default_handler;
}

/* The last block that takes it puts back what Python had, and what the kernel had. */
static void give_back(const within_state *state, PyObject *signal, PyObject **raised) {
    int number = (int)PyLong_AsLong(signal);
    within_uncover(number);
    PyObject *ours = set_handler(state, number, handler_before(state, signal), raised);
    if (!ours) PyErr_WriteUnraisable(signal);
    Py_XDECREF(ours);
    sigaction(number, &signals[number].before, NULL);
}

/* ---- all signals of a block ---- */

/* The n-th, borrowed, if the block has taken it; or NULL. */
static PyObject *taken_one(const within_interrupts *block, Py_ssize_t n) {
    PyObject *signal = PyTuple_GET_ITEM(block->signals, n);
    return block->taken & within_signal_bit((int)PyLong_AsLong(signal)) ? signal : NULL;
}

#define FOR_EACH_TAKEN(signal, block)                                                              \
    for (Py_ssize_t n_ = 0; n_ < PyTuple_GET_SIZE((block)->signals); n_++)                         \
        for (PyObject *signal = taken_one(block, n_); signal; signal = NULL)

static void link_block(within_interrupts *block) {
    block->outer = within_innermost_interrupts;
    within_innermost_interrupts = block;
    Py_INCREF(block);
}

static void unlink_block(within_interrupts *block) {
    within_interrupts **link = &within_innermost_interrupts;
    while (*link != block) link = &(*link)->outer;
    *link = block->outer;
    Py_DECREF(block);
}

static void give_back_all(const within_state *state, within_interrupts *block, PyObject **raised) {
    FOR_EACH_TAKEN(signal, block) {
        if (--signals[PyLong_AsLong(signal)].blocks == 0) give_back(state, signal, raised);
    }
}

/* ---- the core's block ---- */

static int enter_core(within_interrupts *block) {
    wi_interrupts_options options = {.foreign = 1};
    int count = 0;
    if (isfinite(block->grace)) options.grace_s = block->grace;
    FOR_EACH_TAKEN(signal, block) options.signals[count++] = (int)PyLong_AsLong(signal);
    block->core = wi__interrupts(WI__HERE, options);
    return count ? within_core_enter(within_call, &block->core) : 0;
}

/* What it has not seen is raised here. */
static void leave_core(within_interrupts *block) {
    if (!block->core.is_open) return;
    wi__interrupts_seen(&block->core);
    if (within_core_exit(within_call, &block->core, WI_LEFT)) PyErr_WriteUnraisable(NULL);
}

/* ---- begin and end ---- */

/* What has come and was not raised yet is raised at the block's end, if nobody else takes it. */
static void end(within_state *state, within_interrupts *block, PyObject **raised) {
    leave_core(block);
    give_back_all(state, block, raised);
    block->arrival = within_arrival_of(block);
    unlink_block(block);
    if (!within_innermost_interrupts) within_unhook_unraisable(state);
    int waiting = within_waiting_signal();
    if (waiting && !within_taker_of(waiting) && (block->taken & within_signal_bit(waiting))) {
        within_raise_interrupted(state, block);
        Py_XSETREF(*raised, within_take_raised());
    }
    if (!within_taker_of(within_last_arrival().signal)) within_forget_signal();
    FOR_EACH_TAKEN(signal, block) {
        if (!signals[PyLong_AsLong(signal)].blocks) PyDict_DelItem(state->handlers_before, signal);
    }
    Py_CLEAR(block->surroundings.frames);
    block->taken = 0;
    block->owner = 0;
}

static int begin(within_state *state, within_interrupts *block, PyObject **raised) {
    if (!state->interrupted &&
        within_hold(&state->interrupted, within_import("within._interrupts", "Interrupted")))
        return -1;
    if (within_note_surroundings(&block->surroundings)) return -1;
    block->owner = getpid();
    block->since = within_last_arrival().serial;
    block->arrival = (within_arrival){0};
    link_block(block);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(block->signals); i++)
        if (take(state, block, PyTuple_GET_ITEM(block->signals, i), raised)) return -1;
    return *raised || enter_core(block) || within_hook_unraisable(state) ? -1 : 0;
}

static PyObject *enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of_type(Py_TYPE(self));
    within_interrupts *block = (within_interrupts *)self;
    PyObject *raised = NULL;
    if (block->owner)
        return PyErr_Format(PyExc_RuntimeError,
                            "interrupts() is open already: a block has its own");
    if (begin(state, block, &raised) == 0) Py_RETURN_NONE;
    if (!raised) raised = within_take_raised();
    if (block->owner) end(state, block, &raised);
    within_raise(raised);
    return NULL;
}

static PyObject *leave(PyObject *self, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of_type(Py_TYPE(self));
    within_interrupts *block = (within_interrupts *)self;
    PyObject *raised = NULL;
    if (!block->owner) return PyErr_Format(PyExc_RuntimeError, "interrupts() is not open");
    if (block->owner == getpid()) end(state, block, &raised);
    block->owner = 0;
    if (!raised) Py_RETURN_NONE;
    within_raise(raised);
    return NULL;
}

/* ---- a forked child ---- */

/* Its signals do at once what they did before the blocks of its parent. */
static PyObject *forked(PyObject *module, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of(module);
    PyObject *raised = NULL;
    within_interrupts *block;
    while ((block = within_innermost_interrupts)) {
        give_back_all(state, block, &raised);
        unlink_block(block);
    }
    PyDict_Clear(state->handlers_before);
    within_unhook_unraisable(state);
    within_unhook_uncaught(state);
    within_forget_arrivals();
    if (!raised) Py_RETURN_NONE;
    within_raise(raised);
    return NULL;
}

/* ---- the type ---- */

within_arrival within_arrival_of(const within_interrupts *block) {
    within_arrival last = within_last_arrival();
    if (!block->owner) return block->arrival;
    if (last.serial > block->since && (block->taken & within_signal_bit(last.signal))) return last;
    return (within_arrival){0};
}

static PyObject *get_signal(PyObject *self, void *unused) {
    (void)unused;
    const within_interrupts *block = (within_interrupts *)self;
    return Py_NewRef(within_signal_name(block, within_arrival_of(block).signal));
}

static PyObject *get_grace_left(PyObject *self, void *unused) {
    (void)unused;
    const within_interrupts *block = (within_interrupts *)self;
    within_arrival arrival = within_arrival_of(block);
    double left = block->grace;
    if (arrival.signal) left -= within_monotonic_time() - arrival.monotonic_time;
    return PyFloat_FromDouble(left > 0 ? left : 0);
}

static PyObject *interrupts_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *names;
    int by_name;
    double grace;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!pd:Interrupts", &PyTuple_Type, &names, &by_name, &grace))
        return NULL;
    within_interrupts *block = (within_interrupts *)type->tp_alloc(type, 0);
    if (!block) return NULL;
    block->signals = Py_NewRef(names);
    block->by_name = by_name;
    block->grace = grace;
    return (PyObject *)block;
}

static int interrupts_traverse(PyObject *self, visitproc visit, void *arg) {
    const within_interrupts *block = (within_interrupts *)self;
    Py_VISIT(block->signals);
    Py_VISIT(block->surroundings.frames);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int interrupts_clear(PyObject *self) {
    Py_CLEAR(((within_interrupts *)self)->surroundings.frames);
    return 0;
}

static void interrupts_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    interrupts_clear(self);
    Py_CLEAR(((within_interrupts *)self)->signals);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"enter", enter, METH_NOARGS, "Take the signals."},
    {"leave", leave, METH_NOARGS, "Give them back; raise what has come and was not raised yet."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"signal", get_signal, NULL, "What has come, or None.", NULL},
    {"grace_left", get_grace_left, NULL, "Seconds.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(doc,
             "Interrupts(signals, by_name, grace)\n--\n\n"
             "Signals, a tuple of signal.Signals, that raise Interrupted while this is entered.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_new, interrupts_new},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_traverse, interrupts_traverse},
    {Py_tp_clear, interrupts_clear},
    {Py_tp_dealloc, interrupts_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.Interrupts",
    .basicsize = sizeof(within_interrupts),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

static PyMethodDef functions[] = {
    {"interrupts_forked", forked, METH_NOARGS, "Give all signals back, in a forked child."},
    {NULL, NULL, 0, NULL},
};

int within_add_interrupts(PyObject *module) {
    within_state *state = within_state_of(module);
    if (within_hold(&state->set_signal_handler, within_import("_signal", "signal")) ||
        within_hold(&state->default_handler, within_import("_signal", "SIG_DFL")) ||
        within_hold(&state->default_int_handler, within_import("_signal", "default_int_handler")) ||
        within_hold(&state->handlers_before, PyDict_New()))
        return -1;
    if (PyModule_AddFunctions(module, functions)) return -1;
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
