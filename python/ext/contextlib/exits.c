/* What an exit stack will call: an array of exits. */
#include "contextlib/exits.h"

#include <string.h>

static int to_heap(within_exits *exits) {
    Py_ssize_t capacity = exits->capacity * 2;
    bool own = exits->array == exits->own;
    within_exit *array = PyMem_Realloc(own ? NULL : exits->array, (size_t)capacity * sizeof *array);
    if (!array) {
        PyErr_NoMemory();
        return -1;
    }
    if (own) memcpy(array, exits->own, (size_t)exits->count * sizeof *array);
    exits->array = array;
    exits->capacity = capacity;
    return 0;
}

int within_exits_grow(within_exits *exits) {
    if (exits->array) return to_heap(exits);
    exits->array = exits->own;
    exits->capacity = WITHIN_INLINE_EXITS;
    return 0;
}

static void forget(within_exits *exits) {
    exits->array = NULL;
    exits->count = exits->capacity = 0;
}

void within_exits_move(within_exits *to, within_exits *from) {
    to->count = from->count;
    to->capacity = from->capacity;
    to->array = from->array;
    if (from->array == from->own) {
        to->array = to->own;
        memcpy(to->own, from->own, sizeof to->own);
    }
    forget(from);
}

void within_exits_clear(within_exits *exits) {
    while (exits->count > 0) {
        within_exit exit = within_exits_pop(exits);
        within_exit_release(&exit);
    }
    if (exits->array != exits->own) PyMem_Free(exits->array);
    forget(exits);
}

int within_exits_traverse(within_exits *exits, visitproc visit, void *arg) {
    for (Py_ssize_t i = 0; i < exits->count; i++) {
        Py_VISIT(exits->array[i].function);
        Py_VISIT(exits->array[i].object);
        Py_VISIT(exits->array[i].names);
    }
    return 0;
}

int within_exit_init_callback(within_exit *exit, PyObject *const *args, Py_ssize_t count,
                              PyObject *names) {
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0, all = count - 1 + named;
    *exit = (within_exit){.kind = WITHIN_EXIT_CALLBACK};
    if (all == 1 && !named) {
        exit->object = Py_NewRef(args[1]);
    } else if (all > 0) {
        exit->kind = WITHIN_EXIT_CALLBACKS;
        exit->object = PyTuple_New(all);
        if (!exit->object) return -1;
        for (Py_ssize_t i = 0; i < all; i++)
            PyTuple_SET_ITEM(exit->object, i, Py_NewRef(args[1 + i]));
        if (named) exit->names = Py_NewRef(names);
    }
    exit->function = Py_NewRef(args[0]);
    return 0;
}

static PyObject *call_callback(const within_exit *exit) {
    if (exit->kind == WITHIN_EXIT_CALLBACK)
        return exit->object ? PyObject_CallOneArg(exit->function, exit->object)
                            : PyObject_CallNoArgs(exit->function);
    size_t named = exit->names ? (size_t)PyTuple_GET_SIZE(exit->names) : 0;
    return PyObject_Vectorcall(exit->function, &PyTuple_GET_ITEM(exit->object, 0),
                               (size_t)PyTuple_GET_SIZE(exit->object) - named, exit->names);
}

PyObject *within_exit_call(const within_exit *exit, PyObject *const details[3]) {
    if (exit->kind >= WITHIN_EXIT_CALLBACK) {
        unsigned long around = within_unbroken_begin();
        PyObject *result = call_callback(exit);
        within_unbroken_end(around);
        if (result && !exit->async && !Py_IsNone(result)) Py_SETREF(result, Py_NewRef(Py_None));
        return result;
    }
    within_special_method method = {exit->function, exit->kind == WITHIN_EXIT_FUNCTION};
    return within_call_exit(method, exit->object, details);
}
