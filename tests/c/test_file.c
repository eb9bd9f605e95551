/* The record's file: asked for by name or by the environment, taken only where that harms nobody. */
#include "record_helpers.h"

#include <sys/resource.h>

#include "record/arena.h"
#include "record/complain.h"

static void open_named(void *path) { wi_record_open(path); }

static void expect_refused(const char *path, const wi_error_type *type, const char *message) {
    wi_error *error;
    wi_call(open_named, (void *)path, &error);
    expect_that(error != NULL, path, "was not refused");
    expect_text(wi_error_kind(error)->name, type->name);
    expect_text(wi_error_message(error), message);
    wi_error_free(error);
}

/* After a refusal the record is where it was, and measures. */
static void expect_still_in_memory(void) {
    expect(wi_record_path() == NULL);
    measure("after");
    wi__profile profile = own_profile();
    expect(calls_of(&profile, "after") >= 1);
    wi__profile_release(&profile);
}

static void write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "w");
    expect(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static char *absolute(const char *path) {
    static char text[512];
    expect(getcwd(text, sizeof text - 100) != NULL);
    strcat(strcat(text, "/"), path);
    return text;
}

/* ---- opened ---- */

alone(opening_moves_what_was_measured) {
    measure("before");
    wi_holding holding = wi_hold("file", "results.csv");
    within (wi_section("around")) {
        wi_record_open("record");
        measure("inside");
    }
    wi__profile profile = profile_in("record");
    expect_text(paths_of(&profile), "before, around, around > inside");
    expect_text(open_in(&profile), "file results.csv");
    expect_count(profile.header.owner.pid, getpid());
    expect_count(profile.header.ended, 0);
    expect(profile.alive);
    expect(strstr(profile.header.command, "test_file") != NULL);
    wi__profile_release(&profile);
    wi_let_go(holding);
    profile = profile_in("record");
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

alone(the_path_is_absolute_and_survives_a_change_of_folder) {
    wi_record_open("record");
    expect_text(wi_record_path(), absolute("record"));
    char *path = strdup(wi_record_path());
    expect(chdir("/") == 0);
    for (int i = 0; i < 1000; i++) { /* it grows */
        char name[32];
        snprintf(name, sizeof name, "path %d", i);
        measure(name);
    }
    wi__profile profile = profile_in(path);
    expect_count(calls_of(&profile, "path 999"), 1);
    expect_count(profile.damaged, 0);
    wi__profile_release(&profile);
    free(path);
}

alone(a_record_that_is_grown_already_can_be_moved) {
    char name[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "path %d", i);
        measure(name);
    }
    wi_record_open("record");
    measure("path 2999");
    wi__profile profile = profile_in("record");
    expect_count(profile.path_count, 3002);
    expect_count(calls_of(&profile, "path 2999"), 2);
    wi__profile_release(&profile);
}

static void measure_into_record(void) {
    wi_record_open("record");
    measure("old");
}

alone(the_record_of_a_process_that_has_ended_is_replaced) {
    expect_count(status_of(measure_into_record), 0);
    wi_record_open("record");
    measure("new");
    wi__profile profile = profile_in("record");
    expect_text(paths_of(&profile), "new");
    wi__profile_release(&profile);
}

static void measure_and_end(void) {
    wi_record_open("record");
    measure("work");
}

alone(the_end_of_a_process_is_in_its_record) {
    expect_count(status_of(measure_and_end), 0);
    wi__profile profile = profile_in("record");
    expect_count(profile.header.ended, 1);
    expect_count(profile.alive, 0);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

static void exit_inside(void) {
    wi_record_open("record");
    within (wi_section("outer"))
        within (wi_section("inner")) exit(0);
}

alone(exit_inside_sections_closes_them) {
    expect_count(status_of(exit_inside), 0);
    wi__profile profile = profile_in("record");
    expect_count(calls_of(&profile, "outer > inner"), 1);
    expect_count(profile.open_count, 0);
    expect_count(profile.header.ended, 1);
    wi__profile_release(&profile);
}

static void die_inside(void) {
    wi_record_open("record");
    within (wi_section("outer"))
        for (int i = 0; i < 10; i++)
            within (wi_section("inner"))
                if (i == 9) raise(SIGKILL);
}

alone(a_killed_process_leaves_its_calls_and_what_was_open) {
    expect_count(status_of(die_inside), SIGKILL);
    wi__profile profile = profile_in("record");
    expect_count(calls_of(&profile, "outer > inner"), 9);
    expect_text(open_in(&profile), "section inner, section outer");
    expect_count(profile.header.ended, 0);
    expect_count(profile.alive, 0);
    expect_count(profile.damaged + profile.torn, 0);
    wi__profile_release(&profile);
}

/* ---- refused ---- */

alone(a_foreign_file_is_refused_and_left_as_it_is) {
    static const char *const contents[] = {"", "snr,ber\n0,0.0786\n",
                                           WI__MAGIC "and then something else"};
    for (int i = 0; i < 3; i++) {
        char before[64] = "", after[64] = "";
        snprintf(before, sizeof before, "%s", contents[i]);
        write_file("results.csv", before, strlen(before));
        expect_refused(
            "results.csv", WI_FILE_EXISTS,
            "record results.csv: the file is there and is no record: it is left as it is");
        FILE *file = fopen("results.csv", "r");
        size_t length = fread(after, 1, sizeof after, file);
        fclose(file);
        expect(length == strlen(before) && memcmp(before, after, length) == 0);
        expect_still_in_memory();
    }
}

alone(a_directory_is_refused) {
    mkdir("results", 0777);
    expect_refused("results", WI_IS_A_DIRECTORY, "record results: Is a directory");
    expect_still_in_memory();
}

alone(a_missing_folder_is_an_error) {
    expect_refused("missing/record", WI_FILE_NOT_FOUND,
                   "record missing/record: No such file or directory");
    expect_still_in_memory();
}

alone(an_empty_path_and_none_are_errors) {
    expect_refused("", WI_VALUE_ERROR, "wi_record_open: the path is empty");
    expect_refused(NULL, WI_VALUE_ERROR, "wi_record_open: the path is empty");
}

alone(a_path_that_is_too_long_is_an_error) {
    static char path[5000];
    memset(path, 'x', sizeof path - 1);
    wi_error *error;
    wi_call(open_named, path, &error);
    expect(error && wi_error_errno(error) == 0 && wi_error_is(error, WI_OS_ERROR));
    wi_error_free(error);
    expect_still_in_memory();
}

/* A FIFO that nobody writes would block a plain open. */
alone(a_fifo_and_a_device_are_refused_at_once) {
    expect(mkfifo("fifo", 0600) == 0);
    expect_refused("fifo", WI_FILE_EXISTS,
                   "record fifo: the file is there and is no record: it is left as it is");
    expect_refused("/dev/null", WI_FILE_EXISTS,
                   "record /dev/null: the file is there and is no record: it is left as it is");
    expect_still_in_memory();
}

alone(a_folder_without_permission_is_an_error) {
    mkdir("locked", 0755);
    if (chown("locked", 0, 0) == 0 && geteuid() == 0) {
        chmod(folder, 0755);
        expect(setgid(65534) == 0 && setuid(65534) == 0);
    } else {
        chmod("locked", 0555);
    }
    expect_refused("locked/record", WI_PERMISSION_ERROR, "record locked/record: Permission denied");
    expect_still_in_memory();
}

static int pipe_ends[2];

static void live_until_told(void) {
    char byte;
    wi_record_open("record");
    measure("living");
    expect(write(pipe_ends[1], "x", 1) == 1);
    while (read(pipe_ends[0], &byte, 1) == 1 && byte != '.') usleep(100);
}

/* The child is started before the record is begun here: else it would be a fork of it. */
alone(the_record_of_a_live_process_is_refused) {
    int there[2], back[2];
    char message[128], byte;
    expect(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    if (child == 0) {
        pipe_ends[0] = there[0];
        pipe_ends[1] = back[1];
        live_until_told();
        _exit(0);
    }
    expect(read(back[0], &byte, 1) == 1);
    snprintf(message, sizeof message,
             "record record: it is the record of process %d, which is running", (int)child);
    expect_refused("record", WI_FILE_EXISTS, message);
    expect_still_in_memory();
    wi__profile profile = profile_in("record");
    expect_text(paths_of(&profile), "living");
    expect(profile.alive);
    wi__profile_release(&profile);
    expect(write(there[1], ".", 1) == 1);
    waitpid(child, NULL, 0);
    wi_record_open("record");
}

alone(a_second_open_is_a_usage_error) {
    char message[600];
    wi_record_open("record");
    snprintf(message, sizeof message, "wi_record_open: the record is in %s already",
             absolute("record"));
    expect_refused("another", WI_USAGE_ERROR, message);
    expect(!exists("another"));
    expect_text(wi_record_path(), absolute("record"));
}

/* ---- the environment ---- */

alone(the_environment_names_the_file) {
    setenv("WITHIN_RECORD", "record", 1);
    measure("work");
    expect_text(wi_record_path(), absolute("record"));
    wi_record_open("another"); /* whoever runs the program has decided */
    expect(!exists("another"));
    wi__profile profile = profile_in("record");
    expect_text(paths_of(&profile), "work");
    wi__profile_release(&profile);
}

alone(an_empty_name_in_the_environment_is_none) {
    setenv("WITHIN_RECORD", "", 1);
    measure("work");
    expect(wi_record_path() == NULL);
}

alone(nothing_is_written_until_something_is_measured) {
    setenv("WITHIN_RECORD", "record", 1);
    pid_t child = fork();
    if (child == 0) exit(0);
    waitpid(child, NULL, 0);
    expect(!exists("record"));
}

/* With a file in the way the program goes on, says so once, and measures in memory. */
alone(a_file_in_the_way_is_said_once) {
    int out = open("said", O_RDWR | O_CREAT, 0600);
    char said[1024] = "";
    write_file("record", "mine", 4);
    setenv("WITHIN_RECORD", "record", 1);
    int kept = dup(2);
    dup2(out, 2);
    measure("work");
    measure("more");
    in_thread((void *(*)(void *))(void *)measure, (void *)"thread's");
    dup2(kept, 2);
    expect(pread(out, said, sizeof said - 1, 0) > 0);
    expect_text(said,
                "within: record record: the file is there and is no record: it is left as it is; "
                "measuring in memory only\n");
    expect_count(size_of("record"), 4);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "work"), 1);
    wi__profile_release(&profile);
}

alone(at_most_four_complaints_are_made) {
    char said[1024] = "", wanted[1024] = "";
    int out = open("said", O_RDWR | O_CREAT, 0600), kept = dup(2);
    dup2(out, 2);
    for (int i = 0; i < 10; i++) wi__complain("trouble %d", i);
    dup2(kept, 2);
    for (int i = 0; i < 4; i++) sprintf(wanted + strlen(wanted), "within: trouble %d\n", i);
    expect(pread(out, said, sizeof said - 1, 0) > 0);
    expect_text(said, wanted);
}

/* Two programs of one shell line share the environment: the second writes beside the first. */
alone(a_second_live_process_writes_beside_the_first) {
    int there[2], back[2];
    char byte;
    expect(pipe(there) == 0 && pipe(back) == 0);
    setenv("WITHIN_RECORD", "record", 1);
    pid_t child = fork();
    if (child == 0) {
        measure("first's");
        expect(write(back[1], "x", 1) == 1 && read(there[0], &byte, 1) == 1);
        _exit(0);
    }
    expect(read(back[0], &byte, 1) == 1);
    measure("second's");
    wi__profile first = profile_in("record"), second = profile_in(file_of_pid("record", getpid()));
    expect_text(paths_of(&first), "first's");
    expect_text(paths_of(&second), "second's");
    wi__profile_release(&first);
    wi__profile_release(&second);
    expect(write(there[1], ".", 1) == 1);
    waitpid(child, NULL, 0);
}

/* ---- wi_report ---- */

alone(a_report_goes_into_any_stream) {
    char *text = NULL;
    size_t length;
    within (wi_section("sweep")) measure("snr");
    FILE *stream = open_memstream(&text, &length);
    wi_report(stream);
    fclose(stream);
    expect(strstr(text, "sweep") && strstr(text, "snr"));
    free(text);
}

alone(a_report_before_any_section_says_so_or_is_empty) {
    FILE *stream = tmpfile();
    wi_report(stream);
    expect(ftell(stream) > 0);
    fclose(stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(opening_moves_what_was_measured),
        test(the_path_is_absolute_and_survives_a_change_of_folder),
        test(a_record_that_is_grown_already_can_be_moved),
        test(the_record_of_a_process_that_has_ended_is_replaced),
        test(the_end_of_a_process_is_in_its_record),
        test(exit_inside_sections_closes_them),
        test(a_killed_process_leaves_its_calls_and_what_was_open),
        test(a_foreign_file_is_refused_and_left_as_it_is),
        test(a_directory_is_refused),
        test(a_missing_folder_is_an_error),
        test(an_empty_path_and_none_are_errors),
        test(a_path_that_is_too_long_is_an_error),
        test(a_fifo_and_a_device_are_refused_at_once),
        test(a_folder_without_permission_is_an_error),
        test(the_record_of_a_live_process_is_refused),
        test(a_second_open_is_a_usage_error),
        test(the_environment_names_the_file),
        test(an_empty_name_in_the_environment_is_none),
        test(nothing_is_written_until_something_is_measured),
        test(a_file_in_the_way_is_said_once),
        test(at_most_four_complaints_are_made),
        test(a_second_live_process_writes_beside_the_first),
        test(a_report_goes_into_any_stream),
        test(a_report_before_any_section_says_so_or_is_empty),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
