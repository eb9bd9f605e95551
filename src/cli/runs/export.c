/* within export: a run as CSV, JSON or Parquet, for other programs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <within/atomic_file.h>
#include <within/try.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/database.h"
#include "cli/runs/json.h"
#include "cli/runs/parquet.h"
#include "cli/runs/points.h"
#include "cli/runs/run_json.h"
#include "manage/shortest.h"

enum { CSV, JSON, PARQUET, OUTPUT, DATABASE };

static const wi__option options[] = {
    [CSV] = {"csv", NULL, "Write CSV: metric, step, time and value, a line a point"},
    [JSON] = {"json", NULL, "Write JSON: what within show --json has, and all points"},
    [PARQUET] = {"parquet", NULL, "Write Parquet with the columns of CSV; it needs pyarrow"},
    [OUTPUT] = {"output", "FILE", "Write it there, whole or not at all; by default on stdout"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

typedef struct exporting {
    const char *path, *word, *output;
    int format;
    FILE *out;
    sqlite3 *db;
    int64_t run;
    char *metric; /* the one that is being written, as its format quotes it */
    int column;   /* of the array that is being written */
    size_t count;
} exporting;

/* ---- the names of the metrics ---- */

typedef struct names {
    char **names;
    size_t count, room;
} names;

static void take_name(void *arg, sqlite3_stmt *row) {
    names *all = arg;
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 64;
        all->names = (char **)wi_check_null(realloc((void *)all->names, room * sizeof *all->names),
                                            "export");
        all->room = room;
    }
    all->names[all->count++] = wi_check_null(strdup(wi__column_text(row, 0)), "export");
}

/* Statements for points run between, so the names are kept first. */
static names names_of(const exporting *to) {
    names all = {0};
    wi__run_each(to->db, to->run, WI__RUN_METRICS, take_name, &all);
    return all;
}

static void release_names(names *all) {
    for (size_t i = 0; i < all->count; i++) free(all->names[i]);
    free((void *)all->names);
}

/* ---- CSV ---- */

static void print_number(FILE *out, double number) {
    char text[WI__NUMBER_MOST];
    fwrite(text, 1, (size_t)(wi__write_double(text, number) - text), out);
}

static void print_csv_points(void *arg, int64_t count, const int64_t *steps, const int64_t *ms,
                             const double *values) {
    exporting *to = arg;
    for (int64_t i = 0; i < count; i++) {
        fprintf(to->out, "%s,%" PRId64 ",%" PRId64 ".%03d,", to->metric, steps[i], ms[i] / 1000,
                (int)(ms[i] % 1000));
        print_number(to->out, values[i]);
        fputc('\n', to->out);
    }
}

/* As RFC 4180 wants it. */
static char *quoted(const char *text) {
    size_t used = 0;
    char *copy = wi_check_null(malloc(2 * strlen(text) + 3), "export");
    if (!text[strcspn(text, ",\"\r\n")]) return memcpy(copy, text, strlen(text) + 1);
    copy[used++] = '"';
    for (; *text; text++) {
        if (*text == '"') copy[used++] = '"';
        copy[used++] = *text;
    }
    copy[used++] = '"';
    copy[used] = '\0';
    return copy;
}

static void write_csv(exporting *to) {
    names all = names_of(to);
    fputs("metric,step,time,value\n", to->out);
    for (size_t i = 0; i < all.count; i++) {
        to->metric = quoted(all.names[i]);
        wi__each_points(to->db, to->run, all.names[i], print_csv_points, to);
        free(to->metric);
    }
    release_names(&all);
}

/* ---- JSON ---- */

static void print_json_points(void *arg, int64_t count, const int64_t *steps, const int64_t *ms,
                              const double *values) {
    exporting *to = arg;
    for (int64_t i = 0; i < count; i++) {
        if (to->count++) fputc(',', to->out);
        if (to->column == 0) fprintf(to->out, "%" PRId64, steps[i]);
        if (to->column == 1) fprintf(to->out, "%" PRId64, ms[i]);
        if (to->column == 2) wi__json_number(to->out, values[i]);
    }
}

