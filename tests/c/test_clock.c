/* The clocks: each choice works, says what it is, and gives times that agree with CLOCK_MONOTONIC. */
#include "record_helpers.h"

#include "record/clock.h"

static void expect_right_times(void) {
    double begin = now_s();
    within (wi_section("outer"))
        for (int i = 0; i < 5; i++)
            within (wi_section("inner")) spend_ms(4);
    double took = now_s() - begin;
    wi__profile profile = own_profile();
    wi__figures outer = wi__path_figures(&profile, find_path(&profile, "outer"));
    wi__figures inner = wi__path_figures(&profile, find_path(&profile, "outer > inner"));
    expect_that(outer.total_s >= 0.0199 && outer.total_s <= 1.01 * took, WHERE, "%g s, not %g",
                outer.total_s, took);
    expect(inner.total_s <= outer.total_s && inner.min_s >= 0.00398 && inner.p50_s >= 0.0037);
    const wi__header *header = &profile.header;
    double to_ns = 1e9 / profile.ticks_per_second;
    expect(header->clock == wi__clock_in_use());
    expect(header->clock_step_ticks > 0 && (double)header->clock_step_ticks * to_ns < 1e6);
    expect(header->clock_read_ticks > 0 && header->clock_read_ticks * to_ns < 1e5);
    expect(header->section_ticks > header->clock_read_ticks && header->section_ticks * to_ns < 1e6);
    wi__profile_release(&profile);
}

static void choose(const char *clock) {
    setenv("WITHIN_CLOCK", clock, 1);
    expect_right_times();
}

alone(the_clock_chosen_without_a_wish_is_right) { expect_right_times(); }
alone(an_unknown_wish_is_no_wish) { choose("sundial"); }

alone(clock_monotonic_is_right) {
    choose("monotonic");
    expect_count(wi__clock_in_use(), WI__CLOCK_MONOTONIC);
}

/* Where the processor has no counter to trust, the wish is not granted, and times are right all the same. */
alone(the_counter_is_right) {
    choose("tsc");
    expect(wi__clock_in_use() != WI__CLOCK_TSC_FENCED);
}

alone(fenced_reads_are_right) {
    choose("fenced");
    expect(wi__clock_in_use() != WI__CLOCK_TSC);
}

alone(the_clock_never_goes_backwards_in_a_thread) {
    wi__clock_choose();
    uint64_t last = 0;
    for (int i = 0; i < 1000000; i++) {
        uint64_t now = wi__ticks();
        expect(now >= last);
        last = now;
    }
}

/* Two anchors make ticks seconds: their distance must agree with the time that passed. */
alone(anchors_relate_ticks_to_time) {
    wi__clock_choose();
    double begin = now_s();
    wi__anchor first = wi__clock_anchor();
    spend_ms(50);
    wi__anchor second = wi__clock_anchor();
    double took = now_s() - begin,
           between = (double)(second.monotonic_ns - first.monotonic_ns) * 1e-9;
    expect(between >= 0.0495 && between <= 1.01 * took);
    expect(second.ticks > first.ticks);
    expect_near((double)second.realtime_ns * 1e-9, (double)time(NULL), 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_clock_chosen_without_a_wish_is_right),
        test(an_unknown_wish_is_no_wish),
        test(clock_monotonic_is_right),
        test(the_counter_is_right),
        test(fenced_reads_are_right),
        test(the_clock_never_goes_backwards_in_a_thread),
        test(anchors_relate_ticks_to_time),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
