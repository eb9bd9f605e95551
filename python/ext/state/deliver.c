/* What Python calls for a signal: it raises an Interrupted, or puts it off until no exit is cut. */
#include <unistd.h>

#include "raised.h"
#include "state/hooks.h"
#include "state/interrupts.h"
#include "unbroken.h"

within_interrupts *within_innermost_interrupts;

within_interrupts *within_taker_of(int signal) {
    within_interrupts *block = signal ? within_innermost_interrupts : NULL;
    while (block && !(block->taken & within_signal_bit(signal))) block = block->outer;
    return block;
}

static const within_surroundings *outermost_surroundings(void) {
    const within_interrupts *outermost = within_innermost_interrupts;
    while (outermost->outer) outermost = outermost->outer;
    return &outermost->surroundings;
}

/* ---- what was there before ---- */

/* Call a function of Python that a signal had before. 0, or -1 with its error. */
static int call_before(const within_state *state, PyObject *signal, int not_the_default) {
    PyObject *handler = PyDict_GetItemWithError(state->handlers_before, signal);
    if (!handler) return PyErr_Occurred() ? -1 : 0;
    if (!PyCallable_Check(handler)) return 0;
    if (not_the_default && handler == state->default_int_handler) return 0;
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    PyObject *args[] = {signal, frame ? (PyObject *)frame : Py_None};
    Py_INCREF(handler);
    PyObject *result = PyObject_Vectorcall(handler, args, 2, NULL);
    Py_DECREF(handler);
    Py_XDECREF(frame);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* ---- raising ---- */

static int set_number(PyObject *object, const char *name, double value) {
    PyObject *number = PyFloat_FromDouble(value);
    int failed = !number || PyObject_SetAttrString(object, name, number);
    Py_XDECREF(number);
    return failed;
}

PyObject *within_signal_name(const within_interrupts *block, int signal) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(block->signals); i++) {
        PyObject *name = PyTuple_GET_ITEM(block->signals, i);
        if (PyLong_AsLong(name) == signal) return name;
    }
    return Py_None;
}

/* No Python code runs in here, which the next signal could cut. */
static PyObject *make(const within_state *state, const within_interrupts *block) {
    within_arrival arrival = within_last_arrival();
    PyObject *signal = within_signal_name(block, arrival.signal);
    PyObject *text = PyObject_GetAttrString(signal, "name");
    PyObject *made = text ? PyObject_CallOneArg(state->interrupted, text) : NULL;
    if (made && (PyObject_SetAttrString(made, "_signal", signal) ||
                 set_number(made, "_time", arrival.time) ||
                 set_number(made, "_deadline", arrival.monotonic_time + block->grace)))
        Py_CLEAR(made);
    Py_XDECREF(text);
    return made;
}

static void forget(void) {
    within_interrupts *block = within_innermost_interrupts;
    within_forget_signal();
    for (; block; block = block->outer) wi__interrupts_over(&block->core);
}

/* The exception is gone: somebody has handled it, and the next signal is a first one. */
static PyObject *is_worked_off(PyObject *module, PyObject *reference) {
    within_state *state = within_state_of(module);
    if (reference == state->raised_interrupt) {
        Py_CLEAR(state->raised_interrupt);
        within_unhook_uncaught(state);
        forget();
    }
    Py_RETURN_NONE;
}

/* Its end is noticed: nobody handles it, or somebody has. */
static int watch(within_state *state, PyObject *exception) {
    if (within_hook_uncaught(state)) return -1;
    return within_hold(&state->raised_interrupt,
                       PyWeakref_NewRef(exception, state->interrupt_is_worked_off));
}

PyObject *within_raise_interrupted(within_state *state, within_interrupts *block) {
    PyObject *signal = within_signal_name(block, within_waiting_signal());
    within_signal_is_raised();
    wi__interrupts_seen(&block->core);
    if (call_before(state, signal, 1)) {
        forget();
        return NULL;
    }
    PyObject *exception = make(state, block);
    if (exception && !watch(state, exception))
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    else
        forget(); /* there is no memory, which is an error too */
    Py_XDECREF(exception);
    return NULL;
}

int within_interrupt_again(within_state *state, PyObject *exception) {
    if (!state || !state->raised_interrupt) return 0;
    PyObject *raised = PyObject_CallNoArgs(state->raised_interrupt);
    Py_XDECREF(raised);
    if (raised != exception) return 0;
    Py_CLEAR(state->raised_interrupt);
    within_signal_waits_again();
    within_remind();
    return 1;
}

