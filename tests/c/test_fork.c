/* Forked children: each has a record of its own, which begins at the fork, and leaves its parent's alone. */
#include "record_helpers.h"

#include "record/arena.h"

/* What other threads had on their stacks is lost in a child, and looks leaked to the leak sanitizer, which asks
 * this function at the end. */
static int is_forked;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return is_forked; }

static double forked_at; /* seconds */

/* Run a body in a grandchild of the test; its pid. It must end well. */
static pid_t in_fork(void (*body)(void)) {
    forked_at = now_s();
    pid_t child = fork();
    if (child == 0) {
        is_forked = 1;
        body();
        exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    expect_count(status, 0);
    return child;
}

static void measure_in_child(void) { measure("child's"); }

alone(a_childs_record_lies_beside_its_parents) {
    wi_record_open("record");
    measure("parent's");
    pid_t child = in_fork(measure_in_child);
    measure("parent's");
    wi__profile parents = profile_in("record"), childs = profile_in(file_of_pid("record", child));
    expect_text(paths_of(&parents), "parent's");
    expect_count(calls_of(&parents, "parent's"), 2);
    expect_text(paths_of(&childs), "child's");
    expect_count(childs.header.owner.pid, child);
    expect_count(childs.header.forked_from, getpid());
    expect_count(parents.header.owner.pid, getpid());
    expect_count(childs.header.ended, 1);
    expect_count(childs.threads, 1);
    expect_count(childs.damaged + parents.damaged, 0);
    wi__profile_release(&parents);
    wi__profile_release(&childs);
}

/* Counts, tallies and what is held are the parent's; the child begins with none of them. */
static void expect_a_fresh_record(void) {
    measure("child's");
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "child's");
    expect_count(all_tallied(&profile, WI__SUPPRESSED), 0);
    expect_count(path_named(&profile, "parent's")->errors, 0);
    expect_count(profile.header.unlisted, 0);
    wi__figures figures = wi__path_figures(&profile, find_path(&profile, "child's"));
    expect_count(figures.calls, 1);
    wi__profile_release(&profile);
}

static void fail_in_section(void *arg) {
    (void)arg;
    within (wi_section("parent's")) wi_raise(WI_VALUE_ERROR, "no");
}

alone(a_child_begins_with_no_counts) {
    wi_call(fail_in_section, NULL, NULL);
    for (int i = 0; i < WI__HOLDS + 3; i++) wi_hold("file", "%d", i);
    in_fork(expect_a_fresh_record);
}

/* ---- sections that are open at the fork ---- */

static void end_inside(void) {
    spend_ms(2);
    measure("child's");
}

alone(inherited_sections_are_measured_from_the_fork_on) {
    wi_record_open("record");
    pid_t child = 0;
    within (wi_section("outer"))
        within (wi_section("inner")) {
            spend_ms(30);
            child = in_fork(end_inside);
        }
    wi__profile childs = profile_in(file_of_pid("record", child)), parents = profile_in("record");
    expect_count(calls_of(&childs, "outer > inner > child's"), 1);
    wi__figures outer = wi__path_figures(&childs, find_path(&childs, "outer"));
    expect_count(outer.calls, 1);
    expect(outer.total_s >= 0.0019);
    expect_count(childs.open_count, 0);
    expect_count(all_tallied(&childs, WI__MISMATCHED), 0);
    double before_s =
        wi__path_figures(&parents, find_path(&parents, "outer")).total_s - outer.total_s;
    expect(before_s >= 0.0299); /* the parent's lasted as long as the child's, and before that */
    expect_count(find_path(&parents, "outer > inner > child's"), WI__NO_PATH);
    wi__profile_release(&childs);
    wi__profile_release(&parents);
}

/* The child ends the blocks that it was forked in itself, and goes on. */
alone(a_child_that_ends_inherited_sections_goes_on_at_the_top) {
    int is_child = 0;
    within (wi_section("outer"))
        within (wi_section("inner")) {
            spend_ms(20);
            forked_at = now_s();
            is_child = fork() == 0;
            if (!is_child) wait(NULL);
        }
    if (!is_child) return;
    measure("after");
    within (wi_section("outer")) measure("inner");
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "outer, after, outer > inner");
    expect_count(calls_of(&profile, "outer"), 2);
    expect(wi__path_figures(&profile, find_path(&profile, "outer")).total_s <=
           1.01 * (now_s() - forked_at));
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
    _exit(0);
}

static void expect_both_open(void) {
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "section inner, section outer");
    for (size_t i = 0; i < profile.open_count; i++)
        expect(wi__profile_seconds(&profile, (double)(profile.end - profile.open[i].start)) <=
               1.01 * (now_s() - forked_at));
    wi__profile_release(&profile);
}

alone(inherited_sections_are_open_in_the_child) {
    within (wi_section("outer"))
        within (wi_section("inner")) {
            spend_ms(20);
            in_fork(expect_both_open);
        }
}

/* ---- children that measure nothing, and theirs ---- */

static void do_nothing(void) {}
static void become_true(void) {
    execl("/bin/true", "true", (char *)NULL);
    _exit(127);
}

