/* wi_closing: whatever has a function to close it is closed once, on every way out. */
#include "file_helpers.h"
#include "record_helpers.h"

typedef struct thing {
    int closed;
    int result;
    int errnum;
} thing;

static int close_thing(thing *t) {
    t->closed++;
    if (t->errnum) errno = t->errnum;
    return t->result;
}

static void end_thing(thing *t) { t->closed++; }

static long last_closed;
static int close_number(int number) { return last_closed = number, 0; }
static void end_number(int number) { last_closed = number; }
static int close_long(int64_t number) { return last_closed = number, 0; }
static void end_long(int64_t number) { last_closed = number; }

alone(a_pointer_is_closed_at_the_end) {
    thing t = {0, 0, 0};
    within (closing, wi_closing(&t, close_thing)) {
        expect(closing->handle == &t && !closing->handle->closed);
    }
    expect_count(t.closed, 1);
    within (wi_closing(&t, end_thing)) continue;
    expect_count(t.closed, 2);
}

alone(numbers_are_closed_whatever_their_size) {
    int64_t large = (int64_t)1 << 40;
    within (closing, wi_closing(7, close_number)) expect(closing->handle == 7);
    expect_count(last_closed, 7);
    within (wi_closing(0, end_number)) continue;
    expect_count(last_closed, 0);
    within (closing, wi_closing(large, close_long)) expect(closing->handle == large);
    expect_count(last_closed, large);
    within (wi_closing(large + 1, end_long)) continue;
    expect_count(last_closed, large + 1);
}

static thing *count_evaluations(thing *t) {
    t->result++;
    return t;
}

alone(the_handle_is_evaluated_once) {
    thing t = {0, 0, 0};
    within (wi_closing(count_evaluations(&t), end_thing)) continue;
    expect_count(t.result, 1);
}

alone(functions_of_the_system_fit) {
    int before = next_descriptor();
    within (file, wi_closing(wi_check_null(fopen("out", "w"), "open out"), fclose))
        fputs("text", file->handle);
    expect_text(content("out"), "text");
    within (fd, wi_closing(wi_check_errno(open("out", O_RDONLY), "open out"), close))
        expect(fd->handle == before);
    within (memory, wi_closing((char *)malloc(7), free)) memory->handle[6] = '\0';
    expect_count(next_descriptor(), before);
}

/* ---- trouble ---- */

static void close_it(void *t) {
    within (wi_closing((thing *)t, close_thing)) continue;
}

static void raise_and_close_it(void *t) {
    within (wi_closing((thing *)t, close_thing)) wi_raise(WI_VALUE_ERROR, "enough");
}

#define CALL "close_thing((thing *)t)"

alone(a_result_that_is_not_zero_is_an_error) {
    thing t = {0, 5, 0};
    errno = EIO;
    expect_raised(close_it, &t, WI_ERROR, CALL ": it returned 5");
    t.result = -1;
    errno = EIO; /* not the function's */
    expect_raised(close_it, &t, WI_ERROR, CALL ": it returned -1");
    t.errnum = ENOSPC;
    expect_raised(close_it, &t, WI_DISK_FULL, CALL ": No space left on device");
    expect_count(t.closed, 3);
}

alone(trouble_after_an_error_has_it_as_its_context) {
    thing t = {0, 5, 0};
    wi_error *error = error_of(raise_and_close_it, &t);
    expect_text(wi_error_message(error), CALL ": it returned 5");
    expect_text(wi_error_message(wi_error_context(error)), "enough");
    wi_error_free(error);
    expect_count(t.closed, 1);
}

static void close_null(void *unused) {
    (void)unused;
    thing *missing = NULL;
    within (wi_closing(missing, end_thing)) expect(!"a body without a handle");
}

static void close_failed_open(void *unused) {
    (void)unused;
    within (wi_closing(open("missing", O_RDONLY), close)) expect(!"a body without a handle");
}

static void close_negative_long(void *unused) {
    (void)unused;
    within (wi_closing((int64_t)-1, close_long)) expect(!"a body without a handle");
}

alone(without_a_handle_there_is_no_block) {
    expect_raised(close_null, NULL, WI_VALUE_ERROR, "missing is NULL: there is nothing to close");
    expect_raised(close_failed_open, NULL, WI_VALUE_ERROR,
                  "open(\"missing\", O_RDONLY) is -1: there is nothing to close");
    expect_raised(close_negative_long, NULL, WI_VALUE_ERROR,
                  "(int64_t)-1 is -1: there is nothing to close");
}

/* ---- ways out, forks, the ledger ---- */

static void close_and_return(thing *t) {
    within (wi_closing(t, end_thing)) return;
}

alone(it_is_closed_on_every_way_out) {
    thing t = {0, 0, 0};
    close_and_return(&t);
    expect_count(t.closed, 1);
    expect_raised(raise_and_close_it, &t, WI_VALUE_ERROR, "enough");
    expect_count(t.closed, 2);
    if (t.closed == 2) {
        wi_use(wi_closing(&t, end_thing));
        expect_count(t.closed, 2);
    }
    expect_count(t.closed, 3);
    within (stack, wi_exit_stack()) {
        for (int i = 0; i < 6; i++) wi_stack_enter(stack, wi_closing(&t, end_thing));
    }
    expect_count(t.closed, 9);
}

alone(a_child_closes_nothing_of_its_parents) {
    thing t = {0, 0, 0};
    pid_t child = -1, parent = getpid();
    within (wi_closing(&t, end_thing)) child = fork();
    if (getpid() != parent) _exit(t.closed);
    expect_count(exit_of(child), 0);
    expect_count(t.closed, 1);
}

alone(what_is_held_is_in_the_ledger_and_in_trails) {
    thing t = {0, 0, 0};
    within (wi_closing(&t, end_thing)) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "handle &t");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(raise_and_close_it, &t);
    expect_text(wi_error_trail(error, 0)->manager, "closing");
    expect_text(wi_error_trail(error, 0)->what, "(thing *)t");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_pointer_is_closed_at_the_end),
        test(numbers_are_closed_whatever_their_size),
        test(the_handle_is_evaluated_once),
        test(functions_of_the_system_fit),
        test(a_result_that_is_not_zero_is_an_error),
        test(trouble_after_an_error_has_it_as_its_context),
        test(without_a_handle_there_is_no_block),
        test(it_is_closed_on_every_way_out),
        test(a_child_closes_nothing_of_its_parents),
        test(what_is_held_is_in_the_ledger_and_in_trails),
    };
    return cmocka_run_group_tests_name("closing", tests, NULL, NULL);
}
