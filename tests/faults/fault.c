/* Runs a command and makes one of its system calls fail, be shortened, or be the last.
 *
 *     fault --under DIR [--trace FILE] [--with-reads] [--with-stats]
 *           [--at N (--error ENOSPC | --short | --kill)] [--from-on] -- COMMAND...
 *
 * All calls of the command, its threads and its children that concern files below DIR are counted from 1: open,
 * write, fsync, close, rename, unlink, rmdir, mkdir, link, symlink, truncate, fallocate, chmod, chown, lock, unlock,
 * dup (into a given or a free place of one's choice), mmap, and if wanted read and stat. A name stands for all calls of its kind (write for pwrite64 and writev too), so
 * that it is the same on every processor. A path is below DIR after its folders' links are followed; its last part
 * is taken as it is. Of two paths the new one is meant, unless the old one alone is below DIR.
 *
 * --trace FILE   writes a line per call when it ends: number, name, path from DIR, result, with tabs between. In the
 *                path bytes outside ASCII, control characters and backslashes are \xNN. The result is -errno for an
 *                error, and ? if the caller died in the call.
 * --at N         means the N-th call.
 * --error NAME   The call is not run and returns this error. A close is run all the same, as on Linux a close that
 *                fails has closed.
 * --short        A write is given half its bytes. Nothing happens to other calls, and to a write of one byte.
 * --kill         All processes are killed with SIGKILL right before the call.
 * --from-on      What happens to the N-th call happens to all later ones of its name.
 *
 * The status is the command's, 128 + n if signal n ended it; 125 if the tool itself cannot work, 126 and 127 if the
 * command cannot be run. The tool ends when the last of the command's processes has ended; if it is killed, so are
 * these. SIGTERM and the like are passed on.
 *
 * Not seen: stores to mapped memory, msync, io_uring, and files closed by the end of a process or by close_range. A
 * call that a signal interrupts and the kernel starts again counts again. LeakSanitizer cannot trace what is traced
 * here: ASAN_OPTIONS=detect_leaks=0.
 *
 * How: a seccomp filter stops a process at these calls alone, so that all others run at full speed, and ptrace does
 * the rest.
 */
#include "calls.h"
#include "options.h"
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PIECES = 1024 };

/* A thread of the command, and the counted call that it is in. */
typedef struct {
    pid_t tid;   /* 0: an empty place */
    long number; /* of the call; 0: in none */
    call call;
    int64_t result;  /* what the call shall return; 0: its own result */
    uint64_t length; /* what it was before it was shortened; 0: it was not */
    uint64_t piece;  /* the address of the length of the last piece */
    uint64_t piece_length;
} thread;

static thread *threads;
static size_t places;
static long calls_so_far;
static const char *fault_name; /* of the call --at */
static bool killing;
static pid_t command;

/* ---- threads ---- */

static thread *find_thread(pid_t tid) {
    thread *empty = NULL;
    for (size_t i = 0; i < places; i++) {
        if (threads[i].tid == tid) return &threads[i];
        if (!threads[i].tid) empty = &threads[i];
    }
    if (!empty) {
        threads = realloc(threads, (places + 8) * sizeof *threads);
        if (!threads) perror("fault"), exit(CANNOT_WORK);
        memset(threads + places, 0, 8 * sizeof *threads);
        empty = threads + places;
        places += 8;
    }
    empty->tid = tid;
    return empty;
}

static void kill_all(void) {
    killing = true;
    for (size_t i = 0; i < places; i++) {
        if (threads[i].tid) kill(threads[i].tid, SIGKILL);
    }
}

/* ---- the trace ---- */

static void trace_path(const char *path) {
    for (const unsigned char *byte = (const unsigned char *)path; *byte; byte++) {
        bool plain = *byte >= ' ' && *byte < 0x7f && *byte != '\\';
        fprintf(options.trace, plain ? "%c" : "\\x%02x", *byte);
    }
}

/* The call is over: result is NULL if its caller is, too. */
static void trace_call(thread *caller, const int64_t *result) {
    if (options.trace) {
        fprintf(options.trace, "%ld\t%s\t", caller->number, caller->call.name);
        trace_path(caller->call.path);
        if (result) {
            fprintf(options.trace, "\t%lld\n", (long long)*result);
        } else {
            fprintf(options.trace, "\t?\n");
        }
    }
    caller->number = 0;
}

static void thread_ended(thread *ended) {
    if (ended->number) trace_call(ended, NULL);
    memset(ended, 0, sizeof *ended);
}

/* ---- what happens to a call ---- */

/* Half of the bytes of an array of pieces: fewer of them, and of the last one less. */
static uint64_t shorten_pieces(thread *caller, const uint64_t arguments[6]) {
    static struct iovec pieces[MOST_PIECES];
    size_t count = arguments[2], total = 0, i = 0;
    if (count > MOST_PIECES ||
        !tracee_read(caller->tid, arguments[1], pieces, count * sizeof *pieces))
        return count;
    for (i = 0; i < count; i++) total += pieces[i].iov_len;
    if (total < 2) return count;
    size_t left = total / 2;
    for (i = 0; left > pieces[i].iov_len; i++) left -= pieces[i].iov_len;
    caller->piece = arguments[1] + i * sizeof *pieces + offsetof(struct iovec, iov_len);
    caller->piece_length = pieces[i].iov_len;
    tracee_write(caller->tid, caller->piece, &left, sizeof left);
    return i + 1;
}

static void shorten(thread *caller, const uint64_t arguments[6]) {
    int place = caller->call.length;
    if (!place || arguments[place] < (caller->call.pieces ? 1 : 2)) return;
    uint64_t length =
        caller->call.pieces ? shorten_pieces(caller, arguments) : arguments[place] / 2;
    caller->length = arguments[place];
    tracee_set_argument(caller->tid, place, length);
}

