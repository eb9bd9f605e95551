/* wi_h5_stream_dataset: a dataset that grows is made, or opened to go on. */
#include "growing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "rows.h"
#include "trouble.h"
#include "types.h"

enum { CHUNK_BYTES = 1 << 16 };

void wi__h5_lengths_with_rows(const wi__h5_rows *rows, uint64_t count, hsize_t *lengths) {
    lengths[0] = count;
    for (size_t i = 0; i < rows->row_shape.rank; i++) lengths[i + 1] = rows->row_shape.length[i];
}

/* ---- what was asked for ---- */

/* 0 if there is no such size. */
static size_t row_size_of(const wi_h5_dataset_options *options) {
    size_t size = wi__h5_size(options->type);
    for (size_t i = 0; i < options->row_shape.rank; i++)
        if (__builtin_mul_overflow(size, options->row_shape.length[i], &size)) return 0;
    return size;
}

static void require_options(const wi_h5_file *file, const char *name,
                            const wi_h5_dataset_options *options) {
    if (options->type >= WI_H5_TEXT)
        wi_raise(WI_VALUE_ERROR, "%s: %s: .type is no type of numbers", file->path, name);
    if (options->row_shape.rank >= WI_H5_RANK_MAX)
        wi_raise(WI_VALUE_ERROR, "%s: %s: .row_shape has %zu dimensions, and %d is the most",
                 file->path, name, options->row_shape.rank, WI_H5_RANK_MAX - 1);
    if (row_size_of(options) == 0)
        wi_raise(WI_VALUE_ERROR, "%s: %s: .row_shape has no elements, or too many", file->path,
                 name);
    if (options->gzip < 0 || options->gzip > 9)
        wi_raise(WI_VALUE_ERROR, "%s: %s: .gzip is %d, not 0 to 9", file->path, name,
                 options->gzip);
}

static void choose_batch(wi__h5_rows *rows, uint64_t flush_every_rows) {
    uint64_t smallest = rows->is_filtered ? rows->chunk_rows : 1;
    rows->batch = flush_every_rows ? flush_every_rows : smallest;
    if (rows->batch % smallest)
        wi_raise(WI_VALUE_ERROR,
                 "%s: %s: .flush_every_rows is %" PRIu64 ", and with compression must be a "
                 "multiple of .chunk_rows, %" PRIu64,
                 rows->file->path, rows->name, flush_every_rows, smallest);
}

/* ---- making ---- */

/* How it lies in the file: chunks that are not filtered are never written ahead of their rows. */
static hid_t creation_of(const wi__h5_rows *rows, const wi_h5_dataset_options *options) {
    const wi_h5_file *file = rows->file;
    hsize_t lengths[WI_H5_RANK_MAX];
    wi__h5_lengths_with_rows(rows, rows->chunk_rows, lengths);
    hid_t creation = wi_h5_check(file, H5Pcreate(H5P_DATASET_CREATE), "make a list of properties");
    wi_h5_check(file, H5Pset_chunk(creation, (int)rows->row_shape.rank + 1, lengths), "%s: chunks",
                rows->name);
    if (options->shuffle) wi_h5_check(file, H5Pset_shuffle(creation), "%s: shuffle", rows->name);
    if (options->gzip)
        wi_h5_check(file, H5Pset_deflate(creation, (unsigned)options->gzip), "%s: gzip",
                    rows->name);
    if (!rows->is_filtered)
        wi_h5_check(file, H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER), "%s: fill", rows->name);
    return creation;
}

/* Batches are gathered here: a cache of chunks that are not filtered would have whole ones written for each row. */
static hid_t access_of(const wi_h5_file *file, int is_filtered) {
    hid_t access = wi_h5_check(file, H5Pcreate(H5P_DATASET_ACCESS), "make a list of properties");
    if (!is_filtered) wi_h5_check(file, H5Pset_chunk_cache(access, 1, 0, 0), "choose a cache");
    return access;
}

