/* wi_lock, wi_read_lock and wi_write_lock: held in the block, and given back on every way out. */
#include "file_helpers.h"
#include "record_helpers.h"

#include <sys/mman.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

/* What another thread finds. */
static void *try_mutex(void *m) {
    int error = pthread_mutex_trylock(m);
    if (error == 0) pthread_mutex_unlock(m);
    return (void *)(intptr_t)error;
}
static int is_held(pthread_mutex_t *m) {
    int error = (int)(intptr_t)in_thread(try_mutex, m);
    expect(error == 0 || error == EBUSY);
    return error != 0;
}

static void *try_to_read(void *unused) {
    int error = pthread_rwlock_tryrdlock(&rwlock);
    if (error == 0) pthread_rwlock_unlock(&rwlock);
    return (void *)(intptr_t)(error != 0 || unused);
}
static void *try_to_write(void *unused) {
    int error = pthread_rwlock_trywrlock(&rwlock);
    if (error == 0) pthread_rwlock_unlock(&rwlock);
    return (void *)(intptr_t)(error != 0 || unused);
}
#define nobody_can(try) (in_thread(try, NULL) != NULL)

static void make_mutex(pthread_mutex_t *made, int type, int robust, int shared) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    if (robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    expect(pthread_mutex_init(made, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
}

/* ---- held and given back ---- */

alone(a_mutex_is_held_in_its_block) {
    within (lock, wi_lock(&mutex)) {
        expect(is_held(&mutex));
        expect(!lock->owner_died);
    }
    expect(!is_held(&mutex));
}

alone(readers_share_and_writers_do_not) {
    within (wi_read_lock(&rwlock)) {
        expect(!nobody_can(try_to_read));
        expect(nobody_can(try_to_write));
    }
    expect(!nobody_can(try_to_write));
    within (wi_write_lock(&rwlock)) {
        expect(nobody_can(try_to_read));
        expect(nobody_can(try_to_write));
    }
    expect(!nobody_can(try_to_write));
}

static void return_with_lock(void) {
    within (wi_lock(&mutex)) return;
}
static void raise_with_lock(void *unused) {
    (void)unused;
    within (wi_lock(&mutex)) wi_raise(WI_VALUE_ERROR, "enough");
}
static void *wait_with_lock(void *begun) {
    within (wi_lock(&mutex)) {
        __atomic_store_n((int *)begun, 1, __ATOMIC_RELEASE);
        for (;;) pause();
    }
    return NULL;
}

alone(a_lock_is_given_back_on_every_way_out) {
    return_with_lock();
    expect(!is_held(&mutex));
    expect_raised(raise_with_lock, NULL, WI_VALUE_ERROR, "enough");
    expect(!is_held(&mutex));
    if (UNDER_TSAN) return; /* it misses the unlock of a cancelled thread */
    int begun = 0;
    pthread_t thread = start(wait_with_lock, &begun);
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE)) usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    expect(!is_held(&mutex));
}

static long counted;
static void *count(void *unused) {
    for (int i = 0; i < 2000; i++)
        within (wi_lock(&mutex)) counted++;
    return unused;
}

alone(threads_take_turns) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(count, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    expect_count(counted, 8000);
}

/* ---- trouble ---- */

static void lock_it(void *m) {
    within (wi_lock((pthread_mutex_t *)m)) continue;
}
static void lock_it_twice(void *m) {
    within (wi_lock((pthread_mutex_t *)m)) lock_it(m);
}
static void unlock_it_before(void *m) {
    within (wi_lock((pthread_mutex_t *)m)) pthread_mutex_unlock(m);
}
static void write_while_reading(void *unused) {
    (void)unused;
    within (wi_write_lock(&rwlock))
        within (wi_read_lock(&rwlock)) continue;
}

#define NAME "(pthread_mutex_t *)m"

