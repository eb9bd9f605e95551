/* contextlib._BaseExitStack: putting exits down, and moving them to another stack. */
#include "contextlib/exit_stack.h"
#include "contextlib/special_method.h"
#include "raised.h"

PyObject *within_exit_stack_make(PyTypeObject *type, vectorcallfunc call) {
    PyObject *self = within_pool_new(WITHIN_POOL(type, exit_stacks), type);
    if (!self) return NULL;
    ((within_manager *)self)->call = call;
    PyObject_GC_Track(self);
    return self;
}

PyObject *within_exit_stack_new(PyTypeObject *type, vectorcallfunc call) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((within_manager *)self)->call = within_call_for(type, call);
    return self;
}

int within_exit_stack_reserve(within_exit_stack *self) {
    return within_exits_reserve(&self->exits);
}

static int append(within_exit_stack *self, const within_exit *exit) {
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *callable = within_exit_as_callable(state, exit);
    PyObject *pair = callable ? PyTuple_Pack(2, exit->async ? Py_False : Py_True, callable) : NULL;
    Py_XDECREF(callable);
    if (!pair) return -1;
    PyObject *result = PyObject_CallMethodOneArg(self->deque, state->names.nappend, pair);
    Py_DECREF(pair);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int within_exit_stack_push(within_exit_stack *self, within_exit exit) {
    if (!self->deque && !within_exits_reserve(&self->exits)) {
        within_exits_push(&self->exits, exit);
        return 0;
    }
    int failed = !self->deque || append(self, &exit);
    within_exit_release(&exit);
    return failed ? -1 : 0;
}

int within_exit_stack_pop_deque(within_exit_stack *self, within_exit *exit) {
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    int some = PyObject_IsTrue(self->deque);
    if (some <= 0) return some;
    PyObject *pair = PyObject_CallMethodNoArgs(self->deque, state->names.npop), *callable;
    int sync;
    if (!pair) return -1;
    int parsed = PyArg_ParseTuple(pair, "pO:_exit_callbacks", &sync, &callable);
    if (parsed) *exit = within_exit_of_callable(state, Py_NewRef(callable), !sync);
    Py_DECREF(pair);
    return parsed ? 1 : -1;
}

PyObject *within_exit_stack_push_object(within_exit_stack *self, PyObject *exit_object,
                                        PyObject *method_name, bool async) {
    within_special_method method;
    int found = within_find_of_type(exit_object, method_name, &method);
    if (found < 0) return NULL;
    if (!found) {
        PyErr_Clear();
        method = (within_special_method){Py_NewRef(exit_object), 1};
    }
    within_exit exit = within_exit_of_method(method, exit_object, async);
    return within_exit_stack_push(self, exit) ? NULL : Py_NewRef(exit_object);
}

PyObject *within_exit_stack_push_callback(within_exit_stack *self, PyObject *const *args,
                                          Py_ssize_t count, PyObject *names, bool async) {
    within_exit exit;
    if (count < 1)
        return PyErr_Format(PyExc_TypeError,
                            "%s() missing 1 required positional argument: 'callback'",
                            async ? "push_async_callback" : "callback");
    if (within_exit_init_callback(&exit, args, count, names)) return NULL;
    exit.async = async;
    return within_exit_stack_push(self, exit) ? NULL : Py_NewRef(args[0]);
}

static PyObject *stack_push(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *names) {
    PyObject *exit = within_one_argument("push", "exit", args, count, names);
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    if (!exit || !state) return NULL;
    return within_exit_stack_push_object((within_exit_stack *)self, exit, state->names.n__exit__,
                                         false);
}

static PyObject *stack_callback(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                PyObject *names) {
    within_exit_stack *stack = (within_exit_stack *)self;
    if (count == 1 && !names && !stack->deque && !within_exits_reserve(&stack->exits)) {
        within_exits_push(&stack->exits, (within_exit){.function = Py_NewRef(args[0]),
                                                       .kind = WITHIN_EXIT_CALLBACK});
        return Py_NewRef(args[0]);
    }
    return within_exit_stack_push_callback((within_exit_stack *)self, args, count, names, false);
}

/* No memory for what was just entered, in spite of the room made before: it entered others into this stack. */
static void exit_at_once(const within_exit *exit) {
    PyObject *error = within_take_raised();
    PyObject *const details[3] = {(PyObject *)Py_TYPE(error), error, Py_None};
    Py_XDECREF(within_exit_call(exit, details));
    if (PyErr_Occurred()) PyErr_WriteUnraisable(exit->function);
    within_raise(error);
}

/* Nothing of Python's runs between the end of the manager's own __enter__ and the push: no signal can come. */
static PyObject *enter_and_push(within_exit_stack *self, PyObject *manager,
                                within_special_method enter_method, within_exit exit) {
    PyObject *result =
        within_exit_stack_reserve(self) ? NULL : within_call_special(enter_method, manager);
    if (result && !self->deque && !within_exits_reserve(&self->exits)) {
        within_exits_push(&self->exits, exit);
        return result;
    }
    if (result && (!self->deque || append(self, &exit))) {
        exit_at_once(&exit);
        Py_CLEAR(result);
    }
    within_exit_release(&exit);
    return result;
}

static PyObject *stack_enter_context(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                     PyObject *names) {
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *manager = within_one_argument("enter_context", "cm", args, count, names);
    within_special_method enter_method, exit_method;
    if (!manager || !state ||
        !within_find_pair(manager, state->names.n__enter__, state->names.n__exit__,
                          "context manager", &enter_method, &exit_method))
        return NULL;
    PyObject *result = enter_and_push((within_exit_stack *)self, manager, enter_method,
                                      within_exit_of_method(exit_method, manager, false));
    Py_DECREF(enter_method.function);
    return result;
}

static PyObject *get_exit_callbacks(PyObject *object, void *unused) {
    (void)unused;
    within_exit_stack *self = (within_exit_stack *)object;
    if (self->deque) return Py_NewRef(self->deque);
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    self->deque = PyObject_CallNoArgs(state->deque);
    for (Py_ssize_t i = 0; self->deque && i < self->exits.count; i++)
        if (append(self, &self->exits.array[i])) Py_CLEAR(self->deque);
    if (self->deque) within_exits_clear(&self->exits);
    return Py_XNewRef(self->deque);
}

static int set_exit_callbacks(PyObject *object, PyObject *value, void *unused) {
    (void)unused;
    within_exit_stack *self = (within_exit_stack *)object;
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "_exit_callbacks cannot be deleted");
        return -1;
    }
    Py_XSETREF(self->deque, Py_NewRef(value));
    within_exits_clear(&self->exits);
    return 0;
}

