/* What the leak watch costs: a look at all counters, sections that are watched, and host memory of a block. */
#include <within.h>

#include "harness.h"
#include "manage/counters.h"
#include "watched.h"

static void nothing(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) __asm__ volatile("" ::"r"(i));
}

static void look(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        wi__levels levels = wi__counters_read(WI__CHEAP_COUNTERS);
        __asm__ volatile("" ::"r"(&levels) : "memory");
    }
}

static void memory_block(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++)
        within (wi_memory("block", .quiet = 1)) continue;
}

int main(void) {
    const bench_target one_percent = {BENCH_RATIO, 1.01};
    bench("leak watch: a look at all counters", look, nothing);
    bench("host memory: a block", memory_block, nothing);
    within (wi_watch(.sections = "watched", .quiet = 1)) {
        bench("leak watch: watched section, empty, against one that is not", watched, not_watched);
        bench("leak watch: watched section of 1,000 steps", watched, not_watched, .size = 1000,
              .target = one_percent);
        bench("leak watch: watched section of 100,000 steps", watched, not_watched, .size = 100000,
              .target = one_percent);
    }
    return 0;
}
