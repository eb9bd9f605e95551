/* wi_h5_file: arrays and attributes, what is refused, and what is said, on each way out. */
#include "hdf5_helpers.h"

/* ---- arrays ---- */

#define ROUND_TRIP(type, first, last)                                                              \
    do {                                                                                           \
        type out[2][3] = {{first, 1, 2}, {3, 4, last}}, in[2][3] = {{0}};                          \
        within (file, wi_h5_file("types.h5", "w")) wi_h5_write(file, #type, &out[0][0], 2, 3);     \
        within (file, wi_h5_file("types.h5", "r")) wi_h5_read(file, #type, &in[0][0], 2, 3);       \
        expect(memcmp(in, out, sizeof in) == 0);                                                   \
    } while (0)

alone(numbers_of_every_type_come_back) {
    ROUND_TRIP(double, -1e-300, 1.7e308);
    ROUND_TRIP(float, -1e-38f, 3e38f);
    ROUND_TRIP(int8_t, INT8_MIN, INT8_MAX);
    ROUND_TRIP(int16_t, INT16_MIN, INT16_MAX);
    ROUND_TRIP(int32_t, INT32_MIN, INT32_MAX);
    ROUND_TRIP(int64_t, INT64_MIN, INT64_MAX);
    ROUND_TRIP(uint8_t, 0, UINT8_MAX);
    ROUND_TRIP(uint16_t, 0, UINT16_MAX);
    ROUND_TRIP(uint32_t, 0, UINT32_MAX);
    ROUND_TRIP(uint64_t, 0, UINT64_MAX);
    ROUND_TRIP(long long, INT64_MIN, INT64_MAX);
    ROUND_TRIP(unsigned long long, 0, UINT64_MAX);
    expect_nothing_open();
}

alone(shapes_are_kept_and_told) {
    double cube[24] = {0}, one = 5;
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "deep/in/cube", cube, 2, 3, 4);
        wi_h5_write(file, "one", &one);
        wi_shape cubes = wi_h5_shape(file, "deep/in/cube"), ones = wi_h5_shape(file, "one");
        expect(cubes.rank == 3 && cubes.length[0] == 2 && cubes.length[1] == 3 &&
               cubes.length[2] == 4);
        expect_count(ones.rank, 0);
        cube[23] = 7;
        wi_h5_write(file, "deep/in/cube", cube, 2, 3, 4);
    }
    within (file, wi_h5_file("a.h5", "r")) wi_h5_read(file, "deep/in/cube", cube, 2, 3, 4);
    expect(cube[23] == 7);
}

static void read_of_shape(void *file) {
    double x[6];
    wi_h5_read((wi_h5_file *)file, "x", x, 3, 2);
}
static void read_of_type(void *file) {
    float x[6];
    wi_h5_read((wi_h5_file *)file, "x", x, 2, 3);
}
static void read_missing(void *file) {
    float x[6];
    wi_h5_read((wi_h5_file *)file, "raw/y", x, 2, 3);
}
static void read_ranks(void *file) {
    double x[1];
    wi_h5_read((wi_h5_file *)file, "x", x, 1, 1, 1, 1, 1, 1, 1, 1);
}
static void write_shape(void *file) {
    double x[7] = {0};
    wi_h5_write((wi_h5_file *)file, "x", x, 7);
}
static void open_missing(void *file) {
    wi_h5_check((wi_h5_file *)file, H5Dopen2(((wi_h5_file *)file)->id, "nix", H5P_DEFAULT),
                "open %s", "nix");
}

alone(what_is_not_as_it_should_be_is_named_with_both) {
    double x[6] = {0};
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "x", x, 2, 3);
        expect_raised(write_shape, file, WI_VALUE_ERROR, "a.h5: x: is 2 x 3, not 7");
    }
    within (file, wi_h5_file("a.h5", "r")) {
        expect_raised(read_of_shape, file, WI_DATA_ERROR, "a.h5: x: is 2 x 3, not 3 x 2");
        expect_raised(read_of_type, file, WI_DATA_ERROR, "a.h5: x: is float64, not float32");
        expect_raised(read_missing, file, WI_LOOKUP_ERROR, "a.h5: raw/y: there is no such dataset");
        expect_raised(read_ranks, file, WI_DATA_ERROR,
                      "a.h5: x: is 2 x 3, not 1 x 1 x 1 x 1 x 1 x 1 x 1 x 1");
        expect_raised(write_shape, file, WI_USAGE_ERROR,
                      "a.h5: is open to be read only: mode \"r\"");
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        expect_raised(open_missing, file, WI_HDF5_ERROR,
                      "a.h5: open nix: object 'nix' doesn't exist");
    }
    expect_nothing_open();
}

