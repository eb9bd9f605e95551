/* The datasets of a file that grow by rows. */
#ifndef WITHIN_HDF5_ROWS_H
#define WITHIN_HDF5_ROWS_H

#include "file.h"

/** Write all rows that are in memory. @raise what that failed with. */
void wi__h5_write_all_rows(wi_h5_file *file);
/** Open the datasets anew: when SWMR starts, HDF5 forgets how they are to be cached. */
void wi__h5_open_rows_again(const wi__h5_open *open);
/** Close the datasets. Rows that are in memory are given up. */
void wi__h5_close_rows(wi__h5_open *open);
void wi__h5_free_rows(wi__h5_open *open);

#endif
