/* wi_watch: the section that leaks is named, with its rate and its wall; what does not leak is not. */
#include <sys/mman.h>
#include <sys/resource.h>

#include "manage/watching.h"
#include "record_helpers.h"

/* ---- loops ---- */

/* How many calls it takes until each counter has been looked at 64 times depends on what a look costs here. */
enum { CALLS = 70, MOST_CALLS = 5000 };

static wi_watch last_watch;

static void take_a_while(void) { usleep(2000); }

static void leak_descriptor(void) { expect(open("/dev/null", O_RDONLY) >= 0); }

static void *sleep_for_ever(void *unused) {
    (void)unused;
    pause();
    return NULL;
}

static void leak_thread(void) { start(sleep_for_ever, NULL); }

static void leak_memory(void) {
    enum { BYTES = 256 << 10 };
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, BYTES);
}

static void nothing(void) {}

/* Until something is told, if that is to be waited for. */
static void run_loop(int calls, void (*load)(void), void (*between)(void)) {
    for (int i = 0; i < calls && (calls < MOST_CALLS || !last_watch.leak_count); i++) {
        within (wi_section("epoch")) {
            within (wi_section("load")) {
                load();
                take_a_while();
            }
            within (wi_section("step")) continue;
        }
        between();
    }
}

static char said[4096];
static FILE *telling(void) {
    said[0] = '\0';
    return fmemopen(said, sizeof said, "w");
}

/* What a watch says of a loop. */
static const char *watched(wi_watch watch, int calls, void (*load)(void), void (*between)(void)) {
    FILE *stream = telling();
    watch.options.stream = stream;
    last_watch = watch;
    within (&last_watch) run_loop(calls, load, between);
    fclose(stream);
    return said;
}

/* ---- what is told ---- */

alone(the_section_that_leaks_descriptors_is_named) {
    struct rlimit limit = {10000, 10000};
    setrlimit(RLIMIT_NOFILE, &limit);
    watched(wi_watch(), MOST_CALLS, leak_descriptor, nothing);
    double minutes;
    int call, end = 0;
    int fields = sscanf(said,
                        "within: epoch > load: +1.0 descriptors a call since call 1; limit 10,000 "
                        "reached in about %lf s (call %d,%*d)\n%n",
                        &minutes, &call, &end);
    expect_that(fields == 2 && end == (int)strlen(said), WHERE, "said: %s", said);
    expect(call == 9 || call == 10);
    expect_count(last_watch.leak_count, 1);
    expect_text(last_watch.leaks[0].section, "epoch > load");
    expect_text(last_watch.leaks[0].what, "descriptors");
    expect_near(last_watch.leaks[0].per_call, 1, 0.01);
    expect(!last_watch.leaks[0].is_suspicion && last_watch.leaks[0].seconds_left > 1);
}

alone(threads_that_never_end_are_a_leak) {
    watched(wi_watch(), MOST_CALLS, leak_thread, nothing);
    expect_that(strstr(said, "within: epoch > load: +1.0 threads a call since call 1") != NULL,
                WHERE, "said: %s", said);
}

alone(memory_that_grows_is_a_suspicion) {
    watched(wi_watch(), MOST_CALLS, leak_memory, nothing);
    expect_that(
        strstr(said, UNDER_SANITIZER
                         ? "growing"
                         : "within: epoch > load: growing: +262.1 kB a call of resident memory") !=
            NULL,
        WHERE, "said: %s", said);
    expect(last_watch.leaks[0].is_suspicion);
}

alone(what_leaks_between_the_calls_is_not_theirs) {
    if (UNDER_TSAN) return; /* looks take so long there that too few calls are looked at to tell */
    watched(wi_watch(), MOST_CALLS, nothing, leak_descriptor);
    expect_that(strncmp(said, "within: between calls of epoch: +1.0 descriptors", 48) == 0, WHERE,
                "said: %s", said);
    expect_text(watched(wi_watch(.sections = "epoch"), CALLS, nothing, leak_descriptor), "");
}

alone(a_section_is_watched_by_its_name) {
    watched(wi_watch(.sections = "step, load"), MOST_CALLS, leak_descriptor, nothing);
    expect_that(strncmp(said, "within: epoch > load: +1.0", 26) == 0, WHERE, "said: %s", said);
    expect_text(watched(wi_watch(.sections = "step"), CALLS, leak_descriptor, nothing), "");
}

/* ---- what is not ---- */

static int kept;

static void open_and_close(void) {
    leak_descriptor();
    close(kept);
    kept = open("/dev/null", O_RDONLY);
    for (int fd = kept + 1; fd < kept + 4; fd++) close(fd);
}

