/* The statements that this library itself runs. */
#include "statements.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef int row_taker(void *taker, int columns, char **values, char **names);

static int run(sqlite3 *handle, const char *sql, row_taker *take_row, void *taker) {
    int cancelling;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    int code = sqlite3_exec(handle, sql, take_row, taker, NULL);
    pthread_setcancelstate(cancelling, NULL);
    return code == SQLITE_OK ? code : sqlite3_extended_errcode(handle);
}

int wi__sqlite_run(sqlite3 *handle, const char *sql) { return run(handle, sql, NULL, NULL); }

/* ---- asking ---- */

typedef struct answer {
    char *value;
    size_t size;
} answer;

static int keep_value(void *taker, int columns, char **values, char **names) {
    (void)columns, (void)names;
    answer *kept = taker;
    snprintf(kept->value, kept->size, "%s", values[0] ? values[0] : "");
    return 0;
}

int wi__sqlite_ask(sqlite3 *handle, const char *pragma, char *value, size_t size) {
    answer kept = {value, size};
    value[0] = '\0';
    return run(handle, pragma, keep_value, &kept);
}

/* ---- waiting ---- */

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int timeout_of(sqlite3 *handle) {
    char value[16];
    wi__sqlite_ask(handle, "PRAGMA busy_timeout", value, sizeof value);
    return atoi(value);
}

int wi__sqlite_run_waiting(sqlite3 *handle, const char *sql, int timeout_ms) {
    if (!timeout_ms) return wi__sqlite_run(handle, sql);
    int usual_ms = timeout_of(handle);
    sqlite3_busy_timeout(handle, timeout_ms);
    int code = wi__sqlite_run(handle, sql);
    sqlite3_busy_timeout(handle, usual_ms);
    return code;
}

/* A snapshot that is out of date stays so: what reads it has to end first. */
static int may_pass(int code) {
    return (code & 0xff) == SQLITE_BUSY && code != SQLITE_BUSY_SNAPSHOT;
}

int wi__sqlite_run_patiently(sqlite3 *handle, const char *sql, int timeout_ms, double *waited_s) {
    const struct timespec pause = {.tv_nsec = 2000000};
    double begin_s = now_s();
    int code = wi__sqlite_run_waiting(handle, sql, timeout_ms);
    if (!may_pass(code)) return code;
    int limit_ms = timeout_ms ? timeout_ms : timeout_of(handle);
    while (may_pass(code) && now_s() - begin_s < 1e-3 * limit_ms) {
        nanosleep(&pause, NULL);
        code = wi__sqlite_run_waiting(handle, sql, timeout_ms);
    }
    *waited_s = now_s() - begin_s;
    return code;
}
