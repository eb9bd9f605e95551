/* The tables of what was pushed. */
#include "cli/push/marks.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/push/query.h"
#include "manage/owner.h"
#include "runs/now.h"

/* One of another host that has said nothing for so long is taken for dead. */
static const int64_t SILENT_MS = 300000, REFRESH_MS = 20000;

/* ---- the state: {"owner": …, "ms": …, "creating": …} ---- */

static const char *own_name(void) {
    static char name[NAME_MAX + 1];
    if (!*name) wi__owned_name("push", name);
    return name;
}

static int is_another(const char *name, int64_t ms, wi__owner *owner) {
    if (strcmp(name, own_name()) == 0 || !wi__owner_of_name(name, owner)) return 0;
    switch (wi__owner_state_of(owner)) {
    case WI__OWNER_DEAD: return 0;
    case WI__OWNER_ALIVE: return 1;
    default: return wi__now_ms() - ms < SILENT_MS;
    }
}

static void check_owner(const wi__marks *marks, const json_t *state) {
    wi__owner owner;
    const char *name = json_string_value(json_object_get(state, "owner"));
    int64_t ms = json_integer_value(json_object_get(state, "ms"));
    if (!name || !is_another(name, ms, &owner)) return;
    wi_raise(WI_BUSY_ERROR, "%s: it is being pushed there by process %u%s", marks->server,
             owner.process.pid,
             wi__owner_state_of(&owner) == WI__OWNER_ALIVE
                 ? ""
                 : " of another host, or was less than five minutes ago");
}

static char *state_text(wi__marks *marks, int is_owned) {
    marks->written_ms = wi__now_ms();
    json_t *state = json_pack("{s:s?, s:I, s:b}", "owner", is_owned ? own_name() : NULL, "ms",
                              (json_int_t)marks->written_ms, "creating", marks->is_creating);
    char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
    json_decref(state);
    if (!text) wi_raise(WI_MEMORY_ERROR, "no memory for a mark");
    return text;
}

static void write_state(wi__marks *marks, int is_owned) {
    within (text, wi_closing(state_text(marks, is_owned), free))
        within (s,
                wi__push_query(marks->db,
                               "INSERT INTO pushed (run, server, remote, state) VALUES (?, ?, ?, ?)"
                               " ON CONFLICT (run, server) DO UPDATE SET remote = excluded.remote,"
                               " state = excluded.state")) {
            wi__push_bind_int(s->handle, 1, marks->run);
            wi__push_bind_text(s->handle, 2, marks->server);
            wi__push_bind_text(s->handle, 3, marks->remote);
            wi__push_bind_text(s->handle, 4, text->handle);
            wi__push_finish(marks->db, s->handle);
        }
}

static void take_state(wi__marks *marks, sqlite3_stmt *row) {
    json_t *state = json_loads(wi__push_text(row, 1), 0, NULL);
    within (owned, wi_closing(state ? state : json_object(), json_decref)) {
        check_owner(marks, owned->handle);
        snprintf(marks->remote, sizeof marks->remote, "%s", wi__push_text(row, 0));
        marks->is_creating = json_is_true(json_object_get(owned->handle, "creating"));
    }
}

static void read_state(wi__marks *marks) {
    within (s, wi__push_query(marks->db,
                              "SELECT remote, state FROM pushed WHERE run = ? AND server = ?")) {
        wi__push_bind_int(s->handle, 1, marks->run);
        wi__push_bind_text(s->handle, 2, marks->server);
        if (wi__push_next(marks->db, s->handle)) take_state(marks, s->handle);
    }
}

/* ---- the block ---- */

static void marks_enter(void *self) {
    wi__marks *marks = self;
    within (wi_transaction(marks->db)) {
        read_state(marks);
        write_state(marks, 1);
    }
}

static void give_up(void *self) {
    wi__marks *marks = self;
    within (wi_transaction(marks->db)) write_state(marks, 0);
}

