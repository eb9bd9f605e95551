/* Starting a program, standing in for it as far as signals go, and seeing its end. */
#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int passed_on[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGTERM, SIGCONT, SIGXCPU};

/* Those that wi_interrupts takes by default, and those that nobody sends for another reason. */
static const int asking_to_end[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGTERM, SIGXCPU};

void wi__program_prepare(wi__program *program, double grace_s) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
    *program = (wi__program){.grace_s = grace_s};
    sigemptyset(&program->passed);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&program->passed, passed_on[i]);
    for (int i = SIGRTMIN; i <= SIGRTMAX; i++) sigaddset(&program->passed, i);
    sigaddset(&program->passed, SIGCHLD);
    sigprocmask(SIG_BLOCK, &program->passed, &program->before);
    /* The program's status counts, even if nobody reads the report. */
    sigaction(SIGPIPE, &ignore, &program->pipe_before);
    /* Where SIGCHLD is ignored, there is no status. */
    sigaction(SIGCHLD, &usual, &program->child_before);
}

static void become(const wi__program *program, char **words, const char *record, int report_to) {
    sigaction(SIGPIPE, &program->pipe_before, NULL);
    sigaction(SIGCHLD, &program->child_before, NULL);
    int failed = record ? setenv("WITHIN_RECORD", record, 1) : unsetenv("WITHIN_RECORD");
    sigprocmask(SIG_SETMASK, &program->before, NULL);
    if (!failed) execvp(words[0], words);
    int error = errno;
    if (write(report_to, &error, sizeof error) < 0) _exit(126);
    _exit(127);
}

/* The errno value that comes through the pipe, which exec closes if it succeeds. */
static int read_error(int from) {
    int error = 0;
    ssize_t got;
    do got = read(from, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

int wi__program_start(wi__program *program, char **words, const char *record) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return errno;
    program->pid = fork();
    if (program->pid == 0) become(program, words, record, ends[1]);
    int error = program->pid < 0 ? errno : 0;
    close(ends[1]);
    if (!error) program->exec_error = read_error(ends[0]);
    close(ends[0]);
    if (program->exec_error) waitpid(program->pid, NULL, 0);
    return error;
}

/* One that a process sent; what a terminal sends, the program gets as well. */
static int was_sent(const siginfo_t *info) { return info->si_code <= 0; }

/* What came too late must not end the runner before it has passed on the program's status. */
static void forget_pending(const wi__program *program) {
    while (sigtimedwait(&program->passed, NULL, &(struct timespec){0, 0}) > 0) {
    }
    sigprocmask(SIG_SETMASK, &program->before, NULL);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void begin_grace(wi__program *program, int number) {
    int asks = 0;
    for (size_t i = 0; i < sizeof asking_to_end / sizeof *asking_to_end; i++)
        asks |= asking_to_end[i] == number;
    if (!asks || program->grace_s < 0 || program->asked_by) return;
    program->asked_by = number;
    program->asked_ns = now_ns(CLOCK_REALTIME);
    program->deadline_ns = now_ns(CLOCK_MONOTONIC) + (uint64_t)(program->grace_s * 1e9);
}

static void end_grace(wi__program *program) {
    program->deadline_ns = 0;
    program->killed = kill(program->pid, SIGKILL) == 0;
}

/* The next signal, or 0 when the program's time is over. A child that has ended sends one too. */
static int next_signal(const wi__program *program, siginfo_t *info) {
    if (!program->deadline_ns) return sigwaitinfo(&program->passed, info);
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    uint64_t left = now < program->deadline_ns ? program->deadline_ns - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    int number = sigtimedwait(&program->passed, info, &timeout);
    return number < 0 && errno == EAGAIN ? 0 : number;
}

int wi__program_wait(wi__program *program) {
    siginfo_t info;
    int status = -1;
    for (;;) {
        pid_t ended = waitpid(program->pid, &status, WNOHANG);
        if (ended == program->pid) break;
        if (ended < 0 && errno != EINTR) return -1;
        int number = next_signal(program, &info);
        if (number == 0) end_grace(program);
        if (number <= 0 || number == SIGCHLD) continue;
        begin_grace(program, number);
        if (was_sent(&info)) kill(program->pid, number);
    }
    forget_pending(program);
    return status;
}
