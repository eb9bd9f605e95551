/* Open blocks in one list: who has seen the signal, and when it is worked off. */
#include "manage/interrupt_blocks.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "block/chain.h"
#include "block/error.h"
#include "record/interruption.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wi_interrupts *newest; /* of all threads */
static int live;              /* what tells of the signal being worked off, and has not ended */

/* What a thread knows of itself; its address is the thread's identity. */
static WI__THREAD_LOCAL struct {
    int held_off;
    uint32_t raised; /* the serial of the signal that was raised here last */
    double grace_s;  /* of the block that it was raised in */
} here;

/* ---- a signal's way through the blocks; the lock is held ---- */

static int is_unseen(const wi_interrupts *block, const wi__signal *signal) {
    return signal->number && block->is_open && block->taken & wi__signal_bit(signal->number) &&
           block->seen != signal->serial;
}

static int is_unseen_anywhere(const wi__signal *signal) {
    for (const wi_interrupts *block = newest; block; block = block->next)
        if (is_unseen(block, signal)) return 1;
    return 0;
}

/* Something was seen, has ended or was closed. While a signal is being worked off no handler sets the flag: so it
 * can be cleared here, and the signal be over after that. */
static void settle(void) {
    wi__signals_put_back(wi__signal_now().number);
    wi__signal signal = wi__signal_now();
    if (!signal.number || is_unseen_anywhere(&signal)) return;
    __atomic_store_n(&wi__interrupt_is_due, 0, __ATOMIC_SEQ_CST);
    if (live) return;
    wi__signals_put_back(0);
    wi__signal_is_over();
}

static void see(const wi__signal *signal, double grace_s) {
    for (wi_interrupts *block = newest; block; block = block->next)
        if (block->thread == &here) block->seen = signal->serial;
    here.raised = signal->serial;
    here.grace_s = grace_s;
    live++;
}

/* The innermost of the thread's blocks that takes the signal and has not seen it. Where an error must not land
 * further out than a foreign block, it cannot come to those around that either. */
static wi_interrupts *candidate(const wi__signal *signal, wi__frame *link) {
    for (wi_interrupts *block = newest; block; block = block->next) {
        if (block->thread != &here) continue;
        if (block->options.foreign && !wi__lands_before(link, block->outside)) return NULL;
        if (is_unseen(block, signal)) return block;
    }
    return NULL;
}

static void publish_grace(void) { wi__signal_grace(newest ? newest->options.grace_s : 0); }

/* ---- open and close ---- */

void wi__interrupts_open(wi_interrupts *block) {
    wi__frame *top = wi__unmarked(wi__self.top);
    block->thread = &here;
    block->claimed = 0;
    block->is_open = 1;
    block->outside = top && top->manager == &wi__handler_frame ? top->previous : top;
    block->outside = wi__unmarked((wi__frame *)block->outside);
    pthread_mutex_lock(&lock);
    block->seen = wi__signal_serial();
    wi__signals_take(block->taken);
    block->next = newest;
    newest = block;
    publish_grace();
    pthread_mutex_unlock(&lock);
    wi__self.marks_exits++;
}

static void take_off_list(wi_interrupts *block) {
    wi_interrupts **link = &newest;
    while (*link != block) link = &(*link)->next;
    *link = block->next;
}

static void see_here(wi_interrupts *block, wi__signal *unseen) {
    wi__signal signal = wi__signal_now();
    if (!is_unseen(block, &signal)) return;
    see(&signal, block->options.grace_s);
    block->seen = signal.serial; /* also on another thread than the block's */
    *unseen = signal;
}

/* The handler of a signal that was seen stays. Another one may come while the others are put back. */
static void close_open(wi_interrupts *block, wi__signal *unseen) {
    see_here(block, unseen);
    wi__signals_let_go(block->taken);
    wi__signals_put_back(live ? wi__signal_now().number : 0);
    see_here(block, unseen);
    take_off_list(block);
    block->is_open = 0;
    live -= block->claimed;
    if (block->thread == &here) wi__self.marks_exits--;
    publish_grace();
    settle();
}

