/* wi_lock, wi_read_lock, wi_write_lock: locks that a block holds. */
#include <within/lock.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void taken(wi_lock *lock) {
    lock->pid = lock->options.shared ? getpid() : 0;
    lock->holding = wi_hold("lock", "%s", lock->name);
}

/* A child has copies of its parent's locks, or shares them: then they are not its own to give back. */
static int is_parents(const wi_lock *lock) { return lock->pid && lock->pid != getpid(); }

/* ---- mutexes ---- */

static void mutex_enter(void *self) {
    wi_lock *lock = self;
    int error = pthread_mutex_lock(lock->lock);
    lock->owner_died = error == EOWNERDEAD;
    if (lock->owner_died && !lock->options.recover) pthread_mutex_unlock(lock->lock);
    if (error && !(lock->owner_died && lock->options.recover))
        wi_raise_errno(error, "lock %s", lock->name);
    taken(lock);
}

static wi_verdict mutex_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_lock *lock = self;
    wi_let_go(lock->holding);
    if (is_parents(lock)) return WI_PROPAGATE;
    if (lock->owner_died && reason == WI_END)
        wi_check_code(pthread_mutex_consistent(lock->lock), "recover %s", lock->name);
    wi_check_code(pthread_mutex_unlock(lock->lock), "unlock %s", lock->name);
    return WI_PROPAGATE;
}

/* ---- locks of readers and writers ---- */

static void read_enter(void *self) {
    wi_lock *lock = self;
    wi_check_code(pthread_rwlock_rdlock(lock->lock), "lock %s for reading", lock->name);
    taken(lock);
}

static void write_enter(void *self) {
    wi_lock *lock = self;
    wi_check_code(pthread_rwlock_wrlock(lock->lock), "lock %s for writing", lock->name);
    taken(lock);
}

static wi_verdict rwlock_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_lock *lock = self;
    wi_let_go(lock->holding);
    if (!is_parents(lock))
        wi_check_code(pthread_rwlock_unlock(lock->lock), "unlock %s", lock->name);
    return WI_PROPAGATE;
}

/* ---- making them ---- */

static void lock_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_lock *)self)->name);
}

static const wi_protocol mutex_protocol = {"lock", mutex_enter, mutex_exit, lock_describe};
static const wi_protocol read_protocol = {"read lock", read_enter, rwlock_exit, lock_describe};
static const wi_protocol write_protocol = {"write lock", write_enter, rwlock_exit, lock_describe};

static wi_lock make(const wi_protocol *protocol, void *of, const char *name, int recover,
                    int shared) {
    wi_lock lock = {protocol, of, name, {recover, shared}, 0, 0, {NULL, 0}};
    return lock;
}

wi_lock wi__lock(pthread_mutex_t *mutex, const char *name, wi_lock_options options) {
    return make(&mutex_protocol, mutex, name, options.recover, options.shared);
}

wi_lock wi__read_lock(void *lock, const char *name, wi_rwlock_options options) {
    return make(&read_protocol, lock, name, 0, options.shared);
}

wi_lock wi__write_lock(void *lock, const char *name, wi_rwlock_options options) {
    return make(&write_protocol, lock, name, 0, options.shared);
}