alone(a_child_that_measures_nothing_leaves_no_file) {
    wi_record_open("record");
    within (wi_section("outer")) {
        pid_t ended = in_fork(do_nothing), execed = in_fork(become_true);
        expect(exists("record"));
        (void)ended;
        expect(!exists(file_of_pid("record", execed)));
    }
    pid_t outside = in_fork(do_nothing);
    expect(!exists(file_of_pid("record", outside)));
}

static int pipe_ends[2];

static void tell_pid(void) {
    pid_t self = getpid();
    measure("grandchild's");
    expect(write(pipe_ends[1], &self, sizeof self) == sizeof self);
}
static void fork_again(void) { in_fork(tell_pid); }
static void measure_and_fork_again(void) {
    measure("child's");
    in_fork(tell_pid);
}

static pid_t told_pid(void) {
    pid_t pid = 0;
    expect(read(pipe_ends[0], &pid, sizeof pid) == sizeof pid);
    return pid;
}

alone(a_grandchild_of_a_child_that_measured_nothing_has_a_record) {
    wi_record_open("record");
    expect(pipe(pipe_ends) == 0);
    measure("parent's");
    in_fork(fork_again);
    wi__profile profile = profile_in(file_of_pid("record", told_pid()));
    expect_text(paths_of(&profile), "grandchild's");
    wi__profile_release(&profile);
}

alone(a_grandchild_inside_sections_has_them_open_too) {
    wi_record_open("record");
    expect(pipe(pipe_ends) == 0);
    within (wi_section("outer")) in_fork(fork_again);
    wi__profile profile = profile_in(file_of_pid("record", told_pid()));
    expect_count(calls_of(&profile, "outer > grandchild's"), 1);
    wi__profile_release(&profile);
}

alone(a_grandchilds_record_lies_beside_its_parents) {
    char path[64];
    wi_record_open("record");
    expect(pipe(pipe_ends) == 0);
    measure("parent's");
    pid_t child = in_fork(measure_and_fork_again);
    snprintf(path, sizeof path, "record.%d.%d", (int)child, (int)told_pid());
    wi__profile childs = profile_in(file_of_pid("record", child)), grandchilds = profile_in(path);
    expect_text(paths_of(&childs), "child's");
    expect_text(paths_of(&grandchilds), "grandchild's");
    wi__profile_release(&childs);
    wi__profile_release(&grandchilds);
}

/* A program that forks and ends, as daemons do: its record is its own, and the child's is another. */
alone(a_child_that_outlives_its_parent_leaves_its_record) {
    expect(pipe(pipe_ends) == 0);
    pid_t parent = fork();
    if (parent == 0) {
        wi_record_open("record");
        measure("parent's");
        if (fork() != 0) exit(0);
        while (getppid() == parent || kill(getppid(), 0) != 0) usleep(1000);
        usleep(20000);
        tell_pid();
        exit(0);
    }
    close(pipe_ends[1]);
    waitpid(parent, NULL, 0);
    pid_t child = told_pid();
    char last;
    expect(read(pipe_ends[0], &last, 1) == 0); /* it has ended */
    wi__profile parents = profile_in("record"), childs = profile_in(file_of_pid("record", child));
    expect_text(paths_of(&parents), "parent's");
    expect_text(paths_of(&childs), "grandchild's");
    wi__profile_release(&parents);
    wi__profile_release(&childs);
}

alone(a_child_in_memory_stays_in_memory) {
    measure("parent's");
    pid_t child = in_fork(measure_in_child);
    expect(!exists(file_of_pid("record", child)));
    expect(wi_record_path() == NULL);
}

/* The parent goes on writing its file, which the child leaves: nothing of that is in the child's record. */
static void expect_nothing_new(void) {
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "outer");
    expect_count(profile.damaged + profile.torn, 0);
    wi__profile_release(&profile);
}

static void expect_own_path_only(void) {
    expect_nothing_new();
    measure("child's");
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "outer > child's"), 1);
    expect_text(paths_of(&profile), "outer, outer > child's");
    expect_count(profile.damaged, 0);
    wi__profile_release(&profile);
}

alone(a_child_has_nothing_of_what_its_parent_does_at_the_same_time) {
    wi_record_open("record");
    char name[32];
    within (wi_section("outer"))
        for (int i = 0; i < 40; i++) {
            pid_t child = fork();
            if (child == 0) {
                is_forked = 1;
                expect_own_path_only();
                _exit(0);
            }
            for (int j = 0; j < 20; j++) {
                snprintf(name, sizeof name, "parent's %d", 20 * i + j);
                measure(name);
            }
            int status = -1;
            waitpid(child, &status, 0);
            expect_count(status, 0);
        }
}

/* ---- threads ---- */

static void *fork_in_thread(void *arg) {
    pid_t child = 0;
    within (wi_section("thread's")) child = in_fork((void (*)(void))arg);
    return (void *)(intptr_t)child;
}

