/* within plot: metrics of runs as curves, on the terminal or in a file. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <within/atomic_file.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/database.h"
#include "cli/runs/figure.h"
#include "cli/runs/grid.h"
#include "cli/runs/png.h"
#include "report/terminal.h"
#include "report/utf8.h"

enum { RUN, SVG, PNG, LOG, LOG_X, OVER, TITLE, SIZE, DATABASE };

static const wi__option options[] = {
    [RUN] = {"run", "RUN...", "Draw the metrics of this run, too"},
    [SVG] = {"svg", "FILE", "Write an SVG file, and print nothing"},
    [PNG] = {"png", "FILE", "Write a PNG file, and print nothing; it needs cairo"},
    [LOG] = {"log", NULL,
             "A logarithmic axis for the values; those that are not positive are gaps"},
    [LOG_X] = {"log-x", NULL, "The same for the steps"},
    [OVER] = {"over", "WHAT",
              "Over step, or over time: seconds since the run began; step by default"},
    [TITLE] = {"title", "TEXT", "The title; by default the run's name, if it is one run"},
    [SIZE] = {"size", "WxH",
              "Columns and lines of the terminal, or pixels of a file: 100x30; by default as wide "
              "as the terminal, and 800x500"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

enum { FILE_WIDTH = 800, FILE_HEIGHT = 500, USUAL_WIDTH = 80, USUAL_LINES = 20, LABELS = 5 };

typedef struct plotting {
    const char *path, *svg, *png, *title;
    int log_x, log_y, width, height; /* 0: the usual */
    wi__over over;
    const char *words[WI__MOST_GIVEN + 1]; /* of the runs */
    int run_count;
    char **metrics;
    int metric_count;
    sqlite3 *db;
    wi__figure figure;
    /* of the run that is being read */
    char name[200], id[12];
    int64_t started_ms;
    char *default_title;
} plotting;

/* ---- reading ---- */

static void take_run(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    plotting *plot = arg;
    (void)columns;
    wi__printable(plot->name, sizeof plot->name, run->name);
    snprintf(plot->id, sizeof plot->id, "%s", wi__short_id_of(run->uuid).text);
    plot->started_ms = run->started_ms;
}

typedef struct name_list {
    char text[300];
    size_t used;
} name_list;

static void take_name(void *arg, sqlite3_stmt *row) {
    name_list *to = arg;
    char name[100];
    wi__printable(name, sizeof name, wi__column_text(row, 0));
    if (to->used + strlen(name) + 6 >= sizeof to->text) return;
    to->used += (size_t)sprintf(to->text + to->used, "%s%s", to->used ? ", " : "", name);
}

static void raise_no_metric(plotting *plot, int64_t run, const char *metric) {
    char printable[100];
    name_list names = {0};
    wi__run_each(plot->db, run, WI__RUN_METRICS, take_name, &names);
    wi__printable(printable, sizeof printable, metric ? metric : "");
    if (!names.used) wi_raise(WI_VALUE_ERROR, "%s (%s) has no metrics", plot->name, plot->id);
    if (!metric)
        wi_raise(WI_VALUE_ERROR, "which metric? %s (%s) has %s", plot->name, plot->id, names.text);
    wi_raise(WI_VALUE_ERROR, "%s (%s) has no metric \"%s\"; it has %s", plot->name, plot->id,
             printable, names.text);
}

/* "energy" of one run, "lorenz (3f2a91c0)" of one metric, else both. */
static char *label_of(const plotting *plot, const char *metric) {
    char label[512], name[200];
    wi__printable(name, sizeof name, metric);
    if (plot->run_count == 1)
        snprintf(label, sizeof label, "%s", name);
    else if (plot->metric_count == 1)
        snprintf(label, sizeof label, "%s (%s)", plot->name, plot->id);
    else
        snprintf(label, sizeof label, "%s: %s (%s)", name, plot->name, plot->id);
    return wi_check_null(strdup(label), "plot");
}

static void read_run(plotting *plot, const char *word) {
    int64_t run = wi__run_meant(plot->db, word);
    wi__run_each_row(plot->db, run, take_run, plot);
    if (!plot->metric_count) raise_no_metric(plot, run, NULL);
    for (int i = 0; i < plot->metric_count; i++) {
        if (plot->figure.curves.count == WI__CURVES)
            wi_raise(WI_VALUE_ERROR, "these are more than %d curves", WI__CURVES);
        if (!wi__curves_add(&plot->figure.curves, plot->db, run, plot->started_ms, plot->metrics[i],
                            plot->over, label_of(plot, plot->metrics[i])))
            raise_no_metric(plot, run, plot->metrics[i]);
    }
}

/* ---- drawing ---- */

static void set_texts(plotting *plot, char title[512], char y_label[200]) {
    wi__figure *figure = &plot->figure;
    title[0] = y_label[0] = '\0';
    if (plot->title)
        wi__printable(title, 512, plot->title);
    else if (plot->run_count == 1)
        snprintf(title, 512, "%s (%s)", plot->name, plot->id);
    if (plot->metric_count == 1) wi__printable(y_label, 200, plot->metrics[0]);
    figure->title = title;
    figure->y_label = y_label;
    figure->x_label = plot->over == WI__OVER_STEP ? "step" : "time in s";
}

static void scale(plotting *plot, int x_ticks, int y_ticks) {
    if (wi__figure_scale(&plot->figure, plot->log_x, plot->log_y, x_ticks, y_ticks)) return;
    if (plot->log_x || plot->log_y)
        wi_raise(WI_VALUE_ERROR,
                 "there is no point that can be drawn: none is finite, and positive "
                 "where the axis is logarithmic");
    wi_raise(WI_VALUE_ERROR, "there is no point that can be drawn: none is finite");
}

