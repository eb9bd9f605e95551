/*
 * HDF5 files that still open after a kill.
 *
 *     within (file, wi_h5_file("run.h5", "w")) {          written aside, and renamed when the body ends
 *         wi_h5_write(file, "spectrum", spectrum, 64, 1024);
 *         wi_h5_attribute(file, "spectrum", "unit", "V");
 *     }
 *
 *     within (file, wi_h5_stream("samples.h5")) {         at its place: every flushed row survives
 *         wi_h5_dataset *received = wi_h5_stream_dataset(file, "received", .row_shape = WI_SHAPE(2));
 *         for (int i = 0; i < n; i++) wi_h5_append(received, sample[i], 1);
 *     }
 *
 * Of the library within-hdf5, and not part of within.h: pkg-config --cflags --libs within-hdf5.
 *
 * Names of datasets are paths in the file, "raw/received"; groups on the way are made. Arrays are in C's order.
 *
 * Threads: one at a time for each file. All files of a process, if HDF5 was built without thread safety
 * (Debian's was built with it).
 * Processes: a file does not cross a fork. What is called with it in the child raises WI_USAGE_ERROR, and
 * neither the child's exits nor its end write to the file.
 */
#ifndef WITHIN_HDF5_H
#define WITHIN_HDF5_H

#include <stdint.h>
#include <stdio.h>

#include <within/block.h>

WI__BEGIN_DECLS

/**
 * What HDF5 says of a call that failed: "run.h5: open dataset spectrum: object 'spectrum' doesn't exist". What
 * the system below it has refused is raised as for all managers: WI_FILE_NOT_FOUND, WI_DISK_FULL, …
 */
extern WI_API const wi_error_type WI_HDF5_ERROR[1];

/** What an element is. In files it is little-endian, on this side as the processor has it. */
typedef enum wi_h5_type {
    WI_H5_FLOAT64,
    WI_H5_FLOAT32,
    WI_H5_INT8,
    WI_H5_INT16,
    WI_H5_INT32,
    WI_H5_INT64,
    WI_H5_UINT8,
    WI_H5_UINT16,
    WI_H5_UINT32,
    WI_H5_UINT64,
    WI_H5_TEXT /* UTF-8, of attributes */
} wi_h5_type;

enum { WI_H5_RANK_MAX = 8 };

/** How long an array is in each direction, the slowest first: WI_SHAPE(rows, columns). WI_SHAPE() is one element. */
typedef struct wi_shape {
    size_t rank; /* at most WI_H5_RANK_MAX */
    uint64_t length[WI_H5_RANK_MAX];
} wi_shape;
#define WI_SHAPE(...) WI__SHAPE(__VA_ARGS__)

typedef struct wi_h5_file_options {
    int no_sync; /* nonzero: leave it to the system when the file reaches the disk */
} wi_h5_file_options;

typedef struct wi_h5_stream_options {
    int resume; /* nonzero: go on with the file that is there, also after a kill; it is copied first */
    int no_sync; /* as of wi_h5_file */
} wi_h5_stream_options;

typedef struct wi_h5_file {
    const wi_protocol *protocol;
    const char *path;
    const char *mode;
    wi_h5_stream_options options;
    int64_t id; /* the hid_t, for all that HDF5 can do; -1 while it is not open */
    struct wi__h5_open *open;
} wi_h5_file;

/**
 * A file: wi_h5_file(path, mode) or wi_h5_file(path, mode, .no_sync = 1).
 *
 * @param path  borrowed until the block ends.
 * @param mode  "r"   to read; of a file that is being streamed, or was when its writer died, what is flushed.
 *              "w"   a new file, which HDF5 1.8 and later can read.
 *              "r+"  to change a file that is there; "a"  the same, and a new one where there is none.
 *
 * All but "r" write beside the target and rename, as wi_atomic_path does: at the end of the body alone. Any
 * other end, a kill too, leaves the old file, or none. "r+" and "a" copy the file first, in full.
 *
 * What is open in the file when the block ends is listed on stderr, and closed: datasets, groups, attributes.
 *
 * @raise on enter  as wi_atomic_path; WI_DATA_ERROR if it is no HDF5 file; WI_BUSY_ERROR if it is locked, or
 *        being streamed by another; WI_VALUE_ERROR for another mode; WI_HDF5_ERROR.
 * @raise on exit  what the last writes failed with, WI_DISK_FULL: the old file is untouched.
 */
