/*
 * A figure on a terminal. In colour a curve is dots of braille, eight to a character; where curves cannot be told
 * by colour, each has a letter of its own, one dot to a character.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "cli/runs/figure.h"
#include "report/utf8.h"

enum { CELL_WIDTH = 2, CELL_HEIGHT = 4, NO_CURVE = -1 };

static const char marks[] = "*o+x#@%&";
static const int inks[] = {34, 31, 32, 35, 33, 36, 94, 91};

typedef struct cell {
    unsigned char dots;  /* as Unicode numbers the eight of them */
    unsigned char curve; /* the last that was drawn here */
} cell;

typedef struct canvas {
    int columns, lines; /* characters */
    int width, height;  /* dots */
    int is_braille, color;
    cell *cells;
} canvas;

/* ---- dots ---- */

static void set_dot(canvas *on, int x, int y, int curve) {
    static const unsigned char bits[CELL_HEIGHT][CELL_WIDTH] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int across = on->is_braille ? CELL_WIDTH : 1, down = on->is_braille ? CELL_HEIGHT : 1;
    if (x < 0 || x >= on->width || y < 0 || y >= on->height) return;
    cell *at = &on->cells[(y / down) * on->columns + x / across];
    at->dots |= bits[y % down][x % across];
    at->curve = (unsigned char)curve;
}

/* J. E. Bresenham, IBM Systems Journal 4(1), 1965, 25-30. */
static void set_line(canvas *on, int x0, int y0, int x1, int y1, int curve) {
    int dx = abs(x1 - x0), dy = -abs(y1 - y0), error = dx + dy;
    int step_x = x0 < x1 ? 1 : -1, step_y = y0 < y1 ? 1 : -1;
    for (;;) {
        set_dot(on, x0, y0, curve);
        if (x0 == x1 && y0 == y1) return;
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y0 += step_y;
        }
    }
}

static int dot_of(double place, int dots) { return (int)lround(place * (dots - 1)); }

static void draw_curve(canvas *on, const wi__figure *figure, int index) {
    size_t count;
    int before_x = -1, before_y = -1;
    wi__dot *dots =
        wi__curve_trace(&figure->curves.curves[index], &figure->x, &figure->y, on->width, &count);
    for (size_t i = 0; i < count; i++) {
        if (isnan(dots[i].x)) {
            before_x = -1;
            continue;
        }
        int x = dot_of(dots[i].x, on->width), y = on->height - 1 - dot_of(dots[i].y, on->height);
        set_line(on, before_x < 0 ? x : before_x, before_x < 0 ? y : before_y, x, y, index);
        before_x = x;
        before_y = y;
    }
    free(dots);
}

/* ---- characters ---- */

static void print_ink(const canvas *on, FILE *out, int curve) {
    if (on->color) fprintf(out, "\033[%dm", curve == NO_CURVE ? 0 : inks[curve % 8]);
}

static void print_cell(const canvas *on, FILE *out, const cell *at) {
    if (!at->dots)
        fputc(' ', out);
    else if (on->is_braille) /* U+2800 and the dots, as UTF-8 */
        fprintf(out, "\xe2%c%c", 0xA0 | at->dots >> 6, 0x80 | (at->dots & 0x3F));
    else
        fputc(marks[at->curve % (int)strlen(marks)], out);
}

static void print_line(const canvas *on, FILE *out, int line) {
    const cell *cells = &on->cells[(size_t)line * (size_t)on->columns];
    int ink = NO_CURVE, end = on->columns;
    while (end && !cells[end - 1].dots) end--; /* no spaces at a line's end */
    for (int i = 0; i < end; i++) {
        if (cells[i].dots && cells[i].curve != ink) print_ink(on, out, ink = cells[i].curve);
        print_cell(on, out, &cells[i]);
    }
    if (ink != NO_CURVE) print_ink(on, out, NO_CURVE);
    fputc('\n', out);
}

/* ---- around it ---- */

