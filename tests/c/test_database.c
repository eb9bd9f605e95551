/* wi_database: what it sets up, what it closes, and what it says when it cannot. */
#include "sqlite_helpers.h"

/* ---- opening ---- */

static void open_immutable(void *path) {
    within (wi_database(path, .immutable = 1)) continue;
}

alone(a_database_is_made_and_set_up) {
    within (db, wi_database("runs.db")) {
        expect(exists("runs.db"));
        char mode[16] = "";
        sqlite3_stmt *asked;
        sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode", -1, &asked, NULL);
        expect(sqlite3_step(asked) == SQLITE_ROW);
        snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(asked, 0));
        sqlite3_finalize(asked);
        expect_text(mode, "wal");
        expect_count(number_on(db->handle, "PRAGMA foreign_keys"), 1);
        expect_count(number_on(db->handle, "PRAGMA busy_timeout"), 5000);
        expect_count(number_on(db->handle, "PRAGMA synchronous"), 2);
        wi_database_execute(db, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    }
    expect_count(number_in("runs.db", "SELECT a FROM t"), 7);
}

alone(options_are_obeyed) {
    make_table("runs.db");
    within (db, wi_database("runs.db", .busy_timeout_ms = 70, .synchronous = WI_SYNCHRONOUS_OFF)) {
        expect_count(number_on(db->handle, "PRAGMA busy_timeout"), 70);
        expect_count(number_on(db->handle, "PRAGMA synchronous"), 0);
    }
    within (db, wi_database("runs.db", .busy_timeout_ms = -1, .synchronous = WI_SYNCHRONOUS_NORMAL,
                            .read_only = 1)) {
        expect_count(number_on(db->handle, "PRAGMA busy_timeout"), 0);
        expect_count(number_on(db->handle, "PRAGMA synchronous"), 1);
        expect(sqlite3_db_readonly(db->handle, "main") == 1);
    }
}

alone(without_a_log_it_has_a_rollback_journal) {
    make_table("runs.db");
    within (db, wi_database("runs.db", .no_wal = 1)) {
        wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
        expect(!exists("runs.db-wal"));
        within (other, wi_database("runs.db")) {
            expect_count(number_on(other->handle, "SELECT count(*) FROM t"), 1);
            expect(exists("runs.db-wal")); /* which a reader makes */
            within (wi_database("runs.db", .no_wal = 1)) expect(exists("runs.db-wal"));
        }
    }
    expect_count(number_in("runs.db", "SELECT count(*) FROM t"), 1);
}

alone(an_immutable_one_is_read_without_a_file_beside_it) {
    static const char *const names[] = {"runs.db", "two?words#100%.db", "\xce\xbc.db"};
    char here[300], path[600];
    expect(getcwd(here, sizeof here));
    for (int i = 0; i < 3; i++) {
        make_table(names[i]);
        snprintf(path, sizeof path, "/%s/%s", here, names[i]);
        within (db, wi_database(i ? names[i] : path, .immutable = 1)) {
            expect_count(number_on(db->handle, "SELECT count(*) FROM t"), 0);
            expect(sqlite3_db_readonly(db->handle, "main") == 1);
        }
        snprintf(path, sizeof path, "%s-shm", names[i]);
        expect(!exists(path));
    }
    expect_error(open_immutable, "missing.db", WI_FILE_NOT_FOUND, "open: missing.db: unable…");
    expect(!exists("missing.db"));
}

