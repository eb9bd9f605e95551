/* wi_database: a connection that is set up when it is opened, and leaves nothing open when it is closed. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "immutable.h"
#include "inherited.h"
#include "statements.h"

enum { DEFAULT_TIMEOUT_MS = 5000 };

static int timeout_ms(const wi_database *db) {
    return db->options.busy_timeout_ms ? db->options.busy_timeout_ms : DEFAULT_TIMEOUT_MS;
}

static void check(const wi_database *db, int code, const char *attempted) {
    if (code == SQLITE_OK) return;
    wi__sqlite_failure failure = wi__sqlite_failure_of(db->handle, code);
    wi__raise_sqlite_failure(WI__HERE, &failure, db->path, attempted);
}

/* ---- opening ---- */

static void check_options(const wi_database *db) {
    if (!db->path) wi_raise(WI_VALUE_ERROR, "wi_database: the path is NULL");
    if ((unsigned)db->options.synchronous > WI_SYNCHRONOUS_OFF)
        wi_raise(WI_VALUE_ERROR, "%s: there is no wi_synchronous of value %d", db->path,
                 (int)db->options.synchronous);
}

/* Where SQLite cannot create a file it tries to read one, and tells of that. */
static int errno_of_creation(const char *path) {
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - path), path);
    return access(folder, W_OK) == 0 ? ENOENT : errno;
}

static int is_only_read(const wi_database *db) {
    return db->options.read_only || db->options.immutable;
}

static int try_to_open(wi_database *db) {
    int flags =
        is_only_read(db) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (db->options.immutable) return wi__sqlite_open_immutable(db->path, &db->handle);
    return sqlite3_open_v2(db->path, &db->handle, flags, NULL);
}

static void open_handle(wi_database *db) {
    int code = try_to_open(db);
    if (code != SQLITE_OK) {
        wi__sqlite_failure failure = wi__sqlite_failure_of(db->handle, code);
        if (failure.errnum == ENOENT && !is_only_read(db))
            failure.errnum = errno_of_creation(db->path);
        wi__raise_sqlite_failure(WI__HERE, &failure, db->path, "open");
    }
    sqlite3_busy_timeout(db->handle, timeout_ms(db));
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, (int *)NULL);
}

/* SQLite reads nothing when it opens a file. */
static void read_something(const wi_database *db) {
    char version[16];
    check(db, wi__sqlite_ask(db->handle, "PRAGMA schema_version", version, sizeof version), "read");
}

static int is_in_a_file(const wi_database *db) {
    const char *file = sqlite3_db_filename(db->handle, "main");
    return file && *file;
}

/* Neither the file, its folder nor the file system can be helped. */
static int cannot_have_wal(int code) {
    switch (code & 0xff) {
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return 1;
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMMAP ||
               code == SQLITE_IOERR_SHMLOCK || code == SQLITE_IOERR_LOCK;
    default: return 0;
    }
}

static void say_there_is_no_wal(const wi_database *db, const char *why) {
    static int said;
    if (__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED)) return;
    fprintf(stderr,
            "within: %s: no write-ahead log here, readers and writers wait for each other: %s\n",
            db->path, why);
}

/* Of several that change a new database to WAL at a time, SQLite turns all but one away at once. */
static void use_wal(const wi_database *db) {
    double waited_s;
    char mode[16];
    int code = wi__sqlite_run_patiently(db->handle, "PRAGMA journal_mode = WAL", 0, &waited_s);
    if (cannot_have_wal(code)) {
        say_there_is_no_wal(db, wi__sqlite_failure_of(db->handle, code).why);
        return;
    }
    check(db, code, "switch to the write-ahead log");
    check(db, wi__sqlite_ask(db->handle, "PRAGMA journal_mode", mode, sizeof mode), "read");
    if (strcmp(mode, "wal") != 0 && is_in_a_file(db))
        say_there_is_no_wal(db, "the file system does not allow it");
}

/* While others have it open it stays as it is. */
static void use_rollback_journal(const wi_database *db) {
    int code = wi__sqlite_run(db->handle, "PRAGMA journal_mode = DELETE");
    if ((code & 0xff) != SQLITE_BUSY) check(db, code, "switch to a rollback journal");
}

