/* Lists of environment variables: copied, looked up, rebased. */
#include "manage/environ_list.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

int wi__environ_names(const char *string, const char *name) {
    size_t length = strcspn(name, "=");
    return strncmp(string, name, length) == 0 && (string[length] == '=' || !string[length]);
}

/* ---- making them ---- */

/* A list with room for so many entries, and for their copies behind them. */
static wi__environ_list *list_of(size_t count, size_t bytes) {
    wi__environ_list *list =
        malloc(sizeof *list + count * sizeof *list->entries + bytes + 1 /* of an empty one */);
    if (!list) return NULL;
    list->count = 0;
    list->was_null = 0;
    return list;
}

/* The copy goes to `end`, and the next one behind it. */
static char *append(wi__environ_list *list, wi__environ_entry entry, char *end) {
    size_t size = strlen(entry.copy) + 1;
    entry.copy = memcpy(end, entry.copy, size);
    list->entries[list->count++] = entry;
    return end + size;
}

wi__environ_list *wi__environ_list_now(void) {
    size_t count = 0, bytes = 0;
    for (char **string = environ; string && *string; string++, count++)
        bytes += strlen(*string) + 1;
    wi__environ_list *list = list_of(count, bytes);
    if (!list) return NULL;
    list->was_null = !environ;
    char *end = (char *)&list->entries[count];
    for (size_t i = 0; i < count; i++)
        end = append(list, (wi__environ_entry){environ[i], environ[i], 0}, end);
    return list;
}

/* ---- rebasing ---- */

static const wi__environ_entry *find(const wi__environ_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (wi__environ_names(list->entries[i].copy, name)) return &list->entries[i];
    return NULL;
}

static int are_same(const wi__environ_entry *one, const wi__environ_entry *other) {
    return one && other ? strcmp(one->copy, other->copy) == 0 : one == other;
}

static size_t bytes_of(const wi__environ_list *list) {
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) bytes += strlen(list->entries[i].copy) + 1;
    return bytes;
}

wi__environ_list *wi__environ_list_rebase(const wi__environ_list *base,
                                          const wi__environ_list *changed,
                                          const wi__environ_list *onto) {
    size_t most = onto->count + changed->count;
    wi__environ_list *list = list_of(most, bytes_of(onto) + bytes_of(changed));
    if (!list) return NULL;
    char *end = (char *)&list->entries[most];
    for (size_t i = 0; i < onto->count; i++) {
        const wi__environ_entry *entry = &onto->entries[i];
        const wi__environ_entry *after = find(changed, entry->copy);
        if (!are_same(find(base, entry->copy), after)) entry = after;
        if (entry) end = append(list, *entry, end);
    }
    for (size_t i = 0; i < changed->count; i++) {
        const wi__environ_entry *entry = &changed->entries[i];
        if (!find(onto, entry->copy) && !are_same(find(base, entry->copy), entry))
            end = append(list, *entry, end);
    }
    list->was_null = onto->was_null && !list->count;
    return list;
}
