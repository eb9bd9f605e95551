/* Appending rows to a streamed HDF5 file, against the calls of HDF5 that do it, flushed as often. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <within.h>
#include <within/hdf5.h>

#include "harness.h"

enum { COLUMNS = 2, CHUNK_ROWS = 4096, MOST_ROWS = 64 };

static double rows[MOST_ROWS][COLUMNS];

static void check(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "bench/hdf5: %s\n", what);
    exit(1);
}

/* ---- by the manager ---- */

static wi_h5_dataset *appended;

static void append(size_t n, int size) {
    for (size_t i = 0; i < n; i++) wi_h5_append(appended, &rows[0][0], size);
}

/* ---- by hand: with HDF5's cache of chunks, and without one, as the manager's dataset is ---- */

typedef struct dataset {
    hid_t id;
    hsize_t rows;
} dataset;

static dataset with_cache, without_cache;

static dataset make(hid_t file, const char *name, int has_cache) {
    hsize_t none[] = {0, COLUMNS}, most[] = {H5S_UNLIMITED, COLUMNS},
            chunk[] = {CHUNK_ROWS, COLUMNS};
    hid_t space = H5Screate_simple(2, none, most);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk(creation, 2, chunk);
    if (!has_cache) H5Pset_chunk_cache(access, 1, 0, 0);
    if (!has_cache) H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
    dataset made = {H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, access),
                    0};
    check(made.id >= 0, "cannot make a dataset");
    return made;
}

/* When SWMR starts, HDF5 forgets that there is to be no cache. */
static void open_without_cache(hid_t file, dataset *of) {
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, 1, 0, 0);
    H5Dclose(of->id);
    of->id = H5Dopen2(file, "without cache", access);
    check(of->id >= 0, "cannot open a dataset");
}

static void append_bare(dataset *to, hsize_t count) {
    hsize_t length[] = {to->rows + count, COLUMNS}, from[] = {to->rows, 0},
            many[] = {count, COLUMNS};
    check(H5Dset_extent(to->id, length) >= 0, "H5Dset_extent");
    hid_t memory = H5Screate_simple(2, many, NULL), space = H5Dget_space(to->id);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, many, NULL);
    check(H5Dwrite(to->id, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, rows) >= 0, "H5Dwrite");
    H5Sclose(space);
    H5Sclose(memory);
    check(H5Dflush(to->id) >= 0, "H5Dflush");
    to->rows += count;
}

static void append_with_cache(size_t n, int size) {
    for (size_t i = 0; i < n; i++) append_bare(&with_cache, (hsize_t)size);
}
static void append_without_cache(size_t n, int size) {
    for (size_t i = 0; i < n; i++) append_bare(&without_cache, (hsize_t)size);
}

static hid_t start_by_hand(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate("by_hand.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    with_cache = make(file, "with cache", 1);
    without_cache = make(file, "without cache", 0);
    check(H5Fstart_swmr_write(file) >= 0, "H5Fstart_swmr_write");
    open_without_cache(file, &without_cache);
    return file;
}

int main(void) {
    char folder[] = "/tmp/bench-hdf5-XXXXXX";
    check(mkdtemp(folder) && chdir(folder) == 0, "no folder");
    hid_t by_hand = start_by_hand();
    within (file, wi_h5_stream("by_manager.h5")) {
        appended = wi_h5_stream_dataset(file, "rows", .row_shape = WI_SHAPE(COLUMNS),
                                        .chunk_rows = CHUNK_ROWS);
        bench_target target = {BENCH_RATIO, 1.1};
        bench("HDF5: a row appended and flushed", append, append_without_cache, .size = 1,
              .target = target);
        bench("HDF5: a row, against HDF5's own cache", append, append_with_cache, .size = 1);
        bench("HDF5: 64 rows appended and flushed", append, append_without_cache, .size = MOST_ROWS,
              .target = target);
        bench("HDF5: 64 rows, against HDF5's own cache", append, append_with_cache,
              .size = MOST_ROWS);
    }
    H5Fclose(by_hand);
    check(unlink("by_hand.h5") == 0 && unlink("by_manager.h5") == 0 && rmdir(folder) == 0,
          "the folder stays");
    return 0;
}
