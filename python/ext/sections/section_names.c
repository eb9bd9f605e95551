/* The table of names, and the cache before it. */
#include "sections/section_names.h"

#include <string.h>

#include <within/record.h>

enum {
    MOST_NAMES = 4096,
    KEPT_BYTES = WI_NAME_MAX + 8, /* enough for the record to see that it has to cut, and where */
};

/* 16 bytes: the record tells identities apart by their addresses in steps of as many. */
typedef struct site {
    _Alignas(16) const char *text;
} site;

static struct {
    PyObject *index; /* str to the number of its site */
    Py_ssize_t count;
    site sites[MOST_NAMES];
} names;

within_cached_name within_cached_names[WITHIN_CACHED_NAMES];

/* Lone surrogates and '\0' as they are written in a literal. */
static PyObject *made_visible(PyObject *str) {
    PyObject *bytes = PyUnicode_AsEncodedString(str, "utf-8", "backslashreplace");
    PyObject *text =
        bytes ? PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), NULL)
              : NULL;
    Py_XDECREF(bytes);
    if (!text) return NULL;
    PyObject *nul = PyUnicode_FromStringAndSize("", 1), *shown = PyUnicode_FromString("\\x00");
    PyObject *visible = nul && shown ? PyUnicode_Replace(text, nul, shown, -1) : NULL;
    Py_XDECREF(nul);
    Py_XDECREF(shown);
    Py_DECREF(text);
    return visible;
}

/* A str whose UTF-8 is a C string: this one, or one that shows what is not. A new reference. */
static PyObject *printable(PyObject *str, const char **text) {
    Py_ssize_t size;
    *text = PyUnicode_AsUTF8AndSize(str, &size);
    if (*text && (size_t)size == strlen(*text)) return Py_NewRef(str);
    if (!*text && !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return NULL;
    PyErr_Clear();
    PyObject *visible = made_visible(str);
    *text = visible ? PyUnicode_AsUTF8(visible) : NULL;
    if (*text) return visible;
    Py_XDECREF(visible);
    return NULL;
}

static const char *copy_of(const char *text) {
    size_t length = strnlen(text, KEPT_BYTES);
    char *copy = PyMem_RawMalloc(length + 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* -1 with an error set. */
static int add_site(PyObject *str, const char *text) {
    PyObject *number = PyLong_FromSsize_t(names.count);
    const char *copy = number ? copy_of(text) : NULL;
    if (number && !copy) PyErr_NoMemory();
    int failed = !copy || PyDict_SetItem(names.index, str, number);
    Py_XDECREF(number);
    if (failed) {
        PyMem_RawFree((void *)copy);
        return -1;
    }
    names.sites[names.count++].text = copy;
    return 0;
}

/* The site of a str; NULL if it has none yet, or with an error set. */
static const site *find_site(PyObject *str) {
    if (!names.index && !(names.index = PyDict_New())) return NULL;
    PyObject *number = PyDict_GetItemWithError(names.index, str);
    return number ? &names.sites[PyLong_AsSsize_t(number)] : NULL;
}

/* The same, made if there is room. A str of 10 MB is not kept for its first 200 bytes. */
static const site *site_of(PyObject *str) {
    const site *found = find_site(str);
    if (found || PyErr_Occurred()) return found;
    if (names.count == MOST_NAMES || PyUnicode_GET_LENGTH(str) > WI_NAME_MAX) return NULL;
    const char *text;
    PyObject *owner = printable(str, &text);
    int failed = !owner || add_site(str, text);
    Py_XDECREF(owner);
    return failed ? NULL : &names.sites[names.count - 1];
}

int within_find_name(PyObject *str, within_name *name) {
    const site *found = site_of(str);
    if (!found) {
        if (PyErr_Occurred()) return -1;
        name->site = NULL;
        name->owner = printable(str, &name->text);
        return name->owner ? 0 : -1;
    }
    within_cached_name *cached = within_cached_name_of(str);
    *name = (within_name){found, found->text, NULL};
    cached->site = found;
    cached->text = found->text;
    Py_XSETREF(cached->str, Py_NewRef(str));
    return 0;
}

/* At the interpreter's end: another may begin in this process. Identities stay. */
static void forget_strings(PyObject *capsule) {
    (void)capsule;
    Py_CLEAR(names.index);
    for (size_t i = 0; i < WITHIN_CACHED_NAMES; i++) Py_CLEAR(within_cached_names[i].str);
}

int within_add_section_names(PyObject *module) {
    PyObject *keeper = PyCapsule_New(&names, NULL, forget_strings);
    int failed = !keeper || PyModule_AddObjectRef(module, "_names", keeper);
    Py_XDECREF(keeper);
    return failed ? -1 : 0;
}
