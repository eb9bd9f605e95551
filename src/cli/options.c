/* Parsing command lines. */
#include "cli/options.h"

#include <stdarg.h>
#include <string.h>

int wi__usage_error(const char *command, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "within%s%s: ", command ? " " : "", command ? command : "");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\ntype: within%s%s --help\n", command ? " " : "", command ? command : "");
    return WI__STATUS_USAGE;
}

/* ---- names that are nearly right ---- */

enum { LONGEST_WORD = 63 };

/* Levenshtein's distance: how many letters to add, take away or change. */
static size_t edit_distance(const char *left, const char *right) {
    size_t row[LONGEST_WORD + 1], length = strnlen(right, LONGEST_WORD);
    for (size_t j = 0; j <= length; j++) row[j] = j;
    for (size_t i = 1; i <= LONGEST_WORD && left[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t changed = diagonal + (left[i - 1] != right[j - 1]);
            size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[length];
}

int wi__nearest(const char *word, const char *const *names, size_t count) {
    int nearest = -1;
    size_t least = 0;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, names[i]);
        if (nearest >= 0 && distance >= least) continue;
        nearest = (int)i;
        least = distance;
    }
    return nearest;
}

/* ---- parsing ---- */

static int unknown_option(const wi__command *command, const char *name) {
    const char *names[WI__MOST_OPTIONS + 1];
    size_t count = 0;
    for (const wi__option *option = command->options; option->name; option++)
        names[count++] = option->name;
    names[count++] = "help";
    return wi__usage_error(command->name, "unknown option --%s; did you mean --%s?", name,
                           names[wi__nearest(name, names, count)]);
}

/* The option's place in the table; -1 if it is not there. `length` leaves out "=value". */
static int find_option(const wi__command *command, const char *name, size_t length) {
    for (int i = 0; command->options[i].name; i++)
        if (strlen(command->options[i].name) == length &&
            strncmp(command->options[i].name, name, length) == 0)
            return i;
    return -1;
}

static int may_repeat(const wi__option *option) {
    size_t length = option->argument ? strlen(option->argument) : 0;
    return length > 3 && strcmp(option->argument + length - 3, "...") == 0;
}

static int keep_given(const wi__command *command, wi__arguments *arguments, int option) {
    if (arguments->given_count == WI__MOST_GIVEN) {
        wi__usage_error(command->name, "--%s is one too many: there may be %d of such options",
                        command->options[option].name, WI__MOST_GIVEN);
        return 0;
    }
    arguments->given[arguments->given_count++] = (wi__given){option, arguments->values[option]};
    return 1;
}

/* One option at words[0]. @return how many words it took; 0 if it is wrong, which then was said. */
static int take_option(const wi__command *command, char **words, wi__arguments *arguments) {
    char name[LONGEST_WORD + 1];
    size_t length = strcspn(words[0] + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1),
             words[0] + 2);
    const char *value = words[0][2 + length] == '=' ? words[0] + 3 + length : NULL;
    int found = find_option(command, words[0] + 2, length);
    if (found < 0) return unknown_option(command, name), 0;
    const wi__option *option = &command->options[found];
    if (!option->argument && value) {
        wi__usage_error(command->name, "--%s takes no value, and got \"%s\"", option->name, value);
        return 0;
    }
    if (option->argument && !value && !words[1]) {
        wi__usage_error(command->name, "--%s needs a value: --%s %s", option->name, option->name,
                        option->argument);
        return 0;
    }
    arguments->values[found] = !option->argument ? "" : value ? value : words[1];
    if (may_repeat(option) && !keep_given(command, arguments, found)) return 0;
    return option->argument && !value ? 2 : 1;
}

static int is_option(const char *word) { return word[0] == '-' && word[1] != '\0'; }

static wi__parsed check_operands(const wi__command *command, const wi__arguments *arguments) {
    if (command->most_operands < 0 || arguments->count <= command->most_operands) return WI__PARSED;
    wi__usage_error(command->name, "\"%s\" is one argument too many",
                    arguments->operands[command->most_operands]);
    return WI__PARSED_WRONG;
}

wi__parsed wi__parse(const wi__command *command, char **words, wi__arguments *arguments) {
    *arguments = (wi__arguments){.operands = words};
    int only_operands = 0;
    for (char **word = words; *word;) {
        if (!only_operands && strcmp(*word, "--") == 0) {
            only_operands = 1;
            word++;
        } else if (only_operands || !is_option(*word)) {
            arguments->operands[arguments->count++] = *word++;
            only_operands |= command->most_operands < 0;
        } else if (strcmp(*word, "--help") == 0 || strcmp(*word, "-h") == 0) {
            return WI__PARSED_HELP;
        } else if (strncmp(*word, "--", 2) != 0) {
            wi__usage_error(command->name, "unknown option %s; options begin with --", *word);
            return WI__PARSED_WRONG;
        } else {
            int taken = take_option(command, word, arguments);
            if (!taken) return WI__PARSED_WRONG;
            word += taken;
        }
    }
    arguments->operands[arguments->count] = NULL;
    return check_operands(command, arguments);
}
