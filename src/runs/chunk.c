/* Points of a series as a row of the database, and back. */
#include "runs/chunk.h"

#include <string.h>

#include "runs/sql.h"

/* ---- big-endian numbers ---- */

static void put(unsigned char *to, uint64_t number, int width) {
    uint64_t swapped = __builtin_bswap64(number << (64 - 8 * width));
    memcpy(to, &swapped, (size_t)width);
}

static uint64_t get(const unsigned char *from, int width) {
    uint64_t swapped = 0;
    memcpy(&swapped, from, (size_t)width);
    return __builtin_bswap64(swapped) >> (64 - 8 * width);
}

/* Loops of one width each, which compilers make vectors of. */
#define FOR_EACH_WIDTH(width, LOOP)                                                                \
    switch (width) {                                                                               \
    case 1: LOOP(1); break;                                                                        \
    case 2: LOOP(2); break;                                                                        \
    case 4: LOOP(4); break;                                                                        \
    default: LOOP(8); break;                                                                       \
    }

/* ---- columns of integers ---- */

/* Smaller than 2^62, so that no line through such numbers overflows, here or in SQL. */
static int are_small(const int64_t *numbers, int64_t count) {
    int64_t limit = (int64_t)1 << 62;
    int is_large = 0;
    for (int64_t i = 0; i < count; i++) is_large |= numbers[i] >= limit || numbers[i] < -limit;
    return !is_large;
}

/* What is left of the numbers beside a line: from `base` on, at most `span`. */
typedef struct line {
    int64_t base, stride;
    uint64_t span;
} line;

static line line_of(const int64_t *numbers, int64_t count, int64_t stride) {
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = numbers[i] - i * stride;
        least = rest < least ? rest : least;
        most = rest > most ? rest : most;
    }
    return (line){least, stride, (uint64_t)most - (uint64_t)least};
}

static line narrower(line a, line b) { return b.span < a.span ? b : a; }

/* Strides to try: that of the first two, that of the ends, and none. */
static line best_line(const int64_t *numbers, int64_t count) {
    int64_t limit = ((int64_t)1 << 62) / WI__CHUNK_POINTS;
    int64_t first = count > 1 ? numbers[1] - numbers[0] : 0;
    int64_t mean = count > 1 ? (numbers[count - 1] - numbers[0]) / (count - 1) : 0;
    line best = line_of(numbers, count, first < limit && first > -limit ? first : 0);
    if (best.span && mean < limit && mean > -limit)
        best = narrower(best, line_of(numbers, count, mean));
    if (best.span) best = narrower(best, line_of(numbers, count, 0));
    return best;
}

static int width_of(uint64_t span) {
    return span == 0            ? 0
           : span <= UINT8_MAX  ? 1
           : span <= UINT16_MAX ? 2
           : span <= UINT32_MAX ? 4
                                : 8;
}

static wi__chunk_column encode_column(const int64_t *numbers, int64_t count, unsigned char *room) {
    line beside = {0, 0, UINT64_MAX};
    if (are_small(numbers, count)) beside = best_line(numbers, count);
    wi__chunk_column column = {beside.base, beside.stride, width_of(beside.span), room};
    if (column.width == 8) column.base = column.stride = 0;
#define PUT(width)                                                                                 \
    for (int64_t i = 0; i < count; i++)                                                            \
    put(room + width * i, (uint64_t)(numbers[i] - column.base - i * column.stride), width)
    if (column.width) FOR_EACH_WIDTH(column.width, PUT)
#undef PUT
    return column;
}

/* In unsigned arithmetic: a damaged row may give nonsense, but no overflow. */
static void decode_column(const wi__chunk_column *column, int64_t from, int64_t count,
                          int64_t *to) {
    uint64_t base = (uint64_t)column->base, stride = (uint64_t)column->stride;
    base += (uint64_t)from * stride;
    if (!column->width) {
        for (int64_t i = 0; i < count; i++) to[i] = (int64_t)(base + (uint64_t)i * stride);
        return;
    }
    const unsigned char *bytes = column->bytes + column->width * from;
#define GET(width)                                                                                 \
    for (int64_t i = 0; i < count; i++)                                                            \
    to[i] = (int64_t)(base + (uint64_t)i * stride + get(bytes + width * i, width))
    FOR_EACH_WIDTH(column->width, GET)
#undef GET
}

/* ---- values: by their bits alone, for a conversion of a signalling NaN is an exception in arithmetic ---- */

enum { FLOAT_BIAS = 1023 - 127 }; /* what the exponents' biases differ by */

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Subnormal floats are not made: they are rare, and the SQL view need not know them. */
static int is_float(uint64_t bits) {
    uint64_t exponent = bits >> 52 & 0x7ff;
    int is_in_range = exponent > FLOAT_BIAS && exponent < FLOAT_BIAS + 255;
    return (bits & 0x1fffffff) == 0 && (is_in_range || exponent == 0x7ff || bits << 1 == 0);
}

static uint32_t float_of(uint64_t bits) {
    uint64_t exponent = bits >> 52 & 0x7ff;
    uint64_t narrow = exponent == 0x7ff ? 0xff : exponent == 0 ? 0 : exponent - FLOAT_BIAS;
    return (uint32_t)(bits >> 63 << 31 | narrow << 23 | (bits >> 29 & 0x7fffff));
}

