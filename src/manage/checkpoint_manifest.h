/*
 * The manifest of a checkpoint: a text that says what was saved, and ends in a checksum of itself. Its format is
 * docs/formats/checkpoint.md.
 */
#ifndef WITHIN_MANAGE_CHECKPOINT_MANIFEST_H
#define WITHIN_MANAGE_CHECKPOINT_MANIFEST_H

#include <limits.h>

#include <within/checkpoints.h>

#include "manage/checkpoint_content.h"

enum { WI__MANIFEST_VERSION = 1 };

typedef struct wi__manifest {
    uint64_t version; /* of one that was read; 0 if it can't be told */
    uint64_t sequence;
    int64_t step, time_ns;
    char data[NAME_MAX + 1]; /* the name of what was saved, beside the manifest */
    wi_metric metrics[WI_METRICS];
    wi__content content; /* owned */
} wi__manifest;

/**
 * Write a new file with it, and fsync that.
 *
 * @return 0, or -1 and the failure; nothing is left of it then.
 */
int wi__manifest_write(const wi__manifest *manifest, int folder, const char *name,
                       wi__failure *failure);

/**
 * Read one and check it. Whatever the file holds, the names in a manifest that was read lie below the folder.
 *
 * @param[out] manifest  to be released by the caller, after a failure too.
 * @return 0, or -1 and the failure: WI_DATA_ERROR for what is no manifest of this version or damaged.
 */
int wi__manifest_read(wi__manifest *manifest, int folder, const char *name, wi__failure *failure);

/** The value of a metric; NaN if there is none of that name. */
double wi__metric_of(const wi_metric metrics[WI_METRICS], const char *name);

void wi__manifest_release(wi__manifest *manifest);

#endif
