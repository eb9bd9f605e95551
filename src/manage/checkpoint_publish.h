/*
 * Publishing a checkpoint: from the folder in which a block made it to a name and a manifest in its series.
 */
#ifndef WITHIN_MANAGE_CHECKPOINT_PUBLISH_H
#define WITHIN_MANAGE_CHECKPOINT_PUBLISH_H

#include <sys/types.h>

#include "manage/checkpoint_series.h"

/** A save that is under way. */
typedef struct wi__saving {
    pid_t pid; /* whose it is: a forked child has a copy */
    int folder;
    const char *folder_path;
    const char *suffix;
    char scratch[NAME_MAX + 1]; /* the folder in which the block works, in the series' folder */
    char data[NAME_MAX + 1];    /* what it is to make there */
    char path[PATH_MAX];        /* of that */
    wi_holding holding;
} wi__saving;

/**
 * Publish what the block made, then remove what the options do not keep.
 *
 * @param[in,out] manifest  step and metrics; the rest is filled in. Released by the caller, in any case.
 * @return 0, or -1 and the failure; the series is as it was then.
 */
int wi__checkpoint_publish(const wi__saving *saving, wi__manifest *manifest,
                           const wi_checkpoints_options *options, wi__failure *failure);

#endif
