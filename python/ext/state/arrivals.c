/* Signals as they come: a handler that notes the first and lets a second through, and a thread that reminds. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "state/arrivals.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <within/interrupts.h>

enum { NONE, COMES, WAITS, IS_RAISED };

typedef struct covered {
    struct sigaction below;  /* what ours lies over, and calls */
    struct sigaction before; /* what was in force before the block */
    bool of_python;          /* a function of Python was */
    int is_on;               /* a block has it covered */
    int second;              /* one came for that function */
} covered;

static covered signals[WITHIN_SIGNALS];
static int stage, looks, looking, is_expected, reminding, first_signal;
static uint64_t serial;
static struct timespec first_time, first_monotonic;
static pid_t main_thread, main_process;

static double seconds(const struct timespec *time) {
    return (double)time->tv_sec + (double)time->tv_nsec * 1e-9;
}

double within_monotonic_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return seconds(&now);
}

within_arrival within_last_arrival(void) {
    within_arrival arrival = {0};
    arrival.serial = __atomic_load_n(&serial, __ATOMIC_ACQUIRE);
    if (!arrival.serial) return arrival;
    arrival.signal = first_signal;
    arrival.time = seconds(&first_time);
    arrival.monotonic_time = seconds(&first_monotonic);
    return arrival;
}

/* ---- in the handler: nothing but what is safe there ---- */

static pid_t this_thread(void) { return (pid_t)syscall(SYS_gettid); }

/* Interrupts what the main thread waits for. A plain signal could not be told from one that matters. */
static void wake_main_thread(int signal) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = main_process;
    info.si_uid = getuid();
    info.si_value.sival_ptr = &wi__no_signal;
    syscall(SYS_rt_tgsigqueueinfo, main_process, main_thread, signal, &info);
}

static int is_reminder(const siginfo_t *info) {
    return info && info->si_code == SI_QUEUE && info->si_pid == main_process &&
           info->si_value.sival_ptr == &wi__no_signal;
}

/*
 * PyErr_SetInterruptEx may be called here, and on any thread, but only while Python has a function for the signal: for
 * SIG_DFL it compares objects, which crashes where there is no thread state. Others call it too, instead of sending a
 * signal.
 */
static void have_python_look(int signal) {
    __atomic_add_fetch(&looking, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&signals[signal].is_on, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&is_expected, 1, __ATOMIC_RELAXED);
        PyErr_SetInterruptEx(signal);
    }
    __atomic_sub_fetch(&looking, 1, __ATOMIC_SEQ_CST);
}

/* On the main thread: from now on nobody has Python look for this signal, and nobody is about to. */
static void have_nobody_look(covered *of) {
    __atomic_store_n(&of->is_on, 0, __ATOMIC_SEQ_CST);
    while (getpid() == main_process && __atomic_load_n(&looking, __ATOMIC_SEQ_CST)) sched_yield();
}

static void call(const struct sigaction *action, int signal, siginfo_t *info, void *context) {
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(signal, info, context);
    else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN)
        action->sa_handler(signal);
}

