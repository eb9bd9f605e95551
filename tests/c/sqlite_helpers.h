/* What the tests of within-sqlite share: one number from SQL, errors as text, and what was said on stderr. */
#ifndef WITHIN_SQLITE_HELPERS_H
#define WITHIN_SQLITE_HELPERS_H

#include "process_helpers.h"

#include <within/sqlite.h>

WI__UNUSED static long long number_on(sqlite3 *handle, const char *sql) {
    sqlite3_stmt *statement;
    wi_sqlite_check(handle, sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), "prepare %s",
                    sql);
    wi_sqlite_check(handle, sqlite3_step(statement), "step %s", sql);
    long long value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* As another program sees it. */
WI__UNUSED static long long number_in(const char *path, const char *sql) {
    long long value = 0;
    within (db, wi_database(path)) value = number_on(db->handle, sql);
    return value;
}

WI__UNUSED static void make_table(const char *path) {
    within (db, wi_database(path))
        wi_database_execute(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)");
}

/* The body must raise an error of this kind and with this message; "…" at its end stands for any text. */
WI__UNUSED static void expect_error_at(const char *where, void (*body)(void *arg), void *arg,
                                       const wi_error_type *kind, const char *message) {
    wi_error *error = NULL;
    expect_that(!wi_call(body, arg, &error), where, "nothing was raised, not: %s", message);
    const char *end = strstr(message, "…"), *text = wi_error_message(error);
    size_t length = end ? (size_t)(end - message) : strlen(message) + 1;
    expect_that(strncmp(text, message, length) == 0, where, "raised: %s\nnot: %s", text, message);
    expect_that(wi_error_kind(error) == kind, where, "%s is %s", text, wi_error_kind(error)->name);
    wi_error_free(error);
}
#define expect_error(body, arg, kind, message) expect_error_at(WHERE, body, arg, kind, message)

/* ---- stderr ---- */

static int stderr_before;

WI__UNUSED static void listen_to_stderr(void) {
    int out = open("said", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    stderr_before = dup(2);
    expect(out >= 0 && stderr_before >= 0);
    dup2(out, 2);
    close(out);
}

/* What was said since then; in a buffer that the next call reuses. */
WI__UNUSED static const char *said(void) {
    static char text[4096];
    ssize_t length = pread(2, text, sizeof text - 1, 0);
    dup2(stderr_before, 2);
    close(stderr_before);
    expect(length >= 0);
    text[length] = '\0';
    return text;
}

/* ---- other processes ---- */

/* What a child's body says by its status: 0 if it is as it should be. */
WI__UNUSED static void expect_well(pid_t child) {
    int status;
    expect(waitpid(child, &status, 0) == child);
    expect_that(status == 0, "the child", "its status is %d", status);
}

/* As a user whom permissions stop. */
WI__UNUSED static void become_nobody(void) {
    if (geteuid() == 0) {
        expect(chmod(".", 0777) == 0);
        expect(setgid(65534) == 0 && setuid(65534) == 0);
    }
}

#endif
