/*
 * What processes leave when they die: unfinished files and folders with an owned name, and scratch directories.
 *
 * A scratch directory "x.within-…" has an owner file ".x.within-…" beside it, made before it and removed after it.
 * Without that file it is nobody's leftover: one that was kept, or that its user copied or moved.
 */
#ifndef WITHIN_MANAGE_LEFTOVER_H
#define WITHIN_MANAGE_LEFTOVER_H

#include <sys/types.h>

#include "manage/owner.h"
#include "manage/remove_tree.h"

/* How owner files begin. */
#define WI__SCRATCH_MARK "within scratch directory\n"

typedef enum wi__leftover_kind {
    WI__NO_LEFTOVER, /* no owned name, or gone */
    WI__LEFT_FILE,   /* or link */
    WI__LEFT_FOLDER,
    WI__LEFT_SCRATCH /* an owner file, or an empty file, which may have been about to become one */
} wi__leftover_kind;

typedef struct wi__leftover {
    wi__leftover_kind kind;
    int has_directory; /* the owner file's scratch directory is there: its name is the file's without the dot */
    uid_t user; /* whose it is */
    wi__owner owner;
    wi__owner_state state; /* dead: by its name, and nobody holds a lock on it */
} wi__leftover;

/** What an entry of a folder is; links are not followed. */
wi__leftover wi__leftover_at(int folder, const char *name);

/** Remove it: of a scratch directory, or of a checkpoint with its manifest, that first, then the file that tells. The parameters are wi__remove_tree's. */
int wi__leftover_remove(int folder, const char *name, const wi__leftover *leftover, int how,
                        wi__removal *removal);

/**
 * Remove the scratch directories of this user's dead processes from a folder, once per process and folder; what
 * cannot be removed stays, and nothing is said.
 *
 * Cost: a scan of the folder, at most of its first 20,000 names; then that of what is removed.
 */
void wi__leftovers_sweep(int folder);

#endif
