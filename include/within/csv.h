/*
 * A CSV log: a row is in the file, whole, when wi_csv_row returns; a program that starts again goes on.
 *
 *     within (f, wi_csv("ber.csv", "snr,ber")) {
 *         wi_csv_row(f, 1.5, 3.2e-4);
 *     }
 *
 * RFC 4180 with "\n" at the end of a row, and numbers as Python writes them: the shortest text that reads back
 * as the same number. docs/files/csv.md says what happens to files that are there already.
 */
#ifndef WITHIN_CSV_H
#define WITHIN_CSV_H

#include <stdint.h>

#include <within/block.h>
#include <within/csv_value.h>

WI__BEGIN_DECLS

typedef struct wi_csv_options {
    int fresh;           /* nonzero: throw away what the file held; by default rows are appended */
    double sync_every_s; /* bring rows to the disk when so much time has passed, and at the end; 0:
                            at the end only; negative: never, the system does it within a minute */
} wi_csv_options;

typedef struct wi_csv {
    const wi_protocol *protocol;
    const char *path;
    const char *columns;
    wi_csv_options options;
    uint64_t rows;           /* written by this process since the block began */
    uint64_t cut;            /* bytes of a torn last row that were cut off when the block began */
    struct wi__csv_log *log; /* NULL: not open */
} wi_csv;

/**
 * A CSV log: wi_csv(path, columns) or wi_csv(path, columns, .fresh = 1, .sync_every_s = 10).
 *
 * @param path     a regular file, or none yet; links are followed. Borrowed until the block ends.
 * @param columns  names with commas between, "snr,ber", written as the first line. A name with a comma, a quote or
 *                 a newline in it is quoted, as in CSV. "step:int,loss:float,note:text,ok:bool" has types too, which
 *                 rows are checked against; a column without one takes any value. Borrowed until the block ends.
 *
 * A file that is there must begin with the same names, and gets more rows. If its last row was cut off by a kill
 * or a crash, that is cut away, said on stderr, and counted in `cut`. An empty file gets its first line.
 *
 * @raise WI_VALUE_ERROR for columns that are none, or a path that is no regular file; WI_DATA_ERROR if the file
 *        begins with other columns; WI_BUSY_ERROR if what must be cut or begun anew is in use by another process; kinds
 *        of WI_OS_ERROR for what the system refuses. But for .fresh, the file is as it was.
 *
 * The block's end syncs and closes the file, whatever it ends by, and raises what fails of that.
 *
 * Threads: one enters and ends the block; all may write rows in between. Processes: any number may append to one
 * file. A forked child may write rows too, and its end of the block only closes the file for itself.
 * Cost: a system call a row, and some 100 ns. At the start the file is read once, or its end if all columns are
 * declared as int, float or bool.
 */
#define wi_csv(...) WI__CSV(__VA_ARGS__, )
#define WI__CSV(path, columns, ...)                                                                \
    wi__csv(path, columns, WI__FIELDS_MAY_BE_MISSING(wi_csv_options, {__VA_ARGS__}))

/**
 * Write a row: wi_csv_row(f, 1.5, 3.2e-4); a value for each column, at most 32.
 *
 * Values are integers of any kind, bool, float (as the shortest text that reads back as this float), double, long
 * double (rounded to double), const char *, and WI_CSV_EMPTY; another type is a compile error. A NULL string is an
 * empty cell, "" a quoted one. An int column takes integers; a float column those and floating-point numbers; a text
 * column strings; a bool column bool, 0 and 1; each an empty cell.
 *
 * @raise WI_VALUE_ERROR for a wrong number of values, or one that its column does not take; kinds of WI_OS_ERROR if
 *        it cannot be written or, when it is due, synced. Unless syncing failed, the file is as it was.
 */
#define wi_csv_row(f, ...) WI__CSV_ROW(f, __VA_ARGS__)

/**
 * Write a row whose number of values is known at run time only.
 *
 * @param[in] values  array of shape (count,); borrowed for the call. wi_csv_of makes one from any value.
 * @raise as wi_csv_row.
 */
WI_API void wi_csv_write(wi_csv *f, const wi_csv_value *values, size_t count);

/**
 * Keep the first rows of the file and cut those that follow, to go on where a checkpoint was:
 *
 *     within (f, wi_csv("ber.csv", "snr,ber")) {
 *         wi_csv_truncate(f, points_done);
 *         …
 *
 * @param rows  how many stay, of all that the file has; 0 leaves the first line alone.
 * @raise WI_DATA_ERROR if there are fewer; WI_BUSY_ERROR if another process has the log open; kinds of WI_OS_ERROR.
 *        The file is as it was.
 *
 * Threads: none may write meanwhile. Cost: the rows that stay are read once.
 */
WI_API void wi_csv_truncate(wi_csv *f, uint64_t rows);

/** Bring all rows to the disk now; before a checkpoint that knows of them, say. @raise kinds of WI_OS_ERROR. */
WI_API void wi_csv_sync(wi_csv *f);

/** The name of the i-th column, while the block is open; NULL when there are not as many. */
WI_API const char *wi_csv_column(const wi_csv *f, size_t i);

WI_API wi_csv wi__csv(const char *path, const char *columns, wi_csv_options options);

WI__END_DECLS

