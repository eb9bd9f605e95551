/*
 * What the leak watch lists of Python when it explains: the types of objects, and the names of threads.
 *
 * The garbage collector knows containers only. Arrays, strings, floats, and tuples of these are found in containers that
 * refer to them, and a container's share of one is what one reference is of all: so the shares of what only containers
 * refer to add up to 1, without remembering which objects were met. What is everywhere, as None, counts almost nothing.
 */
#include "module.h"

#include <math.h>

#include "manage/inventory.h"
#include "memory/may_ask.h"

/* ---- a table of types ---- */

enum { TYPES = 4096, SLOTS = 2 * TYPES, DEEPEST = 16 };

typedef struct counted {
    PyTypeObject *type;      /* NULL: the place is free */
    PyObject *sizeof_method; /* of C, borrowed from the type; NULL: only the basic size is known */
    double count, bytes;
} counted;

typedef struct table {
    int used;
    counted slots[SLOTS];
} table;

/* What asks an object of C for its size, bodies that it allocated included. Methods of Python are not called. */
static PyObject *sizeof_method(PyTypeObject *type, PyObject *name) {
    PyObject *method = _PyType_Lookup(type, name);
    return method && Py_TYPE(method) == &PyMethodDescr_Type ? method : NULL;
}

static PyObject *sizeof_name; /* "__sizeof__" */

static counted *place_of(table *types, PyTypeObject *type) {
    size_t at = ((uintptr_t)type >> 4) * 2654435761u % SLOTS;
    while (types->slots[at].type && types->slots[at].type != type) at = (at + 1) % SLOTS;
    counted *place = &types->slots[at];
    if (place->type || types->used == TYPES) return place->type ? place : NULL;
    types->used++;
    *place = (counted){(PyTypeObject *)Py_NewRef(type), sizeof_method(type, sizeof_name), 0, 0};
    return place;
}

static double size_of(PyObject *object, const counted *place) {
    PyObject *bytes =
        place->sizeof_method ? PyObject_CallOneArg(place->sizeof_method, object) : NULL;
    double size = bytes ? PyLong_AsDouble(bytes) : -1;
    Py_XDECREF(bytes);
    PyErr_Clear();
    return size >= 0 ? size : (double)Py_TYPE(object)->tp_basicsize;
}

static void count(table *types, PyObject *object, double share) {
    counted *place = place_of(types, Py_TYPE(object));
    if (!place) return;
    place->count += share;
    place->bytes += share * size_of(object, place);
}

/* ---- what containers refer to ---- */

#ifdef Py_GIL_DISABLED
/* Other threads would change it meanwhile. */
static void count_references(table *types, PyObject *object) { (void)types, (void)object; }
#else
typedef struct walk {
    table *types;
    double share; /* of the object whose references are followed */
    int depth;
} walk;

static int visit(PyObject *object, void *arg) {
    const double least = 1. / 64; /* smaller shares are not followed: there may be very many */
    walk *from = arg;
    if (PyObject_IS_GC(object) && PyObject_GC_IsTracked(object)) return 0;
    double share = from->share / (double)Py_REFCNT(object);
    count(from->types, object, share);
    traverseproc traverse = PyObject_IS_GC(object) ? Py_TYPE(object)->tp_traverse : NULL;
    walk below = {from->types, share, from->depth + 1};
    if (traverse && share >= least && below.depth < DEEPEST) traverse(object, visit, &below);
    return 0;
}

static void count_references(table *types, PyObject *object) {
    walk from = {types, 1, 0};
    if (Py_TYPE(object)->tp_traverse) Py_TYPE(object)->tp_traverse(object, visit, &from);
}
#endif

static void count_container(table *types, PyObject *object) {
    count(types, object, 1);
    count_references(types, object);
}

/* ---- types ---- */

/* "numpy.ndarray", "list". */
static void type_name(PyTypeObject *type, char *name, size_t size) {
    PyObject *module =
        strchr(type->tp_name, '.') ? NULL : PyObject_GetAttrString((PyObject *)type, "__module__");
    const char *text = module && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    int is_plain = !text || strcmp(text, "builtins") == 0;
    snprintf(name, size, "%s%s%s", is_plain ? "" : text, is_plain ? "" : ".", type->tp_name);
    Py_XDECREF(module);
    PyErr_Clear();
}

static void hand_over(table *types, wi__inventory *inventory) {
    char name[256];
    for (int i = 0; i < SLOTS; i++) {
        const counted *each = &types->slots[i];
        if (!each->type) continue;
        type_name(each->type, name, sizeof name);
        wi__inventory_count(inventory, name, llround(each->count), llround(each->bytes));
        Py_DECREF(each->type);
    }
}

static int list_types(wi__inventory *inventory) {
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *containers = gc ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
    table *types = containers ? PyMem_RawCalloc(1, sizeof *types) : NULL;
    if (types) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(containers); i++)
            count_container(types, PyList_GET_ITEM(containers, i));
        hand_over(types, inventory);
    }
    Py_XDECREF(gc);
    Py_XDECREF(containers);
    PyMem_RawFree(types);
    return types != NULL;
}

/* ---- threads ---- */

/* A thread that the program started with threading; the kernel knows all by one name. */
static int list_threads(wi__inventory *inventory) {
    PyObject *name = PyUnicode_FromString("threading");
    PyObject *module = name ? PyImport_GetModule(name) : NULL; /* NULL if it is not imported */
    PyObject *threads = module ? PyObject_CallMethod(module, "enumerate", NULL) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(module);
    for (Py_ssize_t i = 0; threads && i < PyList_GET_SIZE(threads); i++) {
        PyObject *own = PyObject_GetAttrString(PyList_GET_ITEM(threads, i), "name");
        const char *text = own && PyUnicode_Check(own) ? PyUnicode_AsUTF8(own) : NULL;
        if (text) wi__inventory_count_alike(inventory, text);
        Py_XDECREF(own);
        PyErr_Clear();
    }
    Py_XDECREF(threads);
    return 1;
}

/* ---- both ---- */

/* The exception that is on its way is not disturbed. */
static int ask(int (*list)(wi__inventory *), wi__inventory *inventory) {
    if (!within_may_ask()) return 0;
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    int is_listed = list(inventory);
    PyErr_Restore(kind, error, traceback);
    return is_listed;
}

static int take_types(wi__inventory *inventory) { return ask(list_types, inventory); }
static int take_threads(wi__inventory *inventory) { return ask(list_threads, inventory); }

static const wi__listing types = {
    .title = "Python types",
    .counters = (const char *const[]){"Python blocks", "resident memory", NULL},
    .take = take_types,
};

static const wi__listing threads = {
    .title = "Python threads",
    .counters = (const char *const[]){"threads", NULL},
    .take = take_threads,
};

int within_add_python_types(PyObject *module) {
    (void)module;
    if (!sizeof_name) sizeof_name = PyUnicode_InternFromString("__sizeof__");
    if (!sizeof_name) return -1;
    wi__listing_add(&types);
    wi__listing_add(&threads);
    return 0;
}
