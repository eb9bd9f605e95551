/* What the record says of a signal is written where it stands, by plain stores: a handler does it. */
#include "record/interruption.h"

#include <time.h>

#include "record/arena.h"

static wi__interruption_note *note(void) {
    return wi__arena ? &wi__record_header()->interruption : NULL;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void wi__record_signal(int number, uint32_t sender, double grace_s) {
    wi__interruption_note *signal = note();
    if (!signal) return;
    __atomic_store_n(&signal->signal, 0, __ATOMIC_RELEASE);
    signal->sender = sender;
    signal->came_ns = now_ns();
    signal->raised_ns = 0;
    signal->grace_s = grace_s;
    __atomic_add_fetch(&signal->count, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&signal->signal, (uint32_t)number, __ATOMIC_RELEASE);
}

void wi__record_signal_again(void) {
    wi__interruption_note *signal = note();
    if (signal) __atomic_add_fetch(&signal->count, 1, __ATOMIC_RELAXED);
}

void wi__record_signal_raised(double grace_s) {
    wi__interruption_note *signal = note();
    if (!signal || signal->raised_ns) return;
    signal->grace_s = grace_s;
    __atomic_store_n(&signal->raised_ns, now_ns(), __ATOMIC_RELEASE);
}
