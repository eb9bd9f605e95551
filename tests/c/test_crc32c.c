/* CRC32C: published values, and all ways to the same sum. */
#include "record_helpers.h"

#include "manage/crc32c.h"

enum { MOST = 40000 };

static const unsigned char *noise(void) {
    static unsigned char bytes[MOST];
    uint32_t state = 1;
    for (int i = 0; i < MOST; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(state >> 24);
    }
    return bytes;
}

static uint32_t by_tables(const void *bytes, size_t n) {
    return ~wi__crc32c_by_tables(~0u, bytes, n);
}

/* Bit by bit, as the definition says. */
static uint32_t by_definition(const unsigned char *bytes, size_t n) {
    uint32_t state = ~0u;
    for (size_t i = 0; i < n; i++) state = wi__crc32c_after_zeros(state ^ bytes[i], 1);
    return ~state;
}

static void expect_sum(const void *bytes, size_t n, uint32_t wanted) {
    expect_count(wi__crc32c(0, bytes, n), wanted);
    expect_count(by_tables(bytes, n), wanted);
}

alone(the_check_value_is_the_published_one) {
    expect_sum("123456789", 9, 0xe3069283);
    expect_sum("", 0, 0);
}

/* RFC 3720, appendix B.4. */
alone(the_examples_of_rfc_3720_come_out) {
    unsigned char bytes[32];
    memset(bytes, 0, 32);
    expect_sum(bytes, 32, 0x8a9136aa);
    memset(bytes, 0xff, 32);
    expect_sum(bytes, 32, 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    expect_sum(bytes, 32, 0x46dd794e);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    expect_sum(bytes, 32, 0x113fdb5c);
    const unsigned char read_command[48] = {[0] = 0x01,  [1] = 0xc0,  [16] = 0x14, [22] = 0x04,
                                            [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    expect_sum(read_command, 48, 0xd9963a56);
}

alone(all_ways_agree_at_every_alignment_and_length) {
    const unsigned char *bytes = noise();
    for (size_t from = 0; from < 16; from++)
        for (size_t n = 0; n < 1700; n += n < 64 ? 1 : 37)
            expect_sum(bytes + from, n, by_definition(bytes + from, n));
}

alone(all_ways_agree_where_lanes_begin_and_end) {
    const unsigned char *bytes = noise();
    const size_t edges[] = {3 * 256, 3 * 4096, 3 * 4096 + 3 * 256, 6 * 4096, MOST - 16};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t n = edges[i] - 9; n < edges[i] + 10; n++)
            expect_sum(bytes + i, n, by_definition(bytes + i, n));
}

alone(a_sum_goes_on_after_any_split) {
    const unsigned char *bytes = noise();
    uint32_t whole = by_definition(bytes, MOST);
    srand(3);
    for (int trial = 0; trial < 200; trial++) {
        uint32_t crc = 0, state = ~0u;
        for (size_t done = 0, n; done < MOST; done += n) {
            n = (size_t)rand() % (trial < 100 ? 50 : 20000);
            if (n > MOST - done) n = MOST - done;
            crc = wi__crc32c(crc, bytes + done, n);
            state = wi__crc32c_by_tables(state, bytes + done, n);
        }
        expect_count(crc, whole);
        expect_count(~state, whole);
    }
}

alone(every_flipped_bit_is_seen) {
    unsigned char bytes[900];
    memcpy(bytes, noise(), sizeof bytes);
    uint32_t whole = wi__crc32c(0, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        expect(wi__crc32c(0, bytes, sizeof bytes) != whole);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

alone(a_processor_with_the_instruction_is_found_out) {
    char flag[] = " sse4_2", *line = NULL;
    size_t room = 0;
    int found = 0;
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && getline(&line, &room, info) > 0) found |= strstr(line, flag) != NULL;
    if (info) fclose(info);
    free(line);
#if defined(__x86_64__)
    expect_count(wi__crc32c_has_instruction(), found);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_check_value_is_the_published_one),
        test(the_examples_of_rfc_3720_come_out),
        test(all_ways_agree_at_every_alignment_and_length),
        test(all_ways_agree_where_lanes_begin_and_end),
        test(a_sum_goes_on_after_any_split),
        test(every_flipped_bit_is_seen),
        test(a_processor_with_the_instruction_is_found_out),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
