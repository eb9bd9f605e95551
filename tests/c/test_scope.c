/* Sections that begin and end: what is counted, what is open, and ends that do not match their begins. */
#include "record_helpers.h"

#include "record/arena.h"
#include "record/lane.h"

/* ---- what is counted ---- */

alone(each_path_of_nesting_has_a_line) {
    for (int i = 0; i < 3; i++) {
        within (wi_section("a"))
            within (wi_section("b")) continue;
        within (wi_section("b")) continue;
    }
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "a, b, a > b");
    expect_count(calls_of(&profile, "a > b"), 3);
    expect_count(profile.open_count, 0);
    expect_count(profile.header.nodes, 5);
    wi__profile_release(&profile);
}

alone(totals_are_the_time_that_passed) {
    double begin = now_s();
    within (wi_section("outer")) {
        spend_ms(4);
        for (int i = 0; i < 2; i++)
            within (wi_section("inner")) spend_ms(3);
    }
    double took = now_s() - begin;
    wi__profile profile = own_profile();
    wi__figures outer = wi__path_figures(&profile, find_path(&profile, "outer"));
    wi__figures inner = wi__path_figures(&profile, find_path(&profile, "outer > inner"));
    expect(outer.total_s >= 0.0099 && outer.total_s <= took * 1.001);
    expect(inner.total_s >= 0.0059 && inner.min_s >= 0.0029);
    expect_near(outer.self_s, outer.total_s - inner.total_s, 1e-9);
    expect_near(inner.percent_of_parent, 100 * inner.total_s / outer.total_s, 1e-6);
    wi__profile_release(&profile);
}

static int descend(int depth) {
    within (wi_section("level")) return depth > 1 ? descend(depth - 1) : 0;
    return 1;
}

alone(recursion_has_a_path_for_each_depth) {
    enum { DEPTH = 500 };
    descend(DEPTH);
    descend(3);
    wi__profile profile = own_profile();
    expect_count(profile.path_count, DEPTH + 2);
    expect_count(calls_of(&profile, "level"), 2);
    expect_count(calls_of(&profile, "level > level > level"), 2);
    expect_count(calls_of(&profile, "level > level > level > level"), 1);
    wi__profile_release(&profile);
}

alone(memory_grows_with_paths_and_not_with_calls) {
    static const char *const names[20] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                                          "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    uint32_t used = 0;
    for (int i = 0; i < 1000000; i++) {
        within (wi_section(names[i % 20])) continue;
        if (i == 999) used = wi__record_header()->used_cells;
    }
    expect_count(wi__record_header()->used_cells, used);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "j"), 50000);
    wi__profile_release(&profile);
}

/* ---- errors ---- */

static void fail_in_section(void *arg) {
    within (wi_section("outer"))
        within (wi_section("inner"))
            if (arg) wi_raise(WI_VALUE_ERROR, "no");
}

alone(calls_that_an_error_ends_are_counted) {
    for (int i = 0; i < 10; i++) {
        wi_error *error;
        wi_call(fail_in_section, i % 5 ? NULL : &i, &error);
        wi_error_free(error);
    }
    wi__profile profile = own_profile();
    expect_count(path_named(&profile, "outer")->errors, 2);
    expect_count(path_named(&profile, "outer > inner")->errors, 2);
    expect_count(calls_of(&profile, "outer > inner"), 10);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

/* ---- what is open ---- */

alone(open_sections_are_listed_innermost_first_with_their_time) {
    within (wi_section("run"))
        within (wi_section("epoch"))
            within (wi_section("step")) {
                spend_ms(2);
                wi__profile profile = own_profile();
                expect_text(open_in(&profile), "section step, section epoch, section run");
                const wi__path *step = path_named(&profile, "run > epoch > step");
                expect_count(step->calls, 0);
                expect_count(step->open_calls, 1);
                expect(wi__profile_seconds(&profile, (double)step->open_ticks) >= 0.0019);
                expect_count(wi__path_figures(&profile, find_path(&profile, "run")).calls, 1);
                expect(isnan(wi__path_figures(&profile, find_path(&profile, "run")).mean_s));
                wi__profile_release(&profile);
            }
}

/* ---- ends that do not match ---- */

static const wi_protocol *protocol_of(wi_section *section) { return section->protocol; }
static void begin(wi_section *section) { protocol_of(section)->enter(section); }
static void end(wi_section *section) { protocol_of(section)->exit(section, WI_END, NULL); }

#define NOT_OPEN "ended when it was no longer open"
#define STILL_OPEN "still open when the section around it ended"
#define OTHER_THREAD "ended on another thread"
#define THREAD_ENDED "still open when its thread ended"

/* Whatever went wrong before: a section that begins and ends now is at the top, and is counted. */
static wi__profile profile_with_a_later_section(void) {
    measure("later");
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "later"), 1);
    expect_count(profile.open_count, 0);
    return profile;
}

