/* The reader trusts nothing: cut, damaged, foreign and made-up records are refused or read, never a crash. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/fuzz_reader.h"
#include "record/profile.h"

typedef struct sample_record {
    uint8_t *bytes;
    size_t length;
} sample_record;

static sample_record read_sample(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", WITHIN_CORPUS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    sample_record sample = {malloc(1 << 20), 0};
    assert_non_null(sample.bytes);
    sample.length = fread(sample.bytes, 1, 1 << 20, file);
    fclose(file);
    assert_true(sample.length > sizeof(wi__header));
    return sample;
}

/* What the reader says of bytes that it refuses; "" of those that it reads. */
static const char *refusal(const void *bytes, size_t length) {
    static char why[128];
    wi__profile profile;
    why[0] = '\0';
    if (wi__profile_of_bytes(bytes, length, &profile, why, sizeof why)) {
        wi__profile_release(&profile);
        return "";
    }
    return why;
}

static void the_corpus_is_read_and_reported(void **state) {
    (void)state;
    DIR *folder = opendir(WITHIN_CORPUS);
    int read = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        sample_record sample = read_sample(entry->d_name);
        assert_string_equal(refusal(sample.bytes, sample.length), "");
        LLVMFuzzerTestOneInput(sample.bytes, sample.length);
        free(sample.bytes);
        read++;
    }
    closedir(folder);
    assert_true(read >= 6);
}

static void a_whole_record_is_not_damaged(void **state) {
    (void)state;
    sample_record sample = read_sample("nested");
    wi__profile profile;
    char why[128];
    assert_true(wi__profile_of_bytes(sample.bytes, sample.length, &profile, why, sizeof why));
    assert_int_equal(profile.damaged, 0);
    assert_int_equal(profile.torn, 0);
    assert_int_equal(profile.path_count, 1 + 1 + 6); /* the root, "(other)", the levels */
    wi__profile_release(&profile);
    free(sample.bytes);
}

static void a_record_cut_anywhere_is_refused_or_read_as_far_as_it_goes(void **state) {
    (void)state;
    const char *const names[] = {"nested", "killed", "suppressed"};
    for (size_t i = 0; i < 3; i++) {
        sample_record sample = read_sample(names[i]);
        for (size_t length = 0; length < sample.length; length += 128) {
            const char *why = refusal(sample.bytes, length);
            if (length < sizeof(wi__header))
                assert_true(strcmp(why, length ? "is cut off inside its header" : "is empty") == 0);
            else
                assert_string_equal(why, "");
            LLVMFuzzerTestOneInput(sample.bytes, length);
        }
        free(sample.bytes);
    }
}

/* The same numbers on every machine (Marsaglia, J. Stat. Softw. 8(14), 2003). */
static uint32_t next_random(uint32_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 17;
    return *x ^= *x << 5;
}

/* Most of a record is histograms, in which every number is as good as another: three of four changes go to
 * the header's begin, and to the first bytes of a cell that is not empty and follows one that is. */
static size_t place_to_change(const sample_record *sample, uint32_t *random) {
    uint32_t kind = next_random(random) % 4, number = next_random(random);
    if (kind == 0) return number % 256;
    if (kind == 1) return 1160 + number % 200; /* from the owner to the first region, and on */
    size_t place = number % sample->length;
    while (kind == 2 && place + WI__CELL_BYTES < sample->length && !sample->bytes[place]) place++;
    return place;
}

