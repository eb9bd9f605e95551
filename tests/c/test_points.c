/* The points of a run's journal: appended by many threads, read in order, whatever becomes of their file. */
#include <math.h>
#include <sys/resource.h>

#include "runs/points_file.h"
#include "runs_helpers.h"

enum { SEGMENT = WI__SEGMENT_POINTS };

static wi__points *create(uint64_t ticket) {
    int here = open_here();
    wi__points *points = wi__points_create(here, ticket);
    close(here);
    expect_that(points != NULL, "create", "%s", strerror(errno));
    return points;
}

static wi__points *open_others(void) {
    int here = open_here();
    wi__points *points = wi__points_open(here);
    close(here);
    expect(points != NULL);
    return points;
}

static wi__point got[4 * SEGMENT];

/* How many there are from a ticket on; they are in `got`. */
static uint64_t read_all(wi__points *points, uint64_t ticket, int skip_unfinished) {
    return wi__points_read(points, &ticket, got, 4 * SEGMENT, skip_unfinished);
}

static void append_many(wi__points *points, int64_t from, int64_t count) {
    for (int64_t i = from; i < from + count; i++) append(points, 7, i, (double)i / 3);
}

static void expect_many(uint64_t count, int64_t from) {
    for (uint64_t i = 0; i < count; i++) {
        int64_t step = from + (int64_t)i;
        expect_count(got[i].step, step);
        expect(got[i].series == 7 && got[i].value == (double)step / 3 && got[i].ms == 1000 + step);
    }
}

alone(points_of_all_kinds_come_back) {
    const wi__point all[] = {
        {0, 0, 0.0, 0},
        {1, INT64_MIN, -0.0, INT64_MIN},
        {2, INT64_MAX, INFINITY, INT64_MAX},
        {3, -1, -INFINITY, -1},
        {WI__SERIES_LIMIT - 1, 5, double_of(UINT64_C(0x7ff0000000000001)), 10},
        {0, 4, double_of(UINT64_C(0xfff8123456789abc)),
         9}, /* the clock was set back, the step fell */
        {0, 3, 5e-324, 8},
    };
    enum { COUNT = sizeof all / sizeof *all };
    wi__points *points = create(0);
    for (int i = 0; i < COUNT; i++) expect_count(wi__points_append(points, &all[i]), 0);
    for (int others = 0; others < 2; others++) {
        if (others) {
            wi__points_close(points);
            points = open_others();
        }
        expect_count(read_all(points, 0, others), COUNT);
        for (int i = 0; i < COUNT; i++)
            expect(got[i].series == all[i].series && got[i].step == all[i].step &&
                   bits_of(got[i].value) == bits_of(all[i].value) && got[i].ms == all[i].ms);
    }
    wi__points_close(points);
}

alone(reading_goes_on_where_it_stopped) {
    wi__points *points = create(12345); /* as of a run that goes on */
    uint64_t ticket = 12345;
    append_many(points, 0, 50000);
    for (int64_t seen = 0; seen < 50000; seen += 1000) {
        expect_count(wi__points_read(points, &ticket, got, 1000, 0), 1000);
        expect_many(1000, seen);
    }
    expect_count(wi__points_read(points, &ticket, got, 1000, 0), 0);
    expect_count(ticket, 12345 + 50000);
    append_many(points, 50000, 1);
    expect_count(wi__points_read(points, &ticket, got, 1000, 0), 1);
    wi__points_close(points);
}

/* Room is used again, and what lay there is not taken for what is to come. */
alone(old_points_in_used_room_are_not_read) {
    wi__points *points = create(0);
    uint64_t ticket = 0;
    for (int64_t round = 0; round < 40; round++) {
        append_many(points, round * 20000, 20000);
        expect_count(wi__points_read(points, &ticket, got, 4 * SEGMENT, 0), 20000);
        expect_many(20000, round * 20000);
        wi__points_drained(points, ticket);
        wi__points *others = open_others();
        expect_count(read_all(others, ticket, 1), 0);
        wi__points_close(others);
    }
    expect(size_of("points") < 5 << 20);
    wi__points_close(points);
}

/* A hole: who took the ticket has not written it yet. */
alone(a_point_that_is_being_written_stops_a_reader_unless_its_writer_is_dead) {
    wi__points *points = create(0);
    append_many(points, 0, 10);
    __atomic_fetch_add(&points->next, 1, __ATOMIC_RELAXED);
    append_many(points, 10, 5);
    expect_count(read_all(points, 0, 0), 10);
    wi__points *others = open_others();
    expect_count(read_all(others, 0, 0), 10);
    expect_count(read_all(others, 0, 1), 15);
    expect_many(15, 0);
    wi__points_close(others);
    wi__points_close(points);
}