#define wi_h5_file(...) WI__H5_FILE(__VA_ARGS__, )
#define WI__H5_FILE(path, mode, ...)                                                               \
    wi__h5_file(path, mode, WI__FIELDS_MAY_BE_MISSING(wi_h5_file_options, {__VA_ARGS__}))

/**
 * A file that rows are appended to: wi_h5_stream(path) or wi_h5_stream(path, .resume = 1, .no_sync = 1).
 *
 * It begins beside the target. Make all datasets and attributes first. The first wi_h5_append, or wi_h5_start,
 * puts it into its place, and from then on it is in HDF5's SWMR mode: others may read it, and after a kill at any
 * moment it has every flushed row. wi_h5_file(path, "r") reads it then; other programs open it in SWMR mode, or
 * a plain copy made by wi_h5_recover. Whichever way the block ends, the rows that were appended are kept.
 *
 * @raise on enter  as wi_h5_file for "w"; WI_FILE_EXISTS if the file that is there was streamed, its writer died
 *        and .resume is not said: its rows would be lost; WI_BUSY_ERROR if its writer lives.
 * @raise on exit  what the last writes failed with: the file is as if its writer had died.
 */
#define wi_h5_stream(...) WI__H5_STREAM(__VA_ARGS__, )
#define WI__H5_STREAM(path, ...)                                                                   \
    wi__h5_stream(path, WI__FIELDS_MAY_BE_MISSING(wi_h5_stream_options, {__VA_ARGS__}))

/**
 * Close and publish now, so that a return may follow; the file is not open for the rest of the body.
 *
 * @raise what the exit would. WI_USAGE_ERROR if the file is not open.
 */
WI_API void wi_h5_commit(wi_h5_file *file);

/**
 * Write an array: wi_h5_write(file, "spectrum", spectrum, 64, 1024), or a number: wi_h5_write(file, "n", &n).
 *
 * @param[in] data  pointer to floating-point numbers or integers; array of the shape that follows, in C's order.
 *                  The dataset gets their type. One of that name with the same type and shape is overwritten.
 * @raise WI_VALUE_ERROR if a dataset of that name is of another type or shape; WI_USAGE_ERROR if the file is
 *        not open for writing, or rows are being streamed to it and there is no such dataset; WI_DISK_FULL, …
 */
#define wi_h5_write(file, name, data, ...)                                                         \
    wi__h5_write(file, name, data, WI__H5_TYPE(data), WI_SHAPE(__VA_ARGS__))

/**
 * Read a whole array: wi_h5_read(file, "spectrum", spectrum, 64, 1024).
 *
 * @param[out] buffer  pointer to floating-point numbers or integers; array of the shape that follows.
 * @raise WI_LOOKUP_ERROR if there is no such dataset; WI_DATA_ERROR if it has another shape or type. The buffer
 *        is unchanged then.
 */
#define wi_h5_read(file, name, buffer, ...)                                                        \
    wi__h5_read(file, name, buffer, WI__H5_TYPE(buffer), WI_SHAPE(__VA_ARGS__))

/** The shape of a dataset. @raise WI_LOOKUP_ERROR if there is none; WI_DATA_ERROR if its rank is beyond 8. */
WI_API wi_shape wi_h5_shape(wi_h5_file *file, const char *name);

/**
 * Say something of a dataset or group: wi_h5_attribute(file, "spectrum", "unit", "V"); "/" is the file itself.
 *
 * @param value  a number or a text; one that was said before is replaced.
 * @raise WI_LOOKUP_ERROR if there is no such thing; WI_USAGE_ERROR if the file is not open for writing, or rows
 *        are being streamed to it.
 */
#define wi_h5_attribute(file, where, name, value)                                                  \
    (__extension__({                                                                               \
        WI__AUTO wi__value = (value);                                                              \
        wi__h5_attribute(file, where, name, &wi__value, WI__H5_VALUE_TYPE(wi__value));             \
    }))

/**
 * Read what wi_h5_attribute has said, or another program: wi_h5_read_attribute(file, "/", "gain", &gain).
 *
 * @param[out] number  pointer to a number of the attribute's type.
 * @raise WI_LOOKUP_ERROR if there is none; WI_DATA_ERROR if it is of another type, or no single number.
 */
#define wi_h5_read_attribute(file, where, name, number)                                            \
    wi__h5_read_attribute(file, where, name, number, WI__H5_TYPE(number))
/** The same for a text, cut to size - 1 bytes and ended by '\0'. @return its whole length in bytes. */
WI_API size_t wi_h5_read_text(wi_h5_file *file, const char *where, const char *name, char *buffer,
                              size_t size);

