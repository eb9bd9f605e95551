/* wi_csv: a log whose rows are in the file, whole, as soon as they are written, and that goes on where it ended. */
#include "record_helpers.h"

#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <sys/resource.h>

/* ---- files, errors, stderr ---- */

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    expect(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static const char *text_of(const char *path) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    expect(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

#define expect_file(text) expect_text(text_of("ber.csv"), text)

static wi_csv *current; /* for functions that wi_call calls */

static void expect_error(void (*body)(void *arg), void *arg, const wi_error_type *kind,
                         const char *message) {
    wi_error *error;
    wi_call(body, arg, &error);
    expect(error != NULL);
    expect_text(wi_error_message(error), message);
    expect_text(wi_error_kind(error)->name, kind->name);
    wi_error_free(error);
}

/* Values of a row for the log `current`. */
typedef struct attempt {
    const wi_csv_value *values;
    size_t count;
} attempt;

static void write_attempt(void *self) {
    const attempt *a = (const attempt *)self;
    wi_csv_write(current, a->values, a->count);
}

#define V(value) wi_csv_of(value)
/* A row of values, each in a V(). */
#define expect_refused(f, message, ...)                                                            \
    do {                                                                                           \
        const wi_csv_value values_[] = {__VA_ARGS__};                                              \
        attempt attempt_ = {values_, sizeof values_ / sizeof *values_};                            \
        current = f;                                                                               \
        expect_error(write_attempt, &attempt_, WI_VALUE_ERROR, message);                           \
    } while (0)

static void write_text(void *text) { wi_csv_row(current, (const char *)text); }

static void open_and_close(void *columns) {
    within (wi_csv("ber.csv", (const char *)columns)) continue;
}

static int said_fd;

static void listen_to_stderr(void) {
    said_fd = open("said", O_RDWR | O_CREAT, 0600);
    dup2(said_fd, 2);
}

static const char *said(void) {
    static char text[1024];
    ssize_t n = pread(said_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    expect(ftruncate(said_fd, 0) == 0 && lseek(said_fd, 0, SEEK_SET) == 0);
    return text;
}

/* ---- rows ---- */

alone(a_new_file_begins_with_its_columns) {
    within (f, wi_csv("ber.csv", "snr,ber")) {
        expect_file("snr,ber\n");
        wi_csv_row(f, 1.5, 3.2e-4);
        expect_file("snr,ber\n1.5,0.00032\n");
        wi_csv_row(f, 2, "a");
        expect_count(f->rows, 2);
        expect_count(f->cut, 0);
    }
    expect_file("snr,ber\n1.5,0.00032\n2,a\n");
}

alone(values_of_every_type_are_exact) {
    enum color { RED, GREEN = 7 } color = GREEN;
    signed char small = -128;
    volatile short changing = -5;
    const bool yes = true;
    char array[] = "array";
    uint8_t byte = 255;
    within (f, wi_csv("ber.csv", "a,b,c,d,e,f,g")) {
        wi_csv_row(f, small, byte, changing, (unsigned short)65535, -2147483647 - 1, 4294967295U,
                   color);
        wi_csv_row(f, LONG_MIN, ULONG_MAX, LLONG_MAX, ULLONG_MAX, yes, (bool)0, (size_t)3);
        wi_csv_row(f, 0.1F, 0.1, 0.1L, (double)0.1F, NAN, -INFINITY, 1e16);
        wi_csv_row(f, "literal", array, (const char *)array, WI_CSV_EMPTY, "", 'a', 1 == 1);
    }
    expect_file(
        "a,b,c,d,e,f,g\n"
        "-128,255,-5,65535,-2147483648,4294967295,7\n"
        "-9223372036854775808,18446744073709551615,9223372036854775807,18446744073709551615,"
        "true,false,3\n"
        "0.1,0.1,0.1,0.10000000149011612,nan,-inf,1e+16\n"
        "literal,array,array,,\"\",97,1\n");
}

alone(texts_are_quoted_where_they_must_be) {
    within (f, wi_csv("ber.csv", "a,b")) {
        wi_csv_row(f, "plain text", "a,b");
        wi_csv_row(f, "say \"x\"", "two\nlines");
        wi_csv_row(f, "two\r\nlines", " before");
        wi_csv_row(f, "behind ", "\ttab");
        wi_csv_row(f, "\"", "gr\xc3\xbc\xc3\x9f");
    }
    expect_file("a,b\n"
                "plain text,\"a,b\"\n"
                "\"say \"\"x\"\"\",\"two\nlines\"\n"
                "\"two\r\nlines\",\" before\"\n"
                "\"behind \",\"\ttab\"\n"
                "\"\"\"\",gr\xc3\xbc\xc3\x9f\n");
}

alone(an_empty_row_of_one_column_is_no_empty_line) {
    within (f, wi_csv("ber.csv", "a")) {
        wi_csv_row(f, WI_CSV_EMPTY);
        wi_csv_row(f, "");
    }
    expect_file("a\n\"\"\n\"\"\n");
}

alone(the_number_of_values_may_be_known_at_run_time_only) {
    const wi_csv_value values[] = {wi_csv_of(1), wi_csv_of(0.5F), wi_csv_of("x"), wi_csv_of(1.5)};
    within (f, wi_csv("ber.csv", "a,b,c")) wi_csv_write(f, values, 3);
    expect_file("a,b,c\n1,0.5,x\n");
}

alone(thirty_two_values_fit_and_long_texts_too) {
    char text[5000], columns[200] = "c0";
    for (int i = 1; i < 32; i++) sprintf(columns + strlen(columns), ",c%d", i);
    within (f, wi_csv("ber.csv", columns))
        wi_csv_row(f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                   23, 24, 25, 26, 27, 28, 29, 30, 31, 32);
    expect_text(
        strchr(text_of("ber.csv"), '\n') + 1,
        "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32\n");
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    within (f, wi_csv("long.csv", "a")) wi_csv_row(f, text);
    expect_count(size_of("long.csv"), 2 + 2 * (sizeof text - 1) + 3);
}

alone(the_locale_has_no_say) {
    static const char *const with_comma[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR",
                                             "nl_NL.UTF-8"};
    for (size_t i = 0; i < sizeof with_comma / sizeof *with_comma; i++)
        if (setlocale(LC_ALL, with_comma[i])) break;
    within (f, wi_csv("ber.csv", "a")) wi_csv_row(f, 1234567.5);
    expect_file("a\n1234567.5\n");
}

/* ---- columns and what they take ---- */

alone(a_wrong_number_of_values_is_refused) {
    within (f, wi_csv("ber.csv", "snr,ber")) {
        wi_csv_row(f, 1, 2);
        expect_refused(f, "ber.csv: row 2 has 3 values for 2 columns (snr, ber)", V(1), V(2), V(3));
        expect_refused(f, "ber.csv: row 2 has 1 value for 2 columns (snr, ber)", V(1));
        wi_csv_row(f, 3, 4);
    }
    expect_file("snr,ber\n1,2\n3,4\n");
}

alone(a_column_takes_values_of_its_type) {
    within (f, wi_csv("ber.csv", "i:int,f:float,t:text,b:bool")) {
        wi_csv_row(f, 1, 2, "x", true);
        wi_csv_row(f, ULLONG_MAX, 0.5F, "", 0);
        wi_csv_row(f, -1L, 0.5, "2", 1U);
        wi_csv_row(f, WI_CSV_EMPTY, WI_CSV_EMPTY, WI_CSV_EMPTY, WI_CSV_EMPTY);
    }
    expect_file("i,f,t,b\n1,2,x,true\n18446744073709551615,0.5,\"\",false\n-1,0.5,2,true\n,,,\n");
}

alone(a_column_refuses_values_of_other_types) {
    within (f, wi_csv("ber.csv", "i:int,f:float,t:text,b:bool")) {
        expect_refused(f, "ber.csv: row 1: column \"i\" takes int, not float 1.0", V(1.0), V(1.0),
                       V("x"), V(true));
        expect_refused(f, "ber.csv: row 1: column \"i\" takes int, not text \"abc\"", V("abc"),
                       V(1.0), V("x"), V(true));
        expect_refused(f, "ber.csv: row 1: column \"i\" takes int, not bool true", V((bool)1),
                       V(1.0), V("x"), V(true));
        expect_refused(f, "ber.csv: row 1: column \"f\" takes float, not text \"1.0\"", V(1),
                       V("1.0"), V("x"), V(true));
        expect_refused(f, "ber.csv: row 1: column \"f\" takes float, not bool false", V(1),
                       V((bool)0), V("x"), V(true));
        expect_refused(f, "ber.csv: row 1: column \"t\" takes text, not int 5", V(1), V(1.0), V(5),
                       V(true));
        expect_refused(f, "ber.csv: row 1: column \"b\" takes bool, not int 2", V(1), V(1.0),
                       V("x"), V(2));
        expect_refused(f, "ber.csv: row 1: column \"b\" takes bool, not int -1", V(1), V(1.0),
                       V("x"), V(-1));
        expect_count(f->rows, 0);
    }
    expect_file("i,f,t,b\n");
}

alone(a_long_text_is_shown_cut) {
    char text[300];
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "a\nb", 3);
    text[sizeof text - 1] = '\0';
    char message[200] = "ber.csv: row 1: column \"i\" takes int, not text \"a?b";
    for (size_t n = strlen(message), i = 3; i < 96; i++) message[n++] = 'x';
    strcat(message, "…\"");
    within (f, wi_csv("ber.csv", "i:int")) expect_refused(f, message, V((const char *)text));
}

alone(columns_are_readable_while_the_block_is_open) {
    wi_csv log = wi_csv("ber.csv", "\"a,b\":int,c");
    expect(wi_csv_column(&log, 0) == NULL);
    within (f, &log) {
        expect_text(wi_csv_column(f, 0), "a,b");
        expect_text(wi_csv_column(f, 1), "c");
        expect(wi_csv_column(f, 2) == NULL);
    }
    expect(wi_csv_column(&log, 0) == NULL);
}

/* ---- going on ---- */

alone(a_file_is_gone_on_with) {
    for (int i = 0; i < 3; i++)
        within (f, wi_csv("ber.csv", i ? " snr:int , \"ber\"" : "snr,ber")) {
            wi_csv_row(f, i, 0.5);
            expect_count(f->rows, 1);
        }
    expect_file("snr,ber\n0,0.5\n1,0.5\n2,0.5\n");
}

alone(an_empty_file_and_one_with_columns_alone_are_gone_on_with) {
    static const char *const begins[] = {"", "a,b\n"};
    for (int i = 0; i < 2; i++) {
        write_file("ber.csv", begins[i]);
        within (f, wi_csv("ber.csv", "a,b")) {
            wi_csv_row(f, 1, 2);
            expect_count(f->cut, 0);
        }
        expect_file("a,b\n1,2\n");
    }
}

/* What becomes of a file's text when a row "9,9" is added. */
static void expect_resumed(const char *columns, const char *found, const char *made, unsigned cut) {
    write_file("ber.csv", found);
    within (f, wi_csv("ber.csv", columns)) {
        expect_count(f->cut, cut);
        wi_csv_row(f, 9, 9);
    }
    expect_file(made);
}

alone(a_torn_row_is_cut_and_it_is_said) {
    listen_to_stderr();
    expect_resumed("a,b", "a,b\n1,2\n3,4", "a,b\n1,2\n9,9\n", 3);
    expect_text(said(), "within: ber.csv: the last row was torn and is cut, 3 bytes: 3,4\n");
    expect_resumed("a:int,b:int", "a,b\n1,2\n3", "a,b\n1,2\n9,9\n", 1);
    expect_text(said(), "within: ber.csv: the last row was torn and is cut, 1 byte: 3\n");
    expect_resumed("a,b", "a,b\n3,\"x\n4,5\n", "a,b\n9,9\n", 9);
    expect_text(said(), "within: ber.csv: the last row was torn and is cut, 9 bytes: 3,\"x?4,5?\n");
    expect_resumed("a,b", "a,b\n3,\"x\n\"\n", "a,b\n3,\"x\n\"\n9,9\n", 0);
    expect_resumed("a,b", "a,b\n3,\"x\"\"\n", "a,b\n9,9\n", 7);
}

alone(a_torn_first_line_is_written_again) {
    static const char *const torn[] = {"a", "a,", "a,bc", "a,bc\r"};
    listen_to_stderr();
    for (size_t i = 0; i < sizeof torn / sizeof *torn; i++)
        expect_resumed("a,bc", torn[i], "a,bc\n9,9\n", (unsigned)strlen(torn[i]));
    expect_text(said() + strlen("within: ber.csv: the last row was torn and is cut, 1 byte: a\n"),
                "within: ber.csv: the last row was torn and is cut, 2 bytes: a,\n"
                "within: ber.csv: the last row was torn and is cut, 4 bytes: a,bc\n"
                "within: ber.csv: the last row was torn and is cut, 5 bytes: a,bc?\n");
}

alone(files_of_others_are_gone_on_with_as_they_are) {
    listen_to_stderr();
    expect_resumed("a,b", "a,b\r\n1,2\r\n", "a,b\r\n1,2\r\n9,9\r\n", 0);
    expect_resumed("a,b", "a,b\r\n1,2\r", "a,b\r\n9,9\r\n", 4);
    expect_resumed("a,b",
                   "\xef\xbb\xbf"
                   "a,b\n1,2\n",
                   "\xef\xbb\xbf"
                   "a,b\n1,2\n9,9\n",
                   0);
    expect_resumed("a,b", "\"a\",\"b\"\n", "\"a\",\"b\"\n9,9\n", 0);
    expect_resumed("a,b", "a,b\n5\" disk,x\"\n", "a,b\n5\" disk,x\"\n9,9\n", 0);
    expect_resumed("a,b", "a,b\n\"x\"y\",2\n", "a,b\n\"x\"y\",2\n9,9\n", 0);
}

alone(other_columns_are_refused_and_the_file_is_as_it_was) {
    static const char *const others[] = {"snr,loss\n1,2\n", "snr\n", "ber,snr\n1,2",
                                         "\n1,2\n",         "x",     "snr;ber"};
    static const char *const shown[] = {"snr,loss", "snr", "ber,snr", "", "x", "snr;ber"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char message[200];
        write_file("ber.csv", others[i]);
        sprintf(message, "ber.csv: it begins with \"%s\", not with the columns \"snr,ber\"",
                shown[i]);
        expect_error(open_and_close, "snr,ber", WI_DATA_ERROR, message);
        expect_file(others[i]);
    }
}

alone(what_follows_a_quote_that_is_missing_is_not_lost) {
    FILE *file = fopen("ber.csv", "w");
    fputs("a,b\n1,2\n\"3,4\n", file);
    for (int i = 0; i < 400000; i++) fputs("5,6\n", file);
    fclose(file);
    off_t size = size_of("ber.csv");
    expect_error(open_and_close, "a,b", WI_DATA_ERROR,
                 "ber.csv: the row at byte 8 has no end in the 1600005 bytes up to the file's; is "
                 "a quote missing?");
    expect_count(size_of("ber.csv"), size);
    within (f, wi_csv("ber.csv", "a:int,b:int"))
        wi_csv_row(f, 7, 8); /* no quotes there: only its end is read */
    expect_count(size_of("ber.csv"), size + 4);
}

alone(a_fresh_log_begins_anew) {
    write_file("ber.csv", "something else");
    within (f, wi_csv("ber.csv", "a", .fresh = 1)) {
        expect_count(f->cut, 0);
        wi_csv_row(f, 1);
    }
    expect_file("a\n1\n");
}

/* ---- what is no file for a log ---- */

static void open_path(void *path) {
    within (wi_csv((const char *)path, "a")) continue;
}

alone(what_cannot_be_a_log_is_refused) {
    mkdir("folder", 0700);
    mkfifo("pipe", 0600);
    expect_error(open_path, "folder", WI_IS_A_DIRECTORY,
                 "folder: cannot be opened: Is a directory");
    expect_error(open_path, "pipe", WI_VALUE_ERROR,
                 "pipe: a CSV log is a regular file, and this is none");
    expect_error(open_path, "/dev/null", WI_VALUE_ERROR,
                 "/dev/null: a CSV log is a regular file, and this is none");
    expect_error(open_path, "missing/a.csv", WI_FILE_NOT_FOUND,
                 "missing/a.csv: cannot be opened: No such file or directory");
    expect_error(open_path, "", WI_FILE_NOT_FOUND, ": cannot be opened: No such file or directory");
}

static void open_to_sync_never(void *arg WI__UNUSED) {
    within (wi_csv("ber.csv", "a", .sync_every_s = NAN)) continue;
}

alone(bad_columns_and_options_touch_nothing) {
    expect_error(open_and_close, "a,,b", WI_VALUE_ERROR,
                 "ber.csv: columns \"a,,b\": column 2 has no name");
    expect_error(open_to_sync_never, NULL, WI_VALUE_ERROR, "ber.csv: sync_every_s is nan");
    expect(!exists("ber.csv"));
}

alone(a_path_and_columns_are_needed) {
    expect_error(open_path, NULL, WI_USAGE_ERROR, "a CSV log needs a path and columns");
    expect_error(open_and_close, NULL, WI_USAGE_ERROR, "a CSV log needs a path and columns");
}

alone(odd_names_are_names) {
    static const char *const names[] = {"a b.csv", "new\nline", "gr\xc3\xbc\xc3\x9f.csv",
                                        "%s%n.csv", "\xff\xfe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        within (f, wi_csv(names[i], "a")) wi_csv_row(f, 1);
        expect_text(text_of(names[i]), "a\n1\n");
    }
}

alone(a_link_leads_to_the_file) {
    expect(symlink("target.csv", "ber.csv") == 0);
    for (int i = 0; i < 2; i++)
        within (f, wi_csv("ber.csv", "a")) wi_csv_row(f, i);
    expect_text(text_of("target.csv"), "a\n0\n1\n");
    char target[20] = "";
    expect(readlink("ber.csv", target, sizeof target - 1) == 10);
}

alone(the_folder_may_change_in_the_block) {
    mkdir("other", 0700);
    within (f, wi_csv("ber.csv", "a")) {
        expect(chdir("other") == 0);
        wi_csv_row(f, 1);
    }
    expect(chdir("..") == 0);
    expect_file("a\n1\n");
}

/* ---- ways out ---- */

static void return_inside(void) {
    within (f, wi_csv("ber.csv", "a")) {
        wi_csv_row(f, 1);
        return;
    }
}

static void raise_inside(void *arg WI__UNUSED) {
    within (f, wi_csv("ber.csv", "a")) {
        wi_csv_row(f, 2);
        wi_raise(WI_ARITHMETIC_ERROR, "diverged");
    }
}

static void exit_inside(void) {
    within (f, wi_csv("ber.csv", "a")) {
        wi_csv_row(f, 3);
        exit(0);
    }
}

static int open_files(void) {
    int count = 0;
    for (int fd = 0; fd < 100; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

alone(rows_stay_whatever_the_block_ends_by) {
    const int before = open_files();
    return_inside();
    expect_error(raise_inside, NULL, WI_ARITHMETIC_ERROR, "diverged");
    expect_count(open_files(), before);
    expect_count(status_of(exit_inside), 0);
    expect_file("a\n1\n2\n3\n");
}

alone(nothing_stays_open_after_an_error_at_the_start) {
    const int before = open_files();
    write_file("ber.csv", "other\n");
    expect_error(open_and_close, "a", WI_DATA_ERROR,
                 "ber.csv: it begins with \"other\", not with the columns \"a\"");
    expect_count(open_files(), before);
}

static void enter_again(void *log) {
    within ((wi_csv *)log) continue;
}

alone(a_log_is_open_once_and_can_be_used_again) {
    wi_csv log = wi_csv("ber.csv", "a");
    within (&log) {
        wi_csv_row(&log, 1);
        expect_error(enter_again, &log, WI_USAGE_ERROR,
                     "ber.csv: the CSV log is open already; use one for each block");
        wi_csv_row(&log, 2);
    }
    expect_count(log.rows, 2);
    current = &log;
    expect_error(write_text, "3", WI_USAGE_ERROR, "ber.csv: the CSV log is not open");
    within (&log) wi_csv_row(&log, 4);
    expect_count(log.rows, 1);
    expect_file("a\n1\n2\n4\n");
}

alone(the_ledger_and_the_trail_name_the_file) {
    within (wi_csv("ber.csv", "a")) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "csv ber.csv");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error;
    wi_call(raise_inside, NULL, &error);
    expect_text(wi_error_trail(error, 0)->manager, "csv");
    expect_text(wi_error_trail(error, 0)->what, "ber.csv");
    wi_error_free(error);
}

/* ---- rows that cannot be written ---- */

alone(a_row_that_is_cut_short_is_taken_back) {
    const struct rlimit limit = {20, 20};
    signal(SIGXFSZ, SIG_IGN);
    expect(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    within (f, wi_csv("ber.csv", "a")) {
        current = f;
        wi_csv_row(f, "0123456789");
        expect_error(write_text, "0123456789", WI_OS_ERROR,
                     "ber.csv: row 2 cannot be written: File too large");
        expect_file("a\n0123456789\n");
        expect_count(f->rows, 1);
        wi_csv_row(f, "01234"); /* a shorter one fits */
        expect_error(write_text, "9", WI_OS_ERROR,
                     "ber.csv: row 3 cannot be written: File too large");
    }
    expect_file("a\n0123456789\n01234\n");
}

alone(a_first_line_that_is_cut_short_is_taken_back) {
    const struct rlimit limit = {3, 3};
    signal(SIGXFSZ, SIG_IGN);
    expect(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    expect_error(open_and_close, "snr,ber", WI_OS_ERROR,
                 "ber.csv: the columns cannot be written: File too large");
    expect_count(size_of("ber.csv"), 0);
}

/* ---- several processes and threads ---- */

static void write_in_the_block_of_the_parent(void) {
    wi_csv_row(current, "child");
    exit(0); /* ends the inherited block */
}

alone(a_forked_child_writes_whole_rows_and_leaves_the_log_to_its_parent) {
    within (f, wi_csv("ber.csv", "a")) {
        current = f;
        wi_csv_row(f, "before");
        expect_count(status_of(write_in_the_block_of_the_parent), 0);
        wi_csv_row(f, "after");
        expect_count(f->rows, 2);
    }
    expect_file("a\nbefore\nchild\nafter\n");
}

alone(two_logs_of_one_file_append_to_it) {
    within (f, wi_csv("ber.csv", "a"))
        within (g, wi_csv("ber.csv", "a")) {
            wi_csv_row(f, 1);
            wi_csv_row(g, 2);
            wi_csv_row(f, 3);
        }
    expect_file("a\n1\n2\n3\n");
}

static void begin_anew(void *arg WI__UNUSED) {
    within (wi_csv("ber.csv", "a", .fresh = 1)) continue;
}

alone(what_others_have_open_is_neither_cut_nor_begun_anew) {
    within (f, wi_csv("ber.csv", "a")) {
        wi_csv_row(f, 1);
        expect_error(begin_anew, NULL, WI_BUSY_ERROR,
                     "ber.csv: it is not begun anew: another process is writing it");
        FILE *file = fopen("ber.csv", "a");
        expect(file && fputs("torn", file) >= 0 && fclose(file) == 0);
        expect_error(
            open_and_close, "a", WI_BUSY_ERROR,
            "ber.csv: its last row is torn, and cannot be cut: another process has it open");
        expect_file("a\n1\ntorn");
    }
    listen_to_stderr();
    within (f, wi_csv("ber.csv", "a")) wi_csv_row(f, 2);
    expect_file("a\n1\n2\n");
}

enum { THREADS = 4, ROWS = 2000 };

static void *write_rows(void *name) {
    for (int i = 0; i < ROWS; i++) wi_csv_row(current, (const char *)name, i);
    return NULL;
}

alone(rows_of_several_threads_are_whole) {
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    int next[THREADS] = {0}, number = -1;
    pthread_t threads[THREADS];
    within (f, wi_csv("ber.csv", "thread,row")) {
        current = f;
        for (int i = 0; i < THREADS; i++) threads[i] = start(write_rows, names[i]);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        expect_count(f->rows, THREADS * ROWS);
    }
    FILE *file = fopen("ber.csv", "r");
    char name, line[100];
    expect(fgets(line, sizeof line, file) != NULL);
    while (fgets(line, sizeof line, file)) {
        expect_that(sscanf(line, "%c,%d\n", &name, &number) == 2, WHERE, "%s", line);
        expect_count(number, next[name - 'a']++);
    }
    fclose(file);
    for (int i = 0; i < THREADS; i++) expect_count(next[i], ROWS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_new_file_begins_with_its_columns),
        test(values_of_every_type_are_exact),
        test(texts_are_quoted_where_they_must_be),
        test(an_empty_row_of_one_column_is_no_empty_line),
        test(the_number_of_values_may_be_known_at_run_time_only),
        test(thirty_two_values_fit_and_long_texts_too),
        test(the_locale_has_no_say),
        test(a_wrong_number_of_values_is_refused),
        test(a_column_takes_values_of_its_type),
        test(a_column_refuses_values_of_other_types),
        test(a_long_text_is_shown_cut),
        test(columns_are_readable_while_the_block_is_open),
        test(a_file_is_gone_on_with),
        test(an_empty_file_and_one_with_columns_alone_are_gone_on_with),
        test(a_torn_row_is_cut_and_it_is_said),
        test(a_torn_first_line_is_written_again),
        test(files_of_others_are_gone_on_with_as_they_are),
        test(other_columns_are_refused_and_the_file_is_as_it_was),
        test(what_follows_a_quote_that_is_missing_is_not_lost),
        test(a_fresh_log_begins_anew),
        test(what_cannot_be_a_log_is_refused),
        test(bad_columns_and_options_touch_nothing),
        test(a_path_and_columns_are_needed),
        test(odd_names_are_names),
        test(a_link_leads_to_the_file),
        test(the_folder_may_change_in_the_block),
        test(rows_stay_whatever_the_block_ends_by),
        test(nothing_stays_open_after_an_error_at_the_start),
        test(a_log_is_open_once_and_can_be_used_again),
        test(the_ledger_and_the_trail_name_the_file),
        test(a_row_that_is_cut_short_is_taken_back),
        test(a_first_line_that_is_cut_short_is_taken_back),
        test(a_forked_child_writes_whole_rows_and_leaves_the_log_to_its_parent),
        test(two_logs_of_one_file_append_to_it),
        test(what_others_have_open_is_neither_cut_nor_begun_anew),
        test(rows_of_several_threads_are_whole),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
