/* Slices of two sides in turns, and their medians. */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_SLICES = 20000, LEAST_SLICES = 5, SLICE_NS = 50000, SHARED_SLICE_NS = 400000 };
/* Four cache lines, in steps of the stack's alignment. */
enum { STACK_PLACES = 16, STACK_STEP = 16 };

typedef struct bench_figures {
    double value, baseline, ratio, difference; /* medians of the slices */
    double least, baseline_least;
} bench_figures;

/* A row being measured, by one thread or two. */
typedef struct bench_contest {
    const bench_row *row;
    size_t n[2]; /* of the subject and the baseline, so that a slice lasts as long as it should */
    double deadline_ns;
    pthread_barrier_t together;
    int over;
} bench_contest;

typedef struct bench_thread {
    bench_contest *contest;
    int number;
    bench_figures figures;
} bench_thread;

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

double bench_seconds(void) {
    const char *wish = getenv("BENCH_SECONDS");
    return wish ? atof(wish) : 1;
}

int bench_wanted(const char *name) {
    const char *part = getenv("BENCH_ONLY");
    return !part || strstr(name, part);
}

/* The calling thread to a core of its own, the last first: the first core has more interrupts. */
static int pin(int number) {
    static cpu_set_t allowed;
    if (!CPU_COUNT(&allowed)) sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
        if (!CPU_ISSET(cpu, &allowed) || number--) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
    }
    return 0;
}

static double slice_ns(bench_side *side, size_t n, int size) {
    double begin = now_ns();
    side(n, size);
    return now_ns() - begin;
}

/* A slice that begins so many bytes further down the stack. */
__attribute__((noinline)) static double slice_lower_ns(bench_side *side, size_t n, int size,
                                                       size_t bytes) {
    void *skipped = __builtin_alloca(bytes + 1);
    __asm__ volatile("" ::"r"(skipped)); /* keeps it */
    return slice_ns(side, n, size);
}

/* How often makes a slice. The best of three: the first call may have more to do. */
static size_t calibrate(bench_side *side, int size, double enough_ns) {
    for (size_t n = 1;; n *= 2) {
        int tries = 3;
        while (tries && slice_ns(side, n, size) >= enough_ns) tries--;
        if (!tries) return n;
    }
}

static int ascending(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/*
 * Both sides once, the order changing from pair to pair. The place on the stack changes too: where the
 * system has put the stack is chance, and whether two stores share a cache line is worth 0.3 ns a block.
 */
static void measure_pair(bench_contest *contest, int round, double ns[2]) {
    bench_side *sides[] = {contest->row->subject, contest->row->baseline};
    size_t lower = (size_t)(round / 2 % STACK_PLACES) * STACK_STEP;
    for (int turn = 0; turn < 2; turn++) {
        int side = (round + turn) % 2;
        pthread_barrier_wait(&contest->together);
        size_t n = contest->n[side];
        ns[side] = slice_lower_ns(sides[side], n, contest->row->size, lower) / (double)n;
    }
}

static void *take_part(void *arg) {
    static __thread double value[MOST_SLICES], baseline[MOST_SLICES], ratio[MOST_SLICES],
        difference[MOST_SLICES];
    bench_thread *self = arg;
    bench_contest *contest = self->contest;
    int count = 0;
    pin(self->number);
    for (;; count++) {
        if (self->number == 0)
            contest->over =
                count == MOST_SLICES || (count >= LEAST_SLICES && now_ns() > contest->deadline_ns);
        pthread_barrier_wait(&contest->together);
        if (contest->over) break;
        double ns[2];
        measure_pair(contest, count, ns);
        value[count] = ns[0];
        baseline[count] = ns[1];
        ratio[count] = ns[0] / ns[1];
        difference[count] = ns[0] - ns[1];
    }
    self->figures.value = median(value, count);
    self->figures.least = value[0]; /* they are sorted now */
    self->figures.baseline = median(baseline, count);
    self->figures.baseline_least = baseline[0];
    self->figures.ratio = median(ratio, count);
    self->figures.difference = median(difference, count);
    return NULL;
}

static void print(const char *name, const char *unit, const bench_figures *figures,
                  bench_target target) {
    static const char *const targets[] = {"", "ratio", "difference", "value"};
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.4f, \"baseline\": %.4f, \"ratio\": "
           "%.5f, "
           "\"difference\": %.4f, \"least\": %.4f, \"baseline_least\": %.4f, \"target\": \"%s\", "
           "\"at_most\": %g}\n",
           name, unit, figures->value, figures->baseline, figures->ratio, figures->difference,
           figures->least, figures->baseline_least, targets[target.of], target.at_most);
    fflush(stdout);
}

void bench_measure(const bench_row *row) {
    if (!bench_wanted(row->name)) return;
    int threads = row->two_threads ? 2 : 1;
    if (!pin(threads - 1)) return; /* there are not as many cores */
    pin(0);
    bench_contest contest = {.row = row};
    double enough_ns = threads > 1 ? SHARED_SLICE_NS : SLICE_NS;
    contest.n[0] = calibrate(row->subject, row->size, enough_ns);
    contest.n[1] = calibrate(row->baseline, row->size, enough_ns);
    contest.deadline_ns = now_ns() + 1e9 * bench_seconds();
    pthread_barrier_init(&contest.together, NULL, (unsigned)threads);

    bench_thread both[2] = {{.contest = &contest}, {.contest = &contest, .number = 1}};
    pthread_t other;
    if (threads > 1 && pthread_create(&other, NULL, take_part, &both[1])) abort();
    take_part(&both[0]);
    if (threads > 1) pthread_join(other, NULL);
    pthread_barrier_destroy(&contest.together);
    int worse = threads > 1 && both[1].figures.ratio > both[0].figures.ratio;
    print(row->name, "ns", &both[worse].figures, row->target);
}

static void print_one(const char *name, const char *unit, double value, double baseline,
                      bench_target target) {
    bench_figures figures = {value, baseline, value / baseline, value - baseline, value, baseline};
    if (bench_wanted(name)) print(name, unit, &figures, target);
}

void bench_bytes(const char *name, double value, double baseline, bench_target target) {
    print_one(name, "bytes", value, baseline, target);
}

void bench_ns(const char *name, double value, double baseline, bench_target target) {
    print_one(name, "ns", value, baseline, target);
}
