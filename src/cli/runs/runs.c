/* within runs: the list of runs. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/database.h"
#include "cli/runs/grid.h"
#include "cli/runs/json.h"

enum { NAME, STATUS, TAG, WHERE, COLUMN, SORT, REVERSE, LIMIT, IDS, JSON, DATABASE };

static const wi__option options[] = {
    [NAME] = {"name", "PATTERN", "Runs whose name is like this: * is any text, ? a character"},
    [STATUS] = {"status", "STATUS...",
                "Runs that are running, finished, failed, interrupted or killed"},
    [TAG] = {"tag", "KEY[=VALUE]...", "Runs that have this tag"},
    [WHERE] = {"where", "CONDITION...",
               "Runs of which \"loss < 0.1\" is true: a metric's last value, a parameter or a tag, "
               "one of < <= = != >= >, and a value"},
    [COLUMN] = {"column", "NAME...",
                "Show a parameter, a metric's last value or a tag: the first that a run has; "
                "param:NAME, metric:NAME and tag:NAME are exact"},
    [SORT] = {"sort", "KEY",
              "Order by started (the newest first), duration or a column's NAME (the largest "
              "first), name, status or id; started by default"},
    [REVERSE] = {"reverse", NULL, "Turn the order round"},
    [LIMIT] = {"limit", "N", "Show the first N runs only"},
    [IDS] = {"ids", NULL, "Print ids alone, one a line, for other commands"},
    [JSON] = {"json", NULL, "Print JSON: an array with an object for each run"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

/* ---- options ---- */

enum { FIXED_COLUMNS = 5 };

typedef struct list {
    const char *path;
    int as_json, as_ids;
    wi__runs_query query;
    const char *statuses[WI__MOST_GIVEN], *tags[WI__MOST_GIVEN], *columns[WI__MOST_GIVEN];
    wi__run_condition conditions[WI__MOST_GIVEN];
    wi__page page;
    wi__grid grid;
    size_t count;
} list;

static int check_status(const char *word) {
    static const char *const statuses[] = {"running", "finished", "failed", "interrupted",
                                           "killed"};
    char lower[16] = "";
    for (size_t i = 0; word[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)word[i]);
    int nearest = wi__nearest(lower, statuses, 5);
    if (strcmp(lower, statuses[nearest]) == 0) return 0;
    return wi__usage_error("runs",
                           "--status takes running, finished, failed, interrupted or killed, and "
                           "got \"%s\"; did you mean %s?",
                           word, statuses[nearest]);
}

static char *without_spaces(char *text) {
    while (isspace((unsigned char)*text)) text++;
    for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]);) text[--n] = '\0';
    return text;
}

/* The last operator counts: a metric's name may hold one. `text` is cut to pieces. */
static int parse_condition(char *text, wi__run_condition *condition) {
    static const char *const operations[] = {"<=", ">=", "!=", "<", ">", "="};
    char *at = NULL;
    for (char *next = text; (next = strpbrk(next, "<>=!")); next++) at = next;
    if (at && at > text && *at == '=' && strchr("<>!", at[-1])) at--;
    for (size_t i = 0; at && i < sizeof operations / sizeof *operations; i++) {
        size_t length = strlen(operations[i]);
        if (strncmp(at, operations[i], length) != 0) continue;
        *at = '\0';
        *condition =
            (wi__run_condition){without_spaces(text), operations[i], without_spaces(at + length)};
        return *condition->name && *condition->value;
    }
    return 0;
}

static int take_condition(list *runs, const char *word) {
    char *copy = strdup(word); /* lives as long as the process */
    if (copy && parse_condition(copy, &runs->conditions[runs->query.condition_count++])) return 0;
    free(copy);
    return wi__usage_error("runs", "--where takes a condition like \"loss < 0.1\", and got \"%s\"",
                           word);
}

