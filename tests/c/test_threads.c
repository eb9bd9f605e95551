/*
 * wi_threads: numbers of threads for a block. This program itself has the functions of a BLAS or two, as one that is
 * linked with static libraries has; those of real libraries are in tests/py/test_threads.py.
 */
#include "file_helpers.h"
#include "record_helpers.h"

/* ---- libraries: OpenBLAS has one number, MKL one for each thread, which 0 leaves to the process's ---- */

WI_API int openblas_get_num_threads(void);
WI_API void openblas_set_num_threads(int n);
WI_API int MKL_Get_Max_Threads(void);
WI_API int MKL_Set_Num_Threads_Local(int n);

static int openblas = 8;
int openblas_get_num_threads(void) { return openblas; }
void openblas_set_num_threads(int n) { openblas = n; }

static WI__THREAD_LOCAL int mkl;
int MKL_Get_Max_Threads(void) { return mkl ? mkl : 8; }
int MKL_Set_Num_Threads_Local(int n) {
    int before = mkl;
    mkl = n;
    return before;
}

static void expect_numbers(const char *where, int of_openblas, int of_mkl) {
    expect_that(openblas == of_openblas, where, "OpenBLAS has %d", openblas);
    expect_that(mkl == of_mkl, where, "MKL has %d", mkl);
}
#define expect_them(of_openblas, of_mkl) expect_numbers(WHERE, of_openblas, of_mkl)

/* ---- one block ---- */

alone(a_block_has_its_number) {
    within (wi_threads(3)) expect_them(3, 3);
    expect_them(8, 0);
}

static void return_from_it(void) {
    within (wi_threads(2)) return;
}
static void raise_in_it(void *unused) {
    (void)unused;
    within (wi_threads(2)) wi_raise(WI_VALUE_ERROR, "enough");
}

alone(it_is_put_back_on_every_way_out) {
    return_from_it();
    expect_them(8, 0);
    expect_raised(raise_in_it, NULL, WI_VALUE_ERROR, "enough");
    expect_them(8, 0);
    within (wi_threads(2)) {
        openblas_set_num_threads(5);
        MKL_Set_Num_Threads_Local(5);
    }
    expect_them(8, 0);
}

static void ask_for(void *n) {
    within (wi_threads(*(int *)n)) expect(!"entered");
}
static void enter_twice(void *threads) {
    within ((wi_threads *)threads)
        within ((wi_threads *)threads) expect(!"entered");
}

alone(what_cannot_be_is_refused) {
    int zero = 0, less = -3;
    expect_raised(ask_for, &zero, WI_VALUE_ERROR, "threads: there must be 1 or more, not 0");
    expect_raised(ask_for, &less, WI_VALUE_ERROR, "threads: there must be 1 or more, not -3");
    wi_threads manager = wi_threads(2);
    expect_raised(enter_twice, &manager, WI_USAGE_ERROR,
                  "threads: this wi_threads is open already");
    expect_them(8, 0);
}

/* ---- several ---- */

alone(blocks_may_end_in_any_order) {
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        wi_exit_stack stacks[3] = {wi_exit_stack(), wi_exit_stack(), wi_exit_stack()};
        for (int j = 0; j < 3; j++) wi_stack_enter(&stacks[j], wi_threads(j + 1));
        int is_open[3] = {1, 1, 1};
        for (int j = 0; j < 3; j++) {
            wi_stack_close(&stacks[orders[i][j]]);
            is_open[orders[i][j]] = 0;
            int newest = is_open[2] ? 3 : is_open[1] ? 2 : is_open[0] ? 1 : 0;
            expect_them(newest ? newest : 8, newest);
        }
    }
}

/* Another thread, whose block begins and ends when it is told. */
static int step;
static void reach(int number) { __atomic_store_n(&step, number, __ATOMIC_RELEASE); }
static void wait_for(int number) {
    while (__atomic_load_n(&step, __ATOMIC_ACQUIRE) < number) usleep(100);
}

static void *be_newer(void *unused) {
    mkl = 7;
    within (wi_threads(2)) {
        expect_them(2, 2);
        reach(1);
        wait_for(2);
        expect_them(2, 2);
    }
    expect_them(8, 7);
    return unused;
}

alone(the_older_block_of_another_thread_may_end_first) {
    pthread_t thread = 0;
    within (wi_threads(1)) {
        thread = start(be_newer, NULL);
        wait_for(1);
        expect_them(2, 1);
    }
    expect_them(2, 0);
    reach(2);
    pthread_join(thread, NULL);
    expect_them(8, 0);
}

static void *be_older(void *unused) {
    within (wi_threads(2)) {
        reach(1);
        wait_for(2);
    }
    expect_them(3, 0);
    return unused;
}

alone(the_newer_block_of_another_thread_may_end_last) {
    pthread_t thread = start(be_older, NULL);
    wait_for(1);
    within (wi_threads(3)) {
        reach(2);
        pthread_join(thread, NULL);
        expect_them(3, 3);
    }
    expect_them(8, 0);
}

static void *close_stack(void *stack) {
    mkl = 6;
    wi_stack_close(stack);
    return (void *)(intptr_t)mkl;
}

alone(a_block_that_ends_on_another_thread_leaves_that_threads_number_alone) {
    wi_exit_stack stack = wi_exit_stack();
    wi_stack_enter(&stack, wi_threads(2));
    hear("said");
    expect_count((intptr_t)in_thread(close_stack, &stack), 6);
    expect_them(8, 2);
    expect(strstr(content("said"), "ended on another thread than it began on"));
}

/* ---- forks, the ledger, trails ---- */

alone(a_child_puts_back_its_own) {
    pid_t parent = getpid(), child = -1;
    within (wi_threads(2)) {
        child = fork();
        if (child > 0) expect_count(exit_of(child), 0);
        expect_them(2, 2);
    }
    expect_them(8, 0);
    if (getpid() != parent) _exit(0);
}

alone(the_ledger_and_trails_have_the_number) {
    within (wi_threads(2)) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "threads 2");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(raise_in_it, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "threads");
    expect_text(wi_error_trail(error, 0)->what, "2");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_has_its_number),
        test(it_is_put_back_on_every_way_out),
        test(what_cannot_be_is_refused),
        test(blocks_may_end_in_any_order),
        test(the_older_block_of_another_thread_may_end_first),
        test(the_newer_block_of_another_thread_may_end_last),
        test(a_block_that_ends_on_another_thread_leaves_that_threads_number_alone),
        test(a_child_puts_back_its_own),
        test(the_ledger_and_trails_have_the_number),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
