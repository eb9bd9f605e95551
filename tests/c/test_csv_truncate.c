/* A CSV log that goes on where a checkpoint was. */
#include "record_helpers.h"

static const char *text_of(const char *path) {
    static char text[4096];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void make(const char *text) {
    FILE *file = fopen("log.csv", "we");
    fputs(text, file);
    fclose(file);
}

typedef struct cut {
    const char *columns;
    uint64_t rows;
} cut;

static void truncate_to(void *arg) {
    const cut *c = arg;
    within (log, wi_csv("log.csv", c->columns)) wi_csv_truncate(log, c->rows);
}

static void expect_refused(cut *c, const char *kind, const char *message) {
    wi_error *error = NULL;
    expect(!wi_call(truncate_to, c, &error));
    expect_text(wi_error_kind(error)->name, kind);
    expect_text(wi_error_message(error), message);
    wi_error_free(error);
}

alone(rows_beyond_those_that_are_kept_are_cut) {
    make("snr,ber\n0.0,0.1\n1.0,0.01\n2.0,0.001\n");
    within (log, wi_csv("log.csv", "snr,ber")) {
        wi_csv_truncate(log, 1);
        expect_text(text_of("log.csv"), "snr,ber\n0.0,0.1\n");
        wi_csv_row(log, 5, 6);
        wi_csv_truncate(log, 2);
        expect_text(text_of("log.csv"), "snr,ber\n0.0,0.1\n5,6\n");
        wi_csv_truncate(log, 0);
    }
    expect_text(text_of("log.csv"), "snr,ber\n");
}

alone(newlines_in_quotes_end_no_row) {
    make("note\n\"a\nb\"\n\"c \"\"\nd\"\ne\n");
    truncate_to(&(cut){"note", 2});
    expect_text(text_of("log.csv"), "note\n\"a\nb\"\n\"c \"\"\nd\"\n");
}

alone(a_first_line_may_hold_a_newline) {
    make("\"a\nb\"\n1\n2\n");
    truncate_to(&(cut){"\"a\nb\"", 1});
    expect_text(text_of("log.csv"), "\"a\nb\"\n1\n");
}

/* Longer than what is read at a time, so that rows lie across two pieces. */
alone(long_files_are_cut_at_the_right_row) {
    enum { ROWS = 20000, KEPT = 12345 };
    char expected[32];
    within (log, wi_csv("log.csv", "i:int")) {
        for (int i = 0; i < ROWS; i++) wi_csv_row(log, 100000 + i);
        wi_csv_truncate(log, KEPT);
    }
    expect_count(size_of("log.csv"), 2 + 7 * KEPT);
    FILE *file = fopen("log.csv", "re");
    fseek(file, -7, SEEK_END);
    expect(fgets(expected, sizeof expected, file) != NULL);
    expect_text(expected, "112344\n");
    fclose(file);
}

alone(rows_that_are_missing_are_an_error_and_nothing_is_cut) {
    make("snr,ber\n0.0,0.1\n");
    expect_refused(&(cut){"snr,ber", 2}, "WI_DATA_ERROR",
                   "log.csv: it has 1 rows, not the 2 that are to stay");
    expect_text(text_of("log.csv"), "snr,ber\n0.0,0.1\n");
}

/* The lock belongs to the open file: opened twice by one process it is like that of another. */
alone(a_log_that_another_has_open_is_not_cut) {
    make("snr,ber\n0.0,0.1\n");
    within (wi_csv("log.csv", "snr,ber")) {
        expect_refused(&(cut){"snr,ber", 0}, "WI_BUSY_ERROR",
                       "log.csv: no rows are cut: another process is writing it");
    }
    expect_text(text_of("log.csv"), "snr,ber\n0.0,0.1\n");
}

static void truncate_closed(void *arg) { wi_csv_truncate(arg, 0); }
static void sync_closed(void *arg) { wi_csv_sync(arg); }

alone(a_log_must_be_open) {
    wi_csv log = wi_csv("log.csv", "a");
    wi_error *error = NULL;
    expect(!wi_call(truncate_closed, &log, &error));
    expect_text(wi_error_kind(error)->name, "WI_USAGE_ERROR");
    wi_error_free(error);
    expect(!wi_call(sync_closed, &log, &error));
    expect_text(wi_error_kind(error)->name, "WI_USAGE_ERROR");
    wi_error_free(error);
    within (&log) wi_csv_sync(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(rows_beyond_those_that_are_kept_are_cut),
        test(newlines_in_quotes_end_no_row),
        test(a_first_line_may_hold_a_newline),
        test(long_files_are_cut_at_the_right_row),
        test(rows_that_are_missing_are_an_error_and_nothing_is_cut),
        test(a_log_that_another_has_open_is_not_cut),
        test(a_log_must_be_open),
    };
    return cmocka_run_group_tests_name("csv_truncate", tests, NULL, NULL);
}