/* A number that means something, or nearly. */
static uint32_t telling_number(const sample_record *sample, uint32_t *random) {
    static const uint32_t numbers[] = {0, 1, WI__HEADER_CELLS, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    uint32_t number = next_random(random);
    return number % 2 ? numbers[number / 2 % 6]
                      : number / 2 % (uint32_t)(sample->length / WI__CELL_BYTES + 2);
}

/* Change a bit, a byte or a number. */
static void change(const sample_record *sample, uint8_t *copy, uint32_t *random) {
    size_t place = place_to_change(sample, random);
    uint32_t kind = next_random(random) % 3, number = telling_number(sample, random);
    if (kind == 0) copy[place] ^= (uint8_t)(1u << number % 8);
    if (kind == 1) copy[place] = (uint8_t)next_random(random);
    if (kind == 2) memcpy(copy + place / 4 * 4, &number, sizeof number);
}

/* The rest of the fuzzer's checks take longer: they see each hundredth. */
static void read_changed(const sample_record *sample, int changes, uint32_t *random,
                         int thoroughly) {
    uint8_t *copy = malloc(sample->length);
    assert_non_null(copy);
    memcpy(copy, sample->bytes, sample->length);
    for (int i = 0; i < changes; i++) change(sample, copy, random);
    if (thoroughly)
        LLVMFuzzerTestOneInput(copy, sample->length);
    else
        refusal(copy, sample->length);
    free(copy);
}

static void changed_bytes_never_break_it(void **state) {
    (void)state;
    enum { COPIES = 100000, MOST_CHANGES = 4 };
    const char *const names[] = {"nested", "killed", "suppressed", "threads"};
    uint32_t random = 2463534242u;
    for (size_t i = 0; i < 4; i++) {
        sample_record sample = read_sample(names[i]);
        for (int j = 0; j < COPIES / 4; j++)
            read_changed(&sample, 1 + j % MOST_CHANGES, &random, j % 100 == 0);
        free(sample.bytes);
    }
}

static void another_version_layout_or_byte_order_is_named(void **state) {
    (void)state;
    sample_record sample = read_sample("empty");
    wi__header *header = (wi__header *)sample.bytes;
    header->version = 2;
    assert_string_equal(refusal(sample.bytes, sample.length),
                        "is a record of version 2; this within reads version 1");
    header->version = 1;
    header->node_bytes++;
    assert_non_null(strstr(refusal(sample.bytes, sample.length), "another layout"));
    header->byte_order = 0x04030201;
    assert_non_null(strstr(refusal(sample.bytes, sample.length), "another byte order"));
    header->magic[0] = 'w';
    assert_string_equal(refusal(sample.bytes, sample.length), "is not a within record");
    free(sample.bytes);
}

static void a_cycle_of_nodes_is_cut_and_said(void **state) {
    (void)state;
    sample_record sample = read_sample("nested");
    wi__header *header = (wi__header *)sample.bytes;
    wi__region *region =
        (wi__region *)(sample.bytes + (size_t)header->first_region * WI__CELL_BYTES);
    wi__node *root = (wi__node *)(sample.bytes + (size_t)region->root * WI__CELL_BYTES);
    wi__profile profile;
    char why[128];
    root->next_sibling = root->first_child = region->root;
    region->next_region = header->first_region;
    region->current = region->root + 1;
    assert_true(wi__profile_of_bytes(sample.bytes, sample.length, &profile, why, sizeof why));
    assert_true(profile.damaged >= 2);
    wi__profile_release(&profile);
    free(sample.bytes);
}

static void what_is_no_file_is_refused(void **state) {
    (void)state;
    wi__profile profile;
    char why[128], folder[] = "/tmp/within-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    assert_false(wi__profile_read(folder, &profile, why, sizeof why));
    assert_string_equal(why, "is a directory");
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(
        wi__profile_read(path, &profile, why, sizeof why)); /* and does not wait for a writer */
    assert_string_equal(why, "is not a regular file");
    unlink(path);
    assert_false(wi__profile_read(path, &profile, why, sizeof why));
    assert_string_equal(why, "No such file or directory");
    rmdir(folder);
}

static void a_foreign_file_is_refused(void **state) {
    (void)state;
    char text[20000];
    memset(text, 'x', sizeof text);
    assert_string_equal(refusal(text, sizeof text), "is not a within record");
    assert_string_equal(refusal(text, 5), "is not a within record");
    assert_string_equal(refusal("", 0), "is empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_is_read_and_reported),
        cmocka_unit_test(a_whole_record_is_not_damaged),
        cmocka_unit_test(a_record_cut_anywhere_is_refused_or_read_as_far_as_it_goes),
        cmocka_unit_test(changed_bytes_never_break_it),
        cmocka_unit_test(another_version_layout_or_byte_order_is_named),
        cmocka_unit_test(a_cycle_of_nodes_is_cut_and_said),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_foreign_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
