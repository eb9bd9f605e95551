/* Spans: sections that begin and end in any order, on any thread, and what sections are inside of them. */
#include "record_helpers.h"

#include "record/arena.h"
#include "record/lane.h"
#include "record/span.h"

static const char *open_now(void) {
    static char text[1 << 14];
    wi__profile profile = own_profile();
    snprintf(text, sizeof text, "%s", open_in(&profile));
    wi__profile_release(&profile);
    return text;
}

static const char *paths_now(void) {
    static char text[1 << 14];
    wi__profile profile = own_profile();
    snprintf(text, sizeof text, "%s", paths_of(&profile));
    wi__profile_release(&profile);
    return text;
}

static void expect_nothing_open_or_mismatched(void) {
    measure("later");
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 0);
    expect_count(calls_of(&profile, "later"), 1);
    expect_count(all_tallied(&profile, WI__MISMATCHED), 0);
    wi__profile_release(&profile);
}

/* ---- nested ---- */

alone(spans_nest_like_sections_and_with_them) {
    wi_span outer, inner;
    char name[] = "inner";
    for (int i = 0; i < 3; i++) {
        wi_span_begin(&outer, NULL, "outer");
        within (wi_section("section")) {
            wi_span_begin(&inner, NULL, name);
            measure("innermost");
            wi_span_end(&inner, WI_END);
        }
        wi_span_end(&outer, i == 1 ? WI_RAISED : WI_END);
    }
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "outer, outer > section, outer > section > inner, "
                                    "outer > section > inner > innermost");
    expect_count(calls_of(&profile, "outer > section > inner > innermost"), 3);
    expect_count(path_named(&profile, "outer")->errors, 1);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

alone(a_span_that_is_not_open_ends_without_effect) {
    wi_span span;
    wi_span_begin(&span, NULL, "once");
    wi_span_end(&span, WI_END);
    wi_span_end(&span, WI_END);
    wi_span_suspend(&span);
    wi_span_resume(&span);
    measure("after");
    expect_text(paths_now(), "once, after");
    expect_nothing_open_or_mismatched();
}

/* ---- ends in any order ---- */

alone(spans_may_end_in_the_order_of_their_begins) {
    wi_span first, second, third;
    wi_span_begin(&first, NULL, "first");
    wi_span_begin(&second, NULL, "second");
    wi_span_begin(&third, NULL, "third");
    wi_span_end(&first, WI_END);
    expect_text(open_now(), "section third, section second");
    wi_span_end(&second, WI_END);
    wi_span_end(&third, WI_END);
    expect_text(paths_now(), "first, first > second, first > second > third");
    expect_nothing_open_or_mismatched();
}

alone(the_thread_goes_on_in_the_nearest_that_is_open) {
    wi_span first, second, third;
    wi_span_begin(&first, NULL, "first");
    wi_span_begin(&second, NULL, "second");
    wi_span_begin(&third, NULL, "third");
    wi_span_end(&second, WI_END);
    wi_span_end(&third, WI_END);
    measure("inside first");
    wi_span_end(&first, WI_END);
    expect_text(paths_now(), "first, first > second, first > inside first, first > second > third");
    expect_nothing_open_or_mismatched();
}

alone(a_section_around_ends_before_a_span_that_began_in_it) {
    wi_span late;
    within (wi_section("around")) wi_span_begin(&late, NULL, "late");
    measure("between");
    expect_text(open_now(), "section late");
    wi_span_end(&late, WI_END);
    expect_text(paths_now(), "around, between, around > late");
    expect_nothing_open_or_mismatched();
}

