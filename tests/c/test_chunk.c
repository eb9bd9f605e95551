/* Chunks: whatever the points are, they come back to the last bit. */
#include <math.h>

#include "runs/chunk.h"
#include "runs_helpers.h"

typedef struct point_columns {
    int64_t steps[WI__CHUNK_POINTS], ms[WI__CHUNK_POINTS];
    double values[WI__CHUNK_POINTS];
} point_columns;

static point_columns in, out;
static wi__chunk_room room;

static wi__chunk encode(int64_t count) {
    wi__chunk chunk;
    wi__chunk_encode(in.steps, in.ms, in.values, count, &chunk, &room);
    return chunk;
}

static void expect_back(int64_t count, const char *what) {
    wi__chunk chunk = encode(count);
    wi__chunk_decode(&chunk, 0, count, out.steps, out.ms, out.values);
    size_t size = (size_t)count * 8;
    expect_that(memcmp(in.steps, out.steps, size) == 0, what, "steps of %d", (int)count);
    expect_that(memcmp(in.ms, out.ms, size) == 0, what, "ms of %d", (int)count);
    expect_that(memcmp(in.values, out.values, size) == 0, what, "values of %d", (int)count);
}

/* Numbers of each kind that a program may have: regular, jittering, random, falling, at the ends of their type. */
static int64_t number_of(int kind, int64_t i, uint64_t *state) {
    uint64_t random = random_bits(state);
    switch (kind) {
    case 0: return 7 + 3 * i;
    case 1: return -5 * i + (int64_t)(random % 200);
    case 2: return 1700000000000 + 10 * i + (int64_t)(random % 60000);
    case 3: return (int64_t)(random >> 33);
    case 4: return (int64_t)random;
    case 5: return i % 2 ? INT64_MAX : INT64_MIN;
    case 6: return INT64_MAX - i;
    case 7: return ((int64_t)1 << 62) - i % 2;
    case 8: return -((int64_t)1 << 62) + i * (((int64_t)1 << 62) / WI__CHUNK_POINTS);
    default: return (int64_t)(random >> 20) - i;
    }
}

static double value_of(int kind, uint64_t *state) {
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, 0.5, 1e300, 5e-324, 0x1p-126};
    uint64_t random = random_bits(state);
    switch (kind) {
    case 0: return (double)(float)(random % 1000) * 0.25;
    case 1: return (double)random / 3.0;
    case 2: return double_of(random);
    case 3: return special[random % 8];
    default: return double_of(random | UINT64_C(0x7ff) << 52); /* NaN of any payload */
    }
}

static void test_random_points_come_back(void **state WI__UNUSED) {
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        int64_t count = 1 + (int64_t)(random_bits(&random) % (round % 10 ? 70 : WI__CHUNK_POINTS));
        for (int64_t i = 0; i < count; i++) {
            in.steps[i] = number_of(round % 10, i, &random);
            in.ms[i] = number_of(round / 10 % 10, i, &random);
            in.values[i] = value_of(round / 100 % 5, &random);
        }
        expect_back(count, "round");
    }
}

static void test_part_of_a_chunk_is_decoded_alone(void **state WI__UNUSED) {
    uint64_t random = 1;
    for (int64_t i = 0; i < 1000; i++) {
        in.steps[i] = number_of(1, i, &random);
        in.ms[i] = number_of(2, i, &random);
        in.values[i] = value_of(2, &random);
    }
    wi__chunk chunk = encode(1000);
    wi__chunk_decode(&chunk, 300, 50, out.steps, out.ms, NULL);
    expect(memcmp(in.steps + 300, out.steps, 400) == 0 && memcmp(in.ms + 300, out.ms, 400) == 0);
    wi__chunk_decode(&chunk, 999, 1, NULL, NULL, out.values);
    expect(bits_of(out.values[0]) == bits_of(in.values[999]));
}

/* What regular points cost: no byte for steps and times, and 4 for values that are floats. */
static void test_regular_points_are_small(void **state WI__UNUSED) {
    for (int64_t i = 0; i < 1000; i++) {
        in.steps[i] = 100 * i;
        in.ms[i] = 1700000000000 + i / 10;
        in.values[i] = 0.25 * (double)i;
    }
    wi__chunk chunk = encode(1000);
    expect_count(chunk.steps.width, 0);
    expect_count(chunk.ms.width, 1);
    expect_count(chunk.value_width, 4);
    in.values[999] = 0.1;
    expect_count(encode(1000).value_width, 8);
}

/* Neither here nor in SQL, where base + i * stride becomes a REAL if it overflows. */
static void test_no_line_overflows(void **state WI__UNUSED) {
    uint64_t random = 3;
    for (int round = 0; round < 300; round++) {
        int64_t count = 2 + (int64_t)(random_bits(&random) % 100);
        for (int64_t i = 0; i < count; i++) in.steps[i] = number_of(round % 10, i, &random);
        wi__chunk chunk = encode(count);
        int64_t last;
        expect(chunk.steps.width < 8 || (!chunk.steps.base && !chunk.steps.stride));
        expect(!__builtin_mul_overflow(count - 1, chunk.steps.stride, &last));
        expect(!__builtin_add_overflow(chunk.steps.base, last, &last));
    }
}

/* ---- rows ---- */

static int is_a_chunk(sqlite3 *db, const char *columns) {
    char sql[300];
    wi__chunk chunk;
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "SELECT %s", columns);
    expect(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
    expect(sqlite3_step(statement) == SQLITE_ROW);
    int is_one = wi__chunk_of_row(statement, 0, &chunk);
    sqlite3_finalize(statement);
    return is_one;
}

static void test_a_row_that_is_no_chunk_is_refused(void **state WI__UNUSED) {
    sqlite3 *db;
    expect(sqlite3_open(":memory:", &db) == SQLITE_OK);
    expect(is_a_chunk(db, "2, 0, 1, x'', 0, 0, x'0102', x'00000000000000000000000000000000'"));
    expect(!is_a_chunk(db, "2, 0, 1, x'', 0, 0, x'010203', x'00000000000000000000000000000000'"));
    expect(!is_a_chunk(db, "2, 0, 1, x'', 0, 0, x'010203040506', x'0000000000000000'"));
    expect(!is_a_chunk(db, "2, 0, 1, x'', 0, 0, x'', x''"));
    expect(!is_a_chunk(db, "2, 0, 1, x'', 0, 0, x'', NULL"));
    expect(!is_a_chunk(db, "0, 0, 1, x'', 0, 0, x'', x''"));
    expect(!is_a_chunk(db, "-8, 0, 1, x'', 0, 0, x'', x'0000000000000000'"));
    expect(!is_a_chunk(db, "9223372036854775807, 0, 1, x'', 0, 0, x'', x'00'"));
    expect(!is_a_chunk(db, "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"));
    sqlite3_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_points_come_back),
        cmocka_unit_test(test_part_of_a_chunk_is_decoded_alone),
        cmocka_unit_test(test_regular_points_are_small),
        cmocka_unit_test(test_no_line_overflows),
        cmocka_unit_test(test_a_row_that_is_no_chunk_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