int within_end_by_interrupt(const within_state *state, PyObject *exception) {
    if (!state || !state->interrupted) return 0;
    if (PyObject_IsInstance(exception, state->interrupted) <= 0) return 0;
    PyObject *signal = PyObject_GetAttrString(exception, "signal");
    int ends = signal && PyLong_Check(signal);
    if (ends) wi__end_by_signal((int)PyLong_AsLong(signal));
    Py_XDECREF(signal);
    return ends;
}

/* ---- between two instructions, or in a system call that a signal has ended ---- */

/*
 * A with statement that calls a function in C may be inside that, or right behind it. If nothing else has been seen
 * since the last look, it is inside.
 */
static int is_inside(const void *frame, Py_ssize_t instruction) {
    static const void *last_frame;
    static Py_ssize_t last_instruction;
    int same = frame && frame == last_frame && instruction == last_instruction;
    last_frame = frame;
    last_instruction = instruction;
    return same;
}

static int may_raise(PyObject *frame) {
    Py_ssize_t instruction;
    if (within_unbroken_here.blocks) return 0; /* their end has it looked at again */
    within_place place = within_place_of(frame, outermost_surroundings(), &instruction);
    int is_at_call = place == WITHIN_AT_ENTER || place == WITHIN_AT_EXIT;
    int inside = is_inside(is_at_call ? frame : NULL, instruction);
    if (place == WITHIN_FREE || (place == WITHIN_AT_ENTER && inside)) return 1;
    if (is_at_call && !inside) within_look_again();
    within_remind();
    return 0;
}

/* One that has not come to put its handlers back yet. */
static int is_in_child(void) {
    return within_innermost_interrupts && within_innermost_interrupts->owner != getpid();
}

static PyObject *deliver(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    within_state *state = within_state_of(module);
    int signal = count == 2 ? (int)PyLong_AsLong(args[0]) : -1;
    if (signal < 1 || signal >= WITHIN_SIGNALS)
        return PyErr_Format(PyExc_TypeError, "a signal's handler takes its number and a frame");
    int is_expected = within_looks();
    if (within_takes_second(signal) || is_in_child()) {
        if (call_before(state, args[0], 0) == 0) Py_RETURN_NONE;
        forget(); /* what it has raised stands for both */
        return NULL;
    }
    /* _thread.interrupt_main() calls handlers without a signal. */
    if (!is_expected && within_taker_of(signal)) within_take_signal(signal);
    within_interrupts *block = within_taker_of(within_waiting_signal());
    if (block && may_raise(args[1])) return within_raise_interrupted(state, block);
    Py_RETURN_NONE;
}

/* ---- within.uninterrupted ---- */

static PyObject *begin_uninterrupted(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    within_unbroken_here.blocks++;
    wi__uninterrupted_protocol.enter(NULL);
    Py_RETURN_NONE;
}

/* What has come is raised by its end, not some instructions later. */
static PyObject *end_uninterrupted(PyObject *module, PyObject *unused) {
    (void)unused;
    wi__uninterrupted_protocol.exit(NULL, WI_END, NULL);
    if (--within_unbroken_here.blocks > 0 || !within_is_main_thread()) Py_RETURN_NONE;
    within_interrupts *block = within_taker_of(within_waiting_signal());
    if (!block) Py_RETURN_NONE;
    if (within_exit_may_raise(outermost_surroundings()))
        return within_raise_interrupted(within_state_of(module), block);
    within_remind();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"begin_uninterrupted", begin_uninterrupted, METH_NOARGS, "Of the calling thread."},
    {"end_uninterrupted", end_uninterrupted, METH_NOARGS, "Once for each begin."},
    {"interrupt", WITHIN_FASTCALL(deliver), "What Python calls for a signal that a block takes."},
    {"interrupt_is_worked_off", is_worked_off, METH_O, "An Interrupted has been freed."},
    {NULL, NULL, 0, NULL},
};

int within_add_deliver(PyObject *module) {
    within_state *state = within_state_of(module);
    if (PyModule_AddFunctions(module, functions)) return -1;
    PyObject *function = PyObject_GetAttrString(module, "interrupt");
    if (within_hold(&state->deliver, function)) return -1;
    function = PyObject_GetAttrString(module, "interrupt_is_worked_off");
    return within_hold(&state->interrupt_is_worked_off, function);
}
