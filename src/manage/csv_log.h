/*
 * A CSV log that is open: its columns, its file, and who opened it.
 *
 * Invariant: while the log is open its process holds a shared lock on the whole file. So one that gets the lock
 * alone knows that no row is being written, and may cut the file; without it a row of another process that is being
 * written would look torn. The lock belongs to the open file, so that a forked child, which writes into it too, has
 * it as well.
 */
#ifndef WITHIN_MANAGE_CSV_LOG_H
#define WITHIN_MANAGE_CSV_LOG_H

#include <stdint.h>
#include <sys/types.h>

#include <within/csv.h>
#include <within/record.h>

#include "manage/csv_columns.h"

typedef struct wi__csv_log {
    wi__csv_columns columns;
    int fd;    /* -1: none */
    pid_t pid; /* who opened it */
    wi_holding holding;
    int is_crlf;       /* rows end as those that are there already */
    int is_torn;       /* a piece of a row is at the file's end and could not be taken back */
    int64_t synced_ns; /* when it was synced last, by wi__csv_now_ns */
} wi__csv_log;

/* ---- csv_file.c ---- */

/** Open a file to read and to append, or make it. @raise WI_VALUE_ERROR if it is no regular file; WI_OS_ERROR */
int wi__csv_open(const char *path);
/** Lock the whole file, if no other process has it; at once. Where files cannot be locked it looks free. */
int wi__csv_lock_alone(int fd);
/** Lock it together with others: as soon as nobody has it alone, or in place of having it alone. */
void wi__csv_lock_shared(int fd);
void wi__csv_unlock(int fd);
/** Cut a file to a size. 0, or an errno value. */
int wi__csv_truncate(int fd, off_t size);
/** Read up to n bytes; fewer only at the file's end. -1 with errno for an error. */
ssize_t wi__csv_read(int fd, void *bytes, size_t n, off_t at);
/**
 * Append a row as a whole. If it cannot be written whole, what was written of it is taken back.
 *
 * @return 0, or an errno value; then log->is_torn says if a piece is still there.
 */
int wi__csv_append(wi__csv_log *log, const char *row, size_t n);

/** Nanoseconds of a clock that only goes forward. */
int64_t wi__csv_now_ns(void);

/* ---- csv_resume.c ---- */

/**
 * Make an open, unlocked file ready for rows: it gets its first line if it has none, and loses a torn end. Afterwards
 * it is locked together with others.
 *
 * @raise WI_DATA_ERROR if it begins with other columns; WI_BUSY_ERROR if it must be changed, and others have it;
 *        WI_OS_ERROR.
 */
void wi__csv_resume(wi_csv *f);

#endif
