/*
 * SQLite databases and transactions: what a transaction's block wrote is there as a whole, or not at all.
 *
 *     within (db, wi_database("runs.db")) {
 *         wi_database_execute(db, "CREATE TABLE IF NOT EXISTS run (name TEXT UNIQUE, energy REAL)");
 *         within (wi_transaction(db)) {
 *             wi_database_execute(db, "INSERT INTO run VALUES ('lorenz', 1.5)");
 *             wi_database_execute(db, "INSERT INTO run VALUES ('roessler', 2.5)");
 *         }
 *     }
 *
 * Of the library within-sqlite, and not part of within.h: pkg-config --cflags --libs within-sqlite.
 *
 * Threads: a database is for one thread at a time; give each thread a wi_database of its own. Between two
 * calls of SQLite a thread may be cancelled; inside of one only if the call is made by a function of this
 * header.
 * Processes: a database does not cross a fork. In the child it is closed as far as this library is concerned:
 * its handle is NULL, no exit touches the file, and what is called with it raises WI_USAGE_ERROR.
 */
#ifndef WITHIN_SQLITE_H
#define WITHIN_SQLITE_H

#include <stdint.h>
#include <sys/types.h>

#include <sqlite3.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/**
 * What SQLite says of SQL, of locks and of how it is used. What the operating system, the disk or the bytes
 * of the file are to blame for has the kind that all managers raise for it:
 *
 *     SQLITE_FULL                      WI_DISK_FULL
 *     SQLITE_READONLY, SQLITE_PERM     WI_PERMISSION_ERROR
 *     SQLITE_NOTADB, SQLITE_CORRUPT    WI_DATA_ERROR
 *     SQLITE_NOMEM                     WI_MEMORY_ERROR
 *     SQLITE_CANTOPEN, SQLITE_IOERR    as the system's errno says: WI_FILE_NOT_FOUND, …
 */
extern WI_API const wi_error_type WI_SQLITE_ERROR[1];
/** SQLITE_BUSY: another connection held a lock for longer than this one was to wait. */
extern WI_API const wi_error_type WI_DATABASE_BUSY[1];
/** SQLITE_CONSTRAINT: UNIQUE, NOT NULL, CHECK, FOREIGN KEY. */
extern WI_API const wi_error_type WI_CONSTRAINT_ERROR[1];

/** When SQLite waits for the disk: PRAGMA synchronous. */
typedef enum wi_synchronous {
    WI_SYNCHRONOUS_FULL, /* at each commit: a commit survives a power cut */
    WI_SYNCHRONOUS_NORMAL, /* at checkpoints: the newest commits may be lost to a power cut, all else is whole */
    WI_SYNCHRONOUS_OFF /* never: a power cut may damage the database */
} wi_synchronous;

typedef struct wi_database_options {
    int busy_timeout_ms; /* how long to wait for others' locks; 0: 5000, negative: not at all */
    int read_only;       /* nonzero: the file must be there, and is not written */
    wi_synchronous synchronous;
    int no_wal;    /* nonzero: a rollback journal, as a file needs that other hosts have open too */
    int immutable; /* nonzero: as read_only, of a file that nobody changes meanwhile: it is not locked,
                      no file is made beside it, and what lies in a log or journal beside it is not read */
} wi_database_options;

typedef struct wi_database {
    const wi_protocol *protocol;
    const char *path;
    wi_database_options options;
    sqlite3 *handle;  /* NULL outside of the block, and in a forked child */
    int transactions; /* blocks of wi_transaction that are open */
    pid_t owner;
    wi_holding holding;
} wi_database;

/**
 * A database: wi_database(path) or wi_database(path, .busy_timeout_ms = 60000, .read_only = 1).
 *
 * Enter opens it, creates it if it is not there, turns foreign keys on and the write-ahead log (WAL), in which
 * readers do not wait for a writer, nor a writer for readers. Where the log cannot be had, on a read-only file
 * or some network file systems, that is said once, on stderr, and SQLite's other way is used.
 * Exit rolls back a transaction that is open, finalises the statements that are, and closes. Unless an error is
 * passing, what it found open is listed on stderr.
 *
 * @param path  borrowed until the block ends; ":memory:" is a database in memory.
 * @raise on enter  WI_FILE_NOT_FOUND, WI_PERMISSION_ERROR, … if it cannot be opened; WI_DATA_ERROR if it is no
 *        database; WI_DATABASE_BUSY if others hold it for longer than the timeout; WI_USAGE_ERROR if this is
 *        a forked child, and an ancestor had the file open at the fork: SQLite would not lock it here.
 * @raise on exit  WI_SQLITE_ERROR if it cannot be closed, as a backup is going on.
 *
 * Cost: SQLite's own; one allocation. The last to close copies the log into the database.
 */
#define wi_database(...) WI__DATABASE(__VA_ARGS__, )
#define WI__DATABASE(path, ...)                                                                    \
    wi__database(path, WI__FIELDS_MAY_BE_MISSING(wi_database_options, {__VA_ARGS__}))

