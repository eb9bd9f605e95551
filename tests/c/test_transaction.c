/* wi_transaction: what is kept and what is taken back on each way out, alone, nested, and beside other connections. */
#include "sqlite_helpers.h"

static void insert(wi_database *db, int a) {
    char sql[64];
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 'row %d')", a, a);
    wi_database_execute(db, sql);
}

/* The numbers in the table, as another program sees them: "1 2 5". */
static const char *rows_of(const char *path) {
    static char rows[256];
    rows[0] = '\0';
    within (db, wi_database(path)) {
        sqlite3_stmt *select;
        sqlite3_prepare_v2(db->handle, "SELECT a FROM t ORDER BY a", -1, &select, NULL);
        while (sqlite3_step(select) == SQLITE_ROW)
            sprintf(rows + strlen(rows), "%s%d", *rows ? " " : "", sqlite3_column_int(select, 0));
        sqlite3_finalize(select);
    }
    return rows;
}

#define LEFT_EARLY                                                                                 \
    "within: runs.db: a transaction was left before its end, and is rolled back; call "            \
    "wi_transaction_commit first to keep what it wrote\n"

/* ---- ways out ---- */

alone(the_end_of_the_body_commits) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db)) {
            insert(db, 1);
            insert(db, 2);
            expect(!sqlite3_get_autocommit(db->handle));
        }
        expect(sqlite3_get_autocommit(db->handle));
        within (wi_transaction(db)) {
            insert(db, 3);
            continue;
        }
    }
    expect_text(said(), "");
    expect_text(rows_of("runs.db"), "1 2 3");
}

static void raise_inside(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 1);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(an_error_takes_all_back_and_says_nothing) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db")) {
        expect_error(raise_inside, db, WI_VALUE_ERROR, "diverged");
        expect(sqlite3_get_autocommit(db->handle));
        within (wi_transaction(db)) insert(db, 2);
    }
    expect_text(said(), "");
    expect_text(rows_of("runs.db"), "2");
}

static void return_inside(wi_database *db) {
    within (wi_transaction(db)) {
        insert(db, 1);
        return;
    }
}
static void go_out(wi_database *db) {
    within (wi_transaction(db)) {
        insert(db, 1);
        goto out;
    }
out:;
}
static void use(wi_database *db) {
    wi_use(wi_transaction(db));
    insert(db, 1);
}
static void jump_out(wi_database *db) {
    jmp_buf env;
    wi_mark mark = wi_here();
    if (_setjmp(env)) return;
    within (wi_transaction(db)) {
        insert(db, 1);
        wi_longjmp(env, 1, mark);
    }
}

static void cancel_oneself(wi_database *db) {
    within (wi_transaction(db)) {
        insert(db, 1);
        pthread_cancel(pthread_self());
        insert(db, 2); /* a statement is not left half-way */
        pthread_testcancel();
    }
}
static void *call_there(void *database) {
    cancel_oneself(database);
    return NULL;
}
static void be_cancelled(wi_database *db) { expect(in_thread(call_there, db) == PTHREAD_CANCELED); }

alone(leaving_early_takes_all_back_and_says_so) {
    void (*const ways[])(wi_database *) = {return_inside, go_out, use, jump_out, be_cancelled};
    make_table("runs.db");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        within (db, wi_database("runs.db")) {
            listen_to_stderr();
            ways[i](db);
            expect_text(said(), LEFT_EARLY);
            expect(sqlite3_get_autocommit(db->handle));
        }
        expect_text(rows_of("runs.db"), "");
    }
}

static void *be_cancelled_at_the_end(void *database) {
    within (wi_transaction((wi_database *)database)) {
        insert(database, 1);
        pthread_cancel(pthread_self());
    }
    pthread_testcancel();
    return NULL;
}

alone(a_commit_is_not_left_half_way_by_a_cancelled_thread) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db"))
        expect(in_thread(be_cancelled_at_the_end, db) == PTHREAD_CANCELED);
    expect_text(said(), "");
    expect_text(rows_of("runs.db"), "1");
}

static void exit_inside(void) {
    expect(dup2(open("said", O_RDWR | O_CREAT, 0600), 2) == 2);
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db)) {
            insert(db, 1);
            exit(7);
        }
    }
}