alone(what_is_given_back_is_not_told) {
    kept = open("/dev/null", O_RDONLY);
    expect_text(watched(wi_watch(), 2 * CALLS, open_and_close, nothing), "");
    expect_count(last_watch.leak_count, 0);
}

/* Until the outer one is called again nothing tells that it is one. */
alone(what_an_inner_loop_seemed_to_leak_is_withdrawn) {
    last_watch = wi_watch(.quiet = 1);
    within (&last_watch)
        for (int i = 0; i < 3; i++)
            within (wi_section("epoch")) {
                int first = dup(2), calls = i ? 100 : MOST_CALLS, j = 0;
                for (; j < calls && (i || !last_watch.leak_count); j++)
                    within (wi_section("batch")) {
                        leak_descriptor();
                        take_a_while();
                    }
                while (j >= 0) close(first + j--);
            }
    expect_text(last_watch.leaks[0].section, "epoch > batch");
    expect(last_watch.leaks[0].is_withdrawn);
}

alone(a_quiet_watch_tells_nothing_and_keeps_all) {
    expect_text(watched(wi_watch(.quiet = 1), MOST_CALLS, leak_descriptor, nothing), "");
    expect_count(last_watch.leak_count, 1);
}

alone(outside_of_a_watch_nothing_is_told) {
    watched(wi_watch(), 2, nothing, nothing);
    run_loop(CALLS, leak_descriptor, nothing);
    expect_text(said, "");
}

/* ---- where it is written ---- */

/* The first finding of a kind; its own kind is 0 if there is none. */
static wi__tally finding(wi__tally_kind kind) {
    wi__profile profile = own_profile();
    wi__tally found = {.kind = WI__NO_TALLY};
    for (int i = 0; i < WI__TALLIES && !found.kind; i++)
        if (profile.header.tallies[i].kind == (uint32_t)kind) found = profile.header.tallies[i];
    wi__profile_release(&profile);
    return found;
}

alone(the_record_has_the_newest_figures) {
    watched(wi_watch(), MOST_CALLS, leak_descriptor, nothing);
    wi__tally tally = finding(WI__LEAKING);
    expect_text(tally.where, "epoch > load");
    expect(strncmp(tally.what, "+1.0 descriptors a call since call 1; limit ", 44) == 0);
    expect(tally.count >= 64);
    expect_count(finding(WI__GROWING).kind, WI__NO_TALLY);
}

alone(what_goes_back_is_withdrawn_in_the_record_too) {
    FILE *stream = telling();
    last_watch = wi_watch(.stream = stream);
    within (&last_watch) {
        run_loop(1, nothing,
                 nothing); /* the counters keep descriptors of their own open from here on */
        int first = dup(2);
        run_loop(MOST_CALLS, leak_descriptor, nothing);
        for (int newest = dup(2); newest >= first; newest--) close(newest);
        for (int i = 0; i < MOST_CALLS && !last_watch.leaks[0].is_withdrawn; i++)
            run_loop(1, nothing, nothing);
    }
    fclose(stream);
    expect_that(
        strstr(said, "within: epoch > load: descriptors no longer rise: withdrawn at call") != NULL,
        WHERE, "said: %s", said);
    expect(last_watch.leaks[0].is_withdrawn && last_watch.leak_count == 1);
    expect(!finding(WI__LEAKING).kind && finding(WI__WITHDRAWN).kind);
}

/* ---- measuring goes on as it was ---- */

alone(watched_sections_are_counted_like_others) {
    watched(wi_watch(), 20, nothing, nothing);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "epoch"), 20);
    expect_count(calls_of(&profile, "epoch > load"), 20);
    expect_count(calls_of(&profile, "epoch > step"), 20);
    expect_text(paths_of(&profile), "epoch, epoch > load, epoch > step");
    wi__figures load = wi__path_figures(&profile, find_path(&profile, "epoch > load"));
    expect(load.min_s >= 0.0019 && load.total_s >= 0.039);
    wi__profile_release(&profile);
}

/* Fast ones are looked at now and then, and none is lost. */
alone(fast_sections_are_counted_to_the_last) {
    within (wi_watch(.quiet = 1))
        for (int i = 0; i < 300000; i++)
            within (wi_section("fast")) continue;
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "fast"), 300000);
    expect_text(paths_of(&profile), "fast");
    wi__profile_release(&profile);
}

