/* CRC32C by the instruction of x86-64 (SSE4.2) or of ARMv8. */
#include "manage/crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define STEP_8(state, word) ((uint32_t)_mm_crc32_u64(state, word))
#define STEP_1(state, byte) _mm_crc32_u8(state, byte)
int wi__crc32c_has_instruction(void) { return __builtin_cpu_supports("sse4.2") != 0; }

#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include <sys/auxv.h>
#define WITH_INSTRUCTION __attribute__((target("arch=armv8-a+crc")))
/* As text: gcc and clang call their intrinsics differently. */
#define STEP_8(state, word)                                                                        \
    (__extension__({                                                                               \
        uint32_t next = (state);                                                                   \
        __asm__("crc32cx %w0, %w0, %x1" : "+r"(next) : "r"(word));                                 \
        next;                                                                                      \
    }))
#define STEP_1(state, byte)                                                                        \
    (__extension__({                                                                               \
        uint32_t next = (state);                                                                   \
        __asm__("crc32cb %w0, %w0, %w1" : "+r"(next) : "r"(byte));                                 \
        next;                                                                                      \
    }))
int wi__crc32c_has_instruction(void) {
    const unsigned long has_crc32 = 1 << 7; /* HWCAP_CRC32 */
    return (getauxval(AT_HWCAP) & has_crc32) != 0;
}

#else
int wi__crc32c_has_instruction(void) { return 0; }
uint32_t wi__crc32c_by_instruction(uint32_t state, const unsigned char *bytes, size_t n) {
    return wi__crc32c_by_tables(state, bytes, n);
}
#endif

#ifdef WITH_INSTRUCTION

/*
 * The instruction takes three cycles, but one can begin in each. So three lanes run side by side, and are put
 * together: what the first lane's register becomes by as many zeros as the others are long, in four look-ups.
 *
 * Source: Gopal et al., "Fast CRC computation for iSCSI polynomial using CRC32 instruction", Intel, 2011.
 */
enum { LONG = 4096, SHORT = 256 };

typedef uint32_t shift_table[4][256];
static shift_table long_shift, short_shift;
static pthread_once_t shifts_made = PTHREAD_ONCE_INIT;

/* What a change of the register does that `bits` tells for each of its bits: they add up. */
static uint32_t changed(const uint32_t bits[32], uint32_t state) {
    uint32_t sum = 0;
    for (int i = 0; i < 32; i++)
        if (state >> i & 1) sum ^= bits[i];
    return sum;
}

/* For n zeros, n a power of two: twice as many are the change done twice. */
static void find_change(uint32_t bits[32], size_t n) {
    for (int i = 0; i < 32; i++) bits[i] = wi__crc32c_after_zeros((uint32_t)1 << i, 1);
    for (size_t done = 1; done < n; done *= 2) {
        uint32_t twice[32];
        for (int i = 0; i < 32; i++) twice[i] = changed(bits, bits[i]);
        memcpy(bits, twice, sizeof twice);
    }
}

static void make_shift(shift_table table, size_t n) {
    uint32_t bits[32];
    find_change(bits, n);
    for (int part = 0; part < 4; part++)
        for (uint32_t byte = 0; byte < 256; byte++)
            table[part][byte] = changed(bits, byte << (8 * part));
}

static void make_shifts(void) {
    make_shift(long_shift, LONG);
    make_shift(short_shift, SHORT);
}

static uint32_t shifted(const shift_table table, uint32_t state) {
    return table[0][state & 0xff] ^ table[1][state >> 8 & 0xff] ^ table[2][state >> 16 & 0xff] ^
           table[3][state >> 24];
}

static inline uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Of 3 * lane bytes. */
WITH_INSTRUCTION static inline uint32_t three_lanes(uint32_t state, const unsigned char *bytes,
                                                    size_t lane, const shift_table shift) {
    uint32_t a = state, b = 0, c = 0;
    for (const unsigned char *end = bytes + lane; bytes < end; bytes += 8) {
        a = STEP_8(a, word_at(bytes));
        b = STEP_8(b, word_at(bytes + lane));
        c = STEP_8(c, word_at(bytes + 2 * lane));
    }
    return shifted(shift, shifted(shift, a) ^ b) ^ c;
}

WITH_INSTRUCTION uint32_t wi__crc32c_by_instruction(uint32_t state, const unsigned char *bytes,
                                                    size_t n) {
    pthread_once(&shifts_made, make_shifts);
    for (; n >= (size_t)3 * LONG; n -= (size_t)3 * LONG, bytes += (size_t)3 * LONG)
        state = three_lanes(state, bytes, LONG, long_shift);
    for (; n >= (size_t)3 * SHORT; n -= (size_t)3 * SHORT, bytes += (size_t)3 * SHORT)
        state = three_lanes(state, bytes, SHORT, short_shift);
    for (; n >= 8; n -= 8, bytes += 8) state = STEP_8(state, word_at(bytes));
    for (; n > 0; n--, bytes++) state = STEP_1(state, *bytes);
    return state;
}

#endif