static int label_width(const wi__axis *axis) {
    int widest = 0;
    for (int i = 0; i < axis->tick_count; i++)
        if (wi__text_width(axis->ticks[i].label) > widest)
            widest = wi__text_width(axis->ticks[i].label);
    return widest;
}

static const char *y_label(const wi__figure *figure, const canvas *on, int line) {
    for (int i = 0; i < figure->y.tick_count; i++) {
        double place = wi__axis_place(&figure->y, figure->y.ticks[i].value);
        if (on->lines - 1 - dot_of(place, on->lines) == line) return figure->y.ticks[i].label;
    }
    return "";
}

static void print_x_axis(const wi__figure *figure, const canvas *on, FILE *out, int left) {
    fprintf(out, "%*s└", left, "");
    for (int column = 0; column < on->columns; column++) {
        int is_tick = 0;
        for (int i = 0; i < figure->x.tick_count; i++)
            is_tick |=
                column == dot_of(wi__axis_place(&figure->x, figure->x.ticks[i].value), on->columns);
        fputs(is_tick ? "┬" : "─", out);
    }
    fputc('\n', out);
}

/* Labels below their ticks; one that would run into the one before is left out. */
static void print_x_labels(const wi__figure *figure, const canvas *on, FILE *out, int left) {
    int used = 0;
    for (int i = 0; i < figure->x.tick_count; i++) {
        const char *label = figure->x.ticks[i].label;
        int width = (int)strlen(label);
        int at = left + 1 +
                 dot_of(wi__axis_place(&figure->x, figure->x.ticks[i].value), on->columns) -
                 width / 2;
        if (at + width > left + 1 + on->columns) at = left + 1 + on->columns - width;
        if (at < (used ? used + 1 : 0)) continue;
        fprintf(out, "%*s%s", at - used, "", label);
        used = at + width;
    }
    fputc('\n', out);
    int width = wi__text_width(figure->x_label);
    int at = left + 1 + on->columns - width;
    if (width) fprintf(out, "%*s%s\n", at > 0 ? at : 0, "", figure->x_label);
}

static void print_legend(const wi__figure *figure, const canvas *on, FILE *out, int left) {
    if (figure->curves.count < 2) return;
    for (size_t i = 0; i < figure->curves.count; i++) {
        cell sample = {0x12 | 0x09, (unsigned char)i};
        fprintf(out, "%*s", left + 1, "");
        print_ink(on, out, (int)i);
        for (int j = 0; j < (on->is_braille ? 3 : 1); j++) print_cell(on, out, &sample);
        print_ink(on, out, NO_CURVE);
        fputc(' ', out);
        wi__print_shortened(out, figure->curves.curves[i].label, on->columns - 4);
        fputc('\n', out);
    }
}

static void print(const wi__figure *figure, const canvas *on, FILE *out, int left) {
    if (*figure->title) {
        fprintf(out, "%*s", left + 1, "");
        wi__print_shortened(out, figure->title, on->columns);
        fputc('\n', out);
    }
    print_legend(figure, on, out, left);
    for (int line = 0; line < on->lines; line++) {
        const char *label = y_label(figure, on, line);
        fprintf(out, "%*s%s%s", left - wi__text_width(label), "", label, *label ? "┤" : "│");
        print_line(on, out, line);
    }
    print_x_axis(figure, on, out, left);
    print_x_labels(figure, on, out, left);
}

void wi__figure_terminal(const wi__figure *figure, FILE *out, int color) {
    int left = label_width(&figure->y);
    canvas on = {.columns = figure->width - left - 1,
                 .lines = figure->height,
                 .is_braille = color || figure->curves.count == 1,
                 .color = color};
    if (on.columns < 10) on.columns = 10;
    on.width = on.columns * (on.is_braille ? CELL_WIDTH : 1);
    on.height = on.lines * (on.is_braille ? CELL_HEIGHT : 1);
    on.cells =
        wi_check_null(calloc((size_t)on.columns * (size_t)on.lines, sizeof *on.cells), "draw");
    for (int i = 0; i < (int)figure->curves.count; i++) draw_curve(&on, figure, i);
    print(figure, &on, out, left);
    free(on.cells);
}
