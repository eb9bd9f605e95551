/* What a watch found is explained: once, in its section, if it was asked for; and without that nothing is listed. */
#include "manage/inventory.h"
#include "manage/watching.h"
#include "record_helpers.h"

enum { MOST_CALLS = 5000 };

static const char *now_in = "nothing";

/* ---- a listing that tells when it is taken ---- */

static int takes;
static char taken_in[200];

static int take_probe(wi__inventory *inventory) {
    if (!takes++) taken_in[0] = '\0';
    strcat(strcat(taken_in, now_in), "; ");
    wi__inventory_count(inventory, "probe", takes, 0);
    return 1;
}

static const wi__listing probe = {
    .title = "probe",
    .counters = (const char *const[]){"descriptors", NULL},
    .take = take_probe,
};

/* ---- a loop ---- */

static wi_watch watch;

static int is_mended;

static void leak(void) {
    if (!is_mended) expect(open("part.csv", O_RDWR | O_CREAT, 0600) >= 0);
}

static int is_explained(void) { return watch.leak_count && watch.leaks[0].explanation[0]; }
static int is_told(void) { return watch.leak_count > 0; }
static int is_begun(void) { return takes > 0; }

static void epoch(void) {
    within (wi_section("epoch")) {
        now_in = "epoch";
        within (wi_section("load")) {
            now_in = "load";
            leak();
            usleep(1000);
        }
        now_in = "epoch, behind load";
        within (wi_section("step")) now_in = "step";
    }
    now_in = "nothing";
}

static void run_until(int (*is_over)(void)) {
    for (int i = 0; i < MOST_CALLS && !is_over(); i++) epoch();
}

static char said[4096];
static FILE *telling(void) {
    said[0] = '\0';
    return fmemopen(said, sizeof said, "w");
}

/* ---- what is told ---- */

alone(what_leaks_is_explained_below_the_finding) {
    FILE *stream = telling();
    watch = wi_watch(.stream = stream, .explain = 1);
    within (&watch) run_until(is_explained);
    fclose(stream);
    int from, to, more, explaining = 0, end = 0;
    const char *second = strchr(said, '\n') + 1;
    int fields =
        sscanf(second,
               "within: epoch > load: more descriptors after call %d than before call %d:\n"
               "    descriptors: +%d part.csv\n%n",
               &to, &from, &more, &end);
    expect_that(strncmp(said, "within: epoch > load: +1.0 ", 27) == 0 && fields == 3 &&
                    end == (int)strlen(second),
                WHERE, "said: %s", said);
    expect(more >= 8 && more == to - from + 1);
    expect(sscanf(watch.leaks[0].explanation, "descriptors: +%d part.csv", &explaining) == 1);
    expect_count(explaining, more);
}

alone(it_is_listed_once_before_and_once_after_calls_of_the_section) {
    wi__listing_add(&probe);
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch) {
        run_until(is_explained);
        for (int i = 0; i < 100; i++) epoch();
    }
    expect_count(takes, 2);
    expect_text(taken_in, "epoch; load; ");
    expect_that(strstr(watch.leaks[0].explanation, "probe: +1 probe") != NULL, WHERE, "said: %s",
                watch.leaks[0].explanation);
}

alone(without_being_asked_for_nothing_is_listed) {
    wi__listing_add(&probe);
    watch = wi_watch(.quiet = 1);
    within (&watch) {
        run_until(is_told);
        for (int i = 0; i < 100; i++) epoch();
    }
    expect_count(watch.leak_count, 1);
    expect_count(takes, 0);
    expect_text(watch.leaks[0].explanation, "");
}

alone(a_watch_that_did_not_ask_is_told_nothing) {
    FILE *stream = telling();
    wi_watch other = wi_watch(.stream = stream);
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&other)
        within (&watch) run_until(is_explained);
    fclose(stream);
    expect(strchr(said, '\n') == said + strlen(said) - 1);
    expect_text(other.leaks[0].explanation, "");
    expect(is_explained());
}

static int is_withdrawn(void) { return is_told() && watch.leaks[0].is_withdrawn; }

alone(what_was_withdrawn_meanwhile_is_not_explained) {
    FILE *stream = telling();
    watch = wi_watch(.stream = stream, .explain = 1);
    within (&watch) {
        epoch();
        int first = dup(2);
        run_until(is_told);
        for (int newest = dup(2); newest >= first; newest--) close(newest);
        is_mended = 1;
        run_until(is_withdrawn);
        is_mended = 0;
        for (int i = 0; i < 30; i++) epoch();
    }
    fclose(stream);
    expect_that(!strstr(said, "more descriptors"), WHERE, "said: %s", said);
    expect(watch.leaks[0].is_withdrawn);
    expect_text(watch.leaks[0].explanation, "");
}

static void epoch_and_more(void) {
    epoch();
    leak();
    leak();
}

alone(what_leaks_between_the_calls_is_explained_too) {
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch)
        for (int i = 0; i < MOST_CALLS && !is_explained(); i++) {
            epoch_and_more();
            usleep(2000);
        }
    expect(strstr(watch.leaks[0].section, "epoch") !=
           NULL); /* "between calls of epoch", where most are looked at */
    expect_that(strstr(watch.leaks[0].explanation, " part.csv") != NULL, WHERE, "said: %s",
                watch.leaks[0].explanation);
}

/* ---- where it is written ---- */

alone(the_record_has_it) {
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch) run_until(is_explained);
    wi__profile profile = own_profile();
    expect_count(profile.header.tallies[0].kind, WI__LEAKING);
    expect(profile.explanations[0] && !profile.explanations[1]);
    expect_text(profile.explanations[0], watch.leaks[0].explanation);
    wi__profile_release(&profile);
}

/* ---- threads, forks, sessions ---- */

static void *loop_in_thread(void *unused) {
    run_until(is_explained);
    return unused;
}

alone(sections_of_other_threads_are_explained) {
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch) in_thread(loop_in_thread, NULL);
    expect(is_explained());
}

alone(a_forked_child_explains_its_own) {
    wi__listing_add(&probe);
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch) {
        run_until(is_begun);
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            watch.leak_count = 0;
            memset(watch.leaks, 0, sizeof watch.leaks);
            run_until(is_explained);
            _exit(is_explained() ? 0 : 1);
        }
        waitpid(child, &status, 0);
        expect_count(status, 0);
        run_until(is_explained);
    }
    expect(is_explained());
}

alone(a_watch_that_ends_before_leaves_nothing_to_the_next) {
    wi__listing_add(&probe);
    watch = wi_watch(.quiet = 1, .explain = 1);
    within (&watch) run_until(is_told);
    expect(takes == 0 && is_told());
    watch = wi_watch(.quiet = 1);
    within (&watch)
        for (int i = 0; i < 30; i++) epoch();
    expect_count(takes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(what_leaks_is_explained_below_the_finding),
        test(it_is_listed_once_before_and_once_after_calls_of_the_section),
        test(without_being_asked_for_nothing_is_listed),
        test(a_watch_that_did_not_ask_is_told_nothing),
        test(what_was_withdrawn_meanwhile_is_not_explained),
        test(what_leaks_between_the_calls_is_explained_too),
        test(the_record_has_it),
        test(sections_of_other_threads_are_explained),
        test(a_forked_child_explains_its_own),
        test(a_watch_that_ends_before_leaves_nothing_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
