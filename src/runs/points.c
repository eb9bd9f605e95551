/* Appending points: a ticket each, and room in pages of shared memory that are made ready ahead. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "record/complain.h"
#include "runs/network.h"
#include "runs/points_file.h"

/*
 * No ticket is taken where fewer than these have room, so that a call that fails has none: as many threads may be
 * between their look at the limit and their ticket.
 */
enum { MARGIN = 4096 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static off_t place_offset(int place) { return WI__POINTS_HEAD + (off_t)place * WI__SEGMENT_BYTES; }

static int index_of(uint64_t number) { return (int)(number % WI__MOST_SEGMENTS); }

/* ---- places in the file ---- */

static int write_at(int file, const void *bytes, size_t size, off_t offset) {
    const char *from = bytes;
    while (size) {
        ssize_t written = pwrite(file, from, size, offset);
        if (written < 0 && errno != EINTR) return errno;
        if (written <= 0) continue;
        from += written;
        offset += written;
        size -= (size_t)written;
    }
    return 0;
}

/* A hole in a mapped file would end the process when the disk is full. */
static int allocate(int file, off_t offset, off_t size) {
    int error;
    do error = posix_fallocate(file, offset, size);
    while (error == EINTR);
    return error;
}

static void *map(const wi__points *points, off_t offset, size_t size) {
    if (points->is_plain) return calloc(1, size);
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, points->file, offset);
    if (at == MAP_FAILED) return NULL;
    madvise(at, size, MADV_POPULATE_WRITE); /* an old kernel does so at the first touch */
    return at;
}

static void unmap(const wi__points *points, void *at, size_t size) {
    if (points->is_plain)
        free(at);
    else if (at)
        munmap(at, size);
}

static int add_place(wi__points *points) {
    int place = points->places;
    int error = allocate(points->file, place_offset(place), WI__SEGMENT_BYTES);
    if (error) return error;
    points->place[place] = map(points, place_offset(place), WI__SEGMENT_BYTES);
    if (!points->place[place]) return errno;
    points->places++;
    points->free[(points->first_free + points->free_count++) % WI__MOST_SEGMENTS] = place;
    return 0;
}

/* ---- room ---- */

/* The next segment gets the place that was free for longest; there must be one. */
static int add_segment(wi__points *points) {
    int place = points->free[points->first_free];
    uint64_t number = points->limit / WI__SEGMENT_POINTS;
    points->head->holds[place] = number + 1;
    if (points->is_plain) {
        off_t offset = (char *)&points->head->holds[place] - (char *)points->head;
        int error = write_at(points->file, &points->head->holds[place], 8, offset);
        if (error) return error;
    }
    points->first_free = (points->first_free + 1) % WI__MOST_SEGMENTS;
    points->free_count--;
    points->place_of[index_of(number)] = place;
    points->segments[index_of(number)] = points->place[place];
    __atomic_store_n(&points->limit, (number + 1) * WI__SEGMENT_POINTS, __ATOMIC_RELEASE);
    return 0;
}

static uint64_t next_ticket(const wi__points *points) {
    return __atomic_load_n(&points->next, __ATOMIC_RELAXED);
}

/* @return 0, or why the limit could not be brought to `ticket`; EAGAIN: there are as many places as there may be. */
static int extend_to(wi__points *points, uint64_t ticket) {
    while (points->limit < ticket) {
        int error = 0;
        if (!points->free_count)
            error = points->places < points->most_places ? add_place(points) : EAGAIN;
        if (!error) error = add_segment(points);
        if (error) return error;
    }
    return 0;
}

static void wake(wi__points *points) {
    points->is_awake = 1;
    __atomic_store_n(&points->wake_at, UINT64_MAX, __ATOMIC_RELAXED);
    pthread_cond_signal(&points->woken);
}

