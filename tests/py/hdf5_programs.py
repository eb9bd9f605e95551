"""The programs that tests of HDF5 files kill, disturb and read with."""

# Writes file after file at one place, each with arrays and attributes of one number that tell whether they belong
# together; the last number is said when it is published.
ARRAYS = r"""
#include <stdio.h>
#include <stdlib.h>
#include <within.h>
#include <within/hdf5.h>

static void write_file(const char *path, int number) {
    static double x[5000];
    int counts[7];
    for (int i = 0; i < 5000; i++) x[i] = number;
    for (int i = 0; i < 7; i++) counts[i] = number;
    within (file, wi_h5_file(path, "w")) {
        wi_h5_write(file, "raw/x", x, 100, 50);
        wi_h5_write(file, "counts", counts, 7);
        wi_h5_attribute(file, "raw/x", "unit", "V");
        wi_h5_attribute(file, "/", "number", number);
    }
}
int main(int count, char **arguments) {
    int files = count > 2 ? atoi(arguments[2]) : 1 << 20;
    for (int i = 1; i <= files; i++) {
        write_file(arguments[1], i);
        printf("%d\n", i);
        fflush(stdout);
    }
    return 0;
}
"""

# Appends to three datasets, and says after each row how many of each are flushed.
STREAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>
#include <within/hdf5.h>

int main(int count, char **arguments) {
    int rows = count > 2 ? atoi(arguments[2]) : 1 << 30;
    within (file, wi_h5_stream(arguments[1], .no_sync = 1)) {
        wi_h5_attribute(file, "/", "program", "stream");
        wi_h5_dataset *samples = wi_h5_stream_dataset(file, "raw/samples", .row_shape = WI_SHAPE(2));
        wi_h5_dataset *counts = wi_h5_stream_dataset(file, "counts", .type = WI_H5_INT32, .flush_every_rows = 5);
        wi_h5_dataset *packed = wi_h5_stream_dataset(file, "packed", .gzip = 4, .shuffle = 1, .chunk_rows = 8);
        wi_h5_attribute(file, "raw/samples", "unit", "V");
        wi_h5_attribute(file, "counts", "gain", 0.5);
        for (int i = 0; i < rows; i++) {
            double sample[2] = {i, -0.5 * i}, value = 1.0 / (i + 1);
            wi_h5_append(samples, sample, 1);
            wi_h5_append(counts, &i, 1);
            wi_h5_append(packed, &value, 1);
            char line[99];
            int length = snprintf(line, sizeof line, "%d %d %d\n", (int)samples->flushed, (int)counts->flushed,
                                  (int)packed->flushed);
            if (write(1, line, (size_t)length) != length) return 1;
        }
    }
    return 0;
}
"""

# Says what it finds in a file of either: "arrays 7", "stream 12 10 8", or the error. A wrong value is "wrong".
READ = r"""
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <within.h>
#include <within/hdf5.h>

