/* Which runs are dead: told by locks and owners, and put right by whoever looks next. */
#include "run_helpers.h"

#include "runs/live.h"
#include "runs/recover.h"
#include "runs/store.h"

/* ---- a run in another process ---- */

typedef struct victim {
    pid_t pid;
    int told; /* a pipe: a byte when it is in its run */
} victim;

static void live(int tell, void (*body)(wi_run *run)) {
    within (run, wi_run("victim")) {
        within (wi_section("advance")) {
            for (int i = 0; i < 1000; i++) wi_run_metric(run, "energy", i, i);
            if (body) body(run);
            expect(write(tell, "x", 1) == 1);
            for (;;) pause();
        }
    }
}

static victim begin_victim(void (*body)(wi_run *run)) {
    int ends[2];
    char byte;
    expect(pipe(ends) == 0);
    victim begun = {fork(), ends[0]};
    if (begun.pid == 0) {
        alarm(LONGEST_S);
        live(ends[1], body);
    }
    close(ends[1]);
    expect_that(read(begun.told, &byte, 1) == 1, "the victim", "it did not begin");
    return begun;
}

static void kill_victim(victim killed) {
    kill(killed.pid, SIGKILL);
    expect(waitpid(killed.pid, NULL, 0) == killed.pid);
    close(killed.told);
}

static int recover(void) {
    wi_database store;
    int found =
        wi__runs_recover(wi__store_open(&store, "runs.db", WI__STORE_WRITE, 60000), "runs.db");
    wi__store_close(&store);
    return found;
}

/* ---- the dead ---- */

static void hold_a_file(wi_run *run) {
    (void)run;
    wi_hold("file", "%s", "ber.csv");
    measure("inner");
}

alone(a_killed_run_is_killed_with_all_it_had_logged) {
    kill_victim(begin_victim(hold_a_file));
    expect_status("victim", "RUNNING");
    within (wi_run("next")) continue;
    expect_status("victim", "KILLED");
    expect_count(number_of("SELECT count FROM series"), 1000);
    expect_text(text_of("SELECT doing FROM run WHERE name = 'victim'"),
                "file ber.csv\nsection advance\nrun victim");
    expect_text(
        text_of(
            "SELECT group_concat(path || ' ' || calls) FROM (SELECT * FROM section ORDER BY path)"),
        "advance 1,advance > inner 1");
    expect_count(
        number_of("SELECT abs(ended_ms - started_ms) < 60000 FROM run WHERE name = 'victim'"), 1);
    expect_text(text_of("SELECT error FROM run WHERE name = 'victim'"), "NULL");
}

alone(nothing_is_left_of_it) {
    kill_victim(begin_victim(NULL));
    expect_count(recover(), 1);
    expect_count(recover(), 0);
    expect(!exists("runs.db.live"));
}

alone(sections_before_it_are_not_its_own) {
    measure("before");
    kill_victim(begin_victim(hold_a_file));
    recover();
    expect_text(
        text_of(
            "SELECT group_concat(path || ' ' || calls) FROM (SELECT * FROM section ORDER BY path)"),
        "advance 1,advance > inner 1");
}

static void fork_one_that_stays(wi_run *run) {
    (void)run;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGHUP, SIG_DFL);
        for (;;) pause();
    }
    FILE *file = fopen("child", "w");
    fprintf(file, "%d", (int)child);
    fclose(file);
}

alone(a_forked_child_that_outlives_it_does_not_keep_it_alive) {
    victim killed = begin_victim(fork_one_that_stays);
    int child = 0;
    FILE *file = fopen("child", "r");
    expect(fscanf(file, "%d", &child) == 1);
    fclose(file);
    expect_count(recover(), 0);
    kill_victim(killed);
    expect(kill(child, 0) == 0);
    expect_count(recover(), 1);
    expect_status("victim", "KILLED");
    kill(child, SIGKILL);
}

alone(a_zombie_is_dead) {
    victim killed = begin_victim(NULL);
    siginfo_t ended;
    kill(killed.pid, SIGKILL);
    expect(waitid(P_PID, (id_t)killed.pid, &ended, WEXITED | WNOWAIT) == 0);
    expect_count(recover(), 1);
    expect_status("victim", "KILLED");
}

/* ---- the living ---- */

alone(a_live_run_is_left_alone_by_other_processes) {
    victim lives = begin_victim(NULL);
    for (int i = 0; i < 3; i++) {
        expect_count(recover(), 0);
        within (wi_run("next")) continue;
    }
    expect_status("victim", "RUNNING");
    kill_victim(lives);
    expect_count(recover(), 1);
}

static void *look(void *arg) {
    (void)arg;
    expect_count(recover(), 0);
    return NULL;
}

