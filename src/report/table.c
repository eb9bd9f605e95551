/* The table of paths: columns as wide as what is in them, and as many as the terminal has room for. */
#include <string.h>

#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

enum { GAP = 2, INDENT = 2, DEEPEST_INDENT = 20, LEAST_NAME = 20, USUAL_NAME = 100, MARK = 32 };

typedef struct column {
    const char *title;
    int rank; /* on a narrow terminal the highest rank goes first; 0 stays */
    wi__number (*cell)(const wi__figures *figures);
} column;

/* Two places for the unit, so that the digits of "s" and "ms" stand below each other. */
static wi__number seconds_cell(double seconds) {
    wi__number number = wi__seconds_text(seconds), cell;
    size_t length = strlen(number.text);
    const char *pad = length < 2 ? "   " : number.text[length - 2] == ' ' ? " " : "";
    snprintf(cell.text, sizeof cell.text, "%.20s%s", number.text, pad);
    return cell;
}

static wi__number calls_cell(const wi__figures *row) { return wi__count_text(row->calls); }
static wi__number total_cell(const wi__figures *row) { return seconds_cell(row->total_s); }
static wi__number self_cell(const wi__figures *row) { return seconds_cell(row->self_s); }
static wi__number mean_cell(const wi__figures *row) { return seconds_cell(row->mean_s); }
static wi__number std_cell(const wi__figures *row) { return seconds_cell(row->std_s); }
static wi__number min_cell(const wi__figures *row) { return seconds_cell(row->min_s); }
static wi__number p50_cell(const wi__figures *row) { return seconds_cell(row->p50_s); }
static wi__number p99_cell(const wi__figures *row) { return seconds_cell(row->p99_s); }
static wi__number max_cell(const wi__figures *row) { return seconds_cell(row->max_s); }
static wi__number errors_cell(const wi__figures *row) { return wi__count_text(row->errors); }
static wi__number gpu_cell(const wi__figures *row) { return seconds_cell(row->gpu_s); }
static wi__number gpu_delta_cell(const wi__figures *row) {
    return wi__signed_bytes_text(row->gpu_delta);
}
static wi__number gpu_peak_cell(const wi__figures *row) {
    wi__number none = {"-"};
    return row->gpu_peak > 0 ? wi__bytes_text((uint64_t)row->gpu_peak) : none;
}
static wi__number parent_cell(const wi__figures *row) {
    return wi__percent_text(row->percent_of_parent);
}

/* Those of the GPU are only there if one was used. */
enum { GPU = 2, ERRORS = 10, GPU_DELTA = 12, COLUMNS = 14 };
static const column columns[COLUMNS] = {
    {"calls", 0, calls_cell},
    {"total  ", 0, total_cell},
    {"gpu  ", 1, gpu_cell},
    {"self  ", 2, self_cell},
    {"mean  ", 3, mean_cell},
    {"std  ", 8, std_cell},
    {"min  ", 9, min_cell},
    {"p50  ", 7, p50_cell},
    {"p99  ", 6, p99_cell},
    {"max  ", 4, max_cell},
    {"errors", 5, errors_cell},
    {"% parent", 1, parent_cell},
    {"gpu memory", 3, gpu_delta_cell},
    {"gpu peak", 2, gpu_peak_cell},
};

typedef enum fate { SHOWN, LEFT_OUT, ABSENT } fate;

typedef struct layout {
    int name; /* columns of the terminal for the names */
    int widths[COLUMNS];
    fate fates[COLUMNS];
    int any_errors;
} layout;

/* ---- names ---- */

/* Names are indented by their depth, but not without end: recursion may be 10,000 levels deep. */
static int indent_of(const wi__page *page, const wi__row *row) {
    if (page->options->flat) return 0;
    return INDENT * (int)(row->depth < DEEPEST_INDENT ? row->depth : DEEPEST_INDENT);
}

static void name_of(const wi__page *page, const wi__row *row, char *buffer, size_t size) {
    if (page->options->flat)
        wi__full_path(page->profile, row->path, buffer, size);
    else if (row->depth > DEEPEST_INDENT)
        snprintf(buffer, size, "[level %u] %s", row->depth + 1, row->name);
    else
        snprintf(buffer, size, "%s", row->name);
}

static void mark_of(const wi__page *page, const wi__row *row, char mark[MARK]) {
    uint32_t open = page->profile->paths[row->path].open_calls;
    mark[0] = '\0';
    if (open == 1) snprintf(mark, MARK, " (open)");
    if (open > 1) snprintf(mark, MARK, " (%u open)", open);
}

static int name_width(const wi__page *page, const wi__row *row) {
    char name[WI__PATH_TEXT], mark[MARK];
    name_of(page, row, name, sizeof name);
    mark_of(page, row, mark);
    return indent_of(page, row) + wi__text_width(name) + (int)strlen(mark);
}

/* ---- widths ---- */

static void widen(int *width, int needed) {
    if (needed > *width) *width = needed;
}

