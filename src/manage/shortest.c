/*
 * Shortest decimals, by Schubfach: the decimal grid that is just coarse enough to have a point or two in the
 * interval of numbers that round to the value.
 *
 * The value is c 2^q. The interval's ends and the value are scaled by a power of ten, from a table with 128 bits of
 * each; "round to odd" keeps of the bits behind the point whether any is set, so that comparisons are exact.
 */
#include "manage/shortest.h"

#include <string.h>

#include "manage/powers_of_ten.h"

/* digits 10^exponent */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* ---- from binary to decimal ---- */

/* floor(log10(2^q)), and of 3/4 2^q where the interval's lower half is half as long */
static int floor_log10(int q, int is_lower_closer) {
    return (q * 1262611 - (is_lower_closer ? 524031 : 0)) >> 22;
}

static int floor_log2_of_power_of_ten(int e) { return (e * 1741647) >> 19; }

/* The product's integer part; its lowest bit is set too if any bit behind is. */
static uint64_t scaled_to_odd(int power, uint64_t c) {
    typedef unsigned __int128 wide;
    const wide low = (wide)powers_of_ten[power - FIRST_POWER].low * c;
    const wide high = (wide)powers_of_ten[power - FIRST_POWER].high * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/*
 * The paper's Fig. 7, with everything in quarters of the grid's step. is_lower_closer: c is the smallest of
 * its binade, and the next number below is at half the distance.
 */
static decimal decimal_of(uint64_t c, int q, int is_lower_closer) {
    const int k = floor_log10(q, is_lower_closer);
    const int shift = q + floor_log2_of_power_of_ten(-k) + 1;
    const uint64_t is_odd = c & 1; /* an even value owns the ends of its interval */
    const uint64_t value = scaled_to_odd(-k, (4 * c) << shift);
    const uint64_t least =
        scaled_to_odd(-k, (4 * c - 2 + (uint64_t)is_lower_closer) << shift) + is_odd;
    const uint64_t most = scaled_to_odd(-k, (4 * c + 2) << shift) - is_odd;
    const uint64_t below = value / 4, coarse = below / 10;
    if (coarse) {
        int is_below_in = least <= 40 * coarse, is_above_in = 40 * coarse + 40 <= most;
        if (is_below_in != is_above_in) return (decimal){coarse + (uint64_t)is_above_in, k + 1};
    }
    int is_below_in = least <= 4 * below, is_above_in = 4 * below + 4 <= most;
    const uint64_t middle = 4 * below + 2;
    int is_above_nearer = value > middle || (value == middle && (below & 1));
    int is_above = is_below_in == is_above_in ? is_above_nearer : is_above_in;
    return (decimal){below + (uint64_t)is_above, k};
}

/* `fraction` and `exponent` are the fields of a format with so many bits of fraction, whose 1.0 has `bias`. */
static decimal decimal_of_fields(uint64_t fraction, int exponent, int bits, int bias) {
    if (!exponent) return decimal_of(fraction, 1 - bias - bits, 0);
    const uint64_t c = fraction | UINT64_C(1) << bits;
    const int q = exponent - bias - bits;
    if (q <= 0 && q > -bits - 1 && !(c & ((UINT64_C(1) << -q) - 1)))
        return (decimal){c >> -q, 0}; /* an integer is its own shortest text */
    return decimal_of(c, q, !fraction && exponent > 1);
}

/* ---- from decimal to text ---- */

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

/* Write digits so that they end at `end`; where they begin. */
static char *write_backwards(char *end, uint64_t digits) {
    for (; digits >= 100; digits /= 100) memcpy(end -= 2, pairs + 2 * (digits % 100), 2);
    if (digits >= 10) return memcpy(end - 2, pairs + 2 * digits, 2);
    *--end = (char)('0' + digits);
    return end;
}

static char *put(char *at, const char *text, int length) {
    memcpy(at, text, (size_t)length);
    return at + length;
}

static char *put_zeros(char *at, int count) {
    memset(at, '0', (size_t)count);
    return at + count;
}

/* d.ddde+xx */
static char *write_scientific(char *at, const char *digits, int count, int exponent) {
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        at = put(at, digits + 1, count - 1);
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    const size_t size = (size_t)(exponent < 0 ? -exponent : exponent);
    if (size >= 100) *at++ = (char)('0' + size / 100);
    return put(at, pairs + 2 * (size % 100), 2);
}

/* With the point behind so many of the digits: negative for zeros between. */
static char *write_positional(char *at, const char *digits, int count, int point) {
    if (point <= 0) {
        at = put_zeros(put(at, "0.", 2), -point);
        return put(at, digits, count);
    }
    if (point >= count) return put(put_zeros(put(at, digits, count), point - count), ".0", 2);
    at = put(at, digits, point);
    *at++ = '.';
    return put(at, digits + point, count - point);
}

static decimal without_trailing_zeros(decimal d) {
    if (d.digits % 100000000 == 0) {
        d.digits /= 100000000;
        d.exponent += 8;
    }
    for (; d.digits % 10 == 0; d.exponent++) d.digits /= 10;
    return d;
}

static char *write_decimal(char *at, decimal d) {
    char digits[20], *end = digits + sizeof digits;
    d = without_trailing_zeros(d);
    const char *first = write_backwards(end, d.digits);
    int count = (int)(end - first), point = count + d.exponent;
    return point <= -4 || point > 16 ? write_scientific(at, first, count, point - 1)
                                     : write_positional(at, first, count, point);
}

static char *write_fields(char *at, int is_negative, uint64_t fraction, int exponent, int bits,
                          int bias) {
    int is_special = exponent == 2 * bias + 1;
    if (is_special && fraction) return put(at, "nan", 3);
    if (is_negative) *at++ = '-';
    if (is_special) return put(at, "inf", 3);
    if (!fraction && !exponent) return put(at, "0.0", 3);
    return write_decimal(at, decimal_of_fields(fraction, exponent, bits, bias));
}

char *wi__write_double(char *at, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return write_fields(at, (int)(bits >> 63), bits & ((UINT64_C(1) << 52) - 1),
                        (int)(bits >> 52 & 0x7ff), 52, 1023);
}

char *wi__write_float(char *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return write_fields(at, (int)(bits >> 31), bits & ((UINT32_C(1) << 23) - 1),
                        (int)(bits >> 23 & 0xff), 23, 127);
}

/* ---- integers ---- */

char *wi__write_uint(char *at, uint64_t value) {
    char digits[20], *end = digits + sizeof digits;
    const char *first = write_backwards(end, value);
    return put(at, first, (int)(end - first));
}

char *wi__write_int(char *at, int64_t value) {
    if (value >= 0) return wi__write_uint(at, (uint64_t)value);
    *at++ = '-';
    return wi__write_uint(at, 0 - (uint64_t)value);
}
