/* wi_try, wi_catch and wi_finally: which clause runs, in which order, and where the error goes then. */
#include "helpers.h"

BODY(raise_value) { wi_raise(WI_VALUE_ERROR, "value"); }
BODY(raise_missing) { wi_raise(WI_FILE_NOT_FOUND, "missing"); }
BODY(raise_nothing) {}

/* ---- which clause runs ---- */

/* A try with every kind of clause around `body`. */
static void try_all(void (*body)(void *arg)) {
    wi_try {
        note("body");
        body(NULL);
        note("done");
    } wi_catch (WI_FILE_NOT_FOUND, error) {
        note("not-found:%s", wi_error_message(error));
    } wi_catch (WI_OS_ERROR, error) {
        note("os:%s", wi_error_message(error));
    } wi_catch (WI_FILE_NOT_FOUND, error) {
        note("too-late:%s", wi_error_message(error));
    } wi_finally {
        note("finally");
    }
    note("after");
}
BODY(raise_disk_full) { wi_raise(WI_DISK_FULL, "full"); }
BODY(try_all_with_value) { (void)arg, try_all(raise_value); }

TEST(without_an_error_the_body_and_the_finally_run) {
    try_all(raise_nothing);
    expect_happened("body done finally after");
}

TEST(the_first_clause_that_fits_is_taken_and_only_it) {
    try_all(raise_missing);
    expect_happened("body not-found:missing finally after");
}

TEST(a_clause_takes_the_kinds_below_its_own) {
    try_all(raise_disk_full);
    expect_happened("body os:full finally after");
}

TEST(an_error_that_no_clause_takes_goes_on_after_the_finally) {
    expect_raised(try_all_with_value, "WI_VALUE_ERROR value");
    expect_happened("body finally");
}

BODY(catch_something_else) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_OS_ERROR, error) {
        note("wrong");
    }
    note("skipped");
}

TEST(an_error_that_no_clause_takes_goes_on_without_a_finally) {
    expect_raised(catch_something_else, "WI_VALUE_ERROR value");
    expect_happened("");
}

BODY(only_finally) {
    wi_try {
        raise_value(NULL);
    } wi_finally {
        note("finally");
    }
}

TEST(a_try_may_have_only_a_finally) {
    expect_raised(only_finally, "WI_VALUE_ERROR value");
    expect_happened("finally");
}

BODY(only_a_body) {
    wi_try raise_value(NULL);
    note("skipped");
}

TEST(a_try_may_have_only_a_body_and_passes_every_error_on) {
    expect_raised(only_a_body, "WI_VALUE_ERROR value");
    expect_happened("");
}

TEST(blocks_inside_are_released_before_the_clause_runs) {
    wi_try {
        within (TRACER("a"))
            within (TRACER("b")) raise_value(NULL);
    } wi_catch (WI_ERROR, error) {
        note("caught");
    }
    expect_happened("+a +b -b:raised(value) -a:raised(value) caught");
}

TEST(a_try_can_run_again_in_a_loop) {
    for (volatile int i = 0; i < 3; i++) {
        wi_try {
            if (i != 1) raise_value(NULL);
            note("%d", i);
        } wi_catch (WI_ERROR, error) {
            note("caught");
        }
    }
    expect_happened("caught 1 caught");
}

/* ---- raising in a catch ---- */

BODY(reraise_in_catch) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_ERROR, error) {
        note("caught");
        wi_reraise(error);
    } wi_finally {
        note("finally");
    }
}

TEST(raising_again_in_a_catch_runs_the_finally_and_goes_on) {
    expect_raised(reraise_in_catch, "WI_VALUE_ERROR value");
    expect_happened("caught finally");
}

BODY(raise_in_catch) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        raise_missing(NULL);
    } wi_catch (WI_OS_ERROR, error) {
        note("a clause must not catch what another clause of its try raises");
    } wi_finally {
        note("finally");
    }
}

TEST(raising_in_a_catch_runs_the_finally_and_has_the_caught_error_as_context) {
    expect_raised(raise_in_catch, "WI_FILE_NOT_FOUND missing {context: WI_VALUE_ERROR value}");
    expect_happened("finally");
}

BODY(raise_past_a_block_in_catch) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        within (TRACER("a")) raise_missing(NULL);
    }
}

TEST(blocks_in_a_catch_are_released_too) {
    expect_raised(raise_past_a_block_in_catch,
                  "WI_FILE_NOT_FOUND missing {context: WI_VALUE_ERROR value}");
    expect_happened("+a -a:raised(missing)");
}

