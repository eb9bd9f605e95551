/* How a process ended, in words. */
#include "report/ending.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

typedef struct signal_text {
    int number;
    const char *name;
    const char *text;
} signal_text;

static const signal_text signals[] = {
    {SIGHUP, "SIGHUP", ": its terminal went away"},
    {SIGINT, "SIGINT", ": interrupted"},
    {SIGQUIT, "SIGQUIT", ": quit"},
    {SIGILL, "SIGILL", ": illegal instruction"},
    {SIGTRAP, "SIGTRAP", ": trap"},
    {SIGABRT, "SIGABRT", ": it called abort()"},
    {SIGBUS, "SIGBUS", ": bus error"},
    {SIGFPE, "SIGFPE", ": arithmetic error"},
    {SIGKILL, "SIGKILL", "; the kernel's out-of-memory killer also uses it"},
    {SIGUSR1, "SIGUSR1", ""},
    {SIGSEGV, "SIGSEGV", ": segmentation fault"},
    {SIGUSR2, "SIGUSR2", ""},
    {SIGPIPE, "SIGPIPE", ": nobody reads its output any more"},
    {SIGALRM, "SIGALRM", ": alarm clock"},
    {SIGTERM, "SIGTERM", ": asked to end"},
    {SIGXCPU, "SIGXCPU", ": its limit of CPU time was reached"},
    {SIGXFSZ, "SIGXFSZ", ": its limit of file size was reached"},
    {SIGVTALRM, "SIGVTALRM", ": alarm clock"},
    {SIGPROF, "SIGPROF", ": profiling alarm"},
    {SIGSYS, "SIGSYS", ": a system call that is not allowed"},
};

wi__ending wi__ending_of(const wi__profile *profile) {
    const wi__header *header = &profile->header;
    if (profile->alive) return WI__RUNNING;
    if (!header->owner.pid) return WI__NOT_MEASURED;
    if (header->has_wait_status && WIFEXITED(header->wait_status)) return WI__EXITED;
    if (header->has_wait_status && WIFSIGNALED(header->wait_status)) return WI__KILLED;
    return header->ended ? WI__FINISHED : WI__CUT_OFF;
}

static void killed_text(int wait_status, char *buffer, size_t size) {
    int number = WTERMSIG(wait_status);
    const signal_text *found = NULL;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == number) found = &signals[i];
    const char *core = WCOREDUMP(wait_status) ? ", core dumped" : "";
    if (found)
        snprintf(buffer, size, "killed by signal %d (%s)%s%s", number, found->name, found->text,
                 core);
    else
        snprintf(buffer, size, "killed by signal %d%s", number, core);
}

void wi__wait_status_text(int wait_status, char *buffer, size_t size) {
    if (WIFSIGNALED(wait_status))
        killed_text(wait_status, buffer, size);
    else
        snprintf(buffer, size, "ended with status %d", WEXITSTATUS(wait_status));
}

void wi__ending_text(const wi__profile *profile, char *buffer, size_t size) {
    const wi__header *header = &profile->header;
    switch (wi__ending_of(profile)) {
    case WI__NOT_MEASURED: snprintf(buffer, size, "nothing has measured here"); break;
    case WI__RUNNING: snprintf(buffer, size, "running, process %u", header->owner.pid); break;
    case WI__EXITED:
    case WI__KILLED: wi__wait_status_text(header->wait_status, buffer, size); break;
    case WI__FINISHED: snprintf(buffer, size, "ended; with which status is not known"); break;
    case WI__CUT_OFF:
        snprintf(buffer, size,
                 "gone before its exit: killed, ended by _exit(), or the machine stopped");
        break;
    }
}

const char *wi__ending_word(wi__ending ending) {
    static const char *const words[] = {[WI__NOT_MEASURED] = "not measured",
                                        [WI__RUNNING] = "running",
                                        [WI__EXITED] = "exit",
                                        [WI__KILLED] = "signal",
                                        [WI__FINISHED] = "end",
                                        [WI__CUT_OFF] = "cut off"};
    return words[ending];
}