/* ---- attributes ---- */

static void read_attribute_of_type(void *file) {
    float gain;
    wi_h5_read_attribute((wi_h5_file *)file, "x", "gain", &gain);
}
static void read_missing_attribute(void *file) {
    float gain;
    wi_h5_read_attribute((wi_h5_file *)file, "x", "offset", &gain);
}
static void set_of_missing(void *file) { wi_h5_attribute((wi_h5_file *)file, "y", "gain", 1); }

alone(attributes_are_numbers_and_texts) {
    double x[2] = {0}, gain = 0;
    int64_t count = 0;
    char unit[8], buffer[3];
    const char *no_literal = "Größe";
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "raw/x", x, 2);
        wi_h5_write(file, "x", x, 2);
        wi_h5_attribute(file, "x", "gain", 1.0);
        wi_h5_attribute(file, "x", "gain", 0.25);
        wi_h5_attribute(file, "/", "count", (int64_t)1 << 40);
        wi_h5_attribute(file, "raw", "unit", no_literal);
        wi_h5_attribute(file, "x", "unit", "V");
        expect_raised(set_of_missing, file, WI_LOOKUP_ERROR,
                      "a.h5: y: there is nothing of this name");
    }
    within (file, wi_h5_file("a.h5", "r")) {
        wi_h5_read_attribute(file, "x", "gain", &gain);
        wi_h5_read_attribute(file, "/", "count", &count);
        expect(gain == 0.25 && count == (int64_t)1 << 40);
        expect_count(wi_h5_read_text(file, "raw", "unit", unit, sizeof unit), strlen("Größe"));
        expect_text(unit, "Größe");
        expect_count(wi_h5_read_text(file, "raw", "unit", buffer, sizeof buffer), strlen("Größe"));
        expect_text(buffer, "Gr");
        expect_raised(read_attribute_of_type, file, WI_DATA_ERROR,
                      "a.h5: attribute gain of x: is float64, not float32");
        expect_raised(read_missing_attribute, file, WI_LOOKUP_ERROR,
                      "a.h5: x: has no attribute offset");
    }
    expect_nothing_open();
}

alone(texts_of_fixed_length_are_read_too) {
    char unit[8];
    within (file, wi_h5_file("a.h5", "w")) {
        hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
        H5Tset_size(type, 6);
        H5Tset_strpad(type, H5T_STR_SPACEPAD);
        hid_t unit_of = H5Acreate2(file->id, "unit", type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(unit_of, type, "mV    ");
        H5Aclose(unit_of);
        H5Sclose(space);
        H5Tclose(type);
    }
    within (file, wi_h5_file("a.h5", "r"))
        expect_count(wi_h5_read_text(file, "/", "unit", unit, sizeof unit), 2);
    expect_text(unit, "mV");
}

/* ---- ways out of a file that is written aside ---- */

static void raise_inside(void *mode) {
    within (file, wi_h5_file("a.h5", mode)) {
        wi_h5_write(file, "other", &(double){1});
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}
static void return_inside(void) {
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "other", &(double){1});
        return;
    }
}
static void commit_inside(void) {
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "number", &(int){2});
        wi_h5_commit(file);
        expect(file->id < 0 && number_in("a.h5") == 2);
        return;
    }
}

alone(only_the_end_of_the_body_publishes) {
    write_number("a.h5", 1);
    hear("said");
    expect_raised(raise_inside, "w", WI_VALUE_ERROR, "diverged");
    expect_raised(raise_inside, "r+", WI_VALUE_ERROR, "diverged");
    expect_text(content("said"), "");
    hear("said");
    return_inside();
    expect_text(content("said"),
                "within: a.h5: its block was left before the end, and nothing is published\n");
    expect_count(number_in("a.h5"), 1);
    hear("said");
    commit_inside();
    expect_text(content("said"), "");
    expect_count(leftovers(), 0);
    expect_nothing_open();
}

static void use_after_commit(void *file) { wi_h5_write((wi_h5_file *)file, "x", &(double){1}); }
static void commit_again(void *file) { wi_h5_commit(file); }
static void append_after_commit(void *rows) {
    wi_h5_append((wi_h5_dataset *)rows, &(double){1}, 1);
}