alone(a_live_run_is_left_alone_by_its_own_process_and_keeps_its_lock) {
    within (wi_run("victim")) {
        expect_count(recover(), 0);
        in_thread(look, NULL);
        within (wi_run("next")) expect_count(recover(), 0);
        pid_t other = fork();
        if (other == 0) {
            char name[200];
            struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
            snprintf(name, sizeof name, "runs.db.live/%s/lock",
                     text_of("SELECT uuid FROM run WHERE name = 'victim'"));
            int file = open(name, O_RDWR);
            expect(file >= 0 && fcntl(file, F_GETLK, &lock) == 0);
            expect_count(lock.l_type, F_WRLCK);
            expect_count(lock.l_pid, getppid());
            _exit(0);
        }
        expect_well(other);
        expect_status("victim", "RUNNING");
    }
    expect_status("victim", "FINISHED");
}

/* ---- owners that are made up ---- */

static void forge(const char *owner) {
    char name[200];
    snprintf(name, sizeof name, "runs.db.live/%s/lock", text_of("SELECT uuid FROM run"));
    FILE *file = fopen(name, "w");
    fputs(owner, file);
    fclose(file);
}

static void expect_after_forging(const char *owner, const char *status) {
    forge(owner);
    recover();
    expect_status("victim", status);
}

alone(another_process_with_its_number_does_not_keep_it_alive) {
    wi__owner self = wi__owner_self();
    char text[WI__OWNER_TEXT];
    kill_victim(begin_victim(NULL));
    snprintf(text, sizeof text, "%u-%llu-%s-%s", self.process.pid,
             (unsigned long long)self.process.start + 1, self.boot, self.host);
    expect_after_forging(text, "KILLED");
}

alone(one_whose_lock_is_lost_lives_as_long_as_its_owner) {
    char text[WI__OWNER_TEXT];
    kill_victim(begin_victim(NULL));
    wi__owner_text(text);
    expect_after_forging(text, "RUNNING");
}

alone(one_that_holds_its_lock_lives_whatever_its_owner_is_said_to_be) {
    wi__owner self = wi__owner_self();
    char text[WI__OWNER_TEXT];
    victim lives = begin_victim(NULL);
    snprintf(text, sizeof text, "4000000-5-%s-%s", self.boot, self.host);
    expect_after_forging(text, "RUNNING");
    expect_after_forging("", "RUNNING");
    kill_victim(lives);
    expect_after_forging(text, "KILLED");
}

alone(one_of_another_host_is_left_alone) {
    kill_victim(begin_victim(NULL));
    expect_after_forging("1-1-00000000-00000000", "RUNNING");
    expect_after_forging("4000000-5-12345678-0badcafe", "RUNNING");
}

/* ---- those of which the user says that they are gone ---- */

#define OF_ANOTHER_HOST "4000000-5-12345678-0badcafe"

static void close_run(void *store) {
    sqlite3 *db = ((wi_database *)store)->handle;
    char id[WI_RUN_ID_LENGTH + 1];
    strcpy(id, text_of("SELECT uuid FROM run"));
    expect_count(wi__runs_close(db, "runs.db", id), 1);
}

static void expect_refused(const char *message) {
    wi_database store;
    wi__store_open(&store, "runs.db", WI__STORE_WRITE, 60000);
    expect_error(close_run, &store, WI_VALUE_ERROR, message);
    wi__store_close(&store);
    expect_status("victim", "RUNNING");
}

alone(one_of_another_host_is_closed_with_all_it_had_logged) {
    wi_database store;
    kill_victim(begin_victim(NULL));
    expect_after_forging(OF_ANOTHER_HOST, "RUNNING");
    wi__store_open(&store, "runs.db", WI__STORE_WRITE, 60000);
    close_run(&store);
    wi__store_close(&store);
    expect_status("victim", "KILLED");
    expect_count(number_of("SELECT count FROM series"), 1000);
    expect(!exists("runs.db.live"));
}

alone(one_that_lives_is_not_closed) {
    victim lives = begin_victim(NULL);
    expect_refused("run …");
    expect_after_forging(OF_ANOTHER_HOST, "RUNNING");
    expect_refused("run …");
    kill_victim(lives);
}

alone(one_of_another_host_whose_folder_is_gone_is_closed) {
    wi_database store;
    kill_victim(begin_victim(NULL));
    expect(system("rm -r runs.db.live") == 0);
    within (db, wi_database("runs.db"))
        wi_database_execute(db, "UPDATE run SET owner = '" OF_ANOTHER_HOST "'");
    expect_count(recover(), 0);
    wi__store_open(&store, "runs.db", WI__STORE_WRITE, 60000);
    close_run(&store);
    wi__store_close(&store);
    expect_status("victim", "KILLED");
}

