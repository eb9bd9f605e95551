/* wi_file: a stream that is open in its block, and whose trouble is told. */
#include "file_helpers.h"
#include "record_helpers.h"

alone(a_file_is_open_in_its_block) {
    wi_file file = wi_file("out", "w");
    int before = next_descriptor();
    within (&file) {
        fputs("text", file.stream);
        expect(fcntl(fileno(file.stream), F_GETFD) & FD_CLOEXEC);
    }
    expect(!file.stream);
    expect_count(next_descriptor(), before);
    expect_text(content("out"), "text");
}

alone(modes_are_those_of_fopen) {
    char text[16] = "";
    within (file, wi_file("out", "w+")) fputs("one", file->stream);
    within (file, wi_file("out", "ab")) fputs("two", file->stream);
    within (file, wi_file("out", "r+b")) {
        expect(fgets(text, sizeof text, file->stream) != NULL);
        expect_text(text, "onetwo");
        rewind(file->stream);
        fputs("ONE", file->stream);
    }
    expect_text(content("out"), "ONEtwo");
    within (file, wi_file("new", "wbx+")) fputs("new", file->stream);
    expect_text(content("new"), "new");
}

static void open_as(void *mode) {
    within (wi_file("out", mode)) continue;
}

static void open_missing(void *mode) {
    within (wi_file("missing/out", mode)) continue;
}

static void open_folder(void *mode) {
    within (wi_file(".", mode)) continue;
}

alone(other_modes_are_refused) {
    static const char *const modes[] = {"rw", "", "b", "w++", "we", "rb ", "r,ccs=UTF-8"};
    for (int i = 0; i < 7; i++) {
        char message[100];
        snprintf(message, sizeof message,
                 "out: mode \"%s\" is none of r, w and a with +, b or x behind it", modes[i]);
        expect_raised(open_as, (void *)modes[i], WI_VALUE_ERROR, message);
    }
    expect_raised(open_as, NULL, WI_VALUE_ERROR,
                  "out: mode \"(null)\" is none of r, w and a with +, b or x behind it");
    expect(!exists("out"));
}

alone(what_cannot_be_opened_is_named) {
    expect_raised(open_missing, "w", WI_FILE_NOT_FOUND,
                  "missing/out: cannot be opened: No such file or directory");
    expect_raised(open_as, "r", WI_FILE_NOT_FOUND,
                  "out: cannot be opened: No such file or directory");
    expect_raised(open_folder, "r", WI_IS_A_DIRECTORY, ".: cannot be opened: Is a directory");
    expect_raised(open_folder, "w", WI_IS_A_DIRECTORY, ".: cannot be opened: Is a directory");
    put("out", "");
    expect_raised(open_as, "wx", WI_FILE_EXISTS, "out: cannot be opened: File exists");
}

static void enter_twice(void *unused) {
    (void)unused;
    wi_file file = wi_file("out", "w");
    within (&file)
        within (&file) continue;
}

alone(a_manager_has_one_block_at_a_time) {
    expect_raised(enter_twice, NULL, WI_USAGE_ERROR, "out: this wi_file is open already");
}

/* ---- trouble ---- */

static void write_to_full_disk(void *unused) {
    (void)unused;
    within (file, wi_file("/dev/full", "w")) fputs("lost", file->stream);
}

static void write_and_raise(void *unused) {
    (void)unused;
    within (file, wi_file("/dev/full", "w")) {
        fputs("lost", file->stream);
        wi_raise(WI_VALUE_ERROR, "enough");
    }
}

static void lose_a_write(void *unused) {
    (void)unused;
    within (file, wi_file("/dev/full", "w")) {
        setvbuf(file->stream, NULL, _IONBF, 0);
        fputs("lost", file->stream);
    }
}

static void lose_a_write_and_raise(void *unused) {
    (void)unused;
    within (file, wi_file("/dev/full", "w")) {
        setvbuf(file->stream, NULL, _IONBF, 0);
        fputs("lost", file->stream);
        wi_raise(WI_VALUE_ERROR, "the disk is full");
    }
}

#define FULL "/dev/full: cannot be written: No space left on device"

alone(what_cannot_be_written_at_the_end_is_an_error) {
    int before = next_descriptor();
    expect_raised(write_to_full_disk, NULL, WI_DISK_FULL, FULL);
    expect_count(next_descriptor(), before);
}

alone(what_cannot_be_written_after_an_error_is_one_with_a_context) {
    wi_error *error = error_of(write_and_raise, NULL);
    expect_text(wi_error_message(error), FULL);
    expect_text(wi_error_message(wi_error_context(error)), "enough");
    wi_error_free(error);
}

alone(a_write_that_failed_is_not_forgotten) {
    int before = next_descriptor();
    expect_raised(lose_a_write, NULL, WI_OS_ERROR,
                  "/dev/full: an earlier read or write of it has failed");
    expect_raised(lose_a_write_and_raise, NULL, WI_VALUE_ERROR, "the disk is full");
    expect_count(next_descriptor(), before);
}

/* ---- ways out, forks, the ledger ---- */

static void write_and_return(void) {
    within (file, wi_file("out", "w")) {
        fputs("text", file->stream);
        return;
    }
}

static void write_and_leave_by_an_error(void *unused) {
    (void)unused;
    within (file, wi_file("out", "w")) {
        fputs("more text", file->stream);
        wi_raise(WI_VALUE_ERROR, "enough");
    }
}

alone(what_was_written_stays_on_every_way_out) {
    write_and_return();
    expect_text(content("out"), "text");
    expect_raised(write_and_leave_by_an_error, NULL, WI_VALUE_ERROR, "enough");
    expect_text(content("out"), "more text");
}

alone(a_childs_end_writes_nothing_twice) {
    within (file, wi_file("out", "w")) {
        fputs("once ", file->stream);
        pid_t child = fork();
        if (child == 0) exit(0);
        expect_count(exit_of(child), 0);
        fputs("twice", file->stream);
    }
    expect_text(content("out"), "once twice");
}

alone(a_childs_end_does_not_move_its_parents_place) {
    char line[8] = "";
    put("in", "one\ntwo\n");
    within (file, wi_file("in", "r")) {
        setvbuf(file->stream, NULL, _IOFBF, 4);
        expect(fgets(line, sizeof line, file->stream) != NULL);
        expect(getc(file->stream) == 't'); /* four are read ahead: the offset is behind them */
        pid_t child = fork();
        if (child == 0) exit(0);
        expect_count(exit_of(child), 0);
        expect(fgets(line, sizeof line, file->stream) != NULL);
        expect_text(line, "wo\n");
        expect(fgets(line, sizeof line, file->stream) == NULL);
    }
}

alone(what_is_open_is_in_the_ledger_and_in_trails) {
    within (wi_file("out", "w")) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "file out");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(write_and_leave_by_an_error, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "file");
    expect_text(wi_error_trail(error, 0)->what, "out");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_file_is_open_in_its_block),
        test(modes_are_those_of_fopen),
        test(other_modes_are_refused),
        test(what_cannot_be_opened_is_named),
        test(a_manager_has_one_block_at_a_time),
        test(what_cannot_be_written_at_the_end_is_an_error),
        test(what_cannot_be_written_after_an_error_is_one_with_a_context),
        test(a_write_that_failed_is_not_forgotten),
        test(what_was_written_stays_on_every_way_out),
        test(a_childs_end_writes_nothing_twice),
        test(a_childs_end_does_not_move_its_parents_place),
        test(what_is_open_is_in_the_ledger_and_in_trails),
    };
    return cmocka_run_group_tests_name("plain file", tests, NULL, NULL);
}
