/* within show: all that is known of a run. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/database.h"
#include "cli/runs/grid.h"
#include "cli/runs/run_json.h"
#include "cli/runs/sections.h"
#include "report/utf8.h"

enum { JSON, DATABASE };

static const wi__option options[] = {
    [JSON] = {"json", NULL, "Print JSON; the manual page lists its keys"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

enum { LABEL = 10, INDENT = 2 };

typedef struct showing {
    const char *path, *word;
    int as_json;
    wi__page page;
    double duration_s;
    wi__grid grid;
} showing;

/* ---- facts ---- */

static void print_label(const wi__page *page, const char *label) {
    wi__page_ink(page, WI__FAINT);
    fprintf(page->out, "%-*s", LABEL, label);
    wi__page_ink(page, WI__PLAIN);
}

/* Lines of a text, those after the first below the first one's begin. */
static void print_lines(const wi__page *page, const char *label, const char *text, wi__ink ink) {
    for (int i = 0; *text; i++) {
        size_t length = strcspn(text, "\n");
        char *line = wi_check_null(strndup(text, length), "print");
        char *printable = wi__printable_copy(line);
        print_label(page, i ? "" : label);
        if (ink != WI__PLAIN) wi__page_ink(page, ink);
        fputs(printable, page->out);
        if (ink != WI__PLAIN) wi__page_ink(page, WI__PLAIN);
        fputc('\n', page->out);
        free(line);
        free(printable);
        text += length + (text[length] == '\n');
    }
}

static void print_head(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    showing *show = arg;
    (void)columns;
    show->duration_s = run->duration_s;
    print_lines(&show->page, "run", *run->name ? run->name : "\"\"", WI__BOLD);
    print_lines(&show->page, "id", run->uuid, WI__PLAIN);
    print_lines(&show->page, "status", run->status, wi__status_ink(run->status));
}

static void print_time(const showing *show, sqlite3_stmt *row) {
    print_label(&show->page, "time");
    fprintf(show->page.out, "%s, from %s", wi__seconds_text(show->duration_s).text,
            wi__moment_text(wi__ns_of_ms(sqlite3_column_int64(row, 2))).text);
    if (sqlite3_column_type(row, 3) != SQLITE_NULL)
        fprintf(show->page.out, " to %s",
                wi__moment_text(wi__ns_of_ms(sqlite3_column_int64(row, 3))).text);
    fputc('\n', show->page.out);
}

static void print_process(const showing *show, sqlite3_stmt *row) {
    char host[300], user[300];
    if (!*wi__column_text(row, 4)) return;
    wi__printable(host, sizeof host, wi__column_text(row, 4));
    wi__printable(user, sizeof user, wi__column_text(row, 6));
    print_label(&show->page, "host");
    fputs(host, show->page.out);
    if (sqlite3_column_int64(row, 5))
        fprintf(show->page.out, ", process %" PRId64, (int64_t)sqlite3_column_int64(row, 5));
    if (*user) fprintf(show->page.out, ", user %s", user);
    fputc('\n', show->page.out);
}

static void print_end(const showing *show, sqlite3_stmt *row) {
    if (*wi__column_text(row, 10)) {
        print_lines(&show->page, "signal", wi__column_text(row, 10), WI__ALARM);
    } else if (sqlite3_column_type(row, 9) != SQLITE_NULL) {
        print_label(&show->page, "exit");
        fprintf(show->page.out, "status %" PRId64 "\n", (int64_t)sqlite3_column_int64(row, 9));
    }
    print_lines(&show->page, "error", wi__column_text(row, 11), WI__ALARM);
    print_lines(&show->page, "doing", wi__column_text(row, 12), WI__NOTICE);
}

static void print_parent(const showing *show, sqlite3_stmt *row) {
    char name[200];
    if (!*wi__column_text(row, 0)) return;
    wi__printable(name, sizeof name, wi__column_text(row, 1));
    print_label(&show->page, "parent");
    fprintf(show->page.out, "%s (%s)\n", name, wi__short_id_of(wi__column_text(row, 0)).text);
}