static void create(wi__h5_rows *rows, const wi_h5_dataset_options *options) {
    const wi_h5_file *file = rows->file;
    hsize_t lengths[WI_H5_RANK_MAX], most[WI_H5_RANK_MAX];
    int rank = (int)rows->row_shape.rank + 1;
    wi__h5_lengths_with_rows(rows, 0, lengths);
    wi__h5_lengths_with_rows(rows, H5S_UNLIMITED, most);
    uint64_t fitting = CHUNK_BYTES / rows->row_size;
    rows->chunk_rows = options->chunk_rows ? options->chunk_rows : fitting ? fitting : 1;
    rows->is_filtered = options->gzip || options->shuffle;
    choose_batch(rows, options->flush_every_rows);
    wi_use(creation, wi__h5_hold(creation_of(rows, options)));
    wi_use(access, wi__h5_hold(access_of(file, rows->is_filtered)));
    wi_use(links, wi__h5_hold(wi__h5_links_with_groups(file)));
    wi_use(space, wi__h5_hold(wi_h5_check(file, H5Screate_simple(rank, lengths, most), "%s: shape",
                                          rows->name)));
    rows->dataset.id = wi_h5_check(file,
                                   H5Dcreate2(file->id, rows->name, wi__h5_file_type(rows->type),
                                              space->id, links->id, creation->id, access->id),
                                   "create dataset %s", rows->name);
}

/* ---- going on ---- */

static void require_growing(const wi__h5_rows *rows, hid_t creation, hid_t space) {
    hsize_t lengths[H5S_MAX_RANK], most[H5S_MAX_RANK] = {0};
    H5Sget_simple_extent_dims(space, lengths, most);
    if (H5Pget_layout(creation) != H5D_CHUNKED || most[0] != H5S_UNLIMITED)
        wi_raise(WI_VALUE_ERROR, "%s: %s: is there, and cannot grow", rows->file->path, rows->name);
}

static void require_fit(const wi__h5_rows *rows, hid_t its_type, const wi_shape *its_shape) {
    char its[WI__H5_TEXT_MAX], wanted[WI__H5_TEXT_MAX];
    hsize_t lengths[WI_H5_RANK_MAX];
    wi_shape shape = {rows->row_shape.rank + 1, {0}};
    wi__h5_lengths_with_rows(rows, its_shape->length[0], lengths);
    for (size_t i = 0; i < shape.rank; i++) shape.length[i] = lengths[i];
    if (!wi__h5_is_type(its_type, rows->type)) {
        wi__h5_describe_type(its_type, its);
        wi_raise(WI_VALUE_ERROR, "%s: %s: is there with rows of %s, not %s", rows->file->path,
                 rows->name, its, wi__h5_type_name(rows->type));
    }
    if (!wi__h5_same_shape(its_shape, &shape)) {
        wi__h5_describe_shape(its_shape, its);
        wi__h5_describe_shape(&shape, wanted);
        wi_raise(WI_VALUE_ERROR, "%s: %s: is there as %s, not %s", rows->file->path, rows->name,
                 its, wanted);
    }
}

/* What is there must be what is asked for. HDF5 keeps the cache of whoever opens it first: this is closed before. */
static void adopt(wi__h5_rows *rows) {
    const wi_h5_file *file = rows->file;
    const char *name = rows->name;
    wi_use(dataset, wi__h5_hold(wi_h5_check(file, H5Dopen2(file->id, name, H5P_DEFAULT),
                                            "open dataset %s", name)));
    wi_use(type, wi__h5_hold(wi_h5_check(file, H5Dget_type(dataset->id), "%s: type", name)));
    wi_use(space, wi__h5_hold(wi_h5_check(file, H5Dget_space(dataset->id), "%s: shape", name)));
    wi_use(creation,
           wi__h5_hold(wi_h5_check(file, H5Dget_create_plist(dataset->id), "%s: layout", name)));
    wi_shape shape = wi__h5_shape_of_space(space->id);
    require_growing(rows, creation->id, space->id);
    require_fit(rows, type->id, &shape);
    hsize_t chunk[WI_H5_RANK_MAX] = {1};
    H5Pget_chunk(creation->id, WI_H5_RANK_MAX, chunk);
    rows->chunk_rows = chunk[0];
    rows->is_filtered = H5Pget_nfilters(creation->id) > 0;
    rows->dataset.rows = rows->dataset.flushed = shape.length[0];
}

static void open_with_cache(wi__h5_rows *rows) {
    const wi_h5_file *file = rows->file;
    wi_use(access, wi__h5_hold(access_of(file, rows->is_filtered)));
    rows->dataset.id = wi_h5_check(file, H5Dopen2(file->id, rows->name, access->id),
                                   "open dataset %s", rows->name);
}

