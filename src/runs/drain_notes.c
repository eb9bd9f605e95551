/* What each kind of note says in SQL. */
#include "runs/drain_notes.h"

#include <stdlib.h>
#include <string.h>

#include "record/signal_name.h"

/* ?1 is the run, ?2 the key, ?3 the value, ?4 the number, ?5 when; others are said at their kind. */
static const char *const sql_of[WI__NOTE_KINDS] = {
    [WI__NOTE_SERIES] = "INSERT INTO series (run, number, name) VALUES (?1, ?4, ?2)"
                        " ON CONFLICT DO NOTHING",
    [WI__NOTE_PARAM] = "INSERT INTO param (run, key, value) VALUES (?1, ?2, ?3)"
                       " ON CONFLICT DO NOTHING",
    [WI__NOTE_TAG] = "INSERT INTO tag (run, key, value) VALUES (?1, ?2, ?3)"
                     " ON CONFLICT DO UPDATE SET value = excluded.value",
    [WI__NOTE_ENVIRONMENT] = "INSERT INTO environment (run, key, value) VALUES (?1, ?2, ?3)"
                             " ON CONFLICT DO UPDATE SET value = excluded.value",
    [WI__NOTE_ARTIFACT] = "INSERT OR REPLACE INTO artifact (run, name, bytes, crc32c)"
                          " VALUES (?1, ?2, ?4, ?6)",
    /* From ?6 on: the columns. */
    [WI__NOTE_SECTION] = "INSERT OR REPLACE INTO section"
                         " (run, path, calls, total, self, mean, std, min, p50, p99, max, errors)"
                         " VALUES (?1, ?2, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [WI__NOTE_FINDING] =
        "INSERT INTO finding (run, kind, section, what) VALUES"
        " (?1, substr(?3, 1, instr(?3, ': ') - 1), ?2, substr(?3, instr(?3, ': ') + 2))",
    /* ?6: the signal's name, or NULL. */
    [WI__NOTE_END] =
        "UPDATE run SET status = ?2, error = nullif(?3, ''), ended_ms = ?5, signal = ?6,"
        " exit_status = CASE WHEN ?6 IS NULL AND ?4 >= 0 THEN ?4 END WHERE id = ?1",
    [WI__NOTE_PEAK_MEMORY] = "UPDATE run SET peak_memory = max(coalesce(peak_memory, 0), ?4)"
                             " WHERE id = ?1",
};

/* Numbers between spaces, from parameter 6 on; what is no number is NULL. SQLite reads them, in any locale. */
static int bind_columns(sqlite3_stmt *statement, const char *columns) {
    int code = SQLITE_OK, count = sqlite3_bind_parameter_count(statement);
    for (int i = 6; i <= count && code == SQLITE_OK; i++) {
        size_t length = strcspn(columns, " ");
        int is_number = *columns == '-' ? columns[1] >= '0' && columns[1] <= '9'
                                        : *columns >= '0' && *columns <= '9';
        code = is_number ? sqlite3_bind_text(statement, i, columns, (int)length, SQLITE_STATIC)
                         : sqlite3_bind_null(statement, i);
        columns += length + (columns[length] == ' ');
    }
    return code;
}

static int bind_signal(sqlite3_stmt *statement, const wi__note *note) {
    if (strcmp(note->key, "INTERRUPTED") != 0) return sqlite3_bind_null(statement, 6);
    wi__signal_words name = wi__signal_name((int)note->number);
    return sqlite3_bind_text(statement, 6, name.text, -1, SQLITE_TRANSIENT);
}

static int bind_rest(sqlite3_stmt *statement, const wi__note *note) {
    switch (note->kind) {
    case WI__NOTE_ARTIFACT:
        return sqlite3_bind_int64(statement, 6, (int64_t)strtoul(note->value, NULL, 16));
    case WI__NOTE_SECTION: return bind_columns(statement, note->value);
    case WI__NOTE_END: return bind_signal(statement, note);
    default: return SQLITE_OK;
    }
}

static int bind(sqlite3_stmt *statement, int64_t run, const wi__note *note) {
    int count = sqlite3_bind_parameter_count(statement);
    int code = sqlite3_bind_int64(statement, 1, run);
    if (code == SQLITE_OK && count >= 2)
        code = sqlite3_bind_text(statement, 2, note->key, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && count >= 3)
        code = sqlite3_bind_text(statement, 3, note->value, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && count >= 4) code = sqlite3_bind_int64(statement, 4, note->number);
    if (code == SQLITE_OK && count >= 5) code = sqlite3_bind_int64(statement, 5, note->ms);
    return code == SQLITE_OK ? bind_rest(statement, note) : code;
}

int wi__note_apply(wi__note_statements *statements, const wi__note *note) {
    unsigned kind = note->kind;
    if (kind >= WI__NOTE_KINDS || !sql_of[kind]) return SQLITE_OK;
    sqlite3_stmt **statement = &statements->of[kind];
    int code = SQLITE_OK;
    if (!*statement)
        code = sqlite3_prepare_v3(statements->db, sql_of[kind], -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
    if (code != SQLITE_OK) return code;
    code = bind(*statement, statements->run, note);
    if (code == SQLITE_OK) code = sqlite3_step(*statement);
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    return code == SQLITE_DONE || (code & 0xff) == SQLITE_CONSTRAINT ? SQLITE_OK : code;
}

void wi__note_statements_finalize(wi__note_statements *statements) {
    for (int i = 0; i < WI__NOTE_KINDS; i++) sqlite3_finalize(statements->of[i]);
}
