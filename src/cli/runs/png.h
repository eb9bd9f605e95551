/* PNG needs cairo, which within-plot alone is linked with. */
#ifndef WITHIN_CLI_RUNS_PNG_H
#define WITHIN_CLI_RUNS_PNG_H

/** Has this executable wi__figure_png? */
int wi__png_is_here(void);
/** Become the executable that has. @return only if that fails: the exit status, after the reason was said. */
int wi__png_elsewhere(void);

#endif