alone(a_span_ends_before_a_section_that_began_in_it) {
    wi_span span;
    wi_span_begin(&span, NULL, "span");
    within (wi_section("inside")) {
        spend_ms(1);
        wi_span_end(&span, WI_END);
        measure("further in");
    }
    wi__profile profile = own_profile();
    expect(path_named(&profile, "span > inside")->total > path_named(&profile, "span")->total / 2);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

/* ---- many on one path ---- */

enum { REQUESTS = 37 };

static void begin_requests(wi_span *requests) {
    for (int i = 0; i < REQUESTS; i++) {
        wi_span_begin(&requests[i], NULL, "request");
        wi_span_suspend(&requests[i]);
    }
}

alone(one_path_is_open_many_times_at_once) {
    wi_span requests[REQUESTS];
    begin_requests(requests);
    spend_ms(2);
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 1);
    expect_count(profile.open[0].count, REQUESTS);
    const wi__path *request = path_named(&profile, "request");
    expect_count(request->open_calls, REQUESTS);
    expect(wi__profile_seconds(&profile, (double)request->open_ticks) >= REQUESTS * 0.0019);
    wi__profile_release(&profile);
    for (int i = 0; i < REQUESTS; i++) {
        wi_span *span = &requests[i * 5 % REQUESTS], step;
        wi_span_resume(span);
        wi_span_begin(&step, NULL, "step");
        wi_span_end(&step, WI_END);
        wi_span_end(span, WI_END);
    }
    profile = own_profile();
    expect_count(calls_of(&profile, "request"), REQUESTS);
    expect_count(calls_of(&profile, "request > step"), REQUESTS);
    expect_text(paths_of(&profile), "request, request > step");
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

alone(open_time_that_makes_no_sense_is_the_newest_ones) {
    wi_span requests[REQUESTS];
    begin_requests(requests);
    ((wi__branch *)requests[0].branch)->node->starts += 1ull << 60;
    spend_ms(1);
    wi__profile profile = own_profile();
    double open_s =
        wi__profile_seconds(&profile, (double)path_named(&profile, "request")->open_ticks);
    expect(open_s >= REQUESTS * 0.0009 && open_s < 100);
    wi__profile_release(&profile);
}

alone(a_count_of_open_spans_that_makes_no_sense_is_none) {
    wi_span span;
    wi_span_begin(&span, NULL, "span");
    ((wi__branch *)span.branch)->node->away = 7;
    expect_text(open_now(), "");
}

/* ---- what is inside what ---- */

alone(a_suspended_span_is_around_nothing) {
    wi_span span;
    within (wi_section("around")) {
        wi_span_begin(&span, NULL, "span");
        wi_span_suspend(&span);
        measure("beside");
        wi_span_resume(&span);
        measure("inside");
        wi_span_end(&span, WI_END);
        measure("after");
    }
    expect_text(paths_now(),
                "around, around > span, around > beside, around > after, around > span > inside");
    expect_nothing_open_or_mismatched();
}

alone(a_span_that_is_told_its_parent_leaves_the_thread_where_it_was) {
    wi_span request, reply;
    wi_span_begin(&request, NULL, "request");
    wi_span_suspend(&request);
    within (wi_section("loop")) {
        wi_span_begin(&reply, &request, "reply");
        measure("write");
        wi_span_end(&reply, WI_END);
        measure("poll");
    }
    wi_span_end(&request, WI_END);
    expect_text(paths_now(),
                "request, loop, loop > poll, request > reply, request > reply > write");
    expect_nothing_open_or_mismatched();
}

/* The section that resumes a span ends while the thread is still in there: its time is not lost. */
alone(a_section_ends_while_the_thread_is_in_a_span_elsewhere) {
    wi_span request;
    wi_span_begin(&request, NULL, "request");
    wi_span_suspend(&request);
    within (wi_section("loop")) wi_span_resume(&request);
    measure("after");
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "loop"), 1);
    expect_text(paths_of(&profile), "request, loop, after");
    wi__profile_release(&profile);
    wi_span_end(&request, WI_END);
    expect_nothing_open_or_mismatched();
}

alone(a_section_that_has_ended_is_not_open_again_with_a_span_inside) {
    wi_span inside;
    within (wi_section("over")) wi_span_begin(&inside, NULL, "inside");
    within (wi_section("around")) wi_span_resume(&inside);
    wi_span_end(&inside, WI_END);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "over"), 1);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

/* ---- told by the caller: wi__span_begin_inside ---- */

