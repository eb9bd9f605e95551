/*
 * What the record's tests share: a process of its own for each test, in an empty folder, and profiles
 * looked up by path.
 *
 * A record belongs to a process and cannot be begun twice. So the program itself measures nothing: each
 * test runs in a forked child, whose record begins with the test.
 */
#ifndef WITHIN_RECORD_HELPERS_H
#define WITHIN_RECORD_HELPERS_H

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

#include "record/profile.h"

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

/* ---- profiles ---- */

WI__UNUSED static wi__profile own_profile(void) {
    wi__profile profile;
    expect(wi__profile_of_self(&profile));
    return profile;
}

WI__UNUSED static wi__profile profile_in(const char *path) {
    wi__profile profile;
    char why[256] = "";
    int read = wi__profile_read(path, &profile, why, sizeof why);
    expect_that(read, path, "%s", why);
    return profile;
}

/* The path with this text, "a > b"; WI__NO_PATH if there is none. */
WI__UNUSED static uint32_t find_path(const wi__profile *profile, const char *text) {
    char full[4096];
    for (uint32_t i = 1; i < profile->path_count; i++) {
        wi__path_text(profile, i, full, sizeof full);
        if (strcmp(full, text) == 0) return i;
    }
    return WI__NO_PATH;
}

WI__UNUSED static const wi__path *path_named(const wi__profile *profile, const char *text) {
    uint32_t path = find_path(profile, text);
    expect_that(path != WI__NO_PATH, text, "there is no such path");
    return &profile->paths[path];
}

WI__UNUSED static uint64_t calls_of(const wi__profile *profile, const char *text) {
    return path_named(profile, text)->calls;
}

/* How often a tally with these texts was counted: 0 if there is none. */
WI__UNUSED static uint64_t tallied(const wi__profile *profile, wi__tally_kind kind,
                                   const char *what, const char *where) {
    for (int i = 0; i < WI__TALLIES; i++) {
        const wi__tally *tally = &profile->header.tallies[i];
        if (tally->kind == (uint32_t)kind && strcmp(tally->what, what) == 0 &&
            strstr(tally->where, where))
            return tally->count;
    }
    return 0;
}

WI__UNUSED static uint64_t all_tallied(const wi__profile *profile, wi__tally_kind kind) {
    uint64_t count = 0;
    for (int i = 0; i < WI__TALLIES; i++)
        if (profile->header.tallies[i].kind == (uint32_t)kind)
            count += profile->header.tallies[i].count;
    return count;
}

/* The paths of a profile, "a, a > b", in its order, those without calls and not open left out. */
WI__UNUSED static const char *paths_of(const wi__profile *profile) {
    static char text[1 << 16];
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 1; i < profile->path_count && length + 4096 < sizeof text; i++) {
        if (!profile->paths[i].calls && !profile->paths[i].open_calls) continue;
        if (length) length += (size_t)sprintf(text + length, ", ");
        length += wi__path_text(profile, i, text + length, 4096);
    }
    return text;
}

/* What is open, innermost first: "section b, section a". */
WI__UNUSED static const char *open_in(const wi__profile *profile) {
    static char text[1 << 14];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < profile->open_count && length + 512 < sizeof text; i++)
        length += (size_t)snprintf(text + length, 512, "%s%s %s", length ? ", " : "",
                                   profile->open[i].kind, profile->open[i].what);
    return text;
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

/* A section as a name says, opened and closed. */
WI__UNUSED static void measure(const char *name) {
    within (wi_section(name)) continue;
}

#endif
