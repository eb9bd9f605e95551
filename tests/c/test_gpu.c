/* What wi_gpu_memory leaves in the record: in which section, how much of it, and what the report shows. */
#include "gpu_helpers.h"
#include "record_helpers.h"
#include "report/report.h"

/* An allocator of the test's own. */
static double in_use, most;

static void heap_read(void *of, wi_gpu_figures *figures) {
    (void)of;
    figures->current = in_use;
    figures->peak = most;
}

static void heap_reset(void *of) {
    (void)of;
    most = in_use;
}

static const wi_gpu_source HEAP = {"heap", NULL, 1, NULL, heap_read, heap_reset};

static void grow(double bytes) {
    in_use += bytes;
    most = fmax(most, in_use);
}

static wi_gpu_memory track(void) { return wi_gpu_memory(0, "x", .source = &HEAP, .quiet = 1); }

static void enter(wi_gpu_memory *memory) { memory->protocol->enter(memory); }
static void leave(wi_gpu_memory *memory) { memory->protocol->exit(memory, WI_END, NULL); }

static void expect_recorded(const char *path, int blocks, double delta, double peak) {
    wi__profile profile = own_profile();
    uint32_t index = find_path(&profile, path);
    wi__figures figures = wi__path_figures(&profile, index);
    expect_count(profile.paths[index].gpu.tracked, blocks);
    expect_near(figures.gpu_delta, delta, 0);
    expect_near(figures.gpu_peak, peak, 0);
    expect_count(profile.paths[index].gpu.calls, 0);
    wi__profile_release(&profile);
}

/* ---- in which section ---- */

alone(a_block_is_recorded_in_the_section_around_it) {
    for (int i = 0; i < 3; i++) {
        within (wi_section("epoch")) {
            within (wi_section("forward")) {
                within (track()) {
                    within (wi_section("layer")) grow(100);
                    grow(-60);
                }
            }
        }
    }
    expect_recorded("epoch > forward", 3, 120, 180);
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "epoch, epoch > forward, epoch > forward > layer");
    expect_count(path_named(&profile, "epoch")->gpu.tracked, 0);
    wi__profile_release(&profile);
}

alone(a_block_counts_where_it_began) {
    wi_gpu_memory memory = track();
    within (wi_section("load")) enter(&memory);
    within (wi_section("step")) {
        grow(7);
        leave(&memory);
    }
    expect_recorded("load", 1, 7, 7);
}

alone(without_a_section_it_has_a_line_of_its_own) {
    within (track()) grow(50);
    within (wi_section("before")) continue;
    within (track()) grow(50);
    expect_recorded("(no section)", 2, 100, 100);
}

static void *track_in_thread(void *arg) {
    within (wi_section("work"))
        within (track()) continue;
    return arg;
}

alone(threads_are_added_up) {
    in_use = most = 9;
    for (int i = 0; i < 3; i++) pthread_join(start(track_in_thread, NULL), NULL);
    expect_recorded("work", 3, 0, 9);
}

/* ---- how much ---- */

alone(blocks_of_one_section_that_nest_count_once) {
    within (wi_section("step")) {
        within (track()) {
            grow(1);
            within (track()) grow(10);
            grow(100);
            within (track()) grow(1000);
        }
    }
    expect_recorded("step", 3, 1111, 1111);
}

alone(blocks_of_one_section_that_overlap_count_once) {
    wi_gpu_memory first = track(), second = track(), third = track();
    within (wi_section("step")) {
        enter(&first);
        grow(1);
        enter(&second);
        grow(10);
        leave(&first);
        grow(100);
        enter(&third);
        leave(&second);
        grow(1000);
        leave(&third);
        grow(10000);
        within (track()) grow(100000);
    }
    expect_recorded("step", 4, 101111, 111111);
}

alone(blocks_of_sections_in_each_other_count_in_each) {
    within (wi_section("epoch")) {
        within (track()) {
            within (wi_section("step"))
                within (track()) grow(5);
        }
    }
    expect_recorded("epoch", 1, 5, 5);
    expect_recorded("epoch > step", 1, 5, 5);
}

alone(a_block_inside_of_a_gpu_section_counts_once) {
    const size_t bytes = 2 << 20;
    uint64_t kept = 0;
    use_pool();
    within (wi_gpu_section("forward")) {
        within (wi_gpu_memory(0, "kernel", .quiet = 1)) kept = take(bytes);
    }
    wi__profile profile = own_profile();
    const wi__path *path = path_named(&profile, "forward");
    expect_count(path->gpu.delta, bytes);
    expect_count(path->gpu.tracked, 2);
    expect_count(path->gpu.calls, 1);
    wi__profile_release(&profile);
    give(kept);
}