alone(sections_closed_out_of_order_are_repaired_and_named) {
    wi_section outer = wi_section("outer"), inner = wi_section("inner");
    begin(&outer);
    begin(&inner);
    spend_ms(1);
    end(&outer);
    end(&inner);
    wi__profile profile = profile_with_a_later_section();
    expect_count(calls_of(&profile, "outer"), 1);
    expect_count(calls_of(&profile, "outer > inner"), 1);
    expect(wi__path_figures(&profile, find_path(&profile, "outer > inner")).total_s >= 0.0009);
    expect_count(tallied(&profile, WI__MISMATCHED, STILL_OPEN, "\"inner\""), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, NOT_OPEN, "\"inner\" at "), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, NOT_OPEN, "test_scope.c:"), 1);
    wi__profile_release(&profile);
}

alone(a_section_that_is_closed_twice_is_counted_once) {
    wi_section section = wi_section("once");
    begin(&section);
    end(&section);
    end(&section);
    wi__profile profile = profile_with_a_later_section();
    expect_count(calls_of(&profile, "once"), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, NOT_OPEN, "\"once\""), 1);
    wi__profile_release(&profile);
}

alone(closing_twice_inside_another_section_leaves_that_open) {
    within (wi_section("around")) {
        wi_section section = wi_section("once");
        begin(&section);
        end(&section);
        end(&section);
        measure("after");
    }
    wi__profile profile = profile_with_a_later_section();
    expect_count(calls_of(&profile, "around"), 1);
    expect_count(calls_of(&profile, "around > once"), 1);
    expect_count(calls_of(&profile, "around > after"), 1);
    wi__profile_release(&profile);
}

/* A stack that is popped and closed elsewhere: its sections end after the block that they began in. */
alone(a_popped_exit_stack_ends_its_sections_late) {
    wi_exit_stack kept = wi_exit_stack();
    within (wi_section("around"))
        within (stack, wi_exit_stack()) {
            wi_stack_enter(stack, wi_section("first"));
            wi_stack_enter(stack, wi_section("second"));
            kept = wi_stack_pop_all(stack);
        }
    wi_stack_close(&kept);
    wi__profile profile = profile_with_a_later_section();
    expect_text(paths_of(&profile), "around, later, around > first, around > first > second");
    expect_count(all_tallied(&profile, WI__MISMATCHED), 4);
    expect_count(tallied(&profile, WI__MISMATCHED, STILL_OPEN, "\"second\""), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, NOT_OPEN, "\"first\""), 1);
    wi__profile_release(&profile);
}

static void *end_there(void *section) {
    measure("there");
    end(section);
    return NULL;
}

alone(a_section_that_ends_on_another_thread_stays_open_on_its_own) {
    within (wi_section("around")) {
        wi_section section = wi_section("moved");
        begin(&section);
        in_thread(end_there, &section);
        measure("inside");
    }
    wi__profile profile = profile_with_a_later_section();
    expect_count(calls_of(&profile, "around > moved"), 1);
    expect_count(calls_of(&profile, "around > moved > inside"), 1);
    expect_count(calls_of(&profile, "there"), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, OTHER_THREAD, "\"moved\" at "), 1);
    expect_count(tallied(&profile, WI__MISMATCHED, STILL_OPEN, "\"moved\""), 1);
    wi__profile_release(&profile);
}

