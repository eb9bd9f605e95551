/*
 * What tests share that need a process of their own: one for each test, in an empty folder, and expectations in it.
 *
 * A record belongs to a process and cannot be begun twice. So the program itself measures nothing: each
 * test runs in a forked child, whose record begins with the test.
 */
#ifndef WITHIN_PROCESS_HELPERS_H
#define WITHIN_PROCESS_HELPERS_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <within.h>

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__) || UNDER_TSAN
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

/* ---- expectations: in any thread and process, where cmocka's would jump to a runner that is not there ---- */

WI__UNUSED WI__PRINTF(3, 4) static void expect_that(int holds, const char *where,
                                                    const char *format, ...) {
    if (holds) return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: %s\n", where, text);
    _exit(1);
}

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define WHERE __FILE__ ":" TEXT_OF(__LINE__)

#define expect(condition) expect_that((condition) != 0, WHERE, "expected: %s", #condition)
#define expect_count(actual, wanted)                                                               \
    do {                                                                                           \
        long long actual_ = (long long)(actual), wanted_ = (long long)(wanted);                    \
        expect_that(actual_ == wanted_, WHERE, "%s is %lld, not %lld", #actual, actual_, wanted_); \
    } while (0)
#define expect_text(actual, wanted)                                                                \
    do {                                                                                           \
        const char *actual_ = (actual), *wanted_ = (wanted);                                       \
        expect_that(strcmp(actual_, wanted_) == 0, WHERE, "%s is \"%s\", not \"%s\"", #actual,     \
                    actual_, wanted_);                                                             \
    } while (0)
#define expect_near(actual, wanted, tolerance)                                                     \
    do {                                                                                           \
        double actual_ = (double)(actual), wanted_ = (double)(wanted);                             \
        expect_that(fabs(actual_ - wanted_) <= (tolerance), WHERE, "%s is %.17g, not %.17g",       \
                    #actual, actual_, wanted_);                                                    \
    } while (0)

/* ---- a process of its own ---- */

enum { LONGEST_S = 110 };

/* Run a body in a child; its wait status. A child that hangs is ended by its alarm. */
WI__UNUSED static int status_of(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(LONGEST_S);
        body();
        exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

#define alone(name)                                                                                \
    static void name##_body(void);                                                                 \
    static void name(void **state WI__UNUSED) { assert_int_equal(status_of(name##_body), 0); }     \
    static void name##_body(void)

/* ---- an empty folder, in which each test runs ---- */

static char folder[64];

WI__UNUSED static int remove_entry(const char *path, const struct stat *status, int kind,
                                   struct FTW *ftw) {
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

WI__UNUSED static int enter_folder(void **state WI__UNUSED) {
    unsetenv("WITHIN_RECORD");
    unsetenv("WITHIN_CLOCK");
    unsetenv("WITHIN_WATCH");
    unsetenv("WITHIN_WATCH_EXPLAIN");
    strcpy(folder, "/tmp/within-test-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

WI__UNUSED static int leave_folder(void **state WI__UNUSED) {
    chmod(folder, 0700);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

#define test(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

WI__UNUSED static int exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

WI__UNUSED static off_t size_of(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

/* The only file of this folder whose name begins like this; its name in a buffer that the next call reuses. */
WI__UNUSED static const char *file_of_pid(const char *path, pid_t pid) {
    static char name[256];
    snprintf(name, sizeof name, "%s.%d", path, (int)pid);
    return name;
}

/* ---- time and threads ---- */

WI__UNUSED static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

WI__UNUSED static void spend_ms(double ms) {
    for (double begin = now_s(); now_s() - begin < ms / 1000;) continue;
}

WI__UNUSED static pthread_t start(void *(*body)(void *arg), void *arg) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    expect(pthread_create(&thread, &attributes, body, arg) == 0);
    pthread_attr_destroy(&attributes);
    return thread;
}

WI__UNUSED static void *in_thread(void *(*body)(void *arg), void *arg) {
    void *result = NULL;
    pthread_join(start(body, arg), &result);
    return result;
}

/* Until there are no more threads than these: one that was joined is the kernel's for some time yet. */
WI__UNUSED static void wait_for_threads(unsigned count) {
    struct stat tasks = {0};
    for (double begin = now_s(); now_s() - begin < 10; usleep(1000))
        if (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink <= 2 + count) return;
    expect_count(tasks.st_nlink, 2 + count);
}

/* A section as a name says, opened and closed. */
WI__UNUSED static void measure(const char *name) {
    within (wi_section(name)) continue;
}

#endif
