/*
 * The type section, and how others make sections of their own family: profilers.
 */
#ifndef WITHIN_EXT_SECTION_H
#define WITHIN_EXT_SECTION_H

#include "sections/enclosing.h"

/**
 * A closed section, ready to be entered.
 *
 * @param name    any object; a TypeError if it is no str.
 * @param owner   an object of a type of this module, which is kept while the section lives; it has
 * @param family  the sections' family.
 * @return a new reference, or NULL with an error set.
 */
PyObject *within_section_new(PyObject *name, PyObject *owner, within_family *family);

/** The same with its work on the GPU. */
PyObject *within_gpu_section_new(PyObject *name, PyObject *owner, within_family *family);

/** Where an open section, or one of a class derived from it, counts. @return 0, or -1 with a TypeError set. */
int within_section_branch(PyObject *section, void **branch);

/** What a section or timer does as a decorator. @return the function that stands for `function`, or NULL. */
PyObject *within_in_section(PyObject *owner, PyObject *function);

#endif
