/* How far a sweep has come, written down and read back. */
#include "sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What is saved begins with the struct itself, and ends with the last count: it is read on the same machine. */
static size_t size_of(int done) {
    return offsetof(sweep_state, counts) + (size_t)done * sizeof(bit_count);
}

static bool is_same(const ber_setting *a, const ber_setting *b) {
    return a->snr_min_db == b->snr_min_db && a->snr_step_db == b->snr_step_db &&
           a->points == b->points && a->bits == b->bits && a->seed == b->seed;
}

/* A checkpoint of another version of this program has another size. */
static bool load(sweep_state *sweep, const char *path) {
    size_t size = 0;
    within (file, wi_file(path, "rb")) size = fread(sweep, 1, sizeof *sweep, file->stream);
    return size >= size_of(0) && sweep->done >= 0 && sweep->done <= MOST_POINTS &&
           size == size_of(sweep->done);
}

void sweep_begin(sweep_state *sweep, wi_rng *rng, const ber_setting *setting,
                 const wi_checkpoints *series) {
    wi_checkpoint newest;
    if (wi_checkpoint_latest(series, &newest) && load(sweep, newest.path) &&
        is_same(&sweep->setting, setting) && sweep->done < setting->points) {
        *rng = sweep->rng;
        fprintf(stderr, "ber: going on after %d of %d points, from %s\n", sweep->done,
                setting->points, newest.path);
        return;
    }
    sweep->setting = *setting;
    sweep->done = 0;
}

void sweep_save(const sweep_state *sweep, const wi_checkpoints *series) {
    within (save, wi_checkpoint_save(series, .step = sweep->done)) {
        within (file, wi_file(save->path, "wb")) {
            fwrite(sweep, 1, size_of(sweep->done), file->stream);
        }
    }
}
