/* contextlib.ExitStack: a block whose exits are put down while it runs. */
#include "contextlib/exit_stack.h"
#include "contextlib/unwinding.h"

static PyObject *stack_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

/* Calls the exits, last first. An exit can put down more: they are called too. */
static PyObject *unwind(within_exit_stack *self, PyObject *const args[3]) {
    within_unwinding unwinding;
    within_exit exit;
    int popped;
    if (Py_EnterRecursiveCall(" while leaving an exit stack")) return NULL;
    within_unwinding_begin(&unwinding, args);
    while ((popped = within_exit_stack_pop(self, &exit)) > 0) {
        PyObject *details[3];
        within_unwinding_details(&unwinding, details);
        within_unwinding_note(&unwinding, within_exit_call(&exit, details));
        within_exit_release(&exit);
    }
    Py_LeaveRecursiveCall();
    if (popped == 0) return within_unwinding_end(&unwinding);
    within_unwinding_release(&unwinding);
    return NULL;
}

static PyObject *stack_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError,
                            "ExitStack.__exit__() takes 3 arguments, but %zd were given", count);
    return unwind((within_exit_stack *)self, args);
}

/* A subclass's own __exit__ is called, as the standard close() does. */
static PyObject *stack_close(PyObject *self, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    if (!state) return NULL;
    PyObject *args[] = {self, Py_None, Py_None, Py_None}, *result;
    if (Py_TYPE(self) == state->exit_stack)
        result = unwind((within_exit_stack *)self, args + 1);
    else
        result = PyObject_VectorcallMethod(state->names.n__exit__, args, 4, NULL);
    if (!result) return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", stack_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(stack_exit), NULL},
};

WITHIN_EXIT_STACK(stack)

PyDoc_STRVAR(doc, "ExitStack()\n--\n\n\
A manager that exits, in reverse order, whatever its block has entered or put down.\n\n\
    with ExitStack() as stack:\n\
        files = [stack.enter_context(open(name)) for name in names]\n\n\
However the block ends, all files are closed; also if one of them does not open.");
PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n\
Call everything now, as the end of the block would.");

static PyMethodDef methods[] = {
    {"close", stack_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc}, {Py_tp_new, stack_new},  {Py_tp_methods, methods},
    {Py_tp_members, members}, WITHIN_EXIT_STACK_SLOTS, {0, NULL},
};

static PyType_Spec spec = WITHIN_EXIT_STACK_SPEC("ExitStack", slots);

int within_add_exit_stack(PyObject *module) {
    within_state *state = within_state_of(module);
    PyTypeObject *type = within_exit_stack_add(module, &spec, &with_methods, stack_vectorcall);
    return within_hold_type(&state->exit_stack, type);
}
