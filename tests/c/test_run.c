/* wi_run: how a run ends by how its block does, and what it keeps. */
#include "run_helpers.h"

wi_define_error(CONVERGENCE_ERROR, WI_ARITHMETIC_ERROR);

/* ---- outcomes ---- */

alone(the_end_of_the_body_is_finished) {
    listen_to_stderr();
    within (run, wi_run("lorenz", .database = "runs.db")) {
        expect_status("lorenz", "RUNNING");
        wi_run_metric(run, "energy", 1, 2.5);
    }
    expect_text(said(), "");
    expect_status("lorenz", "FINISHED");
    expect_text(text_of("SELECT error FROM run"), "NULL");
    expect_count(number_of("SELECT ended_ms >= started_ms FROM run"), 1);
    expect_count(entries_in("runs.db.live"), 0);
}

static void fail_inside(void *arg) {
    (void)arg;
    within (wi_run("lorenz")) {
        within (wi_section("advance")) wi_raise(CONVERGENCE_ERROR, "step %d: energy is nan", 7);
    }
}

alone(an_error_is_failed_with_its_trail) {
    expect_error(fail_inside, NULL, CONVERGENCE_ERROR, "step 7: energy is nan");
    expect_status("lorenz", "FAILED");
    expect(strstr(text_of("SELECT error FROM run"), "CONVERGENCE_ERROR: step 7: energy is nan"));
    expect(strstr(text_of("SELECT error FROM run"), "advance"));
}

alone(a_signal_is_interrupted_with_its_name) {
    wi_try {
        within (wi_interrupts()) {
            within (wi_run("lorenz")) {
                raise(SIGTERM);
                wi_poll();
            }
        }
    } wi_catch (WI_INTERRUPTED, error) {
    }
    expect_status("lorenz", "INTERRUPTED");
    expect_text(text_of("SELECT signal FROM run"), "SIGTERM");
}

static void leave(int finish) {
    within (run, wi_run("lorenz")) {
        if (finish) wi_run_finish(run);
        return;
    }
}

alone(a_return_is_failed_and_said) {
    listen_to_stderr();
    leave(0);
    expect(strstr(said(), "call wi_run_finish before a return"));
    expect_status("lorenz", "FAILED");
    expect_text(text_of("SELECT error FROM run"), "left before its end");
}

alone(a_return_after_finish_is_finished) {
    listen_to_stderr();
    leave(1);
    expect_text(said(), "");
    expect_status("lorenz", "FINISHED");
}

alone(an_exit_keeps_its_status) {
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        within (wi_run("lorenz")) exit(3);
    }
    int status;
    expect(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    expect_status("lorenz", "FAILED");
    expect_count(number_of("SELECT exit_status FROM run"), 3);
}

alone(other_languages_set_the_outcome) {
    wi_run run = wi_run("lorenz");
    run.protocol->enter(&run);
    wi__run_outcome(&run, "INTERRUPTED", SIGINT, "KeyboardInterrupt");
    run.protocol->exit(&run, WI_RAISED, NULL);
    expect_status("lorenz", "INTERRUPTED");
    expect_text(text_of("SELECT signal || error FROM run"), "SIGINTKeyboardInterrupt");
}

/* ---- what is kept ---- */

static void set_another_value(void *run) { wi_run_param(run, "sigma", "%g", 11.0); }

alone(a_parameter_keeps_its_value_and_a_tag_its_last) {
    within (run, wi_run("lorenz")) {
        wi_run_param(run, "sigma", "%g", 10.0);
        wi_run_param(run, "sigma", "%d", 10);
        expect_error(set_another_value, run, WI_VALUE_ERROR,
                     "param sigma: it is \"10\" already, and cannot become \"11\"");
        wi_run_tag(run, "state", "draft");
        wi_run_tag(run, "state", "%s", "final");
    }
    expect_text(text_of("SELECT key || '=' || value FROM param"), "sigma=10");
    expect_text(text_of("SELECT key || '=' || value FROM tag"), "state=final");
    expect_count(number_of("SELECT count(*) FROM param"), 1);
}