static uint64_t double_of(uint32_t bits) {
    uint64_t sign = (uint64_t)bits >> 31 << 63, exponent = bits >> 23 & 0xff;
    uint64_t fraction = bits & 0x7fffff;
    if (exponent == 0 && fraction == 0) return sign;
    if (exponent == 0) return sign | bits_of((double)fraction * 0x1p-149);
    return sign | (exponent == 0xff ? 0x7ff : exponent + FLOAT_BIAS) << 52 | fraction << 29;
}

static int are_floats(const double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!is_float(bits_of(values[i]))) return 0;
    return 1;
}

static void encode_values(const double *values, int64_t count, int width, unsigned char *to) {
    for (int64_t i = 0; i < count && width == 8; i++) put(to + 8 * i, bits_of(values[i]), 8);
    for (int64_t i = 0; i < count && width == 4; i++)
        put(to + 4 * i, float_of(bits_of(values[i])), 4);
}

static void decode_values(const unsigned char *from, int64_t count, int width, double *values) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits =
            width == 8 ? get(from + 8 * i, 8) : double_of((uint32_t)get(from + 4 * i, 4));
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* ---- chunks ---- */

void wi__chunk_encode(const int64_t *steps, const int64_t *ms, const double *values, int64_t count,
                      wi__chunk *chunk, wi__chunk_room *room) {
    chunk->count = count;
    chunk->steps = encode_column(steps, count, room->steps);
    chunk->ms = encode_column(ms, count, room->ms);
    chunk->value_width = are_floats(values, count) ? 4 : 8;
    chunk->values = room->values;
    encode_values(values, count, chunk->value_width, room->values);
}

void wi__chunk_decode(const wi__chunk *chunk, int64_t from, int64_t count, int64_t *steps,
                      int64_t *ms, double *values) {
    const unsigned char *first = chunk->values + chunk->value_width * from;
    if (steps) decode_column(&chunk->steps, from, count, steps);
    if (ms) decode_column(&chunk->ms, from, count, ms);
    if (values) decode_values(first, count, chunk->value_width, values);
}

/* ---- rows ---- */

static int bind_column(sqlite3_stmt *statement, int first, const wi__chunk_column *column,
                       int64_t count) {
    int code = sqlite3_bind_int64(statement, first, column->base);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, first + 1, column->stride);
    if (code != SQLITE_OK) return code;
    return sqlite3_bind_blob(statement, first + 2, column->bytes, (int)count * column->width,
                             SQLITE_STATIC);
}

int wi__chunk_bind(sqlite3_stmt *statement, int first, const wi__chunk *chunk) {
    int code = sqlite3_bind_int64(statement, first, chunk->count);
    if (code == SQLITE_OK) code = bind_column(statement, first + 1, &chunk->steps, chunk->count);
    if (code == SQLITE_OK) code = bind_column(statement, first + 4, &chunk->ms, chunk->count);
    if (code != SQLITE_OK) return code;
    return sqlite3_bind_blob(statement, first + 7, chunk->values,
                             (int)chunk->count * chunk->value_width, SQLITE_STATIC);
}

/* How many bytes a number a blob has; -1 if it is none of `count` numbers. */
static int width_in_row(sqlite3_stmt *statement, int column, int64_t count) {
    int type = sqlite3_column_type(statement, column);
    int64_t bytes = sqlite3_column_bytes(statement, column);
    if ((type != SQLITE_BLOB && bytes) || bytes % count) return -1;
    int64_t width = bytes / count;
    return width <= 2 || width == 4 || width == 8 ? (int)width : -1;
}

static int column_of_row(sqlite3_stmt *statement, int first, int64_t count,
                         wi__chunk_column *column) {
    column->base = sqlite3_column_int64(statement, first);
    column->stride = sqlite3_column_int64(statement, first + 1);
    column->bytes = sqlite3_column_blob(statement, first + 2);
    column->width = width_in_row(statement, first + 2, count);
    return column->width >= 0 && (column->bytes || !column->width);
}

int wi__chunk_of_row(sqlite3_stmt *statement, int first, wi__chunk *chunk) {
    chunk->count = sqlite3_column_int64(statement, first);
    if (chunk->count <= 0 || chunk->count > INT32_MAX) return 0;
    chunk->values = sqlite3_column_blob(statement, first + 7);
    chunk->value_width = width_in_row(statement, first + 7, chunk->count);
    return (chunk->value_width == 4 || chunk->value_width == 8) && chunk->values &&
           column_of_row(statement, first + 1, chunk->count, &chunk->steps) &&
           column_of_row(statement, first + 4, chunk->count, &chunk->ms);
}

/* ---- rows ---- */

const char wi__chunk_insert[] =
    "INSERT INTO chunk (series, position, count, step_base, step_stride, steps, ms_base, ms_stride,"
    " ms, points) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

int wi__chunks_write(sqlite3_stmt *insert, int64_t series, int64_t position, const int64_t *steps,
                     const int64_t *ms, const double *values, int64_t count, wi__chunk_room *room) {
    int code = SQLITE_OK;
    for (int64_t at = 0; at < count && code == SQLITE_OK; at += WI__CHUNK_POINTS) {
        int64_t left = count - at;
        wi__chunk chunk;
        wi__chunk_encode(steps + at, ms + at, values + at,
                         left < WI__CHUNK_POINTS ? left : WI__CHUNK_POINTS, &chunk, room);
        sqlite3_bind_int64(insert, 1, series);
        sqlite3_bind_int64(insert, 2, position + at);
        code = wi__chunk_bind(insert, 3, &chunk);
        if (code == SQLITE_OK) code = wi__sql_finish(insert);
    }
    return code;
}
