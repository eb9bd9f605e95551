/* From options to output: the terminal, the choice of rows, the format. */
#include "report/report.h"

#include <locale.h>
#include <stdlib.h>

#include "report/page.h"
#include "report/terminal.h"

static void write_page(const wi__page *page) {
    switch (page->options->format) {
    case WI__TEXT: wi__write_text(page); break;
    case WI__JSON: wi__write_json(page); break;
    case WI__CSV: wi__write_csv(page); break;
    }
}

/* In one piece: stderr has no buffer, and what other threads print there must not fall in between. */
static int write_at_once(wi__page *page) {
    FILE *stream = page->out;
    char *text = NULL;
    size_t length = 0;
    page->out = open_memstream(&text, &length);
    if (!page->out) return 0;
    write_page(page);
    int whole = !ferror(page->out);
    whole &= fclose(page->out) == 0;
    page->out = stream;
    if (whole) fwrite(text, 1, length, stream);
    free(text);
    return whole;
}

int wi__report_print(FILE *stream, const wi__profile *profile, const wi__report_options *options) {
    wi__view view;
    int width = options->width ? options->width : wi__terminal_width(stream);
    wi__page page = {stream,  width,   wi__wants_color(stream, options->color),
                     profile, options, &view};
    if (!wi__view_init(&view, profile, options)) return 0;
    /* A decimal point, whatever the program's language. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = (locale_t)0;
    if (c_locale) before = uselocale(c_locale);
    int done = write_at_once(&page);
    if (c_locale) {
        uselocale(before);
        freelocale(c_locale);
    }
    wi__view_release(&view);
    return done;
}