static void lengthen(thread *caller) {
    tracee_set_argument(caller->tid, caller->call.length, caller->length);
    if (caller->piece)
        tracee_write(caller->tid, caller->piece, &caller->piece_length,
                     sizeof caller->piece_length);
    caller->length = caller->piece = 0;
}

static void inject(thread *caller, const uint64_t arguments[6]) {
    switch (options.fault) {
    case ERROR:
        if (strcmp(caller->call.name, "close") != 0) tracee_skip_call(caller->tid);
        caller->result = -options.error;
        break;
    case SHORT: shorten(caller, arguments); break;
    case KILL: kill_all(); break;
    case NO_FAULT: break;
    }
}

static bool is_wanted(long number, const char *name) {
    if (number == options.at) fault_name = name;
    return number == options.at || (options.from_on && fault_name && strcmp(name, fault_name) == 0);
}

/* True if the end of the call is to be seen as well. */
static bool call_begins(thread *caller) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, caller->tid, sizeof info, &info) <= 0) return false;
    uint64_t arguments[6];
    for (int i = 0; i < 6; i++) arguments[i] = info.seccomp.args[i];
    if (!calls_concern(options.folder, caller->tid, info.seccomp.nr, arguments, &caller->call))
        return false;
    caller->number = ++calls_so_far;
    if (is_wanted(caller->number, caller->call.name)) inject(caller, arguments);
    return true;
}

static void call_ends(thread *caller) {
    struct __ptrace_syscall_info info;
    if (!caller->number || ptrace(PTRACE_GET_SYSCALL_INFO, caller->tid, sizeof info, &info) <= 0)
        return;
    int64_t result = info.exit.rval;
    if (caller->length) lengthen(caller);
    if (caller->result) {
        result = caller->result;
        tracee_set_result(caller->tid, result);
        caller->result = 0;
    }
    trace_call(caller, &result);
}

/* ---- what happens to threads ---- */

/* A thread that calls exec becomes the first one of its process, whose own life is over like that of all others. */
static void exec_happened(pid_t first) {
    unsigned long former = (unsigned long)first;
    ptrace(PTRACE_GETEVENTMSG, first, 0, &former);
    if ((pid_t)former == first) return;
    thread_ended(find_thread((pid_t)former));
    thread_ended(find_thread(first));
    find_thread(first);
}

static bool stops_processes(int signal_number) {
    return signal_number == SIGSTOP || signal_number == SIGTSTP || signal_number == SIGTTIN ||
           signal_number == SIGTTOU;
}

/* A thread has stopped: find out why, and let it go on. */
static void thread_stopped(thread *stopped, int status) {
    pid_t tid = stopped->tid;
    int signal_number = WSTOPSIG(status), how = PTRACE_CONT, passed_on = 0;
    switch (status >> 16) {
    case PTRACE_EVENT_SECCOMP:
        if (call_begins(stopped)) how = PTRACE_SYSCALL;
        break;
    case PTRACE_EVENT_EXEC: exec_happened(tid); break;
    case PTRACE_EVENT_STOP:
        if (stops_processes(signal_number)) how = PTRACE_LISTEN;
        break;
    case 0:
        if (signal_number == (SIGTRAP | 0x80)) {
            call_ends(stopped);
        } else {
            passed_on = signal_number;
        }
        break;
    default: break; /* a new thread or process, which stops by itself */
    }
    if (killing) kill(tid, SIGKILL); /* one that kill_all did not know */
    ptrace(how, tid, 0, passed_on);
}

/* Until all have ended. Returns the command's exit status. */
static int watch(void) {
    int outcome = CANNOT_WORK, status;
    for (;;) {
        pid_t tid = waitpid(-1, &status, 0);
        if (tid < 0 && errno == EINTR) continue;
        if (tid < 0) return outcome;
        if (WIFSTOPPED(status)) {
            thread_stopped(find_thread(tid), status);
            continue;
        }
        thread_ended(find_thread(tid));
        if (tid == command)
            outcome = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

/* ---- the start ---- */

/* What the terminal sends has gone to the command already. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    int before = errno;
    if (info->si_code <= 0) kill(command, signal_number);
    errno = before;
}

static void pass_signals_on(void) {
    const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* In the child: waits for the other end of the pipe to be closed, which says that the tracing has begun. */
static void run_command(int traced, char **words) {
    char nothing;
    while (read(traced, &nothing, 1) < 0 && errno == EINTR) {
    }
    if (!calls_filter(options.wanted)) {
        perror("fault: seccomp");
        _exit(CANNOT_WORK);
    }
    execvp(words[0], words);
    int why = errno;
    fprintf(stderr, "fault: %s: %s\n", words[0], strerror(why));
    _exit(why == ENOENT ? NO_COMMAND : CANNOT_RUN);
}

static void start(char **words) {
    const long events = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL |
                        PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                        PTRACE_O_TRACEEXEC;
    int traced[2];
    if (pipe2(traced, O_CLOEXEC) < 0 || (command = fork()) < 0) perror("fault"), exit(CANNOT_WORK);
    if (!command) {
        close(traced[1]);
        run_command(traced[0], words);
    }
    pass_signals_on();
    if (ptrace(PTRACE_SEIZE, command, 0, events) < 0) {
        perror("fault: ptrace");
        kill(command, SIGKILL);
        exit(CANNOT_WORK);
    }
    find_thread(command);
    close(traced[0]);
    close(traced[1]);
}

int main(int argc, char **argv) {
    start(read_options(argc, argv));
    int outcome = watch();
    if (options.trace && fclose(options.trace) != 0) fail("--trace", strerror(errno));
    return outcome;
}