static int take_given(list *runs, const wi__arguments *arguments) {
    int status = 0;
    for (int i = 0; i < arguments->given_count && !status; i++) {
        const char *value = arguments->given[i].value;
        switch (arguments->given[i].option) {
        case STATUS:
            runs->statuses[runs->query.status_count++] = value;
            status = check_status(value);
            break;
        case TAG: runs->tags[runs->query.tag_count++] = value; break;
        case COLUMN: runs->columns[runs->query.column_count++] = value; break;
        default: status = take_condition(runs, value); break;
        }
    }
    return status;
}

static void take_sort(list *runs, const char *word) {
    static const char *const keys[] = {[WI__BY_START] = "started",
                                       [WI__BY_DURATION] = "duration",
                                       [WI__BY_RUN_NAME] = "name",
                                       [WI__BY_STATUS] = "status",
                                       [WI__BY_ID] = "id"};
    if (!word) return;
    runs->query.order = WI__BY_COLUMN;
    runs->query.order_column = word;
    for (int i = 0; i < WI__BY_COLUMN; i++)
        if (strcmp(word, keys[i]) == 0) runs->query.order = (wi__run_order)i;
}

static int take_limit(list *runs, const char *word) {
    char *end;
    if (!word) return 0;
    errno = 0;
    long long limit = strtoll(word, &end, 10);
    runs->query.limit = limit;
    if (!errno && isdigit((unsigned char)*word) && !*end && limit > 0) return 0;
    return wi__usage_error("runs", "--limit takes a number of runs from 1 on, and got \"%s\"",
                           word);
}

/* ---- printing ---- */

static void value_cell(list *runs, sqlite3_value *value) {
    const char *text = (const char *)sqlite3_value_text(value);
    if (sqlite3_value_type(value) == SQLITE_FLOAT)
        wi__grid_cell_add(&runs->grid, WI__PLAIN, wi__value_text(sqlite3_value_double(value)).text);
    else
        wi__grid_cell_add(&runs->grid, WI__PLAIN, text ? text : "");
}

static void add_run(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    list *runs = arg;
    wi__grid_cell_add(&runs->grid, WI__FAINT, wi__short_id_of(run->uuid).text);
    wi__grid_cell_add(&runs->grid, WI__BOLD, run->name);
    wi__grid_cell_add(&runs->grid, wi__status_ink(run->status), run->status);
    wi__grid_cell_add(&runs->grid, WI__PLAIN, wi__moment_text(wi__ns_of_ms(run->started_ms)).text);
    wi__grid_cell_add(&runs->grid, WI__PLAIN, wi__seconds_text(run->duration_s).text);
    for (size_t i = 0; i < runs->query.column_count; i++) value_cell(runs, columns[i]);
    runs->count++;
}

static void print_grid(list *runs, sqlite3 *db) {
    wi__grid_column heads[FIXED_COLUMNS + WI__MOST_GIVEN] = {
        {"id", 0, 0}, {"name", 0, 12}, {"status", 0, 0}, {"started", 0, 0}, {"duration", 1, 0}};
    size_t more = runs->query.column_count;
    for (size_t i = 0; i < more; i++)
        heads[FIXED_COLUMNS + i] = (wi__grid_column){wi__printable_copy(runs->columns[i]), 1, 8};
    wi__grid_init(&runs->grid, heads, FIXED_COLUMNS + (int)more, 0);
    wi__runs_list(db, &runs->query, add_run, runs);
    if (runs->count)
        wi__grid_print(&runs->grid, &runs->page);
    else
        fprintf(runs->page.out, "no runs\n");
    wi__grid_release(&runs->grid);
    for (size_t i = 0; i < more; i++) free((char *)heads[FIXED_COLUMNS + i].title);
}

static void print_value(FILE *out, sqlite3_value *value) {
    if (sqlite3_value_type(value) == SQLITE_FLOAT)
        wi__json_number(out, sqlite3_value_double(value));
    else if (sqlite3_value_type(value) == SQLITE_NULL)
        fputs("null", out);
    else
        wi__json_text(out, (const char *)sqlite3_value_text(value));
}