static const wi_place sites[4];

alone(what_encloses_a_span_may_be_told) {
    wi_span a, b, inside, top;
    wi__span_begin_inside(&a, NULL, &sites[0], "a");
    wi__span_begin_inside(&b, NULL, &sites[1], "b");
    wi__span_begin_inside(&inside, &a, &sites[2], "inside");
    wi__span_begin_inside(&top, NULL, NULL, "top");
    wi_span_end(&top, WI_END);
    wi_span_end(&inside, WI_END);
    wi_span_end(&b, WI_END);
    wi_span_end(&a, WI_END);
    expect_text(paths_now(), "a, b, top, a > inside");
    expect_nothing_open_or_mismatched();
}

alone(sections_between_a_span_and_what_encloses_it_are_its_parents) {
    wi_span a, inside, other;
    within (wi_section("program")) {
        wi__span_begin_inside(&a, NULL, &sites[0], "a");
        within (wi_section("solver")) {
            wi__span_begin_inside(&inside, &a, &sites[1], "inside");
            wi_span_end(&inside, WI_END);
            wi__span_begin_inside(&other, NULL, &sites[2], "other");
            wi_span_end(&other, WI_END);
            measure("after");
        }
        wi_span_end(&a, WI_END);
    }
    expect_text(paths_now(), "program, program > a, program > other, program > a > solver, "
                             "program > a > solver > inside, program > a > solver > after");
    expect_nothing_open_or_mismatched();
}

alone(the_caller_says_where_the_thread_goes_on) {
    wi_span a, b;
    wi__span_begin_inside(&a, NULL, &sites[0], "a");
    wi__span_begin_inside(&b, NULL, &sites[1], "b");
    wi__span_return_to(&a);
    measure("inside a");
    wi__span_return_to(NULL);
    measure("outside");
    wi_span_end(&a, WI_END);
    wi_span_end(&b, WI_END);
    expect_text(paths_now(), "a, b, outside, a > inside a");
    expect_nothing_open_or_mismatched();
}

/* ---- trees apart ---- */

alone(a_tree_apart_has_what_says_so_and_nothing_else) {
    wi_span root, epoch, load, batch;
    wi__span_root(&root, "Profiler 1");
    within (wi_section("run")) {
        wi__span_begin_inside(&epoch, &root, &sites[0], "epoch");
        wi__span_begin_inside(&load, NULL, &sites[1], "load");
        wi_span_end(&load, WI_END);
        measure("solver");
        wi__span_begin_inside(&batch, &epoch, &sites[2], "batch");
        wi_span_end(&batch, WI_END);
        wi_span_end(&epoch, WI_END);
        measure("after");
    }
    expect_text(paths_now(), "Profiler 1, run, load, run > after, Profiler 1 > epoch, "
                             "Profiler 1 > epoch > solver, Profiler 1 > epoch > batch");
    wi_span_end(&root, WI_END);
    expect_nothing_open_or_mismatched();
}

alone(after_the_outermost_span_of_a_tree_apart_the_thread_is_outside_again) {
    wi_span root, epoch;
    wi__span_root(&root, "Profiler 1");
    for (int i = 0; i < 3; i++) {
        wi__span_begin_inside(&epoch, &root, &sites[0], "epoch");
        measure("inside");
        wi_span_end(&epoch, i == 1 ? WI_RAISED : WI_END);
        measure("outside");
    }
    wi_span_end(&root, WI_END);
    expect_text(paths_now(),
                "Profiler 1, outside, Profiler 1 > epoch, Profiler 1 > epoch > inside");
    expect_nothing_open_or_mismatched();
}

