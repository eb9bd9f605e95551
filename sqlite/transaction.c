/* wi_transaction: what its block wrote is committed at the body's end, and taken back on any other way out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "statements.h"

static const char *file_of(const wi_transaction *t) {
    return t->database ? t->database->path : wi__sqlite_file_of(t->handle);
}

_Noreturn static void fail(const wi_transaction *t, int code, const char *attempted) {
    wi__sqlite_failure failure = wi__sqlite_failure_of(t->handle, code);
    wi__raise_sqlite_failure(WI__HERE, &failure, file_of(t), attempted);
}

/* ---- beginning ---- */

static void begin(const wi_transaction *t) {
    double waited_s = 0;
    char attempted[100] = "begin a transaction";
    int code =
        wi__sqlite_run_patiently(t->handle, "BEGIN IMMEDIATE", t->options.timeout_ms, &waited_s);
    if (code == SQLITE_OK) return;
    if (code == SQLITE_BUSY_SNAPSHOT)
        fail(t, code,
             "begin a transaction, while a statement of this connection reads an older state "
             "(reset or finalise it first)");
    if ((code & 0xff) == SQLITE_BUSY)
        snprintf(attempted, sizeof attempted, "begin a transaction, after waiting %.3g s",
                 waited_s);
    fail(t, code, attempted);
}

/* No two have one name, so that ends in the wrong order are noticed. */
static void set_savepoint(wi_transaction *t) {
    static uint64_t last;
    char sql[64];
    t->savepoint = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    snprintf(sql, sizeof sql, "SAVEPOINT within_%" PRIu64, t->savepoint);
    int code = wi__sqlite_run(t->handle, sql);
    if (code != SQLITE_OK) fail(t, code, "set a savepoint");
}

static void find_handle(wi_transaction *t) {
    if (t->database) t->handle = t->database->handle;
    if (!t->handle)
        wi_raise(WI_USAGE_ERROR, "begin a transaction: the database is not open here: its block "
                                 "has not begun, or this process was forked in it");
    if (t->is_open)
        wi_raise(WI_USAGE_ERROR,
                 "begin a transaction: %s: this one is open already; use one wi_transaction a "
                 "block",
                 file_of(t));
}

static void transaction_enter(void *self) {
    wi_transaction *t = self;
    find_handle(t);
    int is_outermost = sqlite3_get_autocommit(t->handle);
    if (is_outermost && t->database && t->database->transactions)
        wi_raise(WI_SQLITE_ERROR, "begin a transaction: %s: the one around it has ended already",
                 file_of(t));
    t->savepoint = 0;
    if (is_outermost)
        begin(t);
    else
        set_savepoint(t);
    t->is_open = 1;
    if (t->database) t->database->transactions++;
    t->owner = t->database ? t->database->owner : getpid();
    t->holding = wi_hold("transaction", "%s", file_of(t));
}

/* ---- ending ---- */

static int take_back(const wi_transaction *t) {
    char sql[100] = "ROLLBACK";
    if (sqlite3_get_autocommit(t->handle)) return SQLITE_OK; /* SQLite has done so by itself */
    if (t->savepoint)
        snprintf(sql, sizeof sql, "ROLLBACK TO within_%" PRIu64 "; RELEASE within_%" PRIu64,
                 t->savepoint, t->savepoint);
    return wi__sqlite_run(t->handle, sql);
}

static int keep(const wi_transaction *t) {
    char sql[64];
    if (!t->savepoint) return wi__sqlite_run_waiting(t->handle, "COMMIT", t->options.timeout_ms);
    snprintf(sql, sizeof sql, "RELEASE within_%" PRIu64, t->savepoint);
    return wi__sqlite_run(t->handle, sql);
}

/* An I/O error can come after what made the commit: a journal is gone, but its lock cannot be changed. */
static const char *commit_attempted(const wi_transaction *t, int code) {
    int is_open = !sqlite3_get_autocommit(t->handle);
    if (!is_open && (code & 0xff) == SQLITE_IOERR)
        return "commit (whether it took place is not known)";
    return "commit (it is rolled back now)";
}

static void commit(const wi_transaction *t) {
    if (sqlite3_get_autocommit(t->handle))
        wi_raise(
            WI_SQLITE_ERROR,
            "commit: %s: the transaction ended before its block: SQLite rolled it back (a full "
            "disk, no memory, ON CONFLICT ROLLBACK), or SQL of the body ended it",
            file_of(t));
    int code = keep(t);
    if (code == SQLITE_OK) return;
    wi__sqlite_failure failure = wi__sqlite_failure_of(t->handle, code);
    const char *attempted = commit_attempted(t, code);
    take_back(t);
    wi__raise_sqlite_failure(WI__HERE, &failure, file_of(t), attempted);
}

static void roll_back(const wi_transaction *t, wi_reason reason) {
    int code = take_back(t);
    if (reason == WI_LEFT)
        fprintf(stderr,
                "within: %s: a transaction was left before its end, and is rolled back; call "
                "wi_transaction_commit first to keep what it wrote\n",
                file_of(t));
    if (code != SQLITE_OK) fail(t, code, "roll back");
}

/* Whatever follows, the block does nothing more. */
static void leave(wi_transaction *t) {
    t->is_open = 0;
    if (t->database) t->database->transactions--;
    wi_let_go(t->holding);
}

void wi_transaction_commit(wi_transaction *t) {
    if (!t->is_open)
        wi_raise(WI_USAGE_ERROR, "commit: %s: the transaction is not open", file_of(t));
    if (t->owner != getpid())
        wi_raise(WI_USAGE_ERROR,
                 "commit: %s: the transaction was begun before this process was forked",
                 file_of(t));
    leave(t);
    commit(t);
}

static wi_verdict transaction_exit(void *self, wi_reason reason, const wi_error *error) {
    wi_transaction *t = self;
    (void)error;
    if (!t->is_open) return WI_PROPAGATE;
    leave(t);
    if (t->owner != getpid()) return WI_PROPAGATE;
    if (reason == WI_END)
        commit(t);
    else
        roll_back(t, reason);
    return WI_PROPAGATE;
}

static void transaction_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", file_of(self));
}

static const wi_protocol transaction_protocol = {"transaction", transaction_enter, transaction_exit,
                                                 transaction_describe};

wi_transaction wi__transaction(wi_database *database, sqlite3 *handle,
                               wi_transaction_options options) {
    wi_transaction transaction;
    memset(&transaction, 0, sizeof transaction);
    transaction.protocol = &transaction_protocol;
    transaction.database = database;
    transaction.handle = handle;
    transaction.options = options;
    return transaction;
}
