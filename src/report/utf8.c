/* UTF-8: decoding, widths, shortening. */
#include "report/utf8.h"

#include <stdint.h>
#include <string.h>

/* One character. Bytes that are no UTF-8 count as a character of one byte each, with `valid` 0. */
typedef struct character {
    uint32_t code;
    size_t bytes;
    int valid;
} character;

static character decode(const char *text) {
    const unsigned char *byte = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = byte[0] < 0x80       ? 1
                   : byte[0] >> 5 == 6  ? 2
                   : byte[0] >> 4 == 14 ? 3
                   : byte[0] >> 3 == 30 ? 4
                                        : 0;
    character none = {byte[0], 1, 0};
    if (bytes < 2) return bytes ? (character){byte[0], 1, 1} : none;
    uint32_t code = byte[0] & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((byte[i] & 0xC0) != 0x80) return none;
        code = code << 6 | (byte[i] & 0x3Fu);
    }
    if (code < least[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return none;
    return (character){code, bytes, 1};
}

size_t wi__character_bytes(const char *text) {
    character next = decode(text);
    return next.valid ? next.bytes : 0;
}

/* The blocks that matter, from Unicode's EastAsianWidth and its combining marks. */
static int columns_of(uint32_t code) {
    static const struct {
        uint32_t from, to;
        int columns;
    } ranges[] = {
        {0x0300, 0x036F, 0}, {0x200B, 0x200F, 0}, {0xFE00, 0xFE0F, 0},   {0x1100, 0x115F, 2},
        {0x2E80, 0xA4CF, 2}, {0xAC00, 0xD7A3, 2}, {0xF900, 0xFAFF, 2},   {0xFE30, 0xFE6F, 2},
        {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1FAFF, 2}, {0x20000, 0x3FFFD, 2},
    };
    for (size_t i = 0; code >= 0x300 && i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].from && code <= ranges[i].to) return ranges[i].columns;
    return 1;
}

int wi__text_width(const char *text) {
    int width = 0;
    while (*text) {
        character next = decode(text);
        width += columns_of(next.code);
        text += next.bytes;
    }
    return width;
}

/* The bytes at the begin of the text that fill at most `width` columns. */
static size_t fitting(const char *text, int width, int *used) {
    size_t bytes = 0;
    for (*used = 0; text[bytes];) {
        character next = decode(text + bytes);
        if (*used + columns_of(next.code) > width) break;
        *used += columns_of(next.code);
        bytes += next.bytes;
    }
    return bytes;
}

int wi__print_shortened(FILE *out, const char *text, int width) {
    int whole = wi__text_width(text), head, skipped;
    if (whole <= width) {
        fputs(text, out);
        return whole;
    }
    int head_width = width / 2, tail_width = width - head_width - 1;
    size_t head_bytes = fitting(text, head_width, &head);
    size_t tail = fitting(text, whole - tail_width, &skipped);
    if (skipped < whole - tail_width) tail += decode(text + tail).bytes; /* a wide one astride */
    fprintf(out, "%.*s…%s", (int)head_bytes, text, text + tail);
    return head + 1 + wi__text_width(text + tail);
}

/* C0, DEL and C1 controls, and those that turn the direction of writing around. */
static int is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

static size_t escape(char *buffer, const char *text, size_t bytes) {
    size_t used = 0;
    for (size_t i = 0; i < bytes; i++)
        used += (size_t)sprintf(buffer + used, "\\x%02x", (unsigned char)text[i]);
    return used;
}

void wi__printable(char *buffer, size_t size, const char *text) {
    size_t used = 0;
    while (*text) {
        char piece[20];
        character next = decode(text);
        size_t length = next.bytes;
        if (!next.valid || is_control(next.code))
            length = escape(piece, text, next.bytes);
        else
            memcpy(piece, text, length);
        if (used + length >= size) break;
        memcpy(buffer + used, piece, length);
        used += length;
        text += next.bytes;
    }
    buffer[used] = '\0';
}