alone(a_tree_apart_is_another_path_than_sections_of_its_name) {
    wi_span root, inside;
    within (wi_section("Profiler 1")) measure("x");
    wi__span_root(&root, "Profiler 1");
    wi__span_begin_inside(&inside, &root, &sites[0], "x");
    wi_span_end(&inside, WI_END);
    wi_span_end(&root, WI_END);
    char same[] = "Profiler 1"; /* found by its text */
    wi_span by_name;
    wi_span_begin(&by_name, NULL, same);
    wi_span_end(&by_name, WI_END);
    expect_text(paths_now(), "Profiler 1, Profiler 1, Profiler 1 > x, Profiler 1 > x");
    wi__profile profile = own_profile();
    uint64_t calls[2] = {0, 0};
    for (uint32_t i = 1; i < profile.path_count; i++)
        if (profile.paths[i].parent == WI__ROOT)
            calls[profile.paths[i].apart] = profile.paths[i].calls;
    expect_count(calls[0], 2);
    expect_count(calls[1], 1);
    wi__profile_release(&profile);
}

alone(a_tree_apart_is_forgotten_but_for_what_is_open) {
    wi_span root, open, ended;
    wi__span_root(&root, "Profiler 1");
    wi__span_begin_inside(&open, &root, &sites[0], "open");
    wi__span_begin_inside(&ended, &open, &sites[1], "ended");
    wi_span_end(&ended, WI_END);
    spend_ms(10);
    double begin = now_s();
    wi__span_forget("Profiler 1");
    expect_text(open_now(), "section open, section Profiler 1");
    expect_text(paths_now(), "Profiler 1, Profiler 1 > open");
    wi_span_end(&open, WI_END);
    wi__profile profile = own_profile();
    wi__figures figures = wi__path_figures(&profile, find_path(&profile, "Profiler 1 > open"));
    expect_count(figures.calls, 1);
    expect(figures.total_s <= 1.01 * (now_s() - begin));
    wi__profile_release(&profile);
    wi_span_end(&root, WI_END);
    expect_nothing_open_or_mismatched();
}

static void *measure_apart(void *name_of_root) {
    wi_span root, inside;
    wi__span_root(&root, name_of_root);
    wi__span_begin_inside(&inside, &root, &sites[0], "x");
    wi_span_end(&inside, WI_END);
    wi_span_end(&root, WI_END);
    return NULL;
}

alone(a_tree_apart_is_forgotten_in_all_threads_that_had_it) {
    wi_span root, inside;
    in_thread(measure_apart, "Profiler 1");
    in_thread(measure_apart, "Profiler 2");
    wi__span_root(&root, "Profiler 1");
    wi__span_begin_inside(&inside, &root, &sites[0], "x");
    in_thread(measure_apart, "Profiler 1");
    wi__span_forget("Profiler 1");
    wi_span_end(&inside, WI_END);
    wi_span_end(&root, WI_END);
    wi__profile profile = own_profile();
    expect_count(profile.paths[find_path(&profile, "Profiler 1 > x")].calls, 1);
    expect_count(profile.paths[find_path(&profile, "Profiler 2 > x")].calls, 1);
    wi__profile_release(&profile);
    wi__span_forget("Profiler 3");
    expect_nothing_open_or_mismatched();
}

/* ---- threads ---- */

static void *end_there(void *span) {
    within (wi_section("there")) wi_span_end(span, WI_RAISED);
    return NULL;
}

alone(a_span_that_ends_on_another_thread_is_one_call_of_its_path) {
    wi_span span;
    within (wi_section("around")) {
        wi_span_begin(&span, NULL, "moved");
        spend_ms(1);
        in_thread(end_there, &span);
        expect_text(open_now(), "section around");
        wi_span_begin(&span, NULL, "beside");
        wi_span_end(&span, WI_END);
    }
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "around, around > moved, around > beside, there");
    expect_count(calls_of(&profile, "around > moved"), 1);
    expect_count(path_named(&profile, "around > moved")->errors, 1);
    expect(wi__path_figures(&profile, find_path(&profile, "around > moved")).total_s >= 0.0009);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

static void *work_there(void *span) {
    wi_span child;
    wi_span_begin(&child, span, "child");
    measure("in child");
    wi_span_end(&child, WI_END);
    measure("beside");
    wi_span_resume(span);
    measure("in span");
    expect_text(open_now(), "section span");
    wi_span_suspend(span);
    measure("beside");
    return NULL;
}

