/* What --help prints, from the commands' tables. */
#include <string.h>

#include "cli/command.h"

enum { MARGIN = 20, WIDTH = 80 };

/* Words of a text in the columns from MARGIN to WIDTH; the cursor stands at `column`. */
static void print_wrapped(FILE *out, int column, const char *text) {
    fprintf(out, "%*s", column < MARGIN ? MARGIN - column : 0, "");
    if (column >= MARGIN) fprintf(out, "\n%*s", MARGIN, "");
    column = MARGIN;
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (column > MARGIN && column + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", MARGIN, "");
            column = MARGIN;
        }
        column += fprintf(out, "%s%.*s", column > MARGIN ? " " : "", length, text);
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const wi__option *option) {
    int column = fprintf(out, "  --%s%s%s", option->name, option->argument ? " " : "",
                         option->argument ? option->argument : "");
    print_wrapped(out, column, option->help);
}

static void print_statuses(FILE *out, const char *line) {
    while (*line) {
        char meaning[400];
        int status = (int)strcspn(line, "\t"), length = (int)strcspn(line, "\n");
        snprintf(meaning, sizeof meaning, "%.*s", length - status - 1, line + status + 1);
        print_wrapped(out, fprintf(out, "  %.*s", status, line), meaning);
        line += length + (line[length] == '\n');
    }
}

static void print_examples(FILE *out, const char *line) {
    while (*line) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "  %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

void wi__print_help(FILE *out, const wi__command *command) {
    static const wi__option help = {"help", NULL, "Print this"};
    fprintf(out, "within %s: %s\n\n", command->name, command->summary);
    fprintf(out, "usage: within %s [OPTION]... %s\n\n", command->name, command->operands);
    fprintf(out, "%s\n\noptions\n", command->text);
    for (const wi__option *option = command->options; option->name; option++)
        print_option(out, option);
    print_option(out, &help);
    fputs("\nexit status\n", out);
    print_statuses(out, command->statuses);
    fputs("\nexamples\n", out);
    print_examples(out, command->examples);
}

void wi__print_overview(FILE *out) {
    fputs("within: where a program's time goes, and what a dead one was doing\n\n"
          "usage: within COMMAND [OPTION]...\n\ncommands\n",
          out);
    for (size_t i = 0; wi__commands[i]; i++)
        fprintf(out, "  %-*s%s\n", MARGIN - 2, wi__commands[i]->name, wi__commands[i]->summary);
    for (const wi__elsewhere *at = wi__elsewhere_commands; at->name; at++)
        fprintf(out, "  %-*s%s\n", MARGIN - 2, at->name, at->summary);
    fputs("\nwithin COMMAND --help tells more of a command; within --version prints the version.\n",
          out);
}