alone(exit_takes_all_back_and_says_so) {
    make_table("runs.db");
    int status = status_of(exit_inside);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    expect_text(rows_of("runs.db"), "");
    expect_count(size_of("said"), strlen(LEFT_EARLY));
    expect(!exists("runs.db-wal"));
}

static void uncaught(void) {
    expect(dup2(open("said", O_RDWR | O_CREAT, 0600), 2) == 2);
    within (db, wi_database("runs.db")) raise_inside(db);
}

alone(an_uncaught_error_takes_all_back) {
    make_table("runs.db");
    int status = status_of(uncaught);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    expect_text(rows_of("runs.db"), "");
    expect(!exists("runs.db-wal"));
}

/* ---- committing early ---- */

static int commit_and_return(wi_database *db) {
    within (t, wi_transaction(db)) {
        insert(db, 1);
        wi_transaction_commit(t);
        expect(sqlite3_get_autocommit(db->handle));
        return 7;
    }
    return 0;
}
static void commit_and_raise(void *database) {
    wi_database *db = database;
    within (t, wi_transaction(db)) {
        insert(db, 2);
        wi_transaction_commit(t);
        insert(db, 3);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(what_was_committed_stays_whatever_follows) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db")) {
        expect_count(commit_and_return(db), 7);
        expect_error(commit_and_raise, db, WI_VALUE_ERROR, "diverged");
        within (t, wi_transaction(db)) {
            insert(db, 4);
            wi_transaction_commit(t);
            within (wi_transaction(db)) insert(db, 5); /* one of its own */
        }
    }
    expect_text(said(), "");
    expect_text(rows_of("runs.db"), "1 2 3 4 5");
}

static void commit_twice(void *database) {
    within (t, wi_transaction((wi_database *)database)) {
        insert(database, 1);
        wi_transaction_commit(t);
        wi_transaction_commit(t);
    }
}
static void commit_outside(void *transaction) { wi_transaction_commit(transaction); }

alone(what_is_not_open_cannot_be_committed) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        expect_error(commit_twice, db, WI_USAGE_ERROR,
                     "commit: runs.db: the transaction is not open");
        wi_transaction transaction = wi_transaction(db);
        expect_error(commit_outside, &transaction, WI_USAGE_ERROR,
                     "commit: runs.db: the transaction is not open");
    }
    expect_text(rows_of("runs.db"), "1");
}

/* ---- nesting ---- */

static void nest_and_fail(wi_database *db, int from, int depth) {
    within (wi_transaction(db)) {
        insert(db, from);
        within (wi_suppress(WI_VALUE_ERROR)) {
            within (wi_transaction(db)) {
                insert(db, from + 1);
                if (depth > 1) nest_and_fail(db, from + 10, depth - 1);
                wi_raise(WI_VALUE_ERROR, "diverged");
            }
        }
        within (wi_transaction(db)) insert(db, from + 2);
        insert(db, from + 3);
    }
}

alone(an_inner_block_is_taken_back_alone) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        nest_and_fail(db, 1, 1);
        nest_and_fail(db, 20, 3);
    }
    expect_text(rows_of("runs.db"), "1 3 4 20 22 23");
}

static void fail_outside(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 1);
        within (t, wi_transaction(db)) {
            insert(db, 2);
            wi_transaction_commit(t);
        }
        within (wi_transaction(db)) insert(db, 3);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(an_outer_block_takes_back_what_inner_ones_committed) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) expect_error(fail_outside, db, WI_VALUE_ERROR, "diverged");
    expect_text(rows_of("runs.db"), "");
}

alone(an_inner_block_that_is_left_is_taken_back_alone_and_said) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db)) {
            insert(db, 5);
            listen_to_stderr();
            return_inside(db);
            expect_text(said(), LEFT_EARLY);
            insert(db, 6);
        }
    }
    expect_text(rows_of("runs.db"), "5 6");
}

static void nest_the_same(void *transaction) {
    within ((wi_transaction *)transaction)
        within ((wi_transaction *)transaction) continue;
}

alone(one_that_is_open_cannot_be_entered) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        wi_transaction transaction = wi_transaction(db);
        expect_error(nest_the_same, &transaction, WI_USAGE_ERROR,
                     "begin a transaction: runs.db: this one is open already; use one "
                     "wi_transaction a block");
        expect(sqlite3_get_autocommit(db->handle));
        within (&transaction) insert(db, 1);
        within (&transaction) insert(db, 2);
    }
    expect_text(rows_of("runs.db"), "1 2");
}

