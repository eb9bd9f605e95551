/* The trees of profilers: their numbers are used again, so that any number of them take bounded memory. */
#include "sections/tree.h"

enum { DEAD_KEPT = 64 };

typedef struct within_tree_number {
    uint32_t number;
    struct within_tree_number *next;
} within_tree_number;

/* The numbers of dead trees, the longest dead first. Guarded by the GIL. */
static struct {
    within_tree_number *first, **end;
    uint32_t count;
    uint32_t last; /* the highest number so far */
} dead = {.end = &dead.first};

static within_tree_number *take_over(void) {
    within_tree_number *number = dead.first;
    dead.first = number->next;
    if (!dead.first) dead.end = &dead.first;
    dead.count--;
    return number;
}

static within_tree_number *number_new(void) {
    within_tree_number *number = PyMem_RawMalloc(sizeof *number);
    if (!number) return (within_tree_number *)PyErr_NoMemory();
    number->number = ++dead.last;
    return number;
}

static void give_back(within_tree_number *number) {
    number->next = NULL;
    *dead.end = number;
    dead.end = &number->next;
    dead.count++;
}

within_tree *within_tree_new(within_state *state) {
    within_tree *tree = PyObject_New(within_tree, state->tree);
    if (!tree) return NULL;
    int is_used_again = dead.count >= DEAD_KEPT;
    tree->family = (within_family){.root_name = tree->name};
    tree->number = is_used_again ? take_over() : number_new();
    if (!tree->number) {
        Py_DECREF(tree);
        return NULL;
    }
    PyOS_snprintf(tree->name, sizeof tree->name, "Profiler %u", tree->number->number);
    if (is_used_again) wi__span_forget(tree->name);
    return tree;
}

static void tree_dealloc(PyObject *op) {
    within_tree *tree = (within_tree *)op;
    PyTypeObject *type = Py_TYPE(op);
    within_family_end(&tree->family);
    if (tree->number) give_back(tree->number);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "What the sections of a profiler belong to."},
    {Py_tp_dealloc, tree_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.tree",
    .basicsize = sizeof(within_tree),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_tree(PyObject *module) {
    return within_hold_type(&within_state_of(module)->tree, within_add_type(module, &spec, NULL));
}
