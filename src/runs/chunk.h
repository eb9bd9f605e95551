/*
 * A chunk: consecutive points of one series as a row of the database, in some 9 bytes a point.
 *
 * Steps and times are close to a straight line: a column of them is base + i * stride + the i-th number of a blob,
 * unsigned and big-endian, of 0, 1, 2, 4 or 8 bytes each; how many is length(blob) / count. Numbers of 8 bytes are
 * the column itself, with a base and stride of 0. Values are IEEE 754, big-endian, of 4 bytes where that is exact
 * for each of the chunk, to the last bit of a NaN, else of 8. (Frame of reference: Goldstein, Ramakrishnan, Shaft,
 * "Compressing relations and indexes", ICDE 1998, 370-379.)
 */
#ifndef WITHIN_RUNS_CHUNK_H
#define WITHIN_RUNS_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* As many as SQL's substr() can take apart in reasonable time: it copies the whole blob for each point. */
enum { WI__CHUNK_POINTS = 4096 };

/* Integers of a chunk: its steps, or its times. */
typedef struct wi__chunk_column {
    int64_t base, stride;
    int width; /* bytes a number in `bytes` */
    const unsigned char *bytes;
} wi__chunk_column;

typedef struct wi__chunk {
    int64_t count;
    wi__chunk_column steps, ms;
    int value_width; /* 4 or 8 */
    const unsigned char *values;
} wi__chunk;

/* Room for what a chunk's columns point to. */
typedef struct wi__chunk_room {
    unsigned char steps[8 * WI__CHUNK_POINTS];
    unsigned char ms[8 * WI__CHUNK_POINTS];
    unsigned char values[8 * WI__CHUNK_POINTS];
} wi__chunk_room;

/**
 * Encode points: at most WI__CHUNK_POINTS of them, at least one.
 *
 * @param steps, ms, values  arrays of shape (count,).
 * @param[out] chunk  points into `room`.
 */
void wi__chunk_encode(const int64_t *steps, const int64_t *ms, const double *values, int64_t count,
                      wi__chunk *chunk, wi__chunk_room *room);

/** A row of the table: the parameters are series and position, then those of wi__chunk_bind. */
extern const char wi__chunk_insert[];
/**
 * Write points as rows of at most WI__CHUNK_POINTS each, by a statement of that text.
 *
 * @param series, position  the series' row, and where in it the first point stands.
 * @param steps, ms, values  arrays of shape (count,).
 * @return SQLITE_OK, or SQLite's code.
 */
int wi__chunks_write(sqlite3_stmt *insert, int64_t series, int64_t position, const int64_t *steps,
                     const int64_t *ms, const double *values, int64_t count, wi__chunk_room *room);

/** The columns count, step_base, step_stride, steps, ms_base, ms_stride, ms, points of a statement, as parameters. */
int wi__chunk_bind(sqlite3_stmt *statement, int first, const wi__chunk *chunk);
/**
 * The same columns of a row, in that order. The chunk borrows the row's blobs.
 * @return 0 if they are no chunk: the database is damaged.
 */
int wi__chunk_of_row(sqlite3_stmt *statement, int first, wi__chunk *chunk);

/**
 * Decode the points `from` to `from + count - 1`.
 *
 * @param[out] steps, ms, values  arrays of shape (count,); each may be NULL.
 * Cost: about a nanosecond a number.
 */
void wi__chunk_decode(const wi__chunk *chunk, int64_t from, int64_t count, int64_t *steps,
                      int64_t *ms, double *values);

#endif
