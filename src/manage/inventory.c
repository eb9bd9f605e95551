/* Inventories: a table of names, and what is written of their differences. */
#include "manage/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/leak_text.h"
#include "manage/listings.h"

enum { NAMES = 4096, SLOTS = 2 * NAMES, TEXT_BYTES = 192 << 10, NAME_BYTES = 120, SHOWN = 5 };

typedef struct entry {
    uint32_t hash;
    uint16_t listing;
    uint16_t length;
    uint32_t name; /* offset in the text */
    int64_t count, bytes;
} entry;

struct wi__inventory {
    const wi__counter *counter;
    int sign;         /* of what is counted now */
    uint16_t listing; /* that counts now */
    uint32_t taken[2];
    uint32_t used, text_used;
    uint16_t slots[SLOTS]; /* numbers of entries from 1; 0: free */
    entry entries[NAMES];
    char text[TEXT_BYTES];
};

wi__inventory *wi__inventory_new(const wi__counter *counter) {
    wi__inventory *inventory = malloc(sizeof *inventory);
    if (!inventory) return NULL;
    memset(inventory, 1, sizeof *inventory); /* from zeros a compiler could make calloc */
    memset(inventory, 0, sizeof *inventory);
    inventory->counter = counter;
    return inventory;
}

void wi__inventory_free(wi__inventory *inventory) { free(inventory); }

/* ---- names ---- */

