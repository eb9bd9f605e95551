/* Numbers as shortest text: tests/py/test_shortest.py compares doubles with Python's; here are floats and integers. */
#include "record_helpers.h"

#include "manage/shortest.h"

static const char *double_text(double value) {
    static char text[WI__NUMBER_MOST + 1];
    *wi__write_double(text, value) = '\0';
    return text;
}

static const char *float_text(float value) {
    static char text[WI__NUMBER_MOST + 1];
    *wi__write_float(text, value) = '\0';
    return text;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void doubles_look_as_in_python(void **state WI__UNUSED) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e15, "1000000000000000.0"},
        {9999999999999998, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1.5e300, "1.5e+300"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {-1.25e-7, "-1.25e-07"},
        {5e-324, "5e-324"},
        {1e23, "1e+23"},
        {9007199254740993.0, "9007199254740992.0"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {-NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(double_text(cases[i].value), cases[i].text);
}

static void floats_have_texts_of_their_own(void **state WI__UNUSED) {
    assert_string_equal(float_text(0.1F), "0.1");
    assert_string_equal(float_text(1.0F / 3), "0.33333334");
    assert_string_equal(float_text(16777216), "16777216.0");
    assert_string_equal(float_text(1e-45F), "1e-45");
    assert_string_equal(float_text(3.4028235e38F), "3.4028235e+38");
    assert_string_equal(float_text(-INFINITY), "-inf");
    assert_string_equal(float_text(NAN), "nan");
    assert_string_equal(float_text(-0.0F), "-0.0");
}

/* Significant digits of a text, without the zeros around them. */
static int digits_of(const char *text) {
    int digits = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9') continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        if (digits || *text != '0') digits++;
    }
    return digits - zeros;
}

/* It reads back; of its length it is the nearest, and one digit less does not read back. */
static void check_float(float value) {
    char rounded[64];
    const char *text = float_text(value);
    const int digits = digits_of(text);
    assert_true(strtof(text, NULL) == value);
    snprintf(rounded, sizeof rounded, "%.*e", digits - 1, (double)value);
    if (strtof(rounded, NULL) == value) assert_true(strtod(rounded, NULL) == strtod(text, NULL));
    if (digits < 2) return;
    snprintf(rounded, sizeof rounded, "%.*e", digits - 2, (double)value);
    assert_true(strtof(rounded, NULL) != value);
}

static void floats_are_shortest_and_nearest(void **state WI__UNUSED) {
    uint64_t random = 88172645463325252ULL;
    for (int i = 0; i < 300000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        float value = float_of((uint32_t)random & 0x7fffffff);
        if (isfinite(value) && value > 0) check_float(value);
    }
    for (uint32_t exponent = 0; exponent < 255; exponent++)
        for (uint32_t fraction = exponent ? 0 : 1; fraction < 64; fraction++) {
            check_float(float_of(exponent << 23 | fraction));
            check_float(float_of(exponent << 23 | (0x7fffff - fraction)));
        }
}

static void integers_are_exact(void **state WI__UNUSED) {
    static const int64_t cases[] = {0, 7, -7, 10, 99, 100, -12345, INT64_MAX, INT64_MIN};
    char text[WI__NUMBER_MOST + 1], expected[WI__NUMBER_MOST];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        *wi__write_int(text, cases[i]) = '\0';
        snprintf(expected, sizeof expected, "%" PRId64, cases[i]);
        assert_string_equal(text, expected);
    }
    *wi__write_uint(text, UINT64_MAX) = '\0';
    assert_string_equal(text, "18446744073709551615");
}

static void the_longest_text_has_room(void **state WI__UNUSED) {
    assert_in_range(strlen(double_text(-2.2250738585072014e-308)), 24, WI__NUMBER_MOST - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_look_as_in_python),
        cmocka_unit_test(floats_have_texts_of_their_own),
        cmocka_unit_test(floats_are_shortest_and_nearest),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(the_longest_text_has_room),
    };
    return cmocka_run_group_tests_name("shortest", tests, NULL, NULL);
}
