/* wi_rng: published vectors, arrays against single draws, copies, children and what is refused. */
#include "helpers.h"

#include <math.h>

#include <within/rng.h>

#include "manage/seed_sequence.h"
#include "manage/ziggurat.h"

/* Equal bits: a difference in the last one counts. */
#define expect_double(value, expected)                                                             \
    do {                                                                                           \
        double value_ = (value), expected_ = (expected);                                           \
        if (value_ != expected_) print_error("%.17g is not %.17g\n", value_, expected_);           \
        assert_true(value_ == expected_);                                                          \
    } while (0)

static wi_rng of_kind(int kind) {
    return kind == WI__MT19937 ? wi_rng_mt19937(7) : wi_rng_pcg64(7);
}

/* ---- published vectors ---- */

/* mt19937ar.out, of Matsumoto and Nishimura's own program. */
TEST(mt19937_of_an_array_is_its_authors) {
    const uint32_t key[] = {0x123, 0x234, 0x345, 0x456};
    const uint32_t expected[] = {1067595299, 955945823, 477289528, 4107218783u, 4228976476u};
    wi_rng rng = wi_rng_mt19937_of(key, 4);
    for (int i = 0; i < 5; i++) assert_int_equal(wi_rng_uint32(&rng), expected[i]);
}

/* The standard of C++ asks for the 10,000th number of std::mt19937. */
TEST(mt19937_of_a_number_is_its_authors) {
    wi_rng rng = wi_rng_mt19937(5489);
    assert_int_equal(wi_rng_uint32(&rng), 3499211612u);
    for (int i = 2; i < 10000; i++) wi_rng_uint32(&rng);
    assert_int_equal(wi_rng_uint32(&rng), 4123659995u);
}

/* pcg64-demo of O'Neill's library, which is seeded with 42 and stream 54. */
TEST(pcg64_is_its_authors) {
    const uint64_t expected[] = {0x86b1da1d72062b68, 0x1304aa46c9853d39, 0xa3670e9e0dd50358,
                                 0xf9090e529a7dae00, 0xc85b9fd837996f2c, 0x606121f8e3919196};
    const wi__uint128 increment = 54 << 1 | 1;
    wi__uint128 seeded = (increment + 42) * WI__PCG64_MULTIPLIER + increment;
    wi_rng rng = {.kind = WI__PCG64};
    rng.of.pcg64.state = (wi__pcg64_state){.high = (uint64_t)(seeded >> 64),
                                           .low = (uint64_t)seeded,
                                           .increment_low = (uint64_t)increment};
    for (int i = 0; i < 6; i++) assert_true(wi_rng_uint64(&rng) == expected[i]);
}

/* The reference of O'Neill's seed_seq alternative, as NumPy's tests have it. */
TEST(the_seed_sequence_is_its_authors) {
    const uint32_t seed[] = {2766103236u, 2883057919u, 4029656435u, 862374500};
    uint64_t words[2];
    wi__seed_state(seed, 4, words, 2);
    assert_true(words[0] == 18305404959516669237u && words[1] == 14103312907920476776u);
}

TEST(the_first_doubles_are_numpys) {
    const struct {
        wi_rng rng;
        double first;
    } known[] = {
        {wi_rng_mt19937(0), 0.5488135039273248},
        {wi_rng_mt19937(42), 0.3745401188473625},
        {wi_rng_mt19937(UINT32_MAX), 0.0976320289940138},
        {wi_rng_pcg64(42), 0.7739560485559633},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        wi_rng rng = known[i].rng;
        expect_double(wi_rng_double(&rng), known[i].first);
    }
}

TEST(the_first_normals_are_numpys) {
    wi_rng rng = wi_rng_mt19937(0);
    expect_double(wi_rng_normal(&rng), 1.764052345967664);
    expect_double(wi_rng_normal(&rng), 0.4001572083672233);
    expect_double(wi_rng_normal(&rng), 0.9787379841057392);
    rng = wi_rng_pcg64(42);
    expect_double(wi_rng_normal(&rng), 0.30471707975443135);
    expect_double(wi_rng_normal(&rng), -1.0399841062404955);
    expect_double(wi_rng_normal(&rng), 0.7504511958064572);
}

