/* Reading a record that may be cut off, damaged or made up. */
#include "record/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/record.h"

enum { RETRIES = 8 };

static int fail(char *why, size_t size, const char *reason) {
    snprintf(why, size, "%s", reason);
    return 0;
}

/* Is all of `bytes` bytes from this cell on there? */
static int is_inside(const wi__reader *reader, uint32_t cell, size_t bytes) {
    return cell >= WI__HEADER_CELLS && cell < reader->cells &&
           bytes <= (size_t)(reader->cells - cell) * WI__CELL_BYTES;
}

static const void *at(const wi__reader *reader, uint32_t cell) {
    return reader->bytes + (size_t)cell * WI__CELL_BYTES;
}

static int check_header(const wi__header *header, char *why, size_t size) {
    if (memcmp(header->magic, WI__MAGIC, sizeof header->magic) != 0)
        return fail(why, size, "is not a within record");
    if (header->byte_order != WI__BYTE_ORDER)
        return fail(why, size, "was written on a machine with another byte order");
    if (header->version != WI__VERSION) {
        snprintf(why, size, "is a record of version %u; this within reads version %d",
                 header->version, WI__VERSION);
        return 0;
    }
    if (header->header_bytes != sizeof(wi__header) || header->region_bytes != sizeof(wi__region) ||
        header->node_bytes != sizeof(wi__node) || header->cell_bytes != WI__CELL_BYTES)
        return fail(why, size, "has another layout than its version says: it is damaged");
    return 1;
}

/* Cells that are in use, and there. */
static void count_cells(wi__reader *reader, const wi__header *header) {
    size_t there = reader->length / WI__CELL_BYTES;
    if (header->file_cells && header->file_cells < header->used_cells && reader->source.own == 0)
        reader->lost_from = header->file_cells;
    uint32_t wanted = reader->lost_from ? reader->lost_from : header->used_cells;
    reader->cells = wanted < there ? wanted : (uint32_t)there;
    if (wanted > reader->cells) reader->damaged++;
}

int wi__reader_begin(wi__reader *reader, const void *bytes, size_t length, wi__source source,
                     char *why, size_t size) {
    memset(reader, 0, sizeof *reader);
    reader->bytes = bytes;
    reader->length = length;
    reader->source = source;
    if (length == 0) return fail(why, size, "is empty");
    if (length < sizeof(wi__header)) {
        int begins = length >= 8 && memcmp(bytes, WI__MAGIC, 8) == 0;
        return fail(why, size, begins ? "is cut off inside its header" : "is not a within record");
    }
    wi__header header;
    memcpy(&header, bytes, sizeof header);
    if (!check_header(&header, why, size)) return 0;
    count_cells(reader, &header);
    reader->visited = calloc((size_t)reader->cells / 8 + 1, 1);
    return reader->visited ? 1 : fail(why, size, "cannot be read: out of memory");
}

void wi__reader_end(wi__reader *reader) { free(reader->visited); }

#define END_TEXT(text) (text)[sizeof(text) - 1] = '\0'

static int is_period(double seconds) { return seconds >= 0 && seconds < 1e12; }

/* A signal that cannot be, or a time that is no number, was not written by this library. */
static void check_signals(wi__header *header) {
    if (header->interruption.signal > WI__SIGNAL_LIMIT || !is_period(header->interruption.grace_s))
        memset(&header->interruption, 0, sizeof header->interruption);
    if (header->grace.signal > WI__SIGNAL_LIMIT || !is_period(header->grace.grace_s))
        memset(&header->grace, 0, sizeof header->grace);
}

wi__header wi__reader_header(const wi__reader *reader) {
    wi__header header;
    memcpy(&header, reader->bytes, sizeof header);
    END_TEXT(header.boot_id);
    END_TEXT(header.host);
    END_TEXT(header.command);
    for (int i = 0; i < WI__TALLIES; i++) {
        END_TEXT(header.tallies[i].what);
        END_TEXT(header.tallies[i].where);
        if (header.tallies[i].kind >= WI__TALLY_KINDS) header.tallies[i].kind = WI__NO_TALLY;
    }
    check_signals(&header);
    if (header.clock >= WI__CLOCKS) header.clock = WI__CLOCK_MONOTONIC;
    return header;
}

int wi__reader_is_lost(const wi__reader *reader, uint32_t cell) {
    return reader->lost_from && cell >= reader->lost_from;
}

/* Mark cells as handed out. 0 if one was already. */
static int visit(wi__reader *reader, uint32_t cell, uint32_t cells) {
    for (uint32_t i = cell; i < cell + cells; i++)
        if (reader->visited[i / 8] & 1u << i % 8) return 0;
    for (uint32_t i = cell; i < cell + cells; i++)
        reader->visited[i / 8] |= (unsigned char)(1u << i % 8);
    return 1;
}

/* May the item at a cell be handed out? */
static int is_fresh(wi__reader *reader, uint32_t cell, size_t bytes) {
    if (is_inside(reader, cell, bytes) && visit(reader, cell, WI__CELLS(bytes))) return 1;
    if (!wi__reader_is_lost(reader, cell)) reader->damaged++;
    return 0;
}

const wi__region *wi__reader_region(wi__reader *reader, uint32_t cell) {
    return is_fresh(reader, cell, sizeof(wi__region)) ? at(reader, cell) : NULL;
}

