/* What a report says of a path: exact where it can be, within 7 % where it is a quantile. */
#include "record_helpers.h"

#include "record/tree.h"

enum { COUNT = 100000 };

static uint64_t durations[COUNT]; /* ticks */

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003) */
static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

/* Uniform in (0, 1]. */
static double uniform(void) { return ((double)(random_bits() >> 11) + 1) / 9007199254740992.0; }

static double lognormal(double mean, double width) {
    return exp(log(mean) + width * sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()));
}
static uint64_t few_ticks(void) { return random_bits() % 16; }
static uint64_t like_sections(void) { return (uint64_t)lognormal(30000, 1.5); }
static uint64_t of_all_sizes(void) { return random_bits() >> (random_bits() % 44 + 20); }
static uint64_t all_the_same(void) { return 123456789; }
static uint64_t two_values(void) { return random_bits() % 10 ? 100 : 1000000; }

static int by_size(const void *a, const void *b) {
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

/* Draw durations, and record them as calls of "drawn", from `lanes` threads' regions in turn. */
static void *record_some(void *begin) {
    wi__branch *branch = wi__child_of_name(wi__lane_here()->root, "drawn");
    for (int i = *(int *)begin; i < COUNT; i += 2)
        expect(wi__node_add_call(branch->node, durations[i]));
    return NULL;
}

static wi__profile profile_of(uint64_t (*draw)(void)) {
    for (int i = 0; i < COUNT; i++) durations[i] = draw();
    record_some(&(int){0});
    in_thread(record_some, &(int){1});
    qsort(durations, COUNT, sizeof *durations, by_size);
    return own_profile();
}

static void expect_quantiles(const wi__profile *profile, uint32_t path) {
    static const double qs[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1};
    for (size_t i = 0; i < sizeof qs / sizeof *qs; i++) {
        double exact = (double)durations[(int)ceil(qs[i] * COUNT) - 1];
        double ticks = wi__path_quantile(profile, path, qs[i]) * profile->ticks_per_second;
        expect_that(fabs(ticks - exact) <= 0.07 * exact + 1e-9, WHERE, "quantile %g is %g, not %g",
                    qs[i], ticks, exact);
    }
}

static void expect_moments(const wi__profile *profile, uint32_t path) {
    long double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) sum += durations[i];
    long double mean = sum / COUNT;
    for (int i = 0; i < COUNT; i++) squares += (durations[i] - mean) * (durations[i] - mean);
    double std = (double)sqrtl(squares / COUNT), scale = profile->ticks_per_second;
    wi__figures figures = wi__path_figures(profile, path);
    expect_count(figures.calls, COUNT);
    expect_near(figures.mean_s * scale, (double)mean, 1e-12 * (double)mean);
    expect_near(figures.std_s * scale, std, 1e-9 * std);
    expect_near(figures.min_s * scale, (double)durations[0], 1e-9 * (double)durations[0]);
    expect_near(figures.max_s * scale, (double)durations[COUNT - 1],
                1e-9 * (double)durations[COUNT - 1]);
    expect(profile->paths[path].min == durations[0] &&
           profile->paths[path].max == durations[COUNT - 1]);
}

static void expect_figures_of(uint64_t (*draw)(void)) {
    wi__profile profile = profile_of(draw);
    uint32_t path = find_path(&profile, "drawn");
    expect_quantiles(&profile, path);
    expect_moments(&profile, path);
    wi__profile_release(&profile);
}

alone(figures_of_times_like_those_of_sections) { expect_figures_of(like_sections); }
alone(figures_of_times_of_all_sizes) { expect_figures_of(of_all_sizes); }
alone(figures_of_a_few_ticks) { expect_figures_of(few_ticks); }
alone(figures_of_times_that_are_all_the_same) { expect_figures_of(all_the_same); }
alone(figures_of_two_different_times) { expect_figures_of(two_values); }

alone(the_longest_of_two_calls_is_their_99_percent_quantile) {
    wi__branch *branch = wi__child_of_name(wi__lane_here()->root, "two");
    wi__node_add_call(branch->node, 1000);
    wi__node_add_call(branch->node, 1000000);
    wi__profile profile = own_profile();
    uint32_t path = find_path(&profile, "two");
    double scale = profile.ticks_per_second;
    expect_near(wi__path_quantile(&profile, path, 0.99) * scale, 1000000, 70000);
    expect_near(wi__path_quantile(&profile, path, 0.5) * scale, 1000, 70);
    expect_near(wi__path_quantile(&profile, path, 0) * scale, 1000, 70);
    wi__profile_release(&profile);
}

alone(a_path_without_ended_calls_has_no_mean) {
    within (wi_section("open")) {
        wi__profile profile = own_profile();
        wi__figures figures = wi__path_figures(&profile, find_path(&profile, "open"));
        expect_count(figures.calls, 1);
        expect(isnan(figures.mean_s) && isnan(figures.std_s) && isnan(figures.min_s) &&
               isnan(figures.max_s));
        expect(isnan(figures.p50_s) && isnan(figures.p99_s));
        expect(figures.total_s >= 0);
        wi__profile_release(&profile);
    }
}

/* Calls of days that differ by less than a millisecond. */
alone(the_standard_deviation_of_long_calls_is_not_made_of_rounding) {
    wi__branch *branch = wi__child_of_name(wi__lane_here()->root, "long");
    for (int i = 0; i < 1000; i++)
        wi__node_add_call(branch->node, (1ull << 50) + (uint64_t)(i % 2) * 2000000);
    wi__profile profile = own_profile();
    wi__figures figures = wi__path_figures(&profile, find_path(&profile, "long"));
    expect_near(figures.std_s * profile.ticks_per_second, 1000000, 1);
    wi__profile_release(&profile);
}

/* ---- full paths ---- */

alone(a_full_path_that_does_not_fit_is_cut) {
    within (wi_section("alpha"))
        within (wi_section("beta")) measure("gamma");
    wi__profile profile = own_profile();
    const char *whole = "alpha > beta > gamma";
    uint32_t path = find_path(&profile, whole);
    expect_count(wi__path_text(&profile, path, NULL, 0), strlen(whole));
    for (size_t size = 1; size < 30; size++) {
        char buffer[32], wanted[32];
        memset(buffer, '#', sizeof buffer);
        expect_count(wi__path_text(&profile, path, buffer, size), strlen(whole));
        snprintf(wanted, size, "%s", whole);
        expect_text(buffer, wanted);
        expect(buffer[size] == '#');
    }
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(figures_of_times_like_those_of_sections),
        test(figures_of_times_of_all_sizes),
        test(figures_of_a_few_ticks),
        test(figures_of_times_that_are_all_the_same),
        test(figures_of_two_different_times),
        test(the_longest_of_two_calls_is_their_99_percent_quantile),
        test(a_path_without_ended_calls_has_no_mean),
        test(the_standard_deviation_of_long_calls_is_not_made_of_rounding),
        test(a_full_path_that_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