TEST(a_normal_of_the_tail_is_numpys) {
    wi_rng rng = wi_rng_pcg64(42);
    for (int i = 0; i < 5627; i++) assert_true(fabs(wi_rng_normal(&rng)) < WI__ZIGGURAT_TAIL);
    expect_double(wi_rng_normal(&rng), -4.389114584864837);
}

TEST(the_first_integers_are_numpys) {
    const int64_t mt19937[] = {5, 0, 3, 3, 7, 9, 3, 5}, pcg64[] = {0, 7, 6, 4, 4, 8, 0, 6};
    wi_rng one = wi_rng_mt19937(0), other = wi_rng_pcg64(42);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(wi_rng_integer(&one, 0, 10), mt19937[i]);
        assert_int_equal(wi_rng_integer(&other, 0, 10), pcg64[i]);
    }
}

enum { MANY = 100000 };

static uint64_t checksum(const int64_t *x) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < MANY; i++) sum += (uint64_t)x[i] * (2 * i + 1);
    return sum;
}

/* Of NumPy's x it is (x.view("u8") * (2 * np.arange(len(x), dtype="u8") + 1)).sum(). */
TEST(many_integers_have_numpys_checksum) {
    const struct {
        int64_t low, high;
        uint64_t expected[2]; /* of MT19937 and PCG64 */
    } known[] = {
        {-5, 6, {0x89399cbu, 0xffffffffffe75780u}},
        {0, (1ll << 31) + 1, {0x94f53f16461dad79u, 0x951bc4ea8902fd20u}},
        {0, 1ll << 32, {0x29ce5f8a504086e5u, 0x2a2bd2fbc3d2f10eu}},
        {-(1ll << 62), (1ll << 61) + 1, {0x4d4263537b736f2au, 0x56dff391b7b87365u}},
    };
    static int64_t x[MANY];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        wi_rng rngs[] = {wi_rng_mt19937(42), wi_rng_pcg64(42)};
        for (int k = 0; k < 2; k++) {
            wi_rng_fill_integer(&rngs[k], x, MANY, known[i].low, known[i].high);
            assert_true(checksum(x) == known[i].expected[k]);
        }
    }
}

TEST(the_first_permutations_are_numpys) {
    const int64_t mt19937[] = {8, 1, 5, 0, 7, 2, 9, 4, 3, 6},
                  pcg64[] = {5, 6, 0, 7, 3, 2, 4, 9, 1, 8};
    int64_t order[10];
    wi_rng rng = wi_rng_mt19937(42);
    wi_rng_permutation(&rng, order, 10);
    assert_memory_equal(order, mt19937, sizeof order);
    rng = wi_rng_pcg64(42);
    wi_rng_permutation(&rng, order, 10);
    assert_memory_equal(order, pcg64, sizeof order);
}

/* ---- arrays ---- */

enum { MOST = 1500 };

/* Every length, beginning with words of a block that were drawn in part. */
TEST(an_array_of_doubles_is_single_draws) {
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++)
        for (size_t n = 0; n < MOST; n += 1 + n / 40) {
            static double x[MOST + 1];
            wi_rng filled = of_kind(kind);
            for (size_t i = 0; i < n % 5; i++) wi_rng_uint32(&filled);
            wi_rng single = filled;
            x[n] = -1;
            wi_rng_fill_double(&filled, x, n);
            for (size_t i = 0; i < n; i++) expect_double(x[i], wi_rng_double(&single));
            expect_double(x[n], -1);
            assert_memory_equal(&filled, &single, sizeof single);
        }
}

TEST(an_array_of_normals_is_single_draws) {
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++) {
        static double x[MOST];
        wi_rng filled = of_kind(kind), single = filled;
        for (int n = 3; n < MOST; n *= 3) {
            wi_rng_fill_normal(&filled, x, (size_t)n);
            for (int i = 0; i < n; i++) expect_double(x[i], wi_rng_normal(&single));
        }
        assert_memory_equal(&filled, &single, sizeof single);
    }
}

