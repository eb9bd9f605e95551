/* The ledger: what is held, since when; and the tally of errors that were suppressed. */
#include "record_helpers.h"

#include "record/arena.h"
#include "record/ledger.h"

/* ---- things held ---- */

alone(what_is_held_is_listed_until_it_is_let_go) {
    wi_holding file = wi_hold("file", "%s.%d", "results", 7);
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "file results.7");
    expect_count(profile.open[0].path, WI__NO_PATH);
    expect(profile.open[0].start >= profile.header.first.ticks &&
           profile.open[0].start <= profile.end);
    wi__profile_release(&profile);
    wi_let_go(file);
    profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

alone(holds_and_sections_are_listed_newest_first) {
    wi_hold("lock", "queue");
    within (wi_section("run")) {
        wi_hold("table", "points");
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "table points, section run, lock queue");
        wi__profile_release(&profile);
    }
}

alone(letting_go_twice_or_of_nothing_does_no_harm) {
    wi_holding first = wi_hold("file", "first");
    wi_let_go(first);
    wi_holding second = wi_hold("file", "second"); /* takes the same slot */
    expect(second.slot == first.slot);
    wi_let_go(first);
    wi_let_go((wi_holding){NULL, 0});
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "file second");
    wi__profile_release(&profile);
}

static void *let_go_there(void *holding) {
    wi_let_go(*(wi_holding *)holding);
    return NULL;
}
static void *hold_there(void *holding) {
    *(wi_holding *)holding = wi_hold("file", "of a thread that has ended");
    return NULL;
}

alone(another_thread_may_let_go) {
    wi_holding holding = wi_hold("file", "handed over");
    in_thread(let_go_there, &holding);
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

alone(what_a_thread_held_stays_held_after_its_end) {
    wi_holding kept;
    measure("main"); /* so that it has a region of its own */
    in_thread(hold_there, &kept);
    wi_holding second;
    in_thread(hold_there, &second); /* the next owner of the region has a slot of its own */
    wi_let_go(second);
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "file of a thread that has ended");
    expect_count(profile.open[0].thread, 0);
    wi__profile_release(&profile);
    wi_let_go(kept);
    profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

alone(more_holds_than_slots_are_counted) {
    wi_holding holdings[WI__HOLDS + 5];
    for (int i = 0; i < WI__HOLDS + 5; i++) holdings[i] = wi_hold("file", "%d", i);
    wi__profile profile = own_profile();
    expect_count(profile.open_count, WI__HOLDS);
    expect_count(profile.header.unlisted, 5);
    wi__profile_release(&profile);
    for (int i = 0; i < WI__HOLDS + 5; i++) wi_let_go(holdings[i]);
    wi_hold("file", "later");
    profile = own_profile();
    expect_text(open_in(&profile), "file later");
    wi__profile_release(&profile);
}

alone(long_texts_are_cut) {
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    wi_hold("a kind that is far too long", "%s", text);
    wi__profile profile = own_profile();
    expect_text(profile.open[0].kind, "a kind that is ");
    expect_count(strlen(profile.open[0].what), sizeof((wi__hold *)0)->what - 1);
    wi__profile_release(&profile);
}

enum { ROUNDS = 20000 };
static wi_holding handed[16];
static volatile int ready[16];

static void *let_go_of_all(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        while (!__atomic_load_n(&ready[i % 16], __ATOMIC_ACQUIRE)) sched_yield();
        wi_let_go(handed[i % 16]);
        __atomic_store_n(&ready[i % 16], 0, __ATOMIC_RELEASE);
    }
    return arg;
}

alone(holding_and_letting_go_on_two_threads_loses_no_slot) {
    pthread_t thread = start(let_go_of_all, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        while (__atomic_load_n(&ready[i % 16], __ATOMIC_ACQUIRE)) sched_yield();
        handed[i % 16] = wi_hold("file", "%d", i);
        __atomic_store_n(&ready[i % 16], 1, __ATOMIC_RELEASE);
    }
    pthread_join(thread, NULL);
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 0);
    expect_count(profile.header.unlisted, 0);
    wi__profile_release(&profile);
}

