/* wi_environment: variables for a block, and the whole environment as it was afterwards. */
#include <within/environment.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/environ_list.h"
#include "manage/environ_memory.h"
#include "manage/overlap.h"
#include "manage/trouble.h"

extern char **environ;

/* An open block. */
typedef struct wi__environ_block {
    wi__layer layer;
    wi__environ_list *before;
    wi__environ_list *rebased; /* while an older block ends: what `before` will be */
} wi__environ_block;

static wi__layer *newest;

static wi__environ_block *newer_than(const wi__environ_block *open) {
    return (wi__environ_block *)open->layer.newer;
}

static wi__trouble no_memory(const char *what) { return wi__trouble_of(what, ENOMEM); }

static void find_unused(void) {
    wi__environ_find_unused();
    for (wi__layer *each = newest; each; each = each->older)
        wi__environ_in_use(((wi__environ_block *)each)->before);
}

/* ---- enter: a new array, in which the variables are set ---- */

static const wi_variable *variables_of(const wi_environment *manager) {
    return manager->variables ? manager->variables : manager->given.listed;
}

static void check_names(const wi_environment *manager) {
    for (size_t i = 0; i < manager->count; i++) {
        const char *name = variables_of(manager)[i].name;
        if (!name || !*name)
            wi_raise(WI_VALUE_ERROR, "environment: the name of a variable must not be empty");
        if (strchr(name, '='))
            wi_raise(WI_VALUE_ERROR, "environment: the name of a variable must not have a '=': %s",
                     name);
    }
}

/* In the place of the first string of this name, or at the end; or nowhere, if there is no text. Others of the name go. */
static void put(char **strings, const char *name, char *text) {
    char **to = strings;
    for (char **from = strings; *from; from++) {
        if (!wi__environ_names(*from, name)) {
            *to++ = *from;
        } else if (text) {
            *to++ = text;
            text = NULL;
        }
    }
    if (text) *to++ = text;
    *to = NULL;
}

static void note_set_aside(wi__environ_list *before, const char *name) {
    for (size_t i = 0; i < before->count; i++)
        if (wi__environ_names(before->entries[i].copy, name)) before->entries[i].set_aside = 1;
}

static void install(char **strings) { __atomic_store_n(&environ, strings, __ATOMIC_RELEASE); }

/* 0 without memory; nothing is changed then. */
static int set_variables(const wi_environment *manager, wi__environ_list *before) {
    char **strings = wi__environ_array(before->count + manager->count);
    if (!strings) return 0;
    for (size_t i = 0; i < before->count; i++) strings[i] = before->entries[i].string;
    strings[before->count] = NULL;
    find_unused();
    for (size_t i = 0; i < manager->count; i++) {
        const wi_variable *variable = &variables_of(manager)[i];
        char *text = variable->value ? wi__environ_string(variable->name, variable->value) : NULL;
        if (variable->value && !text) return 0;
        put(strings, variable->name, text);
        note_set_aside(before, variable->name);
    }
    install(strings);
    return 1;
}

static int begin_locked(const wi_environment *manager, wi__environ_block *open) {
    open->rebased = NULL;
    open->before = wi__environ_list_now();
    if (!open->before) return 0;
    if (!wi__environ_reserve(open->before->count + manager->count) ||
        (manager->count && !set_variables(manager, open->before))) {
        free(open->before);
        return 0;
    }
    wi__layer_push(&newest, &open->layer);
    return 1;
}

static wi__trouble begin(void *arg) {
    wi_environment *manager = arg;
    wi__environ_block *open = malloc(sizeof *open);
    if (!open) return no_memory("cannot be kept");
    wi__overlap_lock();
    int begun = begin_locked(manager, open);
    wi__overlap_unlock();
    if (begun)
        manager->open = open;
    else
        free(open);
    return begun ? WI__NO_TROUBLE : no_memory("cannot be kept");
}

static void environment_describe(const void *self, char *buffer, size_t size) {
    const wi_environment *manager = self;
    size_t length = 0;
    *buffer = '\0';
    for (size_t i = 0; i < manager->count && length < size; i++)
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", i ? ", " : "",
                                   variables_of(manager)[i].name);
}

static void environment_enter(void *self) {
    wi_environment *manager = self;
    if (manager->open) wi_raise(WI_USAGE_ERROR, "environment: this wi_environment is open already");
    check_names(manager);
    wi__do_whole("environment", begin, manager);
    char names[128];
    environment_describe(manager, names, sizeof names);
    manager->holding = wi_hold("environment", "%s", names);
}

/* ---- exit ---- */

