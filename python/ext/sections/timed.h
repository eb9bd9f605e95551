/*
 * Something that is measured again and again without being a section object: its name, and its place while
 * it is open.
 *
 * A measurement never fails what is measured: without memory it goes on unmeasured.
 */
#ifndef WITHIN_EXT_TIMED_H
#define WITHIN_EXT_TIMED_H

#include "sections/enclosing.h"
#include "sections/section_names.h"

/** All zero: without a name, not open. */
typedef struct within_timed {
    within_name name;
    within_place place;
} within_timed;

/** Give it a name, another one too while it is open. -1 with an error set: it has the old one. */
static inline int within_timed_rename(within_timed *timed, PyObject *str) {
    within_name name;
    if (within_name_of(str, &name)) return -1;
    Py_XSETREF(timed->name.owner, name.owner);
    timed->name = name;
    return 0;
}

static inline void within_timed_open(within_timed *timed, within_family *family) {
    if (within_place_open(&timed->place, family, timed->name.site, timed->name.text)) PyErr_Clear();
}

/** An error that is set stays set. */
static inline void within_timed_close(within_timed *timed, wi_reason reason) {
    if (timed->place.enclosure) within_place_close(&timed->place, reason);
}

/** At its owner's end. */
static inline void within_timed_release(within_timed *timed) {
    within_timed_close(timed, WI_LEFT);
    Py_CLEAR(timed->name.owner);
}

#endif