alone(a_leak_in_a_fast_section_is_found) {
    struct rlimit limit = {1 << 16, 1 << 16};
    setrlimit(RLIMIT_NOFILE, &limit);
    FILE *stream = telling();
    double begin = now_s();
    within (wi_watch(.stream = stream))
        for (int i = 0; now_s() - begin < 20 && ftell(stream) == 0; i++)
            within (wi_section("fast")) {
                if (i % 100 == 0) leak_descriptor();
                spend_ms(0.01);
            }
    fclose(stream);
    expect_that(strncmp(said, "within: fast: +1 descriptor every ", 34) == 0, WHERE, "said: %s",
                said);
}

alone(spans_are_watched_like_sections) {
    FILE *stream = telling();
    last_watch = wi_watch(.stream = stream);
    within (&last_watch)
        for (int i = 0; i < MOST_CALLS && !last_watch.leak_count; i++) {
            wi_span request;
            wi_span_begin(&request, NULL, "request");
            leak_descriptor();
            take_a_while();
            wi_span_end(&request, WI_END);
        }
    fclose(stream);
    expect_that(strncmp(said, "within: request: +1.0 descriptors", 33) == 0, WHERE, "said: %s",
                said);
}

static void raise_now(void *unused) {
    (void)unused;
    within (wi_section("epoch")) wi_raise(WI_VALUE_ERROR, "no");
}

alone(watched_sections_may_end_by_an_error_or_not_at_all) {
    within (wi_watch(.quiet = 1))
        for (int i = 0; i < 5; i++) {
            wi_error *error;
            expect(!wi_call(raise_now, NULL, &error));
            wi_error_free(error);
            wi_section lost = wi_section("lost");
            within (wi_section("around")) lost.protocol->enter(&lost);
        }
    wi__profile profile = own_profile();
    expect_count(path_named(&profile, "epoch")->errors, 5);
    expect_count(calls_of(&profile, "around > lost"), 5);
    wi__profile_release(&profile);
}

static void *loop_in_thread(void *unused) {
    run_loop(MOST_CALLS, leak_descriptor, nothing);
    return unused;
}

alone(sections_of_other_threads_are_watched) {
    FILE *stream = telling();
    last_watch = wi_watch(.stream = stream);
    within (&last_watch) in_thread(loop_in_thread, NULL);
    fclose(stream);
    expect_that(strncmp(said, "within: epoch > load: +1.0 descriptors", 38) == 0, WHERE, "said: %s",
                said);
}

alone(a_forked_child_is_watched_from_its_begin) {
    last_watch = wi_watch(.quiet = 1);
    within (&last_watch) {
        run_loop(40, leak_descriptor, nothing);
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            run_loop(MOST_CALLS, leak_descriptor, nothing);
            wi__tally tally = finding(WI__LEAKING);
            _exit(tally.count >= 64 && strcmp(tally.where, "epoch > load") == 0 ? 0 : 1);
        }
        waitpid(child, &status, 0);
        expect_count(status, 0);
    }
}

/* ---- names ---- */

static void names_are_ends_of_paths(void **state WI__UNUSED) {
    assert_true(wi__is_named("a > load", "load") && wi__is_named("load", "load"));
    assert_true(wi__is_named("a > b > load", "x, b > load ,y"));
    assert_false(wi__is_named("a > download", "load") || wi__is_named("load > a", "load"));
    assert_false(wi__is_named("load", "") || wi__is_named("load", ",") ||
                 wi__is_named("load", "loads"));
}

static void enter_twice(void *unused) {
    (void)unused;
    wi_watch watch = wi_watch();
    within (&watch)
        within (&watch) continue;
}

alone(one_that_is_open_is_not_entered_again) {
    wi_error *error;
    expect(!wi_call(enter_twice, NULL, &error));
    expect_text(wi_error_message(error), "watch: it is open already; use one wi_watch a block");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_section_that_leaks_descriptors_is_named),
        test(threads_that_never_end_are_a_leak),
        test(memory_that_grows_is_a_suspicion),
        test(what_leaks_between_the_calls_is_not_theirs),
        test(a_section_is_watched_by_its_name),
        test(what_is_given_back_is_not_told),
        test(what_an_inner_loop_seemed_to_leak_is_withdrawn),
        test(a_quiet_watch_tells_nothing_and_keeps_all),
        test(outside_of_a_watch_nothing_is_told),
        test(the_record_has_the_newest_figures),
        test(what_goes_back_is_withdrawn_in_the_record_too),
        test(watched_sections_are_counted_like_others),
        test(fast_sections_are_counted_to_the_last),
        test(a_leak_in_a_fast_section_is_found),
        test(spans_are_watched_like_sections),
        test(watched_sections_may_end_by_an_error_or_not_at_all),
        test(sections_of_other_threads_are_watched),
        test(a_forked_child_is_watched_from_its_begin),
        cmocka_unit_test(names_are_ends_of_paths),
        test(one_that_is_open_is_not_entered_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
