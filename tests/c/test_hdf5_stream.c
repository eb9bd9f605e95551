/* wi_h5_stream: rows that are appended, resumed and recovered; a second writer; forks. */
#include "hdf5_helpers.h"

/* ---- streaming ---- */

alone(rows_are_flushed_when_they_are_said_to_be) {
    within (file, wi_h5_stream("s.h5")) {
        wi_h5_dataset *each = wi_h5_stream_dataset(file, "each");
        wi_h5_dataset *tens = wi_h5_stream_dataset(file, "tens", .flush_every_rows = 10);
        wi_h5_dataset *packed =
            wi_h5_stream_dataset(file, "packed", .gzip = 1, .shuffle = 1, .chunk_rows = 8);
        expect(!exists("s.h5"));
        append_numbers(each, 0, 25);
        expect(exists("s.h5"));
        append_numbers(tens, 0, 25);
        append_numbers(packed, 0, 25);
        expect(each->flushed == 25 && tens->flushed == 20 && packed->flushed == 24);
        wi_h5_flush(file);
        expect(each->flushed == 25 && tens->flushed == 25 && packed->flushed == 24);
        append_numbers(tens, 25, 30);
        expect(tens->flushed == 30 && tens->rows == 30);
    }
    expect_numbers("s.h5", "each", 25);
    expect_numbers("s.h5", "tens", 30);
    expect_numbers("s.h5", "packed", 25);
    expect_nothing_open();
}

alone(rows_may_come_in_any_number_at_a_time) {
    double numbers[4000];
    for (int i = 0; i < 4000; i++) numbers[i] = i;
    within (file, wi_h5_stream("s.h5")) {
        wi_h5_dataset *rows[] = {
            wi_h5_stream_dataset(file, "a", .chunk_rows = 7, .flush_every_rows = 5),
            wi_h5_stream_dataset(file, "b", .chunk_rows = 7, .gzip = 9, .flush_every_rows = 14),
        };
        for (int k = 0; k < 2; k++)
            for (int at = 0, n = 0; at < 4000; at += n, n = (n + 3) % 61)
                wi_h5_append(rows[k], numbers + at, n < 4000 - at ? n : 4000 - at);
    }
    expect_numbers("s.h5", "a", 4000);
    expect_numbers("s.h5", "b", 4000);
}

static void create_late(void *file) { wi_h5_write((wi_h5_file *)file, "late", &(double){1}); }
static void attribute_late(void *file) { wi_h5_attribute((wi_h5_file *)file, "/", "late", 1); }
static void dataset_late(void *file) { wi_h5_stream_dataset((wi_h5_file *)file, "late"); }
static void append_floats(void *rows) { wi_h5_append((wi_h5_dataset *)rows, &(float){1}, 1); }
static void same_twice(void *file) { wi_h5_stream_dataset((wi_h5_file *)file, "rows"); }
static void bad_gzip(void *file) { wi_h5_stream_dataset((wi_h5_file *)file, "x", .gzip = 10); }
static void bad_type(void *file) {
    wi_h5_stream_dataset((wi_h5_file *)file, "x", .type = WI_H5_TEXT);
}
static void bad_shape(void *file) {
    wi_h5_stream_dataset((wi_h5_file *)file, "x", .row_shape = WI_SHAPE(3, 0));
}
static void bad_batch(void *file) {
    wi_h5_stream_dataset((wi_h5_file *)file, "x", .gzip = 1, .chunk_rows = 8,
                         .flush_every_rows = 12);
}
static void begin(void *file) { wi_h5_start(file); }

alone(what_cannot_be_streamed_is_refused) {
    within (file, wi_h5_stream("s.h5")) {
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
        expect_raised(same_twice, file, WI_USAGE_ERROR,
                      "s.h5: rows: rows are appended to it already");
        expect_raised(bad_gzip, file, WI_VALUE_ERROR, "s.h5: x: .gzip is 10, not 0 to 9");
        expect_raised(bad_type, file, WI_VALUE_ERROR, "s.h5: x: .type is no type of numbers");
        expect_raised(bad_shape, file, WI_VALUE_ERROR,
                      "s.h5: x: .row_shape has no elements, or too many");
        expect_raised(
            bad_batch, file, WI_VALUE_ERROR,
            "s.h5: x: .flush_every_rows is 12, and with compression must be a multiple of "
            ".chunk_rows, 8");
        expect_raised(append_floats, rows, WI_VALUE_ERROR,
                      "s.h5: rows: rows of float32 for a dataset of float64");
        append_numbers(rows, 0, 1);
        const char *late = "%s late: rows are being streamed, and nothing can be created any more;"
                           " do it before the first wi_h5_append or wi_h5_start";
        char text[256];
        snprintf(text, sizeof text, late, "s.h5: create dataset");
        expect_raised(create_late, file, WI_USAGE_ERROR, text);
        expect_raised(dataset_late, file, WI_USAGE_ERROR, text);
        snprintf(text, sizeof text, late, "s.h5: set attribute");
        expect_raised(attribute_late, file, WI_USAGE_ERROR, text);
        append_numbers(rows, 1, 3);
    }
    expect_numbers("s.h5", "rows", 3);
    within (file, wi_h5_file("a.h5", "w"))
        expect_raised(begin, file, WI_USAGE_ERROR,
                      "a.h5: is no wi_h5_stream, and cannot be streamed to");
}

