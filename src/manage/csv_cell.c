/* Writing cells, comparing them, and showing texts. */
#include "manage/csv_cell.h"

#include <stdio.h>
#include <string.h>

size_t wi__csv_cell_room(const char *text) { return 2 * strlen(text) + 2; }

static int is_outer_space(char c) { return c == ' ' || c == '\t'; }

static int needs_quotes(const char *text, size_t n) {
    return n == 0 || text[strcspn(text, ",\"\r\n")] || is_outer_space(text[0]) ||
           is_outer_space(text[n - 1]);
}

char *wi__csv_put_cell(char *at, const char *text) {
    const size_t n = strlen(text);
    if (!needs_quotes(text, n)) return mempcpy(at, text, n);
    *at++ = '"';
    for (; *text; text++) {
        if (*text == '"') *at++ = '"';
        *at++ = *text;
    }
    *at++ = '"';
    return at;
}

static int quoted_cell_is(const char **at, const char *end, const char *text) {
    const char *c = *at + 1;
    for (; c < end; c++, text++) {
        if (*c == '"') {
            c++;
            if (c == end || *c != '"') break;
        }
        if (!*text || *c != *text) return 0;
    }
    *at = c;
    return !*text && (c == end || *c == ',');
}

int wi__csv_cell_is(const char **at, const char *end, const char *text) {
    if (*at < end && **at == '"') return quoted_cell_is(at, end, text);
    const char *comma = memchr(*at, ',', (size_t)(end - *at)), *stop = comma ? comma : end;
    const size_t n = (size_t)(stop - *at);
    if (strlen(text) != n || memcmp(*at, text, n) != 0) return 0;
    *at = stop;
    return 1;
}

/* ---- for messages ---- */

static int continues_a_character(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

wi__csv_shown wi__csv_show(const char *bytes, size_t n) {
    static const char more[] = "…";
    wi__csv_shown shown;
    const size_t most = sizeof shown.text - sizeof more;
    size_t length = n;
    if (n > most)
        for (length = most; length > 0 && continues_a_character(bytes[length]);) length--;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        shown.text[i] = bytes[i];
        if (c < ' ' || c == 0x7f) shown.text[i] = '?';
    }
    snprintf(shown.text + length, sizeof shown.text - length, "%s", n > most ? more : "");
    return shown;
}
