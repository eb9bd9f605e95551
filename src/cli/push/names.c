/* Names and texts, as MLflow takes them. */
#include "cli/push/names.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "manage/crc32c.h"

/* ---- UTF-8 ---- */

enum { REPLACEMENT = 0xfffd };

static int is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/* How many bytes a character that begins so has; 0 if none does. */
static int length_by(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first < 0xe0) return 2;
    if (first >= 0xe0 && first < 0xf0) return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

static int is_character(uint32_t c, int length) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return c >= least[length] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* The character at *text, which is moved behind it; of what is none a byte is taken, as REPLACEMENT. */
static uint32_t next_character(const char **text, int *is_damaged) {
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *at = (const unsigned char *)*text;
    int length = length_by(*at), have = 1;
    uint32_t c = *at & mask[length];
    for (; have < length && is_continuation(at[have]); have++) c = c << 6 | (at[have] & 0x3f);
    if (length && have == length && is_character(c, length)) {
        *text += length;
        return c;
    }
    *is_damaged = 1;
    *text += 1;
    return REPLACEMENT;
}

static char *put(char *to, uint32_t c) {
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(mark[length] | c);
    return to + length;
}

/* ---- names ---- */

/*
 * Letters and digits beyond ASCII that every version of MLflow's Python takes for such: of the Latin, Greek, Cyrillic,
 * Hebrew, Arabic, Japanese, Chinese and Korean scripts, as far as no combining mark lies between them.
 */
static const struct {
    uint32_t from, to;
} letters[] = {
    {0xaa, 0xaa},     {0xb2, 0xb3},     {0xb5, 0xb5},     {0xb9, 0xba},     {0xc0, 0xd6},
    {0xd8, 0xf6},     {0xf8, 0x2c1},    {0x370, 0x374},   {0x376, 0x377},   {0x37b, 0x37d},
    {0x386, 0x386},   {0x388, 0x38a},   {0x38c, 0x38c},   {0x38e, 0x3a1},   {0x3a3, 0x3f5},
    {0x3f7, 0x481},   {0x48a, 0x52f},   {0x5d0, 0x5ea},   {0x620, 0x64a},   {0x660, 0x669},
    {0x1e00, 0x1f15}, {0x2070, 0x2071}, {0x2074, 0x2079}, {0x207f, 0x2089}, {0x2090, 0x209c},
    {0x2115, 0x2115}, {0x211d, 0x211d}, {0x2124, 0x2124}, {0x3041, 0x3096}, {0x30a1, 0x30fa},
    {0x30fc, 0x30fe}, {0x3400, 0x4db5}, {0x4e00, 0x9fd5}, {0xac00, 0xd7a3},
};

static int is_in_names(uint32_t c) {
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
               (c && strchr(" _-.:/", (int)c));
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (c >= letters[i].from && c <= letters[i].to) return 1;
    return 0;
}

/* Is it in the shortest form of a path? No part of it is empty, "." or "..", nor does it begin so. */
static int is_path(const char *name) {
    if (strncmp(name, "..", 2) == 0) return 0;
    for (;; name++) {
        size_t length = strcspn(name, "/");
        size_t dots = strspn(name, ".");
        if (length <= 2 && dots >= length) return 0;
        name += length;
        if (!*name) return 1;
    }
}

static void flatten(char *name) {
    for (char *at = name; *at; at++)
        if (*at == '/' || (at == name && *at == '.')) *at = '_';
}

/* Copy at most `most` characters. @return how many there are in all; `is_same` tells whether all are taken. */
static size_t copy_name(const char *name, size_t most, char *to, int *is_same) {
    size_t count = 0;
    int is_damaged = 0;
    for (*is_same = 1; *name; count++) {
        uint32_t c = next_character(&name, &is_damaged);
        int is_taken = is_in_names(c);
        *is_same &= is_taken;
        if (count < most) to = put(to, is_taken ? c : '_');
    }
    *to = '\0';
    return count;
}

int wi__remote_name(const char *name, char remote[WI__REMOTE_NAME_BYTES]) {
    enum { END = 9 };
    int is_same;
    size_t count = copy_name(name, WI__REMOTE_NAME, remote, &is_same);
    if (is_same && count <= WI__REMOTE_NAME && is_path(remote)) return 0;
    copy_name(name, WI__REMOTE_NAME - END, remote, &is_same);
    if (!is_path(remote)) flatten(remote);
    size_t length = strlen(remote);
    snprintf(remote + length, END + 1, ".%08x", wi__crc32c(0, name, strlen(name)));
    return 1;
}

/* ---- texts ---- */

char *wi__remote_text(const char *text, size_t most, int *changed) {
    int is_damaged = 0;
    /* A damaged byte becomes three. */
    char *copy = wi_check_null(malloc(3 * strlen(text) + 1), "a text"), *to = copy;
    for (size_t count = 0; *text && count < most; count++)
        to = put(to, next_character(&text, &is_damaged));
    *to = '\0';
    if (changed && (is_damaged || *text)) *changed = 1;
    return copy;
}
