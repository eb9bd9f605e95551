/* What tests of HDF5 files share: files of one number, and of rows that are numbered. */
#ifndef WITHIN_HDF5_HELPERS_H
#define WITHIN_HDF5_HELPERS_H

#include "file_helpers.h"

#include <hdf5.h>
#include <within/hdf5.h>

WI__UNUSED static void write_number(const char *path, int number) {
    within (file, wi_h5_file(path, "w")) wi_h5_write(file, "number", &number);
}

WI__UNUSED static int number_in(const char *path) {
    int number = 0;
    within (file, wi_h5_file(path, "r")) wi_h5_read(file, "number", &number);
    return number;
}

/* What the tests open in one process is all closed again. */
WI__UNUSED static void expect_nothing_open(void) {
    expect_count(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

WI__UNUSED static void append_numbers(wi_h5_dataset *rows, int from, int to) {
    for (int i = from; i < to; i++) wi_h5_append(rows, &(double){i}, 1);
}

WI__UNUSED static void expect_numbers(const char *path, const char *name, int count) {
    within (file, wi_h5_file(path, "r")) {
        double numbers[5000];
        expect_count(wi_h5_shape(file, name).length[0], count);
        wi_h5_read(file, name, numbers, count);
        for (int i = 0; i < count; i++) expect(numbers[i] == i);
    }
}

WI__UNUSED static void write_one(void *path) { write_number((const char *)path, 1); }
WI__UNUSED static void read_number(void *path) { number_in((const char *)path); }
WI__UNUSED static void change(void *path) {
    within (wi_h5_file((const char *)path, "r+")) continue;
}

/* As expect_raised, of a message's begin. */
WI__UNUSED static void expect_begin(const char *where, void (*body)(void *arg), void *arg,
                                    const wi_error_type *kind, const char *begin) {
    wi_error *error = error_of(body, arg);
    expect_that(error != NULL, where, "nothing was raised, not: %s", begin);
    const char *text = wi_error_message(error);
    expect_that(strncmp(text, begin, strlen(begin)) == 0, where, "raised: %s\nnot: %s", text,
                begin);
    expect_that(wi_error_kind(error) == kind, where, "%s is %s", text, wi_error_kind(error)->name);
    wi_error_free(error);
}
#define expect_raised_like(body, arg, kind, begin) expect_begin(WHERE, body, arg, kind, begin)

#endif
