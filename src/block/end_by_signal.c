/* Ending by a signal after all that a normal exit does, so that the parent sees what it sent. */
#include <within/error.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    int signal; /* 0: none */
    pid_t pid;  /* forked children end as they like */
} ending;

void wi__end_by_signal(int signal) {
    ending.pid = getpid();
    ending.signal = signal;
}

/*
 * Destructors run after what atexit was given, and one of this priority after the others of its library or
 * program; only stdio would follow. fcloseall is what exit() itself calls for that: it takes no locks, which a
 * thread that waits for input holds. Where the signal does not end the process (the first one of a container),
 * exit() goes on with its status.
 */
__attribute__((destructor(101))) static void end(void) {
    if (!ending.signal || ending.pid != getpid()) return;
    sigset_t only;
    fcloseall();
    signal(ending.signal, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, ending.signal);
    raise(ending.signal);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}
