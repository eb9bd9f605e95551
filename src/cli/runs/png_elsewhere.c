/* The executable without PNG: within-plot has it. */
#include "cli/elsewhere.h"
#include "cli/runs/figure.h"
#include "cli/runs/png.h"

int wi__png_is_here(void) { return 0; }

int wi__png_elsewhere(void) {
    static const wi__elsewhere plotter = {"plot --png", WI__PLOT_SUMMARY, "within-plot", "cairo"};
    return wi__go_elsewhere(&plotter, wi__typed_words);
}

void wi__figure_png(const wi__figure *figure, FILE *out) {
    (void)figure;
    (void)out;
}