static int read_again(const wi__reader *reader, uint32_t cell, void *item, size_t size) {
    if (reader->source.own)
        wi__record_copy(item, cell, size);
    else if (reader->source.file < 0 ||
             pread(reader->source.file, item, size, (off_t)cell * WI__CELL_BYTES) != (ssize_t)size)
        return 0;
    return 1;
}

/* Has the node at a cell been as it is here since before it was copied? Where nobody can tell, it has not
 * changed. */
static int is_settled(const wi__reader *reader, uint32_t cell, const wi__node *node) {
    struct {
        uint32_t seq, errors;
    } now = {node->seq, 0};
    read_again(reader, cell, &now, sizeof now);
    return now.seq == node->seq && now.seq % 2 == 0;
}

/* A process that goes on writing is asked again. */
static void settle(wi__reader *reader, uint32_t cell, wi__node *node) {
    for (int i = 0; i < RETRIES; i++) {
        if (is_settled(reader, cell, node)) return;
        if (!read_again(reader, cell, node, sizeof *node)) break;
    }
    reader->torn++;
}

int wi__reader_node(wi__reader *reader, uint32_t cell, wi__node *node) {
    if (!is_fresh(reader, cell, sizeof *node)) return 0;
    const wi__node *copied = at(reader, cell);
    memcpy(node, copied, sizeof *node);
    settle(reader, cell, node);
    node->next_sibling = copied->next_sibling; /* a newer one is not in the copy yet */
    return 1;
}

int wi__reader_gpu_counts(wi__reader *reader, uint32_t cell, wi__gpu_counts *counts) {
    if (!is_fresh(reader, cell, sizeof *counts)) return 0;
    memcpy(counts, at(reader, cell), sizeof *counts);
    return 1;
}

/* The length of the valid UTF-8 character at text, or 0. */
static size_t character(const unsigned char *text, size_t left) {
    unsigned char c = text[0];
    size_t length = c < 0x80             ? 1
                    : (c & 0xE0) == 0xC0 ? 2
                    : (c & 0xF0) == 0xE0 ? 3
                    : (c & 0xF8) == 0xF0 ? 4
                                         : 0;
    if (length > left || c == 0xC0 || c == 0xC1 || c > 0xF4) return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80) return 0;
    if (length == 3 && ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F))) return 0;
    if (length == 4 && ((c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] > 0x8F))) return 0;
    return length;
}

/* Copy printable characters as they are and show other bytes as \x1b. */
static void copy_printable(const unsigned char *text, size_t length, char *buffer, size_t size) {
    size_t done = 0;
    while (length) {
        size_t step = character(text, length);
        int is_c1 =
            step == 2 && text[0] == 0xC2 && text[1] < 0xA0; /* as good as ESC to some terminals */
        int plain = (step > 1 && !is_c1) || (step == 1 && text[0] >= ' ' && text[0] != 0x7F);
        if (done + (plain ? step : 4) + 1 > size) break;
        if (plain)
            memcpy(buffer + done, text, step);
        else
            snprintf(buffer + done, 5, "\\x%02x", text[0]);
        done += plain ? step : 4;
        text += plain ? step : 1;
        length -= plain ? step : 1;
    }
    buffer[done] = '\0';
}

/* The text at a cell, or NULL. */
static const wi__text *text_at(const wi__reader *reader, uint32_t cell) {
    const wi__text *text = is_inside(reader, cell, sizeof *text) ? at(reader, cell) : NULL;
    return text && is_inside(reader, cell, sizeof *text + text->length) ? text : NULL;
}

void wi__reader_name(wi__reader *reader, const wi__node *node, char *buffer, size_t size) {
    const wi__text *text = text_at(reader, node->name);
    if (!text) {
        reader->damaged++;
        snprintf(buffer, size, "(damaged)");
        return;
    }
    static const char mark[] = "…";
    copy_printable((const unsigned char *)text->bytes, text->length, buffer, size - sizeof mark);
    if (text->cut) memcpy(buffer + strlen(buffer), mark, sizeof mark);
}

void wi__reader_explanation(wi__reader *reader, const wi__tally *finding, char *buffer,
                            size_t size) {
    size_t done = 0;
    buffer[0] = '\0';
    if (!finding->explanation || wi__reader_is_lost(reader, finding->explanation)) return;
    const wi__text *text = text_at(reader, finding->explanation);
    if (!text) {
        reader->damaged++;
        return;
    }
    const char *line = text->bytes, *end = line + text->length;
    while (line < end && done + 1 < size) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next) next = end;
        if (done) buffer[done++] = '\n';
        copy_printable((const unsigned char *)line, (size_t)(next - line), buffer + done,
                       size - done);
        done += strlen(buffer + done);
        line = next + (next < end);
    }
}

uint64_t wi__reader_bucket(const wi__reader *reader, const wi__node *node, uint32_t bucket) {
    uint64_t count = node->histogram[bucket];
    if (is_inside(reader, node->high, WI__BUCKETS * sizeof(uint32_t)))
        count += (uint64_t)((const uint32_t *)at(reader, node->high))[bucket] << 31;
    if (!node->calls) return count;
    if (bucket == 0 && count) count--;
    return node->pending == bucket ? count + 1 : count;
}

uint32_t wi__reader_spans(const wi__node *node) {
    return node->spans && node->away < node->spans ? node->spans - 1 - node->away : 0;
}
