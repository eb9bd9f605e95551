/* wi_gpu_memory: says how much of a GPU's memory its block took. */
#include <within/gpu.h>

#include <math.h>
#include <stdio.h>

#include "manage/gpu_trackers.h"
#include "manage/megabytes.h"
#include "record/gpu.h"

/* ---- the line ---- */

static int figures_of(const wi_gpu_memory *memory, char *buffer, size_t size) {
    const char *remark = memory->source->remark;
    return snprintf(buffer, size, "delta=%s, current=%s, peak=%s%s%s%s",
                    wi__signed_megabytes_text(memory->delta).text,
                    wi__megabytes_text(memory->current).text, wi__megabytes_text(memory->peak).text,
                    remark ? " (" : "", remark ? remark : "", remark ? ")" : "");
}

size_t wi_gpu_memory_format(const wi_gpu_memory *memory, char *buffer, size_t size) {
    const char *label = memory->label ? memory->label : "";
    char figures[256];
    if (memory->source)
        figures_of(memory, figures, sizeof figures);
    else
        snprintf(figures, sizeof figures, "not tracked: %s", memory->why_not);
    return (size_t)snprintf(buffer, size, "%s%s%sGPU Memory: %s", *label ? "[" : "", label,
                            *label ? "] " : "", figures);
}

static void print_line(const wi_gpu_memory *memory) {
    char line[512];
    wi_gpu_memory_format(memory, line, sizeof line);
    fprintf(memory->options.stream ? memory->options.stream : stderr, "%s\n", line);
}

/* ---- the block ---- */

static void memory_enter(void *self) {
    wi_gpu_memory *memory = self;
    const char *label = memory->label ? memory->label : "";
    unsigned process = wi__gpu_process();
    if (memory->process == process)
        wi_raise(WI_USAGE_ERROR, "wi_gpu_memory %s: it is running already; use one a block", label);
    if (memory->device < 0)
        wi_raise(WI_VALUE_ERROR, "wi_gpu_memory %s: there is no GPU %d", label, memory->device);
    memory->delta = memory->current = memory->peak = NAN;
    memory->why_not[0] = '\0';
    memory->branch = wi__gpu_branch_here();
    wi__gpu_tracker_open(memory);
    memory->process = process;
}

static void count(const wi_gpu_memory *memory, double grown) {
    wi__branch *branch = memory->branch ? memory->branch : wi__gpu_branch_of_none();
    wi__gpu_counts *counts = branch ? wi__gpu_counts_of(branch) : NULL;
    if (counts) wi__gpu_add_memory(counts, grown, memory->peak);
}

static void close_block(wi_gpu_memory *memory) {
    double grown = wi__gpu_tracker_close(memory);
    if (memory->source) count(memory, grown);
}

/* A child cannot use its parent's GPU, and its copy of the block is on no list. */
static void end_in_child(wi_gpu_memory *memory) {
    memory->source = NULL;
    snprintf(memory->why_not, sizeof memory->why_not, "this process was forked inside the block");
}

static wi_verdict memory_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_gpu_memory *memory = self;
    if (memory->process == wi__gpu_process())
        close_block(memory);
    else
        end_in_child(memory);
    memory->process = 0;
    if (!memory->options.quiet) print_line(memory);
    return WI_PROPAGATE;
}

static void memory_describe(const void *self, char *buffer, size_t size) {
    const char *label = ((const wi_gpu_memory *)self)->label;
    snprintf(buffer, size, "%s", label ? label : "");
}

static const wi_protocol memory_protocol = {"GPU memory", memory_enter, memory_exit,
                                            memory_describe};

wi_gpu_memory wi__gpu_memory(int device, const char *label, wi_gpu_memory_options options) {
    wi_gpu_memory memory = {.protocol = &memory_protocol,
                            .device = device,
                            .label = label,
                            .options = options,
                            .delta = NAN,
                            .current = NAN,
                            .peak = NAN};
    return memory;
}