static void measure(const wi__page *page, layout *table) {
    table->name = (int)strlen("section");
    for (int c = 0; c < COLUMNS; c++) {
        int is_of_gpu = c == GPU || c >= GPU_DELTA;
        table->widths[c] = (int)strlen(columns[c].title);
        if (is_of_gpu && !page->view->has_gpu) table->fates[c] = ABSENT;
    }
    for (size_t i = 0; i < page->view->row_count; i++) {
        const wi__row *row = &page->view->rows[i];
        widen(&table->name, name_width(page, row));
        for (int c = 0; c < COLUMNS; c++)
            widen(&table->widths[c], (int)strlen(columns[c].cell(&row->figures).text));
        table->any_errors |= row->figures.errors != 0;
    }
}

static int figures_width(const layout *table) {
    int width = 0;
    for (int c = 0; c < COLUMNS; c++)
        if (table->fates[c] == SHOWN) width += GAP + table->widths[c];
    return width;
}

/* A column of zeros is the first to go. */
static int rank_of(const layout *table, int c) {
    return c != ERRORS ? columns[c].rank : table->any_errors ? 1 : 10;
}

static int drop_one(layout *table) {
    int worst = -1;
    for (int c = 0; c < COLUMNS; c++)
        if (table->fates[c] == SHOWN && rank_of(table, c) &&
            (worst < 0 || rank_of(table, c) > rank_of(table, worst)))
            worst = c;
    if (worst >= 0) table->fates[worst] = LEFT_OUT;
    return worst >= 0;
}

/* Names keep a third of the terminal, if they want it; then figures go, the least important first. */
static void fit(layout *table, int width) {
    int least = width / 3 > LEAST_NAME ? width / 3 : LEAST_NAME;
    if (table->name < least) least = table->name;
    while (least + figures_width(table) > width && drop_one(table)) {
    }
    int room = width - figures_width(table);
    if (room < LEAST_NAME / 2) room = LEAST_NAME / 2;
    if (table->name > room) table->name = room;
}

/* ---- printing ---- */

/* A cell at the right of its column. Spaces at its end are printed only when another cell follows.
 * @param owed  the spaces that the cell before is short of. @return those of this one. */
static int print_cell(const wi__page *page, const char *text, int width, int owed, wi__ink ink) {
    int padded = (int)strlen(text), length = padded;
    while (length && text[length - 1] == ' ') length--;
    fprintf(page->out, "%*s", owed + GAP + width - padded, "");
    if (ink != WI__PLAIN) wi__page_ink(page, ink);
    fprintf(page->out, "%.*s", length, text);
    if (ink != WI__PLAIN) wi__page_ink(page, WI__PLAIN);
    return padded - length;
}

static void print_titles(const wi__page *page, const layout *table) {
    int owed = 0;
    wi__page_ink(page, WI__FAINT);
    fprintf(page->out, "%-*s", table->name, "section");
    for (int c = 0; c < COLUMNS; c++)
        if (table->fates[c] == SHOWN)
            owed = print_cell(page, columns[c].title, table->widths[c], owed, WI__PLAIN);
    wi__page_ink(page, WI__PLAIN);
    fputc('\n', page->out);
}

static void print_name(const wi__page *page, const layout *table, const wi__row *row) {
    char name[WI__PATH_TEXT], mark[MARK];
    name_of(page, row, name, sizeof name);
    mark_of(page, row, mark);
    int indent = indent_of(page, row), marked = (int)strlen(mark);
    int room = page->width ? table->name - marked : WI__PATH_TEXT;
    if (room < 1) room = 1;
    if (page->width && indent > room / 2) indent = room / 2;
    int used = indent + marked;
    fprintf(page->out, "%*s", indent, "");
    used += wi__print_shortened(page->out, name, room - indent);
    if (marked) wi__page_ink(page, WI__NOTICE);
    fputs(mark, page->out);
    if (marked) wi__page_ink(page, WI__PLAIN);
    if (used < table->name) fprintf(page->out, "%*s", table->name - used, "");
}

static void print_figures(const wi__page *page, const layout *table, const wi__row *row) {
    int owed = 0;
    for (int c = 0; c < COLUMNS; c++) {
        if (table->fates[c] != SHOWN) continue;
        wi__ink ink = c == ERRORS && row->figures.errors ? WI__ALARM : WI__PLAIN;
        owed = print_cell(page, columns[c].cell(&row->figures).text, table->widths[c], owed, ink);
    }
    fputc('\n', page->out);
}

static void print_dropped(const wi__page *page, const layout *table) {
    int count = 0;
    for (int c = 0; c < COLUMNS; c++) {
        if (table->fates[c] != LEFT_OUT) continue;
        int length = (int)strlen(columns[c].title);
        while (columns[c].title[length - 1] == ' ') length--;
        fprintf(page->out, "%s%.*s", count++ ? ", " : "columns left out: ", length,
                columns[c].title);
    }
    if (count) fputs("; a wider terminal shows them\n", page->out);
}

void wi__page_table(const wi__page *page) {
    layout table = {0};
    fputc('\n', page->out);
    if (!page->view->row_count) {
        fputs("no sections were measured\n", page->out);
        return;
    }
    measure(page, &table);
    if (page->width)
        fit(&table, page->width);
    else if (table.name > USUAL_NAME)
        table.name = USUAL_NAME; /* the few longer names push their line out */
    print_titles(page, &table);
    for (size_t i = 0; i < page->view->row_count; i++) {
        print_name(page, &table, &page->view->rows[i]);
        print_figures(page, &table, &page->view->rows[i]);
    }
    print_dropped(page, &table);
}
