/*
 * A profiler's tree: what its sections belong to, and what they keep alive.
 *
 * A tree has a number, by which the record calls it: "Profiler 3". When it dies, its figures stay in the
 * record until its number is taken by a new tree, which happens once enough others have died after it.
 */
#ifndef WITHIN_EXT_TREE_H
#define WITHIN_EXT_TREE_H

#include "sections/enclosing.h"

/** An object that holds no others: sections keep it alive without making cycles. */
typedef struct within_tree {
    PyObject_HEAD within_family family;
    struct within_tree_number *number;
    char name[32]; /* of its root in the record */
} within_tree;

/** A tree with nothing in it; NULL with an error set. */
within_tree *within_tree_new(within_state *state);

#endif