alone(a_database_in_memory_is_one_too) {
    listen_to_stderr();
    within (db, wi_database(":memory:")) {
        wi_database_execute(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
        expect_count(number_on(db->handle, "SELECT count(*) FROM t"), 1);
    }
    expect_text(said(), "");
    expect(!exists(":memory:"));
}

alone(nothing_is_left_open) {
    wi_database database = wi_database("runs.db");
    within (&database) {
        wi_database_execute(&database, "CREATE TABLE t (a)");
        expect(exists("runs.db-wal"));
    }
    expect(database.handle == NULL);
    expect(!exists("runs.db-wal") && !exists("runs.db-shm"));
    within (&database) expect_count(number_on(database.handle, "SELECT count(*) FROM t"), 0);
}

alone(any_name_will_do) {
    const char *const names[] = {"two words.db", "new\nline.db", "μ-Läufe 🎲.db", "a%sb'c\"d.db",
                                 "?mode=ro"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_table(names[i]);
        expect(exists(names[i]));
        expect_count(number_in(names[i], "SELECT count(*) FROM t"), 0);
    }
}

alone(a_link_is_followed) {
    make_table("real.db");
    expect(symlink("real.db", "link.db") == 0);
    within (db, wi_database("link.db")) wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
    expect_count(number_in("real.db", "SELECT count(*) FROM t"), 1);
    expect(!exists("link.db-wal"));
}

static void open_it(void *path) {
    within (wi_database(path)) continue;
}
static void open_read_only(void *path) {
    within (wi_database(path, .read_only = 1)) continue;
}
static void open_with_a_wrong_option(void *path) {
    within (wi_database(path, .synchronous = (wi_synchronous)3)) continue;
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 1000; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

alone(what_cannot_be_opened_is_named_with_the_cause) {
    int before = open_descriptors();
    expect(mkdir("folder", 0755) == 0);
    FILE *text = fopen("text", "w");
    for (int i = 0; i < 50; i++) fputs("no database\n", text);
    fclose(text);
    expect_error(open_it, "missing/runs.db", WI_FILE_NOT_FOUND,
                 "open: missing/runs.db: unable to open database file (SQLITE_CANTOPEN): No such "
                 "file or directory");
    expect_error(open_it, "folder", WI_IS_A_DIRECTORY,
                 "open: folder: unable to open database file (SQLITE_CANTOPEN…");
    expect_error(open_it, "text/runs.db", WI_NOT_A_DIRECTORY, "open: text/runs.db: unable…");
    expect_error(open_it, "text", WI_DATA_ERROR,
                 "read: text: file is not a database (SQLITE_NOTADB)");
    expect_error(open_read_only, "missing.db", WI_FILE_NOT_FOUND, "open: missing.db: unable…");
    expect_error(open_read_only, "text", WI_DATA_ERROR, "read: text: file is not a…");
    expect_error(open_it, NULL, WI_VALUE_ERROR, "wi_database: the path is NULL");
    expect_error(open_with_a_wrong_option, "new.db", WI_VALUE_ERROR,
                 "new.db: there is no wi_synchronous of value 3");
    expect(!exists("missing.db") && !exists("new.db"));
    expect_count(size_of("text"), 600);
    expect_count(open_descriptors(), before);
}

static void nest(void *database) {
    within ((wi_database *)database)
        within ((wi_database *)database) continue;
}

alone(a_database_that_is_open_cannot_be_entered) {
    wi_database database = wi_database("runs.db");
    expect_error(nest, &database, WI_USAGE_ERROR,
                 "database runs.db: it is open already; use one wi_database a block");
    expect(database.handle == NULL);
    within (&database) continue;
}

/* ---- permissions ---- */

static void write_there(void *path) {
    within (db, wi_database(path)) wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
}
static void write_read_only(void *path) {
    within (db, wi_database(path, .read_only = 1))
        wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
}

alone(a_file_that_was_opened_for_reading_is_not_written) {
    make_table("runs.db");
    expect_error(write_read_only, "runs.db", WI_PERMISSION_ERROR,
                 "execute INSERT INTO t VALUES (1, 'x'): runs.db: attempt to write a readonly "
                 "database (SQLITE_READONLY)");
}

/* A database that was never in WAL. */
static void make_old_table(const char *path) {
    sqlite3 *handle;
    expect(sqlite3_open(path, &handle) == SQLITE_OK);
    expect(sqlite3_exec(handle, "CREATE TABLE t (a, b)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(handle);
}

static void *hold_for_a_while(void *handle) {
    spend_ms(50);
    expect(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    return NULL;
}

/* SQLite does not wait: of several that open a new database at a time it turns all but one away. */
alone(a_writer_is_waited_for_where_the_write_ahead_log_is_begun) {
    sqlite3 *other;
    make_old_table("runs.db");
    expect(sqlite3_open("runs.db", &other) == SQLITE_OK);
    expect(sqlite3_busy_timeout(other, 60000) == SQLITE_OK); /* its COMMIT meets those who ask */
    expect(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    pthread_t writer = start(hold_for_a_while, other);
    within (db, wi_database("runs.db", .busy_timeout_ms = 60000)) {
        pthread_join(writer, NULL);
        wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
        expect(exists("runs.db-wal"));
    }
    sqlite3_close(other);
}

alone(a_read_only_file_is_read_and_it_is_said_once_that_there_is_no_wal) {
    make_old_table("one.db");
    make_old_table("two.db");
    expect(chmod("one.db", 0444) == 0 && chmod("two.db", 0444) == 0);
    become_nobody();
    listen_to_stderr();
    expect_count(number_in("one.db", "SELECT count(*) FROM t"), 0);
    expect_count(number_in("two.db", "SELECT count(*) FROM t"), 0);
    expect_text(said(), "within: one.db: no write-ahead log here, readers and writers wait for "
                        "each other: attempt to write a readonly database (SQLITE_READONLY)\n");
    listen_to_stderr();
    expect_error(write_there, "one.db", WI_PERMISSION_ERROR, "execute INSERT…");
    expect_text(said(), "");
}

alone(where_nothing_can_be_made_the_cause_is_told) {
    expect(mkdir("shut", 0555) == 0);
    become_nobody();
    expect_error(open_it, "shut/runs.db", WI_PERMISSION_ERROR,
                 "open: shut/runs.db: unable to open database file (SQLITE_CANTOPEN): Permission "
                 "denied");
}

/* ---- closing ---- */

static void forget_statements(wi_database *db) {
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(db->handle, "SELECT 1", -1, &statement, NULL);
    sqlite3_step(statement);
    sqlite3_prepare_v2(db->handle, "INSERT INTO t VALUES (?, ?)", -1, &statement, NULL);
}

alone(forgotten_statements_are_listed_and_finalised) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db")) forget_statements(db);
    expect_text(said(), "within: runs.db: closed with statements that were not finalised:\n"
                        "    INSERT INTO t VALUES (?, ?)\n"
                        "    SELECT 1\n");
    expect(!exists("runs.db-wal"));
}

static void raise_amid_statements(void *path) {
    within (db, wi_database(path)) {
        wi_database_execute(db, "BEGIN; INSERT INTO t VALUES (1, 'x')");
        forget_statements(db);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(an_error_closes_everything_and_says_nothing_of_it) {
    make_table("runs.db");
    listen_to_stderr();
    expect_error(raise_amid_statements, "runs.db", WI_VALUE_ERROR, "diverged");
    expect_text(said(), "");
    expect(!exists("runs.db-wal"));
    expect_count(number_in("runs.db", "SELECT count(*) FROM t"), 0);
}

alone(a_transaction_of_ones_own_that_is_open_is_rolled_back_and_said) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db"))
        wi_database_execute(db, "BEGIN; INSERT INTO t VALUES (1, 'x')");
    expect_text(said(),
                "within: runs.db: closed in the middle of a transaction, which is rolled back\n");
    expect_count(number_in("runs.db", "SELECT count(*) FROM t"), 0);
}

static sqlite3_backup *backup;
static sqlite3 *copy;

static void leave_a_backup(void *path) {
    within (db, wi_database(path)) {
        backup = sqlite3_backup_init(copy, "main", db->handle, "main");
        expect(backup != NULL);
    }
}

alone(a_close_that_fails_is_an_error) {
    make_table("runs.db");
    expect(sqlite3_open("copy.db", &copy) == SQLITE_OK);
    expect_error(leave_a_backup, "runs.db", WI_SQLITE_ERROR,
                 "close: runs.db: a backup from or to it is not finished (SQLITE_BUSY)");
    sqlite3_backup_finish(backup);
    expect(!exists("runs.db-wal"));
    sqlite3_close(copy);
}

/* ---- using ---- */

static void execute(void *sql) {
    within (db, wi_database("runs.db")) wi_database_execute(db, sql);
}
static void execute_outside(void *database) { wi_database_execute(database, "SELECT 1"); }

alone(what_sqlite_refuses_is_an_error_with_the_statement) {
    make_table("runs.db");
    expect_error(execute, "SELEKT 1", WI_SQLITE_ERROR,
                 "execute SELEKT 1: runs.db: near \"SELEKT\": syntax error (SQLITE_ERROR)");
    expect_error(execute, "INSERT INTO t VALUES (1, 'x'), (2, 'x')", WI_CONSTRAINT_ERROR,
                 "execute INSERT INTO t VALUES (1, 'x'), (2, 'x'): runs.db: UNIQUE constraint "
                 "failed: t.b (SQLITE_CONSTRAINT_UNIQUE)");
    char sql[120], message[200];
    snprintf(sql, sizeof sql, "SELECT %0*d, x", 70, 0); /* 80 bytes */
    snprintf(message, sizeof message, "execute %s: runs.db: no such column: x (SQLITE_ERROR)", sql);
    expect_error(execute, sql, WI_SQLITE_ERROR, message);
    snprintf(sql, sizeof sql, "SELECT %0*d, x", 71, 0);
    snprintf(message, sizeof message, "execute %.80s...: runs.db: no such column: x (SQLITE_ERROR)",
             sql);
    expect_error(execute, sql, WI_SQLITE_ERROR, message);
    wi_database closed = wi_database("runs.db");
    expect_error(execute_outside, &closed, WI_USAGE_ERROR,
                 "execute SELECT 1: the database is not open here: its block has not begun, or "
                 "this process was forked in it");
}

static void check_code(void *code) {
    wi_sqlite_check(NULL, *(int *)code, "check %d", *(int *)code);
}

alone(codes_become_kinds_of_errors_with_their_names) {
    const struct {
        int code;
        const wi_error_type *kind;
        const char *message;
    } cases[] = {
        {SQLITE_BUSY_SNAPSHOT, WI_DATABASE_BUSY,
         "check 517: a closed database: database is locked (SQLITE_BUSY_SNAPSHOT)"},
        {SQLITE_CONSTRAINT_CHECK, WI_CONSTRAINT_ERROR,
         "check 275: a closed database: constraint failed (SQLITE_CONSTRAINT_CHECK)"},
        {SQLITE_FULL, WI_DISK_FULL,
         "check 13: a closed database: database or disk is full (SQLITE_FULL)"},
        {SQLITE_NOMEM, WI_MEMORY_ERROR, "check 7: a closed database: out of memory (SQLITE_NOMEM)"},
        {SQLITE_IOERR_NOMEM, WI_MEMORY_ERROR,
         "check 3082: a closed database: disk I/O error (SQLITE_IOERR_NOMEM)"},
        {SQLITE_PERM, WI_PERMISSION_ERROR,
         "check 3: a closed database: access permission denied (SQLITE_PERM)"},
        {SQLITE_READONLY_DBMOVED, WI_PERMISSION_ERROR,
         "check 1032: a closed database: attempt to write a readonly database "
         "(SQLITE_READONLY_DBMOVED)"},
        {SQLITE_CORRUPT, WI_DATA_ERROR,
         "check 11: a closed database: database disk image is malformed (SQLITE_CORRUPT)"},
        {SQLITE_IOERR_READ, WI_OS_ERROR,
         "check 266: a closed database: disk I/O error (SQLITE_IOERR_READ)"},
        {SQLITE_MISUSE, WI_SQLITE_ERROR,
         "check 21: a closed database: bad parameter or other API misuse (SQLITE_MISUSE)"},
        {SQLITE_LOCKED, WI_SQLITE_ERROR,
         "check 6: a closed database: database table is locked (SQLITE_LOCKED)"},
        {SQLITE_BUSY | 77 << 8, WI_DATABASE_BUSY,
         "check 19717: a closed database: database is locked (SQLITE_BUSY)"},
        {99, WI_SQLITE_ERROR, "check 99: a closed database: unknown error (an unknown code)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(check_code, (void *)&cases[i].code, cases[i].kind, cases[i].message);
    expect(wi_error_type_is(WI_DATABASE_BUSY, WI_SQLITE_ERROR));
    expect(wi_error_type_is(WI_CONSTRAINT_ERROR, WI_SQLITE_ERROR));
    expect(wi_error_type_is(WI_SQLITE_ERROR, WI_ERROR));
}

static void insert_twice(void *database) {
    wi_database *db = database;
    for (int run = 7;; run++) {
        sqlite3_stmt *insert;
        sqlite3_prepare_v2(db->handle, "INSERT INTO t VALUES (?, 'x')", -1, &insert, NULL);
        sqlite3_bind_int(insert, 1, run);
        int code = sqlite3_step(insert);
        sqlite3_finalize(insert);
        expect_count(wi_sqlite_check(db->handle, code, "insert run %d", run), SQLITE_DONE);
    }
}

alone(a_checked_call_says_what_was_attempted_where_and_why) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        char message[512];
        snprintf(message, sizeof message,
                 "insert run 8: %s/runs.db: UNIQUE constraint failed: t.b "
                 "(SQLITE_CONSTRAINT_UNIQUE)",
                 folder);
        expect_error(insert_twice, db, WI_CONSTRAINT_ERROR, message);
        expect_count(wi_sqlite_check(db->handle, SQLITE_ROW, "step"), SQLITE_ROW);
        expect_count(wi_sqlite_check(db->handle, SQLITE_OK, "reset"), SQLITE_OK);
    }
}

alone(an_open_database_is_in_the_ledger_and_in_the_trail) {
    char *text = NULL;
    size_t length;
    FILE *stream;
    make_table("runs.db");
    within (wi_database("runs.db")) {
        stream = open_memstream(&text, &length);
        wi_report(stream);
        fclose(stream);
    }
    expect(strstr(text, "database runs.db ") != NULL);
    free(text);
    stream = open_memstream(&text, &length);
    wi_report(stream);
    fclose(stream);
    expect(strstr(text, "database runs.db ") == NULL);
    free(text);
    wi_error *error = NULL;
    expect(!wi_call(raise_amid_statements, "runs.db", &error));
    expect_text(wi_error_trail(error, 0)->manager, "database");
    expect_text(wi_error_trail(error, 0)->what, "runs.db");
    wi_error_free(error);
}

/* ---- forks ---- */

alone(a_forked_child_has_no_handle_and_closes_nothing) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        sqlite3 *handle = db->handle;
        wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
        pid_t child = fork();
        if (child == 0) {
            expect(db->handle == NULL);
            expect_error(execute_outside, db, WI_USAGE_ERROR,
                         "execute SELECT 1: the database is not open…");
            exit(0); /* through the exits of what is open */
        }
        expect_well(child);
        expect(db->handle == handle && exists("runs.db-wal"));
        wi_database_execute(db, "INSERT INTO t VALUES (2, 'y')");
    }
    expect_count(number_in("runs.db", "SELECT count(*) FROM t"), 2);
}

alone(a_forked_child_is_refused_what_was_open_at_the_fork_by_any_name) {
    make_table("runs.db");
    expect(symlink("runs.db", "link.db") == 0);
    within (wi_database("runs.db")) {
        pid_t child = fork();
        if (child == 0) {
            const char *message = "open: link.db: the process that forked this one had it open "
                                  "then, and SQLite would not lock it here; open databases after "
                                  "the fork";
            expect_error(open_it, "link.db", WI_USAGE_ERROR, message);
            pid_t grandchild = fork();
            if (grandchild == 0) {
                expect_error(open_it, "link.db", WI_USAGE_ERROR, message);
                _exit(0);
            }
            expect_well(grandchild);
            make_table("other.db");
            expect_count(number_in("other.db", "SELECT count(*) FROM t"), 0);
            _exit(0);
        }
        expect_well(child);
    }
}

alone(a_child_may_open_what_was_closed_before_the_fork) {
    make_table("runs.db");
    pid_t child = fork();
    if (child == 0) {
        within (db, wi_database("runs.db"))
            wi_database_execute(db, "INSERT INTO t VALUES (1, 'x')");
        _exit(0);
    }
    expect_well(child);
    expect_count(number_in("runs.db", "SELECT count(*) FROM t"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_database_is_made_and_set_up),
        test(options_are_obeyed),
        test(without_a_log_it_has_a_rollback_journal),
        test(an_immutable_one_is_read_without_a_file_beside_it),
        test(a_database_in_memory_is_one_too),
        test(nothing_is_left_open),
        test(any_name_will_do),
        test(a_link_is_followed),
        test(what_cannot_be_opened_is_named_with_the_cause),
        test(a_database_that_is_open_cannot_be_entered),
        test(a_file_that_was_opened_for_reading_is_not_written),
        test(a_writer_is_waited_for_where_the_write_ahead_log_is_begun),
        test(a_read_only_file_is_read_and_it_is_said_once_that_there_is_no_wal),
        test(where_nothing_can_be_made_the_cause_is_told),
        test(forgotten_statements_are_listed_and_finalised),
        test(an_error_closes_everything_and_says_nothing_of_it),
        test(a_transaction_of_ones_own_that_is_open_is_rolled_back_and_said),
        test(a_close_that_fails_is_an_error),
        test(what_sqlite_refuses_is_an_error_with_the_statement),
        test(codes_become_kinds_of_errors_with_their_names),
        test(a_checked_call_says_what_was_attempted_where_and_why),
        test(an_open_database_is_in_the_ledger_and_in_the_trail),
        test(a_forked_child_has_no_handle_and_closes_nothing),
        test(a_forked_child_is_refused_what_was_open_at_the_fork_by_any_name),
        test(a_child_may_open_what_was_closed_before_the_fork),
    };
    return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
