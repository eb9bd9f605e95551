/* Manual pages in roff, from the same tables as the help. */
#include <ctype.h>
#include <string.h>

#include <within/version.h>

#include "cli/command.h"

/* ---- roff ---- */

/* Text in which nothing is a request: '\' and '-' escaped, and no '.' or '\'' at a line's begin. */
static void print_escaped(FILE *out, const char *text, size_t length) {
    if (length && (text[0] == '.' || text[0] == '\'')) fputs("\\&", out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

static void print_line(FILE *out, const char *before, const char *text) {
    fputs(before, out);
    print_escaped(out, text, strlen(text));
    fputc('\n', out);
}

/* Lines of a text; those that begin with two spaces stay as they are, an empty one ends a paragraph. */
static void print_text(FILE *out, const char *text) {
    int literal = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        int is_literal = strncmp(text, "  ", 2) == 0;
        size_t skipped = is_literal ? 2 : 0;
        if (is_literal != literal) fputs(is_literal ? ".PP\n.nf\n.RS 4\n" : ".RE\n.fi\n", out);
        literal = is_literal;
        if (length == 0) fputs(".PP", out);
        print_escaped(out, text + skipped, length - skipped);
        fputc('\n', out);
        text += length + (text[length] == '\n');
    }
    if (literal) fputs(".RE\n.fi\n", out);
}

static void print_begin(FILE *out, const char *name, const char *summary) {
    char upper[64];
    size_t length = 0;
    for (; name[length] && length < sizeof upper - 1; length++)
        upper[length] = (char)toupper((unsigned char)name[length]);
    upper[length] = '\0';
    fputs(".\\\" Made by within \\-\\-man.\n.TH ", out);
    print_escaped(out, upper, length);
    fputs(" 1 \"\" \"within " WI_VERSION "\"\n.SH NAME\n", out);
    print_escaped(out, name, length);
    print_line(out, " \\- ", summary);
}

/* ---- a command ---- */

static void print_options(FILE *out, const wi__command *command) {
    fputs(".SH OPTIONS\n", out);
    for (const wi__option *option = command->options; option->name; option++) {
        fputs(".TP\n\\fB\\-\\-", out);
        print_escaped(out, option->name, strlen(option->name));
        fputs("\\fR", out);
        if (option->argument) fprintf(out, " \\fI%s\\fR", option->argument);
        fputc('\n', out);
        print_escaped(out, option->help, strlen(option->help));
        fputs(".\n", out);
    }
    fputs(".TP\n\\fB\\-\\-help\\fR\nPrint a short help.\n", out);
}

static void print_statuses(FILE *out, const wi__command *command) {
    fputs(".SH EXIT STATUS\n", out);
    for (const char *line = command->statuses; *line;) {
        size_t status = strcspn(line, "\t"), length = strcspn(line, "\n");
        fputs(".TP\n.B ", out);
        print_escaped(out, line, status);
        fputc('\n', out);
        print_escaped(out, line + status + 1, length - status - 1);
        fputs(".\n", out);
        line += length + (line[length] == '\n');
    }
}

static void print_examples(FILE *out, const wi__command *command) {
    fputs(".SH EXAMPLES\n.nf\n.RS 4\n", out);
    print_escaped(out, command->examples, strlen(command->examples));
    fputs("\n.RE\n.fi\n", out);
}

static void print_command(FILE *out, const wi__command *command) {
    char name[64];
    snprintf(name, sizeof name, "within-%s", command->name);
    print_begin(out, name, command->summary);
    fprintf(out, ".SH SYNOPSIS\n\\fBwithin %s\\fR [\\fIOPTION\\fR]... ", command->name);
    print_line(out, "", command->operands);
    fputs(".SH DESCRIPTION\n", out);
    print_text(out, command->text);
    print_options(out, command);
    if (command->details) {
        fputs(".SH NOTES\n", out);
        print_text(out, command->details);
    }
    print_statuses(out, command);
    print_examples(out, command);
    fputs(".SH SEE ALSO\n.BR within (1)\n", out);
}

/* ---- within itself ---- */

static const char description[] = "Programs in C that use with\\-blocks from libwithin measure "
                                  "their sections: calls, time, percentiles,\n"
                                  "errors. The measurements are kept in a record, a file that is "
                                  "complete at every moment: it can be\n"
                                  "read while the program runs, and after it was killed.\n";

static const char environment[] =
    ".SH ENVIRONMENT\n"
    ".TP\n.B WITHIN_RECORD\n"
    "The file that a program puts its record in. \\fBwithin run\\fR sets it.\n"
    ".TP\n.B WITHIN_WATCH\n"
    "1, or names of sections with commas between: the program watches what they leave behind, as\n"
    "under within run \\-\\-watch.\n"
    ".TP\n.B WITHIN_CLOCK\n"
    "The clock that sections read: \\fBtsc\\fR, the processor's counter; \\fBfenced\\fR, the same, "
    "read in the\n"
    "order of the program; \\fBmonotonic\\fR, the system's. By default the counter, if the kernel "
    "trusts it.\n"
    ".TP\n.B WITHIN_DATABASE\n"
    "The database of runs; \\fIruns.db\\fR in the working folder if it is not set or empty.\n"
    ".TP\n.B WITHIN_RUN\n"
    "The run that a program's runs are children of. \\fBwithin run \\-\\-name\\fR sets it.\n"
    ".TP\n.B TMPDIR\n"
    "The folder that scratch directories are made in; \\fI/tmp\\fR if it is not set or empty.\n"
    ".TP\n.B NO_COLOR\n"
    "If it is set and not empty, reports are printed without colour.\n"
    ".SH FILES\n"
    ".TP\n.I .within/*.within\n"
    "Records, one a run, below the folder where \\fBwithin run\\fR was started.\n";

static void print_summary(FILE *out, const char *name, const char *summary) {
    fprintf(out, ".TP\n\\fBwithin\\-%s\\fR(1)\n", name);
    print_line(out, "", summary);
}

/* Its commands, and those of other executables. */
static void print_summaries(FILE *out) {
    for (size_t i = 0; wi__commands[i]; i++)
        print_summary(out, wi__commands[i]->name, wi__commands[i]->summary);
    for (const wi__elsewhere *at = wi__elsewhere_commands; at->name; at++)
        print_summary(out, at->name, at->summary);
}

static void print_pages(FILE *out) {
    for (size_t i = 0; wi__commands[i]; i++)
        fprintf(out, "%s.BR within\\-%s (1)", i ? ",\n" : "", wi__commands[i]->name);
    for (const wi__elsewhere *at = wi__elsewhere_commands; at->name; at++)
        fprintf(out, ",\n.BR within\\-%s (1)", at->name);
    fputc('\n', out);
}

static void print_overview(FILE *out) {
    print_begin(out, "within", "where a program's time goes, and what a dead one was doing");
    fputs(".SH SYNOPSIS\n\\fBwithin\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n",
          out);
    fputs(description, out);
    fputs(".SH COMMANDS\n", out);
    print_summaries(out);
    fputs(".SH OPTIONS\n.TP\n\\fB\\-\\-help\\fR\nPrint a short help.\n"
          ".TP\n\\fB\\-\\-version\\fR\nPrint the version.\n",
          out);
    fputs(environment, out);
    fputs(".SH SEE ALSO\n", out);
    print_pages(out);
}

void wi__print_manual(FILE *out, const wi__command *command) {
    if (command)
        print_command(out, command);
    else
        print_overview(out);
}
