/* Asking before something is done that cannot be undone. */
#include "cli/runs/asking.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"

int wi__check_for_answers(const char *command, int yes) {
    if (yes || isatty(STDIN_FILENO)) return 0;
    return wi__usage_error(command, "nobody is there to be asked: say --yes");
}

int wi__is_answered_yes(void) {
    char answer[16] = "";
    fputs(" [y/N] ", stderr);
    return fgets(answer, sizeof answer, stdin) &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}