typedef struct wi_h5_dataset_options {
    wi_h5_type type;     /* of the elements; WI_H5_FLOAT64 by default */
    wi_shape row_shape;  /* of one row; by default a single element */
    uint64_t chunk_rows; /* rows that lie together on the disk; 0: so many that they take 64 KiB */
    int gzip;            /* compression of chunks, 1 (fast) to 9 (small); 0: none */
    int shuffle;         /* nonzero: bytes of like weight first, which gzip makes smaller */
    uint64_t
        flush_every_rows; /* 0: at each append; with gzip or shuffle whole chunks, and a multiple of them */
} wi_h5_dataset_options;

/** A dataset that grows by rows. It is closed with its file. */
typedef struct wi_h5_dataset {
    int64_t id;       /* the hid_t */
    uint64_t rows;    /* appended so far */
    uint64_t flushed; /* of these in the file: when streaming, what a kill cannot take back */
    struct wi__h5_rows *behind;
} wi_h5_dataset;

/**
 * Make a dataset that grows: wi_h5_stream_dataset(file, "received", .row_shape = WI_SHAPE(2), .gzip = 4).
 *
 * In a file that was opened with "r+", "a" or .resume a dataset of that name is gone on with, in the chunks and
 * with the compression that it has. Rows that are not flushed yet are kept in memory, flush_every_rows at most.
 *
 * @return owned by the file.
 * @raise WI_VALUE_ERROR if an option cannot be, or the dataset that is there is of another type or shape or does
 *        not grow; WI_USAGE_ERROR if the file is not open for writing, or rows are being streamed to it.
 */
#define wi_h5_stream_dataset(file, ...) WI__H5_STREAM_DATASET(file, __VA_ARGS__, )
#define WI__H5_STREAM_DATASET(file, name, ...)                                                     \
    wi__h5_stream_dataset(file, name,                                                              \
                          WI__FIELDS_MAY_BE_MISSING(wi_h5_dataset_options, {__VA_ARGS__}))

/**
 * Append rows: wi_h5_append(received, samples, 64).
 *
 * @param[in] data  pointer to elements of the dataset's type; array of shape (count, row_shape…).
 * @raise WI_VALUE_ERROR if it is of another type; WI_USAGE_ERROR if the file is closed; WI_DISK_FULL, …: in a
 *        streamed file the flushed rows stay, and no more can be written.
 *
 * Cost: a copy; with every flush_every_rows one write and, when streaming, one flush: three to five system calls.
 */
#define wi_h5_append(dataset, data, count) wi__h5_append(dataset, data, WI__H5_TYPE(data), count)

/** Keep only the first rows, before streaming starts: to resume where a checkpoint was. @raise WI_VALUE_ERROR if there are fewer. */
WI_API void wi_h5_truncate(wi_h5_dataset *dataset, uint64_t rows);
/** Start to stream now, so that others can read. From here on nothing can be created in the file. */
WI_API void wi_h5_start(wi_h5_file *file);
/** Write all rows that are in memory; of compressed datasets those of whole chunks. @raise WI_DISK_FULL, … */
WI_API void wi_h5_flush(wi_h5_file *file);

/**
 * Copy a streamed file whose writer died, or any other, to one that opens everywhere.
 *
 * All that hangs on the root group is copied object by object, and the root's attributes; objects that are linked
 * to twice in it become two. The original is only read.
 *
 * @param path      the file; being streamed, closed, or left by a dead writer.
 * @param out_path  the copy, published as wi_atomic_path does; not `path` itself.
 * @param listing   gets a line for each dataset: "received: 1200 x 2 of float64"; may be NULL.
 * @return how many datasets it has found.
 * @raise WI_DATA_ERROR if it is no HDF5 file, or was not closed and not streamed either; WI_HDF5_ERROR if
 *        something in it cannot be read; as wi_atomic_path for out_path.
 */
WI_API size_t wi_h5_recover(const char *path, const char *out_path, FILE *listing);

/**
 * Turn an answer of HDF5 into an error: gives it back if it is not negative.
 *
 * hid_t group = wi_h5_check(file, H5Gopen2(file->id, "raw", H5P_DEFAULT), "open %s", "raw");
 *
 * A write that failed shows here too: HDF5 is not told of it, and closes what it could not else.
 */
#define wi_h5_check(file, answer, ...)                                                             \
    WI__H5_CHECK(WI__JOIN(wi__answer_, __COUNTER__), file, answer, __VA_ARGS__)

/* ---- behind the macros ---- */