static void end_in_the_wrong_order(void *database) {
    wi_database *db = database;
    wi_transaction outer = wi_transaction(db), inner = wi_transaction(db);
    within (wi_transaction(db)) {
        outer.protocol->enter(&outer);
        inner.protocol->enter(&inner);
        insert(db, 1);
        outer.protocol->exit(&outer, WI_END, NULL);
        inner.protocol->exit(&inner, WI_END, NULL);
    }
}

alone(ends_in_the_wrong_order_are_noticed) {
    make_table("runs.db");
    within (db, wi_database("runs.db"))
        expect_error(end_in_the_wrong_order, db, WI_SQLITE_ERROR,
                     "commit (it is rolled back now): runs.db: no such savepoint: within_2 "
                     "(SQLITE_ERROR)");
    expect_text(rows_of("runs.db"), "");
}

static void begin_closed(void *database) {
    within (wi_transaction((wi_database *)database)) continue;
}
static void begin_on(void *handle) {
    within (wi_transaction_on((sqlite3 *)handle)) continue;
}

alone(a_database_that_is_not_open_has_no_transactions) {
    wi_database closed = wi_database("runs.db");
    const char *message = "begin a transaction: the database is not open here: its block has not "
                          "begun, or this process was forked in it";
    expect_error(begin_closed, &closed, WI_USAGE_ERROR, message);
    expect_error(begin_on, NULL, WI_USAGE_ERROR, message);
}

/* ---- connections of the program's own ---- */

