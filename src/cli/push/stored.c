/* Reading a run. */
#include "cli/push/stored.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/push/query.h"

/* ---- its row ---- */

static void take_row(sqlite3_stmt *row, wi__stored_run *run) {
    snprintf(run->uuid, sizeof run->uuid, "%s", wi__push_text(row, 0));
    snprintf(run->status, sizeof run->status, "%s", wi__push_text(row, 1));
    run->started_ms = sqlite3_column_int64(row, 2);
    run->ended_ms = sqlite3_column_int64(row, 3);
    if (!run->name) run->name = wi_check_null(strdup(wi__push_text(row, 4)), "a run's name");
}

void wi__stored_read(wi_database *db, int64_t id, wi__stored_run *run) {
    run->id = id;
    within (s, wi__push_query(
                   db, "SELECT uuid, status, started_ms, ended_ms, name FROM run WHERE id = ?")) {
        wi__push_bind_int(s->handle, 1, id);
        if (!wi__push_next(db, s->handle))
            wi_raise(WI_LOOKUP_ERROR, "%s: the run is no longer there", db->path);
        take_row(s->handle, run);
    }
}

void wi__stored_release(wi__stored_run *run) {
    free(run->name);
    run->name = NULL;
}

const char *wi__stored_remote_status(const wi__stored_run *run) {
    return strcmp(run->status, "INTERRUPTED") == 0 ? "KILLED" : run->status;
}

/* ---- texts ---- */

static void add_text(json_t *texts, const char *key, const char *value, size_t most,
                     json_t *changed) {
    char remote[WI__REMOTE_NAME_BYTES];
    int is_changed = wi__remote_name(key, remote), is_value_changed = 0;
    char *cut = wi__remote_text(value, most, &is_value_changed);
    within (wi_closing(cut, free)) {
        json_object_set_new(texts, remote, json_string(cut));
        if (!is_changed && !is_value_changed) continue;
        char *whole = wi__remote_text(key, WI__REMOTE_PARAM, NULL);
        json_object_set_new(changed, whole, json_string(remote));
        free(whole);
    }
}

/* Those of a statement that has two columns, and the run and the server as parameters. */
static json_t *read_texts(wi_database *db, const char *sql, int64_t run, const char *server,
                          size_t most, json_t *changed) {
    json_t *texts = wi_check_null(json_object(), "texts of a run");
    within (owned, wi_closing(json_incref(texts), json_decref))
        within (s, wi__push_query(db, sql)) {
            wi__push_bind_int(s->handle, 1, run);
            if (server) wi__push_bind_text(s->handle, 2, server);
            while (wi__push_next(db, s->handle))
                add_text(owned->handle, wi__push_text(s->handle, 0), wi__push_text(s->handle, 1),
                         most, changed);
        }
    return texts;
}

json_t *wi__stored_params(wi_database *db, int64_t run, json_t *changed) {
    return read_texts(db, "SELECT key, value FROM param WHERE run = ?1 ORDER BY key", run, NULL,
                      WI__REMOTE_PARAM, changed);
}