static void print_facts(void *arg, sqlite3_stmt *row) {
    const showing *show = arg;
    print_end(show, row);
    print_time(show, row);
    print_lines(&show->page, "command", wi__column_text(row, 7), WI__PLAIN);
    print_lines(&show->page, "folder", wi__column_text(row, 8), WI__PLAIN);
    print_process(show, row);
    if (sqlite3_column_int64(row, 13) > 0) {
        print_label(&show->page, "memory");
        fprintf(show->page.out, "%s at its peak\n",
                wi__bytes_text((uint64_t)sqlite3_column_int64(row, 13)).text);
    }
    print_parent(show, row);
}

/* ---- tables ---- */

static void add_number(showing *show, double value) {
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__value_text(value).text);
}

static void add_integer(showing *show, sqlite3_stmt *row, int column) {
    char text[24] = "";
    if (sqlite3_column_type(row, column) != SQLITE_NULL)
        snprintf(text, sizeof text, "%" PRId64, (int64_t)sqlite3_column_int64(row, column));
    wi__grid_cell_add(&show->grid, WI__PLAIN, text);
}

static void add_texts(void *arg, sqlite3_stmt *row) {
    showing *show = arg;
    for (int i = 0; i < sqlite3_column_count(row); i++)
        wi__grid_cell_add(&show->grid, WI__PLAIN, wi__column_text(row, i));
}

static void add_metric(void *arg, sqlite3_stmt *row) {
    showing *show = arg;
    int64_t count = sqlite3_column_int64(row, 1);
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__column_text(row, 0));
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__count_text(count > 0 ? (uint64_t)count : 0).text);
    add_integer(show, row, 2);
    for (int column = 3; column <= 5; column++) {
        if (count > 0)
            add_number(show, wi__column_number(row, column));
        else
            wi__grid_cell_add(&show->grid, WI__PLAIN, "");
    }
}

static void add_artifact(void *arg, sqlite3_stmt *row) {
    showing *show = arg;
    char crc[24];
    int64_t bytes = sqlite3_column_int64(row, 1);
    snprintf(crc, sizeof crc, "%08" PRIx32, (uint32_t)sqlite3_column_int64(row, 2));
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__column_text(row, 0));
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__bytes_text(bytes > 0 ? (uint64_t)bytes : 0).text);
    wi__grid_cell_add(&show->grid, WI__PLAIN, crc);
}

static void add_run(void *arg, sqlite3_stmt *row) {
    showing *show = arg;
    wi__grid_cell_add(&show->grid, WI__FAINT, wi__short_id_of(wi__column_text(row, 0)).text);
    wi__grid_cell_add(&show->grid, WI__PLAIN, wi__column_text(row, 1));
    wi__grid_cell_add(&show->grid, wi__status_ink(wi__column_text(row, 2)),
                      wi__column_text(row, 2));
}

typedef struct part {
    const char *title;
    wi__take_row *take;
    wi__run_part part;
    int columns;
    wi__grid_column heads[6];
} part;

static const part before_sections[] = {
    {"parameters", add_texts, WI__RUN_PARAMS, 2, {{"", 0, 20}, {"", 0, 20}}},
    {"tags", add_texts, WI__RUN_TAGS, 2, {{"", 0, 20}, {"", 0, 20}}},
    {"metrics",
     add_metric,
     WI__RUN_METRICS,
     6,
     {{"name", 0, 12},
      {"count", 1, 0},
      {"last step", 1, 0},
      {"last", 1, 0},
      {"least", 1, 0},
      {"most", 1, 0}}},
};

static const part after_sections[] = {
    {"findings", add_texts, WI__RUN_FINDINGS, 3, {{"", 0, 0}, {"", 0, 20}, {"", 0, 30}}},
    {"artifacts",
     add_artifact,
     WI__RUN_ARTIFACTS,
     3,
     {{"name", 0, 20}, {"size", 1, 0}, {"crc32c", 0, 0}}},
    {"runs in it", add_run, WI__RUN_CHILDREN, 3, {{"", 0, 0}, {"", 0, 20}, {"", 0, 0}}},
    {"environment", add_texts, WI__RUN_ENVIRONMENT, 2, {{"", 0, 20}, {"", 0, 20}}},
};