static void wait_for_the_drain(wi__points *points) {
    if (!points->said_it_waits)
        wi__complain("a run's points come faster than its database takes them, or that is locked: "
                     "%d MiB wait, and so does who logs",
                     points->most_places);
    points->said_it_waits = 1;
    wake(points);
    pthread_cond_wait(&points->drained_some, &points->lock);
}

int wi__points_has_room(const wi__points *points, uint64_t many) {
    return next_ticket(points) + many + MARGIN <= __atomic_load_n(&points->limit, __ATOMIC_ACQUIRE);
}

__attribute__((cold, noinline)) int wi__points_make_room(wi__points *points, uint64_t many) {
    int cancelling, error;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    pthread_mutex_lock(&points->lock);
    while ((error = extend_to(points, next_ticket(points) + many + MARGIN)) == EAGAIN)
        wait_for_the_drain(points);
    pthread_mutex_unlock(&points->lock);
    pthread_setcancelstate(cancelling, NULL);
    return error;
}

/* ---- appending ---- */

/* The check last: a reader that sees it sees all. */
static inline void store(wi__stored_point *to, const wi__stored_point *from) {
    __atomic_store_n(&to->series, from->series, __ATOMIC_RELAXED);
    __atomic_store_n(&to->step, from->step, __ATOMIC_RELAXED);
    __atomic_store_n(&to->value, from->value, __ATOMIC_RELAXED);
    __atomic_store_n(&to->ms, from->ms, __ATOMIC_RELAXED);
    __atomic_store_n(&to->check, from->check, __ATOMIC_RELEASE);
}

/* The memory is what this process reads; a hole there would stop the drain. */
static int store_plainly(wi__points *points, wi__stored_point *to, wi__stored_point from,
                         uint64_t ticket) {
    int place = points->place_of[index_of(ticket / WI__SEGMENT_POINTS)];
    off_t offset = place_offset(place) + (off_t)(ticket % WI__SEGMENT_POINTS * sizeof from);
    int error = write_at(points->file, &from, sizeof from, offset);
    if (error) {
        from.series = WI__NO_SERIES;
        from.check = wi__point_check(&from, ticket);
    }
    store(to, &from);
    return error;
}

__attribute__((cold, noinline)) void wi__points_wake(wi__points *points) {
    int cancelling;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    pthread_mutex_lock(&points->lock);
    wake(points);
    pthread_mutex_unlock(&points->lock);
    pthread_setcancelstate(cancelling, NULL);
}

int wi__points_append(wi__points *points, const wi__point *point) {
    if (__builtin_expect(!wi__points_has_room(points, 1), 0)) {
        int error = wi__points_make_room(points, 1);
        if (error) return error;
    }
    uint64_t ticket = __atomic_fetch_add(&points->next, 1, __ATOMIC_RELAXED);
    while (__builtin_expect(ticket >= __atomic_load_n(&points->limit, __ATOMIC_ACQUIRE), 0))
        wi__points_make_room(points, 0); /* more threads than the margin: it is taken */
    wi__stored_point *to =
        points->segments[index_of(ticket / WI__SEGMENT_POINTS)] + ticket % WI__SEGMENT_POINTS;
    wi__stored_point from = {.series = point->series, .step = point->step, .ms = point->ms};
    memcpy(&from.value, &point->value, sizeof from.value);
    from.check = wi__point_check(&from, ticket);
    int error = 0;
    if (__builtin_expect(points->is_plain, 0)) {
        error = store_plainly(points, to, from, ticket);
    } else {
        store(to, &from);
    }
    if (__builtin_expect(ticket >= __atomic_load_n(&points->wake_at, __ATOMIC_RELAXED), 0))
        wi__points_wake(points);
    return error;
}

/* ---- draining ---- */