/* ---- findings ---- */

alone(a_finding_keeps_what_explained_it_first) {
    wi__tally *line = wi__record_finding(NULL, WI__LEAKING, "+1 file a call", "load", 64);
    wi__record_explanation(line, "files: +8 a.csv\nfiles: +3 \x1b[1m");
    wi__record_explanation(line, "files: +9 b.csv");
    wi__record_explanation(NULL, "nobody's");
    wi__record_finding(line, WI__WITHDRAWN, "no more", "load", 128);
    wi__profile profile = own_profile();
    expect_text(profile.explanations[0], "files: +8 a.csv\nfiles: +3 \\x1b[1m");
    expect(!profile.explanations[1] && !profile.damaged);
    wi__profile_release(&profile);
}

alone(an_explanation_that_is_nowhere_is_damage) {
    wi__tally *line = wi__record_finding(NULL, WI__LEAKING, "+1 file a call", "load", 64);
    line->explanation = 1 << 20;
    wi__profile profile = own_profile();
    expect(!profile.explanations[0] && profile.damaged + profile.torn == 1);
    wi__profile_release(&profile);
}

/* ---- suppressed errors ---- */

static void raise_no(void *what) { wi_raise(WI_VALUE_ERROR, "%s", (const char *)what); }

alone(a_suppressed_error_is_counted_with_its_type_message_and_place) {
    within (wi_section("solve"))
        within (wi_suppress(WI_VALUE_ERROR)) raise_no((void *)"the matrix is singular");
    wi__profile profile = own_profile();
    expect_count(tallied(&profile, WI__SUPPRESSED, "WI_VALUE_ERROR: the matrix is singular",
                         "test_ledger.c:"),
                 1);
    expect_count(
        tallied(&profile, WI__SUPPRESSED, "WI_VALUE_ERROR: the matrix is singular", " in raise_no"),
        1);
    expect_count(path_named(&profile, "solve")->suppressed, 1);
    expect_count(path_named(&profile, "solve")->errors, 0);
    wi__profile_release(&profile);
}

alone(errors_of_one_kind_at_one_place_are_one_line_with_the_newest_message) {
    char text[32];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "row %d", i);
        wi_call(raise_no, text, NULL);
    }
    wi__profile profile = own_profile();
    expect_count(tallied(&profile, WI__SUPPRESSED, "WI_VALUE_ERROR: row 99", " in raise_no"), 100);
    expect_count(all_tallied(&profile, WI__SUPPRESSED), 100);
    wi__profile_release(&profile);
}

static void *suppress_there(void *arg) {
    for (int i = 0; i < 1000; i++) wi_call(raise_no, arg, NULL);
    return NULL;
}

alone(suppressed_errors_of_threads_add_up) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(suppress_there, (void *)"no");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    wi__profile profile = own_profile();
    expect_count(tallied(&profile, WI__SUPPRESSED, "WI_VALUE_ERROR: no", ""), 4000);
    wi__profile_release(&profile);
}

alone(a_message_longer_than_the_line_is_cut) {
    char text[500];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 3; i++) wi_call(raise_no, text, NULL);
    wi__profile profile = own_profile();
    expect_count(profile.header.tallies[0].count, 3);
    expect_count(strlen(profile.header.tallies[0].what), sizeof profile.header.tallies[0].what - 1);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_finding_keeps_what_explained_it_first),
        test(an_explanation_that_is_nowhere_is_damage),
        test(what_is_held_is_listed_until_it_is_let_go),
        test(holds_and_sections_are_listed_newest_first),
        test(letting_go_twice_or_of_nothing_does_no_harm),
        test(another_thread_may_let_go),
        test(what_a_thread_held_stays_held_after_its_end),
        test(more_holds_than_slots_are_counted),
        test(long_texts_are_cut),
        test(holding_and_letting_go_on_two_threads_loses_no_slot),
        test(a_suppressed_error_is_counted_with_its_type_message_and_place),
        test(errors_of_one_kind_at_one_place_are_one_line_with_the_newest_message),
        test(suppressed_errors_of_threads_add_up),
        test(a_message_longer_than_the_line_is_cut),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