alone(a_file_that_was_committed_is_closed) {
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_dataset *rows = wi_h5_stream_dataset(file, "rows");
        wi_h5_append(rows, &(double){1}, 1);
        wi_h5_commit(file);
        expect_raised(use_after_commit, file, WI_USAGE_ERROR, "a.h5: is not open");
        expect_raised(commit_again, file, WI_USAGE_ERROR, "a.h5: is not open");
        expect_raised(append_after_commit, rows, WI_USAGE_ERROR, "a.h5: is not open");
    }
    within (file, wi_h5_file("a.h5", "r")) expect_count(wi_h5_shape(file, "rows").length[0], 1);
}

alone(a_file_is_changed_in_a_copy) {
    write_number("a.h5", 1);
    struct stat before, after;
    stat("a.h5", &before);
    within (file, wi_h5_file("a.h5", "r+")) {
        wi_h5_write(file, "number", &(int){2});
        wi_h5_flush(file);
        expect_count(number_in("a.h5"), 1);
    }
    stat("a.h5", &after);
    expect(before.st_ino != after.st_ino && number_in("a.h5") == 2);
    within (file, wi_h5_file("a.h5", "a")) wi_h5_write(file, "number", &(int){3});
    expect_count(number_in("a.h5"), 3);
    within (file, wi_h5_file("new.h5", "a")) wi_h5_write(file, "number", &(int){4});
    expect_count(number_in("new.h5"), 4);
    expect_count(leftovers(), 0);
}

static void leave_by_exit(void) {
    within (file, wi_h5_file("a.h5", "w"))
        within (stream, wi_h5_stream("s.h5")) {
            wi_h5_write(file, "number", &(int){2});
            wi_h5_dataset *rows = wi_h5_stream_dataset(stream, "rows", .flush_every_rows = 100);
            wi_h5_append(rows, &(double){1}, 1);
            exit(0);
        }
}
static void leave_by_exit_with_hdf5_first(void) {
    H5open();
    leave_by_exit();
}
static void leave_by_exit_with_a_block_first(void) {
    within (wi_section("first")) leave_by_exit();
}

alone(exit_discards_what_is_aside_and_keeps_what_is_streamed) {
    write_number("a.h5", 1);
    void (*const ways[])(void) = {leave_by_exit_with_hdf5_first, leave_by_exit_with_a_block_first};
    for (int i = 0; i < 2; i++) {
        hear("said");
        expect_count(status_of(ways[i]), 0);
        expect_text(content("said"),
                    "within: a.h5: its block was left before the end, and nothing is published\n");
        expect_count(number_in("a.h5"), 1);
        within (file, wi_h5_file("s.h5", "r+"))
            expect_count(wi_h5_shape(file, "rows").length[0], 1);
    }
    expect_count(leftovers(), 0);
}

/* ---- what is left open ---- */

alone(what_is_left_open_is_named_and_closed) {
    hear("said");
    within (file, wi_h5_file("a.h5", "w")) {
        wi_h5_write(file, "raw/x", &(double){1});
        wi_h5_attribute(file, "raw/x", "unit", "V");
        H5Iinc_ref(H5Dopen2(file->id, "raw/x", H5P_DEFAULT));
        H5Gopen2(file->id, "raw", H5P_DEFAULT);
        H5Aopen_by_name(file->id, "raw/x", "unit", H5P_DEFAULT, H5P_DEFAULT);
        H5Freopen(file->id);
    }
    const char *text = content("said"),
               *begin = "within: a.h5: left open in it, and closed with it: ";
    expect(strncmp(text, begin, strlen(begin)) == 0);
    expect(strstr(text, "dataset /raw/x") && strstr(text, "group /raw"));
    expect(strstr(text, "attribute unit") && strstr(text, "the file itself, once more"));
    expect_nothing_open();
    within (file, wi_h5_file("a.h5", "r+")) wi_h5_write(file, "y", &(double){1});
}

/* ---- HDF5's printer ---- */

static herr_t printer(hid_t stack, void *data) {
    (void)stack;
    ++*(int *)data;
    return 0;
}
static herr_t old_printer(void *data) {
    ++*(int *)data;
    return 0;
}

alone(the_printer_of_the_program_is_silenced_and_restored) {
    int printed = 0;
    H5E_auto2_t print;
    void *data;
    H5Eset_auto2(H5E_DEFAULT, printer, &printed);
    within (file, wi_h5_file("a.h5", "w"))
        expect_raised(read_missing, file, WI_LOOKUP_ERROR, "a.h5: raw/y: there is no such dataset");
    expect_count(printed, 0);
    H5Eget_auto2(H5E_DEFAULT, &print, &data);
    expect(print == printer && data == &printed);
    H5Dopen2(H5I_INVALID_HID, "x", H5P_DEFAULT);
    expect_count(printed, 1);
    H5Eset_auto1(old_printer, &printed);
    within (file, wi_h5_file("b.h5", "w")) wi_h5_write(file, "x", &(double){1});
    expect_count(printed, 1);
    H5Dopen2(H5I_INVALID_HID, "x", H5P_DEFAULT);
    expect_count(printed, 2);
}