static void write_file(plotting *plot, const char *path,
                       void (*write)(const wi__figure *figure, FILE *out)) {
    plot->figure.width = plot->width ? plot->width : FILE_WIDTH;
    plot->figure.height = plot->height ? plot->height : FILE_HEIGHT;
    scale(plot, plot->figure.width / 90 + 2, plot->figure.height / 50 + 2);
    within (file, wi_atomic_file(path)) write(&plot->figure, file->stream);
}

/* The metric of a single curve has no axis to stand at: it goes into the title. */
static void print(plotting *plot) {
    char title[1024];
    wi__figure *figure = &plot->figure;
    int terminal_width = wi__terminal_width(stdout), lines = wi__terminal_height(stdout);
    figure->width = plot->width ? plot->width : terminal_width ? terminal_width : USUAL_WIDTH;
    figure->height = plot->height ? plot->height : USUAL_LINES;
    if (!plot->height && lines && lines - LABELS < USUAL_LINES) figure->height = lines - LABELS;
    if (!plot->title && *figure->y_label) {
        snprintf(title, sizeof title, "%s%s%s", figure->y_label, *figure->title ? ": " : "",
                 figure->title);
        figure->title = title;
    }
    scale(plot, figure->width / 16 + 1, figure->height / 3 + 1);
    wi__figure_terminal(figure, stdout, wi__wants_color(stdout, WI__COLOR_AUTO));
}

static void plot_runs(wi_database *store, void *arg) {
    plotting *plot = arg;
    char title[512], y_label[200];
    plot->db = store->handle;
    wi_database_execute(store, "BEGIN"); /* one state of runs that go on */
    for (int i = 0; i < plot->run_count; i++) read_run(plot, plot->words[i]);
    set_texts(plot, title, y_label);
    if (plot->svg) write_file(plot, plot->svg, wi__figure_svg);
    if (plot->png) write_file(plot, plot->png, wi__figure_png);
    if (!plot->svg && !plot->png) print(plot);
    wi__curves_release(&plot->figure.curves);
}

/* ---- options ---- */

static int parse_size(const char *word, plotting *plot) {
    char rest;
    int is_file = plot->svg || plot->png;
    if (!word) return 0;
    if (isdigit((unsigned char)*word) &&
        sscanf(word, "%5dx%5d%c", &plot->width, &plot->height, &rest) == 2 &&
        plot->width >= (is_file ? 200 : 20) && plot->height >= (is_file ? 150 : 4) &&
        plot->width <= 10000 && plot->height <= 10000)
        return 0;
    return wi__usage_error("plot",
                           "--size takes a width and a height like %s, not too small, at most "
                           "10000, and got \"%s\"",
                           is_file ? "800x500" : "100x30", word);
}

static int parse_over(const char *word, wi__over *over) {
    if (!word || strcmp(word, "step") == 0) return 0;
    *over = WI__OVER_TIME;
    if (strcmp(word, "time") == 0) return 0;
    return wi__usage_error("plot", "--over takes step or time, and got \"%s\"", word);
}

static int check_paths(const wi__arguments *arguments) {
    static const char *const names[] = {[SVG] = "svg", [PNG] = "png"};
    for (int i = SVG; i <= PNG; i++)
        if (arguments->values[i] && !*arguments->values[i])
            return wi__usage_error("plot", "--%s needs a path, and got an empty one", names[i]);
    return 0;
}

static int run(const wi__arguments *arguments) {
    plotting plot = {.path = wi__database_path(arguments->values[DATABASE]),
                     .svg = arguments->values[SVG],
                     .png = arguments->values[PNG],
                     .title = arguments->values[TITLE],
                     .log_x = arguments->values[LOG_X] != NULL,
                     .log_y = arguments->values[LOG] != NULL};
    if (!arguments->count)
        return wi__usage_error("plot", "the run is missing: within plot RUN METRIC");
    int status = check_paths(arguments);
    if (!status) status = parse_size(arguments->values[SIZE], &plot);
    if (!status) status = parse_over(arguments->values[OVER], &plot.over);
    if (status) return status;
    if (plot.png && !wi__png_is_here()) return wi__png_elsewhere();
    plot.words[plot.run_count++] = arguments->operands[0];
    for (int i = 0; i < arguments->given_count; i++)
        plot.words[plot.run_count++] = arguments->given[i].value;
    plot.metrics = arguments->operands + 1;
    plot.metric_count = arguments->count - 1;
    return wi__with_database("plot", plot.path, plot_runs, &plot);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Draws metrics of a run, and of others by --run, as curves: on the terminal, or\n"
    "into a file, which appears whole or not at all. Where there are more points\n"
    "than dots, what is drawn looks as all of them would. A NaN or an infinity is a\n"
    "gap.\n"
    "\n"
    "RUN is the begin of an id, a name, or \"last\": see within show --help.";

const wi__command wi__plot_command = {
    .name = "plot",
    .summary = WI__PLOT_SUMMARY,
    .operands = "RUN METRIC...",
    .text = text,
    .details = "On a terminal without colours each of several curves is drawn with a letter of its "
               "own.\nThere may be 16 curves.\n",
    .statuses = "0\tThe curves were drawn\n"
                "1\tThere is no such run or metric, several runs are meant, the database cannot be "
                "read, or the output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within plot last energy\n"
                "within plot 3f2a train.loss validation.loss --log --svg loss.svg\n"
                "within plot 3f2a loss --run 9c01 --run 77e0 --over time --png loss.png\n",
    .options = options,
    .most_operands = INT_MAX,
    .run = run,
};
