/* Reading a database of runs: SQL, made from what is asked for. */
#include "runs/read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/sqlite.h>

#include "runs/now.h"

const char *wi__column_text(sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

double wi__column_number(sqlite3_stmt *row, int column) {
    return sqlite3_column_type(row, column) == SQLITE_NULL ? NAN
                                                           : sqlite3_column_double(row, column);
}

/* ---- statements ---- */

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    wi_sqlite_check(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), "read");
    return statement;
}

static void finish(sqlite3 *db, sqlite3_stmt *statement) {
    wi_sqlite_check(db, sqlite3_finalize(statement), "read");
}

/* ---- numbers that are kept as text ---- */

/* within_number(value): a text that is a number from its begin to its end as that number; else as it is. */
static void number_of(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    const char *text = (const char *)sqlite3_value_text(values[0]);
    char *end = NULL;
    double number = text ? strtod(text, &end) : 0;
    if (sqlite3_value_type(values[0]) != SQLITE_TEXT || end == text || *end)
        sqlite3_result_value(context, values[0]);
    else
        sqlite3_result_double(context, number);
}

static void know_numbers(sqlite3 *db) {
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    wi_sqlite_check(
        db, sqlite3_create_function(db, "within_number", 1, flags, NULL, number_of, NULL, NULL),
        "read");
}

/* ---- a list ---- */

/* SQL that grows, and what is to be bound to it: texts that the query owns. */
typedef struct builder {
    sqlite3_str *sql;
    sqlite3 *db;
    int bound_count;
    const char *bound[256];
} builder;

/* The number of a parameter of the statement. */
static int bind(builder *to, const char *text) {
    if (to->bound_count == sizeof to->bound / sizeof *to->bound)
        wi_raise(WI_VALUE_ERROR, "there are too many conditions and columns");
    to->bound[to->bound_count] = text;
    return ++to->bound_count;
}

static int begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What a column's name means, as an expression: a NaN, which SQLite keeps as NULL, is a text. */
static void add_column(builder *to, const char *name) {
    static const char param[] = "(SELECT value FROM param WHERE run = r.id AND key = ?%d)";
    static const char metric[] = "(SELECT ifnull(last, iif(count, 'nan', NULL)) FROM series"
                                 " WHERE run = r.id AND name = ?%d)";
    static const char tag[] = "(SELECT value FROM tag WHERE run = r.id AND key = ?%d)";
    if (begins(name, "param:")) {
        sqlite3_str_appendf(to->sql, param, bind(to, name + strlen("param:")));
    } else if (begins(name, "metric:")) {
        sqlite3_str_appendf(to->sql, metric, bind(to, name + strlen("metric:")));
    } else if (begins(name, "tag:")) {
        sqlite3_str_appendf(to->sql, tag, bind(to, name + strlen("tag:")));
    } else {
        int number = bind(to, name);
        sqlite3_str_appendall(to->sql, "coalesce(");
        sqlite3_str_appendf(to->sql, param, number);
        sqlite3_str_appendall(to->sql, ", ");
        sqlite3_str_appendf(to->sql, metric, number);
        sqlite3_str_appendall(to->sql, ", ");
        sqlite3_str_appendf(to->sql, tag, number);
        sqlite3_str_appendall(to->sql, ")");
    }
}

static void add_statuses(builder *to, const wi__runs_query *query) {
    for (size_t i = 0; i < query->status_count; i++)
        sqlite3_str_appendf(to->sql, "%supper(?%d)", i ? ", " : " AND status IN (",
                            bind(to, query->statuses[i]));
    if (query->status_count) sqlite3_str_appendall(to->sql, ")");
}

/* A key, or "key=value": put together, so that either may have a '=' of its own. */
static void add_tags(builder *to, const wi__runs_query *query) {
    for (size_t i = 0; i < query->tag_count; i++) {
        int number = bind(to, query->tags[i]);
        sqlite3_str_appendf(to->sql,
                            " AND EXISTS (SELECT 1 FROM tag WHERE run = r.id AND"
                            " (key = ?%d OR key || '=' || value = ?%d))",
                            number, number);
    }
}

static void add_conditions(builder *to, const wi__runs_query *query) {
    for (size_t i = 0; i < query->condition_count; i++) {
        const wi__run_condition *condition = &query->conditions[i];
        sqlite3_str_appendall(to->sql, " AND within_number(");
        add_column(to, condition->name);
        sqlite3_str_appendf(to->sql, ") %s within_number(?%d)", condition->operation,
                            bind(to, condition->value));
    }
}

