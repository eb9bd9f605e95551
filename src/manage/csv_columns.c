/* Names and types of columns: out of the text that declares them, and as the first line of a file. */
#include "manage/csv_columns.h"

#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "manage/csv_cell.h"

static const char *const type_names[] = {
    [WI__CSV_ANY] = "",      [WI__CSV_INT] = "int",   [WI__CSV_FLOAT] = "float",
    [WI__CSV_TEXT] = "text", [WI__CSV_BOOL] = "bool",
};

const char *wi__csv_type_name(wi__csv_type type) { return type_names[type]; }

/* ---- reading a declaration ---- */

static wi__csv_type type_named(const char *name, size_t n) {
    for (int type = WI__CSV_INT; type <= WI__CSV_BOOL; type++)
        if (strlen(type_names[type]) == n && memcmp(type_names[type], name, n) == 0)
            return (wi__csv_type)type;
    return WI__CSV_ANY;
}

typedef struct declaration {
    wi__csv_columns *columns;
    const char *path, *whole;
    const char *at; /* what is still to be read */
    char *to;       /* where the next name goes */
} declaration;

#define REFUSE(d, format, ...)                                                                     \
    wi_raise(WI_VALUE_ERROR, "%s: columns \"%s\": column %zu " format, (d)->path, (d)->whole,      \
             (d)->columns->count + 1, ##__VA_ARGS__)

static const char *skip_spaces(const char *at) { return at + strspn(at, " "); }

static size_t length_without_spaces_behind(const char *text, size_t n) {
    while (n > 0 && text[n - 1] == ' ') n--;
    return n;
}

/* A name in quotes, and what may stand behind it: its type. */
static wi__csv_type read_quoted(declaration *d) {
    for (d->at++;; d->at++) {
        if (!*d->at) REFUSE(d, "has a quote that is not closed");
        if (*d->at == '"') {
            d->at++;
            if (*d->at != '"') break;
        }
        *d->to++ = *d->at;
    }
    const char *behind = skip_spaces(d->at);
    const size_t n = length_without_spaces_behind(behind, strcspn(behind, ","));
    d->at = behind + strcspn(behind, ",");
    if (n == 0) return WI__CSV_ANY;
    wi__csv_type type = *behind == ':' ? type_named(behind + 1, n - 1) : WI__CSV_ANY;
    if (type == WI__CSV_ANY)
        REFUSE(d,
               "has \"%.*s\" behind its name, which is no type: there are :int, :float, :text and "
               ":bool",
               (int)n, behind);
    return type;
}

/* Only a type is cut off: any other colon belongs to the name. */
static wi__csv_type read_bare(declaration *d) {
    const char *name = d->at;
    d->at += strcspn(name, ",");
    size_t n = length_without_spaces_behind(name, (size_t)(d->at - name));
    if (memchr(name, '"', n))
        REFUSE(d, "has a quote in its name: put it in quotes, and each quote in it twice");
    const char *colon = memrchr(name, ':', n);
    wi__csv_type type = colon ? type_named(colon + 1, n - (size_t)(colon + 1 - name)) : WI__CSV_ANY;
    if (type != WI__CSV_ANY) n = length_without_spaces_behind(name, (size_t)(colon - name));
    memcpy(d->to, name, n);
    d->to += n;
    return type;
}

/* The names before it stand in front of it, each with its '\0'. */
static void check_name(const declaration *d, const char *name) {
    if (!*name) REFUSE(d, "has no name");
    size_t number = 1;
    for (const char *other = d->columns->text; other < name; other += strlen(other) + 1, number++)
        if (strcmp(other, name) == 0) REFUSE(d, "has the name \"%s\" of column %zu", name, number);
}

static void read_column(declaration *d) {
    char *name = d->to;
    d->at = skip_spaces(d->at);
    wi__csv_type type = *d->at == '"' ? read_quoted(d) : read_bare(d);
    *d->to++ = '\0';
    check_name(d, name);
    d->columns->list[d->columns->count++] = (wi__csv_column){name, type};
}

void wi__csv_columns_read(wi__csv_columns *columns, const char *text, const char *path) {
    size_t most = 1;
    for (const char *c = text; *c; c++) most += *c == ',';
    columns->list = calloc(most, sizeof *columns->list);
    columns->text = malloc(strlen(text) + 1); /* a comma or the end makes room for each '\0' */
    if (!columns->list || !columns->text)
        wi_raise(WI_MEMORY_ERROR, "%s: no memory for %zu columns", path, most);
    declaration d = {columns, path, text, text, columns->text};
    for (read_column(&d); *d.at; read_column(&d)) d.at++;
}

void wi__csv_columns_release(wi__csv_columns *columns) {
    free(columns->list);
    free(columns->text);
    *columns = (wi__csv_columns){0};
}

/* ---- the first line of a file ---- */

int wi__csv_columns_may_have_quotes(const wi__csv_columns *columns) {
    for (size_t i = 0; i < columns->count; i++)
        if (columns->list[i].type == WI__CSV_ANY || columns->list[i].type == WI__CSV_TEXT) return 1;
    return 0;
}

char *wi__csv_columns_line(const wi__csv_columns *columns) {
    size_t room = 2;
    for (size_t i = 0; i < columns->count; i++)
        room += wi__csv_cell_room(columns->list[i].name) + 1;
    char *line = malloc(room), *at = line;
    if (!line) wi_raise(WI_MEMORY_ERROR, "no memory for a line of %zu bytes", room);
    for (size_t i = 0; i < columns->count; i++) {
        if (i) *at++ = ',';
        at = wi__csv_put_cell(at, columns->list[i].name);
    }
    *at++ = '\n';
    *at = '\0';
    return line;
}

int wi__csv_columns_are(const wi__csv_columns *columns, const char *line, const char *end) {
    for (size_t i = 0; i < columns->count; i++) {
        if (!wi__csv_cell_is(&line, end, columns->list[i].name)) return 0;
        int is_last = i + 1 == columns->count;
        if (is_last != (line == end)) return 0;
        line++;
    }
    return 1;
}
