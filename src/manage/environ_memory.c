/* Strings and arrays for `environ`, used again and never freed. */
#include "manage/environ_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static size_t power_of_two(size_t least, size_t from) {
    while (from < least) from *= 2;
    return from;
}

/* ---- strings ---- */

typedef struct string {
    struct string *next;
    size_t size;
    int used;
    char text[];
} string;

static string *strings;

static void mark(const char *text) {
    for (string *each = strings; each; each = each->next)
        if (each->text == text) each->used = 1;
}

void wi__environ_find_unused(void) {
    for (string *each = strings; each; each = each->next) each->used = 0;
    for (char **text = environ; text && *text; text++) mark(*text);
}

void wi__environ_in_use(const wi__environ_list *list) {
    for (size_t i = 0; i < list->count; i++) mark(list->entries[i].string);
}

int wi__environ_is_ours(const char *text) {
    const string *each = strings;
    while (each && each->text != text) each = each->next;
    return each != NULL;
}

static string *unused_string(size_t size) {
    for (string *each = strings; each; each = each->next)
        if (!each->used && each->size == size) return each;
    string *made = malloc(sizeof *made + size);
    if (!made) return NULL;
    made->next = strings;
    made->size = size;
    return strings = made;
}

char *wi__environ_string(const char *name, const char *value) {
    size_t length = strlen(name) + (value ? strlen(value) + 1 : 0);
    string *made = unused_string(power_of_two(length + 1, 64));
    if (!made) return NULL;
    made->used = 1;
    snprintf(made->text, made->size, value ? "%s=%s" : "%s", name, value);
    return made->text;
}

/* ---- arrays ---- */

typedef struct array {
    struct array *next;
    size_t room;
    char *strings[];
} array;

static array *arrays;

static array *make_array(size_t room) {
    array *made = calloc(1, sizeof *made + room * sizeof *made->strings);
    if (!made) return NULL;
    made->next = arrays;
    made->room = room;
    return arrays = made;
}

char **wi__environ_array(size_t count) {
    array *each = arrays;
    while (each && (each->room <= count || each->strings == environ)) each = each->next;
    if (!each) each = make_array(power_of_two(count + 1, 64));
    return each ? each->strings : NULL;
}

int wi__environ_reserve(size_t count) {
    int enough = 0;
    for (array *each = arrays; each; each = each->next) enough += each->room > count;
    for (; enough < 2; enough++)
        if (!make_array(power_of_two(count + 1, 64))) return 0;
    return 1;
}
