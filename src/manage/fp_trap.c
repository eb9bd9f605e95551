/* Floating-point exceptions that interrupt the instruction: the handler of SIGFPE. */
#include "manage/fp_trap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <ucontext.h>

#include "manage/fp_registers.h"

/* ---- the interrupted thread's registers ---- */

#if defined(__x86_64__)

/* It goes on with its instruction, which is not interrupted again. */
static void mask_in(ucontext_t *context, int excepts) {
    context->uc_mcontext.fpregs->mxcsr |= wi__fp_masked(excepts) & 0xffff;
    context->uc_mcontext.fpregs->cwd |= (uint16_t)excepts;
    context->uc_mcontext.fpregs->swd &= (uint16_t)~0x8080; /* x87: an exception is waiting */
}

/* Linux begins a handler with registers of its own: what leaves it by a jump takes the thread's. */
static void go_on_with(const ucontext_t *context, int masked) {
    wi__fp_set_mxcsr((context->uc_mcontext.fpregs->mxcsr & ~(uint32_t)masked) |
                     (wi__fp_masked(masked) & 0xffff));
    wi__fp_set_x87_control(context->uc_mcontext.fpregs->cwd | (uint16_t)masked);
}

#elif defined(__aarch64__)
#include <asm/sigcontext.h>

static struct fpsimd_context *registers_in(const ucontext_t *context) {
    char *at = (char *)context->uc_mcontext.__reserved;
    while (((struct _aarch64_ctx *)(void *)at)->magic != FPSIMD_MAGIC)
        at += ((struct _aarch64_ctx *)(void *)at)->size;
    return (struct fpsimd_context *)(void *)at;
}

static void mask_in(ucontext_t *context, int excepts) {
    registers_in(context)->fpcr &= ~wi__fp_trap_bits(excepts);
}

static void go_on_with(const ucontext_t *context, int masked) {
    wi__fp_set_control(registers_in(context)->fpcr & ~wi__fp_trap_bits(masked));
    wi__fp_set_flags(registers_in(context)->fpsr & WI__FP_ALL_FLAGS & ~(uint32_t)masked);
}

#else
static void mask_in(ucontext_t *context, int excepts) { (void)context, (void)excepts; }
static void go_on_with(const ucontext_t *context, int masked) { (void)context, (void)masked; }
#endif

/* ---- the handler ---- */

static struct sigaction before;

static int except_of(int code) {
    switch (code) {
    case FPE_FLTINV: return FE_INVALID;
    case FPE_FLTDIV: return FE_DIVBYZERO;
    case FPE_FLTOVF: return FE_OVERFLOW;
    case FPE_FLTUND: return FE_UNDERFLOW;
    case FPE_FLTRES: return FE_INEXACT;
    default: return 0; /* of integers, or sent by a process */
    }
}

/* The instruction is tried again, or the signal sent again, with nobody in the way. */
static void end_by(int signal, const siginfo_t *info) {
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigaction(signal, &by_default, NULL);
    if (info->si_code <= 0) raise(signal);
}

static void pass_on(int signal, siginfo_t *info, void *context) {
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(signal, info, context);
    else if (before.sa_handler == SIG_DFL || (before.sa_handler == SIG_IGN && info->si_code > 0))
        end_by(signal, info);
    else if (before.sa_handler != SIG_IGN)
        before.sa_handler(signal);
}

/* What the program itself lets trap, by feenableexcept. */
static int of_program;

static int trapped_by_program(void) {
    int on = wi__fp_trapping_now(), own = 0;
    for (int except = 1; except <= on; except <<= 1)
        if (on & except && !wi__fp_guard_of(except)) own |= except;
    return own;
}

/* A thread that was started in another's block traps, and knows of no guard: it goes on as if it did not. */
static void on_sigfpe(int signal, siginfo_t *info, void *context) {
    int except = except_of(info->si_code);
    wi_fp_guard *guard = except ? wi__fp_guard_of(except) : NULL;
    if (guard && guard->options.trap && wi__fp_is_on_chain(guard)) {
        go_on_with(context, guard->excepts);
        pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL);
        wi__fp_raise_trapped(guard, except, info->si_addr);
    } else if (guard && (guard->options.trap || guard->options.locate)) {
        if (!guard->first) guard->first = info->si_addr;
        guard->seen |= except;
        mask_in(context, except);
    } else if (except & ~of_program) {
        mask_in(context, WI__FP_EXCEPTS & ~of_program);
    } else {
        pass_on(signal, info, context);
    }
}

/* ---- whose handler is there ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int watchers;

static void take_lock(void) { pthread_mutex_lock(&lock); }
static void give_lock(void) { pthread_mutex_unlock(&lock); }
static void look_after_forks(void) { pthread_atfork(take_lock, give_lock, give_lock); }

static int is_ours(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_sigfpe;
}

static void take_signal(void) {
    struct sigaction now, ours = {.sa_flags = SA_SIGINFO | SA_NODEFER};
    ours.sa_sigaction = on_sigfpe;
    sigaction(SIGFPE, &ours, &now);
    if (!is_ours(&now)) before = now;
}

/* Threads that were started in a block may trap for as long as they live. */
static int is_single_threaded(void) {
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}

static void give_signal_back(void) {
    struct sigaction now;
    sigaction(SIGFPE, NULL, &now);
    if (is_ours(&now) && is_single_threaded()) sigaction(SIGFPE, &before, NULL);
}

void wi__fp_trap_watch(void) {
    pthread_once(&once, look_after_forks);
    take_lock();
    of_program |= trapped_by_program();
    if (watchers++ == 0) take_signal();
    give_lock();
}

void wi__fp_trap_unwatch(void) {
    take_lock();
    if (--watchers == 0) give_signal_back();
    give_lock();
}
