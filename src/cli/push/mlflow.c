/* MLflow's REST API 2.0: https://mlflow.org/docs/latest/rest-api.html */
#include "cli/push/mlflow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/closing.h>

#include "cli/push/doubt.h"

#define MISSING "RESOURCE_DOES_NOT_EXIST"

/* ---- the experiment ---- */

/* @return whether there is one */
static int find_experiment(wi__server *server, const char *name, char id[WI__REMOTE_ID]) {
    json_t *answer = wi__server_ask(server, "experiments/get-by-name",
                                    json_pack("{s:s}", "experiment_name", name), MISSING);
    if (!answer) return 0;
    const char *found = NULL;
    json_unpack(answer, "{s:{s:s}}", "experiment", "experiment_id", &found);
    snprintf(id, WI__REMOTE_ID, "%s", found ? found : "");
    json_decref(answer);
    return *id != '\0';
}

/* Another may make it at the same time; then it is there. */
static int make_experiment(wi__server *server, const char *name, char id[WI__REMOTE_ID]) {
    json_t *answer = wi__server_tell(server, "experiments/create", json_pack("{s:s}", "name", name),
                                     "RESOURCE_ALREADY_EXISTS");
    if (!answer) return find_experiment(server, name, id);
    const char *made = json_string_value(json_object_get(answer, "experiment_id"));
    snprintf(id, WI__REMOTE_ID, "%s", made ? made : "");
    json_decref(answer);
    return *id != '\0';
}

void wi__mlflow_experiment(wi__server *server, const char *name, char id[WI__REMOTE_ID]) {
    if (!find_experiment(server, name, id) && !make_experiment(server, name, id))
        wi_raise(WI__SERVER_ERROR, "%s: it does not tell the experiment \"%s\"", server->http->url,
                 name);
}

/* ---- the run ---- */

static void take_run_id(const json_t *run, char id[WI__REMOTE_ID]) {
    const json_t *info = json_object_get(run, "info");
    const char *found = json_string_value(json_object_get(info, "run_id"));
    snprintf(id, WI__REMOTE_ID, "%s", found ? found : "");
}

/* The run that a request has made whose answer did not come. */
static int find_run(wi__server *server, const char *uuid, const char *experiment,
                    char id[WI__REMOTE_ID]) {
    char filter[80];
    snprintf(filter, sizeof filter, "tags.`within.run` = '%s'", uuid);
    json_t *body = json_pack("{s:[s], s:s, s:i, s:[s]}", "experiment_ids", experiment, "filter",
                             filter, "max_results", 1, "order_by", "attributes.start_time DESC");
    json_t *answer = wi__server_tell(server, "runs/search", body, NULL);
    take_run_id(json_array_get(json_object_get(answer, "runs"), 0), id);
    json_decref(answer);
    return *id != '\0';
}

static json_t *create_body(const wi__stored_run *run, const char *experiment) {
    char *name = wi__remote_text(run->name, WI__REMOTE_NAME, NULL);
    json_t *body =
        json_pack("{s:s, s:s, s:I, s:[{s:s, s:s}]}", "experiment_id", experiment, "run_name", name,
                  "start_time", (json_int_t)(run->started_ms > 0 ? run->started_ms : 0), "tags",
                  "key", "within.run", "value", run->uuid);
    free(name);
    return wi_check_null(body, "a request");
}

static void make_run(wi__server *server, const wi__stored_run *run, const char *experiment,
                     char id[WI__REMOTE_ID]) {
    within (body, wi_closing(create_body(run, experiment), json_decref)) {
        json_t *answer;
        while (!(answer = wi__server_tell_once(server, "runs/create", body->handle)))
            if (find_run(server, run->uuid, experiment, id)) break;
        if (answer) take_run_id(json_object_get(answer, "run"), id);
        json_decref(answer);
    }
    if (!*id)
        wi_raise(WI__SERVER_ERROR, "%s: it made a run, but tells no id of it", server->http->url);
}

void wi__mlflow_create(wi__server *server, wi__marks *marks, const wi__stored_run *run,
                       const char *experiment) {
    char id[WI__REMOTE_ID] = "";
    if (*marks->remote) return;
    if (!marks->is_creating)
        wi__marks_creating(marks);
    else
        find_run(server, run->uuid, experiment, id);
    if (!*id) make_run(server, run, experiment, id);
    wi__marks_created(marks, id);
}

/* ---- what the server has ---- */

/* [{"key": …, "value": …}, …] as {key: value, …} */
static json_t *by_key(const json_t *texts) {
    size_t i;
    json_t *text, *object = wi_check_null(json_object(), "texts of a run");
    json_array_foreach((json_t *)texts, i, text) {
        const char *key = json_string_value(json_object_get(text, "key"));
        const char *value = json_string_value(json_object_get(text, "value"));
        if (key) json_object_set_new(object, key, json_string(value ? value : ""));
    }
    return object;
}

