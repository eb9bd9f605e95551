/*
 * A run's journal: all that was logged and is not in the database yet, in files that survive the process.
 *
 *     points    fixed-size points in pages of shared memory, each with a checksum
 *     notes     texts, appended by one write each: names of series, parameters, tags, … and how the run ended
 *
 * They lie in the run's live folder, DATABASE.live/ID. The thread of the run that drains them, and after a kill whoever
 * looks next, bring both into the database: notes up to a byte, points up to a ticket, which stand in the run's row
 * and change in the same transaction. So nothing is lost, and nothing is there twice.
 */
#ifndef WITHIN_RUNS_JOURNAL_H
#define WITHIN_RUNS_JOURNAL_H

#include <stdint.h>

/* ---- points ---- */

typedef struct wi__points wi__points;

/* A run's series have the numbers from 0 on, less than this: another is the mark of a damaged file. */
enum { WI__SERIES_LIMIT = 1 << 24 };

typedef struct wi__point {
    uint32_t series; /* its number in the run */
    int64_t step;
    double value;
    int64_t ms; /* since 1970 */
} wi__point;

/** Make the file in a live folder; the first ticket is `ticket`. NULL: errno says why. */
wi__points *wi__points_create(int folder, uint64_t ticket);
/** The same with a system call a point, as on a file system over a network, where maps cannot be trusted. */
wi__points *wi__points_create_plain(int folder, uint64_t ticket);
/** At most so many segments, at least 2; if it is not said, 1024. */
void wi__points_limit(wi__points *points, int segments);
/** Append from any thread. @return 0, or an errno value: there is no room, nothing was appended. */
int wi__points_append(wi__points *points, const wi__point *point);
/** Can so many be appended without waiting? */
int wi__points_has_room(const wi__points *points, uint64_t many);
/** Wait until they can. @return 0, or an errno value. */
int wi__points_make_room(wi__points *points, uint64_t many);
/** Points before that ticket are drained: their room is used again, and room ahead is made ready. */
void wi__points_drained(wi__points *points, uint64_t ticket);
/** Wait until so many points have come since the last drained one, somebody wakes, or the time is over. */
void wi__points_wait(wi__points *points, uint64_t many, double timeout_s);
void wi__points_wake(wi__points *points);
void wi__points_close(wi__points *points);

/** Open the file of another process, dead or alive, to read. NULL: errno says why; a damaged one reads as far as it is whole. */
wi__points *wi__points_open(int folder);
/**
 * Read points in order, from `*ticket` on; it is moved behind them.
 *
 * @param skip_unfinished  0: stop at a point that is being written; else pass over it, for its writer is dead.
 * @return how many there are in `to`, at most `most`; 0: no more.
 */
uint64_t wi__points_read(wi__points *points, uint64_t *ticket, wi__point *to, uint64_t most,
                         int skip_unfinished);

/* ---- notes ---- */

/* What a note says. "run" is the run itself; every text is UTF-8 as it was given, any bytes but '\0'. */
typedef enum wi__note_kind {
    WI__NOTE_SERIES = 1, /* number, key: its name */
    WI__NOTE_PARAM,      /* key, value */
    WI__NOTE_TAG,
    WI__NOTE_ENVIRONMENT,
    WI__NOTE_ARTIFACT,   /* key: its name; number: bytes; value: its CRC32C in hexadecimal */
    WI__NOTE_SECTION,    /* key: path; value: the columns, separated by spaces */
    WI__NOTE_FINDING,    /* key: section; value: "leak: …", "growing: …" */
    WI__NOTE_END,        /* key: status; value: error and trail; number: exit status or signal */
    WI__NOTE_PEAK_MEMORY /* number: bytes */
} wi__note_kind;

typedef struct wi__note {
    wi__note_kind kind;
    int64_t number;
    int64_t ms; /* when */
    const char *key, *value;
} wi__note;

/** Open the file in a live folder to append, and make it if need be. @return a descriptor, or -1: errno. */
int wi__notes_open(int folder);
/** Append a note, from any thread: whole or not at all. @return 0 or an errno value. */
int wi__notes_append(int notes, const wi__note *note);
/**
 * Call `take` for each whole note from byte `*offset` on; it is moved behind the last. A torn or damaged one ends them.
 * @return 0, an errno value, or what `take` returned if that is not 0.
 */
int wi__notes_read(int notes, uint64_t *offset, int (*take)(void *arg, const wi__note *note),
                   void *arg);

#endif
