/* A dataset that grows, as the library keeps it; made or opened by wi_h5_stream_dataset. */
#ifndef WITHIN_HDF5_GROWING_H
#define WITHIN_HDF5_GROWING_H

#include <within/hdf5.h>

typedef struct wi__h5_rows {
    wi_h5_dataset dataset; /* what the program sees; rows - flushed of them are gathered */
    wi_h5_file *file;
    char *name;
    wi_h5_type type;
    wi_shape row_shape;
    size_t row_size; /* bytes */
    uint64_t chunk_rows;
    int is_filtered; /* compressed or shuffled */
    uint64_t batch;  /* rows that are flushed at once, counted from the dataset's begin */
    char *gathered;  /* array of shape (batch, row_size) */
    struct wi__h5_rows *next;
} wi__h5_rows;

/** The shape of so many rows. */
wi_shape wi__h5_shape_with_rows(const wi__h5_rows *rows, uint64_t count);

#endif
