/* The notes of a run's journal: whole or not there, whatever becomes of their file. */
#include <sys/resource.h>

#include "runs_helpers.h"

static int open_notes(void) {
    int here = open_here(), notes = wi__notes_open(here);
    close(here);
    expect(notes >= 0);
    return notes;
}

static int add(int notes, wi__note_kind kind, int64_t number, const char *key, const char *value) {
    wi__note note = {kind, number, 77, key, value};
    return wi__notes_append(notes, &note);
}

/* The notes in words, "2 5 @77 key=value". */
static char words[1 << 20];
static int taken;

static int take(void *arg, const wi__note *note) {
    size_t length = strlen(words);
    snprintf(words + length, sizeof words - length, "%s%d %lld @%lld %s=%s", length ? ", " : "",
             (int)note->kind, (long long)note->number, (long long)note->ms, note->key, note->value);
    taken++;
    return arg && taken == *(int *)arg ? 99 : 0;
}

static const char *read_from(int notes, uint64_t *offset) {
    words[0] = '\0';
    taken = 0;
    expect_count(wi__notes_read(notes, offset, take, NULL), 0);
    return words;
}

alone(notes_are_read_as_they_were_written) {
    int notes = open_notes();
    uint64_t offset = 0;
    expect_text(read_from(notes, &offset), "");
    expect_count(add(notes, WI__NOTE_SERIES, 0, "energy", NULL), 0);
    expect_count(add(notes, WI__NOTE_PARAM, INT64_MIN, "\xff '); DROP TABLE run;\n", ""), 0);
    expect_count(add(notes, WI__NOTE_END, INT64_MAX, "FAILED", "why\n  trail"), 0);
    expect_text(read_from(notes, &offset),
                "1 0 @77 energy=, 2 -9223372036854775808 @77 \xff '); DROP "
                "TABLE run;\n=, 8 9223372036854775807 @77 FAILED=why\n"
                "  trail");
    expect_count(add(notes, WI__NOTE_TAG, 1, "later", "one"), 0);
    expect_text(read_from(notes, &offset), "3 1 @77 later=one");
    expect_count(offset, size_of("notes"));
}

alone(a_long_note_is_read) {
    int notes = open_notes();
    uint64_t offset = 0;
    char *text = malloc(300001);
    memset(text, 'x', 300000);
    text[300000] = '\0';
    for (int i = 0; i < 3; i++) expect_count(add(notes, WI__NOTE_TAG, i, "k", text), 0);
    read_from(notes, &offset);
    expect_count(taken, 3);
    expect(strstr(words, "3 2 @77 k=xxx") != NULL);
    free(text);
}

alone(a_reader_may_stop) {
    int notes = open_notes(), at = 2;
    uint64_t offset = 0;
    for (int i = 0; i < 4; i++) add(notes, WI__NOTE_TAG, i, "k", "v");
    words[0] = '\0';
    taken = 0;
    expect_count(wi__notes_read(notes, &offset, take, &at), 99);
    expect_text(read_from(notes, &offset), "3 1 @77 k=v, 3 2 @77 k=v, 3 3 @77 k=v");
}

alone(a_note_that_is_cut_off_anywhere_is_not_there) {
    int notes = open_notes();
    add(notes, WI__NOTE_PARAM, 1, "first", "one");
    off_t first = size_of("notes");
    add(notes, WI__NOTE_PARAM, 2, "second", "two");
    for (off_t size = size_of("notes") - 1; size >= first; size--) {
        uint64_t offset = 0;
        expect(ftruncate(notes, size) == 0);
        expect_text(read_from(notes, &offset), "2 1 @77 first=one");
        expect_count(offset, first);
    }
}

/* After a power cut a file may end in zeros. */
alone(zeros_are_no_notes) {
    int notes = open_notes();
    uint64_t offset = 0;
    add(notes, WI__NOTE_PARAM, 1, "first", "one");
    expect(ftruncate(notes, size_of("notes") + 5000) == 0);
    expect_text(read_from(notes, &offset), "2 1 @77 first=one");
}

alone(each_damaged_byte_is_noticed) {
    int notes = open_notes();
    add(notes, WI__NOTE_PARAM, 1, "first", "one");
    off_t first = size_of("notes");
    add(notes, WI__NOTE_PARAM, 2, "second", "two");
    int plain = open("notes", O_RDWR); /* pwrite appends to one that is open to append */
    for (off_t at = first; at < size_of("notes"); at++)
        for (int bit = 0; bit < 8; bit++) {
            unsigned char byte;
            uint64_t offset = 0;
            expect(pread(plain, &byte, 1, at) == 1);
            byte ^= (unsigned char)(1 << bit);
            expect(pwrite(plain, &byte, 1, at) == 1);
            expect_text(read_from(notes, &offset), "2 1 @77 first=one");
            byte ^= (unsigned char)(1 << bit);
            expect(pwrite(plain, &byte, 1, at) == 1);
        }
}

/* ---- a full disk ---- */

alone(a_note_that_does_not_fit_leaves_nothing_and_later_ones_do) {
    int notes = open_notes();
    uint64_t offset = 0;
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    char text[500];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    add(notes, WI__NOTE_PARAM, 1, "first", "one");
    off_t before = size_of("notes");
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = (rlim_t)before + 100;
    setrlimit(RLIMIT_FSIZE, &limit);
    expect(add(notes, WI__NOTE_PARAM, 2, "second", text) != 0);
    expect_count(size_of("notes"), before);
    expect_count(add(notes, WI__NOTE_PARAM, 3, "third", "fits"), 0);
    expect_text(read_from(notes, &offset), "2 1 @77 first=one, 2 3 @77 third=fits");
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 500 };
static int shared_notes;

static void *add_many(void *arg) {
    for (int i = 0; i < EACH; i++)
        expect_count(add(shared_notes, WI__NOTE_TAG, *(int *)arg * EACH + i, "k", "v"), 0);
    return NULL;
}

static int is_seen[THREADS * EACH];

static int see(void *arg, const wi__note *note) {
    (void)arg;
    is_seen[note->number]++;
    return 0;
}

alone(threads_do_not_cut_each_other_off) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    uint64_t offset = 0;
    shared_notes = open_notes();
    for (int i = 0; i < THREADS; i++) numbers[i] = i;
    for (int i = 0; i < THREADS; i++) threads[i] = start(add_many, &numbers[i]);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    expect_count(wi__notes_read(shared_notes, &offset, see, NULL), 0);
    for (int i = 0; i < THREADS * EACH; i++) expect_count(is_seen[i], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(notes_are_read_as_they_were_written),
        test(a_long_note_is_read),
        test(a_reader_may_stop),
        test(a_note_that_is_cut_off_anywhere_is_not_there),
        test(zeros_are_no_notes),
        test(each_damaged_byte_is_noticed),
        test(a_note_that_does_not_fit_leaves_nothing_and_later_ones_do),
        test(threads_do_not_cut_each_other_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
