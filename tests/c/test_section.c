/* wi_section: which sections are one path, and which are not. */
#include "record_helpers.h"

#define expect_paths(text)                                                                         \
    do {                                                                                           \
        wi__profile profile_ = own_profile();                                                      \
        expect_text(paths_of(&profile_), text);                                                    \
        wi__profile_release(&profile_);                                                            \
    } while (0)

static void expect_calls(const char *path, uint64_t calls) {
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, path), calls);
    wi__profile_release(&profile);
}

alone(literal_and_dynamic_names_of_one_path_are_one_line) {
    char name[] = "solve";
    const char *pointer = name;
    within (wi_section("solve")) continue;
    within (wi_section(name)) continue;
    within (wi_section(pointer)) continue;
    within (wi_section("solve")) continue;
    expect_paths("solve");
    expect_calls("solve", 4);
}

alone(two_sections_on_one_line_are_two_paths) {
    for (int i = 0; i < 3; i++) {
        within (wi_section("a")) continue;
        within (wi_section("b")) continue;
    }
    expect_paths("a, b");
    expect_calls("a", 3);
    expect_calls("b", 3);
}

#define PAIR(name)                                                                                 \
    within (wi_section(name))                                                                      \
        within (wi_section(name "'s")) continue
alone(sections_of_a_macro_are_told_apart_by_their_names) {
    for (int i = 0; i < 2; i++) {
        PAIR("x");
        PAIR("y");
    }
    expect_paths("x, y, y > y's, x > x's");
}

/* Unrolled by the compiler or not. */
alone(a_loop_over_an_array_of_names_gives_one_path_each) {
    static const char *const names[] = {"load", "train", "store"};
    for (int i = 0; i < 3; i++)
        within (wi_section(names[i])) continue;
    expect_paths("load, train, store");
}

alone(a_loop_over_an_array_of_arrays_gives_one_path_each) {
    static const char names[3][8] = {"load", "train", "store"};
    for (int i = 0; i < 3; i++)
        within (wi_section(names[i])) continue;
    expect_paths("load, train, store");
}

alone(one_buffer_with_changing_names_gives_one_path_each) {
    char name[16];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "step %d", i);
        within (wi_section(name)) name[0] = '\0'; /* read on enter, not kept */
    }
    expect_paths("step 0, step 1, step 2");
}

alone(a_choice_of_literals_gives_one_path_each) {
    for (int i = 0; i < 4; i++)
        within (wi_section(i % 2 ? "odd" : "even")) continue;
    expect_paths("even, odd");
    expect_calls("odd", 2);
}

static void helper(void) {
    within (wi_section("helper")) continue;
}

alone(one_place_below_two_sections_is_two_paths) {
    within (wi_section("a")) helper();
    within (wi_section("b")) helper();
    helper();
    expect_paths("a, b, helper, b > helper, a > helper");
}

/* More sites than a branch remembers as used last: each is found, in any order. */
#define FIVE(n)                                                                                    \
    within (wi_section(n "0")) continue;                                                           \
    within (wi_section(n "1")) continue;                                                           \
    within (wi_section(n "2")) continue;                                                           \
    within (wi_section(n "3")) continue;                                                           \
    within (wi_section(n "4")) continue;

alone(twenty_sites_in_turn_are_each_found_again) {
    for (int i = 0; i < 100; i++) {
        FIVE("a") FIVE("b") FIVE("c") FIVE("d")
    }
    wi__profile profile = own_profile();
    expect_count(profile.path_count, 22);
    expect_count(profile.header.nodes, 22);
    for (uint32_t i = 1; i < profile.path_count; i++)
        if (strcmp(profile.paths[i].name, "(other)") != 0)
            expect_count(profile.paths[i].calls, 100);
    wi__profile_release(&profile);
}

static void use_two(void) {
    wi_use(wi_section("first"));
    wi_use(wi_section("second"));
    spend_ms(0.1);
}

alone(sections_can_be_used_in_the_declaration_form) {
    use_two();
    expect_paths("first, first > second");
}

alone(return_goto_and_errors_close_sections) {
    for (int i = 0; i < 3; i++) {
        within (wi_section("left")) goto next;
    next:;
    }
    wi_try {
        within (wi_section("raised")) wi_raise(WI_VALUE_ERROR, "no");
    } wi_catch (WI_VALUE_ERROR, error) {
        within (wi_section("caught")) continue;
    }
    expect_paths("left, raised, caught");
    expect_calls("left", 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(literal_and_dynamic_names_of_one_path_are_one_line),
        test(two_sections_on_one_line_are_two_paths),
        test(sections_of_a_macro_are_told_apart_by_their_names),
        test(a_loop_over_an_array_of_names_gives_one_path_each),
        test(a_loop_over_an_array_of_arrays_gives_one_path_each),
        test(one_buffer_with_changing_names_gives_one_path_each),
        test(a_choice_of_literals_gives_one_path_each),
        test(one_place_below_two_sections_is_two_paths),
        test(twenty_sites_in_turn_are_each_found_again),
        test(sections_can_be_used_in_the_declaration_form),
        test(return_goto_and_errors_close_sections),
    };
    return cmocka_run_group_tests_name("section", tests, NULL, NULL);
}
