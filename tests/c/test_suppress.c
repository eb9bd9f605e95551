/* Suppressing: which errors end at a block, what runs after it, and that each one is counted. */
#include "helpers.h"

wi_define_error(CONVERGENCE_ERROR, WI_ARITHMETIC_ERROR);

BODY(raise_missing) { wi_raise(WI_FILE_NOT_FOUND, "missing"); }
BODY(raise_diverged) { wi_raise(CONVERGENCE_ERROR, "diverged"); }

/* ---- wi_suppress ---- */

TEST(an_error_of_the_named_kind_ends_at_the_block_and_is_counted) {
    within (wi_suppress(WI_FILE_NOT_FOUND)) {
        raise_missing(NULL);
        note("skipped");
    }
    note("after");
    expect_happened("~missing after");
}

TEST(an_error_of_a_kind_below_the_named_one_is_suppressed) {
    within (wi_suppress(WI_OS_ERROR)) raise_missing(NULL);
    within (wi_suppress(WI_ARITHMETIC_ERROR)) raise_diverged(NULL);
    expect_happened("~missing ~diverged");
}

TEST(several_kinds_can_be_named) {
    within (wi_suppress(WI_OS_ERROR, WI_ARITHMETIC_ERROR)) raise_missing(NULL);
    within (wi_suppress(WI_OS_ERROR, WI_ARITHMETIC_ERROR)) raise_diverged(NULL);
    expect_happened("~missing ~diverged");
}

BODY(suppress_eight_kinds) {
    within (wi_suppress(WI_FILE_EXISTS, WI_PERMISSION_ERROR, WI_IS_A_DIRECTORY, WI_DISK_FULL,
                        WI_BROKEN_PIPE, WI_BUSY_ERROR, WI_TIMEOUT_ERROR, WI_FILE_NOT_FOUND))
        ((void (*)(void *))arg)(NULL);
}

TEST(WI_SUPPRESS_MAX_kinds_can_be_named_and_the_last_counts) {
    assert_int_equal(WI_SUPPRESS_MAX, 8);
    assert_null(error_of(suppress_eight_kinds, (void *)raise_missing));
    expect_happened("~missing");
}

TEST(beyond_WI_SUPPRESS_MAX_kinds_nothing_is_read) {
    wi_error *error = error_of(suppress_eight_kinds, (void *)raise_diverged);
    assert_ptr_equal(wi_error_kind(error), CONVERGENCE_ERROR);
    wi_error_free(error);
    assert_int_equal(sizeof(wi_suppress), sizeof(void *) * (1 + WI_SUPPRESS_MAX));
}

BODY(suppress_another_kind) {
    within (TRACER("a"))
        within (wi_suppress(WI_ARITHMETIC_ERROR))
            within (TRACER("b")) raise_missing(NULL);
}

TEST(any_other_error_goes_on) {
    expect_raised(suppress_another_kind, "WI_FILE_NOT_FOUND missing");
    expect_happened("+a +b -b:raised(missing) -a:raised(missing)");
}

TEST(blocks_inside_are_told_of_the_error_and_blocks_outside_are_not) {
    within (TRACER("a")) {
        within (wi_suppress(WI_ERROR))
            within (TRACER("b")) raise_missing(NULL);
        note("after");
    }
    expect_happened("+a +b -b:raised(missing) ~missing after -a:end");
}

TEST(a_body_without_an_error_just_ends) {
    within (wi_suppress(WI_ERROR)) note("body");
    expect_happened("body");
}

static int return_from_suppress(void) {
    within (wi_suppress(WI_ERROR)) return 42;
    return 0;
}

TEST(the_block_can_be_left_by_return_goto_and_continue) {
    assert_int_equal(return_from_suppress(), 42);
    within (wi_suppress(WI_ERROR)) goto out;
    note("skipped");
out:
    for (volatile int i = 0; i < 2; i++)
        within (wi_suppress(WI_ERROR)) {
            if (i == 0) continue;
            note("%d", i);
        }
    expect_happened("1");
}

TEST(the_block_can_run_again_and_again) {
    for (volatile int i = 0; i < 3; i++)
        within (wi_suppress(WI_OS_ERROR))
            if (i != 1) raise_missing(NULL);
    expect_happened("~missing ~missing");
}

