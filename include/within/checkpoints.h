/*
 * Checkpoints: a series of states of a long run in a folder, of which the newest that is whole can be found after
 * any end of the run.
 *
 *     within (series, wi_checkpoints("ckpt", .keep = 3)) {
 *         wi_checkpoint newest;
 *         int64_t first = 0;
 *         if (wi_checkpoint_latest(series, &newest)) {
 *             load(newest.path);
 *             first = newest.step + 1;
 *         }
 *         for (int64_t i = first; i < steps; i++) {
 *             double loss = train();
 *             within (save, wi_checkpoint_save(series, .step = i, .metrics = {{"loss", loss}}))
 *                 write_state(save->path);
 *         }
 *     }
 *
 * A checkpoint is a file or a folder, whatever the block makes at save->path. It counts once its manifest, with
 * sizes and CRC32C of everything in it, is in the series' folder too: docs/formats/checkpoint.md.
 */
#ifndef WITHIN_CHECKPOINTS_H
#define WITHIN_CHECKPOINTS_H

#include <stdint.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

enum {
    WI_METRICS = 32,          /* at most for a checkpoint */
    WI_METRIC_NAME = 64,      /* bytes with the '\0' */
    WI_CHECKPOINT_PATH = 4096 /* bytes with the '\0' */
};

/** A figure that tells how good a checkpoint is. */
typedef struct wi_metric {
    char name[WI_METRIC_NAME];
    double value; /* NaN and infinities are kept; NaN is never the best */
} wi_metric;

/** A published checkpoint. */
typedef struct wi_checkpoint {
    char path
        [WI_CHECKPOINT_PATH]; /* of the file or folder; begins with the series' folder as it was given */
    uint64_t sequence;        /* from 1, in the order of publication */
    int64_t step;
    int64_t time_ns;               /* CLOCK_REALTIME of the publication */
    wi_metric metrics[WI_METRICS]; /* as they were given; the first without a name ends them */
} wi_checkpoint;

enum { WI_KEEP_ALL = -1 };

/** In C++ in this order. */
typedef struct wi_checkpoints_options {
    int keep; /* how many of the newest stay, beside the best; 0 for 3, WI_KEEP_ALL for all */
    const char *suffix;      /* ends names of what is saved: ".pt"; NULL for none */
    const char *best_metric; /* the checkpoint that is best by this stays; NULL for none */
    int best_is_max;         /* nonzero: the best has the highest value, not the lowest */
    /* Called for each checkpoint that was looked at and is not whole; NULL for a line on stderr. */
    void (*passed_over)(void *arg, const char *name, const char *why);
    void *arg;
} wi_checkpoints_options;

typedef struct wi_checkpoints {
    const wi_protocol *protocol;
    const char *folder;
    wi_checkpoints_options options;
    wi_holding holding;
} wi_checkpoints;

/**
 * A series of checkpoints in a folder: wi_checkpoints("ckpt") or wi_checkpoints("ckpt", .keep = 5).
 *
 * Its block makes the folder, with those above it, and removes what dead processes left in it. All functions below
 * also work with a series that is not entered.
 *
 * @param folder  borrowed as long as the series is used, as are the options' texts.
 * @raise WI_VALUE_ERROR for a suffix that no name can end in; WI_PERMISSION_ERROR, WI_NOT_A_DIRECTORY, … when the
 *        folder can't be made or written.
 *
 * Threads and processes: any number may save into one folder.
 */
#define wi_checkpoints(...) WI__CHECKPOINTS(__VA_ARGS__, )
#define WI__CHECKPOINTS(folder, ...)                                                               \
    wi__checkpoints(folder, WI__FIELDS_MAY_BE_MISSING(wi_checkpoints_options, {__VA_ARGS__}))

/** In C++ in this order. */
typedef struct wi_checkpoint_save_options {
    int64_t step;
    const char *suffix;            /* in place of the series' */
    wi_metric metrics[WI_METRICS]; /* {{"loss", 0.1}, {"accuracy", 0.9}} */
} wi_checkpoint_save_options;

