/* Generator managers: what stands before the yield is enter, what stands after it is exit. */
#include "helpers.h"

BODY(raise_value) { wi_raise(WI_VALUE_ERROR, "value"); }

wi_generator(counter, const char *name; int runs) {
    wi_begin;
    self->runs++;
    note("+%s", self->name);
    wi_yield;
    note("-%s:%d", self->name, (int)reason);
    if (error) note("(%s)", wi_error_message(error));
}

TEST(before_the_yield_is_enter_and_after_it_is_exit) {
    within (c, wi_make(counter, .name = "c")) note("%s%d", c->name, c->runs);
    expect_happened("+c c1 -c:0");
}

TEST(after_the_yield_the_reason_is_known) {
    within (wi_make(counter, .name = "c")) goto out;
out:
    expect_happened("+c -c:1");
}

BODY(raise_in_a_counter) {
    within (wi_make(counter, .name = "c")) raise_value(NULL);
}

TEST(after_the_yield_the_error_is_visible_and_goes_on) {
    expect_raised(raise_in_a_counter, "WI_VALUE_ERROR value");
    expect_happened("+c -c:2 (value)");
}

TEST(a_pointer_generator_can_be_used_again) {
    counter c = wi_make(counter, .name = "c");
    within (&c) note("first");
    within (&c) note("second");
    assert_int_equal(c.runs, 2);
    expect_happened("+c first -c:0 +c second -c:0");
}

static void two_levels(int depth) {
    within (c, wi_make(counter, .name = depth ? "outer" : "inner"))
        if (depth) two_levels(depth - 1);
}

TEST(generators_of_one_type_nest) {
    two_levels(1);
    expect_happened("+outer +inner -inner:0 -outer:0");
}

TEST(generators_work_in_wi_use_and_on_exit_stacks) {
    for (int i = 0; i < 1; i++) {
        wi_use(wi_make(counter, .name = "used"));
        within (stack, wi_exit_stack()) wi_stack_enter(stack, wi_make(counter, .name = "stacked"));
    }
    expect_happened("+used +stacked -stacked:0 -used:1");
}

/* ---- suppressing ---- */

wi_suppressing_generator(forgiving, const wi_error_type *kind) {
    wi_begin;
    note("+f");
    wi_yield;
    note("-f");
    self->verdict = wi_error_is(error, self->kind) ? WI_SUPPRESS : WI_PROPAGATE;
}

BODY(decline_to_forgive) {
    within (wi_make(forgiving, .kind = WI_OS_ERROR)) raise_value(NULL);
}

TEST(a_suppressing_generator_may_suppress) {
    within (wi_make(forgiving, .kind = WI_VALUE_ERROR)) raise_value(NULL);
    note("after");
    expect_happened("+f -f ~value after");
}

TEST(a_suppressing_generator_may_let_an_error_pass) {
    expect_raised(decline_to_forgive, "WI_VALUE_ERROR value");
    expect_happened("+f -f");
}

/* ---- raising ---- */

typedef enum trouble { NO_TROUBLE, BEFORE, AFTER, RETURNS_EARLY } trouble;

wi_generator(troubled, trouble trouble) {
    wi_begin;
    if (self->trouble == BEFORE) wi_raise(WI_OS_ERROR, "before");
    if (self->trouble == RETURNS_EARLY) return;
    wi_yield;
    note("exit");
    if (self->trouble == AFTER) wi_raise(WI_OS_ERROR, "after");
}

BODY(raise_before_the_yield) {
    within (wi_make(troubled, .trouble = BEFORE)) note("skipped");
}
BODY(raise_after_the_yield) {
    within (wi_make(troubled, .trouble = AFTER)) raise_value(NULL);
}
BODY(return_before_the_yield) {
    within (wi_make(troubled, .trouble = RETURNS_EARLY)) note("skipped");
}

TEST(an_error_before_the_yield_skips_body_and_exit) {
    expect_raised(raise_before_the_yield, "WI_OS_ERROR before");
    expect_happened("");
}

TEST(an_error_after_the_yield_has_the_body_s_as_context) {
    expect_raised(raise_after_the_yield, "WI_OS_ERROR after {context: WI_VALUE_ERROR value}");
    expect_happened("exit");
}

TEST(a_generator_that_failed_can_be_used_again) {
    troubled t = wi_make(troubled, .trouble = BEFORE);
    wi_try {
        within (&t) note("skipped");
    } wi_catch (WI_OS_ERROR, error) {
        t.trouble = NO_TROUBLE;
    }
    within (&t) note("body");
    expect_happened("body exit");
}

TEST(a_yield_that_is_not_reached_is_a_usage_error) {
    expect_raised(return_before_the_yield,
                  "WI_USAGE_ERROR troubled: the generator returned without reaching its wi_yield");
}

wi_generator(looping, int rounds) {
    wi_begin;
    while (self->rounds++ < 2) {
        wi_yield;
        note("resumed");
    }
}

BODY(yield_in_a_loop) {
    within (wi_make(looping)) note("body");
}
BODY(yield_in_a_loop_with_an_error) {
    within (wi_make(looping)) raise_value(NULL);
}

#define YIELDED_TWICE                                                                              \
    "WI_USAGE_ERROR looping_body: wi_yield was reached a second time; begin the function with "    \
    "wi_begin, and keep the wi_yield out of loops"

TEST(a_yield_that_is_reached_twice_is_a_usage_error) {
    expect_raised(yield_in_a_loop, YIELDED_TWICE);
    expect_raised(yield_in_a_loop_with_an_error, YIELDED_TWICE " {context: WI_VALUE_ERROR value}");
    expect_happened("body resumed resumed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(before_the_yield_is_enter_and_after_it_is_exit),
        test(after_the_yield_the_reason_is_known),
        test(after_the_yield_the_error_is_visible_and_goes_on),
        test(a_pointer_generator_can_be_used_again),
        test(generators_of_one_type_nest),
        test(generators_work_in_wi_use_and_on_exit_stacks),
        test(a_suppressing_generator_may_suppress),
        test(a_suppressing_generator_may_let_an_error_pass),
        test(an_error_before_the_yield_skips_body_and_exit),
        test(an_error_after_the_yield_has_the_body_s_as_context),
        test(a_generator_that_failed_can_be_used_again),
        test(a_yield_that_is_not_reached_is_a_usage_error),
        test(a_yield_that_is_reached_twice_is_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
