/* Blocks: a manager's exit runs exactly once, on every way out, in reverse order, and is told why. */
#include "helpers.h"

/* ---- enter, body, exit ---- */

TEST(a_block_runs_enter_body_exit) {
    within (TRACER("a")) note("body");
    expect_happened("+a body -a:end");
}

TEST(the_name_points_to_the_live_manager) {
    within (a, TRACER("a")) {
        assert_string_equal(a->name, "a");
        assert_int_equal(a->entered, 1);
        assert_int_equal(a->exited, 0);
    }
    expect_happened("+a -a:end");
}

TEST(a_pointer_manager_can_be_read_after_its_block) {
    tracer a = TRACER("a");
    within (&a) note("body");
    within (again, &a) assert_ptr_equal(again, &a);
    assert_int_equal(a.entered, 2);
    assert_int_equal(a.exited, 2);
    expect_happened("+a body -a:end +a -a:end");
}

TEST(a_manager_by_value_is_copied) {
    tracer a = TRACER("a");
    within (copy, a) assert_ptr_not_equal(copy, &a);
    assert_int_equal(a.entered, 0);
    expect_happened("+a -a:end");
}

static tracer count_evaluations(int *count) {
    ++*count;
    return TRACER("a");
}

static int count_in_wi_use(void) {
    int count = 0;
    wi_use(count_evaluations(&count));
    return count;
}

TEST(the_manager_expression_is_evaluated_once) {
    int count = 0;
    within (count_evaluations(&count)) {
    }
    assert_int_equal(count, 1);
    assert_int_equal(count_in_wi_use(), 1);
    expect_happened("+a -a:end +a -a:left");
}

typedef struct bare {
    const wi_protocol *protocol;
} bare;
static const wi_protocol bare_protocol = {"bare", NULL, NULL, NULL};

BODY(raise_in_a_bare_block) {
    within (wi_make(bare)) wi_raise(WI_VALUE_ERROR, "boom");
}

TEST(enter_and_exit_may_be_missing) {
    within (wi_make(bare)) note("body");
    expect_raised(raise_in_a_bare_block, "WI_VALUE_ERROR boom");
    expect_happened("body");
}

TEST(nested_blocks_exit_in_reverse_order) {
    within (TRACER("a"))
        within (TRACER("b"))
            within (TRACER("c")) note("body");
    expect_happened("+a +b +c body -c:end -b:end -a:end");
}

/* ---- leaving ---- */

TEST(continue_ends_the_block_and_not_a_loop_around_it) {
    for (int i = 0; i < 2; i++) {
        within (TRACER("a")) {
            if (i == 0) continue;
            note("body");
        }
        note("after");
    }
    expect_happened("+a -a:end after +a body -a:end after");
}

static int return_from_two_blocks(void) {
    within (TRACER("a"))
        within (b, TRACER("b")) return b->entered + 41;
    return 0;
}

TEST(return_leaves_every_block_and_keeps_its_value) {
    assert_int_equal(return_from_two_blocks(), 42);
    expect_happened("+a +b -b:left -a:left");
}

TEST(goto_leaves_every_block_up_to_its_label) {
    within (TRACER("a")) {
        within (TRACER("b"))
            within (TRACER("c"))
                within (TRACER("d")) goto out;
        note("skipped");
    out:
        note("out");
    }
    expect_happened("+a +b +c +d -d:left -c:left -b:left out -a:end");
}

TEST(a_loop_inside_a_block_keeps_its_break_and_continue) {
    within (TRACER("a"))
        for (int i = 0; i < 9; i++) {
            if (i == 1) continue;
            if (i == 3) break;
            note("%d", i);
        }
    expect_happened("+a 0 2 -a:end");
}

static void enter_blocks_recursively(int depth) {
    char name[] = {(char)('0' + depth), '\0'};
    within (TRACER(name))
        if (depth < 3) enter_blocks_recursively(depth + 1);
}

TEST(a_block_can_be_open_many_times) {
    enter_blocks_recursively(0);
    expect_happened("+0 +1 +2 +3 -3:end -2:end -1:end -0:end");
}

/* ---- the declaration form ---- */

static void use_two(void) {
    wi_use(a, TRACER("a"));
    wi_use(TRACER("b"));
    note("%s", a->name);
}