static void write_json_metric(exporting *to, const char *name) {
    static const char *const columns[] = {"step", "ms", "value"};
    for (to->column = 0; to->column < 3; to->column++) {
        wi__json_key(to->out, to->column == 0, columns[to->column]);
        fputc('[', to->out);
        to->count = 0;
        wi__each_points(to->db, to->run, name, print_json_points, to);
        fputc(']', to->out);
    }
}

static void write_json(exporting *to) {
    names all = names_of(to);
    wi__print_run_members(to->out, to->db, to->run);
    fputs(",\n \"points\": {", to->out);
    for (size_t i = 0; i < all.count; i++) {
        fputs(i ? ",\n  " : "\n  ", to->out);
        wi__json_key(to->out, 1, all.names[i]);
        fputc('{', to->out);
        write_json_metric(to, all.names[i]);
        fputc('}', to->out);
    }
    fputs("}}\n", to->out);
    release_names(&all);
}

/* ---- where it goes ---- */

static void write_run(exporting *to) {
    if (to->format == JSON)
        write_json(to);
    else
        write_csv(to);
}

/* Parquet is made of the CSV by Python, which reads it through a pipe. */
static void write_parquet(exporting *to, const char *target) {
    wi__parquet converter;
    wi__parquet_begin(&converter, target);
    to->out = converter.to;
    wi_try {
        write_run(to);
    } wi_finally {
        wi__parquet_end(&converter);
    }
}

static void write_to_file(exporting *to) {
    if (to->format == PARQUET) {
        within (file, wi_atomic_path(to->output)) write_parquet(to, file->temporary);
        return;
    }
    within (file, wi_atomic_file(to->output)) {
        to->out = file->stream;
        write_run(to);
    }
}

static void export_run(wi_database *store, void *arg) {
    exporting *to = arg;
    to->db = store->handle;
    wi_database_execute(store, "BEGIN"); /* one state of a run that goes on */
    to->run = wi__run_meant(to->db, to->word);
    to->out = stdout;
    if (to->output)
        write_to_file(to);
    else if (to->format == PARQUET)
        write_parquet(to, NULL);
    else
        write_run(to);
}

static int run(const wi__arguments *arguments) {
    int formats = 0, format = CSV;
    for (int i = CSV; i <= PARQUET; i++) {
        if (!arguments->values[i]) continue;
        format = i;
        formats++;
    }
    if (!arguments->count)
        return wi__usage_error("export", "the run is missing: within export RUN --csv");
    if (formats != 1)
        return wi__usage_error("export", "one of --csv, --json and --parquet is needed");
    const char *output = arguments->values[OUTPUT];
    if (output && !*output)
        return wi__usage_error("export", "--output needs a path, and got an empty one");
    if (format == PARQUET && !output && isatty(STDOUT_FILENO))
        return wi__usage_error("export", "Parquet is nothing for a terminal: say --output FILE");
    exporting to = {.path = wi__database_path(arguments->values[DATABASE]),
                    .word = arguments->operands[0],
                    .output = output,
                    .format = format};
    return wi__with_database("export", to.path, export_run, &to);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Writes a run for other programs. CSV has a line for each point of each metric:\n"
    "metric, step, time in seconds since 1970, value. JSON has all that is known of\n"
    "the run, and its points. Parquet has the columns of CSV; it is made by\n"
    "pyarrow, of the Python in $WITHIN_PYTHON, else of python3.\n"
    "\n"
    "RUN is the begin of an id, a name, or \"last\": see within show --help.";

static const char details[] =
    "Numbers are the shortest that read back as the same. CSV is as RFC 4180 wants it,\n"
    "with plain line ends; a NaN is nan, an infinity inf.\n"
    "\n"
    "JSON has the keys of within show --json, and points: an object with, of each\n"
    "metric, three arrays: step, ms (milliseconds since 1970) and value. A NaN is null,\n"
    "an infinity 1e999.\n";

const wi__command wi__export_command = {
    .name = "export",
    .summary = WI__EXPORT_SUMMARY,
    .operands = "RUN",
    .text = text,
    .details = details,
    .statuses = "0\tThe run was written\n"
                "1\tThere is no such run, several are meant, the database cannot be read, or the "
                "output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within export last --csv > run.csv\n"
                "within export 3f2a --parquet --output run.parquet\n",
    .options = options,
    .most_operands = 1,
    .run = run,
};
