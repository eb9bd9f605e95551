/* Records that are cut off, damaged or made up: the corpus as it is, and changed in a hundred thousand ways. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzz_reader.h"
#include "record/format.h"

enum { MOST_RECORDS = 100, LONGEST_S = 115 };

typedef struct input {
    char name[256];
    uint8_t *bytes;
    size_t length;
} input;

static input inputs[MOST_RECORDS];
static size_t input_count;

static void read_input(const char *folder, const char *name) {
    char path[1024];
    input *read = &inputs[input_count++];
    assert_true(input_count <= MOST_RECORDS);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    read->bytes = malloc(1 << 20);
    read->length = fread(read->bytes, 1, 1 << 20, file);
    fclose(file);
    snprintf(read->name, sizeof read->name, "%s", name);
}

static int read_corpus(void **state) {
    (void)state;
    const char *folder = getenv("WITHIN_CORPUS");
    DIR *listing = opendir(folder ? folder : "tests/fuzz/corpus");
    if (!listing) return -1;
    for (const struct dirent *entry; (entry = readdir(listing));)
        if (entry->d_name[0] != '.') read_input(folder ? folder : "tests/fuzz/corpus", entry->d_name);
    closedir(listing);
    alarm(LONGEST_S); /* a reader that hangs */
    return input_count ? 0 : -1;
}

static int forget_corpus(void **state) {
    (void)state;
    for (size_t i = 0; i < input_count; i++) free(inputs[i].bytes);
    return 0;
}

static void the_corpus_does_no_harm(void **state) {
    (void)state;
    for (size_t i = 0; i < input_count; i++) LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].length);
}

/* From a copy of just that length: the sanitizers see a read behind it. */
static void records_cut_off_anywhere_do_no_harm(void **state) {
    (void)state;
    for (size_t i = 0; i < input_count; i++)
        for (size_t length = 0; length <= inputs[i].length; length += length < 64 ? 1 : 512) {
            uint8_t *cut = malloc(length ? length : 1);
            memcpy(cut, inputs[i].bytes, length);
            LLVMFuzzerTestOneInput(cut, length);
            free(cut);
        }
}

/* ---- random changes ---- */

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003) */
static uint64_t random_below(uint64_t end) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % end;
}

/* Where what is not only a count lies: the header's begin, and anywhere the first cells of what is there. */
static size_t random_place(const input *in) {
    size_t cells = in->length / WI__CELL_BYTES;
    switch (random_below(4)) {
    case 0: return random_below(140);
    case 1: return offsetof(wi__header, owner) + random_below(200);
    case 2: {
        size_t cell = WI__HEADER_CELLS + random_below(cells - WI__HEADER_CELLS);
        for (int i = 0; i < 200 && cell + 1 < cells; i++, cell++) { /* on to one that is not empty */
            uint64_t word;
            memcpy(&word, in->bytes + cell * WI__CELL_BYTES, sizeof word);
            if (word) break;
        }
        return cell * WI__CELL_BYTES + random_below(2 * WI__CELL_BYTES);
    }
    default: return random_below(in->length);
    }
}

/* A number that means something, or nearly; or any. */
static uint32_t random_number(const input *in) {
    static const uint32_t special[] = {0, 1, WI__HEADER_CELLS, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    switch (random_below(3)) {
    case 0: return special[random_below(sizeof special / sizeof *special)];
    case 1: return (uint32_t)random_below(in->length / WI__CELL_BYTES + 2);
    default: return (uint32_t)random_below(UINT64_MAX);
    }
}

static void change(uint8_t *bytes, const input *in) {
    size_t place = random_place(in);
    if (random_below(2)) {
        bytes[place] ^= (uint8_t)(1u << random_below(8));
        return;
    }
    uint32_t number = random_number(in);
    place &= ~(size_t)3;
    if (place + sizeof number <= in->length) memcpy(bytes + place, &number, sizeof number);
}

static void damaged_records_do_no_harm(void **state) {
    enum { CHANGED = 100000 };
    (void)state;
    for (int i = 0; i < CHANGED; i++) {
        const input *in = &inputs[random_below(input_count)];
        uint8_t *bytes = malloc(in->length);
        memcpy(bytes, in->bytes, in->length);
        for (uint64_t changes = 1 + random_below(4); changes; changes--) change(bytes, in);
        LLVMFuzzerTestOneInput(bytes, in->length);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_does_no_harm),
        cmocka_unit_test(records_cut_off_anywhere_do_no_harm),
        cmocka_unit_test(damaged_records_do_no_harm),
    };
    return cmocka_run_group_tests_name("hostile", tests, read_corpus, forget_corpus);
}