static void open_and_set_up(void *self) {
    static const char *const synchronous[] = {
        "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = OFF"};
    wi_database *db = self;
    open_handle(db);
    wi__sqlite_opened(db);
    read_something(db);
    if (!is_only_read(db) && db->options.no_wal) use_rollback_journal(db);
    if (!is_only_read(db) && !db->options.no_wal) use_wal(db);
    check(db, wi__sqlite_run(db->handle, synchronous[db->options.synchronous]), "set synchronous");
}

static int close_handle(wi_database *db) {
    wi__sqlite_closing(db);
    int code = sqlite3_close(db->handle);
    if (code != SQLITE_OK)
        sqlite3_close_v2(db->handle); /* SQLite frees it when it is used no more */
    db->handle = NULL;
    return code;
}

static void database_enter(void *self) {
    wi_database *db = self;
    int cancelling;
    wi_error *error;
    if (db->handle)
        wi_raise(WI_USAGE_ERROR, "database %s: it is open already; use one wi_database a block",
                 db->path);
    check_options(db);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    int opened = wi_call(open_and_set_up, db, &error);
    if (!opened) close_handle(db);
    pthread_setcancelstate(cancelling, NULL);
    if (!opened) wi_reraise(error);
    db->transactions = 0;
    db->owner = getpid();
    db->holding = wi_hold("database", "%s", db->path);
}

/* ---- closing ---- */

static void roll_back(const wi_database *db, wi_reason reason) {
    if (sqlite3_get_autocommit(db->handle)) return;
    if (reason != WI_RAISED)
        fprintf(stderr, "within: %s: closed in the middle of a transaction, which is rolled back\n",
                db->path);
    sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static void finalise_statements(const wi_database *db, wi_reason reason) {
    sqlite3_stmt *statement = sqlite3_next_stmt(db->handle, NULL);
    if (statement && reason != WI_RAISED)
        fprintf(stderr, "within: %s: closed with statements that were not finalised:\n", db->path);
    for (; statement; statement = sqlite3_next_stmt(db->handle, NULL)) {
        const char *sql = sqlite3_sql(statement);
        if (reason != WI_RAISED) fprintf(stderr, "    %s\n", sql ? sql : "(of a blob)");
        sqlite3_finalize(statement);
    }
}

static wi_verdict database_exit(void *self, wi_reason reason, const wi_error *error) {
    wi_database *db = self;
    int cancelling;
    (void)error;
    wi_let_go(db->holding);
    if (db->owner != getpid()) return WI_PROPAGATE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    if (db->handle) {
        roll_back(db, reason);
        finalise_statements(db, reason);
    }
    int code = close_handle(db);
    pthread_setcancelstate(cancelling, NULL);
    if (code != SQLITE_OK)
        wi_raise(WI_SQLITE_ERROR, "close: %s: a backup from or to it is not finished (%s)",
                 db->path, wi__sqlite_code_name(code));
    return WI_PROPAGATE;
}

static void database_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_database *)self)->path);
}

static const wi_protocol database_protocol = {"database", database_enter, database_exit,
                                              database_describe};

wi_database wi__database(const char *path, wi_database_options options) {
    wi_database database;
    memset(&database, 0, sizeof database);
    database.protocol = &database_protocol;
    database.path = path;
    database.options = options;
    return database;
}

/* ---- using ---- */

void wi_database_execute(wi_database *database, const char *sql) {
    if (!database || !database->handle)
        wi_raise(WI_USAGE_ERROR,
                 "execute %.80s: the database is not open here: its block has not begun, or this "
                 "process was forked in it",
                 sql);
    int code = wi__sqlite_run(database->handle, sql);
    if (code == SQLITE_OK) return;
    char attempted[100];
    wi__sqlite_failure failure = wi__sqlite_failure_of(database->handle, code);
    snprintf(attempted, sizeof attempted, "execute %.80s%s", sql, strlen(sql) > 80 ? "..." : "");
    wi__raise_sqlite_failure(WI__HERE, &failure, database->path, attempted);
}
