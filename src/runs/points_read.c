/* Reading points back: by the run's own thread from memory, by others from the file, whatever has become of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "runs/points_file.h"

/* ---- files of others: by calls, for a map of a file that is cut off meanwhile ends the process ---- */

/* As many bytes as there are, up to `size`; the rest is zero, and no point is. */
static int read_at(int file, void *to, size_t size, off_t offset) {
    size_t length = 0;
    memset(to, 0, size);
    while (length < size) {
        ssize_t got = pread(file, (char *)to + length, size - length, offset + (off_t)length);
        if (got < 0 && errno != EINTR) return errno;
        if (got == 0) break;
        if (got > 0) length += (size_t)got;
    }
    return 0;
}

static int by_number(const void *a, const void *b) {
    const wi__placed_segment *first = a, *second = b;
    if (first->number != second->number) return first->number < second->number ? -1 : 1;
    return first->place - second->place;
}

/* Where the mark is damaged, the file reads as an empty one. */
static int read_head(wi__points *points) {
    wi__points_head head;
    int error = read_at(points->file, &head, sizeof head, 0);
    if (error) return error;
    if (memcmp(head.mark, WI__POINTS_MARK, sizeof head.mark) != 0 || head.order != WI__POINTS_ORDER)
        return 0;
    for (int place = 0; place < WI__MOST_SEGMENTS; place++)
        if (head.holds[place] && head.holds[place] <= UINT64_MAX / WI__SEGMENT_POINTS)
            points->placed[points->placed_count++] =
                (wi__placed_segment){head.holds[place] - 1, place};
    qsort(points->placed, (size_t)points->placed_count, sizeof *points->placed, by_number);
    return 0;
}

wi__points *wi__points_open(int folder) {
    int file = openat(folder, "points", O_RDONLY | O_CLOEXEC);
    if (file < 0) return NULL;
    wi__points *points = wi__points_new(0);
    int error = points ? 0 : errno;
    if (points) {
        points->file = file;
        points->loaded = -1;
        points->buffer = malloc(WI__SEGMENT_BYTES);
        error = points->buffer ? read_head(points) : ENOMEM;
    } else {
        close(file);
    }
    if (!error) return points;
    wi__points_close(points);
    errno = error;
    return NULL;
}

/* The first that is not before `number`; `placed_count` if there is none. */
static int find_placed(const wi__points *points, uint64_t number) {
    int i = 0;
    while (i < points->placed_count && points->placed[i].number < number) i++;
    return i;
}

/* An open file of a live process changes: it is read anew each time a reader comes to a segment. */
static const wi__stored_point *load(wi__points *points, int i) {
    off_t offset = WI__POINTS_HEAD + (off_t)points->placed[i].place * WI__SEGMENT_BYTES;
    if (i == points->loaded) return points->buffer;
    if (read_at(points->file, points->buffer, WI__SEGMENT_BYTES, offset) != 0) return NULL;
    points->loaded = i;
    return points->buffer;
}

/* ---- reading ---- */

/* Where a ticket lies, and the first ticket that does not lie there. */
typedef struct stretch {
    const wi__stored_point *segment; /* NULL: there is none, and none behind it */
    uint64_t end;
} stretch;

static stretch own_stretch(const wi__points *points, uint64_t ticket) {
    uint64_t next = __atomic_load_n(&points->next, __ATOMIC_RELAXED);
    uint64_t limit = __atomic_load_n(&points->limit, __ATOMIC_ACQUIRE);
    uint64_t end = next < limit ? next : limit;
    uint64_t number = ticket / WI__SEGMENT_POINTS, of_segment = (number + 1) * WI__SEGMENT_POINTS;
    if (ticket >= end) return (stretch){NULL, ticket};
    return (stretch){points->segments[number % WI__MOST_SEGMENTS],
                     of_segment < end ? of_segment : end};
}

/* Where a damaged head has only later segments, and `may_skip`, the ticket is moved to the first of them. */
static stretch stretch_of_file(wi__points *points, uint64_t *ticket, int may_skip) {
    uint64_t number = *ticket / WI__SEGMENT_POINTS;
    int i = find_placed(points, number);
    if (i == points->placed_count) return (stretch){NULL, *ticket};
    if (points->placed[i].number != number) {
        if (!may_skip) return (stretch){NULL, *ticket};
        number = points->placed[i].number;
        *ticket = number * WI__SEGMENT_POINTS;
    }
    return (stretch){load(points, i), (number + 1) * WI__SEGMENT_POINTS};
}

/* Is it there as a whole? What another thread is writing is read twice at most, and does not pass. */
static int take(const wi__stored_point *from, uint64_t ticket, wi__point *to) {
    uint32_t check = __atomic_load_n(&from->check, __ATOMIC_ACQUIRE);
    wi__stored_point point;
    point.series = __atomic_load_n(&from->series, __ATOMIC_RELAXED);
    point.step = __atomic_load_n(&from->step, __ATOMIC_RELAXED);
    point.value = __atomic_load_n(&from->value, __ATOMIC_RELAXED);
    point.ms = __atomic_load_n(&from->ms, __ATOMIC_RELAXED);
    if (wi__point_check(&point, ticket) != check) return 0;
    to->series = point.series;
    to->step = point.step;
    memcpy(&to->value, &point.value, sizeof to->value);
    to->ms = point.ms;
    return 1;
}

/* Points of one stretch. @return whether one is reached that is being written. */
static int read_stretch(const stretch *from, uint64_t *ticket, wi__point *to, uint64_t *count,
                        uint64_t most, int skip_unfinished) {
    for (; *ticket < from->end && *count < most; ++*ticket) {
        int is_whole = take(from->segment + *ticket % WI__SEGMENT_POINTS, *ticket, &to[*count]);
        if (!is_whole && !skip_unfinished) return 1;
        if (is_whole && to[*count].series < WI__SERIES_LIMIT) ++*count;
    }
    return 0;
}

uint64_t wi__points_read(wi__points *points, uint64_t *ticket, wi__point *to, uint64_t most,
                         int skip_unfinished) {
    uint64_t count = 0;
    points->loaded = -1;
    while (count < most) {
        stretch from = points->head ? own_stretch(points, *ticket)
                                    : stretch_of_file(points, ticket, skip_unfinished);
        if (!from.segment) break;
        if (read_stretch(&from, ticket, to, &count, most, skip_unfinished)) break;
    }
    return count;
}
