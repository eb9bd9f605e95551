/* CRC32C: the way that this processor is fastest with, and the tables that serve any. */
#include "manage/crc32c.h"

#include <pthread.h>
#include <string.h>

enum { SLICES = 8 };

/* tables[k][byte]: what a byte does to the register with k zero bytes after it. */
static uint32_t tables[SLICES][256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

/* Bits are reflected: the register's lowest bit is the oldest. */
static uint32_t after_bits(uint32_t state, size_t n) {
    const uint32_t polynomial = 0x82f63b78u; /* 0x1edc6f41, reflected */
    while (n--) state = (state >> 1) ^ (polynomial & (0u - (state & 1)));
    return state;
}

uint32_t wi__crc32c_after_zeros(uint32_t state, size_t n) { return after_bits(state, 8 * n); }

static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++)
        for (size_t slice = 0; slice < SLICES; slice++)
            tables[slice][byte] = wi__crc32c_after_zeros(byte, slice + 1);
}

static uint32_t step(uint32_t state, unsigned char byte) {
    return (state >> 8) ^ tables[0][(state ^ byte) & 0xff];
}

static uint32_t look_up(uint64_t word) {
    uint32_t state = 0;
    for (int i = 0; i < SLICES; i++) state ^= tables[SLICES - 1 - i][(word >> (8 * i)) & 0xff];
    return state;
}

static uint64_t little_endian(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Kounavis, Berry, "Novel table lookup-based algorithms for high-performance CRC generation", IEEE Trans.
 * Computers 57(11), 2008, 1550-1560. */
uint32_t wi__crc32c_by_tables(uint32_t state, const unsigned char *bytes, size_t n) {
    pthread_once(&tables_made, make_tables);
    for (; n >= SLICES; n -= SLICES, bytes += SLICES) state = look_up(little_endian(bytes) ^ state);
    for (; n > 0; n--, bytes++) state = step(state, *bytes);
    return state;
}

uint32_t wi__crc32c(uint32_t crc, const void *bytes, size_t n) {
    return ~(wi__crc32c_has_instruction() ? wi__crc32c_by_instruction(~crc, bytes, n)
                                          : wi__crc32c_by_tables(~crc, bytes, n));
}