static int is_default(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* Most end the process. What does not goes on under our handler. */
static void do_default(int signal) {
    struct sigaction ours, by_default;
    sigset_t this_one, mask;
    memset(&by_default, 0, sizeof by_default);
    by_default.sa_handler = SIG_DFL;
    sigemptyset(&by_default.sa_mask);
    sigemptyset(&this_one);
    sigaddset(&this_one, signal);
    sigaction(signal, &by_default, &ours);
    raise(signal);
    pthread_sigmask(SIG_UNBLOCK, &this_one, &mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(signal, &ours, NULL);
}

static void note(int signal) {
    clock_gettime(CLOCK_REALTIME, &first_time);
    clock_gettime(CLOCK_MONOTONIC, &first_monotonic);
    first_signal = signal;
    __atomic_add_fetch(&serial, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&stage, WAITS, __ATOMIC_RELEASE);
}

bool within_take_signal(int signal) {
    int none = NONE;
    if (!__atomic_compare_exchange_n(&stage, &none, COMES, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return false;
    note(signal);
    return true;
}

static bool is_same(int signal) {
    return signal == first_signal &&
           within_monotonic_time() - seconds(&first_monotonic) < WI__SAME_SIGNAL_US / 1e6;
}

static void take(covered *of, int signal, siginfo_t *info, void *context) {
    bool is_second = !within_take_signal(signal) && !is_same(signal);
    __atomic_store_n(&is_expected, 1, __ATOMIC_RELAXED);
    if (is_second && of->of_python) __atomic_store_n(&of->second, 1, __ATOMIC_RELEASE);
    call(&of->below, signal, info, context);
    if (!of->of_python) call(&of->before, signal, info, context);
    if (is_second && is_default(&of->before)) do_default(signal);
    have_python_look(signal);
    if (this_thread() != main_thread) wake_main_thread(signal);
}

/* A child that has not come to put its handlers back yet, or a block that is just doing so: as if it had. */
static void pass_on(const covered *of, int signal, siginfo_t *info, void *context) {
    call(of->of_python ? &of->below : &of->before, signal, info, context);
    if (is_default(&of->before)) do_default(signal);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    int saved = errno;
    if (getpid() != main_process || !__atomic_load_n(&signals[signal].is_on, __ATOMIC_SEQ_CST))
        pass_on(&signals[signal], signal, info, context);
    else if (is_reminder(info))
        have_python_look(signal);
    else
        take(&signals[signal], signal, info, context);
    errno = saved;
}

/* ---- over the handlers that were there ---- */

void within_cover(int signal, const struct sigaction *before, bool of_python) {
    struct sigaction ours;
    covered *of = &signals[signal];
    sigaction(signal, NULL, &of->below);
    main_process = getpid();
    main_thread = this_thread();
    of->before = *before;
    of->of_python = of_python;
    of->second = 0;
    of->is_on = 1;
    is_expected = 0;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_signal;
    ours.sa_flags =
        SA_SIGINFO | SA_ONSTACK; /* not SA_RESTART: what the main thread waits for ends */
    sigemptyset(&ours.sa_mask);
    sigaction(signal, &ours, NULL);
}

void within_uncover(int signal) {
    struct sigaction now;
    if (sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == on_signal)
        sigaction(signal, &signals[signal].below, NULL);
    have_nobody_look(&signals[signal]);
}

bool within_is_main_thread(void) { return this_thread() == main_thread; }

/* ---- what waits ---- */

int within_waiting_signal(void) {
    return __atomic_load_n(&stage, __ATOMIC_ACQUIRE) == WAITS ? first_signal : 0;
}

void within_signal_is_raised(void) { __atomic_store_n(&stage, IS_RAISED, __ATOMIC_RELEASE); }
void within_signal_waits_again(void) { __atomic_store_n(&stage, WAITS, __ATOMIC_RELEASE); }
void within_forget_signal(void) { __atomic_store_n(&stage, NONE, __ATOMIC_RELEASE); }

bool within_takes_second(int signal) {
    return __atomic_exchange_n(&signals[signal].second, 0, __ATOMIC_ACQ_REL);
}

/* ---- reminding ---- */

bool within_looks(void) {
    __atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&is_expected, 0, __ATOMIC_RELAXED);
}

void within_look_again(void) {
    int signal = within_waiting_signal();
    if (signal) have_python_look(signal);
}

enum { SHORTEST_US = 100, LONGEST_US = 1000 }; /* between two looks: most exits are over soon */

static void wait_for(int microseconds) {
    struct timespec pause = {0, microseconds * 1000L};
    nanosleep(&pause, NULL);
}

/*
 * A flag is enough while the main thread runs Python code. One that does not look may have begun to wait for something
 * since: that is interrupted, ever more rarely, for it may as well be what an exit waits for.
 */
static void remind_main_thread(void) {
    int seen = __atomic_load_n(&looks, __ATOMIC_RELAXED), patience = 10, waited = 0;
    for (int pause = SHORTEST_US; within_waiting_signal() && Py_IsInitialized();) {
        wait_for(pause);
        within_look_again();
        if (pause < LONGEST_US) pause *= 2;
        int now = __atomic_load_n(&looks, __ATOMIC_RELAXED);
        if (now != seen) {
            seen = now;
            waited = 0;
        } else if (++waited >= patience) {
            int signal = within_waiting_signal();
            if (signal) wake_main_thread(signal);
            waited = 0;
            if (patience < 1000) patience *= 2;
        }
    }
}

static void *remind(void *unused) {
    (void)unused;
    int none = 0;
    do {
        remind_main_thread();
        __atomic_store_n(&reminding, 0, __ATOMIC_SEQ_CST);
        none = 0;
        /* One that has begun to wait after the last look, and found this thread still at work. */
    } while (
        within_waiting_signal() && Py_IsInitialized() &&
        __atomic_compare_exchange_n(&reminding, &none, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return NULL;
}

/* Signals are for the program's own threads. */
static void start_thread(void) {
    pthread_t thread;
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    int failed = pthread_create(&thread, NULL, remind, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (failed)
        __atomic_store_n(&reminding, 0, __ATOMIC_SEQ_CST);
    else
        pthread_detach(thread);
}

void within_remind(void) {
    int none = 0;
    if (__atomic_compare_exchange_n(&reminding, &none, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        start_thread();
}

void within_forget_arrivals(void) {
    within_forget_signal();
    serial = 0;
    reminding = 0;
    looking = 0;
}