/* The run's own come last: they count where one has the name of another. */
static const char tags_sql[] =
    "SELECT 'mlflow.user', user FROM run WHERE id = ?1 AND user IS NOT NULL"
    " UNION ALL SELECT 'mlflow.source.name', command FROM run WHERE id = ?1 AND command IS NOT NULL"
    " UNION ALL SELECT 'mlflow.source.type', 'LOCAL'"
    " UNION ALL SELECT 'mlflow.source.git.commit', value FROM environment"
    "  WHERE run = ?1 AND key = 'git.commit'"
    " UNION ALL SELECT 'mlflow.parentRunId', remote FROM run JOIN pushed ON pushed.run = parent"
    "  WHERE id = ?1 AND server = ?2 AND remote <> ''"
    " UNION ALL SELECT 'within.parent', p.uuid FROM run r JOIN run p ON p.id = r.parent WHERE r.id "
    "= ?1"
    " UNION ALL SELECT 'within.run', uuid FROM run WHERE id = ?1"
    " UNION ALL SELECT 'within.status', status FROM run WHERE id = ?1"
    " UNION ALL SELECT 'within.error', error FROM run WHERE id = ?1 AND error IS NOT NULL"
    " UNION ALL SELECT 'within.doing', doing FROM run WHERE id = ?1 AND doing IS NOT NULL"
    " UNION ALL SELECT 'within.signal', signal FROM run WHERE id = ?1 AND signal IS NOT NULL"
    " UNION ALL SELECT 'within.exit_status', exit_status FROM run"
    "  WHERE id = ?1 AND exit_status IS NOT NULL"
    " UNION ALL SELECT 'within.peak_memory', peak_memory FROM run"
    "  WHERE id = ?1 AND peak_memory IS NOT NULL"
    " UNION ALL SELECT 'within.host', host FROM run WHERE id = ?1 AND host IS NOT NULL"
    " UNION ALL SELECT 'within.directory', directory FROM run WHERE id = ?1 AND directory IS NOT "
    "NULL"
    " UNION ALL SELECT 'within.' || key, value FROM environment WHERE run = ?1"
    " UNION ALL SELECT key, value FROM tag WHERE run = ?1";

json_t *wi__stored_tags(wi_database *db, int64_t run, const char *server, json_t *changed) {
    return read_texts(db, tags_sql, run, server, WI__REMOTE_TAG, changed);
}

/* ---- series ---- */

static const char series_sql[] =
    "SELECT id, number, coalesce(sent, 0), count, name FROM series"
    " LEFT JOIN pushed_series p ON p.series = series.id AND p.server = ?2"
    " WHERE series.run = ?1 AND number >= ?3 AND count > coalesce(sent, 0) ORDER BY number LIMIT "
    "?4";

static void take_series(sqlite3_stmt *row, wi__stored_series *series) {
    series->id = sqlite3_column_int64(row, 0);
    series->number = sqlite3_column_int64(row, 1);
    series->sent = sqlite3_column_int64(row, 2);
    series->count = sqlite3_column_int64(row, 3);
    series->is_renamed = wi__remote_name(wi__push_text(row, 4), series->name);
}

int wi__stored_series_from(wi_database *db, int64_t run, const char *server, int64_t number,
                           wi__stored_series *series, int most) {
    int count = 0;
    within (s, wi__push_query(db, series_sql)) {
        wi__push_bind_int(s->handle, 1, run);
        wi__push_bind_text(s->handle, 2, server);
        wi__push_bind_int(s->handle, 3, number);
        wi__push_bind_int(s->handle, 4, most);
        while (count < most && wi__push_next(db, s->handle))
            take_series(s->handle, &series[count++]);
    }
    return count;
}

char *wi__stored_series_name(wi_database *db, int64_t series) {
    char *name = NULL;
    within (s, wi__push_query(db, "SELECT name FROM series WHERE id = ?")) {
        wi__push_bind_int(s->handle, 1, series);
        wi__push_next(db, s->handle);
        name = wi__remote_text(wi__push_text(s->handle, 0), SIZE_MAX, NULL);
    }
    return name;
}

void wi__stored_progress(wi_database *db, int64_t run, const char *server, int64_t *count,
                         int64_t *sent) {
    within (s, wi__push_query(db,
                              "SELECT sum(count), sum(sent) FROM series LEFT JOIN pushed_series p"
                              " ON p.series = series.id AND p.server = ?2 WHERE series.run = ?1")) {
        wi__push_bind_int(s->handle, 1, run);
        wi__push_bind_text(s->handle, 2, server);
        wi__push_next(db, s->handle);
        *count = sqlite3_column_int64(s->handle, 0);
        *sent = sqlite3_column_int64(s->handle, 1);
    }
}
