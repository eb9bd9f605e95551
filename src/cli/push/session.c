/* Pushing a run: its texts, its points, its end; once, or round after round while it lives. */
#include "cli/push/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/closing.h>
#include <within/exit_stack.h>
#include <within/interrupts.h>

#include "cli/push/batch.h"
#include "cli/push/mlflow.h"
#include "cli/push/progress.h"
#include "report/utf8.h"
#include "runs/recover.h"

static const double ROUND_S = 0.5;

typedef struct session {
    wi_database *db;
    wi__server *server;
    const wi__push_wish *wish;
    wi__marks *marks;
    wi__progress *progress;
    wi__stored_run run;
    wi__remote_run remote;
    wi__push_batch *batch;
    json_t *changed;       /* what has another name or text there: {"name": "remote name"} */
    int64_t points, texts; /* sent by this call */
} session;

static const char *server_of(const session *s) { return s->server->http->url; }

/* ---- points ---- */

static void send_batch(session *s) {
    if (s->batch->count == 0) return;
    wi__marks_trying(s->marks, s->batch->ranges, s->batch->ranges_count);
    wi__mlflow_send_points(s->server, s->db, s->marks->remote, s->batch);
    s->points += s->batch->count;
    s->progress->sent += s->batch->count;
    wi__progress_show(s->progress);
    wi__push_batch_clear(s->batch);
    wi_poll();
}

static void note_series(session *s, const wi__stored_series *series) {
    if (!series->is_renamed) return;
    char *name = wi__stored_series_name(s->db, series->id);
    within (wi_closing(name, free))
        json_object_set_new(s->changed, name, json_string(series->name));
}

static void send_series(session *s, const wi__stored_series *series) {
    note_series(s, series);
    for (int64_t at = series->sent; at < series->count;) {
        int64_t added =
            wi__push_batch_add(s->db, s->batch, series->id, series->name, at, series->count - at);
        if (added == 0) send_batch(s);
        at += added;
    }
}

/* All that is in the database at this moment, or a little later. */
static void send_points(session *s) {
    enum { PAGE = 256 };
    wi__stored_series *page = wi_check_null(calloc(PAGE, sizeof *page), "series of a run");
    within (wi_closing(page, free)) {
        int64_t next = 0;
        int count;
        while ((count = wi__stored_series_from(s->db, s->run.id, server_of(s), next, page, PAGE))) {
            for (int i = 0; i < count; i++) send_series(s, &page[i]);
            next = page[count - 1].number + 1;
        }
        send_batch(s);
    }
    wi__marks_arrived(s->marks);
}

static void remote_name_of(const session *s, int64_t series, char remote[WI__REMOTE_NAME_BYTES]) {
    char *name = wi__stored_series_name(s->db, series);
    wi__remote_name(name, remote);
    free(name);
}

static void send_missing(session *s) {
    wi__mlflow_send_missing(s->server, s->db, s->marks->remote, s->batch);
    wi__push_batch_clear(s->batch);
}

/* A call before this one was stopped in the middle of a request: what it held may be there, or not. */
static void send_what_was_tried(session *s) {
    wi__marked_range ranges[WI__BATCH_POINTS];
    char name[WI__REMOTE_NAME_BYTES];
    int count = wi__marks_tried(s->marks, ranges, WI__BATCH_POINTS);
    for (int i = 0; i < count; i++) {
        int64_t added = 0;
        remote_name_of(s, ranges[i].series, name);
        while (added < ranges[i].count) {
            int64_t more = wi__push_batch_add(s->db, s->batch, ranges[i].series, name,
                                              ranges[i].from + added, ranges[i].count - added);
            if (more == 0) send_missing(s);
            added += more;
        }
    }
    if (count == 0) return;
    send_missing(s);
    wi__marks_arrived(s->marks);
}

/* ---- texts ---- */