alone(a_span_is_worked_on_by_another_thread) {
    wi_span span;
    wi_span_begin(&span, NULL, "span");
    in_thread(work_there, &span);
    wi_span_end(&span, WI_END);
    expect_text(paths_now(), "span, beside, span > child, span > in span, span > child > in child");
    expect_nothing_open_or_mismatched();
}

static void *begin_there(void *span) {
    wi_span_begin((wi_span *)span, NULL, "left");
    return NULL;
}

alone(a_span_outlives_its_thread) {
    wi_span span;
    in_thread(begin_there, &span);
    expect_text(open_now(), "section left");
    wi_span_end(&span, WI_END);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "left"), 1);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

enum { THREADS = 4, ROUNDS = 2000 };
static wi_span passed[THREADS];

/* Each ends what the one before began, while that goes on beginning. */
static void *pass_on(void *number) {
    size_t self = (size_t)number;
    for (int i = 0; i < ROUNDS; i++) {
        wi_span mine, *before = &passed[(self + 1) % THREADS];
        wi_span_begin(&mine, NULL, "passed");
        wi_span_suspend(&mine);
        wi_span swapped;
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&lock);
        swapped = *before;
        *before = mine;
        pthread_mutex_unlock(&lock);
        if (swapped.branch) wi_span_end(&swapped, WI_END);
    }
    return NULL;
}

alone(spans_passed_between_threads_lose_no_call) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) threads[i] = start(pass_on, (void *)i);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) wi_span_end(&passed[i], WI_END);
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "passed");
    expect_count(calls_of(&profile, "passed"), THREADS * ROUNDS);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

/* ---- fork ---- */

alone(in_a_child_spans_count_from_the_fork) {
    wi_span open[3], suspended;
    begin_there(&suspended);
    wi_span_suspend(&suspended);
    for (int i = 0; i < 3; i++) wi_span_begin(&open[i], NULL, "level");
    spend_ms(20);
    double forked_at = now_s();
    if (fork() != 0) {
        int status = -1;
        wait(&status);
        expect_count(status, 0);
        for (int i = 0; i < 3; i++) wi_span_end(&open[i], WI_END);
        wi_span_end(&suspended, WI_END);
        wi__profile profile = own_profile();
        expect(wi__path_figures(&profile, find_path(&profile, "left")).total_s >= 0.0199);
        wi__profile_release(&profile);
        expect_nothing_open_or_mismatched();
        return;
    }
    expect_text(open_now(), "section level, section level, section level, section left");
    for (int i = 0; i < 3; i++) wi_span_end(&open[2 - i], WI_END);
    measure("after");
    wi_span_end(&suspended, WI_END);
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "left, level, after, level > level, level > level > level");
    double passed_s = 1.01 * (now_s() - forked_at);
    for (uint32_t i = 1; i < profile.path_count; i++)
        expect(wi__path_figures(&profile, i).total_s <= passed_s);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

static wi_span theirs;
static int begun, may_end; /* atomic */

static void *hold_open(void *unused) {
    (void)unused;
    wi_span_begin(&theirs, NULL, "theirs");
    __atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&may_end, __ATOMIC_ACQUIRE)) usleep(100);
    wi_span_end(&theirs, WI_END);
    return NULL;
}

alone(in_a_child_other_threads_spans_are_no_more) {
    pthread_t thread = start(hold_open, NULL);
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE)) usleep(100);
    int is_child = fork() == 0, status = 0;
    if (is_child) {
        expect_text(open_now(), "");
        wi_span_end(&theirs, WI_END);
        expect_text(paths_now(), "");
        expect_nothing_open_or_mismatched();
        _exit(0);
    }
    wait(&status);
    expect_count(status, 0);
    __atomic_store_n(&may_end, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    expect_nothing_open_or_mismatched();
}

/* ---- limits ---- */

