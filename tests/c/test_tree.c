/* The tree of a lane: histogram buckets, counting calls, names, many children, the node cap. */
#include "record_helpers.h"

#include "record/tree.h"

/* ---- histogram buckets ---- */

alone(longer_calls_are_never_in_a_lower_bucket) {
    uint32_t last = wi__bucket(0);
    for (uint64_t ticks = 1; ticks < 1u << 20; ticks++) {
        expect(wi__bucket(ticks) >= last);
        last = wi__bucket(ticks);
    }
    for (int bit = 20; bit < 63; bit++)
        for (uint64_t step = 0; step < 64; step++) {
            uint64_t ticks = (1ull << bit) + (step << (bit - 6));
            expect(wi__bucket(ticks) >= last && wi__bucket(ticks - 1) <= wi__bucket(ticks));
            last = wi__bucket(ticks);
        }
}

alone(each_octave_has_eight_buckets) {
    expect_count(wi__bucket(15), 15);
    expect_count(wi__bucket(16), 16);
    expect_count(wi__bucket(31), 23);
    expect_count(wi__bucket(32), 24);
    expect_count(wi__bucket(1ull << 40), 8 * 38);
    expect_count(wi__bucket(UINT64_MAX), 8 * 62 - 1);
}

alone(every_duration_has_a_bucket) {
    const uint64_t ticks[] = {0, 1, 2, 15, 16, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++)
        expect(wi__bucket(ticks[i]) < WI__BUCKETS);
}

/* What a report says of calls that all took so long: the middle of their bucket, between two that
 * stretch the path's range beyond it. */
static double median_of(uint64_t ticks) {
    wi__bucket_calls bucket = {wi__bucket(ticks), 1000};
    wi__path path = {.parent = WI__NO_PATH,
                     .calls = 1000,
                     .min = 0,
                     .max = UINT64_MAX,
                     .bucket_count = 1,
                     .buckets = &bucket};
    wi__profile profile = {.ticks_per_second = 1, .path_count = 1, .paths = &path};
    return wi__path_quantile(&profile, 0, 0.5);
}

alone(the_middle_of_a_bucket_is_within_7_percent) {
    for (uint64_t ticks = 0; ticks < 100000; ticks++)
        expect_near(median_of(ticks), ticks, 0.07 * (double)ticks);
    for (int bit = 16; bit < 62; bit++)
        for (uint64_t step = 0; step < 32; step++) {
            uint64_t first = (1ull << bit) + (step << (bit - 5)),
                     last = first + (1ull << (bit - 5)) - 1;
            expect_near(median_of(first), first, 0.07 * (double)first);
            expect_near(median_of(last), last, 0.07 * (double)last);
        }
}

/* ---- counting calls ---- */

static wi__node fresh_node(void) { return (wi__node){.min = UINT64_MAX}; }

static uint64_t in_histogram(const wi__node *node) {
    uint64_t calls = 0;
    for (int i = 0; i < WI__BUCKETS; i++) calls += node->histogram[i];
    return calls;
}

alone(a_call_adds_to_every_figure) {
    wi__node node = fresh_node();
    expect(wi__node_add_call(&node, 100));
    expect(wi__node_add_call(&node, 300));
    expect_count(node.calls, 2);
    expect_count(node.total, 400);
    expect_count(node.min, 100);
    expect_count(node.max, 300);
    expect_count(node.squares[0], 100 * 100 + 300 * 300);
    expect_count(node.pending, wi__bucket(300));
    expect_count(node.seq % 2, 0);
    expect(node.seq != 0);
}

alone(the_histogram_is_one_call_behind) {
    wi__node node = fresh_node();
    wi__node_add_call(&node, 100);
    uint64_t before = in_histogram(&node);
    wi__node_add_call(&node, 1000);
    expect_count(node.histogram[wi__bucket(100)], 1);
    expect_count(in_histogram(&node), before + 1);
}

