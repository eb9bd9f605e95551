/* The handler, which only sets a flag; what was there before it is kept, called, and put back. */
#include "manage/interrupt_signals.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <within/interrupts.h>

#include "record/interruption.h"

enum { NUMBER_BITS = 8 };

int wi__interrupt_is_due;
char wi__no_signal;

static struct slot {
    int installed; /* the handler is ours */
    int takers;
    struct sigaction before; /* what is put back at last */
    struct sigaction chain;  /* what the handler calls: of somebody who came later, perhaps */
} slots[WI__SIGNALS + 1];

/* The signal being worked off: when it came, on the monotonic clock in microseconds, and its number in the low
 * bits, so that one word tells a handler all that it needs. 0: none. */
static uint64_t current;
static uint32_t sender_of_current, serial;
static uint64_t grace_bits; /* a double, read by the handler */
static int handlers_running;

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define STORE(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_SEQ_CST)

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* ---- the handler ---- */

typedef enum arrival {
    FIRST_OR_SAME,
    SECOND, /* another one is being worked off */
    LATE,   /* the handler was put back already when this one began */
} arrival;

static double grace_now(void) {
    double grace_s;
    uint64_t bits = LOAD(grace_bits);
    memcpy(&grace_s, &bits, sizeof grace_s);
    return grace_s;
}

static arrival note(int number, const siginfo_t *info) {
    uint64_t now = now_us(), found = 0, mine = now << NUMBER_BITS | (uint64_t)number;
    if (__atomic_compare_exchange_n(&current, &found, mine, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        uint32_t sender = info->si_code <= 0 ? (uint32_t)info->si_pid : 0;
        STORE(sender_of_current, sender);
        wi__record_signal(number, sender, grace_now());
        __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
        STORE(wi__interrupt_is_due, 1);
        return FIRST_OR_SAME;
    }
    wi__record_signal_again();
    int is_same = (int)(found & ((1u << NUMBER_BITS) - 1)) == number;
    return is_same && now < (found >> NUMBER_BITS) + WI__SAME_SIGNAL_US ? FIRST_OR_SAME : SECOND;
}

static int is_none(const siginfo_t *info) {
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == &wi__no_signal;
}

static int is_function(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static void call(const struct sigaction *action, int number, siginfo_t *info, void *context) {
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, info, context);
    else
        action->sa_handler(number);
}

int wi__signal_ends_process(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
           now.sa_handler == SIG_DFL;
}

/* As if the handler were not there. The signal is raised again, and comes when the handler has returned. */
static void act_at_once(const struct slot *slot, int number, arrival when) {
    if (when == SECOND && slot->chain.sa_handler == SIG_DFL) sigaction(number, &slot->chain, NULL);
    if (wi__signal_ends_process(number)) raise(number);
}

static void on_signal(int number, siginfo_t *info, void *context) {
    int errnum = errno;
    const struct slot *slot = &slots[number];
    __atomic_add_fetch(&handlers_running, 1, __ATOMIC_SEQ_CST);
    arrival when = LATE;
    if (is_none(info))
        when = FIRST_OR_SAME;
    else if (LOAD(slot->installed))
        when = note(number, info);
    __atomic_sub_fetch(&handlers_running, 1, __ATOMIC_SEQ_CST);
    if (is_function(&slot->chain))
        call(&slot->chain, number, info, context);
    else if (when != FIRST_OR_SAME)
        act_at_once(slot, number, when);
    errno = errnum;
}

/* ---- taking and putting back ---- */

const char *wi__signal_objection(int number) {
    struct sigaction now;
    if (number < 1 || number > WI__SIGNALS) return "there is no such signal";
    switch (number) {
    case SIGKILL:
    case SIGSTOP: return "no process can take it";
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
    case SIGABRT: return "it tells of a fault, after which nothing can go on";
    case SIGCHLD:
    case SIGCONT:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGURG:
    case SIGWINCH: return "it does not ask a process to end";
    default: return sigaction(number, NULL, &now) ? "the C library keeps it for itself" : NULL;
    }
}

wi__signal_set wi__signals_not_ignored(wi__signal_set set) {
    struct sigaction now;
    for (int number = 1; number <= WI__SIGNALS; number++)
        if (set & wi__signal_bit(number) && sigaction(number, NULL, &now) == 0 &&
            !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN)
            set &= ~wi__signal_bit(number);
    return set;
}

/* What the old handler wanted to be blocked, interrupted and run on, still is. */
static struct sigaction ours_over(const struct sigaction *old) {
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    if (is_function(old)) {
        ours.sa_mask = old->sa_mask;
        ours.sa_flags = old->sa_flags & (SA_RESTART | SA_ONSTACK | SA_NODEFER);
    }
    ours.sa_flags |= SA_SIGINFO;
    return ours;
}

static int is_ours(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_signal;
}

/* Somebody may have put a handler over ours since: it is called from now on. */
static void install(struct slot *slot, int number) {
    struct sigaction now;
    sigaction(number, NULL, &now);
    if (is_ours(&now)) return;
    struct sigaction ours = ours_over(&now);
    slot->chain = now;
    if (!slot->installed) slot->before = now;
    STORE(slot->installed, 1);
    sigaction(number, &ours, NULL);
}

void wi__signals_take(wi__signal_set set) {
    for (int number = 1; number <= WI__SIGNALS; number++) {
        if (!(set & wi__signal_bit(number))) continue;
        slots[number].takers++;
        install(&slots[number], number);
    }
}

void wi__signals_let_go(wi__signal_set set) {
    for (int number = 1; number <= WI__SIGNALS; number++)
        if (set & wi__signal_bit(number)) slots[number].takers--;
}

static void put_back(struct slot *slot, int number) {
    sigaction(number, &slot->before, NULL);
    STORE(slot->installed, 0);
}

/* They take no lock, and wait for nothing. */
static void wait_for_handlers(void) {
    while (LOAD(handlers_running)) sched_yield();
}

void wi__signals_put_back(int keep) {
    for (int number = 1; number <= WI__SIGNALS; number++)
        if (slots[number].installed && !slots[number].takers && number != keep)
            put_back(&slots[number], number);
    wait_for_handlers();
}

void wi__signals_leave_parent(void) {
    for (int number = 1; number <= WI__SIGNALS; number++) {
        if (slots[number].installed) put_back(&slots[number], number);
        slots[number].takers = 0;
    }
    handlers_running = 0;
    wi__interrupt_is_due = 0;
    current = 0;
}

/* ---- the signal being worked off ---- */

wi__signal wi__signal_now(void) {
    uint64_t came = LOAD(current), now = came ? now_us() : 0;
    wi__signal signal = {.number = (int)(came & ((1u << NUMBER_BITS) - 1)),
                         .serial = LOAD(serial),
                         .sender = LOAD(sender_of_current)};
    if (signal.number && now > came >> NUMBER_BITS)
        signal.age_s = 1e-6 * (double)(now - (came >> NUMBER_BITS));
    return signal;
}

void wi__signal_is_over(void) { STORE(current, 0); }

uint32_t wi__signal_serial(void) { return LOAD(serial); }

void wi__signal_grace(double grace_s) {
    uint64_t bits;
    memcpy(&bits, &grace_s, sizeof bits);
    STORE(grace_bits, bits);
}