/* The values of the view, bit by bit; a NaN is NULL there. */
static void expect_values(const double *values, int count) {
    sqlite3 *db;
    sqlite3_stmt *row;
    expect(sqlite3_open("runs.db", &db) == SQLITE_OK);
    expect(sqlite3_prepare_v2(db, "SELECT value FROM metric ORDER BY position", -1, &row, NULL) ==
           SQLITE_OK);
    for (int i = 0; i < count; i++) {
        expect(sqlite3_step(row) == SQLITE_ROW);
        double value = sqlite3_column_double(row, 0);
        int is_null = sqlite3_column_type(row, 0) == SQLITE_NULL;
        expect(is_null ? isnan(values[i]) : memcmp(&value, &values[i], sizeof value) == 0);
    }
    expect(sqlite3_step(row) == SQLITE_DONE);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

alone(points_keep_their_order_and_every_bit) {
    static const double values[] = {0.1, NAN, INFINITY, -INFINITY, -0.0, 5e-324, 1e308, 3.0};
    static const int64_t steps[] = {5, 3, 3, INT64_MIN, INT64_MAX, 0, -1, 9};
    within (run, wi_run("lorenz")) {
        wi_series *series = wi_run_series(run, "energy");
        for (int i = 0; i < 8; i++)
            i % 2 ? wi_series_add(series, steps[i], values[i])
                  : wi_run_metric(run, "energy", steps[i], values[i]);
    }
    expect_count(number_of("SELECT count FROM series"), 8);
    expect_text(
        text_of("SELECT group_concat(step) FROM (SELECT step FROM metric ORDER BY position)"),
        "5,3,3,-9223372036854775808,9223372036854775807,0,-1,9");
    expect_values(values, 8);
}

alone(names_may_have_any_characters) {
    static const char *const names[] = {"'\"; DROP TABLE run; --", "two\nlines", "μ ∇²ψ 🎲", "%s%n",
                                        "a/b\\c"};
    char *longest = malloc(100001);
    memset(longest, 'x', 100000);
    longest[100000] = '\0';
    within (run, wi_run(names[0])) {
        for (int i = 0; i < 5; i++) {
            wi_run_metric(run, names[i], i, i);
            wi_run_param(run, names[i], "%s", names[i]);
            wi_run_tag(run, names[i], "%s", names[i]);
        }
        wi_run_metric(run, longest, 1, 1);
        wi_run_param(run, longest, "%s", longest);
    }
    expect_text(text_of("SELECT name FROM run"), names[0]);
    for (int i = 0; i < 5; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT name FROM series WHERE number = %d", i);
        expect_text(text_of(sql), names[i]);
    }
    expect_count(number_of("SELECT count(*) FROM param WHERE key = value"), 6);
    expect_count(number_of("SELECT max(length(name)) FROM series"), 100000);
    expect_count(number_of("SELECT max(length(value)) FROM param"), 100000);
    free(longest);
}

static int refuses_name(wi_run *run, const char *name) {
    volatile int is_refused = 0;
    wi_try
        wi_run_text(run, name, "");
    wi_catch (WI_VALUE_ERROR, error)
        is_refused = 1;
    return is_refused;
}

alone(artifacts_are_copies_and_stay_in_their_folder) {
    static const char *const bad[] = {"", "/etc/x", "../x", "a/../../x", "a//b", "."};
    FILE *file = fopen("plot.svg", "w");
    fputs("<svg/>", file);
    fclose(file);
    char path[200];
    within (run, wi_run("lorenz")) {
        wi_run_artifact(run, "plot.svg", NULL);
        wi_run_artifact(run, "plot.svg", "figures/energy.svg");
        wi_run_text(run, "notes.txt", "first");
        wi_run_text(run, "notes.txt", "second");
        for (int i = 0; i < 6; i++) expect(refuses_name(run, bad[i]));
        snprintf(path, sizeof path, "runs.db.artifacts/%s/figures/energy.svg", run->id);
    }
    expect_count(size_of(path), 6);
    expect_count(number_of("SELECT count(*) FROM artifact"), 3);
    expect_text(text_of("SELECT bytes || ' ' || name FROM artifact ORDER BY name DESC"),
                "6 plot.svg");
    expect_count(number_of("SELECT bytes FROM artifact WHERE name = 'notes.txt'"), 6);
}

alone(the_row_tells_who_ran_what_where) {
    setenv("USER", "ada", 1);
    within (wi_run("lorenz")) continue;
    expect_text(text_of("SELECT user FROM run"), "ada");
    expect_count(number_of("SELECT pid FROM run"), getpid());
    char folder_now[200];
    expect(getcwd(folder_now, sizeof folder_now));
    expect_text(text_of("SELECT directory FROM run"), folder_now);
    expect(strstr(text_of("SELECT command FROM run"), "test_run"));
    expect(number_of("SELECT peak_memory FROM run") > 100000);
    expect(number_of("SELECT value FROM environment WHERE key = 'cores'") >= 1);
    expect(strncmp(text_of("SELECT value FROM environment WHERE key = 'system'"), "Linux ", 6) ==
           0);
}

alone(seeds_inside_of_it_are_kept) {
    within (wi_temporary_seed(1)) continue;
    within (wi_run("lorenz")) {
        within (wi_temporary_seed(42)) continue;
        within (wi_temporary_seed(43)) continue;
    }
    expect_text(
        text_of("SELECT group_concat(key || '=' || value) FROM environment WHERE key LIKE 'seed%'"),
        "seed.0=42,seed.1=43");
}

alone(the_umask_is_obeyed) {
    umask(027);
    within (run, wi_run("lorenz")) wi_run_text(run, "a", "b");
    struct stat status;
    expect(stat("runs.db", &status) == 0);
    expect_count(status.st_mode & 0777, 0640);
    expect(stat("runs.db.artifacts", &status) == 0);
    expect_count(status.st_mode & 0777, 0750);
}

/* ---- sections ---- */

alone(sections_of_two_runs_do_not_mix) {
    measure("before");
    within (wi_run("first"))
        for (int i = 0; i < 3; i++) measure("step");
    measure("between");
    within (wi_section("around")) {
        within (wi_run("second")) {
            for (int i = 0; i < 5; i++) measure("step");
            measure("more");
        }
    }
    expect_text(text_of("SELECT group_concat(path || ' ' || calls) FROM (SELECT path, calls FROM "
                        "section WHERE run = 1 ORDER BY path)"),
                "step 3");
    expect_text(text_of("SELECT group_concat(path || ' ' || calls) FROM (SELECT path, calls FROM "
                        "section WHERE run = 2 ORDER BY path)"),
                "around 1,around > more 1,around > step 5");
    expect_count(number_of("SELECT count(*) FROM section WHERE min > p50 OR p50 > max OR min > "
                           "mean OR mean > max OR total < self"),
                 0);
}

/* ---- several runs ---- */

static void *begin_on_another_thread(void *arg) {
    (void)arg;
    within (run, wi_run("apart")) expect(wi_active_run() == run);
    return NULL;
}

alone(nested_runs_have_parents_and_other_threads_none) {
    expect(wi_active_run() == NULL);
    within (outer, wi_run("outer")) {
        expect(wi_active_run() == outer);
        within (inner, wi_run("inner")) expect(wi_active_run() == inner);
        expect(wi_active_run() == outer);
        in_thread(begin_on_another_thread, NULL);
    }
    expect_text(
        text_of("SELECT p.name FROM run c JOIN run p ON c.parent = p.id WHERE c.name = 'inner'"),
        "outer");
    expect_text(text_of("SELECT parent FROM run WHERE name = 'apart'"), "NULL");
    expect_count(number_of("SELECT count(*) FROM run WHERE status = 'FINISHED'"), 3);
}

alone(the_environment_says_where_and_whose) {
    char id[WI_RUN_ID_LENGTH + 1];
    setenv("WITHIN_DATABASE", "other.db", 1);
    within (run, wi_run("outer")) strcpy(id, run->id);
    setenv("WITHIN_RUN", id, 1);
    within (wi_run("inner")) continue;
    expect(!exists("runs.db"));
    expect_text(text_in("other.db", "SELECT p.name FROM run c JOIN run p ON c.parent = p.id"),
                "outer");
}

static void resume(void *beginning) {
    within (wi_run("lorenz", .resume = beginning)) continue;
}

alone(a_run_goes_on) {
    char id[WI_RUN_ID_LENGTH + 1], beginning[9];
    within (run, wi_run("lorenz")) {
        strcpy(id, run->id);
        wi_run_param(run, "sigma", "10");
        wi_run_metric(run, "energy", 1, 1);
        wi_run_metric(run, "drift", 1, 5);
    }
    snprintf(beginning, sizeof beginning, "%.8s", id);
    within (run, wi_run("lorenz", .resume = beginning)) {
        expect_text(run->id, id);
        expect_status("lorenz", "RUNNING");
        expect_error(set_another_value, run, WI_VALUE_ERROR, "param sigma: it is \"10\" already…");
        expect_error(resume, id, WI_VALUE_ERROR, "wi_run: resume …");
        wi_run_metric(run, "energy", 2, 2);
        wi_run_metric(run, "new", 2, 9);
    }
    expect_count(number_of("SELECT count(*) FROM run"), 1);
    expect_status("lorenz", "FINISHED");
    expect_text(
        text_of("SELECT group_concat(name || count) FROM (SELECT * FROM series ORDER BY number)"),
        "energy2,drift1,new1");
    expect_text(
        text_of("SELECT group_concat(value) FROM metric WHERE name = 'energy' ORDER BY position"),
        "1.0,2.0");
}

alone(what_cannot_be_resumed_is_said) {
    within (wi_run("lorenz")) continue;
    within (wi_run("lorenz")) continue;
    expect_error(resume, "xyz", WI_VALUE_ERROR, "wi_run: resume \"xyz\": it is no id of a run…");
    expect_error(resume, "", WI_VALUE_ERROR, "wi_run: resume \"\": it is no id of a run…");
    expect_error(resume, "0123456789abcdef0123456789abcdef", WI_VALUE_ERROR,
                 "wi_run: resume 0123456789abcdef0123456789abcdef: there is no such run in …");
    expect_count(number_of("SELECT count(*) FROM run WHERE status = 'FINISHED'"), 2);
}

/* ---- misuse ---- */

static void log_one(void *run) { wi_run_metric(run, "energy", 1, 1); }
static void log_nameless(void *run) { wi_run_metric(run, "", 1, 1); }
static void enter(void *run) { ((wi_run *)run)->protocol->enter(run); }

alone(what_is_called_after_the_end_is_refused) {
    wi_run run = wi_run("lorenz");
    expect_error(log_one, &run, WI_USAGE_ERROR, "log a metric: run lorenz is not open…");
    within (&run) {
        expect_error(log_nameless, &run, WI_VALUE_ERROR, "wi_run_metric: the name is empty");
        expect_error(enter, &run, WI_USAGE_ERROR, "run lorenz: it is open already…");
    }
    expect_error(log_one, &run, WI_USAGE_ERROR, "log a metric: run lorenz is not open…");
    within (&run) wi_run_metric(&run, "energy", 1, 1);
    expect_count(number_of("SELECT count(*) FROM run"), 2);
}

static void begin_nameless(void *arg) {
    (void)arg;
    within (wi_run("")) continue;
}
static void begin_in(void *path) {
    within (wi_run("lorenz", .database = path, .busy_timeout_s = 0.05)) continue;
}

typedef struct content {
    size_t size;
    char bytes[1 << 20];
} content;

static void read_all(const char *path, content *to) {
    FILE *file = fopen(path, "r");
    expect(file != NULL);
    to->size = fread(to->bytes, 1, sizeof to->bytes, file);
    fclose(file);
}

/* Nothing of it changes, and nothing comes beside it. */
static void expect_refused(const char *path, const char *message) {
    static content before, after;
    int entries = entries_in(".");
    read_all(path, &before);
    expect_error(begin_in, (void *)path, WI_DATA_ERROR, message);
    read_all(path, &after);
    expect_that(before.size == after.size && !memcmp(before.bytes, after.bytes, after.size), path,
                "it has changed");
    expect_that(entries_in(".") == entries, path, "a file was left beside it");
}

static void make_foreign(const char *path, const char *sql) {
    sqlite3 *db;
    expect(sqlite3_open(path, &db) == SQLITE_OK);
    expect(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

alone(a_database_of_something_else_is_not_touched) {
    make_foreign("plain.db", "CREATE TABLE planet (name); INSERT INTO planet VALUES ('Mars')");
    make_foreign("logged.db", "PRAGMA journal_mode = WAL; CREATE TABLE planet (name)");
    make_foreign("stamped.db", "PRAGMA application_id = 7");
    make_foreign("numbered.db", "PRAGMA user_version = 1");
    expect_refused("plain.db", "/…");
    expect_refused("logged.db", "/…");
    expect_refused("stamped.db", "/…");
    expect_refused("numbered.db", "/…");
}

alone(what_a_killed_program_left_beside_its_database_stays) {
    make_foreign("plain.db", "CREATE TABLE planet (name); INSERT INTO planet VALUES ('Mars')");
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        sqlite3_open("plain.db", &db);
        sqlite3_exec(db,
                     "PRAGMA cache_size = 1; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                     " SELECT i + 1 FROM n WHERE i < 9999) INSERT INTO planet SELECT"
                     " hex(randomblob(99)) FROM n",
                     NULL, NULL, NULL);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    expect(exists("plain.db-journal"));
    expect_refused("plain.db", "/…");
    expect(exists("plain.db-journal"));
    expect_count(number_in("plain.db", "SELECT count(*) FROM planet"), 1);
}

alone(what_is_no_database_of_runs_is_left_as_it_is) {
    FILE *file = fopen("text.db", "w");
    for (int i = 0; i < 1000; i++) fputs("no database\n", file);
    fclose(file);
    within (wi_run("lorenz", .database = "newer.db")) continue;
    within (db, wi_database("newer.db")) wi_database_execute(db, "PRAGMA user_version = 99");
    expect_refused("text.db", "…");
    expect_refused("newer.db", "/…");
    expect_error(begin_in, "missing/runs.db", WI_FILE_NOT_FOUND, "…");
    expect_error(begin_in, ":memory:", WI_VALUE_ERROR, "…");
    expect_error(begin_nameless, NULL, WI_VALUE_ERROR, "wi_run: the name is empty");
}

alone(a_truncated_database_is_refused) {
    within (run, wi_run("lorenz")) wi_run_param(run, "text", "%0100000d", 1);
    expect(truncate("runs.db", size_of("runs.db") / 2) == 0);
    expect_refused("runs.db", "…");
}

/* ---- a folder that is deleted too early ---- */

/* All of it, in a process whose stderr is kept to its end. */
static int said_by(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        expect(freopen("said", "w", stderr) != NULL);
        expect(mkdir("folder", 0777) == 0);
        body();
        measure("later");
        exit(7);
    }
    int status, lines = 0;
    expect(waitpid(child, &status, 0) == child);
    expect_count(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 7);
    FILE *file = fopen("said", "r");
    for (int c; (c = fgetc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    return lines;
}

static void delete_folder(void) { expect(system("rm -r folder") == 0); }

static void log_and_delete_afterwards(void) {
    within (wi_run("lorenz", .database = "folder/runs.db")) measure("step");
    delete_folder();
}

static void delete_inside(void) {
    within (run, wi_run("lorenz", .database = "folder/runs.db")) {
        measure("step");
        wi_run_metric(run, "energy", 1, 1);
        delete_folder();
        for (int i = 0; i < 100000; i++) wi_run_metric(run, "energy", i, i);
        measure("more");
    }
}

alone(a_folder_that_is_deleted_after_its_runs_is_nothing_to_speak_of) {
    expect_count(said_by(log_and_delete_afterwards), 0);
}

alone(a_database_that_is_deleted_in_a_run_is_said_once) {
    expect_count(said_by(delete_inside), 1);
    char line[500] = "";
    FILE *file = fopen("said", "r");
    expect(fgets(line, sizeof line, file) != NULL);
    fclose(file);
    expect(strstr(line, "folder/runs.db was deleted or moved while the run was open: what it "));
    expect(!exists("folder"));
}

/* ---- others that write ---- */

/* Whoever is first after the last points: what is merged then waits, too. */
_Noreturn static void take_the_database_when_it_is_finished(void) {
    sqlite3 *db;
    while (!exists("runs.db")) usleep(1000);
    expect(sqlite3_open("runs.db", &db) == SQLITE_OK);
    while (sqlite3_exec(db, "UPDATE run SET user = 'ada' WHERE status = 'FINISHED'", NULL, NULL,
                        NULL) != SQLITE_OK ||
           !sqlite3_changes(db) ||
           sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        usleep(100);
    usleep(600000);
    sqlite3_close(db);
    _exit(0);
}

alone(an_end_waits_for_others_until_all_is_merged) {
    pid_t other = fork();
    if (other == 0) take_the_database_when_it_is_finished();
    listen_to_stderr();
    within (run, wi_run("lorenz")) {
        for (int i = 0; i < 3000; i++) {
            char name[16];
            snprintf(name, sizeof name, "m%d", i % 1000);
            wi_run_metric(run, name, i / 1000, i);
            if (i % 1000 == 999) usleep(250000);
        }
    }
    expect_text(said(), "");
    expect_count(entries_in("runs.db.live"), 0);
    expect_count(number_of("SELECT count(*) FROM chunk"), 1000);
    expect_well(other);
}

/* ---- forks ---- */

alone(a_forked_child_leaves_the_run_to_its_parent) {
    within (run, wi_run("lorenz")) {
        wi_series *series = wi_run_series(run, "energy");
        wi_series_add(series, 1, 1);
        /* Until git's thread is over, whose memory is lost in the child; sanitizers have more threads. */
        if (!UNDER_SANITIZER) wait_for_threads(2);
        pid_t child = fork();
        if (child == 0) {
            expect(wi_active_run() == NULL);
            expect_error(log_one, run, WI_USAGE_ERROR,
                         "log a metric: run lorenz is of the process that this one was forked "
                         "from; begin a run here");
            run->protocol->exit(run, WI_LEFT, NULL);
            expect(run->open == NULL);
            _exit(0);
        }
        expect_well(child);
        expect_status("lorenz", "RUNNING");
        wi_series_add(series, 2, 2);
    }
    expect_status("lorenz", "FINISHED");
    expect_count(number_of("SELECT count FROM series"), 2);
    expect_count(number_of("SELECT count(*) FROM run"), 1);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 50000 };

static void *log_many(void *arg) {
    wi_run *run = wi_active_run();
    char name[32];
    for (int64_t i = 0; i < EACH; i++) {
        snprintf(name, sizeof name, "%s%d", i % 2 ? "shared" : (const char *)arg, (int)(i % 7));
        wi_run_metric(run, name, i, (double)i);
    }
    return NULL;
}

alone(threads_log_into_one_run_at_once) {
    static char *const names[] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    within (wi_run("lorenz")) {
        for (int i = 0; i < THREADS; i++) threads[i] = start(log_many, names[i]);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    }
    expect_count(number_of("SELECT sum(count) FROM series"), THREADS * EACH);
    expect_count(number_of("SELECT count(*) FROM series"), 7 + 4 * 7);
}

/* ---- workers that are forked in a run ---- */

static int descriptors_of(const char *name) {
    int count = 0;
    DIR *stream = opendir("/proc/self/fd");
    for (struct dirent *each; stream && (each = readdir(stream));) {
        char path[400], target[400] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%s", each->d_name);
        if (readlink(path, target, sizeof target - 1) < 0) continue;
        const char *slash = strrchr(target, '/');
        count += slash && strncmp(slash + 1, name, strlen(name)) == 0;
    }
    closedir(stream);
    return count;
}

alone(no_connection_of_a_run_goes_across_a_fork) {
    within (run, wi_run("outer")) {
        within (wi_run("inner")) {
            expect(descriptors_of("runs.db") > 0);
            pid_t child = fork();
            if (child == 0) {
                expect_count(descriptors_of("runs.db"), 0);
                _exit(0);
            }
            expect_well(child);
            wi_run_metric(run, "energy", 1, 1);
        }
    }
    expect_count(number_of("SELECT count FROM series"), 1);
    expect_count(number_of("SELECT count(*) FROM run WHERE status = 'FINISHED'"), 2);
}

enum { WORKERS = 8, POINTS_OF_A_WORKER = 2000 };

static int are_forked; /* atomic */

static void *log_till_all_are_forked(void *run) {
    int64_t step = 0;
    while (!__atomic_load_n(&are_forked, __ATOMIC_ACQUIRE)) {
        wi_run_metric(run, "energy", step++, 1);
        if (step % 500 == 0) usleep(2000);
    }
    return (void *)(intptr_t)step;
}

static pid_t begin_worker(void) {
    pid_t worker = fork();
    if (worker) return worker;
    within (run, wi_run("worker"))
        for (int i = 0; i < POINTS_OF_A_WORKER; i++) wi_run_metric(run, "loss", i, i);
    _exit(0);
}

alone(forked_workers_have_runs_of_their_own_in_the_same_database) {
    pid_t workers[WORKERS];
    int64_t logged = 0;
    if (UNDER_TSAN) return; /* its children may start no thread */
    are_forked = 0;
    within (run, wi_run("parent")) {
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            expect(pthread_create(&threads[i], NULL, log_till_all_are_forked, run) == 0);
        for (int i = 0; i < WORKERS; i++) {
            usleep(30000);
            workers[i] = begin_worker();
        }
        __atomic_store_n(&are_forked, 1, __ATOMIC_RELEASE);
        for (int i = 0; i < WORKERS; i++) expect_well(workers[i]);
        for (int i = 0; i < 2; i++) {
            void *steps;
            expect(pthread_join(threads[i], &steps) == 0);
            logged += (intptr_t)steps;
        }
        expect_status("parent", "RUNNING");
    }
    expect_count(number_of("SELECT count(*) FROM run WHERE status = 'FINISHED'"), 1 + WORKERS);
    expect_count(number_of("SELECT sum(count) FROM series WHERE name = 'energy'"), logged);
    expect_count(number_of("SELECT sum(count) FROM series WHERE name = 'loss'"),
                 (long long)WORKERS * POINTS_OF_A_WORKER);
    expect_count(number_of("SELECT count(*) FROM run WHERE parent IS NOT NULL"), 0);
    expect_text(text_of("PRAGMA integrity_check"), "ok");
    expect_count(entries_in("runs.db.live"), 0);
}

static void begin_where_the_parent_has_it_open(void *arg) {
    (void)arg;
    within (wi_run("worker")) continue;
}

alone(a_database_that_the_parent_itself_has_open_is_refused_with_the_remedy) {
    within (wi_run("parent")) continue;
    within (wi_database("runs.db")) {
        pid_t child = fork();
        if (child == 0) {
            expect_error(begin_where_the_parent_has_it_open, NULL, WI_USAGE_ERROR, "open: /…");
            _exit(0);
        }
        expect_well(child);
    }
    expect_count(number_of("SELECT count(*) FROM run"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_end_of_the_body_is_finished),
        test(an_error_is_failed_with_its_trail),
        test(a_signal_is_interrupted_with_its_name),
        test(a_return_is_failed_and_said),
        test(a_return_after_finish_is_finished),
        test(an_exit_keeps_its_status),
        test(other_languages_set_the_outcome),
        test(a_parameter_keeps_its_value_and_a_tag_its_last),
        test(points_keep_their_order_and_every_bit),
        test(names_may_have_any_characters),
        test(artifacts_are_copies_and_stay_in_their_folder),
        test(the_row_tells_who_ran_what_where),
        test(seeds_inside_of_it_are_kept),
        test(the_umask_is_obeyed),
        test(sections_of_two_runs_do_not_mix),
        test(nested_runs_have_parents_and_other_threads_none),
        test(the_environment_says_where_and_whose),
        test(a_run_goes_on),
        test(what_cannot_be_resumed_is_said),
        test(what_is_called_after_the_end_is_refused),
        test(a_database_of_something_else_is_not_touched),
        test(what_a_killed_program_left_beside_its_database_stays),
        test(what_is_no_database_of_runs_is_left_as_it_is),
        test(a_truncated_database_is_refused),
        test(an_end_waits_for_others_until_all_is_merged),
        test(a_folder_that_is_deleted_after_its_runs_is_nothing_to_speak_of),
        test(a_database_that_is_deleted_in_a_run_is_said_once),
        test(a_forked_child_leaves_the_run_to_its_parent),
        test(threads_log_into_one_run_at_once),
        test(no_connection_of_a_run_goes_across_a_fork),
        test(forked_workers_have_runs_of_their_own_in_the_same_database),
        test(a_database_that_the_parent_itself_has_open_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