alone(squares_carry_into_their_upper_half) {
    wi__node node = fresh_node();
    uint64_t ticks = (1ull << 62) + 12345;
    unsigned __int128 squares = 0;
    for (int i = 0; i < 5; i++) {
        expect(wi__node_add_call(&node, ticks));
        squares += (unsigned __int128)ticks * ticks;
    }
    expect(node.squares[0] == (uint64_t)squares);
    expect(node.squares[1] == (uint64_t)(squares >> 64));
}

alone(a_full_counter_refuses_and_changes_nothing) {
    wi__node node = fresh_node();
    wi__node_add_call(&node, 100);
    node.histogram[node.pending] = UINT32_MAX;
    wi__node before = node;
    expect(!wi__node_add_call(&node, 500));
    expect(memcmp(&before, &node, sizeof node) == 0);
}

alone(a_clock_that_went_backwards_refuses_and_changes_nothing) {
    wi__node node = fresh_node(), before = node;
    expect(!wi__node_add_call(&node, (uint64_t)-3));
    expect(memcmp(&before, &node, sizeof node) == 0);
}

/* Four thousand million calls later: the count goes on, and the reader adds both halves up. */
alone(a_full_counter_is_carried_and_the_quantiles_still_hold) {
    within (wi_section("hot")) continue;
    wi__branch *hot = wi__child_of_name(wi__lane_here()->root, "carried");
    wi__node *node = hot->node;
    wi__node_add_call(node, 1000);
    node->histogram[wi__bucket(1000)] = UINT32_MAX - 1;
    node->calls = UINT32_MAX;
    wi__node_add_call(node, 1000);
    expect(!wi__node_add_call(node, 1000));
    wi__histogram_carry(hot->lane, node);
    expect(wi__node_add_call(node, 1000));
    for (int i = 0; i < 10; i++) expect(wi__node_add_call(node, 1u << 20));
    wi__profile profile = own_profile();
    const wi__path *path = path_named(&profile, "carried");
    expect_count(path->bucket_count, 2);
    expect_count(path->buckets[0].calls, (1ull << 32) + 1);
    expect_count(path->buckets[1].calls, 10);
    expect_count(path->calls, (1ull << 32) + 11);
    wi__profile_release(&profile);
}

/* By the public way: a section's end meets the full counter. */
alone(a_section_whose_counter_is_full_loses_no_call) {
    wi__node *node = NULL;
    for (int i = 0; i < 2; i++) {
        within (hot, wi_section("hot")) {
            node = hot->opened.node;
            if (i == 1) node->histogram[node->pending] = UINT32_MAX;
        }
    }
    expect_count(node->calls, 2);
    expect(node->high != 0);
    uint64_t carried = 0;
    for (int i = 0; i < WI__BUCKETS; i++) carried += ((uint32_t *)wi__cell(node->high))[i];
    expect_count(carried, 1);
    expect_count(in_histogram(node),
                 (1ull << 31) + (node->pending == 0 ? 0 : 1)); /* 1: of the first call */
}

/* ---- names ---- */

static const char *only_path_named(const char *name) {
    static char text[2048];
    measure(name);
    wi__profile profile = own_profile();
    snprintf(text, sizeof text, "%.2000s", paths_of(&profile));
    wi__profile_release(&profile);
    return text;
}

alone(a_name_of_200_bytes_is_kept_whole) {
    char name[WI_NAME_MAX + 1];
    memset(name, 'x', WI_NAME_MAX);
    name[WI_NAME_MAX] = '\0';
    expect_text(only_path_named(name), name);
}