TEST(wi_use_exits_at_the_end_of_its_scope) {
    use_two();
    expect_happened("+a +b a -b:left -a:left");
}

TEST(wi_use_exits_in_every_round_of_nested_loops) {
    for (int i = 0; i < 2; i++) {
        wi_use(TRACER("outer"));
        for (int j = 0; j < 3; j++) {
            wi_use(TRACER("inner"));
            if (j == 0) continue;
            break;
        }
        note("%d", i);
    }
    expect_happened("+outer +inner -inner:left +inner -inner:left 0 -outer:left "
                    "+outer +inner -inner:left +inner -inner:left 1 -outer:left");
}

BODY(raise_past_wi_use) {
    tracer b = TRACER("b");
    wi_use(TRACER("a"));
    wi_use(&b);
    wi_raise(WI_VALUE_ERROR, "boom");
}

TEST(wi_use_is_told_of_an_error) {
    expect_raised(raise_past_wi_use, "WI_VALUE_ERROR boom");
    expect_happened("+a +b -b:raised(boom) -a:raised(boom)");
}

/* ---- errors ---- */

static void raise_through(int blocks) {
    if (blocks == 0) wi_raise(WI_VALUE_ERROR, "boom");
    char name[] = {(char)('0' + blocks), '\0'};
    within (TRACER(name)) raise_through(blocks - 1);
    note("skipped");
}

BODY(raise_through_0) { raise_through(0); }
BODY(raise_through_1) { raise_through(1); }
BODY(raise_through_8) { raise_through(8); }

TEST(an_error_releases_every_block_that_it_passes) {
    expect_raised(raise_through_0, "WI_VALUE_ERROR boom");
    expect_happened("");
    expect_raised(raise_through_1, "WI_VALUE_ERROR boom");
    expect_happened("+1 -1:raised(boom)");
    expect_raised(raise_through_8, "WI_VALUE_ERROR boom");
    expect_happened(
        "+8 +7 +6 +5 +4 +3 +2 +1 -1:raised(boom) -2:raised(boom) -3:raised(boom) "
        "-4:raised(boom) -5:raised(boom) -6:raised(boom) -7:raised(boom) -8:raised(boom)");
}

TEST(an_error_releases_no_block_outside_its_handler) {
    within (TRACER("a")) {
        expect_raised(raise_through_1, "WI_VALUE_ERROR boom");
        note("caught");
    }
    expect_happened("+a +1 -1:raised(boom) caught -a:end");
}

BODY(raise_in_enter) {
    within (TRACER("a"))
        within (TRACER("b", .mood = RAISES_IN_ENTER)) note("skipped");
}

TEST(an_enter_that_raises_gets_no_exit) {
    expect_raised(raise_in_enter, "WI_VALUE_ERROR enter b");
    expect_happened("+a -a:raised(enter b)");
}

BODY(raise_in_enter_of_wi_use) {
    wi_use(TRACER("a"));
    wi_use(TRACER("b", .mood = RAISES_IN_ENTER));
}

TEST(an_enter_of_wi_use_that_raises_gets_no_exit) {
    expect_raised(raise_in_enter_of_wi_use, "WI_VALUE_ERROR enter b");
    expect_happened("+a -a:raised(enter b)");
}

BODY(raise_in_exit_at_the_end) {
    within (TRACER("a"))
        within (TRACER("b", .mood = RAISES_IN_EXIT)) note("body");
}

TEST(an_exit_may_raise_at_the_end) {
    expect_raised(raise_in_exit_at_the_end, "WI_VALUE_ERROR exit b");
    expect_happened("+a +b body -b:end -a:raised(exit b)");
}

BODY(raise_in_exit_of_a_return) {
    within (TRACER("a"))
        within (TRACER("b", .mood = RAISES_IN_EXIT)) return;
}

TEST(an_exit_may_raise_during_a_return) {
    expect_raised(raise_in_exit_of_a_return, "WI_VALUE_ERROR exit b");
    expect_happened("+a +b -b:left -a:raised(exit b)");
}

BODY(raise_in_exit_of_a_raise) {
    within (TRACER("a"))
        within (TRACER("b", .mood = RAISES_IN_EXIT))
            within (TRACER("c")) wi_raise(WI_OS_ERROR, "boom");
}