static void add_order(builder *to, const wi__runs_query *query) {
    static const char *const keys[] = {[WI__BY_START] = "started_ms",
                                       [WI__BY_DURATION] = "ifnull(ended_ms, ?1) - started_ms",
                                       [WI__BY_RUN_NAME] = "name",
                                       [WI__BY_STATUS] = "status",
                                       [WI__BY_ID] = "uuid"};
    int falls = query->order == WI__BY_START || query->order == WI__BY_DURATION ||
                query->order == WI__BY_COLUMN;
    if (query->reverse) falls = !falls;
    sqlite3_str_appendall(to->sql, " ORDER BY ");
    if (query->order == WI__BY_COLUMN) {
        sqlite3_str_appendall(to->sql, "typeof(within_number(");
        add_column(to, query->order_column);
        sqlite3_str_appendall(to->sql, ")) IN ('text', 'null'), within_number(");
        add_column(to, query->order_column);
        sqlite3_str_appendall(to->sql, ")");
    } else {
        sqlite3_str_appendall(to->sql, keys[query->order]);
    }
    sqlite3_str_appendf(to->sql, " %s NULLS LAST, started_ms %s, id %s", falls ? "DESC" : "ASC",
                        query->reverse ? "ASC" : "DESC", query->reverse ? "ASC" : "DESC");
    if (query->limit) sqlite3_str_appendf(to->sql, " LIMIT %lld", (long long)query->limit);
}

static char *list_sql(builder *to, const wi__runs_query *query) {
    to->sql = sqlite3_str_new(to->db);
    to->bound_count = 1; /* ?1 is the present moment */
    sqlite3_str_appendall(to->sql, "SELECT r.id, uuid, name, status, started_ms, iif(status ="
                                   " 'RUNNING', ?1, ended_ms) - started_ms");
    for (size_t i = 0; i < query->column_count; i++) {
        sqlite3_str_appendall(to->sql, ", ");
        add_column(to, query->columns[i]);
    }
    sqlite3_str_appendall(to->sql, " FROM run r WHERE 1");
    if (query->name) sqlite3_str_appendf(to->sql, " AND name GLOB ?%d", bind(to, query->name));
    add_statuses(to, query);
    add_tags(to, query);
    add_conditions(to, query);
    add_order(to, query);
    return sqlite3_str_finish(to->sql);
}

static wi__run_row run_of_row(sqlite3_stmt *row) {
    return (wi__run_row){.id = sqlite3_column_int64(row, 0),
                         .uuid = wi__column_text(row, 1),
                         .name = wi__column_text(row, 2),
                         .status = wi__column_text(row, 3),
                         .started_ms = sqlite3_column_int64(row, 4),
                         .duration_s = wi__column_number(row, 5) / 1000};
}

static void take_rows(sqlite3 *db, sqlite3_stmt *statement, int columns, wi__take_run *take,
                      void *arg) {
    sqlite3_value *values[WI__RUN_COLUMNS];
    while (wi_sqlite_check(db, sqlite3_step(statement), "read") == SQLITE_ROW) {
        wi__run_row run = run_of_row(statement);
        for (int i = 0; i < columns; i++) values[i] = sqlite3_column_value(statement, 6 + i);
        take(arg, &run, values);
    }
}

void wi__runs_list(sqlite3 *db, const wi__runs_query *query, wi__take_run *take, void *arg) {
    builder to = {.db = db};
    if (query->column_count > WI__RUN_COLUMNS)
        wi_raise(WI_VALUE_ERROR, "%zu columns are too many: there may be %d", query->column_count,
                 WI__RUN_COLUMNS);
    know_numbers(db);
    char *sql = list_sql(&to, query);
    if (!sql) wi_raise(WI_MEMORY_ERROR, "list the runs");
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    sqlite3_free(sql);
    wi_sqlite_check(db, code, "list the runs");
    sqlite3_bind_int64(statement, 1, wi__now_ms());
    for (int i = 1; i < to.bound_count; i++)
        sqlite3_bind_text(statement, i + 1, to.bound[i], -1, SQLITE_STATIC);
    take_rows(db, statement, (int)query->column_count, take, arg);
    finish(db, statement);
}