static uint32_t hash_of(uint16_t listing, const char *name, size_t length) {
    uint32_t hash = 2166136261u ^ listing; /* FNV-1a (Fowler, Noll and Vo 1991) */
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static int is_entry(const wi__inventory *inventory, const entry *each, uint32_t hash,
                    const char *name, size_t length) {
    return each->hash == hash && each->listing == inventory->listing && each->length == length &&
           memcmp(inventory->text + each->name, name, length) == 0;
}

static entry *entry_new(wi__inventory *inventory, uint16_t *slot, uint32_t hash, const char *name,
                        size_t length) {
    if (inventory->used == NAMES || inventory->text_used + length > TEXT_BYTES) return NULL;
    entry *made = &inventory->entries[inventory->used++];
    *slot = (uint16_t)inventory->used;
    *made = (entry){hash, inventory->listing, (uint16_t)length, inventory->text_used, 0, 0};
    memcpy(inventory->text + made->name, name, length);
    inventory->text_used += (uint32_t)length;
    return made;
}

static entry *entry_of(wi__inventory *inventory, const char *name, size_t length) {
    uint32_t hash = hash_of(inventory->listing, name, length), at = hash % SLOTS;
    for (; inventory->slots[at]; at = (at + 1) % SLOTS) {
        entry *each = &inventory->entries[inventory->slots[at] - 1];
        if (is_entry(inventory, each, hash, name, length)) return each;
    }
    return entry_new(inventory, &inventory->slots[at], hash, name, length);
}

/* Of long names the end, from the begin of a character on; nothing that could move a cursor. */
static size_t shown_name(const char *name, char *shown) {
    static const char mark[] = "…";
    size_t length = strlen(name), at = 0;
    if (length >= NAME_BYTES) {
        memcpy(shown, mark, at = sizeof mark - 1);
        name += length - (NAME_BYTES - sizeof mark);
        while ((*name & 0xC0) == 0x80) name++;
    }
    for (; *name; name++) {
        int moves_cursor = (unsigned char)*name < ' ' || *name == 0x7F;
        shown[at] = '?';
        if (!moves_cursor) shown[at] = *name;
        at++;
    }
    return at;
}

void wi__inventory_count(wi__inventory *inventory, const char *name, int64_t count, int64_t bytes) {
    char shown[NAME_BYTES];
    entry *of_name = entry_of(inventory, shown, shown_name(name, shown));
    if (!of_name) return;
    of_name->count += inventory->sign * count;
    of_name->bytes += inventory->sign * bytes;
}

static int is_digit(char letter) { return letter >= '0' && letter <= '9'; }

void wi__inventory_count_alike(wi__inventory *inventory, const char *name) {
    char alike[NAME_BYTES];
    size_t length = 0;
    for (; *name && length + 1 < sizeof alike; name++) {
        if (is_digit(*name) && is_digit(name[1])) continue;
        alike[length] = *name;
        if (is_digit(*name)) alike[length] = 'N';
        length++;
    }
    alike[length] = '\0';
    wi__inventory_count(inventory, alike, 1, 0);
}

/* ---- begin and end ---- */

static void take(wi__inventory *inventory, int number, int is_end) {
    const wi__listing *listing = wi__listing_at(number);
    if (!listing || !wi__listing_explains(listing, inventory->counter)) return;
    inventory->listing = (uint16_t)number;
    if (listing->take(inventory)) inventory->taken[is_end] |= 1u << number;
}

/* Mappings last at the begin and first at the end: what the other listings take meanwhile is in neither. */
void wi__inventory_begin(wi__inventory *inventory) {
    inventory->sign = -1;
    for (int i = WI__LISTINGS - 1; i >= 0; i--) take(inventory, i, 0);
}

void wi__inventory_end(wi__inventory *inventory) {
    inventory->sign = 1;
    for (int i = 0; i < WI__LISTINGS; i++) take(inventory, i, 1);
}

/* ---- what is written ---- */

static int64_t size_of(const wi__inventory *inventory, const entry *each) {
    return inventory->counter->is_bytes ? each->bytes : each->count;
}

/* The largest ones of a listing, in order. @return how many are shown; `*all` is how many could be. */
static int find_largest(const wi__inventory *inventory, int listing, const entry **largest,
                        int *all) {
    int shown = 0;
    int64_t most = 1;
    for (uint32_t i = 0; i < inventory->used; i++) {
        int64_t size = size_of(inventory, &inventory->entries[i]);
        if (inventory->entries[i].listing == listing && size > most) most = size;
    }
    *all = 0;
    for (uint32_t i = 0; i < inventory->used; i++) {
        const entry *each = &inventory->entries[i];
        if (each->listing != listing || 20 * size_of(inventory, each) < most) continue;
        int at = shown < SHOWN ? shown++ : SHOWN;
        for (; at > 0 && size_of(inventory, largest[at - 1]) < size_of(inventory, each); at--)
            if (at < SHOWN) largest[at] = largest[at - 1];
        if (at < SHOWN) largest[at] = each;
        (*all)++;
    }
    return shown;
}

static size_t entry_text(const wi__inventory *inventory, const entry *each, char *line,
                         size_t size) {
    const char *name = inventory->text + each->name;
    int written;
    if (!inventory->counter->is_bytes)
        written = snprintf(line, size, "+%s %.*s", wi__whole_text((double)each->count).text,
                           each->length, name);
    else if (each->count > 0)
        written = snprintf(line, size, "+%s in %s %.*s", wi__memory_text((double)each->bytes).text,
                           wi__whole_text((double)each->count).text, each->length, name);
    else
        written = snprintf(line, size, "+%s %.*s", wi__memory_text((double)each->bytes).text,
                           each->length, name);
    return (size_t)written;
}

static void append(char *text, size_t size, const char *title, const char *line) {
    size_t length = strlen(text);
    int written =
        snprintf(text + length, size - length, "%s%s: %s", length ? "\n" : "", title, line);
    if ((size_t)written >= size - length) text[length] = '\0';
}

void wi__inventory_text(const wi__inventory *inventory, char *text, size_t size) {
    const entry *largest[SHOWN];
    char line[NAME_BYTES + 100];
    text[0] = '\0';
    for (int i = 0; i < WI__LISTINGS; i++) {
        if (!(inventory->taken[0] & inventory->taken[1] & 1u << i)) continue;
        const char *title = wi__listing_at(i)->title;
        int all, shown = find_largest(inventory, i, largest, &all);
        for (int j = 0; j < shown; j++) {
            entry_text(inventory, largest[j], line, sizeof line);
            append(text, size, title, line);
        }
        snprintf(line, sizeof line, "and %d more", all - shown);
        if (all > shown) append(text, size, title, line);
    }
}
