/* wi_environment: variables for a block, and the whole environment as it was afterwards. */
#include "file_helpers.h"
#include "record_helpers.h"

#include <malloc.h>

extern char **environ;

static const char *value_of(const char *name) {
    const char *value = getenv(name);
    return value ? value : "(not set)";
}

/* The environment as one text, in its order. */
static const char *all(void) {
    static char texts[4][1 << 14];
    static int turn;
    char *text = texts[turn++ % 4];
    text[0] = '\0';
    for (char **each = environ; each && *each; each++) sprintf(text + strlen(text), "%s\n", *each);
    return text;
}

/* Few variables, known ones. */
static void begin_with(const char *a, const char *b) {
    clearenv();
    if (a) setenv("A", a, 1);
    if (b) setenv("B", b, 1);
    setenv("LAST", "z", 1);
}

/* ---- set, unset, restored ---- */

alone(variables_are_set_and_unset_for_the_block) {
    begin_with("1", NULL);
    setenv("EMPTY", "", 1);
    within (wi_environment({"A", "2"}, {"B", "new"}, {"LAST", NULL}, {"C", ""})) {
        expect_text(all(), "A=2\nEMPTY=\nB=new\nC=\n");
        expect_text(value_of("LAST"), "(not set)");
    }
    expect_text(all(), "A=1\nLAST=z\nEMPTY=\n");
}

alone(programs_started_in_the_block_have_them) {
    within (wi_environment({"SOLVER", "fast"}, {"HOME", NULL}))
        expect_count(system("test \"$SOLVER\" = fast && test -z \"${HOME+set}\""), 0);
    expect_count(system("test -z \"${SOLVER+set}\""), 0);
}

static void set_and_unset(void) {
    setenv("A", "other", 1);
    unsetenv("B");
    static char put[] = "PUT=1";
    putenv(put);
    setenv("NEW", "long enough for memory of its own", 1);
}
static void clear(void) { clearenv(); }
static void clear_and_set(void) {
    clearenv();
    setenv("LAST", "first", 1);
}
static void set_again(void) {
    unsetenv("A");
    setenv("A", "1", 1);
}
static void make_one(void) {
    static char *made[] = {(char *)"OTHER=1", NULL};
    environ = made;
}
static void do_nothing(void) {}

alone(whatever_the_body_does_is_undone) {
    void (*bodies[])(void) = {set_and_unset, clear, clear_and_set, set_again, make_one, do_nothing};
    begin_with("1", "2");
    for (size_t i = 0; i < 2 * sizeof bodies / sizeof *bodies; i++) {
        within (wi_environment()) bodies[i / 2]();
        expect_text(all(), "A=1\nB=2\nLAST=z\n");
        within (wi_environment({"A", "3"}, {"D", "4"}, {"LAST", NULL})) bodies[i / 2]();
        expect_text(all(), "A=1\nB=2\nLAST=z\n");
    }
}

alone(no_environment_at_all_is_restored_too) {
    environ = NULL;
    within (wi_environment({"A", "1"})) expect_text(value_of("A"), "1");
    expect(environ == NULL);
    within (wi_environment()) setenv("A", "1", 1);
    expect(environ == NULL);
}

alone(a_block_that_changes_nothing_leaves_the_array_alone) {
    char **before = environ;
    within (wi_environment()) expect(environ == before);
    expect(environ == before);
}

alone(of_a_name_that_comes_twice_the_last_value_counts) {
    begin_with("1", NULL);
    within (wi_environment({"A", "2"}, {"A", "3"}, {"B", "4"}, {"B", NULL}))
        expect_text(all(), "A=3\nLAST=z\n");
    expect_text(all(), "A=1\nLAST=z\n");
}

alone(a_variable_that_is_there_twice_is_one_in_the_block) {
    char *twice[] = {(char *)"A=1", (char *)"B=2", (char *)"A=3", (char *)"ODD", NULL};
    environ = twice;
    within (wi_environment({"A", "4"})) expect_text(all(), "A=4\nB=2\nODD\n");
    expect_text(all(), "A=1\nB=2\nA=3\nODD\n");
    within (wi_environment({"A", NULL})) expect_text(all(), "B=2\nODD\n");
    expect_text(all(), "A=1\nB=2\nA=3\nODD\n");
}

/* ---- every way out ---- */