static sqlite3 *opened(const char *path) {
    sqlite3 *handle;
    expect(sqlite3_open(path, &handle) == SQLITE_OK);
    return handle;
}
static void run_on(sqlite3 *handle, const char *sql) {
    wi_sqlite_check(handle, sqlite3_exec(handle, sql, NULL, NULL, NULL), "%s", sql);
}
static void fail_on(void *handle) {
    within (wi_transaction_on((sqlite3 *)handle)) {
        run_on(handle, "INSERT INTO t VALUES (9, 'w')");
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(a_connection_of_ones_own_will_do) {
    make_table("runs.db");
    sqlite3 *handle = opened("runs.db");
    within (wi_transaction_on(handle)) run_on(handle, "INSERT INTO t VALUES (1, 'x')");
    expect_error(fail_on, handle, WI_VALUE_ERROR, "diverged");
    run_on(handle, "BEGIN; INSERT INTO t VALUES (2, 'y')");
    expect_error(fail_on, handle, WI_VALUE_ERROR, "diverged");
    within (wi_transaction_on(handle)) run_on(handle, "INSERT INTO t VALUES (3, 'z')");
    expect_text(rows_of("runs.db"), "1"); /* it is the program's to commit */
    run_on(handle, "COMMIT");
    sqlite3_close(handle);
    expect_text(rows_of("runs.db"), "1 2 3");
}

/* ---- others' locks ---- */

static void *hold_for_a_while(void *handle) {
    spend_ms(50);
    run_on(handle, "COMMIT");
    return NULL;
}

alone(a_busy_database_is_waited_for) {
    make_table("runs.db");
    sqlite3 *other = opened("runs.db");
    within (db, wi_database("runs.db", .busy_timeout_ms = -1)) {
        run_on(other, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 'x')");
        pthread_t holder = start(hold_for_a_while, other);
        within (wi_transaction(db, .timeout_ms = 60000)) insert(db, 2);
        pthread_join(holder, NULL);
        expect_count(number_on(db->handle, "PRAGMA busy_timeout"), 0);
    }
    sqlite3_close(other);
    expect_text(rows_of("runs.db"), "1 2");
}

static void begin_for_a_moment(void *database) {
    within (wi_transaction((wi_database *)database, .timeout_ms = 30)) continue;
}
static void begin_or_not(void *database) {
    within (wi_transaction((wi_database *)database, .timeout_ms = -1)) continue;
}

alone(one_that_stays_busy_is_an_error_with_the_time) {
    make_table("runs.db");
    sqlite3 *other = opened("runs.db");
    within (db, wi_database("runs.db", .busy_timeout_ms = 40)) {
        run_on(other, "BEGIN IMMEDIATE");
        double begin = now_s(), waited = 0;
        expect_error(begin_for_a_moment, db, WI_DATABASE_BUSY,
                     "begin a transaction, after waiting 0.0…");
        expect(now_s() - begin >= 0.030);
        expect_count(number_on(db->handle, "PRAGMA busy_timeout"), 40);
        wi_error *error = NULL;
        expect(!wi_call(begin_closed, db, &error));
        expect_count(sscanf(wi_error_message(error),
                            "begin a transaction, after waiting %lf s: runs.db: database is locked",
                            &waited),
                     1);
        expect(strstr(wi_error_message(error), ": runs.db: database is locked (SQLITE_BUSY)"));
        expect(waited >= 0.040);
        wi_error_free(error);
        expect_error(begin_or_not, db, WI_DATABASE_BUSY, "begin a transaction, after waiting…");
        expect(sqlite3_get_autocommit(db->handle));
        run_on(other, "ROLLBACK");
        within (wi_transaction(db)) insert(db, 1);
    }
    sqlite3_close(other);
    expect_text(rows_of("runs.db"), "1");
}

/* A SELECT of the same connection that is not at its end: SQLite's own waiting does nothing then. */
static sqlite3_stmt *reading(sqlite3 *handle) {
    sqlite3_stmt *select;
    run_on(handle, "INSERT INTO t VALUES (100, 'a'), (101, 'b')");
    sqlite3_prepare_v2(handle, "SELECT a FROM t", -1, &select, NULL);
    expect(sqlite3_step(select) == SQLITE_ROW);
    return select;
}

static void *hold_without_writing(void *handle) {
    spend_ms(50);
    run_on(handle, "ROLLBACK");
    return NULL;
}

alone(a_busy_database_is_waited_for_while_rows_are_read) {
    make_table("runs.db");
    sqlite3 *other = opened("runs.db");
    within (db, wi_database("runs.db", .busy_timeout_ms = 60000)) {
        sqlite3_stmt *select = reading(db->handle);
        run_on(other, "BEGIN IMMEDIATE");
        pthread_t holder = start(hold_without_writing, other);
        within (wi_transaction(db)) insert(db, 1);
        pthread_join(holder, NULL);
        sqlite3_finalize(select);
    }
    sqlite3_close(other);
    expect_text(rows_of("runs.db"), "1 100 101");
}

alone(rows_that_are_out_of_date_are_not_waited_for) {
    make_table("runs.db");
    sqlite3 *other = opened("runs.db");
    alarm(15);
    within (db, wi_database("runs.db", .busy_timeout_ms = 20000)) {
        sqlite3_stmt *select = reading(db->handle);
        run_on(other, "INSERT INTO t VALUES (1, 'x')");
        expect_error(begin_closed, db, WI_DATABASE_BUSY,
                     "begin a transaction, while a statement of this connection reads an older "
                     "state (reset or finalise it first): runs.db: database is locked "
                     "(SQLITE_BUSY_SNAPSHOT)");
        sqlite3_finalize(select);
        within (wi_transaction(db)) insert(db, 2);
    }
    sqlite3_close(other);
    expect_text(rows_of("runs.db"), "1 2 100 101");
}

/* ---- commits that fail ---- */

static void break_a_foreign_key(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 1);
        wi_database_execute(db, "INSERT INTO child VALUES (77)");
    }
}
static void break_it_and_commit(void *database) {
    wi_database *db = database;
    within (t, wi_transaction(db)) {
        wi_database_execute(db, "INSERT INTO child VALUES (77)");
        wi_transaction_commit(t);
    }
}

alone(a_constraint_that_fails_at_the_commit_takes_all_back) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        wi_database_execute(db,
                            "CREATE TABLE child (a REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
        const char *message = "commit (it is rolled back now): runs.db: FOREIGN KEY constraint "
                              "failed (SQLITE_CONSTRAINT_FOREIGNKEY)";
        expect_error(break_a_foreign_key, db, WI_CONSTRAINT_ERROR, message);
        expect_error(break_it_and_commit, db, WI_CONSTRAINT_ERROR, message);
        within (wi_transaction(db)) {
            wi_database_execute(db, "INSERT INTO child VALUES (2)");
            insert(db, 2);
        }
        expect_count(number_on(db->handle, "SELECT count(*) FROM child"), 1);
    }
    expect_text(rows_of("runs.db"), "2");
}

static void insert_one(void *database) {
    within (wi_transaction((wi_database *)database, .timeout_ms = 20)) insert(database, 1);
}