static void print_json_run(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    list *runs = arg;
    FILE *out = runs->page.out;
    fputs(runs->count++ ? ",\n {" : "\n {", out);
    wi__json_key(out, 1, "id");
    wi__json_text(out, run->uuid);
    wi__json_text_member(out, "name", run->name);
    wi__json_text_member(out, "status", run->status);
    wi__json_moment_member(out, "started", run->started_ms);
    wi__json_number_member(out, "duration_s", run->duration_s);
    wi__json_key(out, 0, "columns");
    fputc('{', out);
    for (size_t i = 0; i < runs->query.column_count; i++) {
        wi__json_key(out, i == 0, runs->columns[i]);
        print_value(out, columns[i]);
    }
    fputs("}}", out);
}

static void print_json(list *runs, sqlite3 *db) {
    fputc('[', runs->page.out);
    wi__runs_list(db, &runs->query, print_json_run, runs);
    fputs(runs->count ? "\n]\n" : "]\n", runs->page.out);
}

static void print_id(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    list *runs = arg;
    (void)columns;
    fprintf(runs->page.out, "%s\n", run->uuid);
}

static void print_runs(wi_database *store, void *arg) {
    list *runs = arg;
    sqlite3 *db = store->handle;
    if (runs->as_json)
        print_json(runs, db);
    else if (runs->as_ids)
        wi__runs_list(db, &runs->query, print_id, runs);
    else
        print_grid(runs, db);
}

static int run(const wi__arguments *arguments) {
    list runs = {.path = wi__database_path(arguments->values[DATABASE]),
                 .as_json = arguments->values[JSON] != NULL,
                 .as_ids = arguments->values[IDS] != NULL,
                 .page = wi__page_of_stdout()};
    if (runs.as_json && runs.as_ids)
        return wi__usage_error("runs", "--ids and --json exclude each other");
    int status = take_given(&runs, arguments);
    if (!status) status = take_limit(&runs, arguments->values[LIMIT]);
    take_sort(&runs, arguments->values[SORT]);
    runs.query.name = arguments->values[NAME];
    runs.query.reverse = arguments->values[REVERSE] != NULL;
    runs.query.statuses = runs.statuses;
    runs.query.tags = runs.tags;
    runs.query.conditions = runs.conditions;
    runs.query.columns = runs.columns;
    return status ? status : wi__with_database("runs", runs.path, print_runs, &runs);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Lists the runs of a database, the newest first: the begin of its id, its name,\n"
    "how it ended, when it began, and how long it took. FINISHED is a run whose\n"
    "block or command came to its end, FAILED one that an error ended, INTERRUPTED\n"
    "one that was told to stop by a signal, KILLED one whose process died; what had\n"
    "been logged till then is there too. A run that is RUNNING lives: those that\n"
    "died are told from it before the list is printed.\n"
    "\n"
    "Options that choose runs must all be true of a run; of several --status one.";

static const char details[] =
    "Values that are numbers from their begin to their end are compared and ordered as\n"
    "numbers, all others as text.\n"
    "\n"
    "JSON is an array of objects with the keys id, name, status, started (in UTC),\n"
    "duration_s (a number, or null) and columns: an object of those that were asked\n"
    "for, with numbers of metrics, texts of parameters and tags, and null where a run has\n"
    "none of these. A metric that is NaN is the text nan, an infinity 1e999. Bytes that\n"
    "are no UTF-8 are shown like \\xff.\n";

const wi__command wi__runs_command = {
    .name = "runs",
    .summary = WI__RUNS_SUMMARY,
    .operands = "",
    .text = text,
    .details = details,
    .statuses = "0\tThe list was printed\n"
                "1\tThe database cannot be read, or the output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within runs --limit 10\n"
                "within compare $(within runs --name lorenz --limit 5 --ids)\n"
                "within runs --status failed --status killed --tag machine=gpu3\n"
                "within runs --where 'loss < 0.1' --column seed --column loss --sort loss\n",
    .options = options,
    .most_operands = 0,
    .run = run,
};