TEST(a_try_nested_in_a_catch_leaves_the_caught_error_alone) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_ERROR, outer) {
        wi_try {
            raise_missing(NULL);
        } wi_catch (WI_ERROR, inner) {
            note_error(inner);
        } wi_finally {
            note("finally");
        }
        note_error(outer);
    }
    expect_happened("WI_FILE_NOT_FOUND missing {context: WI_VALUE_ERROR value} finally "
                    "WI_VALUE_ERROR value");
}

BODY(reraise_the_outer_in_the_inner_catch) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_ERROR, outer) {
        wi_try {
            raise_missing(NULL);
        } wi_catch (WI_ERROR, inner) {
            wi_reraise(outer);
        }
    }
}

TEST(an_outer_error_can_be_raised_again_from_an_inner_catch) {
    expect_raised(reraise_the_outer_in_the_inner_catch, "WI_VALUE_ERROR value");
}

BODY(unwrap_the_cause) {
    wi_try {
        wi_raise_from(error_of(raise_missing, NULL), WI_VALUE_ERROR, "wrapped");
    } wi_catch (WI_VALUE_ERROR, error) {
        wi_reraise(wi_error_cause(error));
    }
}

BODY(unwrap_the_context) {
    wi_try {
        raise_in_catch(NULL);
    } wi_catch (WI_OS_ERROR, error) {
        wi_reraise(wi_error_context(error));
    }
}

TEST(the_cause_or_context_of_a_caught_error_can_be_raised_again) {
    expect_raised(unwrap_the_cause, "WI_FILE_NOT_FOUND missing");
    expect_raised(unwrap_the_context, "WI_VALUE_ERROR value");
    expect_happened("finally");
}

/* ---- raising in a finally ---- */

static void raise_in_finally(void (*body)(void *arg)) {
    wi_try {
        body(NULL);
    } wi_finally {
        within (TRACER("a")) raise_missing(NULL);
    }
}
BODY(raise_in_finally_alone) { (void)arg, raise_in_finally(raise_nothing); }
BODY(raise_in_finally_of_an_error) { (void)arg, raise_in_finally(raise_value); }

TEST(a_finally_may_raise) {
    expect_raised(raise_in_finally_alone, "WI_FILE_NOT_FOUND missing");
    expect_happened("+a -a:raised(missing)");
}

TEST(raising_in_a_finally_has_the_pending_error_as_context) {
    expect_raised(raise_in_finally_of_an_error,
                  "WI_FILE_NOT_FOUND missing {context: WI_VALUE_ERROR value}");
    expect_happened("+a -a:raised(missing)");
}

BODY(raise_in_catch_and_finally) {
    wi_try {
        raise_value(NULL);
    } wi_catch (WI_ERROR, error) {
        wi_raise(WI_OS_ERROR, "in catch");
    } wi_finally {
        raise_missing(NULL);
    }
}

TEST(errors_of_body_catch_and_finally_form_a_chain) {
    expect_raised(raise_in_catch_and_finally,
                  "WI_FILE_NOT_FOUND missing {context: WI_OS_ERROR in catch "
                  "{context: WI_VALUE_ERROR value}}");
}

BODY(handle_in_finally) {
    wi_try {
        raise_value(NULL);
    } wi_finally {
        wi_try {
            raise_missing(NULL);
        } wi_catch (WI_ERROR, error) {
            note_error(error);
        }
    }
}

TEST(a_try_in_a_finally_leaves_the_pending_error_alone) {
    expect_raised(handle_in_finally, "WI_VALUE_ERROR value");
    expect_happened("WI_FILE_NOT_FOUND missing {context: WI_VALUE_ERROR value}");
}

/* ---- nesting ---- */

TEST(an_inner_try_passes_on_what_it_does_not_catch) {
    wi_try {
        wi_try {
            raise_value(NULL);
        } wi_catch (WI_OS_ERROR, error) {
            note("wrong");
        } wi_finally {
            note("inner");
        }
        note("skipped");
    } wi_catch (WI_VALUE_ERROR, error) {
        note_error(error);
    } wi_finally {
        note("outer");
    }
    expect_happened("inner WI_VALUE_ERROR value outer");
}

static void try_in_three_frames(int depth) {
    wi_try {
        if (depth == 0) raise_value(NULL);
        try_in_three_frames(depth - 1);
    } wi_finally {
        note("%d", depth);
    }
}
BODY(try_deep) { (void)arg, try_in_three_frames(2); }

