/* The place of an instruction: function, offset and file, as far as they are known. */
#include "process_helpers.h"

#include <sys/mman.h>

#include "manage/code_place.h"

__attribute__((noinline)) static double hidden(double x) { return x * x; }

static const char *place_of(const void *instruction) {
    static char text[WI__CODE_PLACE];
    wi__code_place(instruction, text, sizeof text);
    return text;
}

static void a_static_function_has_its_name(void **state) {
    (void)state;
    assert_string_equal(place_of((const void *)hidden), "in hidden+0x0 (test_code_place)");
    assert_string_equal(place_of((const char *)hidden + 1), "in hidden+0x1 (test_code_place)");
}

static void a_librarys_function_has_its_librarys_name(void **state) {
    (void)state;
    const char *place = place_of((const void *)malloc);
    assert_non_null(strstr(place, "malloc+0x0 ("));
}

static void code_without_a_function_has_its_offset_in_the_file(void **state) {
    (void)state;
    static const char no_code[] = "data of the program";
    const char *place = place_of(no_code);
    assert_true(strncmp(place, "in test_code_place+0x", 21) == 0);
}

static void code_of_no_file_has_its_address(void **state) {
    (void)state;
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), expected[64];
    snprintf(expected, sizeof expected, "at %p", (void *)(page + 16));
    assert_string_equal(place_of(page + 16), expected);
    munmap(page, 4096);
}

static void a_small_buffer_is_not_overrun(void **state) {
    (void)state;
    char text[8] = "1234567";
    wi__code_place((const void *)hidden, text, 4);
    assert_string_equal(text, "in ");
    assert_string_equal(text + 4, "567");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_static_function_has_its_name),
        cmocka_unit_test(a_librarys_function_has_its_librarys_name),
        cmocka_unit_test(code_without_a_function_has_its_offset_in_the_file),
        cmocka_unit_test(code_of_no_file_has_its_address),
        cmocka_unit_test(a_small_buffer_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + (hidden(0) != 0);
}
