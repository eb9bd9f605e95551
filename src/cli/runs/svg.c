/* A figure as SVG: lines and texts stay what they are, and can be edited. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "cli/runs/figure.h"

typedef struct svg_pen {
    wi__pen pen; /* first */
    FILE *out;
} svg_pen;

static void draw_line(wi__pen *pen, const wi__dot *dots, size_t count, unsigned color,
                      double width) {
    FILE *out = ((svg_pen *)pen)->out;
    int is_begin = 1;
    if (!count) return;
    fprintf(out, "<path fill=\"none\" stroke=\"#%06x\" stroke-width=\"%g\" d=\"", color, width);
    for (size_t i = 0; i < count; i++) {
        if (isnan(dots[i].x)) {
            is_begin = 1;
            continue;
        }
        /* A point alone is a dot. */
        int is_alone = is_begin && (i + 1 == count || isnan(dots[i + 1].x));
        fprintf(out, "%s%.2f %.2f%s", is_begin ? "M" : "L", dots[i].x, dots[i].y,
                is_alone ? "h0" : "");
        is_begin = 0;
    }
    fputs("\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n", out);
}

/* U+FFFE and U+FFFF are no characters of XML; all others that are not have been made printable. */
static int is_no_character(const char *text) {
    return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

static void print_escaped(FILE *out, const char *text) {
    for (; *text; text++) switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default:
            fputc(is_no_character(text) ? '?' : *text, out);
            text += is_no_character(text) ? 2 : 0;
        }
}

static void draw_text(wi__pen *pen, wi__dot at, wi__align anchor, int upwards, double size,
                      const char *text) {
    static const char *const anchors[] = {"start", "middle", "end"};
    FILE *out = ((svg_pen *)pen)->out;
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\"", at.x, at.y,
            size, anchors[anchor]);
    if (upwards) fprintf(out, " transform=\"rotate(-90 %.1f %.1f)\"", at.x, at.y);
    fputc('>', out);
    print_escaped(out, text);
    fputs("</text>\n", out);
}

void wi__figure_svg(const wi__figure *figure, FILE *out) {
    svg_pen pen = {{draw_line, draw_text}, out};
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" fill=\"#333333\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            figure->width, figure->height, figure->width, figure->height);
    wi__figure_draw(figure, &pen.pen);
    fputs("</svg>\n", out);
}