TEST(every_finally_on_the_way_runs_innermost_first) {
    expect_raised(try_deep, "WI_VALUE_ERROR value");
    expect_happened("0 1 2");
}

/* ---- leaving ---- */

TEST(continue_ends_a_body_a_catch_and_a_finally) {
    for (volatile int i = 0; i < 2; i++) {
        wi_try {
            if (i == 0) continue;
            raise_value(NULL);
        } wi_catch (WI_ERROR, error) {
            if (i == 1) continue;
            note("skipped");
        } wi_finally {
            note("finally");
            if (i < 2) continue;
            note("skipped");
        }
        note("%d", i);
    }
    expect_happened("finally 0 finally 1");
}

typedef enum clause { IN_BODY, IN_CATCH, IN_FINALLY } clause;

static int return_from(clause where, void (*body)(void *arg)) {
    wi_try {
        if (where == IN_BODY) return 1;
        body(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        if (where == IN_CATCH) return 2;
    } wi_finally {
        note("finally");
        if (where == IN_FINALLY) return 3;
    }
    return 4;
}

TEST(a_return_leaves_a_body_or_a_catch_without_the_finally) {
    assert_int_equal(return_from(IN_BODY, raise_value), 1);
    assert_int_equal(return_from(IN_CATCH, raise_value), 2);
    expect_happened("");
}

TEST(a_return_leaves_a_finally) {
    assert_int_equal(return_from(IN_FINALLY, raise_nothing), 3);
    assert_int_equal(return_from(IN_FINALLY, raise_value), 3);
    expect_happened("finally finally");
}

TEST(a_return_in_a_finally_suppresses_the_pending_error_and_that_is_counted) {
    assert_int_equal(return_from(IN_FINALLY, raise_missing), 3);
    expect_happened("finally ~missing");
}

static void jump_out_of(clause where) {
    within (TRACER("outer")) {
        wi_try {
            if (where == IN_BODY)
                within (TRACER("inner")) goto out;
            raise_value(NULL);
        } wi_catch (WI_VALUE_ERROR, error) {
            within (TRACER("inner")) goto out;
        }
    out:
        note("out");
    }
}

TEST(a_goto_leaves_a_body_or_a_catch) {
    jump_out_of(IN_BODY);
    expect_happened("+outer +inner -inner:left out -outer:end");
    jump_out_of(IN_CATCH);
    expect_happened("+outer +inner -inner:left out -outer:end");
}

BODY(raise_after_leaving_a_catch) {
    (void)arg;
    return_from(IN_CATCH, raise_value);
    raise_missing(NULL);
}

TEST(after_leaving_a_catch_nothing_is_being_handled) {
    expect_raised(raise_after_leaving_a_catch, "WI_FILE_NOT_FOUND missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(without_an_error_the_body_and_the_finally_run),
        test(the_first_clause_that_fits_is_taken_and_only_it),
        test(a_clause_takes_the_kinds_below_its_own),
        test(an_error_that_no_clause_takes_goes_on_after_the_finally),
        test(an_error_that_no_clause_takes_goes_on_without_a_finally),
        test(a_try_may_have_only_a_finally),
        test(a_try_may_have_only_a_body_and_passes_every_error_on),
        test(blocks_inside_are_released_before_the_clause_runs),
        test(a_try_can_run_again_in_a_loop),
        test(raising_again_in_a_catch_runs_the_finally_and_goes_on),
        test(raising_in_a_catch_runs_the_finally_and_has_the_caught_error_as_context),
        test(blocks_in_a_catch_are_released_too),
        test(a_try_nested_in_a_catch_leaves_the_caught_error_alone),
        test(an_outer_error_can_be_raised_again_from_an_inner_catch),
        test(the_cause_or_context_of_a_caught_error_can_be_raised_again),
        test(a_finally_may_raise),
        test(raising_in_a_finally_has_the_pending_error_as_context),
        test(errors_of_body_catch_and_finally_form_a_chain),
        test(a_try_in_a_finally_leaves_the_pending_error_alone),
        test(an_inner_try_passes_on_what_it_does_not_catch),
        test(every_finally_on_the_way_runs_innermost_first),
        test(continue_ends_a_body_a_catch_and_a_finally),
        test(a_return_leaves_a_body_or_a_catch_without_the_finally),
        test(a_return_leaves_a_finally),
        test(a_return_in_a_finally_suppresses_the_pending_error_and_that_is_counted),
        test(a_goto_leaves_a_body_or_a_catch),
        test(after_leaving_a_catch_nothing_is_being_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
