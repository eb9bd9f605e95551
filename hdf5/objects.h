/* All that is in a file, copied into another. */
#ifndef WITHIN_HDF5_OBJECTS_H
#define WITHIN_HDF5_OBJECTS_H

#include <stdio.h>
#include <within/hdf5.h>

/**
 * Copy what hangs on the root group, and its attributes, from one file to another, both open.
 *
 * @raise WI_HDF5_ERROR, about the one that something cannot be read from or written to.
 */
void wi__h5_copy_objects(wi_h5_file *from, wi_h5_file *to);

/** Count the datasets; `listing` gets a line for each, unless it is NULL. */
size_t wi__h5_list_datasets(wi_h5_file *file, FILE *listing);

#endif