void wi__points_drained(wi__points *points, uint64_t ticket) {
    if (!points->head) return; /* another's file */
    pthread_mutex_lock(&points->lock);
    uint64_t number = points->drained / WI__SEGMENT_POINTS;
    for (; number < ticket / WI__SEGMENT_POINTS; number++)
        points->free[(points->first_free + points->free_count++) % WI__MOST_SEGMENTS] =
            points->place_of[index_of(number)];
    points->drained = ticket;
    extend_to(points, next_ticket(points) + points->ahead); /* callers say it if there is no room */
    pthread_cond_broadcast(&points->drained_some);
    pthread_mutex_unlock(&points->lock);
}

static struct timespec after(double seconds) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(seconds * 1e9);
    t.tv_sec += (time_t)(ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

void wi__points_wait(wi__points *points, uint64_t many, double timeout_s) {
    struct timespec end = after(timeout_s);
    int error = 0;
    pthread_mutex_lock(&points->lock);
    points->ahead = 2 * many;
    __atomic_store_n(&points->wake_at, points->drained + many, __ATOMIC_RELAXED);
    while (!error && !points->is_awake && next_ticket(points) < points->drained + many)
        error = pthread_cond_timedwait(&points->woken, &points->lock, &end);
    __atomic_store_n(&points->wake_at, UINT64_MAX, __ATOMIC_RELAXED);
    points->is_awake = 0;
    pthread_mutex_unlock(&points->lock);
}

/* ---- making and closing ---- */

static int init(wi__points *points) {
    pthread_condattr_t monotonic;
    int error = pthread_mutex_init(&points->lock, NULL);
    if (error) return error;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&points->woken, &monotonic);
    pthread_cond_init(&points->drained_some, NULL);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

wi__points *wi__points_new(uint64_t ticket) {
    wi__points *points = aligned_alloc(64, sizeof *points);
    if (!points) return NULL;
    memset(points, 0, sizeof *points);
    int error = init(points);
    if (error) {
        free(points);
        errno = error;
        return NULL;
    }
    points->next = points->drained = ticket;
    points->limit = ticket / WI__SEGMENT_POINTS * WI__SEGMENT_POINTS;
    points->wake_at = UINT64_MAX;
    points->ahead = WI__SEGMENT_POINTS;
    points->most_places = WI__MOST_SEGMENTS;
    points->file = -1;
    return points;
}

static int make_head(wi__points *points) {
    int error = allocate(points->file, 0, WI__POINTS_HEAD);
    if (error) return error;
    points->head = map(points, 0, WI__POINTS_HEAD);
    if (!points->head) return errno;
    memcpy(points->head->mark, WI__POINTS_MARK, sizeof points->head->mark);
    points->head->order = WI__POINTS_ORDER;
    return points->is_plain ? write_at(points->file, points->head, sizeof *points->head, 0) : 0;
}

static wi__points *create(int folder, uint64_t ticket, int is_plain) {
    wi__points *points = wi__points_new(ticket);
    if (!points) return NULL;
    points->is_plain = is_plain;
    points->file = openat(folder, "points", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = points->file < 0 ? errno : make_head(points);
    if (!error) error = extend_to(points, ticket + WI__SEGMENT_POINTS + 1);
    if (!error) return points;
    if (points->file >= 0) unlinkat(folder, "points", 0);
    wi__points_close(points);
    errno = error;
    return NULL;
}

wi__points *wi__points_create(int folder, uint64_t ticket) {
    return create(folder, ticket, wi__is_on_a_network(folder));
}

wi__points *wi__points_create_plain(int folder, uint64_t ticket) {
    return create(folder, ticket, 1);
}

void wi__points_limit(wi__points *points, int segments) { points->most_places = segments; }

void wi__points_close(wi__points *points) {
    if (!points) return;
    for (int i = 0; i < points->places; i++) unmap(points, points->place[i], WI__SEGMENT_BYTES);
    if (points->head) unmap(points, points->head, WI__POINTS_HEAD);
    if (points->file >= 0) close(points->file);
    pthread_mutex_destroy(&points->lock);
    pthread_cond_destroy(&points->woken);
    pthread_cond_destroy(&points->drained_some);
    free(points->buffer);
    free(points);
}
