/* contextlib._GeneratorContextManager: a generator with one yield as the manager of a block. */
#include "contextlib/generator_manager.h"

#include "contextlib/context_decorator.h"
#include "contextlib/generator.h"
#include "raised.h"

static PyObject *manager_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    generator_manager *self = (generator_manager *)object;
    if (within_generator_manager_forget_call(self)) return NULL;
    PyObject *gen = within_generator_manager_generator(self);
    if (!gen) return NULL;
    PyObject *result = within_generator_enter(gen);
    Py_DECREF(gen);
    return result;
}

static PyObject *manager_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)", count);
    PyObject *gen = within_generator_manager_generator((generator_manager *)object);
    if (!gen) return NULL;
    int swallowed;
    if (Py_IsNone(args[0]))
        swallowed = within_generator_finish(gen);
    else
        swallowed = within_generator_throw(within_state_of_subtype(Py_TYPE(object)), gen, args);
    Py_DECREF(gen);
    return swallowed < 0 ? NULL : Py_NewRef(swallowed ? Py_True : Py_False);
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", manager_enter, METH_NOARGS, "Run the generator up to its yield."},
    .exit = {"__exit__", WITHIN_FASTCALL(manager_exit),
             "Run the generator to its end, or raise the body's error in it."},
    .call = within_decorate,
};

PyObject *within_generator_manager_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                        PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

PyObject *within_generator_manager_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                              PyObject *names) {
    return within_generator_manager_construct((PyTypeObject *)type, within_generator_manager_call,
                                              args, nargsf, names);
}

/* Of subclasses: their objects are no blocks when they are called. */
static PyObject *manager_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_generator_manager_new(type, within_decorate);
}

bool within_is_generator_manager(PyObject *manager) {
    return Py_TYPE(manager)->tp_vectorcall == within_generator_manager_vectorcall;
}

/* The generator sees the error of the function, which is being handled meanwhile. */
static PyObject *throw_raised(const within_state *state, PyObject *gen) {
    PyObject *error = within_take_raised(), *traceback = PyException_GetTraceback(error);
    PyObject *raised[] = {(PyObject *)Py_TYPE(error), error, traceback ? traceback : Py_None};
    within_handled handled = within_handle(error);
    int swallowed = within_generator_throw(state, gen, raised);
    within_handled_restore(handled);
    return within_left(swallowed, error, traceback);
}

PyObject *within_generator_manager_call_inside(const within_state *state, PyObject *manager,
                                               const within_call *call) {
    PyObject *gen = within_generator_manager_call_again((generator_manager *)manager);
    PyObject *entered = gen ? within_generator_enter(gen) : NULL, *result = NULL;
    if (entered) {
        result = within_make_call(call);
        if (!result)
            result = throw_raised(state, gen);
        else if (within_generator_finish(gen))
            Py_CLEAR(result);
        Py_DECREF(entered);
    }
    Py_XDECREF(gen);
    return result;
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The manager that a function decorated with contextmanager returns."},
    {Py_tp_new, manager_new},
    {Py_tp_members, members},
    WITHIN_GENERATOR_MANAGER_SLOTS,
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib._GeneratorContextManager",
    .basicsize = sizeof(generator_manager),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_generator_manager(PyObject *module) {
    within_state *state = within_state_of(module);
    PyObject *bases = PyTuple_Pack(2, state->generator_manager_base, state->context_decorator);
    if (!bases) return -1;
    PyTypeObject *type = within_add_manager(module, &spec, bases, &with_methods,
                                            within_generator_manager_vectorcall);
    Py_DECREF(bases);
    return within_hold_type(&state->generator_manager, type);
}
