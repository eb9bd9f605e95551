/* The table of names: whatever was added is found, by readers too while it grows. */
#include "process_helpers.h"

#include "runs/names.h"

typedef struct entry {
    wi__named named;
    int number;
    char text[24];
} entry;

static entry *make_entry(int number) {
    entry *made = malloc(sizeof *made);
    snprintf(made->text, sizeof made->text, "metric/%d", number);
    made->named = wi__named_of(made->text);
    made->number = number;
    return made;
}

static void keep(void *named) { (void)named; }

static int number_of_name(const wi__names *names, const char *text) {
    wi__named wanted = wi__named_of(text);
    const entry *found = wi__names_find(names, &wanted);
    return found ? found->number : -1;
}

alone(many_names_are_told_apart) {
    wi__names names = {NULL, 0};
    char text[24];
    enum { COUNT = 100000 };
    for (int i = 0; i < COUNT; i++) expect(wi__names_add(&names, &make_entry(i)->named));
    for (int i = 0; i < COUNT; i += 7) {
        snprintf(text, sizeof text, "metric/%d", i);
        expect_count(number_of_name(&names, text), i);
    }
    expect_count(number_of_name(&names, "metric/"), -1);
    expect_count(number_of_name(&names, ""), -1);
    wi__names_release(&names, free);
    expect_count(number_of_name(&names, "metric/1"), -1);
}

alone(beginnings_and_zero_bytes_are_other_names) {
    wi__names names = {NULL, 0};
    static const char *const texts[] = {"a", "aa", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaaaaaaaaaa",
                                        "b"};
    entry entries[6];
    for (int i = 0; i < 6; i++) {
        entries[i] = (entry){wi__named_of(texts[i]), i, ""};
        expect(wi__names_add(&names, &entries[i].named));
    }
    for (int i = 0; i < 6; i++) expect_count(number_of_name(&names, texts[i]), i);
    expect_count(number_of_name(&names, "aaa"), -1);
    wi__names_release(&names, keep);
}

static wi__names shared;
static int added;

static void *read_all(void *arg) {
    (void)arg;
    char text[24];
    for (int i = 0; i < 20000;) {
        if (i >= __atomic_load_n(&added, __ATOMIC_ACQUIRE)) continue;
        snprintf(text, sizeof text, "metric/%d", i);
        expect_count(number_of_name(&shared, text), i);
        i++;
    }
    return NULL;
}

alone(readers_find_what_was_added_while_it_grows) {
    pthread_t readers[3];
    for (int i = 0; i < 3; i++) readers[i] = start(read_all, NULL);
    for (int i = 0; i < 20000; i++) {
        expect(wi__names_add(&shared, &make_entry(i)->named));
        __atomic_store_n(&added, i + 1, __ATOMIC_RELEASE);
    }
    for (int i = 0; i < 3; i++) pthread_join(readers[i], NULL);
    wi__names_release(&shared, free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(many_names_are_told_apart),
        test(beginnings_and_zero_bytes_are_other_names),
        test(readers_find_what_was_added_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