/* ---- paths ---- */

alone(odd_names_are_names) {
    const char *const names[] = {"with space", "line\nbreak", "Größe.h5", "%s%n", "a.h5'"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_number(names[i], (int)i);
        expect_count(number_in(names[i]), i);
    }
    expect_count(symlink("a.h5'", "link"), 0);
    write_number("link", 9);
    expect_count(number_in("a.h5'"), 9);
    struct stat status;
    expect(lstat("link", &status) == 0 && S_ISLNK(status.st_mode));
}

static void open_in_no_mode(void *path) {
    within (wi_h5_file((char *)path, "x")) continue;
}

alone(paths_that_cannot_be_opened_are_named) {
    mkdir("folder", 0700);
    FILE *text = fopen("text", "w");
    fputs("this is no HDF5 file, but long enough to be one", text);
    fclose(text);
    expect_raised(read_number, "nix.h5", WI_FILE_NOT_FOUND,
                  "nix.h5: open: No such file or directory");
    expect_raised(change, "nix.h5", WI_FILE_NOT_FOUND, "nix.h5: copy: No such file or directory");
    expect_raised(read_number, "text", WI_DATA_ERROR, "text: is no HDF5 file");
    expect_raised(change, "text", WI_DATA_ERROR, "text: is no HDF5 file");
    expect_raised_like(read_number, "folder", WI_IS_A_DIRECTORY, "folder: ");
    expect_raised_like(write_one, "folder", WI_IS_A_DIRECTORY, "folder: ");
    expect_raised_like(write_one, "nix/a.h5", WI_FILE_NOT_FOUND, "nix/a.h5: ");
    expect_raised(open_in_no_mode, "a.h5", WI_VALUE_ERROR,
                  "a.h5: mode \"x\": there are r, w, r+ and a");
    write_number("a.h5", 1);
    expect_count(truncate("a.h5", 900), 0);
    expect_raised_like(read_number, "a.h5", WI_DATA_ERROR,
                       "a.h5: HDF5 cannot open it: truncated file");
    expect_count(leftovers(), 0);
    expect_nothing_open();
}

static void without_permission(void) {
    if (geteuid() == 0) {
        expect(chmod(".", 0755) == 0 && chmod("..", 0755) == 0);
        expect(setgid(65534) == 0 && setuid(65534) == 0);
    }
    expect_raised(read_number, "a.h5", WI_PERMISSION_ERROR, "a.h5: open: Permission denied");
    expect_raised_like(write_one, "b.h5", WI_PERMISSION_ERROR, "b.h5: ");
}

alone(permissions_are_said) {
    write_number("a.h5", 1);
    expect(chmod("a.h5", 0) == 0 && (geteuid() == 0 || chmod(".", 0500) == 0));
    expect_count(status_of(without_permission), 0);
}

/* ---- the ledger ---- */

alone(an_open_file_is_in_the_ledger) {
    char *report = NULL;
    size_t size;
    write_number("a.h5", 1);
    within (wi_h5_file("a.h5", "r")) {
        FILE *stream = open_memstream(&report, &size);
        wi_report(stream);
        fclose(stream);
    }
    expect(strstr(report, "HDF5 file a.h5") != NULL);
    free(report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(numbers_of_every_type_come_back),
        test(shapes_are_kept_and_told),
        test(what_is_not_as_it_should_be_is_named_with_both),
        test(attributes_are_numbers_and_texts),
        test(texts_of_fixed_length_are_read_too),
        test(only_the_end_of_the_body_publishes),
        test(a_file_that_was_committed_is_closed),
        test(a_file_is_changed_in_a_copy),
        test(exit_discards_what_is_aside_and_keeps_what_is_streamed),
        test(what_is_left_open_is_named_and_closed),
        test(the_printer_of_the_program_is_silenced_and_restored),
        test(odd_names_are_names),
        test(paths_that_cannot_be_opened_are_named),
        test(permissions_are_said),
        test(an_open_file_is_in_the_ledger),
    };
    return cmocka_run_group_tests_name("hdf5", tests, NULL, NULL);
}
