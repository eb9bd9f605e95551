/* Received symbols as a dataset of shape (points, BLOCK), which survives a kill. */
#include "samples.h"

#include <stdio.h>
#include <within/hdf5.h>

static wi_h5_dataset *received;

void samples_open(wi_exit_stack *stack, const char *path, const sweep_state *sweep) {
    if (!*path) return;
    if (!sweep->done) remove(path); /* of a sweep that has not come to its first checkpoint */
    wi_h5_file *file = wi_stack_enter(stack, wi_h5_stream(path, .resume = sweep->done > 0));
    received = wi_h5_stream_dataset(file, "received", .row_shape = WI_SHAPE(BLOCK));
    wi_h5_truncate(received, (uint64_t)sweep->done);
    wi_h5_attribute(file, "received", "snr_min_db", sweep->setting.snr_min_db);
    wi_h5_attribute(file, "received", "snr_step_db", sweep->setting.snr_step_db);
}

void samples_keep(const double *symbols) {
    if (received) wi_h5_append(received, symbols, 1);
}
