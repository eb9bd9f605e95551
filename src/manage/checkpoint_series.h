/*
 * The folder of a series of checkpoints: what is in it, under which names, and who may change it.
 *
 *     checkpoint-000042.pt              what was saved
 *     checkpoint-000042.manifest        what makes it count
 *     .checkpoint.within-…              a folder in which a process makes one
 *     .checkpoint-000042.manifest.within-…   a manifest that is about to count, or counts no longer: what it
 *                                       names is incomplete, or being removed
 *     .checkpoints.lock                 held by the process that publishes or removes, by fcntl
 */
#ifndef WITHIN_MANAGE_CHECKPOINT_SERIES_H
#define WITHIN_MANAGE_CHECKPOINT_SERIES_H

#include <limits.h>

#include "manage/checkpoint_manifest.h"
#include "manage/remove_tree.h"

#define WI__SCRATCH_STEM "checkpoint"

typedef struct wi__stray {
    char name[NAME_MAX + 1];
} wi__stray;

/** What the names in a folder say. */
typedef struct wi__listing {
    uint64_t *published; /* the sequences that have a manifest, ascending */
    size_t count, room;
    uint64_t last;        /* the highest sequence of any name, 0 if there is none */
    wi__stray *leftovers; /* of dead processes, and of removals here that failed half-way */
    size_t leftover_count, leftover_room;
} wi__listing;

/** "checkpoint-000042.manifest". */
void wi__manifest_name(uint64_t sequence, char name[NAME_MAX + 1]);
/** "checkpoint-000042.pt". @return 0, or -1 if it is too long. */
int wi__data_name(uint64_t sequence, const char *suffix, char name[NAME_MAX + 1]);
/** Can names of what is saved end so? NULL can. */
int wi__is_suffix(const char *suffix);

/** Open a series' folder. @return a descriptor to read it and fsync it, or -1 and errno. */
int wi__series_open(const char *path);

/** @param[out] listing  to be released by the caller, after a failure too. @return 0, or -1 and the failure. */
int wi__series_list(wi__listing *listing, int folder, wi__failure *failure);
void wi__listing_release(wi__listing *listing);

/**
 * Let no other process or thread publish or remove until wi__series_unlock. It waits. The thread cannot be cancelled
 * meanwhile.
 *
 * A lock of fcntl, which ends with its process even if a child of it lives on. It is the process's: a mutex keeps
 * its threads apart, and no other part of the program may open the file.
 *
 * @return a descriptor for wi__series_unlock, or -1 and the failure.
 */
int wi__series_lock(int folder, wi__failure *failure);
void wi__series_unlock(int lock);

/**
 * Read a manifest and compare what it says with what is there: sizes and, if asked, sums.
 *
 * @param[out] manifest  to be released by the caller, after a failure too.
 * @return 0, or -1 and the failure.
 */
int wi__series_check(wi__manifest *manifest, int folder, uint64_t sequence, int with_sums,
                     wi__failure *failure);
/** Read the manifest only. */
int wi__series_read(wi__manifest *manifest, int folder, uint64_t sequence, wi__failure *failure);

/** The sequence of a manifest's name that does not count: ".checkpoint-000042.manifest.within-…". 0: it is none. */
uint64_t wi__stray_sequence(const char *name);
/** Is this what a checkpoint with this sequence is called, and its manifest says? */
int wi__series_is_manifest_of(const wi__manifest *manifest, uint64_t sequence);

/* ---- with the lock; what cannot be removed is said on stderr, for which `path` names the folder ---- */

/** Remove what dead processes left. */
void wi__series_tidy(int folder, const char *path, const wi__listing *listing);
/** Remove checkpoints beyond what the options keep. */
void wi__series_rotate(int folder, const char *path, const wi_checkpoints_options *options);

/* ---- without ---- */

/** Remove what dead processes left in a series. @return 0, or -1 and the failure: the folder can't be used. */
int wi__series_clean(const char *path, wi__failure *failure);

/**
 * Remove a dead process's manifest that does not count, and before it the data that it names. Others in the folder
 * are kept from publishing meanwhile. The parameters are wi__remove_tree's.
 */
int wi__stray_remove(int folder, const char *name, int how, wi__removal *removal);

#endif
