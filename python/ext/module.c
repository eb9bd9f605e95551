/* The extension module within._within: set-up of its parts, now or when contextlib asks, and of their state. */
#include "module.h"

#include <within/version.h>

within_last_module within_last;

PyObject *within_import(const char *module, const char *name) {
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *value = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    return value;
}

PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, bases);
    if (!type) return NULL;
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed ? NULL : (PyTypeObject *)type;
}

static int intern_names(within_names *names) {
#define INTERN(name)                                                                               \
    names->n##name = PyUnicode_InternFromString(#name);                                            \
    if (!names->n##name) return -1;
    WITHIN_NAMES(INTERN)
    return 0;
}

/* The record belongs to the process, and open sections to its threads: there is one of each. */
static int refuse_subinterpreter(void) {
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) return 0;
    PyErr_SetString(PyExc_ImportError, "within does not support sub-interpreters");
    return -1;
}

#define ADD(part)                                                                                  \
    if (within_add_##part(module)) return -1;

static int module_exec(PyObject *module) {
    within_last = (within_last_module){module, (within_state *)PyModule_GetState(module)};
    if (refuse_subinterpreter() || intern_names(&within_state_of(module)->names)) return -1;
    if (PyModule_AddStringConstant(module, "__version__", wi_version())) return -1;
    WITHIN_PARTS(ADD)
    return 0;
}

static int add_contextlib_parts(PyObject *module) {
    WITHIN_CONTEXTLIB_PARTS(ADD)
    return 0;
}

/* Once; what failed half-way is done again. */
static PyObject *add_contextlib(PyObject *module, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of(module);
    if (!state->has_contextlib && add_contextlib_parts(module)) return NULL;
    state->has_contextlib = true;
    Py_RETURN_NONE;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
#define VISIT(type, name) Py_VISIT(within_state_of(module)->name);
    WITHIN_HELD(VISIT)
    return 0;
}

static int module_clear(PyObject *module) {
#define CLEAR(type, name) Py_CLEAR(within_state_of(module)->name);
    WITHIN_HELD(CLEAR)
    return 0;
}

static void module_free(void *module) {
    within_state *state = within_state_of(module);
    if (within_last.module == module) within_last = (within_last_module){NULL, NULL};
    module_clear(module);
#define CLEAR_NAME(name) Py_CLEAR(state->names.n##name);
    WITHIN_NAMES(CLEAR_NAME)
#define CLEAR_POOL(pool) within_pool_clear(&state->pool);
    WITHIN_POOLS(CLEAR_POOL)
}

static PyMethodDef functions[] = {
    {"add_contextlib", add_contextlib, METH_NOARGS, "Add what within.contextlib needs."},
    {NULL, NULL, 0, NULL},
};

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
    .m_methods = functions,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__within(void);
PyMODINIT_FUNC PyInit__within(void) { return PyModuleDef_Init(&within_module); }