typedef struct wi_checkpoint_save {
    const wi_protocol *protocol;
    const char *path;  /* in the block: where to make the file or folder; nothing is there yet */
    uint64_t sequence; /* 0 until it is published */
    const wi_checkpoints *series;
    wi_checkpoint_save_options options;
    struct wi__saving *saving;
} wi_checkpoint_save;

/**
 * Save a checkpoint: what the block makes at save->path is published when its body ends.
 *
 * By then everything in it is on the disk, and summed; what is beyond the series' `keep` is removed. After an error,
 * or when the block is left early, nothing is published, and what it wrote is removed; leaving early is said on
 * stderr, unless wi_checkpoint_publish was called.
 *
 * @param series  a wi_checkpoints *, borrowed for the block.
 * @raise WI_VALUE_ERROR on enter for metrics without or with the same name, and for a suffix that can't be.
 *        At the end: WI_USAGE_ERROR if nothing was made at save->path, or something beside it; WI_VALUE_ERROR for
 *        links and special files in it; WI_DATA_ERROR if it changed meanwhile; WI_DISK_FULL, WI_OS_ERROR, ….
 *        The series is as it was before.
 *
 * A forked child's copy of an open save publishes and removes nothing.
 * Cost: reading what was saved once, an fsync for each file and folder of it, two more, and two renames.
 */
#define wi_checkpoint_save(...) WI__CHECKPOINT_SAVE(__VA_ARGS__, )
#define WI__CHECKPOINT_SAVE(series, ...)                                                           \
    wi__checkpoint_save(series,                                                                    \
                        WI__FIELDS_MAY_BE_MISSING(wi_checkpoint_save_options, {__VA_ARGS__}))

/** Publish now, before a return out of the block, say. Raises as the block's end does; once is enough. */
WI_API void wi_checkpoint_publish(wi_checkpoint_save *save);

/**
 * Find the newest checkpoint that is whole: every file has the size and CRC32C that it was saved with, and none is
 * missing or new. Those that are not are passed over, and told to the option `passed_over`.
 *
 * @param[out] newest  unchanged if there is none.
 * @return 1, or 0 if there is none; a folder that is not there is an empty series.
 * @raise WI_OS_ERROR and its kind when the folder can't be read.
 *
 * Cost: one read of it. The sums are of what the system gives when asked, which can be its cache, not the medium.
 */
WI_API int wi_checkpoint_latest(const wi_checkpoints *series, wi_checkpoint *newest);

/**
 * Find the checkpoint that is whole and has the lowest value of a metric, or the highest if the series says
 * `.best_is_max`; of equals the newest. One without the metric, or with NaN, is never the best.
 *
 * Otherwise as wi_checkpoint_latest.
 */
WI_API int wi_checkpoint_best(const wi_checkpoints *series, const char *metric,
                              wi_checkpoint *best);

/**
 * Go to the next checkpoint in the order of publication: the first after checkpoint->sequence.
 *
 *     for (wi_checkpoint each = {.sequence = 0}; wi_checkpoint_next(series, &each);) puts(each.path);
 *
 * Its manifest is whole; the rest is not looked at. Cost: a read of the folder and of one manifest.
 *
 * @return 1, or 0 and the checkpoint unchanged if there is none.
 * @raise as wi_checkpoint_latest.
 */
WI_API int wi_checkpoint_next(const wi_checkpoints *series, wi_checkpoint *checkpoint);

/** The value of a metric; NaN if the checkpoint has none of that name. */
WI_API double wi_checkpoint_metric(const wi_checkpoint *checkpoint, const char *name);

/* ---- behind the macros ---- */

WI_API wi_checkpoints wi__checkpoints(const char *folder, wi_checkpoints_options options);
WI_API wi_checkpoint_save wi__checkpoint_save(const wi_checkpoints *series,
                                              wi_checkpoint_save_options options);

WI__END_DECLS

#endif