static void stream_and_raise(void *started) {
    within (file, wi_h5_stream("s.h5")) {
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows", .flush_every_rows = 10);
        if (started) append_numbers(rows, 0, 15);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(a_stream_keeps_its_rows_after_an_error_and_nothing_if_it_had_none) {
    expect_raised(stream_and_raise, NULL, WI_VALUE_ERROR, "diverged");
    expect_count(leftovers(), 0);
    expect(!exists("s.h5"));
    expect_raised(stream_and_raise, "started", WI_VALUE_ERROR, "diverged");
    expect_numbers("s.h5", "rows", 15);
    within (file, wi_h5_file("s.h5", "r+")) wi_h5_write(file, "more", &(double){1});
    within (file, wi_h5_stream("s.h5")) wi_h5_stream_dataset(file, "rows");
    expect_numbers("s.h5", "rows", 0);
}

static void stream_and_die(void) {
    within (file, wi_h5_stream("s.h5")) {
        wi_h5_attribute(file, "/", "program", "test");
        wi_h5_write(file, "a/constant", &(double){5});
        H5Lcreate_soft("/a/constant", file->id, "link", H5P_DEFAULT, H5P_DEFAULT);
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
        wi_h5_dataset *packed = wi_h5_stream_dataset(file, "packed", .gzip = 1, .chunk_rows = 4);
        wi_h5_attribute(file, "rows", "unit", "V");
        append_numbers(rows, 0, 20);
        append_numbers(packed, 0, 10);
        raise(SIGKILL);
    }
}

static void stream_anew(void *path) {
    within (wi_h5_stream((char *)path)) continue;
}

alone(a_stream_whose_writer_died_is_read_and_not_written_over) {
    expect_count(WTERMSIG(status_of(stream_and_die)), SIGKILL);
    expect_numbers("s.h5", "rows", 20);
    expect_numbers("s.h5", "packed", 8);
    expect_raised_like(stream_anew, "s.h5", WI_FILE_EXISTS,
                       "s.h5: rows were streamed to it, and its writer died: say .resume to go on");
    expect_raised_like(change, "s.h5", WI_DATA_ERROR,
                       "s.h5: rows were streamed to it, and its writer died; wi_h5_recover makes");
    expect_numbers("s.h5", "rows", 20);
}

static void recover_onto_itself(void *path) { wi_h5_recover(path, path, NULL); }
static void recover_nothing(void *path) { wi_h5_recover(path, "copy.h5", NULL); }

alone(a_stream_whose_writer_died_is_recovered) {
    char unit[8], *text = NULL;
    double constant = 0;
    size_t length;
    expect_count(WTERMSIG(status_of(stream_and_die)), SIGKILL);
    FILE *listing = open_memstream(&text, &length);
    expect_count(wi_h5_recover("s.h5", "copy.h5", listing), 3);
    fclose(listing);
    expect_text(text, "a/constant: one element of float64\npacked: 8 of float64\nrows: 20 of "
                      "float64\n");
    free(text);
    expect_numbers("copy.h5", "rows", 20);
    expect_numbers("copy.h5", "packed", 8);
    within (file, wi_h5_file("copy.h5", "r+")) {
        wi_h5_read(file, "link", &constant);
        wi_h5_read_text(file, "rows", "unit", unit, sizeof unit);
        expect(constant == 5 && strcmp(unit, "V") == 0);
        wi_h5_read_text(file, "/", "program", unit, sizeof unit);
        expect_text(unit, "test");
    }
    expect_raised_like(recover_onto_itself, "s.h5", WI_VALUE_ERROR,
                       "s.h5: is what would be recovered");
    expect_raised_like(recover_nothing, "nix.h5", WI_FILE_NOT_FOUND, "nix.h5: open");
    expect_numbers("s.h5", "rows", 20);
    expect_nothing_open();
}

static void resume_with_another_shape(void *path) {
    within (file, wi_h5_stream((char *)path, .resume = 1))
        wi_h5_stream_dataset(file, "rows", .row_shape = WI_SHAPE(2));
}
static void resume_with_another_type(void *path) {
    within (file, wi_h5_stream((char *)path, .resume = 1))
        wi_h5_stream_dataset(file, "rows", .type = WI_H5_INT8);
}
static void truncate_beyond(void *rows) { wi_h5_truncate(rows, 21); }

alone(a_stream_is_resumed_after_a_kill_and_after_its_end) {
    expect_count(WTERMSIG(status_of(stream_and_die)), SIGKILL);
    expect_raised(resume_with_another_shape, "s.h5", WI_VALUE_ERROR,
                  "s.h5: rows: is there as 20, not 20 x 2");
    expect_raised(resume_with_another_type, "s.h5", WI_VALUE_ERROR,
                  "s.h5: rows: is there with rows of float64, not int8");
    for (int i = 0; i < 2; i++)
        within (file, wi_h5_stream("s.h5", .resume = 1)) {
            wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
            wi_h5_dataset *packed = wi_h5_stream_dataset(file, "packed");
            expect_raised(truncate_beyond, rows, WI_VALUE_ERROR,
                          i ? "s.h5: rows: has 19 rows, fewer than 21"
                            : "s.h5: rows: has 20 rows, fewer than 21");
            wi_h5_truncate(rows, 10);
            append_numbers(rows, 10, 19);
            append_numbers(packed, (int)packed->rows, (int)packed->rows + 6);
        }
    expect_numbers("s.h5", "rows", 19);
    expect_numbers("s.h5", "packed", 20);
    expect_count(leftovers(), 0);
}

/* ---- others at the same file ---- */

static void stream_in_another(void) {
    expect_raised_like(stream_anew, "s.h5", WI_BUSY_ERROR, "s.h5: process ");
    expect_raised_like(change, "s.h5", WI_BUSY_ERROR, "s.h5: process ");
    expect_numbers("s.h5", "rows", 1);
}

alone(a_second_writer_is_told_who_streams) {
    within (file, wi_h5_stream("s.h5")) {
        append_numbers(wi_h5_stream_dataset(file, "rows"), 0, 1);
        expect_raised(stream_anew, "s.h5", WI_BUSY_ERROR,
                      "s.h5: this process is streaming rows to it");
        expect_count(status_of(stream_in_another), 0);
    }
    expect_numbers("s.h5", "rows", 1);
}

alone(of_two_that_begin_to_stream_the_second_is_refused) {
    within (first, wi_h5_stream("s.h5"))
        within (second, wi_h5_stream("s.h5")) {
            append_numbers(wi_h5_stream_dataset(first, "rows"), 0, 1);
            wi_h5_stream_dataset(second, "rows");
            expect_raised(begin, second, WI_BUSY_ERROR,
                          "s.h5: this process is streaming rows to it");
            wi_h5_commit(first);
            expect_numbers("s.h5", "rows", 1);
        }
}

alone(a_file_that_another_has_locked_is_busy) {
    write_number("a.h5", 1);
    hid_t other = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    expect(other >= 0);
    expect_raised(read_number, "a.h5", WI_BUSY_ERROR,
                  "a.h5: another program has locked it, to write to it");
    expect_raised(change, "a.h5", WI_BUSY_ERROR,
                  "a.h5: another program has locked it, to write to it");
    H5Fclose(other);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    expect_count(number_in("a.h5"), 1);
}

/* ---- forks ---- */

static void write_in_child(void *file) { wi_h5_write((wi_h5_file *)file, "x", &(double){1}); }

static void fork_inside(wi_h5_file *file, wi_h5_dataset *rows) {
    if (fork() == 0) {
        expect_raised(write_in_child, file, WI_USAGE_ERROR,
                      "a.h5: was opened by the process that this one was forked from");
        static const double sevens[5000] = {7, 7, 7};
        hsize_t length = 5000;
        H5Dset_extent(rows->id, &length); /* HDF5 in the child knows nothing of the fork */
        H5Dwrite(rows->id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, sevens);
        H5Fflush(file->id, H5F_SCOPE_GLOBAL);
        exit(0);
    }
    int status;
    expect(wait(&status) > 0 && status == 0);
}

alone(a_forked_child_changes_nothing) {
    hear("said");
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
        append_numbers(rows, 0, 3);
        fork_inside(file, rows);
        append_numbers(rows, 3, 5);
    }
    expect_numbers("a.h5", "rows", 5);
    within (file, wi_h5_stream("a.h5")) {
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
        append_numbers(rows, 0, 3);
        fork_inside(file, rows);
        append_numbers(rows, 3, 5);
    }
    expect_text(content("said"), "");
    expect_numbers("a.h5", "rows", 5);
    expect_count(leftovers(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(rows_are_flushed_when_they_are_said_to_be),
        test(rows_may_come_in_any_number_at_a_time),
        test(what_cannot_be_streamed_is_refused),
        test(a_stream_keeps_its_rows_after_an_error_and_nothing_if_it_had_none),
        test(a_stream_whose_writer_died_is_read_and_not_written_over),
        test(a_stream_whose_writer_died_is_recovered),
        test(a_stream_is_resumed_after_a_kill_and_after_its_end),
        test(a_second_writer_is_told_who_streams),
        test(of_two_that_begin_to_stream_the_second_is_refused),
        test(a_file_that_another_has_locked_is_busy),
        test(a_forked_child_changes_nothing),
    };
    return cmocka_run_group_tests_name("hdf5_stream", tests, NULL, NULL);
}