TEST(an_array_of_integers_is_single_draws_from_the_range) {
    const int64_t ranges[][2] = {{INT64_MIN, INT64_MAX}, {-3, 4},        {5, 6},
                                 {0, 1ll << 32},         {INT64_MIN, 1}, {0, (1ll << 32) + 1}};
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++)
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
            int64_t k[101], low = ranges[r][0], high = ranges[r][1];
            wi_rng filled = of_kind(kind), single = filled;
            wi_rng_fill_integer(&filled, k, 101, low, high);
            for (int i = 0; i < 101; i++) {
                assert_true(k[i] >= low && k[i] < high);
                assert_true(k[i] == wi_rng_integer(&single, low, high));
            }
            assert_memory_equal(&filled, &single, sizeof single);
        }
}

TEST(a_range_of_one_draws_nothing) {
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++) {
        wi_rng rng = of_kind(kind), before = rng;
        assert_int_equal(wi_rng_integer(&rng, INT64_MAX - 1, INT64_MAX), INT64_MAX - 1);
        assert_memory_equal(&rng, &before, sizeof rng);
    }
}

TEST(a_shuffle_of_none_or_one_draws_nothing_and_touches_nothing) {
    char items[] = "abc";
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++) {
        wi_rng rng = of_kind(kind), before = rng;
        wi_rng_shuffle(&rng, NULL, 0, 8);
        wi_rng_shuffle(&rng, items, 1, 3);
        assert_memory_equal(&rng, &before, sizeof rng);
        assert_string_equal(items, "abc");
    }
}

TEST(items_of_every_size_stay_whole_in_a_shuffle) {
    static unsigned char items[50 * 200];
    for (size_t size = 1; size <= 200; size++) {
        int seen[50] = {0};
        wi_rng rng = wi_rng_pcg64((int64_t)size);
        for (size_t i = 0; i < 50 * size; i++) items[i] = (unsigned char)(i / size);
        wi_rng_shuffle(&rng, items, 50, size);
        for (size_t i = 0; i < 50; i++) {
            for (size_t k = 1; k < size; k++)
                assert_int_equal(items[i * size + k], items[i * size]);
            assert_int_equal(seen[items[i * size]]++, 0);
        }
    }
}

/* ---- copies ---- */

/* Changes every part of the state: a kept normal, a kept half, words and children. */
static double use(wi_rng *rng) {
    double sum = wi_rng_double(rng) + wi_rng_normal(rng) + wi_rng_uint32(rng);
    if (rng->kind == WI__PCG64) {
        wi_rng child = wi_rng_spawn(rng);
        sum += wi_rng_double(&child);
    }
    return sum + (double)wi_rng_integer(rng, 0, 1000);
}

TEST(a_copy_goes_on_where_the_original_was_and_has_no_padding) {
    assert_int_equal(sizeof(wi_rng), 2520);
    assert_int_equal(offsetof(wi__mt19937, words) + 4 * WI__MT19937_WORDS, sizeof(wi__mt19937));
    assert_int_equal(offsetof(wi__pcg64, seed) + 4 * WI_RNG_SEED_WORDS, sizeof(wi__pcg64));
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++) {
        wi_rng rng = of_kind(kind);
        for (int i = 0; i < 1001; i++) {
            wi_rng copy;
            memcpy(&copy, &rng, sizeof rng);
            expect_double(use(&rng), use(&copy));
            assert_memory_equal(&rng, &copy, sizeof rng);
        }
    }
}

/* ---- streams ---- */

TEST(children_are_numpys_whatever_was_drawn_from_the_parent) {
    const double first[] = {0.9167441575549085, 0.4674907799518424, 0.07123920291270869};
    wi_rng parent = wi_rng_pcg64(42);
    for (uint32_t i = 0; i < 3; i++) {
        wi_rng by_index = wi_rng_child(&parent, i), next = wi_rng_spawn(&parent);
        assert_memory_equal(&by_index, &next, sizeof next);
        expect_double(wi_rng_double(&next), first[i]);
        use(&by_index);
        wi_rng_double(&parent);
    }
}

