/*
 * What a checkpoint holds: the files and folders below a name, with sizes and checksums, in the order of their paths.
 */
#ifndef WITHIN_MANAGE_CHECKPOINT_CONTENT_H
#define WITHIN_MANAGE_CHECKPOINT_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "manage/failure.h"

typedef struct wi__part {
    char *path; /* from the name on, "weights/layer1"; the name itself is "." */
    uint64_t size;
    uint32_t crc; /* CRC32C; 0 if it was not summed */
    int is_folder;
} wi__part;

typedef struct wi__content {
    wi__part *parts;
    size_t count, room;
} wi__content;

enum {
    WI__SUM = 1, /* read every file */
    WI__SYNC = 2 /* fsync every file and folder */
};

/**
 * Look at what has this name in a folder. Nothing that the system refuses is passed over, nor what is neither a file
 * nor a folder.
 *
 * @param[out] content  to be released by the caller, after a failure too.
 * @return 0, or -1 and the failure, which names the part.
 */
int wi__content_read(wi__content *content, int folder, const char *name, int how,
                     wi__failure *failure);

/** Add a part. @return 0, or -1 without memory. */
int wi__content_add(wi__content *content, const wi__part *part);

/**
 * Compare what was saved with what is there now.
 *
 * @param with_sums  sums count, too; found with WI__SUM.
 * @return 0 if they are the same, or -1 and the first difference.
 */
int wi__content_compare(const wi__content *saved, const wi__content *found, int with_sums,
                        wi__failure *failure);

void wi__content_release(wi__content *content);

#endif