static void open(wi__h5_rows *rows, const wi_h5_dataset_options *options) {
    adopt(rows);
    choose_batch(rows, options->flush_every_rows);
    open_with_cache(rows);
}

void wi__h5_open_rows_again(const wi__h5_open *open) {
    for (wi__h5_rows *rows = open->rows; rows; rows = rows->next) {
        H5Dclose(rows->dataset.id);
        rows->dataset.id = H5I_INVALID_HID;
        open_with_cache(rows);
    }
}

/* ---- both ---- */

void wi__h5_close_dataset(wi__h5_rows *rows) {
    H5Sclose(rows->memory);
    H5Sclose(rows->space);
    H5Dclose(rows->dataset.id);
    rows->memory = rows->space = rows->dataset.id = H5I_INVALID_HID;
}

void wi__h5_free_dataset(wi__h5_rows *rows) {
    if (!rows) return;
    free(rows->gathered);
    free(rows->name);
    free(rows);
}

static wi__h5_rows *new_rows(wi_h5_file *file, const char *name,
                             const wi_h5_dataset_options *options) {
    wi__h5_rows *rows = calloc(1, sizeof *rows);
    if (rows) rows->name = strdup(name);
    if (!rows || !rows->name) {
        wi__h5_free_dataset(rows);
        wi_raise(WI_MEMORY_ERROR, "%s: %s: no memory for a dataset", file->path, name);
    }
    rows->dataset.id = rows->memory = rows->space = H5I_INVALID_HID;
    rows->dataset.behind = rows;
    rows->file = file;
    rows->type = options->type;
    rows->row_shape = options->row_shape;
    rows->row_size = row_size_of(options);
    return rows;
}

typedef struct making {
    wi__h5_rows *rows;
    const wi_h5_dataset_options *options;
} making;

static void make(void *arg) {
    const making *it = arg;
    wi__h5_rows *rows = it->rows;
    const wi_h5_file *file = rows->file;
    if (H5Oexists_by_name(file->id, rows->name, H5P_DEFAULT) > 0)
        open(rows, it->options);
    else
        create(rows, it->options);
    rows->memory = wi_h5_check(file, H5Screate(H5S_SIMPLE), "make a space");
    rows->space = wi_h5_check(file, H5Screate(H5S_SIMPLE), "make a space");
    rows->gathered = calloc(rows->batch, rows->row_size);
    if (!rows->gathered)
        wi_raise(WI_MEMORY_ERROR, "%s: %s: no memory for %" PRIu64 " rows", file->path, rows->name,
                 rows->batch);
}

wi_h5_dataset *wi__h5_stream_dataset(wi_h5_file *file, const char *name,
                                     wi_h5_dataset_options options) {
    wi__h5_require_creating(file, "create dataset", name);
    for (const wi__h5_rows *other = file->open->rows; other; other = other->next)
        if (strcmp(other->name, name) == 0)
            wi_raise(WI_USAGE_ERROR, "%s: %s: rows are appended to it already", file->path, name);
    require_options(file, name, &options);
    wi_use(wi__h5_silent());
    making it = {new_rows(file, name, &options), &options};
    wi_error *error;
    if (!wi_call(make, &it, &error)) {
        wi__h5_close_dataset(it.rows);
        wi__h5_free_dataset(it.rows);
        wi_reraise(error);
    }
    it.rows->next = file->open->rows;
    file->open->rows = it.rows;
    return &it.rows->dataset;
}

void wi_h5_truncate(wi_h5_dataset *dataset, uint64_t count) {
    wi__h5_rows *rows = dataset->behind;
    const wi_h5_file *file = rows->file;
    wi__h5_require_creating(file, "cut", rows->name);
    if (count > dataset->rows)
        wi_raise(WI_VALUE_ERROR, "%s: %s: has %" PRIu64 " rows, fewer than %" PRIu64, file->path,
                 rows->name, dataset->rows, count);
    wi_use(wi__h5_silent());
    if (count < dataset->flushed) {
        hsize_t lengths[WI_H5_RANK_MAX];
        wi__h5_lengths_with_rows(rows, count, lengths);
        wi_h5_check(file, H5Dset_extent(dataset->id, lengths), "%s: cut", rows->name);
        dataset->flushed = count;
    }
    dataset->rows = count;
}