TEST(a_child_of_a_short_seed_is_no_generator_of_a_longer_one) {
    const uint32_t longer[] = {42, 0};
    wi_rng parent = wi_rng_pcg64(42), child = wi_rng_child(&parent, 0);
    wi_rng other = wi_rng_pcg64_of(longer, 2);
    assert_true(wi_rng_uint64(&child) != wi_rng_uint64(&other));
}

TEST(advancing_is_drawing_and_forgets_the_half) {
    wi_rng drawn = wi_rng_pcg64(1), advanced = drawn;
    for (uint64_t n = 0; n < 70; n++) {
        for (uint64_t i = 0; i < n; i++) wi_rng_uint64(&drawn);
        wi_rng_uint32(&advanced);
        wi_rng_uint64(&drawn);
        wi_rng_advance(&advanced, n);
        assert_true(wi_rng_uint64(&advanced) == wi_rng_uint64(&drawn));
        assert_false(advanced.of.pcg64.state.has_half);
    }
}

TEST(a_jump_is_numpys_and_jumps_add_up) {
    wi_rng rng = wi_rng_pcg64(42), twice = rng, once = rng;
    wi_rng_jump(&rng, 1);
    expect_double(wi_rng_double(&rng), 0.7561611153965418);
    wi_rng_jump(&twice, 2);
    wi_rng_jump(&once, 1);
    wi_rng_jump(&once, 1);
    assert_memory_equal(&twice, &once, sizeof once);
}

/* ---- refusals ---- */

static wi_rng subject;

BODY(seed_below) { wi_rng_mt19937(-1); }
BODY(seed_above) { wi_rng_mt19937(1ll << 32); }
BODY(seed_of_no_words) { wi_rng_mt19937_of(NULL, 0); }
BODY(negative_seed) { wi_rng_pcg64(INT64_MIN); }
BODY(seed_too_long) {
    static const uint32_t words[WI_RNG_SEED_WORDS + 1];
    wi_rng_pcg64_of(words, WI_RNG_SEED_WORDS + 1);
}

TEST(seeds_out_of_range_are_refused) {
    expect_raised(seed_below, "WI_VALUE_ERROR wi_rng_mt19937: seed -1 is not from 0 to 2^32 - 1; "
                              "wi_rng_mt19937_of takes more bits");
    expect_raised(seed_above, "WI_VALUE_ERROR wi_rng_mt19937: seed 4294967296 is not from 0 to "
                              "2^32 - 1; wi_rng_mt19937_of takes more bits");
    expect_raised(seed_of_no_words, "WI_VALUE_ERROR wi_rng_mt19937_of: the seed has no words");
    expect_raised(negative_seed, "WI_VALUE_ERROR wi_rng_pcg64: seed -9223372036854775808 is "
                                 "negative; wi_rng_pcg64_of takes those from 2^63 on");
    expect_raised(seed_too_long,
                  "WI_VALUE_ERROR wi_rng_pcg64_of: the seed has 513 words; at most 512 are kept");
}

BODY(integer_of_nothing) { wi_rng_integer(&subject, 5, 5); }
static int64_t untouched = 7;
BODY(integers_of_less) { wi_rng_fill_integer(&subject, &untouched, 1, 1, -1); }

TEST(a_range_without_integers_is_refused_and_nothing_is_drawn) {
    for (int kind = WI__MT19937; kind <= WI__PCG64; kind++) {
        subject = of_kind(kind);
        wi_rng before = subject;
        expect_raised(integer_of_nothing,
                      "WI_VALUE_ERROR wi_rng_integer: low 5 is not below high 5");
        expect_raised(integers_of_less,
                      "WI_VALUE_ERROR wi_rng_fill_integer: low 1 is not below high -1");
        assert_memory_equal(&subject, &before, sizeof before);
        assert_int_equal(untouched, 7);
    }
}