wi__signal wi__interrupts_close(wi_interrupts *block) {
    wi__signal unseen = {.number = 0};
    pthread_mutex_lock(&lock);
    if (block->is_open) close_open(block, &unseen);
    pthread_mutex_unlock(&lock);
    return unseen;
}

/* ---- seen and over ---- */

wi__signal wi__interrupts_claim(wi__frame *link) {
    pthread_mutex_lock(&lock);
    wi__signal signal = wi__signal_now();
    const wi_interrupts *block = candidate(&signal, link);
    if (block) {
        see(&signal, block->options.grace_s);
        settle();
    }
    pthread_mutex_unlock(&lock);
    if (!block) signal.number = 0;
    return signal;
}

static void over(void) {
    if (live) live--; /* a forked child may have errors of its parent */
    settle();
}

void wi__interruption_is_over(void) {
    pthread_mutex_lock(&lock);
    over();
    pthread_mutex_unlock(&lock);
}

int wi__interrupts_pending(const wi_interrupts *block, wi__interruption *what) {
    pthread_mutex_lock(&lock);
    wi__signal signal = wi__signal_now();
    int is_pending = is_unseen(block, &signal);
    pthread_mutex_unlock(&lock);
    if (is_pending && what) {
        what->signal = signal.number;
        what->sender = (int)signal.sender;
        what->age_s = signal.age_s;
        what->left_s = wi__seconds_left(block->options.grace_s, signal.age_s);
    }
    return is_pending ? signal.number : 0;
}

void wi__interrupts_seen(wi_interrupts *block) {
    pthread_mutex_lock(&lock);
    wi__signal signal = wi__signal_now();
    if (is_unseen(block, &signal)) {
        see(&signal, block->options.grace_s);
        block->claimed++;
        wi__record_signal_raised(block->options.grace_s);
        settle();
    }
    pthread_mutex_unlock(&lock);
}

void wi__interrupts_over(wi_interrupts *block) {
    pthread_mutex_lock(&lock);
    if (block->claimed) {
        block->claimed--;
        over();
    }
    pthread_mutex_unlock(&lock);
}

/* ---- the calling thread ---- */

void wi__interrupts_hold_off(int steps) { here.held_off += steps; }

int wi__interrupts_may_come(void) { return wi__self.marks_exits && !here.held_off; }

double wi__interrupts_grace(const wi__signal *signal) {
    double grace_s = -1;
    if (!signal->number) return -1;
    if (here.raised == signal->serial) return here.grace_s;
    if (!wi__self.marks_exits) return -1;
    pthread_mutex_lock(&lock);
    const wi_interrupts *block = newest;
    while (block && !(block->thread == &here && is_unseen(block, signal))) block = block->next;
    if (block) grace_s = block->options.grace_s;
    pthread_mutex_unlock(&lock);
    return grace_s;
}

/* ---- an error that nobody handles ---- */

static int is_open_elsewhere(int number) {
    int found = 0;
    pthread_mutex_lock(&lock);
    for (const wi_interrupts *block = newest; block && !found; block = block->next)
        found = block->thread != &here && block->taken & wi__signal_bit(number);
    pthread_mutex_unlock(&lock);
    return found;
}

/* The other thread will end the process, or go on by its own decision; here the process would end under it. */
static void end_thread_alone(wi_error *error) {
    if (gettid() == getpid() || !is_open_elsewhere(error->signal)) return;
    wi__error_release(error);
    pthread_exit(NULL);
}

/* ---- fork ---- */

static sigset_t mask_before_fork;

/* What comes for the child between the fork and its old handlers must not be lost in the flag. */
static void before_fork(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_mutex_lock(&lock);
    mask_before_fork = before;
}

static void after_fork(void) {
    sigset_t before = mask_before_fork;
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void in_child(void) {
    for (wi_interrupts *block = newest; block; block = block->next) block->is_open = 0;
    newest = NULL;
    live = 0;
    wi__self.marks_exits = 0;
    wi__signals_leave_parent();
    after_fork();
}

__attribute__((constructor)) static void begin(void) {
    wi__on_interruption_over = wi__interruption_is_over;
    wi__on_uncaught_interruption = end_thread_alone;
    pthread_atfork(before_fork, after_fork, in_child);
}