static void return_from_it(void) {
    within (wi_environment({"A", "2"})) return;
}
static void raise_in_it(void *unused) {
    (void)unused;
    within (wi_environment({"A", "2"}, {"TOKEN", "secret"})) wi_raise(WI_VALUE_ERROR, "enough");
}
static void *wait_in_it(void *begun) {
    within (wi_environment({"A", "2"})) {
        __atomic_store_n((int *)begun, 1, __ATOMIC_RELEASE);
        for (;;) pause();
    }
    return NULL;
}

alone(it_is_restored_on_every_way_out) {
    begin_with("1", NULL);
    return_from_it();
    expect_text(all(), "A=1\nLAST=z\n");
    expect_raised(raise_in_it, NULL, WI_VALUE_ERROR, "enough");
    expect_text(all(), "A=1\nLAST=z\n");
    int begun = 0;
    pthread_t thread = start(wait_in_it, &begun);
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE)) usleep(1000);
    expect_text(value_of("A"), "2");
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    expect_text(all(), "A=1\nLAST=z\n");
}

/* ---- pointers and memory ---- */

alone(pointers_that_getenv_gave_stay_what_they_are) {
    begin_with("1", "2");
    const char *a = getenv("A"), *b = getenv("B"), *last = getenv("LAST");
    for (int i = 0; i < 3; i++) {
        within (wi_environment({"A", "3"}, {"B", NULL})) continue;
        expect(getenv("A") == a && getenv("B") == b && getenv("LAST") == last);
    }
    within (wi_environment()) clearenv();
    expect_text(a, "1");
    expect_text(last, "z");
    expect_text(value_of("B"), "2");
}

alone(a_pointer_of_an_open_block_is_not_used_for_another) {
    begin_with(NULL, NULL);
    within (wi_environment({"A", "outer"})) {
        const char *outer = getenv("A");
        within (wi_environment({"A", NULL})) {
            within (wi_environment({"B", "inner"})) expect_text(outer, "outer");
        }
        expect(getenv("A") == outer);
    }
}

alone(a_string_of_the_programs_own_stays_in_its_place) {
    begin_with(NULL, NULL);
    char own[] = "OWN=1";
    putenv(own);
    within (wi_environment({"OWN", "2"})) expect_text(value_of("OWN"), "2");
    expect(getenv("OWN") == own + 4);
    within (wi_environment({"A", "2"})) continue;
    own[4] = '5';
    expect_text(value_of("OWN"), "5");
}

alone(a_string_that_was_written_over_has_its_old_value) {
    begin_with(NULL, NULL);
    char own[] = "OWN=1";
    putenv(own);
    within (wi_environment()) own[4] = '2';
    expect_text(value_of("OWN"), "1");
    expect_text(own, "OWN=2");
}

alone(a_string_that_was_freed_has_its_old_value) {
    begin_with(NULL, NULL);
    char *own = strdup("OWN=1");
    putenv(own);
    within (wi_environment({"A", "2"})) {
        unsetenv("OWN");
        memset(own, 'x', 5);
        free(own);
    }
    expect_text(value_of("OWN"), "1");
    for (int i = 0; i < 3; i++)
        within (wi_environment({"A", "2"})) unsetenv("OWN");
    expect_text(value_of("OWN"), "1");
}

/* Bytes that malloc has given and not got back. */
static size_t allocated(void) { return mallinfo2().uordblks; }

static void set_and_restore(int i) {
    char value[32];
    snprintf(value, sizeof value, "%d", i);
    within (wi_environment({"STEP", value}, {"A", NULL})) {
        within (wi_environment({"STEP", "inner"})) clearenv();
    }
}

alone(its_cost_does_not_grow_with_the_number_of_blocks) {
    begin_with("1", "2");
    for (int i = 0; i < 100; i++) set_and_restore(i);
    size_t before = allocated();
    for (int i = 0; i < 20000; i++) set_and_restore(i);
    expect_count(allocated(), before);
}

alone(values_of_growing_length_take_memory_of_their_length_and_no_more) {
    static char value[1 << 16];
    begin_with("1", "2");
    size_t before = allocated();
    for (size_t length = 0; length + 1 < sizeof value; length += 16) {
        memset(value, 'x', length);
        within (wi_environment({"LONG", value})) expect_count(strlen(getenv("LONG")), length);
    }
    if (before) expect(allocated() < before + 4 * sizeof value);
}

