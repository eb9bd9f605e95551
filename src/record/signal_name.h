/* The names of signals. */
#ifndef WITHIN_RECORD_SIGNAL_NAME_H
#define WITHIN_RECORD_SIGNAL_NAME_H

#include <within/macros.h>

typedef struct wi__signal_words {
    char text[24];
} wi__signal_words;

/** "SIGTERM"; "signal 70" of one without a name. */
WI_API wi__signal_words wi__signal_name(int number);

#endif