alone(what_a_mutex_refuses_is_an_error) {
    if (UNDER_TSAN) return; /* it refuses them, too */
    pthread_mutex_t careful;
    make_mutex(&careful, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
    expect_raised(lock_it_twice, &careful, WI_OS_ERROR, "lock " NAME ": Resource deadlock avoided");
    expect(!is_held(&careful));
    expect_raised(unlock_it_before, &careful, WI_PERMISSION_ERROR,
                  "unlock " NAME ": Operation not permitted");
    expect_raised(write_while_reading, NULL, WI_OS_ERROR,
                  "lock &rwlock for reading: Resource deadlock avoided");
    expect(!nobody_can(try_to_write));
}

/* ---- owners that died ---- */

static void *die_with_lock(void *m) {
    pthread_mutex_lock(m);
    return NULL;
}

alone(a_dead_owners_mutex_is_refused_for_good) {
    pthread_mutex_t robust;
    make_mutex(&robust, PTHREAD_MUTEX_NORMAL, 1, 0);
    in_thread(die_with_lock, &robust);
    expect_raised(lock_it, &robust, WI_OS_ERROR, "lock " NAME ": Owner died");
    expect_raised(lock_it, &robust, WI_OS_ERROR, "lock " NAME ": State not recoverable");
}

alone(a_block_may_recover_a_dead_owners_mutex) {
    pthread_mutex_t robust;
    make_mutex(&robust, PTHREAD_MUTEX_NORMAL, 1, 0);
    in_thread(die_with_lock, &robust);
    within (lock, wi_lock(&robust, .recover = 1)) expect(lock->owner_died);
    within (lock, wi_lock(&robust, .recover = 1)) expect(!lock->owner_died);
    lock_it(&robust);
}

static void fail_to_recover(void *m) {
    within (wi_lock((pthread_mutex_t *)m, .recover = 1)) wi_raise(WI_VALUE_ERROR, "too bad");
}

alone(a_recovery_that_fails_leaves_the_mutex_unusable) {
    pthread_mutex_t robust;
    make_mutex(&robust, PTHREAD_MUTEX_NORMAL, 1, 0);
    in_thread(die_with_lock, &robust);
    expect_raised(fail_to_recover, &robust, WI_VALUE_ERROR, "too bad");
    expect_raised(lock_it, &robust, WI_OS_ERROR, "lock " NAME ": State not recoverable");
}

/* ---- forks and the ledger ---- */

static pthread_mutex_t *shared_mutex(void) {
    pthread_mutex_t *made =
        mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_mutex(made, PTHREAD_MUTEX_NORMAL, 0, 1);
    return made;
}

alone(a_child_does_not_give_back_its_parents_shared_lock) {
    pthread_mutex_t *shared = shared_mutex();
    within (wi_lock(shared, .shared = 1)) {
        pid_t child = fork();
        if (child == 0) exit(0);
        expect_count(exit_of(child), 0);
        expect(is_held(shared));
    }
    expect(!is_held(shared));
}

alone(a_child_gives_back_its_own_copy_of_a_lock) {
    pid_t child = -1, parent = getpid();
    within (wi_lock(&mutex)) child = fork();
    if (getpid() != parent) _exit(pthread_mutex_trylock(&mutex));
    expect_count(exit_of(child), 0);
}

alone(locks_are_in_the_ledger_and_in_trails) {
    within (wi_lock(&mutex)) {
        within (wi_read_lock(&rwlock, .shared = 1)) {
            wi__profile profile = own_profile();
            expect_text(open_in(&profile), "lock &rwlock, lock &mutex");
            wi__profile_release(&profile);
        }
        within (wi_write_lock(&rwlock, .shared = 1)) continue;
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(raise_with_lock, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "lock");
    expect_text(wi_error_trail(error, 0)->what, "&mutex");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_mutex_is_held_in_its_block),
        test(readers_share_and_writers_do_not),
        test(a_lock_is_given_back_on_every_way_out),
        test(threads_take_turns),
        test(what_a_mutex_refuses_is_an_error),
        test(a_dead_owners_mutex_is_refused_for_good),
        test(a_block_may_recover_a_dead_owners_mutex),
        test(a_recovery_that_fails_leaves_the_mutex_unusable),
        test(a_child_does_not_give_back_its_parents_shared_lock),
        test(a_child_gives_back_its_own_copy_of_a_lock),
        test(locks_are_in_the_ledger_and_in_trails),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
