/* wi_timer: prints how long its block took, and keeps the figure. */
#include "record_helpers.h"

static char *printed;
static size_t printed_length;

static FILE *printing(void) { return open_memstream(&printed, &printed_length); }

/* "SVD: 0.1234s\n" */
static double seconds_printed(FILE *stream, const char *label) {
    double seconds = -1;
    int end = 0;
    char format[64];
    fclose(stream);
    snprintf(format, sizeof format, "%s: %%lf%%n", label);
    expect_that(sscanf(printed, format, &seconds, &end) == 1, WHERE, "printed: %s", printed);
    expect_text(printed + end, "s\n");
    expect(end > 5 && printed[end - 5] == '.');
    free(printed);
    return seconds;
}

alone(a_timer_prints_its_label_and_four_decimals) {
    FILE *stream = printing();
    double begin = now_s();
    within (wi_timer("SVD", .stream = stream)) spend_ms(12);
    double took = now_s() - begin, seconds = seconds_printed(stream, "SVD");
    expect(seconds >= 0.0119 && seconds <= took + 0.0001);
}

alone(a_timer_prints_on_stderr_by_default) {
    char said[64] = "";
    int out = open("said", O_RDWR | O_CREAT, 0600), kept = dup(2);
    dup2(out, 2);
    within (wi_timer("label")) continue;
    dup2(kept, 2);
    expect(pread(out, said, sizeof said - 1, 0) == 15);
    expect(strncmp(said, "label: 0.0", 10) == 0 && strcmp(said + 13, "s\n") == 0);
}

alone(elapsed_is_readable_in_the_block_and_after_it) {
    wi_timer timer = wi_timer("work", .quiet = 1);
    expect(wi_timer_elapsed(&timer) == 0);
    double inside = 0;
    within (&timer) {
        spend_ms(5);
        inside = wi_timer_elapsed(&timer);
        expect(timer.elapsed == 0);
        spend_ms(5);
    }
    expect(inside >= 0.005 && timer.elapsed >= 0.010 && timer.elapsed > inside);
    double after = wi_timer_elapsed(&timer);
    spend_ms(1);
    expect(wi_timer_elapsed(&timer) == after && after == timer.elapsed);
}

alone(a_named_timer_is_readable_in_its_block) {
    within (timer, wi_timer("work", .quiet = 1)) {
        spend_ms(2);
        expect(wi_timer_elapsed(timer) >= 0.002);
    }
}

alone(a_quiet_timer_prints_nothing) {
    FILE *stream = printing();
    within (wi_timer("quiet", .stream = stream, .quiet = 1)) continue;
    fclose(stream);
    expect_count(printed_length, 0);
    free(printed);
}

alone(a_timer_can_be_used_again_after_its_block) {
    wi_timer timer = wi_timer("work", .quiet = 1);
    within (&timer) spend_ms(20);
    double begin = now_s();
    within (&timer) {
        expect(wi_timer_elapsed(&timer) <= now_s() - begin);
        spend_ms(1);
    }
    expect(timer.elapsed >= 0.001 && timer.elapsed <= now_s() - begin);
}

static void nest(void *timer) {
    within ((wi_timer *)timer)
        within ((wi_timer *)timer) continue;
}

alone(a_timer_that_runs_cannot_be_entered) {
    wi_timer timer = wi_timer("SVD", .quiet = 1);
    wi_error *error;
    wi_call(nest, &timer, &error);
    expect(error != NULL);
    expect_text(wi_error_kind(error)->name, "WI_USAGE_ERROR");
    expect_text(wi_error_message(error), "timer SVD: it is running already; use one timer a block");
    wi_error_free(error);
    expect(!timer.running);
    within (&timer) continue;
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "SVD"), 2);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

static void raise_inside(void *timer) {
    within ((wi_timer *)timer) {
        spend_ms(3);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(an_error_passes_and_the_time_is_taken) {
    FILE *stream = printing();
    wi_timer timer = wi_timer("solve", .stream = stream);
    wi_error *error;
    wi_call(raise_inside, &timer, &error);
    expect(error != NULL);
    expect_text(wi_error_message(error), "diverged");
    expect_text(wi_error_trail(error, 0)->manager, "timer");
    expect_text(wi_error_trail(error, 0)->what, "solve");
    wi_error_free(error);
    expect(timer.elapsed >= 0.003);
    expect(seconds_printed(stream, "solve") >= 0.0029);
    wi__profile profile = own_profile();
    expect_count(path_named(&profile, "solve")->errors, 1);
    wi__profile_release(&profile);
}

alone(a_timer_is_a_section) {
    for (int i = 0; i < 2; i++)
        within (wi_timer("outer", .quiet = 1)) measure("inner");
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "outer, outer > inner");
    expect_count(calls_of(&profile, "outer"), 2);
    wi__profile_release(&profile);
}

alone(a_timer_without_a_label_has_one) {
    FILE *stream = printing();
    const char *none = NULL;
    within (wi_timer(none, .stream = stream)) continue;
    expect(seconds_printed(stream, "Elapsed") >= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_timer_prints_its_label_and_four_decimals),
        test(a_timer_prints_on_stderr_by_default),
        test(elapsed_is_readable_in_the_block_and_after_it),
        test(a_named_timer_is_readable_in_its_block),
        test(a_quiet_timer_prints_nothing),
        test(a_timer_can_be_used_again_after_its_block),
        test(a_timer_that_runs_cannot_be_entered),
        test(an_error_passes_and_the_time_is_taken),
        test(a_timer_is_a_section),
        test(a_timer_without_a_label_has_one),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
