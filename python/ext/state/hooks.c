/* Two of Python's hooks: each of ours has the one that it was laid over as its self, and calls it. */
#include "state/hooks.h"

#include <signal.h>

#include "state/interrupts.h"

static int has(PyObject *object, const char *name) {
    PyObject *value = object ? PyObject_GetAttrString(object, name) : NULL;
    int is_true = value && PyObject_IsTrue(value) > 0;
    Py_XDECREF(value);
    PyErr_Clear();
    return is_true;
}

/* A prompt goes on after an exception that nobody has handled. */
static int is_interactive(void) {
    PyObject *flags = PySys_GetObject("flags");
    return PySys_GetObject("ps1") || has(flags, "interactive") || has(flags, "inspect");
}

/*
 * Newer interpreters send themselves a SIGINT, when they are down, after any KeyboardInterrupt that nobody has handled, a
 * derived one too. It must not come before C's own end of the process, which ends it by the right signal.
 */
static void hold_off_keyboard(void) {
    sigset_t keyboard;
    sigemptyset(&keyboard);
    sigaddset(&keyboard, SIGINT);
    pthread_sigmask(SIG_BLOCK, &keyboard, NULL);
}

static PyObject *uncaught(PyObject *before, PyObject *const *args, Py_ssize_t count) {
    PyObject *kind, *value, *traceback;
    PyObject *result = PyObject_Vectorcall(before, args, (size_t)count, NULL);
    PyErr_Fetch(&kind, &value, &traceback);
    if (count > 1 && !is_interactive() && within_end_by_interrupt(within_last.state, args[1]))
        Py_AtExit(hold_off_keyboard);
    PyErr_Restore(kind, value, traceback);
    return result;
}

static PyObject *unraisable(PyObject *before, PyObject *args) {
    PyObject *value = PyObject_GetAttrString(args, "exc_value");
    int again = value && within_interrupt_again(within_last.state, value);
    Py_XDECREF(value);
    PyErr_Clear();
    if (again) Py_RETURN_NONE;
    return PyObject_CallOneArg(before, args);
}

static PyMethodDef uncaught_method = {"excepthook", WITHIN_FASTCALL(uncaught),
                                      "End the process by the signal of an Interrupted."};
static PyMethodDef unraisable_method = {"unraisablehook", unraisable, METH_O,
                                        "Raise an Interrupted again, elsewhere."};

static int lay(const char *name, PyMethodDef *method, PyObject **held) {
    PyObject *before = PySys_GetObject(name);
    if (!before || (*held && before == *held)) return 0;
    if (within_hold(held, PyCFunction_New(method, before))) return -1;
    return PySys_SetObject(name, *held);
}

static void take_away(const char *name, PyObject **held) {
    PyObject *kind, *value, *traceback;
    if (!*held) return;
    PyErr_Fetch(&kind, &value, &traceback);
    if (PySys_GetObject(name) == *held && PySys_SetObject(name, PyCFunction_GET_SELF(*held)))
        PyErr_Clear();
    PyErr_Restore(kind, value, traceback);
    Py_CLEAR(*held);
}

int within_hook_uncaught(within_state *state) {
    return lay("excepthook", &uncaught_method, &state->excepthook);
}

int within_hook_unraisable(within_state *state) {
    return lay("unraisablehook", &unraisable_method, &state->unraisablehook);
}

void within_unhook_uncaught(within_state *state) { take_away("excepthook", &state->excepthook); }

void within_unhook_unraisable(within_state *state) {
    take_away("unraisablehook", &state->unraisablehook);
}
