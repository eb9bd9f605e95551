/*
 * The live folder of a run that is not over, DATABASE.live/ID: its journal, its record, and the lock that tells that
 * its process lives.
 *
 *     lock     held by fcntl as long as the run is open: such a lock dies with its process, forked children or not.
 *              Its text is the owner, PID-START-BOOT-HOST; "over" once the run has ended and is to be brought in
 *     points, notes    journal.h
 *     record   the process's record, or a text file with its path
 *
 * The lock is lost when the process closes any descriptor of that file. So no file of a folder of this process's own
 * is ever opened a second time: who is whose is kept in a list.
 */
#ifndef WITHIN_RUNS_LIVE_H
#define WITHIN_RUNS_LIVE_H

#include <limits.h>

#include <within/run.h>

#include "manage/owner.h"

enum { WI__OWNER_TEXT = 64 };

/* A folder that this process holds the lock of. */
typedef struct wi__live {
    char path[PATH_MAX]; /* of the folder */
    char id[WI_RUN_ID_LENGTH + 1];
    int folder; /* descriptors */
    int lock;
    struct wi__live *next; /* of those this process holds */
} wi__live;

typedef enum wi__live_state {
    WI__LIVE_HELD, /* it lives; or it cannot be told from here, or somebody is at it */
    WI__LIVE_DEAD, /* it is taken now: wi__live_remove or wi__live_release ends that */
    WI__LIVE_GONE  /* there is no such folder */
} wi__live_state;

/** DATABASE.live. @return 0, or ENAMETOOLONG. */
int wi__live_root(const char *database, char path[PATH_MAX]);

/**
 * Make the folder of a run and take its lock, on behalf of this process.
 * @return 0, or an errno value, with nothing made: EEXIST if a run of this id is not over.
 */
int wi__live_make(wi__live *live, const char *database, const char *id);
/** Does its process live? If it is dead, take the folder. */
wi__live_state wi__live_take(wi__live *live, const char *database, const char *id);
/** The same of a run elsewhere, on the word of the user that its host or container is gone: if nobody holds its lock. */
wi__live_state wi__live_take_from_elsewhere(wi__live *live, const char *database, const char *id);
/** The folder goes, with all that is in it, and its lock. */
void wi__live_remove(wi__live *live);
/** The lock goes, the folder stays: for whoever looks next. @param is_over  the run has ended all the same. */
void wi__live_release(wi__live *live, int is_over);
/** In a forked child: close what is the parent's. */
void wi__live_forget(wi__live *live);

/** "PID-START-BOOT-HOST" of this process. */
void wi__owner_text(char text[WI__OWNER_TEXT]);
/** What became of the owner with this text. One that makes no sense is dead. */
wi__owner_state wi__owner_state_of_text(const char *text);

#endif
