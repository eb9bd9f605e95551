/* Exit stacks: managers and callbacks released in reverse order, each once, whatever they raise. */
#include "helpers.h"

static void say(void *arg) { note("%s", (const char *)arg); }
static void say_and_raise(void *arg) {
    say(arg);
    wi_raise(WI_VALUE_ERROR, "from %s", (const char *)arg);
}
static void count_down(void *arg) { --*(int *)arg; }

BODY(raise_value) { wi_raise(WI_VALUE_ERROR, "value"); }

/* ---- entering and releasing ---- */

TEST(managers_and_callbacks_are_released_in_reverse_order) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_callback(stack, say, "b");
        wi_stack_enter(stack, TRACER("c"));
        note("body");
    }
    expect_happened("+a +c body -c:end b -a:end");
}

TEST(a_manager_by_value_is_copied_and_its_address_given) {
    within (stack, wi_exit_stack()) {
        tracer a = TRACER("a");
        tracer *live = wi_stack_enter(stack, a);
        assert_ptr_not_equal(live, &a);
        assert_string_equal(live->name, "a");
        assert_int_equal(live->entered, 1);
    }
    expect_happened("+a -a:end");
}

TEST(a_pointer_manager_stays_where_it_is) {
    tracer a = TRACER("a");
    within (stack, wi_exit_stack()) assert_ptr_equal(wi_stack_enter(stack, &a), &a);
    assert_int_equal(a.exited, 1);
    expect_happened("+a -a:end");
}

TEST(live_managers_stay_where_they_are_while_the_stack_grows) {
    within (stack, wi_exit_stack()) {
        tracer *first = wi_stack_enter(stack, TRACER("first"));
        for (int i = 0; i < 100; i++) wi_stack_callback(stack, count_down, &first->entered);
        assert_string_equal(first->name, "first");
        assert_int_equal(stack->count, 102);
    }
    expect_happened("+first -first:end");
}

TEST(the_managers_are_told_why_the_block_ended) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        goto out;
    }
out:
    expect_happened("+a -a:left");
}

BODY(raise_in_a_stack) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_callback(stack, say, "b");
        wi_stack_enter(stack, TRACER("c"));
        raise_value(NULL);
    }
}

TEST(an_error_releases_the_stack_and_goes_on) {
    expect_raised(raise_in_a_stack, "WI_VALUE_ERROR value");
    expect_happened("+a +c -c:raised(value) b -a:raised(value)");
}

TEST(an_error_has_the_managers_in_its_trail) {
    wi_error *error = error_of(raise_in_a_stack, NULL);
    assert_int_equal(wi_error_trail_length(error), 3);
    assert_string_equal(wi_error_trail(error, 1)->what, "c");
    assert_string_equal(wi_error_trail(error, 2)->what, "a");
    wi_error_free(error);
    happened[0] = '\0';
}

/* ---- entering that fails ---- */

BODY(raise_in_enter) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_enter(stack, TRACER("b", .mood = RAISES_IN_ENTER));
    }
}

TEST(an_enter_that_raises_gets_no_exit_and_the_others_do) {
    expect_raised(raise_in_enter, "WI_VALUE_ERROR enter b");
    expect_happened("+a -a:raised(enter b)");
}

/* A manager whose enter adds to the stack that it is entered on. */
typedef struct nester {
    const wi_protocol *protocol;
    wi_exit_stack *stack;
} nester;
static void nester_enter(void *self) {
    for (int i = 0; i < 3; i++) wi_stack_callback(((nester *)self)->stack, say, "inner");
}
static wi_verdict nester_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    note("nester");
    return WI_PROPAGATE;
}
static const wi_protocol nester_protocol = {"nester", nester_enter, nester_exit, NULL};

TEST(an_enter_may_itself_add_to_the_stack) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, wi_make(nester, .stack = stack));
        assert_true(stack->count <= stack->capacity);
    }
    expect_happened("nester inner inner inner");
}

/* ---- releasing that fails ---- */

BODY(raise_in_three_callbacks) {
    within (stack, wi_exit_stack()) {
        wi_stack_callback(stack, say, "d");
        wi_stack_callback(stack, say_and_raise, "c");
        wi_stack_enter(stack, TRACER("b", .mood = RAISES_IN_EXIT));
        wi_stack_enter(stack, TRACER("watcher"));
        wi_stack_callback(stack, say_and_raise, "a");
    }
}

