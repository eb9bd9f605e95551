/* wi_memory: resident memory before, after, and at the most. */
#include <within/memory.h>

#include <math.h>
#include <string.h>

#include "manage/counters.h"
#include "manage/megabytes.h"
#include "manage/peak.h"

static double bytes_of(int64_t level) { return level == WI__ABSENT ? NAN : (double)level; }

static void memory_enter(void *self) {
    wi_memory *memory = self;
    if (memory->is_open)
        wi_raise(WI_USAGE_ERROR,
                 "memory %s: it is being measured already; use one wi_memory a block",
                 memory->label ? memory->label : "");
    memory->is_open = 1;
    memory->current = memory->delta = memory->peak = NAN;
    memory->before = bytes_of(wi__peak_open(memory));
}

static void print_line(const wi_memory *memory) {
    int has_label = memory->label && *memory->label;
    const char *least = memory->peak_is_exact ? "" : "at least ";
    fprintf(memory->options.stream ? memory->options.stream : stderr,
            "%s%s%sMemory: delta=%s, current=%s, peak=%s%s\n", has_label ? "[" : "",
            has_label ? memory->label : "", has_label ? "] " : "",
            wi__signed_megabytes_text(memory->delta).text, wi__megabytes_text(memory->current).text,
            isnan(memory->peak) ? "" : least, wi__megabytes_text(memory->peak).text);
}

static wi_verdict memory_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_memory *memory = self;
    memory->current = bytes_of(wi__peak_close(memory));
    memory->delta = memory->current - memory->before;
    memory->peak = bytes_of(memory->highest);
    memory->is_open = 0;
    if (!memory->options.quiet) print_line(memory);
    return WI_PROPAGATE;
}

static void memory_describe(const void *self, char *buffer, size_t size) {
    const wi_memory *memory = self;
    snprintf(buffer, size, "%s", memory->label ? memory->label : "");
}

static const wi_protocol memory_protocol = {"memory", memory_enter, memory_exit, memory_describe};

wi_memory wi__memory(const char *label, wi_memory_options options) {
    wi_memory memory;
    memset(&memory, 0, sizeof memory);
    memory.protocol = &memory_protocol;
    memory.label = label;
    memory.options = options;
    memory.before = memory.current = memory.delta = memory.peak = NAN;
    return memory;
}