alone(a_fork_from_a_second_thread_takes_that_threads_sections) {
    wi_record_open("record");
    pid_t child = 0;
    within (wi_section("main's"))
        child = (pid_t)(intptr_t)in_thread(fork_in_thread, (void *)measure_in_child);
    wi__profile childs = profile_in(file_of_pid("record", child)), parents = profile_in("record");
    expect_count(calls_of(&childs, "thread's > child's"), 1);
    expect_count(childs.open_count, 0);
    expect_count(childs.threads, 1);
    expect_count(path_named(&childs, "thread's")->calls, 1);
    expect_text(paths_of(&parents), "main's, thread's");
    wi__profile_release(&childs);
    wi__profile_release(&parents);
}

static void *fork_and_return(void *arg) {
    (void)arg;
    measure("thread's");
    pid_t child = fork();
    is_forked = child == 0;
    if (child == 0) pthread_exit(NULL); /* the last thread: the child ends with status 0 */
    int status = -1;
    waitpid(child, &status, 0);
    expect_count(status, 0);
    return NULL;
}

alone(a_thread_that_forks_and_ends_in_the_child_does_no_harm) {
    if (!UNDER_TSAN) in_thread(fork_and_return, NULL); /* it crashes at such an end */
}

static void *measure_theirs(void *arg) {
    measure("child's");
    return arg;
}
static void measure_in_threads(void) {
    for (int i = 0; i < 3; i++) in_thread(measure_theirs, NULL);
    measure("child's");
}

alone(a_child_can_have_threads) {
    if (UNDER_TSAN) return; /* it does not allow threads after a fork with threads */
    wi_record_open("record");
    in_thread(measure_theirs, NULL);
    pid_t child = in_fork(measure_in_threads);
    wi__profile profile = profile_in(file_of_pid("record", child));
    expect_count(calls_of(&profile, "child's"), 4);
    expect_count(profile.threads, 4);
    wi__profile_release(&profile);
}

/* Forks while other threads open new paths: no child finds a lock taken, or half a path. */
static int stop; /* atomic */

static void *make_paths(void *arg) {
    char name[32];
    for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        snprintf(name, sizeof name, "path %d", i % 2000);
        measure(name);
        within (wi_section("same")) continue;
    }
    return arg;
}

static void *measure_again(void *arg) {
    for (int i = 0; i < 3; i++)
        within (wi_section("same")) continue;
    make_paths(arg);
    return arg;
}

static void measure_as_others_did(void) {
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++) in_thread(measure_again, NULL);
    measure("child's");
}

alone(forks_amid_other_threads_new_paths_are_safe) {
    if (UNDER_TSAN)
        return; /* its own locks are sometimes taken in such a child: one fork in a hundred hung */
    pthread_t threads[2] = {start(make_paths, NULL), start(make_paths, NULL)};
    for (int i = 0; i < 60; i++) in_fork(measure_as_others_did);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

/* ---- the parent's ---- */

static void let_go_of(void *holding) { wi_let_go(*(wi_holding *)holding); }

alone(what_a_child_lets_go_is_still_held_by_its_parent) {
    wi_record_open("record");
    wi_holding holding = wi_hold("file", "results.csv");
    pid_t child = fork();
    if (child == 0) {
        let_go_of(&holding);
        exit(0);
    }
    waitpid(child, NULL, 0);
    wi__profile profile = profile_in("record");
    expect_text(open_in(&profile), "file results.csv");
    wi__profile_release(&profile);
}

alone(a_child_that_is_killed_leaves_its_parent_measuring) {
    wi_record_open("record");
    within (wi_section("outer")) {
        pid_t child = fork();
        if (child == 0) {
            measure("child's");
            raise(SIGKILL);
        }
        waitpid(child, NULL, 0);
        wi__profile childs = profile_in(file_of_pid("record", child));
        expect_text(open_in(&childs), "section outer");
        expect_count(childs.alive, 0);
        wi__profile_release(&childs);
        measure("parent's");
    }
    wi__profile profile = profile_in("record");
    expect_text(paths_of(&profile), "outer, outer > parent's");
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_childs_record_lies_beside_its_parents),
        test(a_child_begins_with_no_counts),
        test(inherited_sections_are_measured_from_the_fork_on),
        test(a_child_that_ends_inherited_sections_goes_on_at_the_top),
        test(inherited_sections_are_open_in_the_child),
        test(a_child_that_measures_nothing_leaves_no_file),
        test(a_grandchild_of_a_child_that_measured_nothing_has_a_record),
        test(a_grandchild_inside_sections_has_them_open_too),
        test(a_grandchilds_record_lies_beside_its_parents),
        test(a_child_that_outlives_its_parent_leaves_its_record),
        test(a_child_in_memory_stays_in_memory),
        test(a_child_has_nothing_of_what_its_parent_does_at_the_same_time),
        test(a_fork_from_a_second_thread_takes_that_threads_sections),
        test(a_thread_that_forks_and_ends_in_the_child_does_no_harm),
        test(a_child_can_have_threads),
        test(forks_amid_other_threads_new_paths_are_safe),
        test(what_a_child_lets_go_is_still_held_by_its_parent),
        test(a_child_that_is_killed_leaves_its_parent_measuring),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
