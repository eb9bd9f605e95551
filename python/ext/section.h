/*
 * The type section, and how others make sections of their own family: profilers.
 */
#ifndef WITHIN_EXT_SECTION_H
#define WITHIN_EXT_SECTION_H

#include "enclosing.h"

/**
 * A closed section, ready to be entered.
 *
 * @param name    any object; a TypeError if it is no str.
 * @param owner   NULL: of the process; else it is kept while the section lives, and
 * @param family  that it has.
 * @return a new reference, or NULL with an error set.
 */
PyObject *within_section_new(PyObject *name, PyObject *owner, within_family *family);

#endif
