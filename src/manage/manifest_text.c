/* Words of a manifest, written and read. */
#include "manage/manifest_text.h"

#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "manage/shortest.h"

/* ---- names ---- */

static int is_plain(unsigned char byte) { return byte > ' ' && byte != 0x7f && byte != '\\'; }

void wi__print_name(FILE *stream, const char *name) {
    for (const unsigned char *at = (const unsigned char *)name; *at; at++)
        fprintf(stream, is_plain(*at) ? "%c" : "\\x%02x", *at);
}

int wi__take_text(wi__words *words, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(words->end - words->at) < length || memcmp(words->at, text, length) != 0) return 0;
    words->at += length;
    return 1;
}

static int digit_of(char letter) {
    const char digits[] = "0123456789abcdef", *found = letter ? strchr(digits, letter) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Escapes of what needs none, and of the byte 0, are no text that was written here. */
static int take_byte(wi__words *words, char *byte) {
    if (words->at == words->end) return 0;
    *byte = *words->at++;
    if (*byte != '\\') return is_plain((unsigned char)*byte);
    if (words->end - words->at < 3 || words->at[0] != 'x') return 0;
    int high = digit_of(words->at[1]), low = digit_of(words->at[2]);
    words->at += 3;
    if (high < 0 || low < 0) return 0;
    *byte = (char)(high << 4 | low);
    return *byte != '\0' && !is_plain((unsigned char)*byte);
}

static int is_at_end_of_word(const wi__words *words) {
    return words->at == words->end || *words->at == ' ' || *words->at == '\n';
}

int wi__take_name(wi__words *words, char *name, size_t size) {
    size_t length = 0;
    for (; !is_at_end_of_word(words); length++)
        if (length + 1 >= size || !take_byte(words, &name[length])) return 0;
    name[length] = '\0';
    return length > 0;
}

/* ---- numbers ---- */

void wi__print_real(FILE *stream, double value) {
    char text[WI__NUMBER_MOST], *end = wi__write_double(text, value);
    fwrite(text, 1, (size_t)(end - text), stream);
}

/* A locale can have another decimal point. */
static locale_t plain;
static pthread_once_t plain_made = PTHREAD_ONCE_INIT;

static void make_plain(void) { plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

int wi__take_real(wi__words *words, double *value) {
    char text[40], *end = text;
    if (!wi__take_name(words, text, sizeof text)) return 0;
    pthread_once(&plain_made, make_plain);
    *value = plain ? strtod_l(text, &end, plain) : strtod(text, &end);
    return *end == '\0';
}

int wi__take_number(wi__words *words, uint64_t *value) {
    const char *begin = words->at;
    *value = 0;
    for (; !is_at_end_of_word(words); words->at++) {
        uint64_t digit = (uint64_t)(*words->at - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10) return 0;
        *value = *value * 10 + digit;
    }
    return words->at > begin;
}

int wi__take_signed(wi__words *words, int64_t *value) {
    uint64_t size;
    int is_negative = wi__take_text(words, "-");
    if (!wi__take_number(words, &size) || size > (uint64_t)INT64_MAX + (uint64_t)is_negative)
        return 0;
    *value = (int64_t)(is_negative ? 0 - size : size);
    return 1;
}

int wi__take_hex(wi__words *words, uint32_t *value) {
    *value = 0;
    if (words->end - words->at < 8) return 0;
    for (int i = 0; i < 8; i++) {
        int digit = digit_of(*words->at++);
        if (digit < 0) return 0;
        *value = *value << 4 | (uint32_t)digit;
    }
    return 1;
}