alone(one_of_an_earlier_boot_is_dead) {
    wi__owner self = wi__owner_self();
    char text[WI__OWNER_TEXT];
    kill_victim(begin_victim(NULL));
    snprintf(text, sizeof text, "%u-%llu-00000000-%s", self.process.pid,
             (unsigned long long)self.process.start, self.host);
    expect_after_forging(text, "KILLED");
}

alone(a_row_whose_folder_was_removed_is_killed) {
    victim killed = begin_victim(NULL);
    char command[200];
    snprintf(command, sizeof command, "rm -r runs.db.live/%s", text_of("SELECT uuid FROM run"));
    expect_count(recover(), 0);
    kill_victim(killed);
    expect(system(command) == 0);
    expect_count(recover(), 1);
    expect_status("victim", "KILLED");
    expect(!exists("runs.db.live"));
}

alone(a_row_of_another_host_is_left_alone_without_its_folder_too) {
    kill_victim(begin_victim(NULL));
    expect(system("rm -r runs.db.live") == 0);
    within (db, wi_database("runs.db"))
        wi_database_execute(db, "UPDATE run SET owner = '4000000-5-12345678-0badcafe'");
    expect_count(recover(), 0);
    expect_status("victim", "RUNNING");
}

alone(a_folder_without_a_row_is_removed) {
    pid_t child = fork();
    if (child == 0) {
        wi__live live;
        expect(wi__live_make(&live, "runs.db", "0123456789abcdef0123456789abcdef") == 0);
        _exit(0);
    }
    expect_well(child);
    expect_count(entries_in("runs.db.live"), 1);
    within (wi_run("next")) continue;
    expect_count(entries_in("runs.db.live"), 0);
    expect_count(number_of("SELECT count(*) FROM run"), 1);
}

/* ---- where nothing may be written ---- */

static void read_as_nobody(mode_t of_file, mode_t of_folder) {
    expect(chmod("runs.db", of_file) == 0 && chmod(".", of_folder) == 0);
    int entries = entries_in(".");
    pid_t child = fork();
    if (child == 0) {
        wi_database store;
        if (geteuid() == 0) expect(setgid(65534) == 0 && setuid(65534) == 0);
        sqlite3 *db = wi__runs_open(&store, "runs.db");
        expect_count(number_on(db, "SELECT count(*) FROM run"), 1);
        wi__store_close(&store);
        _exit(0);
    }
    expect_well(child);
    expect(chmod(".", 0755) == 0);
    expect_count(entries_in("."), entries);
}

alone(a_database_that_may_not_be_written_is_read_and_nothing_comes_beside_it) {
    within (wi_run("lorenz")) continue;
    read_as_nobody(0444, 0777);
    read_as_nobody(0666, 0555);
    read_as_nobody(0444, 0555);
    expect_status("lorenz", "FINISHED");
}

alone(what_a_live_run_has_in_the_log_is_read_there_too) {
    victim lives = begin_victim(NULL);
    expect(size_of("runs.db-wal") > 0);
    read_as_nobody(0444, 0555);
    kill_victim(lives);
}

static void open_to_read(void *path) {
    wi_database store;
    wi__runs_open(&store, path);
}

alone(an_empty_file_gets_no_tables_by_being_read) {
    fclose(fopen("empty.db", "w"));
    expect_error(open_to_read, "empty.db", WI_DATA_ERROR, "…");
    expect_error(open_to_read, "missing.db", WI_FILE_NOT_FOUND, "open missing.db…");
    expect_count(size_of("empty.db"), 0);
    expect_count(entries_in("."), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_killed_run_is_killed_with_all_it_had_logged),
        test(nothing_is_left_of_it),
        test(sections_before_it_are_not_its_own),
        test(a_forked_child_that_outlives_it_does_not_keep_it_alive),
        test(a_zombie_is_dead),
        test(a_live_run_is_left_alone_by_other_processes),
        test(a_live_run_is_left_alone_by_its_own_process_and_keeps_its_lock),
        test(another_process_with_its_number_does_not_keep_it_alive),
        test(one_whose_lock_is_lost_lives_as_long_as_its_owner),
        test(one_that_holds_its_lock_lives_whatever_its_owner_is_said_to_be),
        test(one_of_another_host_is_left_alone),
        test(one_of_another_host_is_closed_with_all_it_had_logged),
        test(one_that_lives_is_not_closed),
        test(one_of_another_host_whose_folder_is_gone_is_closed),
        test(one_of_an_earlier_boot_is_dead),
        test(a_row_whose_folder_was_removed_is_killed),
        test(a_row_of_another_host_is_left_alone_without_its_folder_too),
        test(a_folder_without_a_row_is_removed),
        test(a_database_that_may_not_be_written_is_read_and_nothing_comes_beside_it),
        test(what_a_live_run_has_in_the_log_is_read_there_too),
        test(an_empty_file_gets_no_tables_by_being_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