alone(a_commit_that_readers_hold_up_takes_all_back) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        wi_database_execute(db, "INSERT INTO t VALUES (5, 'x'); PRAGMA journal_mode = DELETE");
        sqlite3 *other = opened("runs.db");
        run_on(other, "BEGIN; SELECT * FROM t");
        expect_error(insert_one, db, WI_DATABASE_BUSY,
                     "commit (it is rolled back now): runs.db: database is locked (SQLITE_BUSY)");
        expect(sqlite3_get_autocommit(db->handle));
        run_on(other, "COMMIT");
        sqlite3_close(other);
        insert_one(db);
    }
    expect_text(rows_of("runs.db"), "1 5");
}

static void commit_amid_a_statement(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        sqlite3_stmt *returning;
        sqlite3_prepare_v2(db->handle, "INSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING a", -1,
                           &returning, NULL);
        expect(sqlite3_step(returning) == SQLITE_ROW);
    }
}

alone(a_statement_that_is_still_writing_holds_up_the_commit) {
    make_table("runs.db");
    listen_to_stderr();
    within (db, wi_database("runs.db"))
        expect_error(commit_amid_a_statement, db, WI_DATABASE_BUSY,
                     "commit (it is rolled back now): runs.db: cannot commit transaction - SQL "
                     "statements in progress (SQLITE_BUSY)");
    expect_text(said(), "within: runs.db: closed with statements that were not finalised:\n"
                        "    INSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING a\n");
    expect_text(rows_of("runs.db"), "");
}

/* ---- transactions that end before their blocks ---- */

#define ENDED_BEFORE                                                                               \
    "commit: runs.db: the transaction ended before its block: SQLite rolled it back (a full "      \
    "disk, no memory, ON CONFLICT ROLLBACK), or SQL of the body ended it"

static void be_rolled_back(void *database) {
    wi_database_execute(database, "INSERT OR ROLLBACK INTO t VALUES (1, 'again')");
}
static void lose_and_go_on(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 1);
        within (wi_suppress(WI_CONSTRAINT_ERROR)) be_rolled_back(db);
    }
}
static void lose_and_fail(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        within (wi_transaction(db)) {
            insert(db, 1);
            be_rolled_back(db);
        }
    }
}
static void lose_and_nest(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 1);
        within (wi_suppress(WI_CONSTRAINT_ERROR)) be_rolled_back(db);
        within (wi_transaction(db)) insert(db, 2); /* would be committed without the outer one */
    }
}
static void end_it_oneself(void *database) {
    wi_database *db = database;
    within (wi_transaction(db)) {
        insert(db, 3);
        wi_database_execute(db, "COMMIT");
    }
}

alone(work_that_sqlite_has_rolled_back_is_an_error_at_the_end) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        expect_error(lose_and_go_on, db, WI_SQLITE_ERROR, ENDED_BEFORE);
        expect_error(lose_and_fail, db, WI_CONSTRAINT_ERROR, "execute INSERT OR ROLLBACK…");
        expect_error(lose_and_nest, db, WI_SQLITE_ERROR,
                     "begin a transaction: runs.db: the one around it has ended already");
        expect_error(end_it_oneself, db, WI_SQLITE_ERROR, ENDED_BEFORE);
        within (wi_transaction(db)) insert(db, 4);
    }
    expect_text(rows_of("runs.db"), "3 4");
}

/* ---- the ledger ---- */

alone(an_open_transaction_is_in_the_ledger) {
    make_table("runs.db");
    char *text = NULL;
    size_t length;
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db)) {
            FILE *stream = open_memstream(&text, &length);
            wi_report(stream);
            fclose(stream);
            expect(strstr(text, "transaction runs.db ") != NULL);
            free(text);
        }
        FILE *stream = open_memstream(&text, &length);
        wi_report(stream);
        fclose(stream);
        expect(strstr(text, "transaction runs.db") == NULL);
        free(text);
    }
}

/* ---- forks ---- */

