/* A dataset that grows, as the library keeps it; made or opened by wi_h5_stream_dataset. */
#ifndef WITHIN_HDF5_GROWING_H
#define WITHIN_HDF5_GROWING_H

#include <hdf5.h>
#include <within/hdf5.h>

typedef struct wi__h5_rows {
    wi_h5_dataset dataset; /* what the program sees; rows - flushed of them are gathered */
    wi_h5_file *file;
    char *name;
    wi_h5_type type;
    wi_shape row_shape;
    size_t row_size; /* bytes */
    uint64_t chunk_rows;
    int is_filtered;     /* compressed or shuffled */
    hid_t memory, space; /* dataspaces, made once: of what is written, and of the dataset */
    uint64_t batch;      /* rows that are flushed at once, counted from the dataset's begin */
    char *gathered;      /* array of shape (batch, row_size) */
    struct wi__h5_rows *next;
} wi__h5_rows;

/** Close what HDF5 has of it. */
void wi__h5_close_dataset(wi__h5_rows *rows);
/** NULL does nothing. */
void wi__h5_free_dataset(wi__h5_rows *rows);

/** The lengths of so many rows; array of shape (1 + rank of a row,). */
void wi__h5_lengths_with_rows(const wi__h5_rows *rows, uint64_t count, hsize_t *lengths);

#endif
