/* The names of signals. The C library's own, sigabbrev_np, is too young to be everywhere. */
#include "record/signal_name.h"

#include <signal.h>
#include <stdio.h>

typedef struct signal_name {
    int number;
    const char *name;
} signal_name;

static const signal_name names[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},     {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},       {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"},     {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},     {SIGCHLD, "SIGCHLD"},
    {SIGCONT, "SIGCONT"}, {SIGSTOP, "SIGSTOP"}, {SIGTSTP, "SIGTSTP"},     {SIGTTIN, "SIGTTIN"},
    {SIGTTOU, "SIGTTOU"}, {SIGURG, "SIGURG"},   {SIGXCPU, "SIGXCPU"},     {SIGXFSZ, "SIGXFSZ"},
    {SIGPROF, "SIGPROF"}, {SIGPWR, "SIGPWR"},   {SIGVTALRM, "SIGVTALRM"}, {SIGWINCH, "SIGWINCH"},
    {SIGSYS, "SIGSYS"},   {SIGIO, "SIGIO"},
};

wi__signal_words wi__signal_name(int number) {
    wi__signal_words words;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number != number) continue;
        snprintf(words.text, sizeof words.text, "%s", names[i].name);
        return words;
    }
    if (number >= SIGRTMIN && number <= SIGRTMAX)
        snprintf(words.text, sizeof words.text, "SIGRTMIN+%d", number - SIGRTMIN);
    else
        snprintf(words.text, sizeof words.text, "signal %d", number);
    return words;
}
