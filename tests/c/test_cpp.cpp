/* C++: exceptions through C frames, errors in C++ programs, and every macro in C++ code. */
#include "helpers.h"
#include "test_cpp_frames.h"

#include <cerrno>
#include <stdexcept>
#include <string>

#include <within/atomic_file.h>
#include <within/closing.h>
#include <within/file.h>
#include <within/lock.h>

namespace {

void hear(const char *words) { note("%s", words); }

/* A destructor that notes. */
struct guard {
    const char *name;
    ~guard() { note("~%s", name); }
};

void throw_something(void *) { throw std::runtime_error("thrown"); }
void do_nothing(void *) {}
void raise_value(void *) { wi_raise(WI_VALUE_ERROR, "value"); }

/* Calls `function` and notes what it throws. */
template <class Function> void note_thrown(Function function) {
    try {
        function();
    } catch (const std::exception &exception) {
        note("%s", exception.what());
    }
}

/* ---- C++ exceptions through C frames ---- */

TEST(an_exception_through_c_frames_leaves_every_block_once) {
    note_thrown([] { call_in_c_blocks(throw_something, nullptr, hear); });
    expect_happened("left left left thrown");
}

TEST(without_an_exception_the_same_blocks_end) {
    call_in_c_blocks(do_nothing, nullptr, hear);
    expect_happened("end finally end left");
}

TEST(an_exception_leaves_no_error_being_handled) {
    note_thrown([] { call_in_c_blocks(throw_something, nullptr, hear); });
    happened[0] = '\0';
    expect_raised(raise_value, "WI_VALUE_ERROR value");
}

TEST(an_exception_leaves_blocks_in_c_plus_plus) {
    note_thrown([] {
        guard outer = {"outer"};
        within (TRACER("a")) {
            guard inner = {"inner"};
            wi_use(TRACER("b"));
            throw_something(nullptr);
        }
    });
    expect_happened("+a +b -b:left ~inner -a:left ~outer thrown");
}

TEST(an_exception_may_leave_a_wi_call) {
    note_thrown([] {
        wi_error *error;
        within (TRACER("a")) wi_call(throw_something, nullptr, &error);
    });
    expect_happened("+a -a:left thrown");
}

void say(void *words) { note("%s", static_cast<const char *>(words)); }
char *text(const char *words) { return const_cast<char *>(words); }

TEST(an_exception_out_of_a_callback_lets_the_others_on_its_stack_run) {
    note_thrown([] {
        within (stack, wi_exit_stack()) {
            wi_stack_enter(stack, TRACER("a"));
            for (int i = 0; i < 5; i++) wi_stack_callback(stack, say, text("b"));
            wi_stack_callback(stack, throw_something, nullptr);
            wi_stack_callback(stack, say, text("c"));
        }
    });
    expect_happened("+a c b b b b b -a:left thrown");
}

TEST(an_exception_out_of_the_last_callback_leaks_nothing) {
    note_thrown([] {
        wi_exit_stack stack = wi_exit_stack();
        wi_stack_callback(&stack, throw_something, nullptr);
        for (int i = 0; i < 5; i++) wi_stack_callback(&stack, say, text("b"));
        wi_stack_close(&stack);
    });
    expect_happened("b b b b b thrown");
}

TEST(an_exception_out_of_a_callback_ends_the_error_of_another_callback) {
    note_thrown([] {
        within (stack, wi_exit_stack()) {
            wi_stack_callback(stack, throw_something, nullptr);
            wi_stack_callback(stack, raise_value, nullptr);
        }
    });
    expect_happened("thrown");
}

wi_verdict throwing_exit(void *, wi_reason, const wi_error *) { throw std::runtime_error("exit"); }
const wi_protocol thrower_protocol = {"thrower", nullptr, throwing_exit, nullptr};
struct thrower {
    const wi_protocol *protocol;
};

TEST(an_exception_out_of_an_exit_ends_the_error_that_was_passing) {
    within (TRACER("a")) {
        note_thrown([] {
            within (TRACER("b"))
                within (wi_make(thrower)) raise_value(nullptr);
        });
        expect_raised(raise_value, "WI_VALUE_ERROR value");
    }
    expect_happened("+a +b -b:left exit -a:end");
}

void throwing_enter(void *) { throw std::runtime_error("enter"); }
const wi_suppressing_protocol refuser_protocol = {{"refuser", throwing_enter, nullptr, nullptr}, 1};
struct refuser {
    const wi_suppressing_protocol *protocol;
};

TEST(an_exception_out_of_an_enter_leaves_nothing_open) {
    note_thrown([] {
        within (wi_make(refuser)) note("skipped");
    });
    expect_raised(raise_value, "WI_VALUE_ERROR value");
    expect_happened("enter");
}

/* ---- errors in a C++ program ---- */

TEST(a_raise_in_c_is_caught_by_wi_try_in_c_plus_plus) {
    wi_try {
        raise_in_c(reinterpret_cast<void *>(hear));
    } wi_catch (WI_OS_ERROR, error) {
        note("wrong");
    } wi_catch (WI_VALUE_ERROR, error) {
        note("%s", wi_error_message(error));
    } wi_finally {
        note("finally");
    }
    expect_happened("raised from C finally");
}

TEST(a_raise_in_c_is_caught_by_wi_call_and_destructors_outside_run) {
    wi_error *error;
    {
        guard outer = {"outer"};
        assert_int_equal(wi_call(raise_in_c, reinterpret_cast<void *>(hear), &error), 0);
        assert_true(wi_error_is(error, WI_VALUE_ERROR));
    }
    wi_error_free(error);
    expect_happened("raised ~outer");
}

wi_define_error(SOLVER_ERROR, WI_ARITHMETIC_ERROR);

BODY(raise_solver_error) { wi_raise(SOLVER_ERROR, "no convergence in %d steps", 9); }
BODY(check_a_code) { wi_check_code(ETIMEDOUT, "wait for %s", "rank 1"); }
BODY(check_a_null) {
    errno = ENOENT;
    wi_check_null(static_cast<char *>(nullptr), "open %s", "ber.csv");
}
BODY(check_an_errno) {
    errno = EACCES;
    wi_check_errno(-1, "open %s", "ber.csv");
}
BODY(raise_from_owned) { wi_raise_from(error_of(raise_value, nullptr), SOLVER_ERROR, "gave up"); }

TEST(errors_are_raised_and_defined_in_c_plus_plus) {
    expect_raised(raise_solver_error, "SOLVER_ERROR no convergence in 9 steps");
    expect_raised(raise_from_owned, "SOLVER_ERROR gave up {cause: WI_VALUE_ERROR value}");
    expect_raised(check_a_code, "WI_TIMEOUT_ERROR wait for rank 1: Connection timed out");
    expect_raised(check_a_null, "WI_FILE_NOT_FOUND open ber.csv: No such file or directory");
    expect_raised(check_an_errno, "WI_PERMISSION_ERROR open ber.csv: Permission denied");
    assert_int_equal(wi_check_errno(3, "never"), 3);
}

/* ---- every macro ---- */

wi_generator(counter, const char *name; int runs) {
    wi_begin;
    self->runs++;
    note("+%s", self->name);
    wi_yield;
    note("-%s", self->name);
    if (error) note("(%s)", wi_error_message(error));
}

wi_suppressing_generator(forgiving, const char *name) {
    wi_begin;
    note("+%s", self->name);
    wi_yield;
    note("-%s", self->name);
    self->verdict = WI_SUPPRESS;
}

int return_from_blocks() {
    within (a, TRACER("a"))
        within (wi_suppress(WI_ERROR)) return a->entered;
    return 0;
}

TEST(blocks_nest_and_are_left_in_c_plus_plus) {
    tracer kept = TRACER("kept");
    within (again, &kept) assert_ptr_equal(again, &kept);
    for (int i = 0; i < 2; i++)
        within (TRACER("loop")) {
            if (i == 0) continue;
            note("%d", i);
        }
    assert_int_equal(return_from_blocks(), 1);
    assert_int_equal(kept.exited, 1);
    expect_happened("+kept -kept:end +loop -loop:end +loop 1 -loop:end +a -a:left");
}

TEST(errors_are_suppressed_in_c_plus_plus) {
    within (wi_suppress(WI_OS_ERROR, WI_VALUE_ERROR)) raise_value(nullptr);
    within (SWALLOWER("s", .kind = WI_VALUE_ERROR)) raise_value(nullptr);
    expect_happened("~value +s -s:raised(value) ~value");
}

TEST(generators_work_in_c_plus_plus) {
    within (c, wi_make(counter, .name = "c")) note("%d", c->runs);
    within (wi_make(forgiving, .name = "f")) raise_value(nullptr);
    expect_happened("+c 1 -c +f -f ~value");
}

TEST(exit_stacks_work_in_c_plus_plus) {
    wi_exit_stack kept = wi_exit_stack();
    within (stack, wi_exit_stack()) {
        counter *c = wi_stack_enter(stack, wi_make(counter, .name = "c"));
        assert_int_equal(c->runs, 1);
        wi_stack_callback(stack, say, text("called"));
        kept = wi_stack_pop_all(stack);
    }
    note("kept");
    wi_stack_close(&kept);
    expect_happened("+c kept called -c");
}

/* ---- every manager ---- */

int closed_number;
int close_number(int number) { return closed_number = number, 0; }
void end_text(std::string *content) noexcept { content->clear(); }

TEST(anything_is_closed_in_c_plus_plus) {
    std::string content = "content";
    within (number, wi_closing(7, close_number)) assert_int_equal(number->handle, 7);
    assert_int_equal(closed_number, 7);
    within (closing, wi_closing(&content, end_text))
        assert_string_equal(closing->handle->c_str(), "content");
    assert_true(content.empty());
    within (memory, wi_closing(static_cast<char *>(malloc(7)), free)) memory->handle[6] = 0;
}

TEST(files_and_locks_work_in_c_plus_plus) {
    char path[] = "/tmp/within-cpp-XXXXXX", text[8] = "";
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    close(mkstemp(path));
    within (file, wi_atomic_file(path, .size = 10, .no_sync = 1)) fputs("new", file->stream);
    within (file, wi_file(path, "r")) assert_non_null(fgets(text, sizeof text, file->stream));
    assert_string_equal(text, "new");
    within (file, wi_atomic_path(path, .no_sync = 1)) fclose(fopen(file->temporary, "w"));
    within (wi_lock(&mutex))
        within (wi_write_lock(&rwlock)) remove(path);
    within (wi_read_lock(&rwlock)) assert_int_not_equal(access(path, F_OK), 0);
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        test(an_exception_through_c_frames_leaves_every_block_once),
        test(without_an_exception_the_same_blocks_end),
        test(an_exception_leaves_no_error_being_handled),
        test(an_exception_leaves_blocks_in_c_plus_plus),
        test(an_exception_may_leave_a_wi_call),
        test(an_exception_out_of_a_callback_lets_the_others_on_its_stack_run),
        test(an_exception_out_of_the_last_callback_leaks_nothing),
        test(an_exception_out_of_a_callback_ends_the_error_of_another_callback),
        test(an_exception_out_of_an_exit_ends_the_error_that_was_passing),
        test(an_exception_out_of_an_enter_leaves_nothing_open),
        test(a_raise_in_c_is_caught_by_wi_try_in_c_plus_plus),
        test(a_raise_in_c_is_caught_by_wi_call_and_destructors_outside_run),
        test(errors_are_raised_and_defined_in_c_plus_plus),
        test(blocks_nest_and_are_left_in_c_plus_plus),
        test(errors_are_suppressed_in_c_plus_plus),
        test(generators_work_in_c_plus_plus),
        test(exit_stacks_work_in_c_plus_plus),
        test(anything_is_closed_in_c_plus_plus),
        test(files_and_locks_work_in_c_plus_plus),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