#ifdef __cplusplus
template <class... Types> inline void wi__csv_row(wi_csv *f, const Types &...values) {
    static_assert(sizeof...(values) <= 32, "wi_csv_row takes at most 32 values");
    const wi_csv_value tagged[] = {wi_csv_of(values)...};
    wi_csv_write(f, tagged, sizeof...(values));
}
#define WI__CSV_ROW(...) wi__csv_row(__VA_ARGS__)

#else
/* Stands in for the values that a row of less than 32 lacks. */
typedef struct wi__csv_lack wi__csv_lack;
#define WI__CSV_LACK_1 ((wi__csv_lack *)0)
#define WI__CSV_LACK_4 WI__CSV_LACK_1, WI__CSV_LACK_1, WI__CSV_LACK_1, WI__CSV_LACK_1
#define WI__CSV_LACK_16 WI__CSV_LACK_4, WI__CSV_LACK_4, WI__CSV_LACK_4, WI__CSV_LACK_4
#define WI__CSV_IS_THERE(a) _Generic((a), wi__csv_lack *: 0, default: 1)
#define WI__CSV_PUT(i, a)                                                                          \
    if (i < wi__count) wi__values[i] = wi_csv_of(a)
#define WI__CSV_ROW(...) WI__CSV_ROW_OF(__VA_ARGS__, WI__CSV_LACK_16, WI__CSV_LACK_16, )
#define WI__CSV_ROW_OF(...) WI__CSV_ROW_OF_32(__VA_ARGS__)
#define WI__CSV_ROW_OF_32(csv, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15,   \
                          a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29,    \
                          a30, a31, a32, beyond, ...)                                              \
    (__extension__({                                                                               \
        wi_csv_value wi__values[32];                                                               \
        enum {                                                                                     \
            wi__count = 0 + WI__CSV_IS_THERE(a1) + WI__CSV_IS_THERE(a2) + WI__CSV_IS_THERE(a3) +   \
                        WI__CSV_IS_THERE(a4) + WI__CSV_IS_THERE(a5) + WI__CSV_IS_THERE(a6) +       \
                        WI__CSV_IS_THERE(a7) + WI__CSV_IS_THERE(a8) + WI__CSV_IS_THERE(a9) +       \
                        WI__CSV_IS_THERE(a10) + WI__CSV_IS_THERE(a11) + WI__CSV_IS_THERE(a12) +    \
                        WI__CSV_IS_THERE(a13) + WI__CSV_IS_THERE(a14) + WI__CSV_IS_THERE(a15) +    \
                        WI__CSV_IS_THERE(a16) + WI__CSV_IS_THERE(a17) + WI__CSV_IS_THERE(a18) +    \
                        WI__CSV_IS_THERE(a19) + WI__CSV_IS_THERE(a20) + WI__CSV_IS_THERE(a21) +    \
                        WI__CSV_IS_THERE(a22) + WI__CSV_IS_THERE(a23) + WI__CSV_IS_THERE(a24) +    \
                        WI__CSV_IS_THERE(a25) + WI__CSV_IS_THERE(a26) + WI__CSV_IS_THERE(a27) +    \
                        WI__CSV_IS_THERE(a28) + WI__CSV_IS_THERE(a29) + WI__CSV_IS_THERE(a30) +    \
                        WI__CSV_IS_THERE(a31) + WI__CSV_IS_THERE(a32)                              \
        };                                                                                         \
        _Static_assert(!WI__CSV_IS_THERE(beyond), "wi_csv_row takes at most 32 values");           \
        WI__CSV_PUT(0, a1);                                                                        \
        WI__CSV_PUT(1, a2);                                                                        \
        WI__CSV_PUT(2, a3);                                                                        \
        WI__CSV_PUT(3, a4);                                                                        \
        WI__CSV_PUT(4, a5);                                                                        \
        WI__CSV_PUT(5, a6);                                                                        \
        WI__CSV_PUT(6, a7);                                                                        \
        WI__CSV_PUT(7, a8);                                                                        \
        WI__CSV_PUT(8, a9);                                                                        \
        WI__CSV_PUT(9, a10);                                                                       \
        WI__CSV_PUT(10, a11);                                                                      \
        WI__CSV_PUT(11, a12);                                                                      \
        WI__CSV_PUT(12, a13);                                                                      \
        WI__CSV_PUT(13, a14);                                                                      \
        WI__CSV_PUT(14, a15);                                                                      \
        WI__CSV_PUT(15, a16);                                                                      \
        WI__CSV_PUT(16, a17);                                                                      \
        WI__CSV_PUT(17, a18);                                                                      \
        WI__CSV_PUT(18, a19);                                                                      \
        WI__CSV_PUT(19, a20);                                                                      \
        WI__CSV_PUT(20, a21);                                                                      \
        WI__CSV_PUT(21, a22);                                                                      \
        WI__CSV_PUT(22, a23);                                                                      \
        WI__CSV_PUT(23, a24);                                                                      \
        WI__CSV_PUT(24, a25);                                                                      \
        WI__CSV_PUT(25, a26);                                                                      \
        WI__CSV_PUT(26, a27);                                                                      \
        WI__CSV_PUT(27, a28);                                                                      \
        WI__CSV_PUT(28, a29);                                                                      \
        WI__CSV_PUT(29, a30);                                                                      \
        WI__CSV_PUT(30, a31);                                                                      \
        WI__CSV_PUT(31, a32);                                                                      \
        wi_csv_write(csv, wi__values, wi__count);                                                  \
    }))
#endif

#endif