static void send_texts(session *s) {
    within (params, wi_closing(wi__stored_params(s->db, s->run.id, s->changed), json_decref))
        within (tags, wi_closing(wi__stored_tags(s->db, s->run.id, server_of(s), s->changed),
                                 json_decref))
            s->texts += (int64_t)wi__mlflow_send_texts(s->server, s->marks->remote, &s->remote,
                                                       params->handle, tags->handle);
}

/* ---- rounds ---- */

static int is_running(const session *s) { return strcmp(s->run.status, "RUNNING") == 0; }

/* The run's end is in the database together with its last points: what is read after it is all. */
static void push_round(session *s) {
    wi__stored_read(s->db, s->run.id, &s->run);
    wi__stored_progress(s->db, s->run.id, server_of(s), &s->progress->count, &s->progress->sent);
    wi__progress_show(s->progress);
    send_texts(s);
    send_points(s);
    wi__mlflow_update(s->server, s->marks->remote, &s->remote, &s->run);
}

static void push_rounds(session *s) {
    push_round(s);
    while (s->wish->is_following && is_running(s)) {
        wi__server_pause(ROUND_S);
        wi__marks_alive(s->marks);
        wi__runs_recover(s->db->handle, s->db->path);
        push_round(s);
    }
}

static void find_or_make(session *s) {
    char experiment[WI__REMOTE_ID];
    if (!*s->marks->remote) {
        char *name =
            wi__remote_text(s->wish->experiment ? s->wish->experiment : s->run.name, 500, NULL);
        within (wi_closing(name, free)) wi__mlflow_experiment(s->server, name, experiment);
        wi__mlflow_create(s->server, s->marks, &s->run, experiment);
    }
    wi__mlflow_read(s->server, s->marks->remote, &s->remote);
}

/* ---- what is said ---- */

static void say_what_was_changed(const session *s) {
    enum { SHOWN = 4 };
    size_t count = json_object_size(s->changed), shown = 0;
    const char *name;
    json_t *remote;
    if (count == 0 || s->points + s->texts == 0) return;
    fprintf(stderr, "within push: %s: MLflow does not take as they are, and has changed or cut: ",
            s->run.name);
    json_object_foreach(s->changed, name, remote) {
        char text[300];
        if (shown == SHOWN) break;
        wi__printable(text, sizeof text, name);
        fprintf(stderr, "%s%s", shown++ ? ", " : "", text);
        wi__printable(text, sizeof text, json_string_value(remote));
        if (strcmp(name, json_string_value(remote)) != 0) fprintf(stderr, " (%s)", text);
    }
    if (count > shown) fprintf(stderr, " and %zu more", count - shown);
    fputc('\n', stderr);
}

static void say_what_was_done(const session *s) {
    char name[300];
    wi__printable(name, sizeof name, s->run.name);
    printf("%.8s %s: %" PRId64 " points, %" PRId64 " parameters and tags sent; %s: "
           "%s/#/experiments/%s/runs/%s\n",
           s->run.uuid, name, s->points, s->texts, s->remote.status, server_of(s),
           s->remote.experiment, s->marks->remote);
    fflush(stdout);
}

/* ---- the whole ---- */

static void push(session *s) {
    within (progress, wi__progress_of(s->run.name)) {
        s->progress = progress;
        find_or_make(s);
        send_what_was_tried(s);
        push_rounds(s);
    }
    say_what_was_changed(s);
    say_what_was_done(s);
}

static void release(void *self) {
    session *s = self;
    wi__stored_release(&s->run);
    wi__mlflow_release(&s->remote);
    json_decref(s->changed);
    free(s->batch);
}

void wi__push_run(wi_database *db, wi__server *server, int64_t id, const wi__push_wish *wish) {
    session s = {.db = db, .server = server, .wish = wish};
    within (stack, wi_exit_stack()) {
        wi_stack_callback(stack, release, &s);
        s.batch = wi__push_batch_new();
        s.changed = wi_check_null(json_object(), "names");
        wi__stored_read(db, id, &s.run);
        if (wish->is_again) wi__marks_forget(db, id, server_of(&s));
        within (marks, wi__marks_of(db, id, server_of(&s))) {
            s.marks = marks;
            push(&s);
        }
    }
}
