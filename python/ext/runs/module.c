/* The extension module within._runs: set-up of its parts. */
#include "runs/runs.h"

#include <within/sqlite.h>

const within_core_calls *within_core;

/*
 * What sqlite3 raises for the same, as wi.transaction does; it is imported for that alone. An interpreter may have been
 * built without it.
 */
static PyObject *type_of(const wi_error *error) {
    if (!wi_error_is(error, WI_SQLITE_ERROR)) return NULL;
    const char *name =
        wi_error_is(error, WI_CONSTRAINT_ERROR) ? "IntegrityError" : "OperationalError";
    PyObject *sqlite3 = PyImport_ImportModule("sqlite3");
    PyObject *type = sqlite3 ? PyObject_GetAttrString(sqlite3, name) : NULL;
    Py_XDECREF(sqlite3);
    if (!type) PyErr_Clear();
    return type;
}

static int module_exec(PyObject *module) {
    within_core = (const within_core_calls *)PyCapsule_Import(WITHIN_CORE_CALLS, 0);
    if (!within_core) return -1;
    within_core->tell_type_of(type_of);
    return within_add_run(module) || within_add_database(module) ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef runs_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "within._runs",
    .m_doc = "The C side of within.run; use the package within.",
    .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__runs(void);
PyMODINIT_FUNC PyInit__runs(void) { return PyModuleDef_Init(&runs_module); }
