/* within compare: what differs between runs, one column a run. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/database.h"
#include "cli/runs/grid.h"
#include "cli/runs/json.h"

enum { ALL, JSON, DATABASE };

static const wi__option options[] = {
    [ALL] = {"all", NULL, "Print parameters and tags that are the same in all runs, too"},
    [JSON] = {"json", NULL, "Print JSON; the manual page lists its keys"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

enum { MOST_RUNS = 64 };

/* A value of one run: a text, or a number. */
typedef struct value {
    char *name;
    int run; /* its column */
    char *text;
    double number; /* if there is no text */
} value;

typedef struct comparison {
    const char *path;
    char **words;
    int run_count;
    int with_same, as_json;
    wi__page page;
    wi__grid grid;
    sqlite3 *db;
    int64_t runs[MOST_RUNS];
    int run; /* whose values are being collected */
    int number_column;
    value *values; /* of the part that is being printed: by name, then by run */
    size_t count, room;
} comparison;

/* ---- collecting ---- */

/* @param text  NULL: it is a number. */
static void add_value(comparison *all, const char *name, const char *text, double number) {
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 64;
        all->values = wi_check_null(realloc(all->values, room * sizeof *all->values), "compare");
        all->room = room;
    }
    char *name_copy = wi_check_null(strdup(name), "compare");
    char *text_copy = text ? wi_check_null(strdup(text), "compare") : NULL;
    all->values[all->count++] = (value){name_copy, all->run, text_copy, number};
}

static void take_text(void *arg, sqlite3_stmt *row) {
    add_value(arg, wi__column_text(row, 0), wi__column_text(row, 1), 0);
}

static void take_number(void *arg, sqlite3_stmt *row) {
    comparison *all = arg;
    if (sqlite3_column_int64(row, 1) <= 0) return; /* no points, no calls */
    add_value(all, wi__column_text(row, 0), NULL, wi__column_number(row, all->number_column));
}

static int by_name_and_run(const void *left, const void *right) {
    const value *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : a->run - b->run;
}

static void collect(comparison *all, wi__run_part part, wi__take_row *take, int number_column) {
    all->number_column = number_column;
    for (all->run = 0; all->run < all->run_count; all->run++)
        wi__run_each(all->db, all->runs[all->run], part, take, all);
    if (all->count) qsort(all->values, all->count, sizeof *all->values, by_name_and_run);
}

static void drop_values(comparison *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->values[i].name);
        free(all->values[i].text);
    }
    all->count = 0;
}

/* How many values of one name stand from `first` on. */
static int same_name(const comparison *all, size_t first) {
    size_t end = first;
    while (end < all->count && strcmp(all->values[end].name, all->values[first].name) == 0) end++;
    return (int)(end - first);
}

static int is_same_everywhere(const comparison *all, size_t first) {
    int count = same_name(all, first), same = count == all->run_count;
    for (int i = 1; i < count; i++)
        same &= all->values[first].text &&
                strcmp(all->values[first].text, all->values[first + (size_t)i].text) == 0;
    return same && (all->values[first].text || count == 1);
}

/* ---- as a table ---- */

static void add_title(comparison *all, const char *title) {
    for (int i = 0; i <= all->run_count; i++) wi__grid_cell_add(&all->grid, WI__PLAIN, "");
    wi__grid_cell_add(&all->grid, WI__BOLD, title);
    for (int i = 0; i < all->run_count; i++) wi__grid_cell_add(&all->grid, WI__PLAIN, "");
}

static void add_name(comparison *all, const char *name) {
    char *indented = wi_check_null(malloc(strlen(name) + 3), "compare");
    sprintf(indented, "  %s", name);
    wi__grid_cell_add(&all->grid, WI__PLAIN, indented);
    free(indented);
}

static wi__number number_text(const comparison *all, double number) {
    /* Of a section its total. */
    return all->number_column == 2 ? wi__seconds_text(number) : wi__value_text(number);
}

static void add_line(comparison *all, size_t first) {
    int count = same_name(all, first), next = 0;
    add_name(all, all->values[first].name);
    for (int run = 0; run < all->run_count; run++) {
        const value *one = &all->values[first + (size_t)next];
        int there = next < count && one->run == run;
        const char *text = !there ? "" : one->text ? one->text : number_text(all, one->number).text;
        wi__grid_cell_add(&all->grid, WI__PLAIN, text);
        next += there;
    }
}

static void add_part(comparison *all, const char *title, const char *if_same) {
    size_t shown = 0, same = 0;
    for (size_t i = 0; i < all->count; i += (size_t)same_name(all, i)) {
        if (!all->with_same && is_same_everywhere(all, i)) {
            same++;
            continue;
        }
        if (!shown++) add_title(all, title);
        add_line(all, i);
    }
    if (same && !shown) add_title(all, if_same);
    drop_values(all);
}

static void add_head(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    comparison *all = arg;
    (void)columns;
    switch (all->number_column) {
    case 0: wi__grid_cell_add(&all->grid, WI__BOLD, run->name); break;
    case 1: wi__grid_cell_add(&all->grid, WI__FAINT, wi__short_id_of(run->uuid).text); break;
    case 2: wi__grid_cell_add(&all->grid, wi__status_ink(run->status), run->status); break;
    default:
        wi__grid_cell_add(&all->grid, WI__PLAIN, wi__seconds_text(run->duration_s).text);
        break;
    }
}

static void add_heads(comparison *all) {
    static const char *const labels[] = {"run", "id", "status", "duration"};
    for (int line = 0; line < 4; line++) {
        all->number_column = line;
        wi__grid_cell_add(&all->grid, WI__FAINT, labels[line]);
        for (int i = 0; i < all->run_count; i++)
            wi__run_each_row(all->db, all->runs[i], add_head, all);
    }
}

