/* The table of counters, and its lock. */
#include "manage/counters.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "manage/system_counters.h"
#include "record/clock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Descriptors last: those that the others keep open are counted from the first time on. */
static const wi__counter *table[WI__COUNTERS] = {
    &wi__thread_counter, &wi__memory_counter,     &wi__hdf5_handle_counter,
    &wi__gpu_counter,    &wi__descriptor_counter,
};

void wi__counters_lock(void) { pthread_mutex_lock(&lock); }
void wi__counters_unlock(void) { pthread_mutex_unlock(&lock); }

/* Before there are threads: none of them can fork while another holds the lock. */
__attribute__((constructor)) static void hold_over_forks(void) {
    pthread_atfork(wi__counters_lock, wi__counters_unlock, wi__counters_unlock);
}

static int place_of(const char *name) {
    for (int i = 0; i < WI__COUNTERS; i++)
        if (!table[i] || strcmp(table[i]->many, name) == 0) return i;
    return -1;
}

int wi__counter_add(const wi__counter *counter) {
    wi__counters_lock();
    int place = place_of(counter->many);
    if (place >= 0) __atomic_store_n(&table[place], counter, __ATOMIC_RELEASE);
    wi__counters_unlock();
    return place;
}

const wi__counter *wi__counter_at(int index) {
    return index < WI__COUNTERS ? __atomic_load_n(&table[index], __ATOMIC_ACQUIRE) : NULL;
}

static int (*settle_by)(void);

void wi__counters_settle_by(int (*settle)(void)) {
    __atomic_store_n(&settle_by, settle, __ATOMIC_RELEASE);
}

int wi__counters_settle(void) {
    int (*settle)(void) = __atomic_load_n(&settle_by, __ATOMIC_ACQUIRE);
    return settle && settle();
}

static void prepare(wi__which which) {
    for (int i = 0; i < WI__COUNTERS && which == WI__ALL_COUNTERS; i++) {
        const wi__counter *counter = wi__counter_at(i);
        if (counter && counter->prepare) counter->prepare();
    }
}

/* Those that are dear, or the others. */
static void read_those(wi__levels *levels, int dear) {
    for (int i = 0; i < WI__COUNTERS; i++)
        if (table[i] && table[i]->is_dear == dear) levels->of[i] = table[i]->read();
}

wi__levels wi__counters_read(wi__which which) {
    wi__levels levels = {.dear_ticks = 0};
    for (int i = 0; i < WI__COUNTERS; i++) levels.of[i] = WI__ABSENT;
    uint64_t begin = wi__ticks();
    prepare(which);
    uint64_t prepared = wi__ticks() - begin;
    wi__counters_lock();
    read_those(&levels, 0);
    begin = wi__ticks();
    if (which == WI__ALL_COUNTERS) read_those(&levels, 1);
    levels.dear_ticks = prepared + wi__ticks() - begin;
    wi__counters_unlock();
    return levels;
}
