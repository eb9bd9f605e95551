/* Runs whose process is dead: found by their live folders, and by rows that have none. */
#include "runs/recover.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <within/sqlite.h>

#include "runs/compact.h"
#include "runs/drain.h"
#include "runs/drain_notes.h"
#include "runs/live.h"
#include "runs/process_record.h"
#include "runs/sections.h"
#include "runs/sql.h"

/* A run that is found dead. */
typedef struct corpse {
    sqlite3 *db;
    const char *database;
    wi__live live;
    int64_t row; /* 0: it was killed before it had one */
    char owner[WI__OWNER_TEXT];
    int is_running; /* the row says so */
    int64_t ended_ms;
    char *doing;
    int has_record, has_before;
    wi__profile record, before; /* of the process: at its death, and when the run began */
} corpse;

static void check(const corpse *dead, int code) {
    wi_sqlite_check(dead->db, code, "bring in the run %s", dead->live.id);
}

/* ---- its row ---- */

static void read_row(corpse *dead) {
    sqlite3_stmt *row;
    int code = wi__sql_prepare(dead->db, &row,
                               "SELECT id, status = 'RUNNING', owner, started_ms FROM run"
                               " WHERE uuid = ?",
                               "t", dead->live.id);
    dead->row = 0;
    code = wi__sql_step(row, code);
    if (code == SQLITE_ROW) {
        const char *owner = (const char *)sqlite3_column_text(row, 2);
        dead->row = sqlite3_column_int64(row, 0);
        dead->is_running = sqlite3_column_int(row, 1);
        dead->ended_ms = sqlite3_column_int64(row, 3);
        snprintf(dead->owner, sizeof dead->owner, "%s", owner ? owner : "");
    }
    sqlite3_finalize(row);
    check(dead, code);
}

/* ---- its journal ---- */

static void drain(const corpse *dead) {
    wi__points *points = wi__points_open(dead->live.folder);
    int notes = wi__notes_open(dead->live.folder);
    int code = wi__drain(dead->db, dead->row, points, notes, 1);
    if (points) wi__points_close(points);
    if (notes >= 0) close(notes);
    check(dead, code);
}

/* ---- how it ended ---- */

static void at_least(int64_t *ms, int64_t other) {
    if (other > *ms) *ms = other;
}

static int64_t end_of_record_ms(const wi__profile *record) {
    const wi__anchor *last = &record->header.last;
    double behind = wi__profile_seconds(record, (double)record->end - (double)last->ticks);
    return (int64_t)(last->realtime_ns / 1000000) + (int64_t)(1e3 * behind);
}

/* Its last sign of life. */
static void find_end(corpse *dead) {
    struct stat notes;
    sqlite3_stmt *last;
    int code = wi__sql_prepare(dead->db, &last, "SELECT max(last_ms) FROM series WHERE run = ?",
                               "i", dead->row);
    code = wi__sql_step(last, code);
    if (code == SQLITE_ROW) at_least(&dead->ended_ms, sqlite3_column_int64(last, 0));
    sqlite3_finalize(last);
    check(dead, code);
    if (fstatat(dead->live.folder, "notes", &notes, 0) == 0)
        at_least(&dead->ended_ms,
                 (int64_t)notes.st_mtim.tv_sec * 1000 + notes.st_mtim.tv_nsec / 1000000);
    if (dead->has_record) at_least(&dead->ended_ms, end_of_record_ms(&dead->record));
}

static int apply(void *arg, const wi__note *note) { return wi__note_apply(arg, note); }

static void insert_sections(corpse *dead) {
    const wi__profile *before = dead->has_before ? &dead->before : NULL;
    wi__note_statements statements = {.db = dead->db, .run = dead->row};
    if (before && !wi__sections_subtract(&dead->record, before)) return;
    int code = wi__sections_each(&dead->record, before, apply, &statements);
    wi__note_statements_finalize(&statements);
    check(dead, code);
}

static void read_records(corpse *dead) {
    dead->has_record = wi__process_record_read(dead->live.folder, dead->owner, &dead->record);
    if (!dead->has_record) return;
    dead->has_before = wi__process_record_read_copy(dead->live.folder, &dead->before);
    dead->doing = wi__process_record_doing(&dead->record, dead->database);
}

static void set_killed(corpse *dead) {
    find_end(dead);
    within (wi_transaction_on(dead->db)) {
        check(dead, wi__sql_run(dead->db,
                                "UPDATE run SET status = 'KILLED', ended_ms = ?, doing = ?"
                                " WHERE id = ? AND status = 'RUNNING'",
                                "iti", dead->ended_ms, dead->doing, dead->row));
        if (dead->has_record) insert_sections(dead);
    }
}

/* ---- a folder ---- */

static void bring_in(void *arg) {
    corpse *dead = arg;
    read_row(dead);
    if (!dead->row) return;
    drain(dead);
    read_row(dead);
    if (dead->is_running) {
        read_records(dead);
        set_killed(dead);
    }
    check(dead, wi__compact(dead->db, dead->row));
}

