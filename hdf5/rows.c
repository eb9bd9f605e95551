/*
 * Datasets that grow by rows: rows are gathered in memory and written a batch at a time.
 *
 * A batch is what is flushed at once. Chunks that pass a filter are written once, when they are full: written
 * again they would take another place, or the same with other bytes, which a kill could cut in two.
 */
#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "growing.h"
#include "trouble.h"
#include "types.h"

/* ---- writing ---- */

static wi_verdict corked_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    H5Oenable_mdc_flushes(((wi__h5_held *)self)->id);
    return WI_PROPAGATE;
}

static const wi_protocol corked_protocol = {.name = "HDF5 metadata", .exit = corked_exit};

/* Meanwhile HDF5 does not make the dataset longer in the file: readers, and a kill, find no row without its data. */
static wi__h5_held cork(hid_t dataset) {
    wi__h5_held held = {&corked_protocol, dataset};
    H5Odisable_mdc_flushes(dataset);
    return held;
}

static void write_at_end(wi__h5_rows *rows, const void *data, uint64_t count) {
    const wi_h5_file *file = rows->file;
    hid_t id = rows->dataset.id;
    int rank = (int)rows->row_shape.rank + 1;
    hsize_t length[WI_H5_RANK_MAX], from[WI_H5_RANK_MAX] = {rows->dataset.flushed},
                                    many[WI_H5_RANK_MAX];
    wi__h5_lengths_with_rows(rows, rows->dataset.flushed + count, length);
    wi__h5_lengths_with_rows(rows, count, many);
    wi_use(cork(id));
    wi_h5_check(file, H5Dset_extent(id, length), "%s: append", rows->name);
    wi_h5_check(file, H5Sset_extent_simple(rows->memory, rank, many, NULL), "%s: append",
                rows->name);
    wi_h5_check(file, H5Sset_extent_simple(rows->space, rank, length, NULL), "%s: append",
                rows->name);
    wi_h5_check(file, H5Sselect_hyperslab(rows->space, H5S_SELECT_SET, from, NULL, many, NULL),
                "%s: append", rows->name);
    wi_h5_check(
        file,
        H5Dwrite(id, wi__h5_memory_type(rows->type), rows->memory, rows->space, H5P_DEFAULT, data),
        "%s: append", rows->name);
}

static void write_rows(wi__h5_rows *rows, const void *data, uint64_t count) {
    if (!count) return;
    write_at_end(rows, data, count);
    if (rows->file->open->started)
        wi_h5_check(rows->file, H5Dflush(rows->dataset.id), "%s: flush", rows->name);
    rows->dataset.flushed += count;
}

/* Write the first of the rows in memory. */
static void write_gathered(wi__h5_rows *rows, uint64_t count) {
    write_rows(rows, rows->gathered, count);
    uint64_t left = rows->dataset.rows - rows->dataset.flushed;
    if (left)
        memmove(rows->gathered, rows->gathered + count * rows->row_size, left * rows->row_size);
}

/* ---- appending ---- */

static void require_appendable(const wi__h5_rows *rows, wi_h5_type type) {
    wi__h5_require_writing(rows->file);
    if (type != rows->type)
        wi_raise(WI_VALUE_ERROR, "%s: %s: rows of %s for a dataset of %s", rows->file->path,
                 rows->name, wi__h5_type_name(type), wi__h5_type_name(rows->type));
}

/* Rows that make up whole batches go to the file from where they are; the others are gathered. */
void wi__h5_append(wi_h5_dataset *dataset, const void *data, wi_h5_type type, uint64_t count) {
    wi__h5_rows *rows = dataset->behind;
    require_appendable(rows, type);
    wi_h5_file *file = rows->file;
    if (file->open->streams && !file->open->started) wi_h5_start(file);
    wi_use(wi__h5_silent());
    for (const char *from = data; count > 0;) {
        uint64_t gathered = dataset->rows - dataset->flushed;
        uint64_t room = rows->batch - dataset->rows % rows->batch;
        uint64_t n = count < room ? count : room;
        if (gathered == 0 && count >= room) {
            n += (count - room) / rows->batch * rows->batch;
            dataset->rows += n;
            write_rows(rows, from, n);
        } else {
            memcpy(rows->gathered + gathered * rows->row_size, from, n * rows->row_size);
            dataset->rows += n;
            if (n == room) write_gathered(rows, gathered + n);
        }
        from += n * rows->row_size;
        count -= n;
    }
}

/* ---- all datasets of a file ---- */

void wi_h5_flush(wi_h5_file *file) {
    wi__h5_require_writing(file);
    wi_use(wi__h5_silent());
    for (wi__h5_rows *rows = file->open->rows; rows; rows = rows->next) {
        uint64_t gathered = rows->dataset.rows - rows->dataset.flushed;
        uint64_t kept = rows->is_filtered ? rows->dataset.rows % rows->chunk_rows : 0;
        if (gathered > kept) write_gathered(rows, gathered - kept);
    }
}

void wi__h5_write_all_rows(wi_h5_file *file) {
    for (wi__h5_rows *rows = file->open->rows; rows; rows = rows->next)
        write_gathered(rows, rows->dataset.rows - rows->dataset.flushed);
}

void wi__h5_close_rows(wi__h5_open *open) {
    for (wi__h5_rows *rows = open->rows; rows; rows = rows->next) wi__h5_close_dataset(rows);
}

void wi__h5_free_rows(wi__h5_open *open) {
    for (wi__h5_rows *rows; (rows = open->rows);) {
        open->rows = rows->next;
        wi__h5_free_dataset(rows);
    }
}