/* As the standard one: what the new stack had of its own is dropped. */
static void move(within_exit_stack *to, within_exit_stack *from) {
    within_exits_clear(&to->exits);
    Py_CLEAR(to->deque);
    within_exits_move(&to->exits, &from->exits);
    to->deque = from->deque;
    from->deque = NULL;
}

static PyObject *stack_pop_all(PyObject *self, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *stack = PyObject_CallNoArgs((PyObject *)Py_TYPE(self));
    if (!stack || !state) return stack;
    if (PyObject_TypeCheck(stack, state->base_exit_stack)) {
        if (stack != self) move((within_exit_stack *)stack, (within_exit_stack *)self);
        return stack;
    }
    PyObject *deque = get_exit_callbacks(self, NULL);
    if (!deque || PyObject_SetAttr(stack, state->names.n_exit_callbacks, deque))
        Py_CLEAR(stack);
    else
        Py_CLEAR(((within_exit_stack *)self)->deque);
    Py_XDECREF(deque);
    return stack;
}

static int stack_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, ":ExitStack", names)) return -1;
    within_exits_clear(&((within_exit_stack *)self)->exits);
    Py_CLEAR(((within_exit_stack *)self)->deque);
    return 0;
}

int within_exit_stack_traverse(PyObject *self, visitproc visit, void *arg) {
    within_exit_stack *stack = (within_exit_stack *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(stack->instance.attributes);
    Py_VISIT(stack->deque);
    return within_exits_traverse(&stack->exits, visit, arg);
}

int within_exit_stack_clear(PyObject *self) {
    within_exit_stack *stack = (within_exit_stack *)self;
    Py_CLEAR(stack->instance.attributes);
    Py_CLEAR(stack->deque);
    within_exits_clear(&stack->exits);
    return 0;
}

static void empty_and_free(PyObject *self) {
    const PyTypeObject *type = Py_TYPE(self);
    bool is_exact = type->tp_dealloc == within_exit_stack_dealloc;
    if (((within_instance *)self)->weak_references) PyObject_ClearWeakRefs(self);
    within_exit_stack_clear(self);
    within_pool_keep(is_exact ? WITHIN_POOL(type, exit_stacks) : NULL, self);
}

/* Stacks that hold stacks that hold stacks are freed by the trashcan, not by recursion. */
void within_exit_stack_dealloc(PyObject *self) {
    within_exit_stack *stack = (within_exit_stack *)self;
    PyObject_GC_UnTrack(self);
    if (stack->exits.count == 0 && !stack->deque) {
        empty_and_free(self);
        return;
    }
    Py_TRASHCAN_BEGIN(self, within_exit_stack_dealloc) empty_and_free(self);
    Py_TRASHCAN_END
}

PyDoc_STRVAR(enter_context_doc, "enter_context($self, /, cm)\n--\n\n\
Enter a manager, put its exit down, and return what entering gave.");
PyDoc_STRVAR(push_doc, "push($self, /, exit)\n--\n\n\
Put down a manager's exit without entering it, or a function with the arguments of __exit__.");
PyDoc_STRVAR(callback_doc, "callback($self, callback, /, *args, **kwds)\n--\n\n\
Put down any function with its arguments; it cannot suppress exceptions.");
PyDoc_STRVAR(pop_all_doc, "pop_all($self, /)\n--\n\n\
Move everything to a new stack, so that leaving this one calls nothing.");

static PyMethodDef methods[] = {
    {"enter_context", WITHIN_FASTCALL_KEYWORDS(stack_enter_context), enter_context_doc},
    {"push", WITHIN_FASTCALL_KEYWORDS(stack_push), push_doc},
    {"callback", WITHIN_FASTCALL_KEYWORDS(stack_callback), callback_doc},
    {"pop_all", stack_pop_all, METH_NOARGS, pop_all_doc},
    WITHIN_INSTANCE_GENERIC,
    {NULL, NULL, 0, NULL},
};

/* Methods of the very type: the interpreter's fast calls want them. */
static int add_methods(PyTypeObject *type) {
    for (PyMethodDef *method = methods; method->ml_name; method++) {
        if (method->ml_flags & METH_CLASS) continue;
        PyObject *descriptor = PyDescr_NewMethod(type, method);
        int failed =
            !descriptor || PyObject_SetAttrString((PyObject *)type, method->ml_name, descriptor);
        Py_XDECREF(descriptor);
        if (failed) return -1;
    }
    return 0;
}

PyTypeObject *within_exit_stack_add(PyObject *module, PyType_Spec *spec,
                                    const within_with_methods *with_methods,
                                    vectorcallfunc construct) {
    PyObject *base = (PyObject *)within_state_of(module)->base_exit_stack;
    PyTypeObject *type = within_add_manager(module, spec, base, with_methods, construct);
    return type && add_methods(type) ? NULL : type;
}

static PyGetSetDef getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"_exit_callbacks", get_exit_callbacks, set_exit_callbacks, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    WITHIN_INSTANCE_MEMBERS,
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What ExitStack and AsyncExitStack have in common."},
    {Py_tp_init, stack_init},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {Py_tp_traverse, within_exit_stack_traverse},
    {Py_tp_clear, within_exit_stack_clear},
    {Py_tp_dealloc, within_exit_stack_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib._BaseExitStack",
    .basicsize = sizeof(within_exit_stack),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int within_add_base_exit_stack(PyObject *module) {
    within_state *state = within_state_of(module);
    if (within_hold(&state->deque, within_import("_collections", "deque"))) return -1;
    return within_hold_type(&state->base_exit_stack, within_add_type(module, &spec, NULL));
}
