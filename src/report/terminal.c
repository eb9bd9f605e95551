/* Terminals. */
#include "report/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80, USUAL_HEIGHT = 24, LEAST_WIDTH = 20, LEAST_HEIGHT = 10 };

static int is_terminal(FILE *stream) { return fileno(stream) >= 0 && isatty(fileno(stream)); }

/* What it says of itself is 0 where it does not know. */
static struct winsize size_of(FILE *stream) {
    struct winsize size = {0};
    if (ioctl(fileno(stream), TIOCGWINSZ, &size)) return (struct winsize){0};
    return size;
}

int wi__terminal_width(FILE *stream) {
    if (!is_terminal(stream)) return 0;
    int width = size_of(stream).ws_col;
    if (!width) return USUAL_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width;
}

int wi__terminal_height(FILE *stream) {
    if (!is_terminal(stream)) return 0;
    int height = size_of(stream).ws_row;
    if (!height) return USUAL_HEIGHT;
    return height < LEAST_HEIGHT ? LEAST_HEIGHT : height;
}

int wi__wants_color(FILE *stream, wi__report_color wish) {
    if (wish != WI__COLOR_AUTO) return wish == WI__COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (no_color && *no_color) return 0;
    return is_terminal(stream) && terminal && strcmp(terminal, "dumb") != 0;
}