static void take_run(const json_t *answer, wi__remote_run *run) {
    const json_t *found = json_object_get(answer, "run");
    const json_t *info = json_object_get(found, "info"), *data = json_object_get(found, "data");
    const char *experiment = json_string_value(json_object_get(info, "experiment_id"));
    const char *status = json_string_value(json_object_get(info, "status"));
    snprintf(run->experiment, sizeof run->experiment, "%s", experiment ? experiment : "");
    snprintf(run->status, sizeof run->status, "%s", status ? status : "");
    run->params = by_key(json_object_get(data, "params"));
    run->tags = by_key(json_object_get(data, "tags"));
}

void wi__mlflow_read(wi__server *server, const char *remote, wi__remote_run *run) {
    json_t *answer =
        wi__server_ask(server, "runs/get", json_pack("{s:s}", "run_id", remote), MISSING);
    if (!answer)
        wi_raise(WI__SERVER_ERROR,
                 "%s: it no longer has the run %s, as which this one was pushed; --again pushes it "
                 "as a new one",
                 server->http->url, remote);
    within (owned, wi_closing(answer, json_decref)) take_run(owned->handle, run);
}

void wi__mlflow_release(wi__remote_run *run) {
    json_decref(run->params);
    json_decref(run->tags);
    run->params = run->tags = NULL;
}

/* ---- texts ---- */

typedef struct texts_request {
    json_t *params, *tags; /* arrays */
    size_t bytes, count;
} texts_request;

static void add_text(json_t *to, const char *key, const json_t *value, texts_request *request) {
    json_t *text = json_pack("{s:s, s:O}", "key", key, "value", value);
    request->bytes += json_dumpb(text, NULL, 0, JSON_COMPACT) + 1;
    request->count++;
    json_array_append_new(to, text);
}

/* Take those that the server has not, as many as fit, into the request, and say that it has them. */
static void take_new(json_t *texts, json_t *known, json_t *to, texts_request *request) {
    enum { LARGEST = 60000 }; /* of a key and value, in bytes, if each character is escaped */
    const char *key;
    json_t *value;
    json_object_foreach(texts, key, value) {
        if (json_equal(json_object_get(known, key), value)) continue;
        if (json_array_size(to) == WI__BATCH_TEXTS) return;
        if (request->bytes + LARGEST > WI__BATCH_BYTES) return;
        add_text(to, key, value, request);
        json_object_set(known, key, value);
    }
}

/* Texts may be sent twice: the server sees that it has them. */
static size_t send_some_texts(wi__server *server, const char *remote, wi__remote_run *run,
                              json_t *params, json_t *tags) {
    texts_request request = {json_array(), json_array(), 200, 0};
    json_t *body = json_pack("{s:s, s:o, s:o}", "run_id", remote, "params", request.params, "tags",
                             request.tags);
    within (owned, wi_closing(body, json_decref)) {
        take_new(params, run->params, request.params, &request);
        take_new(tags, run->tags, request.tags, &request);
        if (request.count > 0)
            json_decref(
                wi__server_tell(server, "runs/log-batch", json_incref(owned->handle), NULL));
    }
    return request.count;
}

size_t wi__mlflow_send_texts(wi__server *server, const char *remote, wi__remote_run *run,
                             json_t *params, json_t *tags) {
    size_t sent, all = 0;
    do all += sent = send_some_texts(server, remote, run, params, tags);
    while (sent > 0);
    return all;
}

/* ---- points ---- */

/* @return whether it is known that they have arrived */
static int try_points(wi__server *server, const char *remote, const wi__push_batch *batch) {
    int has_arrived = 0;
    json_t *body =
        json_pack("{s:s, s:o}", "run_id", remote, "metrics", wi__push_batch_metrics(batch));
    within (owned, wi_closing(body, json_decref)) {
        json_t *answer = wi__server_tell_once(server, "runs/log-batch", owned->handle);
        has_arrived = answer != NULL;
        json_decref(answer);
    }
    return has_arrived;
}

void wi__mlflow_send_points(wi__server *server, wi_database *db, const char *remote,
                            wi__push_batch *batch) {
    while (!try_points(server, remote, batch))
        if (wi__doubt_settle(server, db, remote, batch) == 0) return;
}

void wi__mlflow_send_missing(wi__server *server, wi_database *db, const char *remote,
                             wi__push_batch *batch) {
    if (wi__doubt_settle(server, db, remote, batch) > 0)
        wi__mlflow_send_points(server, db, remote, batch);
}

/* ---- the end ---- */

void wi__mlflow_update(wi__server *server, const char *remote, wi__remote_run *known,
                       const wi__stored_run *run) {
    const char *status = wi__stored_remote_status(run);
    if (strcmp(status, known->status) == 0) return;
    json_t *body = json_pack("{s:s, s:s}", "run_id", remote, "status", status);
    if (run->ended_ms > 0)
        json_object_set_new(body, "end_time", json_integer((json_int_t)run->ended_ms));
    json_decref(wi__server_tell(server, "runs/update", body, NULL));
    snprintf(known->status, sizeof known->status, "%s", status);
}