/* ---- room ---- */

alone(without_a_drain_the_file_grows_up_to_its_limit_and_callers_wait) {
    wi__points *points = create(0);
    wi__points_limit(points, 4);
    append_many(points, 0, 3 * SEGMENT + 20000);
    expect_count(size_of("points"), WI__POINTS_HEAD + 4 * WI__SEGMENT_BYTES);
    uint64_t ticket = 0;
    expect_count(wi__points_read(points, &ticket, got, 4 * SEGMENT, 0), 3 * SEGMENT + 20000);
    wi__points_drained(points, ticket);
    append_many(points, 3 * SEGMENT + 20000, 2 * SEGMENT);
    expect_count(size_of("points"), WI__POINTS_HEAD + 4 * WI__SEGMENT_BYTES);
    expect_count(wi__points_read(points, &ticket, got, 4 * SEGMENT, 0), 2 * SEGMENT);
    expect_many(2 * SEGMENT, 3 * SEGMENT + 20000);
    wi__points_close(points);
}

static void *drain_late(void *arg) {
    wi__points *points = arg;
    uint64_t ticket = 0, total = 0;
    spend_ms(100);
    while (total < 10 * SEGMENT) {
        total += wi__points_read(points, &ticket, got, SEGMENT, 0);
        wi__points_drained(points, ticket);
    }
    return NULL;
}

alone(callers_that_wait_go_on_when_the_drain_does) {
    wi__points *points = create(0);
    wi__points_limit(points, 2);
    pthread_t drain = start(drain_late, points);
    append_many(points, 0, 10 * SEGMENT);
    pthread_join(drain, NULL);
    wi__points_close(points);
}

