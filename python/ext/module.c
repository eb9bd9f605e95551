/* The extension module within._within: set-up, and the state that its types share. */
#include "module.h"

#include <string.h>

#define COUNT(part) +1
#define ADD(part) within_add_##part,

static int (*const parts[0 WITHIN_PARTS(COUNT)])(PyObject *) = {WITHIN_PARTS(ADD)};

PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, bases);
    if (!type) return NULL;
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed ? NULL : (PyTypeObject *)type;
}

within_state *within_state_of_type(PyTypeObject *type) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i);
        if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)) continue;
        PyObject *module = ((PyHeapTypeObject *)base)->ht_module;
        if (module && PyModule_GetDef(module) == &within_module) return within_state_of(module);
    }
    return NULL;
}

int within_add_names(PyObject *module) {
    struct within_names *names = &within_state_of(module)->names;
#define INTERN(field, text)                                                                        \
    if (!(names->field = PyUnicode_InternFromString(text))) return -1;
    WITHIN_NAMES(INTERN)
    return 0;
}

/* The record belongs to the process, and open sections to its threads: there is one of each. */
static int refuse_subinterpreter(void) {
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) return 0;
    PyErr_SetString(PyExc_ImportError, "within does not support sub-interpreters");
    return -1;
}

static int module_exec(PyObject *module) {
    if (refuse_subinterpreter()) return -1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i](module)) return -1;
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    const within_state *state = within_state_of(module);
    Py_VISIT(state->with_method);
    Py_VISIT(state->generator_manager_base);
    Py_VISIT(state->context_decorator);
    Py_VISIT(state->recreate_itself);
    Py_VISIT(state->generator_manager);
    Py_VISIT(state->async_context_decorator);
    Py_VISIT(state->async_generator_manager);
    Py_VISIT(state->async_step);
    Py_VISIT(state->wrapper_assignments);
    Py_VISIT(state->stops);
    return 0;
}

static int module_clear(PyObject *module) {
    within_state *state = within_state_of(module);
    Py_CLEAR(state->with_method);
    Py_CLEAR(state->generator_manager_base);
    Py_CLEAR(state->context_decorator);
    Py_CLEAR(state->recreate_itself);
    Py_CLEAR(state->generator_manager);
    Py_CLEAR(state->async_context_decorator);
    Py_CLEAR(state->async_generator_manager);
    Py_CLEAR(state->async_step);
    Py_CLEAR(state->wrapper_assignments);
    Py_CLEAR(state->stops);
#define CLEAR(field, text) Py_CLEAR(state->names.field);
    WITHIN_NAMES(CLEAR)
    return 0;
}

static void module_free(void *module) {
    module_clear(module);
    within_free_generator_managers();
    within_free_async_steps();
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

PyModuleDef within_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "within._within",
    .m_doc = "The C side of within; use the package within.",
    .m_size = sizeof(within_state),
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__within(void);
PyMODINIT_FUNC PyInit__within(void) { return PyModuleDef_Init(&within_module); }
