/* The ledger of things held, and the tally of what was suppressed or repaired. */
#include "record/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/clock.h"

/* ---- things held ---- */

static wi__hold *free_slot(wi__region *region) {
    for (int i = 0; i < WI__HOLDS; i++)
        if (!__atomic_load_n(&region->holds[i].serial, __ATOMIC_ACQUIRE)) return &region->holds[i];
    return NULL;
}

/* As snprintf would, which takes longer than all else here. */
static void copy(char *to, const char *text, size_t size) {
    size_t length = strnlen(text, size - 1);
    memcpy(to, text, length);
    to[length] = '\0';
}

wi_holding wi_hold(const char *kind, const char *format, ...) {
    static uint64_t last_serial;
    wi_holding holding = {NULL, 0};
    wi__lane *lane = wi__lane_here();
    if (!lane) return holding;
    wi__hold *hold = free_slot(lane->region);
    if (!hold) {
        __atomic_add_fetch(&wi__record_header()->unlisted, 1, __ATOMIC_RELAXED);
        return holding;
    }
    va_list arguments;
    va_start(arguments, format);
    if (strcmp(format, "%s") == 0)
        copy(hold->what, va_arg(arguments, const char *), sizeof hold->what);
    else
        vsnprintf(hold->what, sizeof hold->what, format, arguments);
    va_end(arguments);
    copy(hold->kind, kind, sizeof hold->kind);
    hold->start = wi__ticks();
    holding.slot = hold;
    holding.serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&hold->serial, holding.serial, __ATOMIC_RELEASE);
    return holding;
}

void wi_let_go(wi_holding holding) {
    wi__hold *hold = holding.slot;
    if (hold && wi__arena) /* a child without a record has its parent's slots before it */
        __atomic_compare_exchange_n(&hold->serial, &holding.serial, 0, 0, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
}

/* ---- the tally ---- */

/* Errors of one kind suppressed at one place are one line, whatever their messages say. */
static int is_same(const wi__tally *tally, wi__tally_kind kind, const char *what,
                   const char *where) {
    size_t told_apart = kind == WI__SUPPRESSED ? strcspn(what, ":") + 1 : sizeof tally->what - 1;
    return tally->kind == (uint32_t)kind && strncmp(tally->what, what, told_apart) == 0 &&
           strncmp(tally->where, where, sizeof tally->where - 1) == 0;
}

/* The line for this, or the first free one; NULL if all are taken. */
static wi__tally *line_of(wi__tally_kind kind, const char *what, const char *where) {
    wi__tally *tallies = wi__record_header()->tallies;
    for (int i = 0; i < WI__TALLIES; i++)
        if (tallies[i].kind == WI__NO_TALLY || is_same(&tallies[i], kind, what, where))
            return &tallies[i];
    return NULL;
}

static void tally_locked(wi__tally_kind kind, const char *what, const char *where) {
    wi__tally *tally = line_of(kind, what, where);
    if (!tally) {
        wi__record_header()->untallied++;
        return;
    }
    snprintf(tally->what, sizeof tally->what, "%s", what);
    snprintf(tally->where, sizeof tally->where, "%s", where);
    tally->count++;
    __atomic_store_n(&tally->kind, (uint32_t)kind, __ATOMIC_RELEASE);
}

void wi__record_tally(wi__tally_kind kind, const char *what, const char *where) {
    if (!wi__lane_here()) return;
    wi__record_lock();
    tally_locked(kind, what, where);
    wi__record_unlock();
}

/* ---- findings ---- */

static wi__tally *free_line(void) {
    wi__tally *tallies = wi__record_header()->tallies;
    for (int i = 0; i < WI__TALLIES; i++)
        if (tallies[i].kind == WI__NO_TALLY) return &tallies[i];
    wi__record_header()->untallied++;
    return NULL;
}

wi__tally *wi__record_finding(wi__tally *line, wi__tally_kind kind, const char *what,
                              const char *where, uint64_t count) {
    if (!wi__lane_here()) return NULL;
    wi__record_lock();
    if (!line || line->kind == WI__NO_TALLY) line = free_line();
    if (line) {
        snprintf(line->what, sizeof line->what, "%s", what);
        snprintf(line->where, sizeof line->where, "%s", where);
        line->count = count;
        __atomic_store_n(&line->kind, (uint32_t)kind, __ATOMIC_RELEASE);
    }
    wi__record_unlock();
    return line;
}

/* It can be read from the moment that the line leads there. */
void wi__record_explanation(wi__tally *line, const char *text) {
    size_t length = strnlen(text, UINT16_MAX);
    if (!line || !wi__lane_here()) return;
    wi__record_lock();
    int is_free = line->kind != WI__NO_TALLY && !line->explanation;
    uint32_t cell = is_free ? wi__arena_allocate(WI__CELLS(sizeof(wi__text) + length)) : 0;
    if (cell) {
        wi__text *kept = wi__cell(cell);
        kept->length = (uint16_t)length;
        memcpy(kept->bytes, text, length);
        __atomic_store_n(&line->explanation, cell, __ATOMIC_RELEASE);
    }
    wi__record_unlock();
}