/* posix_fallocate fails, rather than a store into the map. */
alone(a_full_disk_is_an_error_and_no_point_is_lost) {
    wi__points *points = create(0);
    struct rlimit limit = {(rlim_t)size_of("points"), RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    wi__point point = point_of(7, 0, 0, 1000);
    int error = 0;
    while (!(error = wi__points_append(points, &point))) {
        point.step++;
        point.ms++;
        point.value = (double)point.step / 3;
    }
    expect(error == EFBIG || error == ENOSPC);
    expect_count(wi__points_append(points, &point), error);
    uint64_t ticket = 0;
    expect_count(wi__points_read(points, &ticket, got, 4 * SEGMENT, 0), point.step);
    expect_many((uint64_t)point.step, 0);
    wi__points_drained(points, ticket);
    append_many(points, point.step, 1000); /* in room that is free again */
    expect_count(wi__points_read(points, &ticket, got, 4 * SEGMENT, 0), 1000);
    wi__points_close(points);
}

alone(a_file_that_is_there_is_not_overwritten) {
    wi__points_close(create(0));
    int here = open_here();
    expect(wi__points_create(here, 0) == NULL);
    expect_count(errno, EEXIST);
    expect(exists("points"));
}

/* ---- by calls, as on a network ---- */

alone(plain_writes_keep_the_same_points) {
    int here = open_here();
    wi__points *points = wi__points_create_plain(here, 0);
    append_many(points, 0, SEGMENT + 1000);
    expect_count(read_all(points, 0, 0), SEGMENT + 1000);
    wi__points *others = open_others();
    expect_count(read_all(others, 0, 1), SEGMENT + 1000);
    expect_many(SEGMENT + 1000, 0);
    wi__points_close(others);
    wi__points_close(points);
}

alone(a_plain_write_that_fails_leaves_no_hole) {
    int here = open_here();
    wi__points *points = wi__points_create_plain(here, 0);
    append_many(points, 0, 10);
    int file = points->file;
    points->file = open("/dev/full", O_WRONLY);
    wi__point point = point_of(7, 10, 0, 0);
    expect_count(wi__points_append(points, &point), ENOSPC);
    close(points->file);
    points->file = file;
    append_many(points, 10, 10);
    expect_count(read_all(points, 0, 0), 20);
    expect_many(20, 0);
    wi__points_close(points);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 100000 };

static void *append_numbered(void *arg) {
    wi__points *points = *(wi__points **)arg;
    static uint32_t last;
    uint32_t mine = __atomic_fetch_add(&last, 1, __ATOMIC_RELAXED);
    for (int64_t i = 0; i < EACH; i++) append(points, mine, i, (double)i);
    return NULL;
}

alone(four_threads_append_while_one_drains_and_none_is_lost_or_moved) {
    wi__points *points = create(0);
    pthread_t threads[THREADS];
    int64_t next[THREADS] = {0};
    uint64_t ticket = 0, total = 0;
    wi__points_limit(points, 8);
    for (int i = 0; i < THREADS; i++) threads[i] = start(append_numbered, &points);
    while (total < THREADS * EACH) {
        uint64_t count = wi__points_read(points, &ticket, got, 4 * SEGMENT, 0);
        for (uint64_t i = 0; i < count; i++) {
            expect(got[i].series < THREADS);
            expect_count(got[i].step, next[got[i].series]++);
        }
        total += count;
        wi__points_drained(points, ticket);
        if (!count) wi__points_wait(points, 1000, 0.01);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    expect_count(read_all(points, ticket, 0), 0);
    wi__points_close(points);
}

/* ---- damage ---- */

/* What is whole comes back, nothing that was not logged does, and nothing crashes. */
static void expect_some_of_them(wi__points *points) {
    uint64_t count = read_all(points, 0, 1);
    int64_t before = -1;
    for (uint64_t i = 0; i < count; i++) {
        expect(got[i].step > before && got[i].value == (double)got[i].step / 3);
        before = got[i].step;
    }
}

static void damage(int file, off_t below, uint64_t *random) {
    for (int i = 0; i < 20; i++) {
        uint64_t bytes = random_bits(random);
        off_t at = (off_t)(random_bits(random) % (uint64_t)below);
        expect(pwrite(file, &bytes, 1 + random_bits(random) % 8, at) > 0);
    }
}

alone(damaged_files_are_read_as_far_as_they_are_whole) {
    uint64_t random = 42;
    for (int round = 0; round < 60; round++) {
        unlink("points");
        wi__points *points = create(0);
        append_many(points, 0, SEGMENT + 5000);
        wi__points_close(points);
        int file = open("points", O_RDWR);
        damage(file, round % 2 ? WI__POINTS_HEAD / 6 : size_of("points"), &random);
        if (round % 3 == 0)
            expect(ftruncate(file, (off_t)(random_bits(&random) % (uint64_t)size_of("points"))) ==
                   0);
        close(file);
        points = open_others();
        expect_some_of_them(points);
        wi__points_close(points);
    }
}

alone(one_damaged_point_is_passed_over) {
    wi__points *points = create(0);
    append_many(points, 0, 100);
    wi__points_close(points);
    int file = open("points", O_RDWR);
    for (int byte = 0; byte < 32; byte++) {
        unsigned char was, is;
        off_t at = WI__POINTS_HEAD + 50 * 32 + byte;
        expect(pread(file, &was, 1, at) == 1);
        is = was ^ 0x10;
        expect(pwrite(file, &is, 1, at) == 1);
        points = open_others();
        expect_count(read_all(points, 0, 1), 99);
        expect_count(got[50].step, 51);
        wi__points_close(points);
        expect(pwrite(file, &was, 1, at) == 1);
    }
    close(file);
}

alone(a_file_of_something_else_has_no_points) {
    int file = open("points", O_WRONLY | O_CREAT, 0644);
    expect(write(file, "hello", 5) == 5);
    close(file);
    wi__points *points = open_others();
    expect_count(read_all(points, 0, 1), 0);
    wi__points_close(points);
    unlink("points");
    int here = open_here();
    expect(wi__points_open(here) == NULL);
    expect_count(errno, ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(points_of_all_kinds_come_back),
        test(reading_goes_on_where_it_stopped),
        test(old_points_in_used_room_are_not_read),
        test(a_point_that_is_being_written_stops_a_reader_unless_its_writer_is_dead),
        test(without_a_drain_the_file_grows_up_to_its_limit_and_callers_wait),
        test(callers_that_wait_go_on_when_the_drain_does),
        test(a_full_disk_is_an_error_and_no_point_is_lost),
        test(a_file_that_is_there_is_not_overwritten),
        test(plain_writes_keep_the_same_points),
        test(a_plain_write_that_fails_leaves_no_hole),
        test(four_threads_append_while_one_drains_and_none_is_lost_or_moved),
        test(damaged_files_are_read_as_far_as_they_are_whole),
        test(one_damaged_point_is_passed_over),
        test(a_file_of_something_else_has_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