static void release(corpse *dead) {
    if (dead->has_record) wi__profile_release(&dead->record);
    if (dead->has_before) wi__profile_release(&dead->before);
    free(dead->doing);
}

static int bring_in_or_say(corpse *dead) {
    wi_error *error;
    int is_in = wi_call(bring_in, dead, &error);
    release(dead);
    if (is_in) {
        wi__live_remove(&dead->live);
        return 1;
    }
    fprintf(stderr,
            "within: %s: a run of a dead process could not be brought in, and is left: %s\n",
            dead->live.path, wi_error_message(error));
    wi_error_free(error);
    wi__live_release(&dead->live, 0);
    return 0;
}

static int is_id(const char *name) {
    return strlen(name) == WI_RUN_ID_LENGTH && strspn(name, "0123456789abcdef") == WI_RUN_ID_LENGTH;
}

static int look_at_folders(sqlite3 *db, const char *path, const char *root) {
    int found = 0;
    DIR *stream = opendir(root);
    for (struct dirent *each; stream && (each = readdir(stream));) {
        corpse dead = {.db = db, .database = path};
        if (is_id(each->d_name) && wi__live_take(&dead.live, path, each->d_name) == WI__LIVE_DEAD)
            found += bring_in_or_say(&dead);
    }
    if (stream) closedir(stream);
    return found;
}

/* ---- rows without a folder ---- */

typedef struct rows {
    sqlite3 *db;
    const char *root;
    int found;
} rows;

static int has_folder(const char *root, const char *id) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, id);
    return access(path, F_OK) == 0;
}

static int is_lost(const rows *all, sqlite3_stmt *row) {
    const char *id = (const char *)sqlite3_column_text(row, 1);
    const char *owner = (const char *)sqlite3_column_text(row, 2);
    return id && !has_folder(all->root, id) &&
           (!owner || wi__owner_state_of_text(owner) == WI__OWNER_DEAD);
}

/* The owner is asked for again: a run that is resumed meanwhile has another. */
static int set_row_killed(sqlite3 *db, int64_t row, const char *owner) {
    return wi__sql_run(db,
                       "UPDATE run SET status = 'KILLED', ended_ms = coalesce((SELECT max(last_ms)"
                       " FROM series WHERE run = run.id), started_ms)"
                       " WHERE id = ? AND status = 'RUNNING' AND owner IS ?",
                       "it", row, owner);
}

/* Their folder is looked for first: a run that ends has another status before its folder goes. */
static void set_lost_ones_killed(void *arg) {
    rows *all = arg;
    sqlite3_stmt *row;
    int code = wi__sql_prepare(all->db, &row,
                               "SELECT id, uuid, owner FROM run WHERE status = 'RUNNING'", "");
    while ((code = wi__sql_step(row, code)) == SQLITE_ROW) {
        code = SQLITE_OK;
        if (!is_lost(all, row)) continue;
        code = set_row_killed(all->db, sqlite3_column_int64(row, 0),
                              (const char *)sqlite3_column_text(row, 2));
        if (code == SQLITE_OK) all->found += sqlite3_changes(all->db);
    }
    sqlite3_finalize(row);
    if (code != SQLITE_DONE) wi_sqlite_check(all->db, code, "put runs of dead processes right");
}

static int look_at_rows(sqlite3 *db, const char *root) {
    rows all = {db, root, 0};
    wi_error *error;
    if (wi_call(set_lost_ones_killed, &all, &error)) return all.found;
    fprintf(stderr, "within: %s\n", wi_error_message(error));
    wi_error_free(error);
    return all.found;
}

int wi__runs_recover(sqlite3 *db, const char *path) {
    char root[PATH_MAX];
    if (wi__live_root(path, root) != 0) return 0;
    int found = look_at_folders(db, path, root);
    found += look_at_rows(db, root);
    wi__process_record_sweep(root);
    return found;
}

/* ---- runs of elsewhere ---- */

static void refuse_living(const corpse *dead) {
    if (wi__owner_state_of_text(dead->owner) == WI__OWNER_ALIVE)
        wi_raise(WI_VALUE_ERROR, "run %s lives: its process is of this host", dead->live.id);
}

int wi__runs_close(sqlite3 *db, const char *path, const char *id) {
    corpse dead = {.db = db, .database = path};
    wi__live_state state = wi__live_take_from_elsewhere(&dead.live, path, id);
    if (state == WI__LIVE_DEAD) return bring_in_or_say(&dead);
    read_row(&dead);
    refuse_living(&dead);
    if (state == WI__LIVE_HELD)
        wi_raise(WI_VALUE_ERROR, "run %s lives: its lock is held", dead.live.id);
    check(&dead, set_row_killed(db, dead.row, dead.owner[0] ? dead.owner : NULL));
    return 1;
}

sqlite3 *wi__runs_open(wi_database *store, const char *path) {
    if (!wi__store_may_be_written(path) && access(path, F_OK) == 0)
        return wi__store_open(store, path, WI__STORE_READ, 0);
    wi__store_open(store, path, WI__STORE_WRITE, 0);
    wi__runs_recover(store->handle, path);
    return store->handle;
}