static void print_part(showing *show, sqlite3 *db, int64_t run, const part *one) {
    wi__grid_init(&show->grid, one->heads, one->columns, INDENT);
    wi__run_each(db, run, one->part, one->take, show);
    if (show->grid.count) {
        fputc('\n', show->page.out);
        wi__page_ink(&show->page, WI__BOLD);
        fputs(one->title, show->page.out);
        wi__page_ink(&show->page, WI__PLAIN);
        fputc('\n', show->page.out);
        wi__grid_print(&show->grid, &show->page);
    }
    wi__grid_release(&show->grid);
}

static void print_text(showing *show, sqlite3 *db, int64_t run) {
    wi__run_each_row(db, run, print_head, show);
    wi__run_each(db, run, WI__RUN_FACTS, print_facts, show);
    for (size_t i = 0; i < sizeof before_sections / sizeof *before_sections; i++)
        print_part(show, db, run, &before_sections[i]);
    wi__print_sections(&show->page, db, run, show->duration_s);
    for (size_t i = 0; i < sizeof after_sections / sizeof *after_sections; i++)
        print_part(show, db, run, &after_sections[i]);
}

static void show_run(wi_database *store, void *arg) {
    showing *show = arg;
    sqlite3 *db = store->handle;
    wi_database_execute(store, "BEGIN"); /* one state of a run that goes on */
    int64_t run = wi__run_meant(db, show->word);
    if (show->as_json) {
        wi__print_run_json(show->page.out, db, run);
        fputc('\n', show->page.out);
    } else {
        print_text(show, db, run);
    }
}

static int run(const wi__arguments *arguments) {
    if (!arguments->count) return wi__usage_error("show", "the run is missing: within show RUN");
    showing show = {.path = wi__database_path(arguments->values[DATABASE]),
                    .word = arguments->operands[0],
                    .as_json = arguments->values[JSON] != NULL,
                    .page = wi__page_of_stdout()};
    return wi__with_database("show", show.path, show_run, &show);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Prints all that is known of a run: how it ended, with its error and trail, or\n"
    "what a killed one was doing, innermost first; when and where it ran; its\n"
    "parameters, tags and metrics, its sections with their times, what its leak\n"
    "watch found, its artifacts, the runs in it, and the environment.\n"
    "\n"
    "RUN is the begin of an id, 4 digits at least; a name, which means the newest\n"
    "run of it; or \"last\", the newest of all.";

static const char details[] =
    "JSON is one object. Its keys:\n"
    "\n"
    "  id, name, status   texts\n"
    "  started, ended     in UTC; null while it runs\n"
    "  duration_s         up to now while it runs\n"
    "  host, pid, user, command, directory\n"
    "                     of the process, or null\n"
    "  exit_status        a number, or null\n"
    "  signal, error, doing\n"
    "                     texts, or null\n"
    "  peak_memory        bytes, or null\n"
    "  parent             the id of the run that it is in, or null\n"
    "  params, tags, environment\n"
    "                     objects of texts\n"
    "  metrics            an array; each with name, count, last_step, last, least, most\n"
    "  sections           an array; each with path, calls, total_s, self_s, mean_s, std_s,\n"
    "                     min_s, p50_s, p99_s, max_s, errors\n"
    "  findings           an array; each with kind, section, what\n"
    "  artifacts          an array; each with name, bytes, crc32c\n"
    "  children           an array of ids\n"
    "\n"
    "A NaN is null, an infinity 1e999. Bytes that are no UTF-8 are shown like \\xff.\n";

const wi__command wi__show_command = {
    .name = "show",
    .summary = WI__SHOW_SUMMARY,
    .operands = "RUN",
    .text = text,
    .details = details,
    .statuses = "0\tThe run was printed\n"
                "1\tThere is no such run, several are meant, the database cannot be read, or the "
                "output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within show last\n"
                "within show 3f2a\n"
                "within show lorenz --json\n",
    .options = options,
    .most_operands = 1,
    .run = run,
};
