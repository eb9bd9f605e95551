/* Every executable's main: finds the command that is meant, and sees that what was printed has arrived. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <within/version.h>

#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/options.h"

char **wi__typed_words;

const wi__command *wi__command_named(const char *name) {
    for (size_t i = 0; wi__commands[i]; i++)
        if (strcmp(wi__commands[i]->name, name) == 0) return wi__commands[i];
    return NULL;
}

enum { MOST_COMMANDS = 32 };

static int unknown_word(const char *word) {
    static const char *const options[] = {"--help", "--version"};
    const char *names[MOST_COMMANDS];
    size_t count = 0;
    if (word[0] == '-')
        return wi__usage_error(NULL, "unknown option %s; did you mean %s?", word,
                               options[wi__nearest(word, options, 2)]);
    for (; wi__commands[count]; count++) names[count] = wi__commands[count]->name;
    for (const wi__elsewhere *at = wi__elsewhere_commands; at->name; at++)
        names[count++] = at->name;
    names[count++] = "help";
    return wi__usage_error(NULL, "unknown command %s; did you mean %s?", word,
                           names[wi__nearest(word, names, count)]);
}

static int run_command(const wi__command *command, char **words) {
    wi__arguments arguments;
    switch (wi__parse(command, words, &arguments)) {
    case WI__PARSED_WRONG: return WI__STATUS_USAGE;
    case WI__PARSED_HELP: wi__print_help(stdout, command); return 0;
    default: return command->run(&arguments);
    }
}

/* `within help [CMD]` and the hidden `within --man [CMD]`, which the build makes manual pages with. */
static int explain(const char *word, int as_manual) {
    const wi__command *command = word ? wi__command_named(word) : NULL;
    const wi__elsewhere *elsewhere = word && !command ? wi__elsewhere_named(word) : NULL;
    if (elsewhere) return wi__go_elsewhere(elsewhere, wi__typed_words);
    if (word && !command) return unknown_word(word);
    if (as_manual)
        wi__print_manual(stdout, command);
    else if (command)
        wi__print_help(stdout, command);
    else
        wi__print_overview(stdout);
    return 0;
}

static int dispatch(char **words) {
    if (!words[0]) {
        wi__print_overview(stderr);
        return WI__STATUS_USAGE;
    }
    const wi__command *command = wi__command_named(words[0]);
    if (command) return run_command(command, words + 1);
    const wi__elsewhere *elsewhere = wi__elsewhere_named(words[0]);
    if (elsewhere) return wi__go_elsewhere(elsewhere, words);
    if (strcmp(words[0], "help") == 0) return explain(words[1], 0);
    if (strcmp(words[0], "--man") == 0) return explain(words[1], 1);
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) return explain(NULL, 0);
    if (strcmp(words[0], "--version") != 0) return unknown_word(words[0]);
    printf("within %s\n", wi_version());
    return 0;
}

/* A full disk shows itself when the output is written; a reader that has gone is no news. `error` is the
 * errno value after the last output. */
static int finish_output(int status, int error) {
    int failed = ferror(stdout);
    if (fflush(stdout)) {
        failed = 1;
        error = errno;
    }
    if (!failed) return status;
    if (error != EPIPE) fprintf(stderr, "within: cannot write the output: %s\n", strerror(error));
    return status ? status : WI__STATUS_FAILED;
}

/* Without them the next file that is opened would be taken for stdin, stdout or stderr. */
static void open_standard_files(void) {
    int file;
    do file = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0) close(file);
}

/* Where there is no memory for them, the words as parsing leaves them will do. */
static char **copy_of(int count, char **words) {
    char **copy = (char **)malloc(((size_t)count + 1) * sizeof *words);
    if (!copy) return words;
    memcpy((void *)copy, (void *)words, ((size_t)count + 1) * sizeof *words);
    return copy;
}

int main(int count, char **words) {
    open_standard_files();
    count -= count > 0;
    words += *words != NULL;
    wi__typed_words = copy_of(count, words);
    int status = dispatch(words);
    status = finish_output(status, errno);
    if (wi__typed_words != words) free((void *)wi__typed_words);
    return status;
}
