/* A database of runs that is brought to a newer version. The versions after the first are this test's. */
#include "run_helpers.h"

#include "runs/migrate.h"
#include "runs/schema.h"
#include "runs/store.h"

#define SERIES 2000
enum { NEWEST = 3, KILLS = 16 };

static const char add_colour[] = "ALTER TABLE run ADD COLUMN colour TEXT;"
                                 "UPDATE run SET colour = 'blue';"
                                 "PRAGMA user_version = 2;";
static const char move_names[] =
    "CREATE TABLE named (series INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "INSERT INTO named SELECT id, name FROM series;"
    "UPDATE series SET name = number;"
    "INSERT INTO tag VALUES (1, 'moved', 'once');"
    "PRAGMA user_version = 3;";
static const char fails_at_its_end[] = "DROP TABLE finding;"
                                       "DELETE FROM series;"
                                       "INSERT INTO nowhere VALUES (1);"
                                       "PRAGMA user_version = 2;";

static const char *const steps[NEWEST] = {wi__runs_schema, add_colour, move_names};
static const char *const bad_steps[] = {wi__runs_schema, fails_at_its_end};
static const wi__versions second = {2, steps}, third = {NEWEST, steps}, bad = {2, bad_steps};

static void migrate(void *to) {
    within (db, wi_database("runs.db", .busy_timeout_ms = 60000)) wi__migrate(db, to, 1);
}
static void migrate_to(const wi__versions *to) { migrate((void *)to); }

static void log_a_run(void) {
    within (run, wi_run("lorenz")) {
        for (int i = 0; i < 3; i++) wi_run_metric(run, "energy", i, i);
        wi_run_param(run, "sigma", "10");
    }
}

static void expect_the_first_version(void) {
    expect_count(number_of("PRAGMA user_version"), 1);
    expect_count(number_of("SELECT count(*) FROM pragma_table_info('run') WHERE name = 'colour'"),
                 0);
    expect_count(number_of("SELECT count(*) FROM sqlite_schema WHERE name = 'named'"), 0);
    expect_count(number_of("SELECT count(*) FROM sqlite_schema WHERE name = 'finding'"), 1);
    expect_count(number_of("SELECT count(*) FROM metric WHERE name = 'energy'"), 3);
}

static void expect_the_third_version(void) {
    expect_count(number_of("PRAGMA user_version"), 3);
    expect_text(text_of("SELECT colour FROM run"), "blue");
    expect_text(text_of("SELECT name FROM named WHERE series = 1"), "energy");
    expect_count(number_of("SELECT count(*) FROM metric WHERE name = '0'"), 3);
    expect_text(text_of("SELECT value FROM tag WHERE key = 'moved'"), "once");
}

alone(what_is_there_is_kept_and_has_its_views) {
    log_a_run();
    migrate_to(&second);
    expect_count(number_of("PRAGMA user_version"), 2);
    expect_text(text_of("SELECT name || status || colour FROM run"), "lorenzFINISHEDblue");
    expect_text(text_of("SELECT group_concat(value) FROM metric WHERE name = 'energy'"),
                "0.0,1.0,2.0");
    expect_count(number_of("SELECT points FROM runs"), 3);
}

alone(several_steps_are_taken_one_after_the_other_and_none_again) {
    log_a_run();
    for (int i = 0; i < 3; i++) migrate_to(&third);
    expect_the_third_version();
}

alone(an_empty_database_takes_all_steps) {
    migrate_to(&second);
    expect_count(number_of("PRAGMA user_version"), 2);
    expect_count(number_of("SELECT count(*) FROM pragma_table_info('run') WHERE name = 'colour'"),
                 1);
    expect_count(number_of("SELECT count(*) FROM runs"), 0);
}

alone(a_step_that_fails_changes_nothing) {
    log_a_run();
    expect_error(migrate, (void *)&bad, WI_SQLITE_ERROR, "…");
    expect_the_first_version();
    log_a_run();
    expect_count(number_of("SELECT count(*) FROM run"), 2);
}

static void begin_a_run(void *arg) {
    (void)arg;
    within (wi_run("next")) continue;
}

alone(a_newer_one_is_refused_and_left_as_it_is) {
    log_a_run();
    migrate_to(&third);
    expect_error(begin_a_run, NULL, WI_DATA_ERROR, "/…");
    expect_error(migrate, (void *)&second, WI_DATA_ERROR,
                 "runs.db: its version is 3, and this library knows versions up to 2: a newer one "
                 "made it");
    expect_the_third_version();
}

alone(an_older_one_that_is_only_read_is_left_as_it_is) {
    log_a_run();
    within (db, wi_database("runs.db", .read_only = 1)) wi__migrate(db, &third, 0);
    expect_the_first_version();
}

alone(of_several_processes_one_takes_the_steps) {
    pid_t children[8];
    log_a_run();
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            migrate_to(&third);
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) expect_well(children[i]);
    expect_the_third_version();
}

/* ---- kills ---- */

static void make_a_large_one(void) {
    log_a_run();
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db))
            wi_database_execute(
                db,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " TEXT_OF(
                    SERIES) ") INSERT INTO series (run, number, name) SELECT 1, i, 'm' || i FROM "
                            "n");
        wi_database_execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    expect(rename("runs.db", "old.db") == 0);
}

static void put_back(void) {
    expect(system("rm -f runs.db runs.db-wal runs.db-shm && cp old.db runs.db") == 0);
}

static pid_t migrate_in_a_child(void) {
    pid_t child = fork();
    if (child) return child;
    migrate_to(&third);
    _exit(0);
}

static double ms_of_a_migration(void) {
    struct timespec begin, end;
    put_back();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    expect_well(migrate_in_a_child());
    clock_gettime(CLOCK_MONOTONIC, &end);
    return 1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec);
}

static void kill_at(double ms) {
    int status;
    put_back();
    pid_t child = migrate_in_a_child();
    usleep((useconds_t)(1e3 * ms));
    kill(child, SIGKILL);
    expect(waitpid(child, &status, 0) == child);
    expect_text(text_of("PRAGMA integrity_check"), "ok");
    if (number_of("PRAGMA user_version") == 1)
        expect_the_first_version();
    else
        expect_the_third_version();
    migrate_to(&third);
    expect_the_third_version();
    expect_count(number_of("SELECT count(*) FROM named"), SERIES + 1);
}

alone(a_kill_leaves_the_old_version_or_the_new) {
    make_a_large_one();
    double longest_ms = ms_of_a_migration();
    for (int i = 0; i < KILLS; i++) kill_at(longest_ms * i / KILLS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(what_is_there_is_kept_and_has_its_views),
        test(several_steps_are_taken_one_after_the_other_and_none_again),
        test(an_empty_database_takes_all_steps),
        test(a_step_that_fails_changes_nothing),
        test(a_newer_one_is_refused_and_left_as_it_is),
        test(an_older_one_that_is_only_read_is_left_as_it_is),
        test(of_several_processes_one_takes_the_steps),
        test(a_kill_leaves_the_old_version_or_the_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
