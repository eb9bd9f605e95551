/* A row of a CSV log: its values are checked against the columns, made text, and written at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/csv_cell.h"
#include "manage/csv_log.h"
#include "manage/durable.h"
#include "manage/shortest.h"

/* Rows of numbers are shorter: they need no memory. */
enum { SHORT_ROW = 1024 };

/* ---- checks ---- */

static int is_integer(wi_csv_kind kind) { return kind == WI_CSV_INT || kind == WI_CSV_UINT; }

static int is_empty(const wi_csv_value *value) {
    return value->kind == WI_CSV_TEXT && !value->as.text;
}

static int is_truth(const wi_csv_value *value) {
    return value->kind == WI_CSV_BOOL || (is_integer(value->kind) && value->as.u <= 1);
}

static int takes(wi__csv_type type, const wi_csv_value *value) {
    if (is_empty(value)) return 1;
    switch (type) {
    case WI__CSV_ANY: return 1;
    case WI__CSV_INT: return is_integer(value->kind);
    case WI__CSV_FLOAT:
        return is_integer(value->kind) || value->kind == WI_CSV_FLOAT ||
               value->kind == WI_CSV_DOUBLE;
    case WI__CSV_TEXT: return value->kind == WI_CSV_TEXT;
    case WI__CSV_BOOL: return is_truth(value);
    }
    return 0;
}

static const char *const kind_names[] = {
    [WI_CSV_INT] = "int",     [WI_CSV_UINT] = "int",     [WI_CSV_BOOL] = "bool",
    [WI_CSV_FLOAT] = "float", [WI_CSV_DOUBLE] = "float", [WI_CSV_TEXT] = "text",
};

static char *put_value(char *at, const wi_csv_value *value) {
    switch (value->kind) {
    case WI_CSV_INT: return wi__write_int(at, value->as.i);
    case WI_CSV_UINT: return wi__write_uint(at, value->as.u);
    case WI_CSV_BOOL: return stpcpy(at, value->as.b ? "true" : "false");
    case WI_CSV_FLOAT: return wi__write_float(at, value->as.f);
    case WI_CSV_DOUBLE: return wi__write_double(at, value->as.d);
    case WI_CSV_TEXT: break;
    }
    return value->as.text ? wi__csv_put_cell(at, value->as.text) : at;
}

static uint64_t next_row(const wi_csv *f) {
    return __atomic_load_n(&f->rows, __ATOMIC_RELAXED) + 1;
}

_Noreturn static void refuse_count(const wi_csv *f, size_t count) {
    const wi__csv_columns *columns = &f->log->columns;
    char names[400] = "";
    for (size_t i = 0, n = 0; i < columns->count && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "",
                              columns->list[i].name);
    wi_raise(WI_VALUE_ERROR, "%s: row %llu has %zu value%s for %zu column%s (%s)", f->path,
             (unsigned long long)next_row(f), count, count == 1 ? "" : "s", columns->count,
             columns->count == 1 ? "" : "s", names);
}

_Noreturn static void refuse_value(const wi_csv *f, const wi__csv_column *column,
                                   const wi_csv_value *value) {
    char number[WI__NUMBER_MOST];
    const int is_text = value->kind == WI_CSV_TEXT;
    const char *text = is_text ? value->as.text : number;
    const size_t n = is_text ? strlen(text) : (size_t)(put_value(number, value) - number);
    const char *quote = is_text ? "\"" : "";
    wi_raise(WI_VALUE_ERROR, "%s: row %llu: column \"%s\" takes %s, not %s %s%s%s", f->path,
             (unsigned long long)next_row(f), column->name, wi__csv_type_name(column->type),
             kind_names[value->kind], quote, wi__csv_show(text, n).text, quote);
}

/* Check all values; the bytes that their row needs, at most. */
static size_t check_row(const wi_csv *f, const wi_csv_value *values, size_t count) {
    const wi__csv_columns *columns = &f->log->columns;
    if (count != columns->count) refuse_count(f, count);
    size_t room = 2;
    for (size_t i = 0; i < count; i++) {
        if (!takes(columns->list[i].type, &values[i]))
            refuse_value(f, &columns->list[i], &values[i]);
        const int has_text = values[i].kind == WI_CSV_TEXT && values[i].as.text;
        room += 1 + (has_text ? wi__csv_cell_room(values[i].as.text) : WI__NUMBER_MOST);
    }
    return room;
}

/* ---- text ---- */

static char *put_cell(char *at, wi__csv_type type, const wi_csv_value *value) {
    if (type != WI__CSV_BOOL || is_empty(value)) return put_value(at, value);
    const wi_csv_value truth = {
        .kind = WI_CSV_BOOL, .as.b = value->kind == WI_CSV_BOOL ? value->as.b : (int)value->as.u};
    return put_value(at, &truth);
}

static char *put_row(char *at, const wi__csv_log *log, const wi_csv_value *values) {
    const size_t count = log->columns.count;
    for (size_t i = 0; i < count; i++) {
        if (i) *at++ = ',';
        at = put_cell(at, log->columns.list[i].type, &values[i]);
    }
    /* A line without anything in it would be no row: readers skip it. */
    if (count == 1 && is_empty(values)) at = wi__csv_put_cell(at, "");
    if (log->is_crlf) *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* ---- writing ---- */

static int append(wi__csv_log *log, const wi_csv_value *values, char *room) {
    return wi__csv_append(log, room, (size_t)(put_row(room, log, values) - room));
}

static int append_long(wi__csv_log *log, const wi_csv_value *values, size_t room) {
    char *row = malloc(room);
    if (!row) return ENOMEM;
    const int error = append(log, values, row);
    free(row);
    return error;
}

void wi_csv_sync(wi_csv *f) {
    if (!f->log) wi_raise(WI_USAGE_ERROR, "%s: the CSV log is not open", f->path);
    wi_check_code(wi__sync(f->log->fd), "%s: cannot be synced", f->path);
}

/* One of the threads for which it is due does it. */
static void sync_if_due(wi_csv *f) {
    wi__csv_log *log = f->log;
    int64_t last = __atomic_load_n(&log->synced_ns, __ATOMIC_RELAXED), now = wi__csv_now_ns();
    if ((double)(now - last) < 1e9 * f->options.sync_every_s) return;
    if (!__atomic_compare_exchange_n(&log->synced_ns, &last, now, 0, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return;
    wi_csv_sync(f);
}

void wi_csv_write(wi_csv *f, const wi_csv_value *values, size_t count) {
    if (!f->log) wi_raise(WI_USAGE_ERROR, "%s: the CSV log is not open", f->path);
    const size_t room = check_row(f, values, count);
    char row[SHORT_ROW];
    const int error =
        room <= sizeof row ? append(f->log, values, row) : append_long(f->log, values, room);
    if (error)
        wi_raise_errno(error, "%s: row %llu cannot be written%s", f->path,
                       (unsigned long long)next_row(f),
                       f->log->is_torn ? ", and a piece of one stays" : "");
    __atomic_add_fetch(&f->rows, 1, __ATOMIC_RELAXED);
    if (f->options.sync_every_s > 0) sync_if_due(f);
}
