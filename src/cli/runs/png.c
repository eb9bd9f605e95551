/* A figure as PNG, by cairo. */
#include "cli/runs/png.h"

#include <math.h>

#include <cairo.h>

#include <within/error.h>

#include "cli/elsewhere.h"
#include "cli/runs/figure.h"

int wi__png_is_here(void) { return 1; }
int wi__png_elsewhere(void) { return WI__STATUS_FAILED; }

typedef struct cairo_pen {
    wi__pen pen; /* first */
    cairo_t *cairo;
} cairo_pen;

static void set_color(cairo_t *cairo, unsigned color) {
    cairo_set_source_rgb(cairo, (color >> 16 & 0xFF) / 255.0, (color >> 8 & 0xFF) / 255.0,
                         (color & 0xFF) / 255.0);
}

static void draw_line(wi__pen *pen, const wi__dot *dots, size_t count, unsigned color,
                      double width) {
    cairo_t *cairo = ((cairo_pen *)pen)->cairo;
    int is_begin = 1;
    set_color(cairo, color);
    cairo_set_line_width(cairo, width);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < count; i++) {
        if (isnan(dots[i].x)) {
            is_begin = 1;
            continue;
        }
        if (is_begin) cairo_move_to(cairo, dots[i].x, dots[i].y);
        cairo_line_to(cairo, dots[i].x, dots[i].y); /* a point alone is a dot */
        is_begin = 0;
    }
    cairo_stroke(cairo);
}

static void draw_text(wi__pen *pen, wi__dot at, wi__align anchor, int upwards, double size,
                      const char *text) {
    static const double shares[] = {0, 0.5, 1};
    cairo_t *cairo = ((cairo_pen *)pen)->cairo;
    cairo_text_extents_t extents;
    cairo_save(cairo);
    set_color(cairo, 0x333333);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, size);
    cairo_text_extents(cairo, text, &extents);
    cairo_translate(cairo, at.x, at.y);
    if (upwards) cairo_rotate(cairo, -M_PI / 2);
    cairo_move_to(cairo, -shares[anchor] * extents.x_advance, 0);
    cairo_show_text(cairo, text);
    cairo_restore(cairo);
}

static cairo_status_t write_bytes(void *out, const unsigned char *bytes, unsigned length) {
    return fwrite(bytes, 1, length, out) == length ? CAIRO_STATUS_SUCCESS
                                                   : CAIRO_STATUS_WRITE_ERROR;
}

void wi__figure_png(const wi__figure *figure, FILE *out) {
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, figure->width, figure->height);
    cairo_pen pen = {{draw_line, draw_text}, cairo_create(surface)};
    cairo_set_source_rgb(pen.cairo, 1, 1, 1);
    cairo_paint(pen.cairo);
    wi__figure_draw(figure, &pen.pen);
    cairo_status_t status = cairo_status(pen.cairo);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(surface, write_bytes, out);
    cairo_destroy(pen.cairo);
    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_NO_MEMORY) wi_raise(WI_MEMORY_ERROR, "draw the figure");
    if (status != CAIRO_STATUS_SUCCESS && status != CAIRO_STATUS_WRITE_ERROR)
        wi_raise(WI_OS_ERROR, "draw the figure: %s", cairo_status_to_string(status));
}
