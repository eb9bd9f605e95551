/* A run as a JSON object. */
#include "cli/runs/run_json.h"

#include <inttypes.h>

#include "cli/runs/json.h"
#include "runs/read.h"

typedef struct writing {
    FILE *out;
    size_t count; /* of the part that is being written */
} writing;

/* ---- the run itself ---- */

static void print_row(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    FILE *out = ((writing *)arg)->out;
    (void)columns;
    wi__json_key(out, 1, "id");
    wi__json_text(out, run->uuid);
    wi__json_text_member(out, "name", run->name);
    wi__json_text_member(out, "status", run->status);
    wi__json_number_member(out, "duration_s", run->duration_s);
}

static void integer_or_null(FILE *out, const char *key, sqlite3_stmt *row, int column) {
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        wi__json_text_member(out, key, "");
    else
        wi__json_integer_member(out, key, sqlite3_column_int64(row, column));
}

static void moment_or_null(FILE *out, const char *key, sqlite3_stmt *row, int column) {
    int is_null = sqlite3_column_type(row, column) == SQLITE_NULL;
    wi__json_moment_member(out, key, is_null ? -1 : sqlite3_column_int64(row, column));
}

static void print_facts(void *arg, sqlite3_stmt *row) {
    FILE *out = ((writing *)arg)->out;
    moment_or_null(out, "started", row, 2);
    moment_or_null(out, "ended", row, 3);
    wi__json_text_member(out, "host", wi__column_text(row, 4));
    integer_or_null(out, "pid", row, 5);
    wi__json_text_member(out, "user", wi__column_text(row, 6));
    wi__json_text_member(out, "command", wi__column_text(row, 7));
    wi__json_text_member(out, "directory", wi__column_text(row, 8));
    integer_or_null(out, "exit_status", row, 9);
    wi__json_text_member(out, "signal", wi__column_text(row, 10));
    wi__json_text_member(out, "error", wi__column_text(row, 11));
    wi__json_text_member(out, "doing", wi__column_text(row, 12));
    integer_or_null(out, "peak_memory", row, 13);
    wi__json_text_member(out, "parent", wi__column_text(row, 0));
}

/* ---- its parts ---- */

static void print_pair(void *arg, sqlite3_stmt *row) {
    writing *to = arg;
    wi__json_key(to->out, to->count++ == 0, wi__column_text(row, 0));
    wi__json_text(to->out, wi__column_text(row, 1));
}

static void begin_object(writing *to, const char *first_key, const char *text) {
    fputs(to->count++ ? ",\n  {" : "\n  {", to->out);
    wi__json_key(to->out, 1, first_key);
    wi__json_text(to->out, text);
}

static void print_metric(void *arg, sqlite3_stmt *row) {
    writing *to = arg;
    begin_object(to, "name", wi__column_text(row, 0));
    wi__json_integer_member(to->out, "count", sqlite3_column_int64(row, 1));
    integer_or_null(to->out, "last_step", row, 2);
    wi__json_number_member(to->out, "last", wi__column_number(row, 3));
    wi__json_number_member(to->out, "least", wi__column_number(row, 4));
    wi__json_number_member(to->out, "most", wi__column_number(row, 5));
    fputc('}', to->out);
}

static void print_section(void *arg, sqlite3_stmt *row) {
    static const char *const keys[] = {"total_s", "self_s", "mean_s", "std_s",
                                       "min_s",   "p50_s",  "p99_s",  "max_s"};
    writing *to = arg;
    begin_object(to, "path", wi__column_text(row, 0));
    wi__json_integer_member(to->out, "calls", sqlite3_column_int64(row, 1));
    for (int i = 0; i < 8; i++)
        wi__json_number_member(to->out, keys[i], wi__column_number(row, 2 + i));
    wi__json_integer_member(to->out, "errors", sqlite3_column_int64(row, 10));
    fputc('}', to->out);
}

static void print_finding(void *arg, sqlite3_stmt *row) {
    writing *to = arg;
    begin_object(to, "kind", wi__column_text(row, 0));
    wi__json_text_member(to->out, "section", wi__column_text(row, 1));
    wi__json_text_member(to->out, "what", wi__column_text(row, 2));
    fputc('}', to->out);
}

static void print_artifact(void *arg, sqlite3_stmt *row) {
    writing *to = arg;
    begin_object(to, "name", wi__column_text(row, 0));
    wi__json_integer_member(to->out, "bytes", sqlite3_column_int64(row, 1));
    wi__json_key(to->out, 0, "crc32c");
    fprintf(to->out, "\"%08" PRIx32 "\"}", (uint32_t)sqlite3_column_int64(row, 2));
}

static void print_child(void *arg, sqlite3_stmt *row) {
    writing *to = arg;
    if (to->count++) fputs(", ", to->out);
    wi__json_text(to->out, wi__column_text(row, 0));
}

static const struct {
    const char *key;
    wi__run_part part;
    char open, close;
    wi__take_row *take;
} parts[] = {
    {"params", WI__RUN_PARAMS, '{', '}', print_pair},
    {"tags", WI__RUN_TAGS, '{', '}', print_pair},
    {"environment", WI__RUN_ENVIRONMENT, '{', '}', print_pair},
    {"metrics", WI__RUN_METRICS, '[', ']', print_metric},
    {"sections", WI__RUN_SECTIONS, '[', ']', print_section},
    {"findings", WI__RUN_FINDINGS, '[', ']', print_finding},
    {"artifacts", WI__RUN_ARTIFACTS, '[', ']', print_artifact},
    {"children", WI__RUN_CHILDREN, '[', ']', print_child},
};

void wi__print_run_members(FILE *out, sqlite3 *db, int64_t run) {
    writing to = {.out = out};
    fputc('{', out);
    wi__run_each_row(db, run, print_row, &to);
    wi__run_each(db, run, WI__RUN_FACTS, print_facts, &to);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        to.count = 0;
        fputs(",\n ", out);
        wi__json_key(out, 1, parts[i].key);
        fputc(parts[i].open, out);
        wi__run_each(db, run, parts[i].part, parts[i].take, &to);
        fputc(parts[i].close, out);
    }
}

void wi__print_run_json(FILE *out, sqlite3 *db, int64_t run) {
    wi__print_run_members(out, db, run);
    fputc('}', out);
}