/* If it cannot be said that the run is free, the end of this process says it. */
static wi_verdict marks_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_call(give_up, self, NULL);
    return WI_PROPAGATE;
}

static void marks_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi__marks *)self)->server);
}

static const wi_protocol marks_protocol = {"push", marks_enter, marks_exit, marks_describe};

wi__marks wi__marks_of(wi_database *db, int64_t run, const char *server) {
    return (wi__marks){.protocol = &marks_protocol, .db = db, .run = run, .server = server};
}

static void run_for_server(wi_database *db, const char *sql, int64_t run, const char *server) {
    within (s, wi__push_query(db, sql)) {
        wi__push_bind_int(s->handle, 1, run);
        wi__push_bind_text(s->handle, 2, server);
        wi__push_finish(db, s->handle);
    }
}

void wi__marks_forget(wi_database *db, int64_t run, const char *server) {
    wi__marks marks = wi__marks_of(db, run, server);
    within (wi_transaction(db)) {
        read_state(&marks);
        run_for_server(db, "DELETE FROM pushed_series WHERE run = ? AND server = ?", run, server);
        run_for_server(db, "DELETE FROM pushed WHERE run = ? AND server = ?", run, server);
    }
}

/* ---- steps ---- */

void wi__marks_creating(wi__marks *marks) {
    marks->is_creating = 1;
    within (wi_transaction(marks->db)) write_state(marks, 1);
}

void wi__marks_created(wi__marks *marks, const char *remote) {
    snprintf(marks->remote, sizeof marks->remote, "%s", remote);
    marks->is_creating = 0;
    within (wi_transaction(marks->db)) write_state(marks, 1);
}

void wi__marks_alive(wi__marks *marks) {
    if (wi__now_ms() - marks->written_ms < REFRESH_MS) return;
    within (wi_transaction(marks->db)) write_state(marks, 1);
}

static void settle(const wi__marks *marks) {
    run_for_server(marks->db,
                   "UPDATE pushed_series SET sent = tried WHERE run = ? AND server = ?"
                   " AND tried > sent",
                   marks->run, marks->server);
}

static void add_range(const wi__marks *marks, sqlite3_stmt *insert, const wi__marked_range *range) {
    wi__push_bind_int(insert, 1, range->series);
    wi__push_bind_text(insert, 2, marks->server);
    wi__push_bind_int(insert, 3, marks->run);
    wi__push_bind_int(insert, 4, range->from);
    wi__push_bind_int(insert, 5, range->from + range->count);
    wi__push_finish(marks->db, insert);
}

void wi__marks_trying(wi__marks *marks, const wi__marked_range *ranges, int count) {
    wi__marks_alive(marks);
    within (wi_transaction(marks->db)) {
        settle(marks);
        within (s, wi__push_query(marks->db,
                                  "INSERT INTO pushed_series (series, server, run, sent, tried)"
                                  " VALUES (?, ?, ?, ?, ?) ON CONFLICT (series, server)"
                                  " DO UPDATE SET tried = excluded.tried"))
            for (int i = 0; i < count; i++) add_range(marks, s->handle, &ranges[i]);
    }
}

void wi__marks_arrived(wi__marks *marks) {
    within (wi_transaction(marks->db)) settle(marks);
}

int wi__marks_tried(wi__marks *marks, wi__marked_range *ranges, int most) {
    int count = 0;
    within (s,
            wi__push_query(marks->db, "SELECT series, sent, tried - sent FROM pushed_series"
                                      " WHERE run = ? AND server = ? AND tried > sent LIMIT ?")) {
        wi__push_bind_int(s->handle, 1, marks->run);
        wi__push_bind_text(s->handle, 2, marks->server);
        wi__push_bind_int(s->handle, 3, most);
        while (count < most && wi__push_next(marks->db, s->handle)) {
            ranges[count++] = (wi__marked_range){sqlite3_column_int64(s->handle, 0),
                                                 sqlite3_column_int64(s->handle, 1),
                                                 sqlite3_column_int64(s->handle, 2)};
        }
    }
    return count;
}