static int is_as_before(const wi__environ_list *list) {
    if (!environ) return list->was_null;
    if (list->was_null) return 0;
    for (size_t i = 0; i < list->count; i++)
        if (environ[i] != list->entries[i].string || strcmp(environ[i], list->entries[i].copy) != 0)
            return 0; /* a NULL is no entry's string */
    return !environ[list->count];
}

static int is_in_environ(const char *string) {
    for (char **each = environ; each && *each; each++)
        if (*each == string) return 1;
    return 0;
}

/*
 * What is to stand in `environ`: the very string that stood there, unless somebody else has taken it out, and may have
 * freed it, or has written over it.
 */
static char *string_of(const wi__environ_entry *entry, int *copy_is_used) {
    int is_alive =
        entry->set_aside || is_in_environ(entry->string) || wi__environ_is_ours(entry->string);
    if (is_alive && strcmp(entry->string, entry->copy) == 0) return entry->string;
    char *string = wi__environ_string(entry->copy, NULL);
    if (string) return string;
    *copy_is_used = 1;
    return (char *)entry->copy;
}

static wi__trouble restore(const wi__environ_list *list, int *copy_is_used) {
    if (is_as_before(list)) return WI__NO_TROUBLE;
    char **strings = wi__environ_array(list->count);
    if (!strings) return no_memory("cannot be restored");
    find_unused();
    for (size_t i = 0; i < list->count; i++)
        strings[i] = string_of(&list->entries[i], copy_is_used);
    strings[list->count] = NULL;
    install(list->was_null ? NULL : strings);
    return WI__NO_TROUBLE;
}

/* What came after the block that ends is done to what was before it instead. 0 without memory. */
static int rebase_newer(const wi__environ_block *ends) {
    const wi__environ_list *onto = ends->before;
    wi__environ_list *now = wi__environ_list_now();
    for (wi__environ_block *each = newer_than(ends); each; each = newer_than(each)) {
        const wi__environ_block *next = newer_than(each);
        const wi__environ_list *changed = next ? next->before : now;
        each->rebased = onto && now ? wi__environ_list_rebase(each->before, changed, onto) : NULL;
        onto = each->rebased;
    }
    free(now);
    return onto != NULL;
}

/*
 * Each newer block is to restore what the older one left to it. What the newest leaves is the environment: its strings
 * are in `environ` or in what an open block is to restore, so that none is written over.
 */
static wi__environ_list *hand_on(wi__environ_block *ends) {
    wi__environ_list *list = ends->before;
    for (wi__environ_block *each = newer_than(ends); each; each = newer_than(each)) {
        free(each->before);
        each->before = list;
        list = each->rebased;
        each->rebased = NULL;
    }
    return list;
}

/* Without memory for that: what this block has changed stays until the next newer one ends. */
static wi__environ_list *hand_on_unseen(wi__environ_block *ends) {
    wi__environ_block *newer = newer_than(ends);
    for (wi__environ_block *each = newer; each; each = newer_than(each)) {
        free(each->rebased);
        each->rebased = NULL;
    }
    free(newer->before);
    newer->before = ends->before;
    return NULL;
}

static wi__trouble end_locked(wi__environ_block *open) {
    wi__trouble trouble = no_memory("cannot be restored before a newer block ends");
    wi__environ_list *list = open->before;
    if (open->layer.newer) list = rebase_newer(open) ? hand_on(open) : hand_on_unseen(open);
    int copy_is_used = 0;
    if (list) trouble = restore(list, &copy_is_used);
    wi__layer_remove(&newest, &open->layer);
    if (!copy_is_used) free(list);
    return trouble;
}

static wi__trouble end(void *arg) {
    wi_environment *manager = arg;
    wi_let_go(manager->holding);
    wi__overlap_lock();
    wi__trouble trouble = end_locked(manager->open);
    wi__overlap_unlock();
    free(manager->open);
    manager->open = NULL;
    return trouble;
}

static wi_verdict environment_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi__do_whole("environment", end, self);
    return WI_PROPAGATE;
}

static const wi_protocol environment_protocol = {"environment", environment_enter, environment_exit,
                                                 environment_describe};

/* ---- making them ---- */

wi_environment wi_environment_of(const wi_variable *variables, size_t count) {
    wi_environment manager = {&environment_protocol, variables, count,
                              {{{NULL, NULL}}},      NULL,      {NULL, 0}};
    return manager;
}

/* What is listed ends where nothing more is: a NULL for a name in the middle is a mistake to be told. */
wi_environment wi__environment(wi__variables variables) {
    wi_environment manager = wi_environment_of(NULL, WI__VARIABLES_LISTED);
    manager.given = variables;
    while (manager.count && !variables.listed[manager.count - 1].name &&
           !variables.listed[manager.count - 1].value)
        manager.count--;
    return manager;
}