static void expect(int holds, const char *what) {
    if (holds) return;
    printf("wrong: %s\n", what);
    exit(1);
}
static void read_arrays(wi_h5_file *file) {
    static double x[5000];
    int counts[7], number;
    char unit[8];
    wi_h5_read_attribute(file, "/", "number", &number);
    wi_h5_read_text(file, "raw/x", "unit", unit, sizeof unit);
    wi_h5_read(file, "raw/x", x, 100, 50);
    wi_h5_read(file, "counts", counts, 7);
    for (int i = 0; i < 5000; i++) expect(x[i] == number, "x");
    for (int i = 0; i < 7; i++) expect(counts[i] == number, "counts");
    expect(strcmp(unit, "V") == 0, "unit");
    printf("arrays %d\n", number);
}
static int read_samples(wi_h5_file *file) {
    int n = (int)wi_h5_shape(file, "raw/samples").length[0];
    double *samples = malloc((size_t)n * 16 + 1), gain;
    char unit[8];
    wi_h5_read(file, "raw/samples", samples, n, 2);
    for (int i = 0; i < n; i++) expect(samples[2 * i] == i && samples[2 * i + 1] == -0.5 * i, "samples");
    wi_h5_read_text(file, "raw/samples", "unit", unit, sizeof unit);
    wi_h5_read_attribute(file, "counts", "gain", &gain);
    expect(strcmp(unit, "V") == 0 && gain == 0.5, "attributes");
    free(samples);
    return n;
}
static int read_counts(wi_h5_file *file) {
    int n = (int)wi_h5_shape(file, "counts").length[0], *counts = malloc((size_t)n * 4 + 1);
    wi_h5_read(file, "counts", counts, n);
    for (int i = 0; i < n; i++) expect(counts[i] == i, "counts");
    free(counts);
    return n;
}
static int read_packed(wi_h5_file *file) {
    int n = (int)wi_h5_shape(file, "packed").length[0];
    double *packed = malloc((size_t)n * 8 + 1);
    wi_h5_read(file, "packed", packed, n);
    for (int i = 0; i < n; i++) expect(packed[i] == 1.0 / (i + 1), "packed");
    free(packed);
    return n;
}
static void read_any(void *path) {
    within (file, wi_h5_file(path, "r")) {
        volatile int is_stream = 0;
        wi_try {
            char program[16];
            is_stream = wi_h5_read_text(file, "/", "program", program, sizeof program) == 6;
        } wi_catch (WI_LOOKUP_ERROR, error) {}
        if (is_stream)
            printf("stream %d %d %d\n", read_samples(file), read_counts(file), read_packed(file));
        else
            read_arrays(file);
    }
}
int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        wi_error *error;
        if (wi_call(read_any, arguments[i], &error)) continue;
        printf("%s: %s\n", wi_error_kind(error)->name, wi_error_message(error));
        wi_error_free(error);
    }
    return 0;
}
"""

RECOVER = r"""
#include <stdio.h>
#include <within.h>
#include <within/hdf5.h>

static void recover(void *arguments) {
    char **paths = arguments;
    printf("datasets %zu\n", wi_h5_recover(paths[1], paths[2], stdout));
}
int main(int count, char **arguments) {
    wi_error *error;
    (void)count;
    if (wi_call(recover, arguments, &error)) return 0;
    printf("%s: %s\n", wi_error_kind(error)->name, wi_error_message(error));
    return 1;
}
"""

# The same in Python: the reader reads what either writes.
PYTHON_ARRAYS = """
import sys, numpy as np, within as wi
for number in range(1, int(sys.argv[2]) + 1 if len(sys.argv) > 2 else 1 << 20):
    with wi.h5_file(sys.argv[1], "w") as file:
        file.create_dataset("raw/x", data=np.full((100, 50), float(number)), chunks=(10, 50), compression="gzip")
        file["counts"] = np.full(7, number, dtype="i4")
        file["raw/x"].attrs["unit"] = "V"
        file.attrs["number"] = np.int32(number)
    print(number, flush=True)
"""

PYTHON_STREAM = """
import os, sys, numpy as np, within as wi
with wi.h5_file(sys.argv[1], "stream", sync=False) as file:
    file.attrs["program"] = "stream"
    samples = file.create_dataset("raw/samples", (0, 2), "f8", maxshape=(None, 2), chunks=(64, 2))
    counts = file.create_dataset("counts", (0,), "i4", maxshape=(None,), chunks=(64,))
    packed = file.create_dataset("packed", (0,), "f8", maxshape=(None,), chunks=(8,), compression="gzip", shuffle=True)
    samples.attrs["unit"], counts.attrs["gain"] = "V", 0.5
    file.swmr_mode = True
    for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 20):
        file.append(samples, [[i, -0.5 * i]])
        if i % 5 == 4:
            file.append(counts, np.arange(i - 4, i + 1))
        if i % 8 == 7:
            file.append(packed, 1 / np.arange(i - 6.0, i + 2))
        os.write(1, b"%d %d %d\\n" % (i + 1, (i + 1) // 5 * 5, (i + 1) // 8 * 8))
"""