alone(a_longer_name_is_cut_and_marked) {
    char name[300], wanted[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(wanted, sizeof wanted, "%.200s…", name);
    expect_text(only_path_named(name), wanted);
}

/* "ä" is two bytes: 99 of them and one "x" fill 199 bytes, and the 100th does not fit. */
alone(a_name_is_never_cut_inside_a_character) {
    char name[300] = "x", wanted[300];
    for (int i = 0; i < 120; i++) strcat(name, "ä");
    snprintf(wanted, sizeof wanted, "%.199s…", name);
    expect_text(only_path_named(name), wanted);
}

alone(a_long_name_that_is_no_utf_8_keeps_its_begin) {
    char name[301];
    memset(name, 0x80, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *shown = only_path_named(name);
    expect(strncmp(shown, "\\x80\\x80\\x80\\x80", 16) == 0);
    expect(strlen(shown) > 4 * 190);
}

alone(a_null_name_is_shown_as_such) { expect_text(only_path_named(NULL), "(null)"); }
alone(an_empty_name_is_a_path) { expect_text(only_path_named(""), ""); }

alone(bytes_that_cannot_be_printed_are_escaped) {
    expect_text(only_path_named("a\x1b[2J\n\xff\xc2\x9b"
                                "31m\x7f ü€😀"),
                "a\\x1b[2J\\x0a\\xff\\xc2\\x9b31m\\x7f ü€😀");
}

alone(half_characters_and_too_long_forms_are_escaped) {
    expect_text(only_path_named("\xc3|\xe2\x82|\xc0\x80|\xed\xa0\x80|\xf4\x90\x80\x80"),
                "\\xc3|\\xe2\\x82|\\xc0\\x80|\\xed\\xa0\\x80|\\xf4\\x90\\x80\\x80");
}

alone(names_that_differ_only_behind_the_cut_are_one_path) {
    char name[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    measure(name);
    name[250] = 'y';
    measure(name);
    wi__profile profile = own_profile();
    expect_count(profile.path_count, 3); /* the root, "(other)" and this */
    wi__profile_release(&profile);
}

/* ---- many children ---- */

enum { MANY = 10000 };

static wi__branch *nth_child(wi__branch *parent, int i) {
    char name[32];
    snprintf(name, sizeof name, "step %d", i);
    return wi__child_of_name(parent, name);
}

alone(each_of_10000_children_is_found_again) {
    wi__branch *root = wi__lane_here()->root;
    static wi__branch *children[MANY];
    for (int i = 0; i < MANY; i++) expect((children[i] = nth_child(root, i)) != NULL);
    uint32_t used = wi__record_header()->used_cells;
    for (int i = 0; i < MANY; i++) expect(nth_child(root, i) == children[i]);
    expect_count(wi__record_header()->used_cells, used);
    expect_count(root->count, MANY);
}

/* Work, not time: how many slots a search looks at. */
static uint32_t slots_looked_at(const wi__branch *parent, uintptr_t key) {
    uint32_t looked = 1;
    for (uintptr_t i = wi__key_hash(key); parent->children[i & parent->mask].key != key; i++)
        looked++;
    return looked;
}

alone(finding_one_of_10000_children_looks_at_few_slots) {
    wi__branch *root = wi__lane_here()->root;
    for (int i = 0; i < MANY; i++) nth_child(root, i);
    uint64_t looked = 0;
    for (uint32_t i = 0; i <= root->mask; i++)
        if (root->children[i].key) looked += slots_looked_at(root, root->children[i].key);
    expect(looked < 3 * MANY);
    expect(root->mask < 10 * MANY);
}

alone(sites_24_bytes_apart_are_found_with_few_looks) {
    static const wi_place sites[MANY];
    wi__branch *root = wi__lane_here()->root;
    for (int i = 0; i < MANY; i++) expect(wi__child_of_site(root, &sites[i], "site") != NULL);
    uint64_t looked = 0;
    for (int i = 0; i < MANY; i++) looked += slots_looked_at(root, (uintptr_t)&sites[i]);
    expect_count(root->count, MANY);
    expect(looked < 3 * MANY);
}

/* ---- the node cap ---- */

static void name_steps(int from, int to) {
    char name[32];
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "step %d", i);
        measure(name);
    }
}

alone(paths_beyond_the_cap_are_folded_and_counted) {
    enum { KEPT = WI__NODE_CAP - 2, BEYOND = 1000 }; /* the root and "(other)" are nodes too */
    name_steps(0, KEPT + BEYOND);
    wi__profile profile = own_profile();
    expect_count(profile.header.nodes, WI__NODE_CAP);
    expect_count(profile.path_count, WI__NODE_CAP);
    expect_count(profile.header.folded, BEYOND);
    expect_count(calls_of(&profile, "(other)"), BEYOND);
    expect_count(calls_of(&profile, "step 0"), 1);
    expect_count(profile.header.dropped, 0);
    expect_count(profile.damaged, 0);
    wi__profile_release(&profile);
    uint32_t used = wi__record_header()->used_cells;
    name_steps(KEPT, KEPT + 2 * BEYOND);
    expect_count(wi__record_header()->used_cells, used);
}

/* The time of what is folded is in "(other)" and nowhere else: all selfs together are the whole. */
alone(folded_time_is_counted_once) {
    double started = now_s();
    name_steps(0, WI__NODE_CAP - 3);
    double begin = now_s();
    within (wi_section("known")) {
        spend_ms(5);
        within (wi_section("folded")) {
            spend_ms(10);
            within (wi_section("folded too")) spend_ms(10);
        }
        within (wi_section("folded again")) spend_ms(5);
    }
    double took = now_s() - begin;
    wi__profile profile = own_profile();
    wi__figures known = wi__path_figures(&profile, find_path(&profile, "known"));
    wi__figures other = wi__path_figures(&profile, find_path(&profile, "(other)"));
    expect_count(profile.header.folded, 3);
    expect_count(other.calls, 2);
    expect(other.total_s >= 0.025 && other.total_s <= took);
    expect(known.total_s >= 0.030 && known.total_s <= took);
    expect_near(known.self_s + other.self_s, known.total_s, 1e-9);
    double whole = profile.paths[WI__ROOT].children / profile.ticks_per_second;
    expect(whole >= known.total_s && whole <= now_s() - started);
    wi__profile_release(&profile);
}

alone(a_thread_that_comes_after_the_cap_is_measured_in_other) {
    name_steps(0, WI__NODE_CAP);
    in_thread((void *(*)(void *))(void *)measure, "late");
    wi__profile profile = own_profile();
    expect_count(profile.threads, 2);
    expect_count(profile.header.folded, 3);
    expect_count(calls_of(&profile, "(other)"), 3);
    wi__profile_release(&profile);
}

alone(sections_inside_other_are_closed_in_their_order) {
    name_steps(0, WI__NODE_CAP - 3);
    for (int i = 0; i < 3; i++)
        within (wi_section("known")) {
            within (wi_section("folded")) {
                within (wi_section("known")) continue; /* below "(other)": unknown there */
            }
        }
    measure("step 1");
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "known"), 3);
    expect_count(calls_of(&profile, "(other)"), 3);
    expect_count(calls_of(&profile, "step 1"), 2);
    expect_count(profile.header.folded, 6);
    expect_count(all_tallied(&profile, WI__MISMATCHED), 0);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(longer_calls_are_never_in_a_lower_bucket),
        test(each_octave_has_eight_buckets),
        test(every_duration_has_a_bucket),
        test(the_middle_of_a_bucket_is_within_7_percent),
        test(a_call_adds_to_every_figure),
        test(the_histogram_is_one_call_behind),
        test(squares_carry_into_their_upper_half),
        test(a_full_counter_refuses_and_changes_nothing),
        test(a_clock_that_went_backwards_refuses_and_changes_nothing),
        test(a_full_counter_is_carried_and_the_quantiles_still_hold),
        test(a_section_whose_counter_is_full_loses_no_call),
        test(a_name_of_200_bytes_is_kept_whole),
        test(a_longer_name_is_cut_and_marked),
        test(a_name_is_never_cut_inside_a_character),
        test(a_long_name_that_is_no_utf_8_keeps_its_begin),
        test(a_null_name_is_shown_as_such),
        test(an_empty_name_is_a_path),
        test(bytes_that_cannot_be_printed_are_escaped),
        test(half_characters_and_too_long_forms_are_escaped),
        test(names_that_differ_only_behind_the_cut_are_one_path),
        test(each_of_10000_children_is_found_again),
        test(finding_one_of_10000_children_looks_at_few_slots),
        test(sites_24_bytes_apart_are_found_with_few_looks),
        test(paths_beyond_the_cap_are_folded_and_counted),
        test(folded_time_is_counted_once),
        test(a_thread_that_comes_after_the_cap_is_measured_in_other),
        test(sections_inside_other_are_closed_in_their_order),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