TEST(when_callbacks_and_exits_raise_all_others_still_run_and_contexts_form_a_chain) {
    expect_raised(raise_in_three_callbacks, "WI_VALUE_ERROR from c {context: WI_VALUE_ERROR exit b "
                                            "{context: WI_VALUE_ERROR from a}}");
    expect_happened("+b +watcher a -watcher:raised(from a) -b:raised(from a) c d");
}

BODY(raise_in_body_and_callback) {
    within (TRACER("outer"))
        within (stack, wi_exit_stack()) {
            wi_stack_enter(stack, TRACER("last"));
            wi_stack_callback(stack, say_and_raise, "a");
            raise_value(NULL);
        }
}

TEST(when_a_callback_raises_during_an_error_the_newest_wins) {
    expect_raised(raise_in_body_and_callback,
                  "WI_VALUE_ERROR from a {context: WI_VALUE_ERROR value}");
    expect_happened("+outer +last a -last:raised(from a) -outer:raised(from a)");
}

BODY(suppress_in_a_stack) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_enter(stack, TRACER("b", .mood = SAYS_SUPPRESS));
        raise_value(NULL);
    }
}

TEST(a_manager_on_a_stack_cannot_suppress) {
    expect_raised(suppress_in_a_stack,
                  "WI_USAGE_ERROR tracer: its exit asked to suppress an error, which an exit stack "
                  "cannot {context: WI_VALUE_ERROR value}");
    happened[0] = '\0';
}

TEST(a_verdict_without_an_error_is_not_looked_at) {
    within (stack, wi_exit_stack()) wi_stack_enter(stack, TRACER("a", .mood = SAYS_SUPPRESS));
    expect_happened("+a -a:end");
}

/* ---- closing early, keeping, using again ---- */

TEST(a_stack_can_be_closed_early_and_used_again) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_close(stack);
        note("closed");
        wi_stack_close(stack);
        wi_stack_enter(stack, TRACER("b"));
    }
    expect_happened("+a -a:end closed +b -b:end");
}

static wi_exit_stack acquire_bit_by_bit(void) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        wi_stack_enter(stack, TRACER("b"));
        wi_stack_enter(stack, TRACER("c"));
        return wi_stack_pop_all(stack);
    }
    return wi_exit_stack();
}

TEST(pop_all_keeps_everything_for_another_block) {
    wi_exit_stack kept = acquire_bit_by_bit();
    note("kept");
    within (&kept) note("body");
    expect_happened("+a +b +c kept body -c:end -b:end -a:end");
}

TEST(pop_all_keeps_everything_until_it_is_closed) {
    wi_exit_stack kept = acquire_bit_by_bit();
    wi_stack_close(&kept);
    expect_happened("+a +b +c -c:end -b:end -a:end");
}

TEST(pop_all_leaves_the_old_stack_usable) {
    wi_exit_stack old = wi_exit_stack();
    wi_stack_callback(&old, say, "before");
    wi_exit_stack kept = wi_stack_pop_all(&old);
    wi_stack_callback(&old, say, "after");
    wi_stack_close(&old);
    note("closed");
    wi_stack_close(&kept);
    expect_happened("after closed before");
}

BODY(raise_before_pop_all) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, TRACER("a"));
        raise_value(NULL);
        wi_exit_stack kept = wi_stack_pop_all(stack);
        within (&kept) note("skipped");
    }
}

TEST(what_was_acquired_is_released_when_an_error_comes_before_pop_all) {
    expect_raised(raise_before_pop_all, "WI_VALUE_ERROR value");
    expect_happened("+a -a:raised(value)");
}

static void push_another(void *arg) {
    note("first");
    wi_stack_callback((wi_exit_stack *)arg, say, "added");
}

TEST(a_callback_may_add_to_the_stack_that_is_being_released) {
    within (stack, wi_exit_stack()) {
        wi_stack_callback(stack, say, "last");
        wi_stack_callback(stack, push_another, stack);
    }
    expect_happened("first added last");
}

static void release_a_stack_of_its_own(void *arg) {
    within (stack, wi_exit_stack()) wi_stack_callback(stack, say, arg);
}

TEST(stacks_nest) {
    within (outer, wi_exit_stack()) {
        wi_exit_stack *inner = wi_stack_enter(outer, wi_exit_stack());
        wi_stack_enter(inner, TRACER("a"));
        wi_stack_callback(outer, release_a_stack_of_its_own, "own");
    }
    expect_happened("+a own -a:end");
}

/* ---- leaving through a callback ---- */

