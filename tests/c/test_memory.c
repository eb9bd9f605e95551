/* wi_memory: what a block left behind, and the most that it held. */
#include <sys/mman.h>

#include "manage/megabytes.h"
#include "manage/peak.h"
#include "process_helpers.h"

/* The thread sanitizer takes memory of its own for each byte. */
enum { MB = 1000000, TOLERANCE = UNDER_TSAN ? 1000 * MB : 2 * MB };

/* Not by malloc, which keeps some of what is freed. */
static volatile char *hold(size_t bytes) {
    volatile char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(memory != MAP_FAILED);
    for (size_t i = 0; i < bytes; i += 512) memory[i] = 1;
    return memory;
}

static void take_and_give_back(size_t bytes) { munmap((void *)hold(bytes), bytes); }

#define quiet(name) wi_memory name = wi_memory(#name, .quiet = 1)

alone(a_block_tells_what_it_left_behind) {
    quiet(step);
    within (&step) hold(40 * MB);
    expect_near(step.delta, 40 * MB, TOLERANCE);
    expect_near(step.current - step.before, step.delta, 0);
    expect_near(step.peak, step.current, TOLERANCE);
}

alone(a_block_tells_the_most_that_it_held) {
    quiet(step);
    within (&step) take_and_give_back(40 * MB);
    expect_near(step.delta, 0, TOLERANCE);
    expect_near(step.peak - step.before, 40 * MB, TOLERANCE);
    expect(step.peak_is_exact);
}

alone(a_peak_before_the_block_is_not_the_blocks) {
    quiet(step);
    take_and_give_back(80 * MB);
    within (&step) take_and_give_back(20 * MB);
    expect_near(step.peak - step.before, 20 * MB, TOLERANCE);
}

alone(an_inner_block_does_not_hide_the_peak_of_the_outer_one) {
    quiet(outer);
    quiet(inner);
    within (&outer) {
        take_and_give_back(60 * MB);
        within (&inner) take_and_give_back(20 * MB);
    }
    expect_near(inner.peak - inner.before, 20 * MB, TOLERANCE);
    expect_near(outer.peak - outer.before, 60 * MB, TOLERANCE);
}

alone(an_inner_peak_is_the_outer_ones_too) {
    quiet(outer);
    quiet(inner);
    within (&outer) {
        within (&inner) take_and_give_back(60 * MB);
        take_and_give_back(20 * MB);
    }
    expect_near(inner.peak - inner.before, 60 * MB, TOLERANCE);
    expect_near(outer.peak - outer.before, 60 * MB, TOLERANCE);
}

static void begin(wi_memory *memory) { memory->protocol->enter(memory); }
static void end(wi_memory *memory) { memory->protocol->exit(memory, WI_END, NULL); }

alone(blocks_that_overlap_have_their_own_peaks) {
    quiet(first);
    quiet(second);
    begin(&first);
    take_and_give_back(60 * MB);
    begin(&second);
    take_and_give_back(20 * MB);
    end(&first);
    take_and_give_back(40 * MB);
    end(&second);
    expect_near(first.peak - first.before, 60 * MB, TOLERANCE);
    expect_near(second.peak - second.before, 40 * MB, TOLERANCE);
}

/* Against a replay: levels and peaks of 300 blocks that begin and end at random. */
alone(many_overlapping_blocks_have_their_own_peaks) {
    enum { BLOCKS = 8, STEPS = 300 };
    wi_memory blocks[BLOCKS];
    double peaks[BLOCKS];
    int open[BLOCKS] = {0};
    for (int step = 0; step < STEPS; step++) {
        int i = rand() % BLOCKS, bytes = (1 + rand() % 20) * MB;
        if (open[i]) {
            end(&blocks[i]);
            expect_near(blocks[i].peak - blocks[i].before, peaks[i], TOLERANCE);
        } else {
            blocks[i] = wi_memory("block", .quiet = 1);
            begin(&blocks[i]);
            peaks[i] = 0;
        }
        open[i] = !open[i];
        take_and_give_back((size_t)bytes);
        for (int j = 0; j < BLOCKS; j++)
            if (open[j] && bytes > peaks[j]) peaks[j] = bytes;
    }
}

/* ---- printing ---- */

static char *printed_by(const char *label) {
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    within (wi_memory(label, .stream = stream)) continue;
    fclose(stream);
    return text;
}

