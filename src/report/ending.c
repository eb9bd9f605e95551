/* How a process ended, in words. */
#include "report/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "record/signal_name.h"
#include "report/units.h"

/* What is known of a signal beyond its name. */
static const char *signal_text(int number) {
    switch (number) {
    case SIGHUP: return ": its terminal went away";
    case SIGINT: return ": interrupted";
    case SIGQUIT: return ": quit";
    case SIGILL: return ": illegal instruction";
    case SIGTRAP: return ": trap";
    case SIGABRT: return ": it called abort()";
    case SIGBUS: return ": bus error";
    case SIGFPE: return ": arithmetic error";
    case SIGKILL: return "; the kernel's out-of-memory killer also uses it";
    case SIGSEGV: return ": segmentation fault";
    case SIGPIPE: return ": nobody reads its output any more";
    case SIGALRM:
    case SIGVTALRM: return ": alarm clock";
    case SIGTERM: return ": asked to end";
    case SIGXCPU: return ": its limit of CPU time was reached";
    case SIGXFSZ: return ": its limit of file size was reached";
    case SIGPROF: return ": profiling alarm";
    case SIGSYS: return ": a system call that is not allowed";
    default: return "";
    }
}

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
    wi__signal_words name = wi__signal_name(number);
    const char *core = WCOREDUMP(wait_status) ? ", core dumped" : "";
    if (strncmp(name.text, "SIG", 3) == 0)
        snprintf(buffer, size, "killed by signal %d (%s)%s%s", number, name.text,
                 signal_text(number), core);
    else
        snprintf(buffer, size, "killed by signal %d%s", number, core);
}

void wi__wait_status_text(int wait_status, char *buffer, size_t size) {
    if (WIFSIGNALED(wait_status))
        killed_text(wait_status, buffer, size);
    else
        snprintf(buffer, size, "ended with status %d", WEXITSTATUS(wait_status));
}

/* An end that `within run` saw. If it was its own doing, nobody has to wonder who killed the program. */
static void seen_text(const wi__header *header, char *buffer, size_t size) {
    int status = header->wait_status;
    const wi__grace_note *grace = &header->grace;
    if (grace->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        snprintf(buffer, size, "killed by within run: %s after %s it had not ended",
                 wi__seconds_text(grace->grace_s).text, wi__signal_name((int)grace->signal).text);
    else
        wi__wait_status_text(status, buffer, size);
}

void wi__ending_text(const wi__profile *profile, char *buffer, size_t size) {
    const wi__header *header = &profile->header;
    switch (wi__ending_of(profile)) {
    case WI__NOT_MEASURED: snprintf(buffer, size, "nothing has measured here"); break;
    case WI__RUNNING: snprintf(buffer, size, "running, process %u", header->owner.pid); break;
    case WI__EXITED:
    case WI__KILLED: seen_text(header, buffer, size); break;
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
