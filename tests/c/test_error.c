/* Errors: kinds, places, messages, errno values, causes, contexts, trails, and all of it as text. */
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <wchar.h>

wi_define_error(SOLVER_ERROR, WI_ARITHMETIC_ERROR);
wi_define_error(CONVERGENCE_ERROR, SOLVER_ERROR);

BODY(raise_value_error) { wi_raise(WI_VALUE_ERROR, "snr_db: %g is not finite", 0.5); }
BODY(raise_convergence_error) { wi_raise(CONVERGENCE_ERROR, "no convergence in %d steps", 9); }

/* ---- kinds ---- */

TEST(every_kind_of_the_library_is_below_WI_ERROR_and_bears_its_name) {
#define CHECK_TYPE(kind, above)                                                                    \
    assert_string_equal(kind->name, #kind);                                                        \
    assert_ptr_equal(kind->parent, above);                                                         \
    assert_true(wi_error_type_is(kind, WI_ERROR));
    WI__ERROR_TYPES(CHECK_TYPE)
    assert_null(WI_ERROR->parent);
}

TEST(a_kind_is_itself_and_its_ancestors_and_nothing_else) {
    assert_true(wi_error_type_is(WI_FILE_NOT_FOUND, WI_FILE_NOT_FOUND));
    assert_true(wi_error_type_is(WI_FILE_NOT_FOUND, WI_OS_ERROR));
    assert_false(wi_error_type_is(WI_OS_ERROR, WI_FILE_NOT_FOUND));
    assert_false(wi_error_type_is(WI_VALUE_ERROR, WI_OS_ERROR));
}

TEST(users_add_kinds_of_their_own) {
    wi_error *error = error_of(raise_convergence_error, NULL);
    assert_ptr_equal(wi_error_kind(error), CONVERGENCE_ERROR);
    assert_string_equal(wi_error_kind(error)->name, "CONVERGENCE_ERROR");
    assert_true(wi_error_is(error, CONVERGENCE_ERROR));
    assert_true(wi_error_is(error, SOLVER_ERROR));
    assert_true(wi_error_is(error, WI_ARITHMETIC_ERROR));
    assert_true(wi_error_is(error, WI_ERROR));
    assert_false(wi_error_is(error, WI_VALUE_ERROR));
    wi_error_free(error);
}

TEST(no_error_is_of_no_kind) { assert_false(wi_error_is(NULL, WI_ERROR)); }

BODY(raise_without_a_kind) { wi_raise(NULL, "boom"); }

TEST(an_error_without_a_kind_is_a_WI_ERROR) {
    expect_raised(raise_without_a_kind, "WI_ERROR boom");
}

/* ---- what an error carries ---- */

enum { RAISED_AT_LINE = __LINE__ + 1 };
BODY(raise_here) { wi_raise(WI_VALUE_ERROR, "here"); }

TEST(an_error_knows_where_it_was_raised) {
    wi_error *error = error_of(raise_here, NULL);
    const wi_place *place = wi_error_place(error);
    assert_non_null(strstr(place->file, "test_error.c"));
    assert_string_equal(place->function, "raise_here");
    assert_int_equal(place->line, RAISED_AT_LINE);
    wi_error_free(error);
}

TEST(a_plain_error_has_a_formatted_message_and_nothing_else) {
    wi_error *error = error_of(raise_value_error, NULL);
    assert_string_equal(wi_error_message(error), "snr_db: 0.5 is not finite");
    assert_int_equal(wi_error_errno(error), 0);
    assert_null(wi_error_cause(error));
    assert_null(wi_error_context(error));
    assert_int_equal(wi_error_trail_length(error), 0);
    assert_null(wi_error_trail(error, 0));
    wi_error_free(error);
}

typedef struct long_text {
    char *text;
    int errnum;
} long_text;

BODY(raise_text) {
    const long_text *message = arg;
    if (message->errnum) wi_raise_errno(message->errnum, "%s", message->text);
    wi_raise(WI_VALUE_ERROR, "%s", message->text);
}

static void expect_whole_message(size_t length, int errnum) {
    long_text sent = {malloc(length + 1), errnum};
    memset(sent.text, 'x', length);
    sent.text[length] = '\0';
    wi_error *error = error_of(raise_text, &sent);
    const char *message = wi_error_message(error);
    assert_memory_equal(message, sent.text, length);
    assert_string_equal(message + length, errnum ? ": No such file or directory" : "");
    wi_error_free(error);
    free(sent.text);
}

TEST(messages_of_any_length_are_kept_whole) {
    for (size_t length = 0; length < 420; length++) {
        expect_whole_message(length, 0);
        expect_whole_message(length, ENOENT);
    }
    expect_whole_message(1000000, 0);
    expect_whole_message(1000000, ENOENT);
}

BODY(raise_what_cannot_be_formatted) { wi_raise(WI_VALUE_ERROR, "%lc", (wint_t)0x20ac); }

TEST(a_message_that_cannot_be_formatted_is_its_format) {
    expect_raised(raise_what_cannot_be_formatted, "WI_VALUE_ERROR %lc"); /* no € in the C locale */
}

TEST(freeing_no_error_does_nothing) { wi_error_free(NULL); }

/* ---- errno values ---- */

TEST(errno_values_have_kinds) {
    static const struct {
        int errnum;
        const wi_error_type *kind;
    } known[] = {
        {ENOENT, WI_FILE_NOT_FOUND},
        {EEXIST, WI_FILE_EXISTS},
        {EACCES, WI_PERMISSION_ERROR},
        {EPERM, WI_PERMISSION_ERROR},
        {EROFS, WI_PERMISSION_ERROR},
        {EISDIR, WI_IS_A_DIRECTORY},
        {ENOTDIR, WI_NOT_A_DIRECTORY},
        {ENOSPC, WI_DISK_FULL},
        {EDQUOT, WI_DISK_FULL},
        {EPIPE, WI_BROKEN_PIPE},
        {EBUSY, WI_BUSY_ERROR},
        {EAGAIN, WI_BUSY_ERROR},
        {ETIMEDOUT, WI_TIMEOUT_ERROR},
        {ENOMEM, WI_MEMORY_ERROR},
        {EINVAL, WI_VALUE_ERROR},
        {EDOM, WI_VALUE_ERROR},
        {EIO, WI_OS_ERROR},
        {ECONNRESET, WI_OS_ERROR},
        {0, WI_OS_ERROR},
        {-1, WI_OS_ERROR},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_ptr_equal(wi_error_type_of_errno(known[i].errnum), known[i].kind);
}

static int evaluations;
static int open_missing(void) {
    evaluations++;
    return open("/nonexistent/ber.csv", O_RDONLY);
}

BODY(check_a_bad_descriptor) { wi_check_errno(open_missing(), "open %s", "ber.csv"); }
BODY(check_a_null) { wi_check_null(fopen("/nonexistent/ber.csv", "r"), "open %s", "ber.csv"); }
BODY(check_a_code) { wi_check_code(EBUSY, "lock the %s", "queue"); }

TEST(a_failed_check_raises_the_errno_value) {
    evaluations = 0;
    expect_raised(check_a_bad_descriptor,
                  "WI_FILE_NOT_FOUND open ber.csv: No such file or directory");
    assert_int_equal(evaluations, 1);
    expect_raised(check_a_null, "WI_FILE_NOT_FOUND open ber.csv: No such file or directory");
    expect_raised(check_a_code, "WI_BUSY_ERROR lock the queue: Device or resource busy");
    wi_error *error = error_of(check_a_code, NULL);
    assert_int_equal(wi_error_errno(error), EBUSY);
    wi_error_free(error);
}

TEST(a_check_that_holds_gives_the_value_back) {
    int value = 7, *pointer = &value;
    assert_int_equal(wi_check_errno(value++, "never"), 7);
    assert_int_equal(value, 8);
    assert_ptr_equal(wi_check_null(pointer, "never"), &value);
    assert_int_equal(wi_check_code(0, "never"), 0);
    assert_int_equal(wi_check_errno(-2L, "only -1 is an error"), -2);
}

/* ---- causes and contexts ---- */

BODY(raise_from_a_borrowed_cause) {
    wi_try {
        raise_value_error(NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        wi_raise_from(error, WI_OS_ERROR, "sweep failed");
    }
}

TEST(a_borrowed_error_can_be_a_cause_and_is_the_context_as_well) {
    expect_raised(raise_from_a_borrowed_cause,
                  "WI_OS_ERROR sweep failed {cause: WI_VALUE_ERROR snr_db: 0.5 is not finite} "
                  "{context: WI_VALUE_ERROR snr_db: 0.5 is not finite}");
}

BODY(raise_from_an_owned_cause) {
    wi_raise_from(error_of(raise_value_error, NULL), WI_OS_ERROR, "sweep failed");
}

TEST(an_owned_error_can_be_a_cause_and_is_taken_over) {
    expect_raised(raise_from_an_owned_cause,
                  "WI_OS_ERROR sweep failed {cause: WI_VALUE_ERROR snr_db: 0.5 is not finite}");
}

BODY(raise_from_nothing) { wi_raise_from(NULL, WI_OS_ERROR, "boom"); }

TEST(the_cause_may_be_missing) { expect_raised(raise_from_nothing, "WI_OS_ERROR boom"); }

BODY(raise_while_handling) {
    wi_try {
        raise_value_error(NULL);
    } wi_catch (WI_ERROR, error) {
        wi_raise(WI_OS_ERROR, "clean-up failed");
    }
}

TEST(an_error_raised_while_another_is_handled_has_it_as_context) {
    expect_raised(raise_while_handling, "WI_OS_ERROR clean-up failed "
                                        "{context: WI_VALUE_ERROR snr_db: 0.5 is not finite}");
}

BODY(raise_after_handling) {
    wi_try {
        raise_value_error(NULL);
    } wi_catch (WI_ERROR, error) {
    }
    wi_raise(WI_OS_ERROR, "unrelated");
}

TEST(an_error_raised_after_another_was_handled_has_no_context) {
    expect_raised(raise_after_handling, "WI_OS_ERROR unrelated");
}

/* ---- raising again ---- */

BODY(reraise_borrowed) {
    within (TRACER("outer")) {
        wi_try {
            within (TRACER("inner")) raise_here(NULL);
        } wi_catch (WI_ERROR, error) {
            wi_reraise(error);
        }
    }
}

BODY(reraise_owned) {
    within (TRACER("outer")) {
        wi_error *error;
        within (TRACER("inner")) wi_call(raise_here, NULL, &error);
        wi_reraise(error);
    }
}

TEST(raising_again_keeps_the_place_and_adds_to_the_trail) {
    wi_error *error = error_of(reraise_borrowed, NULL);
    assert_int_equal(wi_error_place(error)->line, RAISED_AT_LINE);
    assert_int_equal(wi_error_trail_length(error), 2);
    assert_string_equal(wi_error_trail(error, 0)->what, "inner");
    assert_string_equal(wi_error_trail(error, 1)->what, "outer");
    assert_null(wi_error_context(error));
    wi_error_free(error);
    expect_happened("+outer +inner -inner:raised(here) -outer:raised(here)");
}

TEST(an_owned_error_can_be_raised_again) {
    wi_error *error = error_of(reraise_owned, NULL);
    assert_int_equal(wi_error_place(error)->line, RAISED_AT_LINE);
    assert_int_equal(wi_error_trail_length(error), 1);
    wi_error_free(error);
    expect_happened("+outer +inner -inner:end -outer:raised(here)");
}

BODY(reraise_argument) { wi_reraise(arg); }

BODY(reraise_in_a_call_and_after_it) {
    wi_try {
        raise_here(NULL);
    } wi_catch (WI_ERROR, error) {
        wi_error_free(error_of(reraise_argument, (void *)error));
        wi_reraise(error);
    }
}

TEST(a_borrowed_error_stays_borrowed_when_a_call_has_handed_it_out_and_it_was_freed) {
    expect_raised(reraise_in_a_call_and_after_it, "WI_VALUE_ERROR here");
}

BODY(reraise_nothing) { wi_reraise(NULL); }

TEST(raising_no_error_again_is_a_usage_error) {
    expect_raised(reraise_nothing, "WI_USAGE_ERROR wi_reraise: there is no error to raise again");
}

/* ---- the trail ---- */

enum { DEEP = 100 };

static void raise_from_the_depth(int depth) {
    if (depth == DEEP) wi_raise(WI_VALUE_ERROR, "deep");
    within (TRACER("a")) raise_from_the_depth(depth + 1);
}
BODY(raise_deep) { raise_from_the_depth(0); }

TEST(the_trail_names_each_block_passed_and_its_place) {
    wi_error *error = error_of(raise_deep, NULL);
    const wi_trail_entry *first = wi_error_trail(error, 0);
    assert_string_equal(first->manager, "tracer");
    assert_string_equal(first->what, "a");
    assert_string_equal(first->place->function, "raise_from_the_depth");
    wi_error_free(error);
    happened[0] = '\0';
}

TEST(a_trail_beyond_WI_TRAIL_MAX_is_counted_and_not_kept) {
    wi_error *error = error_of(raise_deep, NULL);
    assert_int_equal(wi_error_trail_length(error), DEEP);
    assert_non_null(wi_error_trail(error, WI_TRAIL_MAX - 1));
    assert_null(wi_error_trail(error, WI_TRAIL_MAX));
    assert_null(wi_error_trail(error, DEEP));
    char text[16384];
    assert_true(wi_error_format(error, text, sizeof text) < sizeof text);
    assert_non_null(strstr(text, "  left 36 blocks more\n"));
    wi_error_free(error);
    happened[0] = '\0';
}

/* ---- as text ---- */

enum { LINE = __LINE__ };
BODY(raise_the_cause) { wi_raise(WI_OS_ERROR, "disk on fire"); }
BODY(raise_with_trail_and_cause) {
    within (TRACER("step 7"))
        within (wi_exit_stack())
            wi_raise_from(error_of(raise_the_cause, NULL), WI_VALUE_ERROR, "bad row");
}
BODY(raise_with_context) {
    wi_try {
        raise_the_cause(NULL);
    } wi_catch (WI_ERROR, error) {
        wi_raise(WI_VALUE_ERROR, "bad row");
    }
}

/* In `expected`, "@n" is a place in this file, n lines below LINE. */
static void expect_text(void (*body)(void *arg), const char *expected) {
    char wanted[2000], text[2000];
    size_t length = 0;
    for (const char *next = expected; *next;) {
        if (*next == '@')
            length += (size_t)sprintf(wanted + length, "at %s:%ld", __FILE__,
                                      LINE + strtol(next + 1, (char **)&next, 10));
        else
            wanted[length++] = *next++;
    }
    wanted[length] = '\0';
    wi_error *error = error_of(body, NULL);
    assert_int_equal(wi_error_format(error, text, sizeof text), length);
    wi_error_free(error);
    assert_string_equal(text, wanted);
    happened[0] = '\0';
}

TEST(the_text_has_kind_message_place_trail_and_cause) {
    expect_text(raise_with_trail_and_cause,
                "WI_VALUE_ERROR: bad row\n"
                "  raised @5 in raise_with_trail_and_cause\n"
                "  left exit stack @4 in raise_with_trail_and_cause\n"
                "  left tracer \"step 7\" @3 in raise_with_trail_and_cause\n"
                "caused by WI_OS_ERROR: disk on fire\n"
                "  raised @1 in raise_the_cause\n");
}

TEST(the_text_has_the_context_when_there_is_no_cause) {
    expect_text(raise_with_context, "WI_VALUE_ERROR: bad row\n"
                                    "  raised @11 in raise_with_context\n"
                                    "while handling WI_OS_ERROR: disk on fire\n"
                                    "  raised @1 in raise_the_cause\n");
}

TEST(the_text_is_cut_to_its_buffer_and_its_length_is_still_told) {
    wi_error *error = error_of(raise_with_trail_and_cause, NULL);
    char whole[2000], part[2000];
    size_t length = wi_error_format(error, whole, sizeof whole);
    assert_int_equal(length, strlen(whole));
    assert_int_equal(wi_error_format(error, NULL, 0), length);
    for (size_t size = 1; size <= length + 2; size++) {
        memset(part, '?', sizeof part);
        assert_int_equal(wi_error_format(error, part, size), length);
        assert_int_equal(strlen(part), size - 1 < length ? size - 1 : length);
        assert_memory_equal(part, whole, strlen(part));
        assert_int_equal(part[size], '?');
    }
    wi_error_free(error);
    happened[0] = '\0';
}

TEST(no_error_is_no_text) {
    char text[] = "before";
    assert_int_equal(wi_error_format(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
}

/* ---- long chains ---- */

BODY(raise_retry) { wi_raise_from(arg, WI_OS_ERROR, "retry"); }

BODY(chain_ten_thousand_causes) {
    wi_error *error = error_of(raise_value_error, NULL);
    for (int i = 0; i < 10000; i++) error = error_of(raise_retry, error);
    size_t length = wi_error_format(error, NULL, 0);
    char *text = malloc(length + 1);
    wi_error_format(error, text, length + 1);
    *(int *)arg = strstr(text, "WI_VALUE_ERROR: snr_db: 0.5 is not finite") != NULL;
    free(text);
    wi_error_free(error);
}

TEST(ten_thousand_causes_fit_on_a_small_stack) {
    int reached_the_first = 0;
    on_a_small_stack(chain_ten_thousand_causes, &reached_the_first);
    assert_true(reached_the_first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(every_kind_of_the_library_is_below_WI_ERROR_and_bears_its_name),
        test(a_kind_is_itself_and_its_ancestors_and_nothing_else),
        test(users_add_kinds_of_their_own),
        test(no_error_is_of_no_kind),
        test(an_error_without_a_kind_is_a_WI_ERROR),
        test(an_error_knows_where_it_was_raised),
        test(a_plain_error_has_a_formatted_message_and_nothing_else),
        test(messages_of_any_length_are_kept_whole),
        test(a_message_that_cannot_be_formatted_is_its_format),
        test(freeing_no_error_does_nothing),
        test(errno_values_have_kinds),
        test(a_failed_check_raises_the_errno_value),
        test(a_check_that_holds_gives_the_value_back),
        test(a_borrowed_error_can_be_a_cause_and_is_the_context_as_well),
        test(an_owned_error_can_be_a_cause_and_is_taken_over),
        test(the_cause_may_be_missing),
        test(an_error_raised_while_another_is_handled_has_it_as_context),
        test(an_error_raised_after_another_was_handled_has_no_context),
        test(raising_again_keeps_the_place_and_adds_to_the_trail),
        test(an_owned_error_can_be_raised_again),
        test(a_borrowed_error_stays_borrowed_when_a_call_has_handed_it_out_and_it_was_freed),
        test(raising_no_error_again_is_a_usage_error),
        test(the_trail_names_each_block_passed_and_its_place),
        test(a_trail_beyond_WI_TRAIL_MAX_is_counted_and_not_kept),
        test(the_text_has_kind_message_place_trail_and_cause),
        test(the_text_has_the_context_when_there_is_no_cause),
        test(the_text_is_cut_to_its_buffer_and_its_length_is_still_told),
        test(no_error_is_no_text),
        test(ten_thousand_causes_fit_on_a_small_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