int wi__run_each_row(sqlite3 *db, int64_t run, wi__take_run *take, void *arg) {
    sqlite3_stmt *statement =
        prepare(db, "SELECT id, uuid, name, status, started_ms,"
                    " iif(status = 'RUNNING', ?1, ended_ms) - started_ms FROM run WHERE id = ?2");
    sqlite3_bind_int64(statement, 1, wi__now_ms());
    sqlite3_bind_int64(statement, 2, run);
    int there = wi_sqlite_check(db, sqlite3_step(statement), "read") == SQLITE_ROW;
    if (there) {
        wi__run_row row = run_of_row(statement);
        take(arg, &row, NULL);
    }
    finish(db, statement);
    return there;
}

/* ---- the run that a word means ---- */

enum { LEAST_DIGITS = 4 };

static int is_id(const char *word) {
    size_t length = strlen(word);
    return length >= LEAST_DIGITS && length <= WI_RUN_ID_LENGTH &&
           strspn(word, "0123456789abcdefABCDEF") == length;
}

/* ?1 is the word; an id that begins with it lies between it and it followed by a 'g'. */
static const char meant_by_id[] = "SELECT id FROM run WHERE uuid >= lower(?1) AND"
                                  " uuid < lower(?1) || 'g'"
                                  " UNION SELECT * FROM (SELECT id FROM run WHERE name = ?1"
                                  " ORDER BY started_ms DESC, id DESC LIMIT 1)"
                                  " ORDER BY 1 DESC";
static const char meant_by_name[] =
    "SELECT id FROM run WHERE name = ?1 ORDER BY started_ms DESC, id DESC LIMIT 1";
static const char newest[] = "SELECT id FROM run ORDER BY started_ms DESC, id DESC LIMIT 1";

size_t wi__runs_meant(sqlite3 *db, const char *word, int64_t *ids, size_t most) {
    int is_last = strcmp(word, "last") == 0;
    size_t count = 0;
    sqlite3_stmt *statement = prepare(db, is_last       ? newest
                                          : is_id(word) ? meant_by_id
                                                        : meant_by_name);
    if (!is_last) sqlite3_bind_text(statement, 1, word, -1, SQLITE_STATIC);
    while (wi_sqlite_check(db, sqlite3_step(statement), "read") == SQLITE_ROW) {
        if (count < most) ids[count] = sqlite3_column_int64(statement, 0);
        count++;
    }
    finish(db, statement);
    return count;
}

/* ---- what else there is of a run ---- */

void wi__run_each(sqlite3 *db, int64_t run, wi__run_part part, wi__take_row *take, void *arg) {
    static const char *const queries[WI__RUN_PARTS] = {
        [WI__RUN_FACTS] = "SELECT p.uuid, p.name, r.started_ms, r.ended_ms, r.host, r.pid, r.user,"
                          " r.command, r.directory, r.exit_status, r.signal, r.error, r.doing,"
                          " r.peak_memory FROM run r LEFT JOIN run p ON p.id = r.parent"
                          " WHERE r.id = ?",
        [WI__RUN_PARAMS] = "SELECT key, value FROM param WHERE run = ? ORDER BY key",
        [WI__RUN_TAGS] = "SELECT key, value FROM tag WHERE run = ? ORDER BY key",
        [WI__RUN_ENVIRONMENT] = "SELECT key, value FROM environment WHERE run = ? ORDER BY key",
        [WI__RUN_METRICS] = "SELECT name, count, last_step, last, least, most, last_ms FROM series"
                            " WHERE run = ? ORDER BY number",
        [WI__RUN_SECTIONS] = "SELECT path, calls, total, self, mean, std, min, p50, p99, max,"
                             " errors FROM section WHERE run = ? ORDER BY path",
        [WI__RUN_FINDINGS] = "SELECT kind, section, what FROM finding WHERE run = ? ORDER BY 1, 2",
        [WI__RUN_ARTIFACTS] = "SELECT name, bytes, crc32c FROM artifact WHERE run = ? ORDER BY 1",
        [WI__RUN_CHILDREN] =
            "SELECT uuid, name, status FROM run WHERE parent = ? ORDER BY started_ms, id"};
    sqlite3_stmt *statement = prepare(db, queries[part]);
    sqlite3_bind_int64(statement, 1, run);
    while (wi_sqlite_check(db, sqlite3_step(statement), "read") == SQLITE_ROW) take(arg, statement);
    finish(db, statement);
}
