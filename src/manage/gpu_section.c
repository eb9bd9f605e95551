/* wi_gpu_section: a section whose work on the GPU is measured too. */
#include <within/gpu_section.h>

#include "manage/gpu_source.h"
#include "manage/gpu_timing.h"
#include "manage/gpu_trackers.h"
#include "record/complain.h"
#include "record/scope.h"

/* ---- measuring, without a section: the Python door has its own ---- */

/* Without a context the GPU is not in use here. */
void wi__gpu_measure_begin(wi__gpu_measure *it, void *stream) {
    const wi__cuda *cuda = wi__cuda_loaded();
    wi__gpu_measure none = {-1, 0, wi__gpu_process(), stream, NULL};
    *it = none;
    if (!cuda || cuda->cuCtxGetDevice(&it->device) != WI__CUDA_SUCCESS) return;
    it->is_captured = wi__gpu_is_captured(cuda, stream);
    if (!it->is_captured) it->pair = wi__gpu_timing_begin(cuda, stream);
}

/* Once: a program that runs without a GPU has thousands of them. CUDA may have come into use inside the block. */
static void say_that_nothing_tracks(void) {
    static int said;
    int device;
    char why_not[160];
    const wi__cuda *cuda = wi__cuda_loaded();
    if (cuda && cuda->cuCtxGetDevice(&device) == WI__CUDA_SUCCESS) return;
    if (__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED)) return;
    int is_elsewhere = wi__gpu_driver_source(0, wi__gpu_process(), why_not, sizeof why_not) != NULL;
    wi__complain("GPU sections are not tracked on the GPU: %s",
                 is_elsewhere ? "this thread has no CUDA context" : why_not);
}

/* A capture that began inside the block would take the end's event for its own. */
void wi__gpu_measure_end(wi__gpu_measure *it, void *branch) {
    if (it->device < 0 && branch) say_that_nothing_tracks();
    if (it->device < 0 || it->process != wi__gpu_process()) return;
    const wi__cuda *cuda = wi__cuda_loaded();
    wi__gpu_counts *counts = branch ? wi__gpu_counts_of(branch) : NULL;
    int is_captured = it->is_captured || wi__gpu_is_captured(cuda, it->stream);
    if (it->pair) wi__gpu_timing_end(cuda, it->pair, it->stream, is_captured ? NULL : counts);
    if (counts) wi__gpu_add_call(counts, is_captured);
    it->device = -1; /* nothing is left to measure */
    wi__gpu_timing_collect();
}

/* ---- the section: its own time is without that of measuring the GPU's ---- */

static void section_enter(void *self) {
    wi_gpu_section *it = self;
    wi__gpu_measure_begin(&it->measure, it->options.stream);
    it->memory = wi__gpu_memory(it->measure.device, NULL, (wi_gpu_memory_options){.quiet = 1});
    it->tracks = it->measure.device >= 0 && !it->measure.is_captured;
    if (it->tracks) it->memory.protocol->enter(&it->memory);
    it->section.protocol->enter(&it->section);
    if (it->tracks) wi__gpu_memory_count_here(&it->memory);
}

static wi_verdict section_exit(void *self, wi_reason reason, const wi_error *error) {
    wi_gpu_section *it = self;
    wi_verdict verdict = it->section.protocol->exit(&it->section, reason, error);
    wi__gpu_measure_end(&it->measure, wi__scope_branch(&it->section.opened));
    if (it->tracks) it->memory.protocol->exit(&it->memory, reason, error);
    return verdict;
}

static void section_describe(const void *self, char *buffer, size_t size) {
    const wi_section *section = &((const wi_gpu_section *)self)->section;
    section->protocol->describe(section, buffer, size);
}

static const wi_protocol section_protocol = {"GPU section", section_enter, section_exit,
                                             section_describe};

wi_gpu_section wi__gpu_section(wi_section section, wi_gpu_section_options options) {
    wi_gpu_section it = {.protocol = &section_protocol, .section = section, .options = options};
    return it;
}
