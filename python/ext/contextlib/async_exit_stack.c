/* contextlib.AsyncExitStack: an asynchronous block whose exits are put down while it runs. */
#include "contextlib/coroutine.h"
#include "contextlib/exit_stack.h"
#include "contextlib/special_method.h"
#include "raised.h"

/* __aexit__ */

/* Calls exits until one is to be awaited; PYGEN_NEXT with what it gave then. */
static PySendResult unwind(within_coroutine *coroutine, PyObject **result) {
    within_unwinding *unwinding = &coroutine->unwinding;
    within_exit exit;
    int popped;
    while ((popped = within_exit_stack_pop((within_exit_stack *)coroutine->owner, &exit)) > 0) {
        PyObject *details[3];
        within_unwinding_details(unwinding, details);
        *result = within_exit_call(&exit, details);
        coroutine->phase = exit.kind >= WITHIN_EXIT_CALLBACK ? 2 : 1;
        within_exit_release(&exit);
        if (*result && exit.async) return PYGEN_NEXT;
        within_unwinding_note(unwinding, *result);
    }
    *result = popped == 0 ? within_unwinding_end(unwinding) : NULL;
    return *result ? PYGEN_RETURN : PYGEN_ERROR;
}

/* phase: 0 at the start; 1 after an exit; 2 after a callback, whose result does not count. */
static PySendResult aexit_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    if (coroutine->phase == 2 && value) Py_SETREF(value, Py_NewRef(Py_None));
    if (coroutine->phase > 0) within_unwinding_note(&coroutine->unwinding, value);
    return unwind(coroutine, result);
}

static PyObject *stack_aexit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError,
                            "AsyncExitStack.__aexit__() takes 3 arguments, but %zd were given",
                            count);
    return within_coroutine_of_exit(self, aexit_step, "AsyncExitStack.__aexit__", args);
}

static PySendResult aclose_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    if (coroutine->phase++) return within_coroutine_end(value, result);
    PyObject *args[] = {coroutine->owner, Py_None, Py_None, Py_None};
    within_state *state = within_state_of_type(Py_TYPE(coroutine));
    *result = PyObject_VectorcallMethod(state->names.n__aexit__, args, 4, NULL);
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

static PyObject *stack_aclose(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_coroutine_new(self, aclose_step, "AsyncExitStack.aclose");
}

/* __aenter__, enter_async_context */

static PySendResult aenter_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    (void)value;
    *result = Py_NewRef(coroutine->owner);
    return PYGEN_RETURN;
}

static PyObject *stack_aenter(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_coroutine_new(self, aenter_step, "AsyncExitStack.__aenter__");
}

/* phase: 0 at the start; 1 the manager is being entered; 2 likewise, and its exit is bound. */
static PySendResult enter_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    within_exit_stack *stack = (within_exit_stack *)coroutine->owner;
    within_state *state = within_state_of_type(Py_TYPE(coroutine));
    within_special_method enter_method, exit_method;
    if (coroutine->phase) {
        if (!value) return PYGEN_ERROR;
        exit_method = (within_special_method){Py_NewRef(coroutine->second), coroutine->phase == 2};
        within_exit exit = within_exit_of_method(exit_method, coroutine->first, true);
        if (within_exit_stack_push(stack, exit)) Py_CLEAR(value);
        *result = value;
        return value ? PYGEN_RETURN : PYGEN_ERROR;
    }
    if (within_exit_stack_reserve(stack) ||
        !within_find_pair(coroutine->first, state->names.n__aenter__, state->names.n__aexit__,
                          "asynchronous context manager", &enter_method, &exit_method))
        return PYGEN_ERROR;
    coroutine->phase = exit_method.bound ? 2 : 1;
    coroutine->second = exit_method.function;
    *result = within_call_special(enter_method, coroutine->first);
    Py_DECREF(enter_method.function);
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

static PyObject *stack_enter_async_context(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                           PyObject *names) {
    PyObject *manager = within_one_argument("enter_async_context", "cm", args, count, names);
    if (!manager) return NULL;
    PyObject *coroutine =
        within_coroutine_new(self, enter_step, "AsyncExitStack.enter_async_context");
    if (coroutine) ((within_coroutine *)coroutine)->first = Py_NewRef(manager);
    return coroutine;
}

static PyObject *stack_push_async_exit(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                       PyObject *names) {
    PyObject *exit = within_one_argument("push_async_exit", "exit", args, count, names);
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    if (!exit || !state) return NULL;
    return within_exit_stack_push_object((within_exit_stack *)self, exit, state->names.n__aexit__,
                                         true);
}

static PyObject *stack_push_async_callback(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                           PyObject *names) {
    return within_exit_stack_push_callback((within_exit_stack *)self, args, count, names, true);
}

static const within_with_methods with_methods = {
    .enter = {"__aenter__", stack_aenter, METH_NOARGS, NULL},
    .exit = {"__aexit__", WITHIN_FASTCALL(stack_aexit), NULL},
};

WITHIN_EXIT_STACK(stack)

PyDoc_STRVAR(doc, "AsyncExitStack()\n--\n\n\
An asynchronous manager that exits, in reverse order, whatever its block has entered or put down.\n\n\
    async with AsyncExitStack() as stack:\n\
        links = [await stack.enter_async_context(connect(host)) for host in hosts]\n\n\
However the block ends, all links are closed; plain managers can be entered as well.");
PyDoc_STRVAR(enter_doc, "enter_async_context($self, /, cm)\n--\n\n\
Enter an asynchronous manager, put its exit down, and return what entering gave.");
PyDoc_STRVAR(push_doc, "push_async_exit($self, /, exit)\n--\n\n\
Put down an asynchronous manager's exit, or a coroutine function with the arguments of __aexit__.");
PyDoc_STRVAR(callback_doc, "push_async_callback($self, callback, /, *args, **kwds)\n--\n\n\
Put down any coroutine function with its arguments; it cannot suppress exceptions.");
PyDoc_STRVAR(aclose_doc, "aclose($self, /)\n--\n\n\
Call everything now, as the end of the block would.");

static PyMethodDef methods[] = {
    {"enter_async_context", WITHIN_FASTCALL_KEYWORDS(stack_enter_async_context), enter_doc},
    {"push_async_exit", WITHIN_FASTCALL_KEYWORDS(stack_push_async_exit), push_doc},
    {"push_async_callback", WITHIN_FASTCALL_KEYWORDS(stack_push_async_callback), callback_doc},
    {"aclose", stack_aclose, METH_NOARGS, aclose_doc},
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

static PyType_Spec spec = WITHIN_EXIT_STACK_SPEC("AsyncExitStack", slots);

int within_add_async_exit_stack(PyObject *module) {
    return within_exit_stack_add(module, &spec, &with_methods, stack_vectorcall) ? 0 : -1;
}
