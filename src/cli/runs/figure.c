/* A figure's layout: what stands where, in pixels. */
#include "cli/runs/figure.h"

#include <stdlib.h>

#include "report/utf8.h"

enum {
    FONT = 12,
    TITLE_FONT = 15,
    MARGIN = 14,
    TICK = 5,
    LINE = 18, /* of text */
    SAMPLE = 24,
    INK = 0x333333,
    PALE = 0xE4E4E4
};

/* Eight colours that the colour-blind tell apart too: M. Okabe, K. Ito, "Color universal design", 2008. */
static const unsigned colors[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                  0xE69F00, 0x56B4E9, 0x000000, 0xB8A900};

/* About: what a text is wide is only known to the one that shows it. */
static double text_width(const char *text, double size) {
    return 0.58 * size * wi__text_width(text);
}

int wi__figure_scale(wi__figure *figure, int log_x, int log_y, int x_ticks, int y_ticks) {
    double x[2], y[2];
    if (!wi__curves_range(&figure->curves, log_x, log_y, x, y)) return 0;
    figure->x = wi__axis_for(x[0], x[1], log_x, 0, x_ticks);
    figure->y = wi__axis_for(y[0], y[1], log_y, 0.04, y_ticks);
    return 1;
}

/* ---- layout ---- */

typedef struct places {
    double left, right, top, bottom; /* of the axes */
    double legend;                   /* the base line of its first line */
} places;

/* Where the legend's next entry stands; lines are filled from the left. */
static wi__dot next_entry(const wi__figure *figure, const places *frame, wi__dot at,
                          const char *label) {
    double width = SAMPLE + 6 + text_width(label, FONT);
    if (at.x > frame->left && at.x + width > figure->width - MARGIN)
        at = (wi__dot){frame->left, at.y + LINE};
    return at;
}

static double after_entry(wi__dot at, const char *label) {
    return at.x + SAMPLE + 6 + text_width(label, FONT) + 18;
}

static double widest_label(const wi__axis *axis) {
    double widest = 0;
    for (int i = 0; i < axis->tick_count; i++) {
        double width = text_width(axis->ticks[i].label, FONT);
        if (width > widest) widest = width;
    }
    return widest;
}

/* One curve is named by title and axis alone. */
static int has_legend(const wi__figure *figure) { return figure->curves.count > 1; }

static places lay_out(const wi__figure *figure) {
    places frame = {.top = MARGIN + 4};
    frame.left = MARGIN + widest_label(&figure->y) + TICK + 4 + (*figure->y_label ? LINE : 0);
    frame.right = figure->width - MARGIN - 10;
    frame.bottom = figure->height - MARGIN - TICK - LINE - (*figure->x_label ? LINE : 0);
    if (*figure->title) frame.top += LINE + 6;
    frame.legend = frame.top + FONT / 2.0;
    if (has_legend(figure)) {
        wi__dot at = {frame.left, frame.legend};
        for (size_t i = 0; i < figure->curves.count; i++) {
            at = next_entry(figure, &frame, at, figure->curves.curves[i].label);
            at.x = after_entry(at, figure->curves.curves[i].label);
        }
        frame.top = at.y + LINE;
    }
    return frame;
}

/* ---- drawing ---- */

static void draw_line(wi__pen *pen, double x0, double y0, double x1, double y1, unsigned color,
                      double width) {
    wi__dot ends[] = {{x0, y0}, {x1, y1}};
    pen->line(pen, ends, 2, color, width);
}

static void draw_x_axis(const wi__figure *figure, wi__pen *pen, const places *frame) {
    for (int i = 0; i < figure->x.tick_count; i++) {
        const wi__tick *tick = &figure->x.ticks[i];
        double at =
            frame->left + (frame->right - frame->left) * wi__axis_place(&figure->x, tick->value);
        draw_line(pen, at, frame->top, at, frame->bottom, PALE, 1);
        draw_line(pen, at, frame->bottom, at, frame->bottom + TICK, INK, 1);
        pen->text(pen, (wi__dot){at, frame->bottom + TICK + FONT + 2}, WI__AT_MIDDLE, 0, FONT,
                  tick->label);
    }
    if (*figure->x_label)
        pen->text(pen, (wi__dot){(frame->left + frame->right) / 2, figure->height - MARGIN},
                  WI__AT_MIDDLE, 0, FONT, figure->x_label);
}

static void draw_y_axis(const wi__figure *figure, wi__pen *pen, const places *frame) {
    for (int i = 0; i < figure->y.tick_count; i++) {
        const wi__tick *tick = &figure->y.ticks[i];
        double at =
            frame->bottom - (frame->bottom - frame->top) * wi__axis_place(&figure->y, tick->value);
        draw_line(pen, frame->left, at, frame->right, at, PALE, 1);
        draw_line(pen, frame->left - TICK, at, frame->left, at, INK, 1);
        pen->text(pen, (wi__dot){frame->left - TICK - 4, at + 0.35 * FONT}, WI__AT_RIGHT, 0, FONT,
                  tick->label);
    }
    if (*figure->y_label)
        pen->text(pen, (wi__dot){MARGIN + FONT / 2.0, (frame->top + frame->bottom) / 2},
                  WI__AT_MIDDLE, 1, FONT, figure->y_label);
}

static void draw_curve(const wi__figure *figure, wi__pen *pen, const places *frame, size_t index) {
    size_t count;
    unsigned color = colors[index % (sizeof colors / sizeof *colors)];
    int columns = (int)(2 * (frame->right - frame->left));
    wi__dot *dots = wi__curve_trace(&figure->curves.curves[index], &figure->x, &figure->y,
                                    columns > 1 ? columns : 1, &count);
    for (size_t i = 0; i < count; i++) {
        dots[i].x = frame->left + (frame->right - frame->left) * dots[i].x;
        dots[i].y = frame->bottom - (frame->bottom - frame->top) * dots[i].y;
    }
    pen->line(pen, dots, count, color, 1.5);
    free(dots);
}

static void draw_legend(const wi__figure *figure, wi__pen *pen, const places *frame) {
    wi__dot at = {frame->left, frame->legend};
    for (size_t i = 0; i < figure->curves.count; i++) {
        const char *label = figure->curves.curves[i].label;
        at = next_entry(figure, frame, at, label);
        draw_line(pen, at.x, at.y - 0.35 * FONT, at.x + SAMPLE, at.y - 0.35 * FONT,
                  colors[i % (sizeof colors / sizeof *colors)], 2.5);
        pen->text(pen, (wi__dot){at.x + SAMPLE + 6, at.y}, WI__AT_LEFT, 0, FONT, label);
        at.x = after_entry(at, label);
    }
}

void wi__figure_draw(const wi__figure *figure, wi__pen *pen) {
    places frame = lay_out(figure);
    draw_x_axis(figure, pen, &frame);
    draw_y_axis(figure, pen, &frame);
    for (size_t i = 0; i < figure->curves.count; i++) draw_curve(figure, pen, &frame, i);
    wi__dot box[] = {
        {frame.left, frame.top}, {frame.left, frame.bottom}, {frame.right, frame.bottom}};
    pen->line(pen, box, 3, INK, 1);
    if (*figure->title)
        pen->text(pen, (wi__dot){frame.left, MARGIN + TITLE_FONT}, WI__AT_LEFT, 0, TITLE_FONT,
                  figure->title);
    if (has_legend(figure)) draw_legend(figure, pen, &frame);
}
