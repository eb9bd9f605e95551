/*
 * HDF5's printer of errors is silenced, and what is open for a function given back, on every way out of it.
 *
 *     wi_use(wi__h5_silent());
 *     wi_use(space, wi__h5_hold(wi_h5_check(file, H5Screate(H5S_SCALAR), "make a space")));
 */
#ifndef WITHIN_HDF5_TROUBLE_H
#define WITHIN_HDF5_TROUBLE_H

#include <hdf5.h>
#include <within/block.h>
#include <within/hdf5.h>

/** The printer is off for a block, and then what it was: it belongs to the program. No thread is cancelled in it. */
typedef struct wi__h5_silence {
    const wi_protocol *protocol;
    unsigned is_new; /* what H5Eauto_is_v2 says: which of the two ways to print is in use */
    H5E_auto2_t print;
#ifndef H5_NO_DEPRECATED_SYMBOLS
    H5E_auto1_t print_old;
#endif
    void *data;
    int cancelled; /* the thread's old state of cancellation */
} wi__h5_silence;

wi__h5_silence wi__h5_silent(void);

/** An identifier of any kind, given back to HDF5 when its block ends. */
typedef struct wi__h5_held {
    const wi_protocol *protocol;
    hid_t id;
} wi__h5_held;

wi__h5_held wi__h5_hold(hid_t id);

/** What HDF5 says of its last call that failed: the innermost cause, in HDF5's words. */
void wi__h5_reason(char *text, size_t size);

#endif
