/* Columns as they are declared: names, types, and the first line of a file. */
#include "record_helpers.h"

#include "manage/csv_columns.h"

static wi__csv_columns columns;

/* "step int, loss float", as they were read from a text. */
static const char *columns_of(const char *text) {
    static char read[256];
    wi__csv_columns_read(&columns, text, "ber.csv");
    read[0] = '\0';
    for (size_t i = 0, n = 0; i < columns.count; i++)
        n += (size_t)snprintf(read + n, sizeof read - n, "%s%s %s", i ? ", " : "",
                              columns.list[i].name, wi__csv_type_name(columns.list[i].type));
    wi__csv_columns_release(&columns);
    return read;
}

static void names_are_separated_by_commas(void **state WI__UNUSED) {
    assert_string_equal(columns_of("snr,ber"), "snr , ber ");
    assert_string_equal(columns_of("a"), "a ");
    assert_string_equal(columns_of(" a , b c ,d"), "a , b c , d ");
}

static void a_type_stands_behind_a_colon(void **state WI__UNUSED) {
    assert_string_equal(columns_of("step:int,loss:float,note:text,ok:bool"),
                        "step int, loss float, note text, ok bool");
    assert_string_equal(columns_of("a:b:int, c :text ,d"), "a:b int, c text, d ");
}

static void any_other_colon_belongs_to_the_name(void **state WI__UNUSED) {
    assert_string_equal(columns_of("t:s,x:integer,y:,:z,a: int"),
                        "t:s , x:integer , y: , :z , a: int ");
}

static void a_quoted_name_may_hold_anything(void **state WI__UNUSED) {
    assert_string_equal(
        columns_of("\"a,b\",\"say \"\"x\"\"\":int, \" c \" ,\"d:int\",\"e\nf\":bool"),
        "a,b , say \"x\" int,  c  , d:int , e\nf bool");
}

static void read_columns(void *text) { columns_of(text); }

static void expect_refused(const char *text, const char *message) {
    wi_error *error;
    wi_call(read_columns, (void *)text, &error);
    assert_non_null(error);
    assert_true(wi_error_is(error, WI_VALUE_ERROR));
    assert_string_equal(wi_error_message(error), message);
    wi_error_free(error);
    wi__csv_columns_release(&columns);
}

static void what_are_no_columns_is_refused(void **state WI__UNUSED) {
    expect_refused("", "ber.csv: columns \"\": column 1 has no name");
    expect_refused("a,,b", "ber.csv: columns \"a,,b\": column 2 has no name");
    expect_refused("a,", "ber.csv: columns \"a,\": column 2 has no name");
    expect_refused(":int", "ber.csv: columns \":int\": column 1 has no name");
    expect_refused("\"\"", "ber.csv: columns \"\"\"\": column 1 has no name");
    expect_refused("a,b,a:int",
                   "ber.csv: columns \"a,b,a:int\": column 3 has the name \"a\" of column 1");
    expect_refused("\"a", "ber.csv: columns \"\"a\": column 1 has a quote that is not closed");
    expect_refused("5\" disk",
                   "ber.csv: columns \"5\" disk\": column 1 has a quote in its name: put it in "
                   "quotes, and each quote in it twice");
    expect_refused("\"a\":real",
                   "ber.csv: columns \"\"a\":real\": column 1 has \":real\" behind its name, which "
                   "is no type: there are :int, :float, :text and :bool");
    expect_refused("\"a\"int",
                   "ber.csv: columns \"\"a\"int\": column 1 has \"int\" behind its name, which "
                   "is no type: there are :int, :float, :text and :bool");
}

static int are_columns(const char *text, const char *line) {
    wi__csv_columns_read(&columns, text, "ber.csv");
    int are = wi__csv_columns_are(&columns, line, line + strlen(line));
    wi__csv_columns_release(&columns);
    return are;
}

static void a_line_is_compared_whatever_its_quotes(void **state WI__UNUSED) {
    assert_true(are_columns("snr:float,ber", "snr,ber"));
    assert_true(are_columns("snr,ber", "\"snr\",\"ber\""));
    assert_true(are_columns("\"a,\"\"b\",c", "\"a,\"\"b\",c"));
    static const char *const others[] = {
        "",          "snr",       "snr,be",       "snr,bers", "ber,snr",
        "snr,ber,",  "snr,ber,x", "snr,ber ",     "snrber",   "\"snr,ber\"",
        "\"snr,ber", "snr;ber",   "\"snr\"x,ber", "\"\",ber", "SNR,BER"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(are_columns("snr,ber", others[i]));
}

static void the_line_has_the_names_alone(void **state WI__UNUSED) {
    wi__csv_columns_read(&columns, "a:int,\"b,c\":text,\" d\",\"e\"\"f\"", "ber.csv");
    char *line = wi__csv_columns_line(&columns);
    assert_string_equal(line, "a,\"b,c\",\" d\",\"e\"\"f\"\n");
    assert_true(wi__csv_columns_are(&columns, line, line + strlen(line) - 1));
    free(line);
    wi__csv_columns_release(&columns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_separated_by_commas),
        cmocka_unit_test(a_type_stands_behind_a_colon),
        cmocka_unit_test(any_other_colon_belongs_to_the_name),
        cmocka_unit_test(a_quoted_name_may_hold_anything),
        cmocka_unit_test(what_are_no_columns_is_refused),
        cmocka_unit_test(a_line_is_compared_whatever_its_quotes),
        cmocka_unit_test(the_line_has_the_names_alone),
    };
    return cmocka_run_group_tests_name("csv_columns", tests, NULL, NULL);
}