TEST(the_innermost_block_that_fits_suppresses) {
    within (wi_suppress(WI_ERROR)) {
        within (wi_suppress(WI_ARITHMETIC_ERROR)) {
            within (wi_suppress(WI_OS_ERROR)) raise_missing(NULL);
            note("inner");
            raise_missing(NULL);
        }
        note("skipped");
    }
    note("outer");
    expect_happened("~missing inner ~missing outer");
}

BODY(suppress_in_a_catch) {
    wi_try {
        raise_diverged(NULL);
    } wi_catch (WI_ERROR, error) {
        within (wi_suppress(WI_OS_ERROR)) raise_missing(NULL);
        wi_raise(WI_VALUE_ERROR, "new");
    }
}

TEST(an_error_suppressed_in_a_catch_leaves_the_caught_one_being_handled) {
    expect_raised(suppress_in_a_catch, "WI_VALUE_ERROR new {context: CONVERGENCE_ERROR diverged}");
    expect_happened("~missing");
}

/* ---- managers of the user's own that suppress ---- */

TEST(a_user_defined_manager_may_suppress) {
    within (SWALLOWER("s", .kind = WI_OS_ERROR))
        within (TRACER("a")) raise_missing(NULL);
    note("after");
    expect_happened("+s +a -a:raised(missing) -s:raised(missing) ~missing after");
}

BODY(decline_to_suppress) {
    within (SWALLOWER("s", .kind = WI_ARITHMETIC_ERROR)) raise_missing(NULL);
}

TEST(a_suppressing_manager_may_let_an_error_pass) {
    expect_raised(decline_to_suppress, "WI_FILE_NOT_FOUND missing");
    expect_happened("+s -s:raised(missing)");
}

TEST(a_suppressing_manager_is_told_the_other_reasons_too) {
    within (SWALLOWER("s", .kind = WI_ERROR)) note("body");
    within (SWALLOWER("s", .kind = WI_ERROR)) goto out;
out:
    expect_happened("+s body -s:end +s -s:left");
}

BODY(raise_in_a_suppressing_enter) {
    within (TRACER("a"))
        within (SWALLOWER("s", .kind = WI_ERROR, .mood = RAISES_IN_ENTER)) note("skipped");
}

TEST(a_suppressing_manager_does_not_suppress_its_own_enter) {
    expect_raised(raise_in_a_suppressing_enter, "WI_VALUE_ERROR enter s");
    expect_happened("+a -a:raised(enter s)");
}

BODY(raise_in_a_suppressing_exit) {
    within (SWALLOWER("s", .kind = WI_ERROR, .mood = RAISES_IN_EXIT)) raise_missing(NULL);
}

TEST(a_suppressing_manager_does_not_suppress_its_own_exit) {
    expect_raised(raise_in_a_suppressing_exit,
                  "WI_VALUE_ERROR exit s {context: WI_FILE_NOT_FOUND missing}");
    expect_happened("+s -s:raised(missing)");
}

TEST(a_suppressing_manager_can_be_a_pointer) {
    swallower s = SWALLOWER("s", .kind = WI_OS_ERROR);
    within (again, &s) {
        assert_ptr_equal(again, &s);
        raise_missing(NULL);
    }
    expect_happened("+s -s:raised(missing) ~missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(an_error_of_the_named_kind_ends_at_the_block_and_is_counted),
        test(an_error_of_a_kind_below_the_named_one_is_suppressed),
        test(several_kinds_can_be_named),
        test(WI_SUPPRESS_MAX_kinds_can_be_named_and_the_last_counts),
        test(beyond_WI_SUPPRESS_MAX_kinds_nothing_is_read),
        test(any_other_error_goes_on),
        test(blocks_inside_are_told_of_the_error_and_blocks_outside_are_not),
        test(a_body_without_an_error_just_ends),
        test(the_block_can_be_left_by_return_goto_and_continue),
        test(the_block_can_run_again_and_again),
        test(the_innermost_block_that_fits_suppresses),
        test(an_error_suppressed_in_a_catch_leaves_the_caught_one_being_handled),
        test(a_user_defined_manager_may_suppress),
        test(a_suppressing_manager_may_let_an_error_pass),
        test(a_suppressing_manager_is_told_the_other_reasons_too),
        test(a_suppressing_manager_does_not_suppress_its_own_enter),
        test(a_suppressing_manager_does_not_suppress_its_own_exit),
        test(a_suppressing_manager_can_be_a_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
