/*
 * A figure: curves with axes, title and legend, drawn by a pen that knows lines and texts.
 *
 * SVG, PNG and whatever comes have the same figure; a terminal has too few dots for it, and its own (braille.h).
 */
#ifndef WITHIN_CLI_RUNS_FIGURE_H
#define WITHIN_CLI_RUNS_FIGURE_H

#include <stdio.h>

#include "cli/runs/curves.h"

typedef struct wi__figure {
    wi__curves curves;
    wi__axis x, y;
    const char *title; /* printable; "" for none, as the labels */
    const char *x_label, *y_label;
    int width, height; /* pixels, or columns and lines of a terminal */
} wi__figure;

typedef enum wi__align { WI__AT_LEFT, WI__AT_MIDDLE, WI__AT_RIGHT } wi__align;

/* Coordinates in pixels from the upper left corner; colours as 0xRRGGBB. */
typedef struct wi__pen {
    /** A line through points; a NaN breaks it. */
    void (*line)(struct wi__pen *pen, const wi__dot *dots, size_t count, unsigned color,
                 double width);
    /** A text on a base line; `upwards` turns it by 90 degrees. */
    void (*text)(struct wi__pen *pen, wi__dot at, wi__align anchor, int upwards, double size,
                 const char *text);
} wi__pen;

/** Set the axes so that all curves are in. @return 0 if there is no point to draw. */
int wi__figure_scale(wi__figure *figure, int log_x, int log_y, int x_ticks, int y_ticks);
void wi__figure_draw(const wi__figure *figure, wi__pen *pen);

/** Write it as SVG. Trouble is in the stream's error flag. @raise WI_MEMORY_ERROR */
void wi__figure_svg(const wi__figure *figure, FILE *out);
/** Write it as PNG. @raise WI_OS_ERROR, WI_MEMORY_ERROR. */
void wi__figure_png(const wi__figure *figure, FILE *out);
/** Draw it with characters. @param color  whether the terminal shows colours. @raise WI_MEMORY_ERROR */
void wi__figure_terminal(const wi__figure *figure, FILE *out, int color);

#endif