alone(spans_beyond_the_node_cap_are_folded) {
    enum { MORE = 100 };
    wi_span parent, folded[MORE];
    char name[32];
    wi_span_begin(&parent, NULL, "parent");
    for (int i = 0; i < WI__NODE_CAP; i++) {
        snprintf(name, sizeof name, "%d", i);
        measure(name);
    }
    for (int i = 0; i < MORE; i++) {
        snprintf(name, sizeof name, "span %d", i);
        wi_span_begin(&folded[i], &parent, name);
    }
    within (wi_section("inside folded")) spend_ms(2);
    for (int i = 0; i < MORE; i++) wi_span_end(&folded[i], WI_END);
    wi_span_end(&parent, WI_END);
    wi__profile profile = own_profile();
    expect(calls_of(&profile, "(other)") >= MORE);
    expect_count(profile.open_count, 0);
    expect_count(all_tallied(&profile, WI__MISMATCHED), 0);
    wi__profile_release(&profile);
}

alone(long_names_and_null_are_names) {
    wi_span span;
    char name[WI_NAME_MAX + 50];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    wi_span_begin(&span, NULL, (const char *)NULL);
    wi_span_end(&span, WI_END);
    wi_span_begin(&span, NULL, name);
    wi_span_end(&span, WI_END);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "(null)"), 1);
    strcpy(name + WI_NAME_MAX, "…");
    expect_count(calls_of(&profile, name), 1);
    wi__profile_release(&profile);
}

alone(a_million_spans_need_no_more_memory_than_a_thousand) {
    uint32_t used = 0;
    wi_span outer, inner;
    for (int i = 0; i < 1000000; i++) {
        wi_span_begin(&outer, NULL, "outer");
        wi_span_begin(&inner, i % 2 ? &outer : NULL, "inner");
        wi_span_end(i % 3 ? &inner : &outer, WI_END);
        wi_span_end(i % 3 ? &outer : &inner, WI_END);
        if (i == 999) used = wi__record_header()->used_cells;
    }
    expect_count(wi__record_header()->used_cells, used);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "outer > inner"), 1000000);
    wi__profile_release(&profile);
    expect_nothing_open_or_mismatched();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(spans_nest_like_sections_and_with_them),
        test(a_span_that_is_not_open_ends_without_effect),
        test(spans_may_end_in_the_order_of_their_begins),
        test(the_thread_goes_on_in_the_nearest_that_is_open),
        test(a_section_around_ends_before_a_span_that_began_in_it),
        test(a_span_ends_before_a_section_that_began_in_it),
        test(one_path_is_open_many_times_at_once),
        test(open_time_that_makes_no_sense_is_the_newest_ones),
        test(a_count_of_open_spans_that_makes_no_sense_is_none),
        test(a_suspended_span_is_around_nothing),
        test(a_span_that_is_told_its_parent_leaves_the_thread_where_it_was),
        test(a_section_ends_while_the_thread_is_in_a_span_elsewhere),
        test(a_section_that_has_ended_is_not_open_again_with_a_span_inside),
        test(what_encloses_a_span_may_be_told),
        test(sections_between_a_span_and_what_encloses_it_are_its_parents),
        test(the_caller_says_where_the_thread_goes_on),
        test(a_tree_apart_has_what_says_so_and_nothing_else),
        test(after_the_outermost_span_of_a_tree_apart_the_thread_is_outside_again),
        test(a_tree_apart_is_another_path_than_sections_of_its_name),
        test(a_tree_apart_is_forgotten_but_for_what_is_open),
        test(a_tree_apart_is_forgotten_in_all_threads_that_had_it),
        test(a_span_that_ends_on_another_thread_is_one_call_of_its_path),
        test(a_span_is_worked_on_by_another_thread),
        test(a_span_outlives_its_thread),
        test(spans_passed_between_threads_lose_no_call),
        test(in_a_child_spans_count_from_the_fork),
        test(in_a_child_other_threads_spans_are_no_more),
        test(spans_beyond_the_node_cap_are_folded),
        test(long_names_and_null_are_names),
        test(a_million_spans_need_no_more_memory_than_a_thousand),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