WI_API wi_h5_file wi__h5_file(const char *path, const char *mode, wi_h5_file_options options);
WI_API wi_h5_file wi__h5_stream(const char *path, wi_h5_stream_options options);
WI_API void wi__h5_write(wi_h5_file *file, const char *name, const void *data, wi_h5_type type,
                         wi_shape shape);
WI_API void wi__h5_read(wi_h5_file *file, const char *name, void *buffer, wi_h5_type type,
                        wi_shape shape);
WI_API void wi__h5_attribute(wi_h5_file *file, const char *where, const char *name,
                             const void *value, wi_h5_type type);
WI_API void wi__h5_read_attribute(wi_h5_file *file, const char *where, const char *name,
                                  void *number, wi_h5_type type);
WI_API wi_h5_dataset *wi__h5_stream_dataset(wi_h5_file *file, const char *name,
                                            wi_h5_dataset_options options);
WI_API void wi__h5_append(wi_h5_dataset *dataset, const void *data, wi_h5_type type,
                          uint64_t count);
/* Raises if it failed, or if a write has failed of which HDF5 knows nothing. */
WI_API void wi__h5_check(const wi_place *place, const wi_h5_file *file, int failed,
                         const char *format, ...) WI__PRINTF(4, 5);

WI__END_DECLS

/* X(the type in C, its name among wi_h5_type) */
#define WI__H5_TYPES(X)                                                                            \
    X(double, WI_H5_FLOAT64)                                                                       \
    X(float, WI_H5_FLOAT32)                                                                        \
    X(signed char, WI_H5_INT8)                                                                     \
    X(short, WI_H5_INT16)                                                                          \
    X(int, WI_H5_INT32)                                                                            \
    X(long, (sizeof(long) == 8 ? WI_H5_INT64 : WI_H5_INT32))                                       \
    X(long long, WI_H5_INT64)                                                                      \
    X(unsigned char, WI_H5_UINT8)                                                                  \
    X(unsigned short, WI_H5_UINT16)                                                                \
    X(unsigned int, WI_H5_UINT32)                                                                  \
    X(unsigned long, (sizeof(long) == 8 ? WI_H5_UINT64 : WI_H5_UINT32))                            \
    X(unsigned long long, WI_H5_UINT64)

/* The type that a pointer points to, and the type of a value. Another is a compile error. */
#ifdef __cplusplus
#define WI__H5_OF_POINTER(type, name)                                                              \
    inline wi_h5_type wi__h5_type_of(const type *) { return name; }
#define WI__H5_OF_VALUE(type, name)                                                                \
    inline wi_h5_type wi__h5_value_type(type) { return name; }
WI__H5_TYPES(WI__H5_OF_POINTER)
WI__H5_TYPES(WI__H5_OF_VALUE)
inline wi_h5_type wi__h5_value_type(const char *) { return WI_H5_TEXT; }
#define WI__H5_TYPE(pointer) wi__h5_type_of(pointer)
#define WI__H5_VALUE_TYPE(value) wi__h5_value_type(value)
#else
#define WI__H5_OF_POINTER(type, name) , type * : name, const type * : name
#define WI__H5_OF_VALUE(type, name) , type : name
#define WI__H5_TYPE(pointer) _Generic((pointer)WI__H5_TYPES(WI__H5_OF_POINTER))
#define WI__H5_VALUE_TYPE(value)                                                                   \
    _Generic((value)WI__H5_TYPES(WI__H5_OF_VALUE), char *: WI_H5_TEXT, const char *: WI_H5_TEXT)
#endif

/* A zero before the lengths: a list may be empty, an array may not. */
#ifdef __cplusplus
template <class... Lengths> wi_shape wi__shape(Lengths... lengths) {
    wi_shape shape = {sizeof...(lengths), {}};
    uint64_t all[] = {0, static_cast<uint64_t>(lengths)...};
    for (size_t i = 0; i < sizeof...(lengths) && i < WI_H5_RANK_MAX; i++)
        shape.length[i] = all[i + 1];
    return shape;
}
#define WI__SHAPE(...) wi__shape(__VA_ARGS__)
#else
#define WI__SHAPE(...)                                                                             \
    ((wi_shape){sizeof((uint64_t[]){0, ##__VA_ARGS__}) / sizeof(uint64_t) - 1, {__VA_ARGS__}})
#endif

#define WI__H5_CHECK(value, file, answer, ...)                                                     \
    (__extension__({                                                                               \
        __typeof__(answer) value = (answer);                                                       \
        wi__h5_check(WI__HERE, file, value < 0, __VA_ARGS__);                                      \
        value;                                                                                     \
    }))

#endif
