/* Windows that fill, and are joined. */
#include "manage/leak_series.h"

#include <stddef.h>

static void join_neighbours(wi__leak_series *series) {
    for (size_t i = 0; i < WI__LEAK_WINDOWS / 2; i++) {
        wi__leak_window *first = &series->windows[2 * i], *second = first + 1;
        wi__leak_window both = *first;
        if (second->minimum < both.minimum) both.minimum = second->minimum;
        both.own += second->own;
        series->windows[i] = both;
    }
    series->begun = WI__LEAK_WINDOWS / 2;
    series->width *= 2;
}

static void begin_window(wi__leak_series *series, const wi__leak_sample *sample) {
    if (series->begun == WI__LEAK_WINDOWS) join_neighbours(series);
    if (!series->width) series->width = WI__LEAK_FIRST_WIDTH;
    series->windows[series->begun++] =
        (wi__leak_window){sample->level, 0, sample->call, sample->time_s};
    series->in_last = 0;
}

int wi__leak_add(wi__leak_series *series, const wi__leak_sample *sample) {
    if (series->begun == 0 || series->in_last == series->width) begin_window(series, sample);
    wi__leak_window *window = &series->windows[series->begun - 1];
    if (sample->level < window->minimum) window->minimum = sample->level;
    window->own += sample->own;
    series->last = *sample;
    return ++series->in_last == series->width && series->begun == WI__LEAK_WINDOWS;
}