/* ---- bad input ---- */

static void enter_variables(void *variable) {
    const wi_variable variables[] = {{"A", "2"}, *(const wi_variable *)variable};
    within (wi_environment_of(variables, 2)) expect(!"entered");
}
static void list_no_name(void *unused) {
    (void)unused;
    within (wi_environment({NULL, "1"}, {"A", "2"})) expect(!"entered");
}
static void enter_twice(void *environment) {
    within ((wi_environment *)environment)
        within ((wi_environment *)environment) expect(!"entered");
}

alone(a_name_that_cannot_be_is_refused_and_nothing_changed) {
    begin_with("1", NULL);
    char **before = environ;
    wi_variable none = {NULL, "1"}, empty = {"", NULL}, equals = {"B=C", "1"};
    const char *must_not_be_empty = "environment: the name of a variable must not be empty";
    expect_raised(enter_variables, &none, WI_VALUE_ERROR, must_not_be_empty);
    expect_raised(enter_variables, &empty, WI_VALUE_ERROR, must_not_be_empty);
    expect_raised(enter_variables, &equals, WI_VALUE_ERROR,
                  "environment: the name of a variable must not have a '=': B=C");
    expect_raised(list_no_name, NULL, WI_VALUE_ERROR, must_not_be_empty);
    expect(environ == before);
    expect_text(all(), "A=1\nLAST=z\n");
}

alone(a_manager_is_open_once_at_a_time) {
    begin_with("1", NULL);
    wi_environment manager = wi_environment({"A", "2"});
    expect_raised(enter_twice, &manager, WI_USAGE_ERROR,
                  "environment: this wi_environment is open already");
    expect_text(all(), "A=1\nLAST=z\n");
    within (&manager) expect_text(value_of("A"), "2");
    expect_text(all(), "A=1\nLAST=z\n");
}

alone(a_list_may_be_made_at_run_time) {
    enum { MANY = 300 };
    wi_variable variables[MANY];
    char names[MANY][16];
    begin_with("1", NULL);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "V%d", i);
        variables[i] = (wi_variable){names[i], i % 2 ? "odd" : "even"};
    }
    within (wi_environment_of(variables, MANY)) {
        expect_text(value_of("V0"), "even");
        expect_text(value_of("V299"), "odd");
        expect_text(value_of("A"), "1");
    }
    within (wi_environment_of(NULL, 0)) expect_text(value_of("V0"), "(not set)");
    expect_text(all(), "A=1\nLAST=z\n");
}

/* ---- several blocks ---- */

alone(nested_blocks_restore_what_each_found) {
    begin_with("1", NULL);
    within (wi_environment({"A", "2"}, {"B", "2"})) {
        setenv("C", "2", 1);
        within (wi_environment({"A", "3"}, {"B", NULL}, {"C", NULL}))
            expect_text(all(), "A=3\nLAST=z\n");
        expect_text(all(), "A=2\nLAST=z\nB=2\nC=2\n");
    }
    expect_text(all(), "A=1\nLAST=z\n");
}

alone(an_older_block_that_ends_first_takes_back_its_own) {
    begin_with("1", NULL);
    wi_exit_stack older = wi_exit_stack(), newer = wi_exit_stack();
    wi_stack_enter(&older, wi_environment({"A", "2"}, {"B", "2"}, {"OLDER", "1"}, {"LAST", NULL}));
    setenv("BETWEEN", "1", 1);
    wi_stack_enter(&newer, wi_environment({"A", "3"}, {"NEWER", "1"}));
    setenv("AFTER", "1", 1);
    wi_stack_close(&older);
    expect_text(all(), "A=3\nLAST=z\nNEWER=1\nAFTER=1\n");
    wi_stack_close(&newer);
    expect_text(all(), "A=1\nLAST=z\n");
}