TEST(when_an_exit_raises_the_newest_error_wins_and_the_older_is_its_context) {
    expect_raised(raise_in_exit_of_a_raise, "WI_VALUE_ERROR exit b {context: WI_OS_ERROR boom}");
    expect_happened("+a +b +c -c:raised(boom) -b:raised(boom) -a:raised(exit b)");
}

BODY(raise_in_every_exit) {
    within (TRACER("a", .mood = RAISES_IN_EXIT))
        within (TRACER("b", .mood = RAISES_IN_EXIT))
            within (TRACER("c", .mood = RAISES_IN_EXIT)) wi_raise(WI_OS_ERROR, "boom");
}

TEST(when_every_exit_raises_each_runs_and_the_contexts_form_a_chain) {
    expect_raised(raise_in_every_exit,
                  "WI_VALUE_ERROR exit a {context: WI_VALUE_ERROR exit b {context: "
                  "WI_VALUE_ERROR exit c {context: WI_OS_ERROR boom}}}");
    expect_happened("+a +b +c -c:raised(boom) -b:raised(exit c) -a:raised(exit b)");
}

static wi_verdict busy_exit(void *self, wi_reason reason, const wi_error *error) {
    within (TRACER("inner")) note("%s", wi_error_message(error));
    expect_raised(raise_through_1, "WI_VALUE_ERROR boom {context: WI_OS_ERROR first}");
    (void)self, (void)reason;
    return WI_PROPAGATE;
}

BODY(raise_past_a_busy_exit) {
    static const wi_protocol busy = {"busy", NULL, busy_exit, NULL};
    within (TRACER("a"))
        within ((&(wi_manager){&busy})) wi_raise(WI_OS_ERROR, "first");
}

TEST(an_exit_may_have_blocks_and_handled_errors_of_its_own) {
    expect_raised(raise_past_a_busy_exit, "WI_OS_ERROR first");
    expect_happened("+a +inner first -inner:end +1 -1:raised(boom) -a:raised(first)");
}

/* ---- verdicts ---- */

TEST(a_verdict_without_an_error_is_not_looked_at) {
    within (TRACER("a", .mood = SAYS_SUPPRESS)) note("body");
    expect_happened("+a body -a:end");
}

BODY(suppress_unduly) {
    within (TRACER("a"))
        within (TRACER("b", .mood = SAYS_SUPPRESS)) wi_raise(WI_OS_ERROR, "boom");
}

TEST(a_plain_manager_that_asks_to_suppress_raises_a_usage_error) {
    expect_raised(suppress_unduly,
                  "WI_USAGE_ERROR tracer: its exit asked to suppress an error, which only a "
                  "wi_suppressing_protocol may {context: WI_OS_ERROR boom}");
    expect_happened("+a +b -b:raised(boom) -a:raised(tracer: its exit asked to suppress an error, "
                    "which only a wi_suppressing_protocol may)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_runs_enter_body_exit),
        test(the_name_points_to_the_live_manager),
        test(a_pointer_manager_can_be_read_after_its_block),
        test(a_manager_by_value_is_copied),
        test(the_manager_expression_is_evaluated_once),
        test(enter_and_exit_may_be_missing),
        test(nested_blocks_exit_in_reverse_order),
        test(continue_ends_the_block_and_not_a_loop_around_it),
        test(return_leaves_every_block_and_keeps_its_value),
        test(goto_leaves_every_block_up_to_its_label),
        test(a_loop_inside_a_block_keeps_its_break_and_continue),
        test(a_block_can_be_open_many_times),
        test(wi_use_exits_at_the_end_of_its_scope),
        test(wi_use_exits_in_every_round_of_nested_loops),
        test(wi_use_is_told_of_an_error),
        test(an_error_releases_every_block_that_it_passes),
        test(an_error_releases_no_block_outside_its_handler),
        test(an_enter_that_raises_gets_no_exit),
        test(an_enter_of_wi_use_that_raises_gets_no_exit),
        test(an_exit_may_raise_at_the_end),
        test(an_exit_may_raise_during_a_return),
        test(when_an_exit_raises_the_newest_error_wins_and_the_older_is_its_context),
        test(when_every_exit_raises_each_runs_and_the_contexts_form_a_chain),
        test(an_exit_may_have_blocks_and_handled_errors_of_its_own),
        test(a_verdict_without_an_error_is_not_looked_at),
        test(a_plain_manager_that_asks_to_suppress_raises_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