alone(a_block_prints_its_line) {
    double delta, current, peak;
    int end = 0;
    char *text = printed_by("Forward pass");
    expect(sscanf(text, "[Forward pass] Memory: delta=%lfMB, current=%lfMB, peak=%lfMB\n%n", &delta,
                  &current, &peak, &end) == 3);
    expect(end == (int)strlen(text) && strstr(text, "delta=+0.") && current > 0.5 &&
           peak >= current);
    free(text);
}

alone(without_a_label_there_is_no_prefix) {
    char *none = printed_by(NULL), *empty = printed_by("");
    expect(strncmp(none, "Memory: delta=", 14) == 0 && strncmp(empty, "Memory: delta=", 14) == 0);
    free(none);
    free(empty);
}

alone(a_quiet_block_prints_nothing) {
    int out = open("said", O_RDWR | O_CREAT, 0600);
    dup2(out, 2);
    within (wi_memory("step", .quiet = 1)) continue;
    expect_count(size_of("said"), 0);
    within (wi_memory("step")) continue;
    expect(size_of("said") > 40);
}

alone(amounts_are_written_in_millions_of_bytes) {
    expect_text(wi__signed_megabytes_text(128.5e6).text, "+128.5MB");
    expect_text(wi__signed_megabytes_text(-1e5).text, "-0.1MB");
    expect_text(wi__megabytes_text(1234567890.).text, "1234.6MB");
    expect_text(wi__megabytes_text(NAN).text, "unknown");
}

/* ---- trouble ---- */

static void enter_twice(void *arg) {
    (void)arg;
    quiet(step);
    within (&step)
        within (&step) continue;
}

alone(one_that_is_open_is_not_entered_again) {
    wi_error *error;
    expect(!wi_call(enter_twice, NULL, &error));
    expect_text(wi_error_message(error),
                "memory step: it is being measured already; use one wi_memory a block");
    wi_error_free(error);
}

alone(what_is_not_known_is_not_a_number) {
    expect(isnan(wi_memory("step").peak) && isnan(wi_memory("step").before));
    if (chroot(".") != 0) return;
    quiet(step);
    within (&step) hold(MB);
    expect(isnan(step.before) && isnan(step.delta) && isnan(step.current) && isnan(step.peak));
    _exit(0); /* before sanitizers ask for /proc */
}

alone(the_status_file_is_read) {
    wi__resident_peak both = wi__resident_in("Name:\tx\nVmHWM:\t    12 kB\nVmRSS:\t     7 kB\n");
    expect_count(both.resident, 7168);
    expect_count(both.peak, 12288);
    expect(wi__resident_in("").peak == INT64_MIN);
}

static int is_begun;

static void *open_for_ever(void *memory) {
    begin(memory);
    __atomic_store_n(&is_begun, 1, __ATOMIC_RELEASE);
    pause();
    return NULL;
}

alone(a_forked_child_forgets_the_blocks_of_other_threads) {
    static wi_memory other, mine;
    other = wi_memory("other", .quiet = 1);
    mine = wi_memory("mine", .quiet = 1);
    start(open_for_ever, &other);
    while (!__atomic_load_n(&is_begun, __ATOMIC_ACQUIRE)) usleep(100);
    begin(&mine);
    pid_t child = fork();
    if (child == 0) {
        memset(&other, 0xff, sizeof other);
        take_and_give_back(40 * MB);
        end(&mine);
        _exit(mine.peak - mine.before > 40 * MB - TOLERANCE ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    expect_count(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_tells_what_it_left_behind),
        test(a_block_tells_the_most_that_it_held),
        test(a_peak_before_the_block_is_not_the_blocks),
        test(an_inner_block_does_not_hide_the_peak_of_the_outer_one),
        test(an_inner_peak_is_the_outer_ones_too),
        test(blocks_that_overlap_have_their_own_peaks),
        test(many_overlapping_blocks_have_their_own_peaks),
        test(a_block_prints_its_line),
        test(without_a_label_there_is_no_prefix),
        test(a_quiet_block_prints_nothing),
        test(amounts_are_written_in_millions_of_bytes),
        test(one_that_is_open_is_not_entered_again),
        test(what_is_not_known_is_not_a_number),
        test(the_status_file_is_read),
        test(a_forked_child_forgets_the_blocks_of_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