static jmp_buf far_away;

static void leave_two_open(void) {
    wi_section skipped = wi_section("skipped"), deeper = wi_section("deeper");
    begin(&skipped);
    begin(&deeper);
    longjmp(far_away, 1);
}

static __attribute__((noinline)) void jump_over_two(void) {
    if (setjmp(far_away) == 0) leave_two_open();
}

alone(a_foreign_longjmp_past_sections_is_repaired_at_the_next_end) {
    for (int i = 0; i < 5; i++)
        within (wi_section("around")) jump_over_two();
    wi__profile profile = profile_with_a_later_section();
    expect_count(calls_of(&profile, "around"), 5);
    expect_count(calls_of(&profile, "around > skipped"), 5);
    expect_count(calls_of(&profile, "around > skipped > deeper"), 5);
    expect_count(tallied(&profile, WI__MISMATCHED, STILL_OPEN, "\"skipped\""), 5);
    expect_count(tallied(&profile, WI__MISMATCHED, STILL_OPEN, "\"deeper\""), 5);
    wi__profile_release(&profile);
}

static void *end_without_unwinding(void *arg) {
    wi_section outer = wi_section("outer"), inner = wi_section("inner");
    begin(&outer);
    begin(&inner);
    return arg;
}

alone(a_thread_that_ends_inside_sections_hands_its_region_on_clean) {
    for (int i = 0; i < 20; i++) in_thread(end_without_unwinding, NULL);
    uint32_t used = wi__record_header()->used_cells;
    for (int i = 0; i < 20; i++) in_thread(end_without_unwinding, NULL);
    expect_count(wi__record_header()->used_cells, used);
    wi__profile profile = profile_with_a_later_section();
    expect_count(profile.threads, 41);
    expect_count(tallied(&profile, WI__MISMATCHED, THREAD_ENDED, "\"inner\""), 40);
    expect_count(calls_of(&profile, "outer"), 40);
    expect_count(calls_of(&profile, "outer > inner"), 40);
    wi__profile_release(&profile);
}

alone(mismatches_beyond_the_list_are_counted) {
    char name[32];
    for (int i = 0; i < WI__TALLIES + 8; i++) {
        snprintf(name, sizeof name, "section %d", i);
        wi_section section = wi_section(name);
        begin(&section);
        end(&section);
        end(&section);
    }
    wi__profile profile = profile_with_a_later_section();
    expect_count(all_tallied(&profile, WI__MISMATCHED), WI__TALLIES);
    expect_count(profile.header.untallied, 8);
    wi__profile_release(&profile);
}

alone(a_long_name_does_not_push_out_where_it_ended) {
    char name[WI_NAME_MAX + 1];
    memset(name, 'x', WI_NAME_MAX);
    name[WI_NAME_MAX] = '\0';
    wi_section section = wi_section(name);
    begin(&section);
    end(&section);
    end(&section);
    wi__profile profile = profile_with_a_later_section();
    expect_count(tallied(&profile, WI__MISMATCHED, NOT_OPEN, "test_scope.c:"), 1);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(each_path_of_nesting_has_a_line),
        test(totals_are_the_time_that_passed),
        test(recursion_has_a_path_for_each_depth),
        test(memory_grows_with_paths_and_not_with_calls),
        test(calls_that_an_error_ends_are_counted),
        test(open_sections_are_listed_innermost_first_with_their_time),
        test(sections_closed_out_of_order_are_repaired_and_named),
        test(a_section_that_is_closed_twice_is_counted_once),
        test(closing_twice_inside_another_section_leaves_that_open),
        test(a_popped_exit_stack_ends_its_sections_late),
        test(a_section_that_ends_on_another_thread_stays_open_on_its_own),
        test(a_foreign_longjmp_past_sections_is_repaired_at_the_next_end),
        test(a_thread_that_ends_inside_sections_hands_its_region_on_clean),
        test(mismatches_beyond_the_list_are_counted),
        test(a_long_name_does_not_push_out_where_it_ended),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