static void return_in_child(wi_database *db, pid_t *child) {
    within (wi_transaction(db)) {
        insert(db, 1);
        *child = fork();
        if (*child == 0) return;
        expect_well(*child);
        insert(db, 2);
    }
}
static void raise_in_child(void *database) {
    wi_database *db = database;
    within (t, wi_transaction(db)) {
        insert(db, 1);
        pid_t child = fork();
        if (child == 0) {
            expect_error(commit_outside, t, WI_USAGE_ERROR,
                         "commit: runs.db: the transaction was begun before this process was "
                         "forked");
            wi_raise(WI_VALUE_ERROR, "in the child");
        }
        expect_well(child);
        insert(db, 2);
    }
}
static void end_in_child(wi_database *db, pid_t *child) {
    within (wi_transaction(db)) {
        within (wi_transaction(db)) {
            insert(db, 1);
            *child = fork();
        }
        if (*child == 0) continue;
        expect_well(*child);
        insert(db, 2);
    }
}
static void exit_in_child(wi_database *db) {
    within (wi_transaction(db)) {
        insert(db, 1);
        pid_t child = fork();
        if (child == 0) exit(0);
        expect_well(child);
        insert(db, 2);
    }
}

static void fork_inside(const char *journal_mode) {
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode = %s; PRAGMA cache_size = 1",
             journal_mode);
    for (int way = 0; way < 4; way++) {
        make_table("runs.db");
        listen_to_stderr();
        within (db, wi_database("runs.db")) {
            pid_t child = -1;
            wi_error *error = NULL;
            wi_database_execute(db, pragma);
            switch (way) {
            case 0: return_in_child(db, &child); break;
            case 1: end_in_child(db, &child); break;
            case 2: exit_in_child(db); break;
            default: wi_call(raise_in_child, db, &error);
            }
            if (child == 0 || error) _exit(0);
        }
        expect_text(said(), "");
        expect_text(rows_of("runs.db"), "1 2");
        expect(remove("runs.db") == 0);
    }
}

alone(a_forked_child_ends_nothing_whichever_way_it_goes) {
    fork_inside("WAL");
    fork_inside("DELETE");
}

/* The child's own copy of the connection would write the old pages back, and delete the journal. */
alone(a_forked_child_does_not_disturb_what_has_gone_to_the_disk_already) {
    make_table("runs.db");
    within (db, wi_database("runs.db")) {
        wi_database_execute(db, "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1");
        within (wi_transaction(db)) {
            wi_database_execute(db,
                                "WITH n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < "
                                "5000) INSERT INTO t SELECT a, 'row ' || a FROM n");
            pid_t child = fork();
            if (child == 0) exit(0);
            expect_well(child);
            expect(size_of("runs.db-journal") > 0);
        }
        expect_count(number_on(db->handle, "SELECT count(*) FROM t"), 5000);
        expect_count(number_on(db->handle, "SELECT count(*) FROM pragma_integrity_check"), 1);
    }
    expect_count(number_in("runs.db", "SELECT sum(a) FROM t"), 12502500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_end_of_the_body_commits),
        test(an_error_takes_all_back_and_says_nothing),
        test(leaving_early_takes_all_back_and_says_so),
        test(a_commit_is_not_left_half_way_by_a_cancelled_thread),
        test(exit_takes_all_back_and_says_so),
        test(an_uncaught_error_takes_all_back),
        test(what_was_committed_stays_whatever_follows),
        test(what_is_not_open_cannot_be_committed),
        test(an_inner_block_is_taken_back_alone),
        test(an_outer_block_takes_back_what_inner_ones_committed),
        test(an_inner_block_that_is_left_is_taken_back_alone_and_said),
        test(one_that_is_open_cannot_be_entered),
        test(ends_in_the_wrong_order_are_noticed),
        test(a_database_that_is_not_open_has_no_transactions),
        test(a_connection_of_ones_own_will_do),
        test(a_busy_database_is_waited_for),
        test(one_that_stays_busy_is_an_error_with_the_time),
        test(a_busy_database_is_waited_for_while_rows_are_read),
        test(rows_that_are_out_of_date_are_not_waited_for),
        test(a_constraint_that_fails_at_the_commit_takes_all_back),
        test(a_commit_that_readers_hold_up_takes_all_back),
        test(a_statement_that_is_still_writing_holds_up_the_commit),
        test(work_that_sqlite_has_rolled_back_is_an_error_at_the_end),
        test(an_open_transaction_is_in_the_ledger),
        test(a_forked_child_ends_nothing_whichever_way_it_goes),
        test(a_forked_child_does_not_disturb_what_has_gone_to_the_disk_already),
    };
    return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