/* Of blocks in one section it is what changed while any was open, whatever their order. */
alone(thousands_of_overlapping_blocks_are_as_a_replay_has_them) {
    enum { BLOCKS = 20, STEPS = 10000 };
    static wi_gpu_memory blocks[BLOCKS];
    double changed = 0;
    int is_open[BLOCKS] = {0}, open = 0, begun = 0;
    srand(16266);
    within (wi_section("step")) {
        for (int i = 0; i < STEPS || open; i++) {
            int which = rand() % BLOCKS, size = rand() % 1000 - 500;
            grow(size);
            if (open) changed += size;
            if (!is_open[which] && i >= STEPS) continue;
            if (!is_open[which]) blocks[which] = track();
            is_open[which] ? leave(&blocks[which]) : enter(&blocks[which]);
            is_open[which] = !is_open[which];
            open += is_open[which] ? 1 : -1;
            begun += is_open[which];
        }
    }
    wi__profile profile = own_profile();
    expect_count(path_named(&profile, "step")->gpu.tracked, begun);
    expect_count(path_named(&profile, "step")->gpu.delta, changed);
    wi__profile_release(&profile);
}

/* ---- without ---- */

alone(without_a_gpu_nothing_is_recorded) {
    within (wi_section("step"))
        within (wi_gpu_memory(0, NULL, .quiet = 1)) continue;
    within (wi_gpu_memory(0, NULL, .quiet = 1)) continue;
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "step");
    expect_count(path_named(&profile, "step")->gpu.tracked, 0);
    wi__profile_release(&profile);
}

alone(a_child_records_its_own) {
    int status = -1;
    wi_gpu_memory memory = track();
    in_use = most = 9;
    within (wi_section("step")) {
        within (&memory) {
            pid_t child = fork();
            if (child == 0) {
                leave(&memory);
                wi__profile profile = own_profile();
                expect_count(path_named(&profile, "step")->gpu.tracked, 0);
                within (track()) grow(3);
                expect_recorded("step", 1, 3, 12);
                _exit(0);
            }
            expect(waitpid(child, &status, 0) == child && status == 0);
        }
    }
    expect_recorded("step", 1, 0, 9);
}

/* ---- the report ---- */

static const char *report(wi__report_format format) {
    static char text[8192];
    FILE *stream = fmemopen(text, sizeof text, "w");
    wi__profile profile = own_profile();
    wi__report_options options = {.format = format, .width = 200};
    expect(wi__report_print(stream, &profile, &options));
    wi__profile_release(&profile);
    fclose(stream);
    return text;
}

static void expect_said(const char *text, const char *part) {
    expect_that(strstr(text, part) != NULL, WHERE, "\"%s\" is not in: %s", part, text);
}

alone(the_report_has_columns_for_it_in_every_format) {
    within (wi_section("step"))
        within (track()) grow(3e6);
    within (track()) grow(1e6);
    expect_said(report(WI__TEXT), "gpu memory  gpu peak");
    expect_said(report(WI__TEXT), "+3.00 MB   3.00 MB");
    expect_said(report(WI__TEXT), "(no section)      0 ");
    expect_said(report(WI__CSV), ",gpu_s,gpu_delta_bytes,gpu_peak_bytes\n");
    expect_said(report(WI__CSV), ",0,0,0,,3000000,3000000\n");
    expect_said(report(WI__CSV), ",(no section),(no section),0,");
    expect_said(report(WI__JSON),
                "\"gpu_s\": null, \"gpu_delta_bytes\": 3000000, \"gpu_peak_bytes\": 3000000}");
}

alone(the_report_has_none_where_nothing_was_tracked) {
    within (wi_section("step"))
        within (wi_gpu_memory(0, NULL, .quiet = 1)) continue;
    expect(!strstr(report(WI__TEXT), "gpu peak") && !strstr(report(WI__CSV), "gpu_peak"));
    expect(!strstr(report(WI__JSON), "gpu_peak"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_is_recorded_in_the_section_around_it),
        test(a_block_counts_where_it_began),
        test(without_a_section_it_has_a_line_of_its_own),
        test(threads_are_added_up),
        test(blocks_of_one_section_that_nest_count_once),
        test(blocks_of_one_section_that_overlap_count_once),
        test(blocks_of_sections_in_each_other_count_in_each),
        test(a_block_inside_of_a_gpu_section_counts_once),
        test(thousands_of_overlapping_blocks_are_as_a_replay_has_them),
        test(without_a_gpu_nothing_is_recorded),
        test(a_child_records_its_own),
        test(the_report_has_columns_for_it_in_every_format),
        test(the_report_has_none_where_nothing_was_tracked),
    };
    return cmocka_run_group_tests_name("gpu", tests, NULL, NULL);
}