BODY(draw_uint32) { wi_rng_uint32(&subject); }
BODY(draw_uint64) { wi_rng_uint64(&subject); }
BODY(draw_double) { wi_rng_double(&subject); }
BODY(draw_normal) { wi_rng_normal(&subject); }
BODY(draw_integer) { wi_rng_integer(&subject, 0, 2); }
BODY(draw_array) {
    double x;
    wi_rng_fill_double(&subject, &x, 1);
}

TEST(one_that_was_never_seeded_gives_nothing) {
    void (*const draws[])(void *) = {draw_uint32, draw_uint64,  draw_double,
                                     draw_normal, draw_integer, draw_array};
    memset(&subject, 0, sizeof subject);
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++)
        expect_raised(draws[i], "WI_USAGE_ERROR random numbers: the generator was never seeded; "
                                "make it with wi_rng_mt19937 or wi_rng_pcg64");
}

BODY(advance) { wi_rng_advance(&subject, 1); }
BODY(jump) { wi_rng_jump(&subject, 1); }
BODY(spawn) { wi_rng_spawn(&subject); }
BODY(child) { wi_rng_child(&subject, 0); }

TEST(mt19937_has_no_streams) {
    const char *rest = ": only PCG64 can; seed MT19937 with {seed, rank} by wi_rng_mt19937_of";
    void (*const steps[])(void *) = {advance, jump, spawn, child};
    const char *const names[] = {"wi_rng_advance", "wi_rng_jump", "wi_rng_spawn", "wi_rng_child"};
    subject = wi_rng_mt19937(1);
    for (int i = 0; i < 4; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "WI_USAGE_ERROR %s%s", names[i], rest);
        expect_raised(steps[i], expected);
    }
}

TEST(a_family_has_an_end) {
    static const uint32_t words[WI_RNG_SEED_WORDS - 1];
    wi_rng parent = wi_rng_pcg64_of(words, WI_RNG_SEED_WORDS - 1);
    subject = wi_rng_spawn(&parent);
    const char *full =
        "WI_VALUE_ERROR wi_rng_child: the seed and the indices of its ancestors have "
        "512 words already";
    expect_raised(child, full);
    expect_raised(spawn, full);
    assert_int_equal(subject.of.pcg64.children, 0);
    subject = wi_rng_pcg64(1);
    subject.of.pcg64.children = UINT32_MAX;
    expect_raised(spawn, "WI_VALUE_ERROR wi_rng_spawn: it has 2^32 - 1 children already");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(mt19937_of_an_array_is_its_authors),
        test(mt19937_of_a_number_is_its_authors),
        test(pcg64_is_its_authors),
        test(the_seed_sequence_is_its_authors),
        test(the_first_doubles_are_numpys),
        test(the_first_normals_are_numpys),
        test(a_normal_of_the_tail_is_numpys),
        test(the_first_integers_are_numpys),
        test(many_integers_have_numpys_checksum),
        test(the_first_permutations_are_numpys),
        test(an_array_of_doubles_is_single_draws),
        test(an_array_of_normals_is_single_draws),
        test(an_array_of_integers_is_single_draws_from_the_range),
        test(a_range_of_one_draws_nothing),
        test(a_shuffle_of_none_or_one_draws_nothing_and_touches_nothing),
        test(items_of_every_size_stay_whole_in_a_shuffle),
        test(a_copy_goes_on_where_the_original_was_and_has_no_padding),
        test(children_are_numpys_whatever_was_drawn_from_the_parent),
        test(a_child_of_a_short_seed_is_no_generator_of_a_longer_one),
        test(advancing_is_drawing_and_forgets_the_half),
        test(a_jump_is_numpys_and_jumps_add_up),
        test(seeds_out_of_range_are_refused),
        test(a_range_without_integers_is_refused_and_nothing_is_drawn),
        test(one_that_was_never_seeded_gives_nothing),
        test(mt19937_has_no_streams),
        test(a_family_has_an_end),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
