/* The judgement of series: what grows is told, with its rate and its wall; what only seems to is not, or withdrawn. */
#include "manage/leak_judge.h"
#include "manage/leak_text.h"
#include "manage/system_counters.h"
#include "process_helpers.h"

enum { LEAST = 8, TWO = 2, THREE = 3 };

static wi__leak_series empty(void) {
    wi__leak_series series;
    memset(&series, 0, sizeof series);
    return series;
}

typedef int64_t (*level_function)(uint64_t call);

/* The news at each call up to `calls`; the number of the call at which growth was told first, or 0. */
static uint64_t told_at(wi__leak_series *series, level_function level, uint64_t calls,
                        uint32_t looks, wi__leak_growth *growth) {
    for (uint64_t call = 1; call <= calls; call++) {
        wi__leak_sample sample = {level(call), 3, call, 2.0 * (double)call};
        if (wi__leak_judge(series, &sample, LEAST, looks, growth) == WI__LEAK_TOLD) return call;
    }
    return 0;
}

static int64_t steady(uint64_t call) { return 20 + 3 * (int64_t)call; }

static void steady_growth_is_told_after_two_looks(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    wi__leak_growth growth;
    assert_int_equal(told_at(&series, steady, 1000, TWO, &growth), 64);
    assert_true(fabs(growth.per_call - 3) < 1e-9 && fabs(growth.per_s - 1.5) < 1e-9);
    assert_true(fabs(growth.own_per_call - 3) < 1e-9);
    assert_int_equal(growth.since_call, 1);
    assert_int_equal(growth.level, 20 + 3 * 64);
    series = empty();
    assert_int_equal(told_at(&series, steady, 1000, THREE, &growth), 128);
}

static int64_t late(uint64_t call) { return call < 40 ? 7 : 7 + 3 * ((int64_t)call - 39); }

static void the_begin_of_the_growth_is_told(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    wi__leak_growth growth;
    assert_int_equal(told_at(&series, late, 1000, TWO, &growth), 256);
    assert_true(growth.since_call >= 33 && growth.since_call <= 41);
}

static void a_series_stays_as_small_as_it_is(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    for (uint64_t call = 1; call <= 1000000; call++)
        wi__leak_add(&series, &(wi__leak_sample){steady(call), 3, call, (double)call});
    assert_true(series.begun > WI__LEAK_WINDOWS / 2 && series.begun <= WI__LEAK_WINDOWS);
    int64_t own = 0;
    uint64_t samples = (series.begun - 1) * series.width + series.in_last;
    for (uint32_t i = 0; i < series.begun; i++) {
        own += series.windows[i].own;
        assert_int_equal(series.windows[i].minimum, steady(1 + i * series.width));
        assert_int_equal(series.windows[i].call, 1 + i * series.width);
    }
    assert_int_equal(own, 3000000);
    assert_int_equal(samples, 1000000);
}

/* ---- what must not be told ---- */

static int64_t flat(uint64_t call) { return 5 + (call == 3); }
static int64_t warming(uint64_t call) { return call < 30 ? (int64_t)call : 30; }
static int64_t toothed(uint64_t call) { return (int64_t)(call % 50); }
static int64_t filling(uint64_t call) { return (int64_t)(1000 * (1 - exp(-(double)call / 15))); }
static int64_t little(uint64_t call) { return (int64_t)(call / 1000); }

static void what_does_not_grow_is_not_told(void **state WI__UNUSED) {
    static const level_function innocent[] = {flat, warming, toothed, filling};
    for (size_t i = 0; i < sizeof innocent / sizeof *innocent; i++) {
        wi__leak_series series = empty();
        wi__leak_growth growth;
        assert_int_equal(told_at(&series, innocent[i], 100000, TWO, &growth), 0);
    }
}

static void growth_of_less_than_is_worth_a_word_is_not_told(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    wi__leak_growth growth;
    assert_int_equal(told_at(&series, little, 8000, 1, &growth), 0);
    assert_true(told_at(&series, little, 100000, 1, &growth) > 8000);
}

/* ---- what is withdrawn ---- */

static int64_t slow_cache(uint64_t call) {
    return (int64_t)(100000 * (1 - exp(-(double)call / 2000)));
}
static int64_t long_tooth(uint64_t call) { return (int64_t)(call % 5000); }

static uint64_t withdrawn_at(level_function level, uint64_t calls) {
    wi__leak_series series = empty();
    wi__leak_growth growth;
    int was_told = 0;
    for (uint64_t call = 1; call <= calls; call++) {
        wi__leak_sample sample = {level(call), 0, call, (double)call};
        wi__leak_news news = wi__leak_judge(&series, &sample, LEAST, TWO, &growth);
        was_told |= news == WI__LEAK_TOLD;
        if (news == WI__LEAK_WITHDRAWN) return was_told ? call : 0;
    }
    return 0;
}

static void a_cache_that_is_full_at_last_is_withdrawn(void **state WI__UNUSED) {
    assert_in_range(withdrawn_at(slow_cache, 100000), 5000, 20000);
}

static void a_fall_to_where_it_began_is_withdrawn_at_once(void **state WI__UNUSED) {
    assert_int_equal(withdrawn_at(long_tooth, 100000), 5000);
}

static void after_a_withdrawal_more_looks_are_asked_for(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    wi__leak_growth growth;
    assert_int_equal(told_at(&series, long_tooth, 4999, TWO, &growth), 64);
    wi__leak_sample fall = {0, 0, 5000, 10000};
    assert_int_equal(wi__leak_judge(&series, &fall, LEAST, TWO, &growth), WI__LEAK_WITHDRAWN);
    assert_int_equal(series.withdrawals, 1);
    assert_int_equal(series.is_told, 0);
}