typedef struct way_back {
    jmp_buf env;
    wi_mark mark;
} way_back;

static void jump_back(void *arg) {
    way_back *back = arg;
    wi_longjmp(back->env, 1, back->mark);
}

TEST(a_callback_that_leaves_by_wi_longjmp_lets_the_others_run) {
    way_back back = {.mark = wi_here()};
    if (setjmp(back.env) == 0)
        within (stack, wi_exit_stack()) {
            wi_stack_enter(stack, TRACER("a"));
            for (int i = 0; i < 5; i++) wi_stack_callback(stack, say, "b");
            wi_stack_callback(stack, jump_back, &back);
            wi_stack_callback(stack, say, "c");
        }
    expect_happened("+a c b b b b b -a:left");
}

/* ---- ten thousand, on a small stack ---- */

enum { MANY = 10000 };

static void count_down_and_raise(void *arg) {
    --*(int *)arg;
    wi_raise(WI_VALUE_ERROR, "one of many");
}

BODY(release_many) {
    within (stack, wi_exit_stack())
        for (int i = 0; i < MANY; i++) wi_stack_callback(stack, count_down, arg);
}

BODY(release_many_that_raise) {
    within (stack, wi_exit_stack())
        for (int i = 0; i < MANY; i++) wi_stack_callback(stack, count_down_and_raise, arg);
}

static size_t contexts(const wi_error *error) {
    size_t n = 0;
    while ((error = wi_error_context(error))) n++;
    return n;
}

typedef struct many {
    int left;
    size_t contexts;
} many;

BODY(catch_many) {
    many *m = arg;
    wi_error *error = error_of(release_many_that_raise, &m->left);
    m->contexts = contexts(error);
    wi_error_free(error);
}

TEST(ten_thousand_callbacks_are_released) {
    int left = MANY;
    on_a_small_stack(release_many, &left);
    assert_int_equal(left, 0);
}

TEST(ten_thousand_callbacks_that_raise_all_run_on_a_small_stack) {
    many m = {MANY, 0};
    on_a_small_stack(catch_many, &m);
    assert_int_equal(m.left, 0);
    assert_int_equal(m.contexts, MANY - 1);
}

BODY(enter_many_tracers) {
    tracer *first = NULL;
    within (stack, wi_exit_stack()) {
        for (int i = 0; i < MANY; i++) {
            tracer *live = wi_stack_enter(stack, TRACER("m"));
            if (i == 0) first = live;
            happened[0] = '\0';
        }
        *(int *)arg = first->entered + (int)stack->count;
        wi_exit_stack kept = wi_stack_pop_all(stack);
        *(int *)arg -= (int)stack->count;
        wi_stack_enter(stack, kept);
    }
    happened[0] = '\0';
}

TEST(ten_thousand_managers_are_entered_and_moved) {
    int seen = 0;
    on_a_small_stack(enter_many_tracers, &seen);
    assert_int_equal(seen, 1 + 2 * MANY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(managers_and_callbacks_are_released_in_reverse_order),
        test(a_manager_by_value_is_copied_and_its_address_given),
        test(a_pointer_manager_stays_where_it_is),
        test(live_managers_stay_where_they_are_while_the_stack_grows),
        test(the_managers_are_told_why_the_block_ended),
        test(an_error_releases_the_stack_and_goes_on),
        test(an_error_has_the_managers_in_its_trail),
        test(an_enter_that_raises_gets_no_exit_and_the_others_do),
        test(an_enter_may_itself_add_to_the_stack),
        test(when_callbacks_and_exits_raise_all_others_still_run_and_contexts_form_a_chain),
        test(when_a_callback_raises_during_an_error_the_newest_wins),
        test(a_manager_on_a_stack_cannot_suppress),
        test(a_verdict_without_an_error_is_not_looked_at),
        test(a_stack_can_be_closed_early_and_used_again),
        test(pop_all_keeps_everything_for_another_block),
        test(pop_all_keeps_everything_until_it_is_closed),
        test(pop_all_leaves_the_old_stack_usable),
        test(what_was_acquired_is_released_when_an_error_comes_before_pop_all),
        test(a_callback_may_add_to_the_stack_that_is_being_released),
        test(stacks_nest),
        test(a_callback_that_leaves_by_wi_longjmp_lets_the_others_run),
        test(ten_thousand_callbacks_are_released),
        test(ten_thousand_callbacks_that_raise_all_run_on_a_small_stack),
        test(ten_thousand_managers_are_entered_and_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
