/* Error objects: made, counted, asked and ended. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const wi_error_type WI_ERROR[1] = {{"WI_ERROR", NULL}};
#define DEFINE_TYPE(name, parent) const wi_error_type name[1] = {{#name, parent}};
WI__ERROR_TYPES(DEFINE_TYPE)
#undef DEFINE_TYPE
const wi_error_type WI_INTERRUPTED[1] = {{"WI_INTERRUPTED", NULL}};

void (*wi__on_interruption_over)(void);

/* What errors are made of when memory has run out. */
enum { EMERGENCY_ERRORS = 16 };
static wi_error emergency[EMERGENCY_ERRORS];
static char emergency_taken[EMERGENCY_ERRORS];

static wi_error *emergency_error(void) {
    for (int i = 0; i < EMERGENCY_ERRORS; i++)
        if (!__atomic_exchange_n(&emergency_taken[i], 1, __ATOMIC_ACQUIRE)) return &emergency[i];
    fputs("within: out of memory, and too many errors are being handled to raise another\n",
          stderr);
    abort();
}

static void give_back(wi_error *error) {
    if (error >= emergency && error < emergency + EMERGENCY_ERRORS)
        __atomic_store_n(&emergency_taken[error - emergency], 0, __ATOMIC_RELEASE);
    else
        free(error);
}

static void write_message(wi_error *error, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    if (length < 0) {
        snprintf(error->text, sizeof error->text, "%s", format);
    } else if (length >= (int)sizeof error->text) {
        error->long_text = malloc((size_t)length + 1);
        if (error->long_text) vsnprintf(error->long_text, (size_t)length + 1, format, again);
    }
    va_end(again);
}

wi_error *wi__error_new(const wi_place *place, const wi_error_type *type, const char *format,
                        va_list arguments) {
    wi_error *error = malloc(sizeof *error);
    if (!error) error = emergency_error();
    error->references = 1;
    error->handed_out = 0;
    error->errnum = 0;
    error->signal = 0;
    error->type = type ? type : WI_ERROR;
    error->place = place;
    error->cause = error->context = NULL;
    error->trail_length = error->trail_capacity = 0;
    error->trail = NULL;
    error->long_text = NULL;
    write_message(error, format, arguments);
    return error;
}

void wi__error_append_errno(wi_error *error, int errnum) {
    error->errnum = errnum;
    char reason[128];
    const char *text = strerror_r(errnum, reason, sizeof reason);
    size_t length = strlen(wi_error_message(error)), size = length + strlen(text) + 3;
    if (size <= sizeof error->text) {
        snprintf(error->text + length, sizeof error->text - length, ": %s", text);
        return;
    }
    char *longer = malloc(size);
    if (!longer) return;
    snprintf(longer, size, "%s: %s", wi_error_message(error), text);
    free(error->long_text);
    error->long_text = longer;
}

wi_error *wi__error_keep(const wi_error *error) {
    wi_error *kept = (wi_error *)error; /* the count is not part of what const protects */
    if (kept) kept->references++;
    return kept;
}

static void end(wi_error *error) {
    if (error->signal) wi__on_interruption_over();
    free(error->trail);
    free(error->long_text);
    give_back(error);
}

/* No recursion: causes and contexts may be as deep as memory. The dead wait in a list, by their cause. */
void wi__error_release(wi_error *error) {
    wi_error *dead = NULL;
    for (;;) {
        if (error && --error->references == 0) {
            wi_error *cause = error->cause;
            error->cause = dead;
            dead = error;
            error = cause;
        } else if (dead) {
            wi_error *ended = dead;
            dead = ended->cause;
            error = ended->context;
            end(ended);
        } else {
            return;
        }
    }
}

void wi_error_free(wi_error *error) {
    if (error) error->handed_out = 0;
    wi__error_release(error);
}

static wi_trail_entry *next_trail_entry(wi_error *error) {
    if (error->trail_length >= WI_TRAIL_MAX || error->trail_length > error->trail_capacity)
        return NULL; /* full, or memory ran out at an earlier block */
    if (error->trail_length == error->trail_capacity) {
        size_t capacity = error->trail_capacity ? 2 * error->trail_capacity : 8;
        wi_trail_entry *trail = realloc(error->trail, capacity * sizeof *trail);
        if (!trail) return NULL;
        error->trail = trail;
        error->trail_capacity = capacity;
    }
    return &error->trail[error->trail_length];
}

void wi__error_passed(wi_error *error, const wi_protocol *protocol, const void *manager,
                      const wi_place *place) {
    wi_trail_entry *entry = next_trail_entry(error);
    if (entry) {
        entry->manager = protocol->name;
        entry->place = place;
        entry->what[0] = '\0';
        if (protocol->describe) protocol->describe(manager, entry->what, sizeof entry->what);
    }
    error->trail_length++;
}

const wi_error_type *wi_error_kind(const wi_error *error) { return error->type; }
const wi_place *wi_error_place(const wi_error *error) { return error->place; }
int wi_error_errno(const wi_error *error) { return error->errnum; }
int wi_error_signal(const wi_error *error) { return error->signal; }
const wi_error *wi_error_cause(const wi_error *error) { return error->cause; }
const wi_error *wi_error_context(const wi_error *error) { return error->context; }
size_t wi_error_trail_length(const wi_error *error) { return error->trail_length; }

const char *wi_error_message(const wi_error *error) {
    return error->long_text ? error->long_text : error->text;
}

const wi_trail_entry *wi_error_trail(const wi_error *error, size_t i) {
    return i < error->trail_length && i < error->trail_capacity ? &error->trail[i] : NULL;
}

int wi_error_type_is(const wi_error_type *type, const wi_error_type *ancestor) {
    while (type && type != ancestor) type = type->parent;
    return type != NULL;
}

int wi_error_is(const wi_error *error, const wi_error_type *type) {
    return error && wi_error_type_is(error->type, type);
}