static void newer_figures_come_while_it_stands(void **state WI__UNUSED) {
    wi__leak_series series = empty();
    wi__leak_growth growth = {.call = 0};
    int stands = 0;
    for (uint64_t call = 1; call <= 1024; call++) {
        wi__leak_sample sample = {steady(call), 3, call, (double)call};
        stands += wi__leak_judge(&series, &sample, LEAST, TWO, &growth) == WI__LEAK_STANDS;
    }
    assert_int_equal(stands, 4); /* at 128, 256, 512, 1024 */
    assert_int_equal(growth.call, 1024);
}

/* ---- forecasts ---- */

static uint64_t random_state;
static double noise(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 40) / (1 << 24);
}

/* When growth is told, the call at which the limit will be reached is foreseen within a fifth. */
static void expect_forecast(double rate, double spread, double wobble) {
    const int64_t limit = (int64_t)(rate * 100000);
    wi__leak_series series = empty();
    wi__leak_growth growth;
    double level = 0, time_s = 0;
    for (uint64_t call = 1; call <= 50000; call++) {
        level += rate * (1 + wobble * (noise() - 0.5));
        time_s += 0.5 + noise();
        wi__leak_sample sample = {(int64_t)(level + spread * rate * noise()), 0, call, time_s};
        wi__leak_news news = wi__leak_judge(&series, &sample, LEAST, TWO, &growth);
        if (news != WI__LEAK_TOLD && news != WI__LEAK_STANDS) continue;
        double calls_left = 100000 - (double)call;
        assert_true(fabs(wi__leak_calls_left(&growth, limit) / calls_left - 1) < 0.2);
        assert_true(fabs(wi__leak_seconds_left(&growth, limit) / calls_left - 1) < 0.2);
    }
    assert_true(series.is_told);
}

static void forecasts_of_steady_leaks_are_right_within_a_fifth(void **state WI__UNUSED) {
    for (random_state = 1; random_state < 50; random_state = random_state % 1000 + 1) {
        uint64_t seed = random_state;
        expect_forecast(3, 0, 0);
        random_state = seed;
        expect_forecast(100, 5, 1);
        random_state = seed;
        expect_forecast(1000, 10, 2);
        random_state = seed;
    }
}

static void without_growth_there_is_no_wall(void **state WI__UNUSED) {
    wi__leak_growth growth = {.per_call = 0, .per_s = -1, .level = 5};
    assert_true(isnan(wi__leak_calls_left(&growth, 10)) &&
                isnan(wi__leak_seconds_left(&growth, 10)));
    growth.per_call = 1;
    assert_true(wi__leak_calls_left(&growth, 3) == 0);
}

/* ---- words ---- */

static const char *text_of(const wi__counter *counter, wi__leak_growth growth, int64_t limit) {
    static char text[200];
    wi__leak_text(text, sizeof text, counter, &growth, limit);
    return text;
}

static void a_verdict_tells_rate_begin_and_wall(void **state WI__UNUSED) {
    wi__leak_growth growth = {3.0, 3.0 / 68.9, 3.0, 40, 214, 40};
    assert_string_equal(text_of(&wi__descriptor_counter, growth, 1024),
                        "+3.0 descriptors a call since call 40; limit 1,024 reached in about 5 h "
                        "10 min (call 310)");
    assert_string_equal(text_of(&wi__descriptor_counter, growth, WI__ABSENT),
                        "+3.0 descriptors a call since call 40");
    growth.per_call = growth.per_s = 0.04;
    assert_string_equal(text_of(&wi__thread_counter, growth, 10000000000),
                        "+1 thread every 25 calls since call 40");
    growth.per_call = growth.per_s = 1.25e6;
    assert_string_equal(
        text_of(&wi__memory_counter, growth, 2000000000),
        "+1.2 MB a call of resident memory since call 40; limit 2.0 GB reached in about "
        "27 min (call 1,640)");
}

static void durations_are_told_as_people_say_them(void **state WI__UNUSED) {
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{40, "40 s"},
                 {89.4, "89 s"},
                 {720, "12 min"},
                 {3599, "1 h 0 min"},
                 {18600, "5 h 10 min"},
                 {300000, "3 days"},
                 {1e8, "1,157 days"},
                 {1e12, ""},
                 {NAN, ""},
                 {0, "0 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[48];
        wi__duration_text(text, sizeof text, cases[i].seconds);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_growth_is_told_after_two_looks),
        cmocka_unit_test(the_begin_of_the_growth_is_told),
        cmocka_unit_test(a_series_stays_as_small_as_it_is),
        cmocka_unit_test(what_does_not_grow_is_not_told),
        cmocka_unit_test(growth_of_less_than_is_worth_a_word_is_not_told),
        cmocka_unit_test(a_cache_that_is_full_at_last_is_withdrawn),
        cmocka_unit_test(a_fall_to_where_it_began_is_withdrawn_at_once),
        cmocka_unit_test(after_a_withdrawal_more_looks_are_asked_for),
        cmocka_unit_test(newer_figures_come_while_it_stands),
        cmocka_unit_test(forecasts_of_steady_leaks_are_right_within_a_fifth),
        cmocka_unit_test(without_growth_there_is_no_wall),
        cmocka_unit_test(a_verdict_tells_rate_begin_and_wall),
        cmocka_unit_test(durations_are_told_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
