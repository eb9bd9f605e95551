/* The row of a run. */
#include "runs/row.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "record/process.h"
#include "runs/now.h"
#include "runs/sql.h"

void wi__row_new_id(char id[WI_RUN_ID_LENGTH + 1]) {
    unsigned char bytes[WI_RUN_ID_LENGTH / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        wi_raise_errno(errno, "wi_run: make an id");
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- finding ---- */

static int64_t first_number(sqlite3 *db, sqlite3_stmt *statement, int code, const char *attempted) {
    code = wi__sql_step(statement, code);
    int64_t found = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    wi_sqlite_check(db, code, "%s", attempted);
    return found;
}

int64_t wi__row_of(sqlite3 *db, const char *id) {
    sqlite3_stmt *statement;
    int code = wi__sql_prepare(db, &statement, "SELECT id FROM run WHERE uuid = ?", "t", id);
    return first_number(db, statement, code, "find a run");
}

static void check_beginning(const char *beginning) {
    size_t length = strlen(beginning);
    if (length == 0 || length > WI_RUN_ID_LENGTH ||
        strspn(beginning, "0123456789abcdefABCDEF") != length)
        wi_raise(WI_VALUE_ERROR,
                 "wi_run: resume \"%.80s\": it is no id of a run, nor the first digits of one",
                 beginning);
}

typedef struct match {
    int count;
    int is_running;
    int64_t row;
    char id[WI_RUN_ID_LENGTH + 1];
} match;

static match find_all(sqlite3 *db, const char *beginning) {
    match found = {.count = 0};
    sqlite3_stmt *statement;
    int code = wi__sql_prepare(
        db, &statement,
        "SELECT id, uuid, status = 'RUNNING' FROM run WHERE uuid GLOB lower(?) || '*' LIMIT 2", "t",
        beginning);
    while ((code = wi__sql_step(statement, code)) == SQLITE_ROW) {
        code = SQLITE_OK;
        found.count++;
        found.row = sqlite3_column_int64(statement, 0);
        snprintf(found.id, sizeof found.id, "%s", (const char *)sqlite3_column_text(statement, 1));
        found.is_running = sqlite3_column_int(statement, 2);
    }
    sqlite3_finalize(statement);
    wi_sqlite_check(db, code, "find the run %s", beginning);
    return found;
}

void wi__row_find(wi__open_run *open, const char *beginning, char id[WI_RUN_ID_LENGTH + 1]) {
    check_beginning(beginning);
    match found = find_all(open->store.handle, beginning);
    if (found.count != 1)
        wi_raise(WI_VALUE_ERROR, "wi_run: resume %s: %s in %s", beginning,
                 found.count ? "several runs begin so" : "there is no such run", open->database);
    if (found.is_running)
        wi_raise(WI_VALUE_ERROR, "wi_run: resume %s: that run is running, here or elsewhere",
                 beginning);
    open->row = found.row;
    memcpy(id, found.id, sizeof found.id);
}

/* ---- a new one ---- */

static const char *user(void) {
    const char *name = getenv("USER");
    return name ? name : getenv("LOGNAME");
}

void wi__row_insert(wi__open_run *open, int64_t parent) {
    char owner[WI__OWNER_TEXT], command[4096], folder[PATH_MAX];
    struct utsname names = {.nodename = ""};
    uname(&names);
    wi__owner_text(owner);
    wi__process_command(command, sizeof command);
    const char *directory = getcwd(folder, sizeof folder);
    int code = wi__sql_run(
        open->store.handle,
        "INSERT INTO run (uuid, name, parent, status, started_ms, host, owner, pid, user, command,"
        " directory) VALUES (?, ?, nullif(?, 0), 'RUNNING', ?, ?, ?, ?, ?, ?, ?)",
        "ttiittittt", open->run->id, open->run->name, parent, wi__now_ms(), names.nodename, owner,
        (int64_t)getpid(), user(), command, directory);
    wi_sqlite_check(open->store.handle, code, "begin run %s", open->run->name);
    open->row = sqlite3_last_insert_rowid(open->store.handle);
}

/* ---- one that goes on ---- */

typedef int taker(wi__open_run *open, sqlite3_stmt *row);

static int know_series(wi__open_run *open, sqlite3_stmt *row) {
    return wi__open_run_know_series(open, (const char *)sqlite3_column_text(row, 0),
                                    (uint32_t)sqlite3_column_int64(row, 1));
}

static int know_param(wi__open_run *open, sqlite3_stmt *row) {
    return wi__open_run_know_param(open, (const char *)sqlite3_column_text(row, 0),
                                   (const char *)sqlite3_column_text(row, 1));
}

static void know(wi__open_run *open, const char *sql, taker *take) {
    sqlite3 *db = open->store.handle;
    sqlite3_stmt *statement;
    int has_memory = 1;
    int code = wi__sql_prepare(db, &statement, sql, "i", open->row);
    while (has_memory && (code = wi__sql_step(statement, code)) == SQLITE_ROW) {
        code = SQLITE_OK;
        has_memory = take(open, statement);
    }
    sqlite3_finalize(statement);
    if (!has_memory) wi_raise(WI_MEMORY_ERROR, "resume run %s: out of memory", open->run->id);
    wi_sqlite_check(db, code, "resume run %s", open->run->id);
}

static void run_again(const wi__open_run *open) {
    char owner[WI__OWNER_TEXT];
    sqlite3 *db = open->store.handle;
    wi__owner_text(owner);
    int code = wi__sql_run(db,
                           "UPDATE run SET status = 'RUNNING', ended_ms = NULL, owner = ?, pid = ?,"
                           " exit_status = NULL, signal = NULL, error = NULL, doing = NULL,"
                           " points = 0, notes = 0 WHERE id = ? AND status <> 'RUNNING'",
                           "tii", owner, (int64_t)getpid(), open->row);
    wi_sqlite_check(db, code, "resume run %s", open->run->id);
    if (sqlite3_changes(db) == 0)
        wi_raise(WI_VALUE_ERROR, "wi_run: resume %s: that run is running, here or elsewhere",
                 open->run->id);
    code = wi__sql_run(db, "DELETE FROM section WHERE run = ?", "i", open->row);
    if (code == SQLITE_OK)
        code = wi__sql_run(db, "DELETE FROM finding WHERE run = ?", "i", open->row);
    wi_sqlite_check(db, code, "resume run %s", open->run->id);
}

void wi__row_resume(wi__open_run *open) {
    within (wi_transaction(&open->store)) {
        run_again(open);
        know(open, "SELECT name, number FROM series WHERE run = ? ORDER BY number", know_series);
        know(open, "SELECT key, value FROM param WHERE run = ?", know_param);
    }
}

void wi__row_take_back(const wi__open_run *open) {
    const char *sql = open->run->options.resume
                          ? "UPDATE run SET status = 'FAILED', error = 'it could not be resumed'"
                            " WHERE id = ? AND status = 'RUNNING'"
                          : "DELETE FROM run WHERE id = ?";
    wi__sql_run(open->store.handle, sql, "i", open->row);
}