static void leave_in_order(const int order[3]) {
    begin_with("1", "1");
    char before[256];
    strcpy(before, all());
    const char *a = getenv("A");
    wi_exit_stack stacks[3] = {wi_exit_stack(), wi_exit_stack(), wi_exit_stack()};
    wi_stack_enter(&stacks[0], wi_environment({"A", "2"}, {"B", NULL}, {"X", "2"}));
    wi_stack_enter(&stacks[1], wi_environment({"A", "3"}, {"Y", "3"}, {"LAST", "3"}));
    wi_stack_enter(&stacks[2], wi_environment({"B", "4"}, {"Z", "4"}, {"X", NULL}));
    for (int i = 0; i < 3; i++) {
        int newest_is_open = 1;
        for (int j = 0; j <= i; j++) newest_is_open &= order[j] != 2;
        wi_stack_close(&stacks[order[i]]);
        if (newest_is_open) expect_text(value_of("Z"), "4");
        if (newest_is_open) expect_text(value_of("B"), "4");
        if (!newest_is_open) expect_text(value_of("Z"), "(not set)");
    }
    expect_text(all(), before);
    expect(getenv("A") == a);
}

alone(blocks_may_end_in_any_order) {
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) leave_in_order(orders[i]);
    size_t before = allocated();
    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) leave_in_order(orders[i]);
    expect_count(allocated(), before);
}

static void *set_for_a_while(void *number) {
    char name[16], value[16];
    snprintf(name, sizeof name, "THREAD%d", *(int *)number);
    for (int i = 0; i < 300; i++) {
        snprintf(value, sizeof value, "%d", i);
        within (wi_environment({name, value}, {"A", value})) sched_yield();
    }
    return NULL;
}

alone(blocks_of_threads_leave_nothing_behind) {
    begin_with("1", NULL);
    int numbers[4] = {0, 1, 2, 3};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(set_for_a_while, &numbers[i]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    expect_text(all(), "A=1\nLAST=z\n");
}

/* ---- forks, the ledger, trails ---- */

alone(a_child_restores_its_own_environment) {
    begin_with("1", NULL);
    pid_t parent = getpid(), child = -1;
    within (wi_environment({"A", "2"})) {
        child = fork();
        if (child == 0) setenv("CHILD", "1", 1);
        if (child > 0) expect_count(exit_of(child), 0);
        expect_text(value_of("A"), "2");
    }
    expect_text(all(), "A=1\nLAST=z\n");
    if (getpid() != parent) _exit(0);
}

static void *begin_and_end(void *done) {
    while (!__atomic_load_n((int *)done, __ATOMIC_ACQUIRE))
        within (wi_environment({"A", "2"})) continue;
    return NULL;
}

alone(a_child_forked_while_a_block_begins_does_not_hang) {
    int done = 0;
    pthread_t thread = start(begin_and_end, &done);
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            within (wi_environment({"CHILD", "1"})) continue;
            _exit(0);
        }
        expect_count(exit_of(child), 0);
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}

alone(the_ledger_and_trails_have_the_names_and_no_values) {
    within (wi_environment({"A", "2"}, {"TOKEN", "secret"})) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "environment A, TOKEN");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(raise_in_it, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "environment");
    expect_text(wi_error_trail(error, 0)->what, "A, TOKEN");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(variables_are_set_and_unset_for_the_block),
        test(programs_started_in_the_block_have_them),
        test(whatever_the_body_does_is_undone),
        test(no_environment_at_all_is_restored_too),
        test(a_block_that_changes_nothing_leaves_the_array_alone),
        test(of_a_name_that_comes_twice_the_last_value_counts),
        test(a_variable_that_is_there_twice_is_one_in_the_block),
        test(it_is_restored_on_every_way_out),
        test(pointers_that_getenv_gave_stay_what_they_are),
        test(a_pointer_of_an_open_block_is_not_used_for_another),
        test(a_string_of_the_programs_own_stays_in_its_place),
        test(a_string_that_was_written_over_has_its_old_value),
        test(a_string_that_was_freed_has_its_old_value),
        test(its_cost_does_not_grow_with_the_number_of_blocks),
        test(values_of_growing_length_take_memory_of_their_length_and_no_more),
        test(a_name_that_cannot_be_is_refused_and_nothing_changed),
        test(a_manager_is_open_once_at_a_time),
        test(a_list_may_be_made_at_run_time),
        test(nested_blocks_restore_what_each_found),
        test(an_older_block_that_ends_first_takes_back_its_own),
        test(blocks_may_end_in_any_order),
        test(blocks_of_threads_leave_nothing_behind),
        test(a_child_restores_its_own_environment),
        test(a_child_forked_while_a_block_begins_does_not_hang),
        test(the_ledger_and_trails_have_the_names_and_no_values),
    };
    return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
