/* What is at the other end of a stream: a terminal, how wide, and whether it shows colours. */
#ifndef WITHIN_REPORT_TERMINAL_H
#define WITHIN_REPORT_TERMINAL_H

#include <stdio.h>

#include "report/report.h"

/** Columns of the terminal; 0 if it is none. */
int wi__terminal_width(FILE *stream);
/** Lines of the terminal; 0 if it is none. */
int wi__terminal_height(FILE *stream);
/** By default on a terminal, unless NO_COLOR is set. */
int wi__wants_color(FILE *stream, wi__report_color wish);

#endif