/**
 * Run SQL, one statement or several with semicolons between; rows that it gives are dropped.
 *
 * @param sql  UTF-8. Statements before one that fails stay done, unless a transaction's block takes them back.
 * @raise as SQLite's answer says, see WI_SQLITE_ERROR; WI_USAGE_ERROR if the database is not open here.
 *
 * Cost: of sqlite3_exec, which compiles the SQL in each call. Prepare what runs often.
 */
WI_API void wi_database_execute(wi_database *database, const char *sql);

/**
 * Turn an answer of SQLite into an error: gives the code back if it is SQLITE_OK, SQLITE_ROW or SQLITE_DONE.
 *
 * wi_sqlite_check(db->handle, sqlite3_step(insert), "insert run %d", run);
 *
 * raises  WI_CONSTRAINT_ERROR: insert run 7: /data/runs.db: UNIQUE constraint failed: run.name
 * (SQLITE_CONSTRAINT_UNIQUE).
 *
 * @param handle  the sqlite3 * that the call was made with.
 * @param code    what it returned, plain or extended; evaluated once.
 */
#define wi_sqlite_check(handle, code, ...)                                                         \
    WI__SQLITE_CHECK(WI__JOIN(wi__code_, __COUNTER__), handle, code, __VA_ARGS__)

typedef struct wi_transaction_options {
    int timeout_ms; /* how long to wait for others' locks; 0: as the database does, negative: not at all */
} wi_transaction_options;

typedef struct wi_transaction {
    const wi_protocol *protocol;
    wi_database *database; /* NULL of a wi_transaction_on */
    sqlite3 *handle;
    wi_transaction_options options;
    uint64_t savepoint; /* the number in its name; 0: no savepoint but the transaction itself */
    int is_open;        /* entered, and neither committed nor over */
    pid_t owner;
    wi_holding holding;
} wi_transaction;

/**
 * A transaction: wi_transaction(db) or wi_transaction(db, .timeout_ms = 60000), db a wi_database pointer.
 *
 * Enter says BEGIN IMMEDIATE: the database is this connection's to write until the block ends. The end of the
 * body (WI_END) says COMMIT; an error, and any way to leave early, ROLLBACK. C cannot tell a return from a
 * cancelled thread, so leaving early says on stderr what it takes back: call wi_transaction_commit before.
 * Inside of another transaction it is a savepoint: taken back alone, and committed with the outermost.
 *
 * @raise on enter  WI_DATABASE_BUSY if others hold the database for longer than the timeout; WI_USAGE_ERROR
 *        if the database is not open here, or this transaction is already.
 * @raise on exit  what COMMIT failed with; all is rolled back then, but after an I/O error (WI_OS_ERROR) it may
 *        have taken place. WI_SQLITE_ERROR at the body's end if the transaction had ended before: SQLite rolls
 *        back by itself when the disk is full, for one.
 *
 * Cost: that of the bare statements, and some 0.3 us.
 * Method: https://www.sqlite.org/lang_transaction.html and https://www.sqlite.org/lang_savepoint.html
 */
#define wi_transaction(...) WI__TRANSACTION(__VA_ARGS__, )
#define WI__TRANSACTION(database, ...)                                                             \
    wi__transaction(database, NULL,                                                                \
                    WI__FIELDS_MAY_BE_MISSING(wi_transaction_options, {__VA_ARGS__}))

/**
 * The same on a connection that the program has opened itself, a sqlite3 *. A transaction that the program has
 * begun by itself counts as an outer one: the block is a savepoint in it. A timeout_ms takes the place of a busy
 * handler (sqlite3_busy_handler) for good.
 */
#define wi_transaction_on(...) WI__TRANSACTION_ON(__VA_ARGS__, )
#define WI__TRANSACTION_ON(handle, ...)                                                            \
    wi__transaction(NULL, handle, WI__FIELDS_MAY_BE_MISSING(wi_transaction_options, {__VA_ARGS__}))

/**
 * Commit now, so that a return or goto may follow; the exit does nothing then. What the body does afterwards is
 * no part of the transaction.
 *
 * @raise what COMMIT failed with, as at the block's end. WI_USAGE_ERROR if the transaction is not open, or was
 *        begun before a fork.
 */
WI_API void wi_transaction_commit(wi_transaction *transaction);

/* ---- behind the macros ---- */

WI_API wi_database wi__database(const char *path, wi_database_options options);
WI_API wi_transaction wi__transaction(wi_database *database, sqlite3 *handle,
                                      wi_transaction_options options);
WI__NORETURN WI_API void wi__raise_sqlite(const wi_place *place, sqlite3 *handle, int code,
                                          const char *format, ...) WI__PRINTF(4, 5);

/*
 * For a library that closes the connection whenever the process forks, and may open another in its place: until it is
 * taken back a child may open the file. Neither raises.
 */
WI_API void wi__sqlite_put_away(const wi_database *database);
WI_API void wi__sqlite_take_back(const wi_database *database);

WI__END_DECLS

#define WI__SQLITE_CHECK(value, handle, code, ...)                                                 \
    (__extension__({                                                                               \
        int value = (code);                                                                        \
        if (WI__UNLIKELY(value != SQLITE_OK && value != SQLITE_ROW && value != SQLITE_DONE))       \
            wi__raise_sqlite(WI__HERE, handle, value, __VA_ARGS__);                                \
        value;                                                                                     \
    }))

#endif
