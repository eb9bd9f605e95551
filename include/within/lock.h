/*
 * Locks: taken when a block begins, and given back on every way out of it.
 *
 *     within (wi_lock(&queue.mutex)) { push(&queue, job); }
 *
 *     within (wi_read_lock(&table_lock)) { … }        of a pthread_rwlock_t
 *     within (wi_write_lock(&table_lock)) { … }
 */
#ifndef WITHIN_LOCK_H
#define WITHIN_LOCK_H

#include <pthread.h>
#include <sys/types.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_lock_options {
    int recover; /* nonzero: the body repairs what the lock's dead owner left half done */
    int shared;  /* nonzero: the lock lies in memory that processes share */
} wi_lock_options;

typedef struct wi_lock {
    const wi_protocol *protocol;
    void *lock;
    const char *name; /* as the program wrote it: "&queue.mutex" */
    wi_lock_options options;
    int owner_died; /* nonzero: with .recover, there is something to repair */
    pid_t pid;
    wi_holding holding;
} wi_lock;

/**
 * A mutex, held for the block: wi_lock(&mutex) or wi_lock(&mutex, .recover = 1, .shared = 1).
 *
 * The owner of a robust mutex may die while it holds it. Then the next to come gets an error, the mutex is not
 * taken, and from then on nobody can take it. With .recover the block runs, `owner_died` of the manager is
 * nonzero, and the body's end says that all is well again; any other end leaves the mutex unusable.
 *
 * In a child forked inside the block, its exit unlocks the child's own copy of the mutex. One that the processes
 * share is the parent's: with .shared the child leaves it alone.
 *
 * @param mutex  pthread_mutex_t *, initialised; outlives the block.
 * @raise on enter WI_OS_ERROR: EOWNERDEAD, ENOTRECOVERABLE, EDEADLK of a mutex that checks for errors, …
 * @raise on exit WI_OS_ERROR: EPERM if the thread does not hold such a mutex any more, …
 *
 * Threads: a block a thread. Cost: that of lock and unlock, and the line in the ledger, some 100 ns.
 */
#define wi_lock(...) WI__LOCK(__VA_ARGS__, )
#define WI__LOCK(mutex, ...)                                                                       \
    wi__lock(mutex, #mutex, WI__FIELDS_MAY_BE_MISSING(wi_lock_options, {__VA_ARGS__}))

typedef struct wi_rwlock_options {
    int shared; /* nonzero: the lock lies in memory that processes share */
} wi_rwlock_options;

/**
 * A pthread_rwlock_t, held by this block and other readers, or by this block alone: wi_read_lock(&lock) or
 * wi_read_lock(&lock, .shared = 1).
 *
 * @param lock  pthread_rwlock_t *, initialised; outlives the block. With .shared as a mutex of wi_lock.
 * @raise WI_OS_ERROR: what pthread_rwlock_rdlock, _wrlock and _unlock return.
 *
 * Threads and cost: as wi_lock.
 */
#define wi_read_lock(...) WI__READ_LOCK(__VA_ARGS__, )
#define wi_write_lock(...) WI__WRITE_LOCK(__VA_ARGS__, )
#define WI__READ_LOCK(lock, ...)                                                                   \
    wi__read_lock(WI__RWLOCK(lock), #lock,                                                         \
                  WI__FIELDS_MAY_BE_MISSING(wi_rwlock_options, {__VA_ARGS__}))
#define WI__WRITE_LOCK(lock, ...)                                                                  \
    wi__write_lock(WI__RWLOCK(lock), #lock,                                                        \
                   WI__FIELDS_MAY_BE_MISSING(wi_rwlock_options, {__VA_ARGS__}))
/* Strict C11 without POSIX has no such type: the functions take any pointer, and the compiler checks it here. */
#define WI__RWLOCK(lock) (1 ? (lock) : (pthread_rwlock_t *)0)

/* ---- behind the macros ---- */

WI_API wi_lock wi__lock(pthread_mutex_t *mutex, const char *name, wi_lock_options options);
WI_API wi_lock wi__read_lock(void *lock, const char *name, wi_rwlock_options options);
WI_API wi_lock wi__write_lock(void *lock, const char *name, wi_rwlock_options options);

WI__END_DECLS

#endif
