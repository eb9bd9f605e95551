/* wi_call: run a function, and hold what it raises. */
#include "helpers.h"

BODY(raise_value) { wi_raise(WI_VALUE_ERROR, "value"); }
BODY(increment) { ++*(int *)arg; }

TEST(a_function_that_returns_is_called_once_with_its_argument) {
    int count = 0;
    wi_error *error = (wi_error *)&count;
    assert_int_equal(wi_call(increment, &count, &error), 1);
    assert_null(error);
    assert_int_equal(count, 1);
}

TEST(what_a_function_raises_is_handed_out) {
    wi_error *error = NULL;
    assert_int_equal(wi_call(raise_value, NULL, &error), 0);
    assert_string_equal(wi_error_message(error), "value");
    wi_error_free(error);
}

TEST(without_a_place_for_the_error_it_is_suppressed_and_counted) {
    int count = 0;
    assert_int_equal(wi_call(raise_value, NULL, NULL), 0);
    assert_int_equal(wi_call(increment, &count, NULL), 1);
    expect_happened("~value");
}

BODY(raise_in_two_blocks) {
    within (TRACER("a"))
        within (TRACER("b")) raise_value(arg);
}

TEST(blocks_opened_in_the_function_are_released_and_others_are_not) {
    within (TRACER("outer")) {
        wi_error_free(error_of(raise_in_two_blocks, NULL));
        note("after");
    }
    expect_happened("+outer +a +b -b:raised(value) -a:raised(value) after -outer:end");
}

BODY(call_and_raise) {
    expect_raised(raise_value, "WI_VALUE_ERROR value");
    wi_raise(WI_OS_ERROR, "later");
}

TEST(calls_nest) { expect_raised(call_and_raise, "WI_OS_ERROR later"); }

BODY(call_while_handling) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        wi_call(raise_value, NULL, NULL);
        wi_raise(WI_OS_ERROR, "new");
    }
}

TEST(a_call_leaves_the_error_being_handled_alone) {
    expect_raised(call_while_handling, "WI_OS_ERROR new {context: WI_VALUE_ERROR value}");
    expect_happened("~value");
}

BODY(raise_from_within_a_handler) { wi_raise(WI_OS_ERROR, "inner"); }

TEST(what_is_raised_inside_a_call_has_the_handled_error_as_context) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        expect_raised(raise_from_within_a_handler,
                      "WI_OS_ERROR inner {context: WI_VALUE_ERROR value}");
    }
}

TEST(locals_of_the_caller_keep_their_values_without_volatile) {
    int changed = 0;
    for (int i = 0; i < 5; i++) {
        changed += i;
        wi_call(raise_value, NULL, NULL);
    }
    assert_int_equal(changed, 10);
    expect_happened("~value ~value ~value ~value ~value");
}

TEST(an_error_outlives_the_call_and_the_blocks_around_it) {
    wi_error *error = NULL;
    within (TRACER("a")) wi_call(raise_in_two_blocks, NULL, &error);
    assert_string_equal(wi_error_message(error), "value");
    assert_int_equal(wi_error_trail_length(error), 2);
    wi_error_free(error);
    expect_happened("+a +a +b -b:raised(value) -a:raised(value) -a:end");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_function_that_returns_is_called_once_with_its_argument),
        test(what_a_function_raises_is_handed_out),
        test(without_a_place_for_the_error_it_is_suppressed_and_counted),
        test(blocks_opened_in_the_function_are_released_and_others_are_not),
        test(calls_nest),
        test(a_call_leaves_the_error_being_handled_alone),
        test(what_is_raised_inside_a_call_has_the_handled_error_as_context),
        test(locals_of_the_caller_keep_their_values_without_volatile),
        test(an_error_outlives_the_call_and_the_blocks_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