static void print_table(comparison *all) {
    wi__grid_column heads[MOST_RUNS + 1] = {{"", 0, 16}};
    for (int i = 1; i <= all->run_count; i++) heads[i] = (wi__grid_column){"", 1, 8};
    wi__grid_init(&all->grid, heads, all->run_count + 1, 0);
    add_heads(all);
    collect(all, WI__RUN_PARAMS, take_text, 0);
    add_part(all, all->with_same ? "parameters" : "parameters that differ",
             "the parameters are the same");
    collect(all, WI__RUN_TAGS, take_text, 0);
    add_part(all, all->with_same ? "tags" : "tags that differ", "the tags are the same");
    collect(all, WI__RUN_METRICS, take_number, 3);
    add_part(all, "metrics, last values", "");
    collect(all, WI__RUN_SECTIONS, take_number, 2);
    add_part(all, "sections, whole time", "");
    wi__grid_print(&all->grid, &all->page);
    wi__grid_release(&all->grid);
}

/* ---- as JSON ---- */

static void print_json_head(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    comparison *all = arg;
    FILE *out = all->page.out;
    (void)columns;
    fputs(all->run ? ",\n  {" : "\n  {", out);
    wi__json_key(out, 1, "id");
    wi__json_text(out, run->uuid);
    wi__json_text_member(out, "name", run->name);
    wi__json_text_member(out, "status", run->status);
    wi__json_moment_member(out, "started", run->started_ms);
    wi__json_number_member(out, "duration_s", run->duration_s);
    fputc('}', out);
}

static void print_json_line(const comparison *all, size_t first, int is_first) {
    FILE *out = all->page.out;
    int count = same_name(all, first), next = 0;
    fputs(is_first ? "\n  " : ",\n  ", out);
    wi__json_key(out, 1, all->values[first].name);
    for (int run = 0; run < all->run_count; run++) {
        const value *one = &all->values[first + (size_t)next];
        int there = next < count && one->run == run;
        fputs(run ? ", " : "[", out);
        if (!there)
            fputs("null", out);
        else if (one->text)
            wi__json_text(out, one->text);
        else
            wi__json_number(out, one->number);
        next += there;
    }
    fputc(']', out);
}

static void print_json_part(comparison *all, const char *key) {
    FILE *out = all->page.out;
    int shown = 0;
    fputs(",\n ", out);
    wi__json_key(out, 1, key);
    fputc('{', out);
    for (size_t i = 0; i < all->count; i += (size_t)same_name(all, i))
        if (all->with_same || !is_same_everywhere(all, i)) print_json_line(all, i, shown++ == 0);
    fputc('}', out);
    drop_values(all);
}

static void print_json(comparison *all) {
    fputs("{\"runs\": [", all->page.out);
    for (all->run = 0; all->run < all->run_count; all->run++)
        wi__run_each_row(all->db, all->runs[all->run], print_json_head, all);
    fputc(']', all->page.out);
    collect(all, WI__RUN_PARAMS, take_text, 0);
    print_json_part(all, "params");
    collect(all, WI__RUN_TAGS, take_text, 0);
    print_json_part(all, "tags");
    collect(all, WI__RUN_METRICS, take_number, 3);
    print_json_part(all, "metrics");
    collect(all, WI__RUN_SECTIONS, take_number, 2);
    print_json_part(all, "sections_s");
    fputs("}\n", all->page.out);
}

static void compare(wi_database *store, void *arg) {
    comparison *all = arg;
    all->db = store->handle;
    wi_database_execute(store, "BEGIN"); /* one state of runs that go on */
    for (int i = 0; i < all->run_count; i++) all->runs[i] = wi__run_meant(all->db, all->words[i]);
    if (all->as_json)
        print_json(all);
    else
        print_table(all);
    free(all->values);
}

static int run(const wi__arguments *arguments) {
    if (arguments->count < 2)
        return wi__usage_error("compare", "two runs at least are needed: within compare RUN RUN");
    if (arguments->count > MOST_RUNS)
        return wi__usage_error("compare", "%d runs are too many: there may be %d", arguments->count,
                               MOST_RUNS);
    comparison all = {.path = wi__database_path(arguments->values[DATABASE]),
                      .words = arguments->operands,
                      .run_count = arguments->count,
                      .with_same = arguments->values[ALL] != NULL,
                      .as_json = arguments->values[JSON] != NULL,
                      .page = wi__page_of_stdout()};
    return wi__with_database("compare", all.path, compare, &all);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Prints runs beside each other, one column a run: the parameters and tags that\n"
    "differ, the last values of their metrics, and the whole times of their\n"
    "sections.\n"
    "\n"
    "RUN is the begin of an id, a name, or \"last\": see within show --help.";

static const char details[] =
    "JSON is one object. Its keys: runs, an array of objects with id, name, status,\n"
    "started and duration_s; params and tags, of those that differ; metrics; and\n"
    "sections_s, in seconds. Of each of these four a name has an array of values in the\n"
    "order of the runs, null where a run has none. A NaN is null, an infinity 1e999.\n";

const wi__command wi__compare_command = {
    .name = "compare",
    .summary = WI__COMPARE_SUMMARY,
    .operands = "RUN RUN...",
    .text = text,
    .details = details,
    .statuses = "0\tThe comparison was printed\n"
                "1\tThere is no such run, several are meant, the database cannot be read, or the "
                "output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within compare 3f2a 9c01\n"
                "within compare lorenz roessler last --all\n",
    .options = options,
    .most_operands = INT_MAX,
    .run = run,
};
