/* Requests with patience, and what a server's answers mean. */
#include "cli/push/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <within/closing.h>
#include <within/interrupts.h>

#include "runs/now.h"

#define API "/api/2.0/mlflow/"

wi_define_error(WI__SERVER_ERROR, WI_ERROR);

static const double FIRST_PAUSE_S = 0.1, LONGEST_PAUSE_S = 15;

/* ---- waiting ---- */

void wi__server_pause(double seconds) {
    double end_s = wi__monotonic_s() + seconds, left_s = seconds;
    wi_poll();
    while (left_s > 0) {
        struct timespec time = {(time_t)left_s, (long)((left_s - (double)(time_t)left_s) * 1e9)};
        nanosleep(&time, NULL);
        wi_poll();
        left_s = end_s - wi__monotonic_s();
    }
}

/* The words of an answer that cannot be understood: its beginning, on one line. */
static void quote(const wi__http_answer *answer, char *text, size_t size) {
    int length = answer->length < 80 ? (int)answer->length : 80;
    snprintf(text, size, "%.*s", length, answer->body);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f') *at = ' ';
}

static const char *say_what_was_wrong(const wi__http_answer *answer, char *text, size_t size) {
    char words[100];
    quote(answer, words, sizeof words);
    if (answer->end != WI__HTTP_ANSWERED)
        snprintf(text, size, "%s", answer->why);
    else if (*words)
        snprintf(text, size, "its answer (%ld) is none of MLflow's: %s", answer->status, words);
    else
        snprintf(text, size, "its answer (%ld) is empty", answer->status);
    return text;
}

/* The error that a server's own words make: {"error_code": …, "message": …}. */
_Noreturn static void refuse(const wi__server *server, const char *path, long status,
                             const json_t *json) {
    const char *code = json_string_value(json_object_get(json, "error_code"));
    const char *message = json_string_value(json_object_get(json, "message"));
    wi_raise(WI__SERVER_ERROR, "%s: %s: %ld %s%s%s", server->http->url, path, status,
             code ? code : "", code && message ? ": " : "", message ? message : "");
}

/* It failed in a way that may pass: wait, or give up. */
static void be_patient(wi__server *server, const char *path, const wi__http_answer *answer) {
    char what[500];
    wi_poll();
    say_what_was_wrong(answer, what, sizeof what);
    if (answer->end == WI__HTTP_HOPELESS)
        wi_raise(WI__SERVER_ERROR, "%s: %s: %s", server->http->url, path, what);
    double now = wi__monotonic_s();
    if (!server->failing_since_s) {
        server->failing_since_s = now;
        server->pause_s = FIRST_PAUSE_S;
    }
    double failing_s = now - server->failing_since_s, left_s = server->patience_s - failing_s;
    if (left_s <= 0)
        wi_raise(WI__SERVER_ERROR, "%s: %s: given up after %.0f s: %s", server->http->url, path,
                 failing_s, what);
    double pause_s = answer->retry_after_s > 0 ? answer->retry_after_s : server->pause_s;
    wi__server_pause(pause_s < left_s ? pause_s : left_s);
    server->pause_s *= 2;
    if (server->pause_s > LONGEST_PAUSE_S) server->pause_s = LONGEST_PAUSE_S;
}

/* ---- answers ---- */

typedef enum outcome { TAKEN, NOT_TAKEN, UNKNOWN, REFUSED } outcome;

/* @param json  the answer, if it is an object. */
static outcome judge(const wi__http_answer *answer, const json_t *json) {
    switch (answer->end) {
    case WI__HTTP_HOPELESS:
    case WI__HTTP_NOT_SENT: return NOT_TAKEN;
    case WI__HTTP_IN_DOUBT: return UNKNOWN;
    default: break;
    }
    switch (answer->status) {
    case 429: return NOT_TAKEN;
    case 500:
    case 502:
    case 503:
    case 504: return UNKNOWN;
    default: break;
    }
    if (answer->status >= 200 && answer->status < 300) return json ? TAKEN : UNKNOWN;
    return REFUSED;
}

static json_t *read_object(const wi__http_answer *answer) {
    json_error_t error;
    if (answer->end != WI__HTTP_ANSWERED) return NULL;
    json_t *json = json_loadb(answer->body, answer->length, JSON_REJECT_DUPLICATES, &error);
    if (json && !json_is_object(json)) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static int is_excepted(const json_t *json, const char *unless) {
    const char *code = json_string_value(json_object_get(json, "error_code"));
    return unless && code && strcmp(code, unless) == 0;
}

typedef struct message {
    const char *path; /* of the API */
    const char *address;
    const char *text; /* NULL: a GET */
    const char *unless;
    wi__http_repeat repeat;
} message;

/* What was refused is raised, but for the reason that was excepted; what was not taken has been waited for. */
static void react(wi__server *server, const message *request, outcome verdict,
                  const wi__http_answer *answer, const json_t *json) {
    switch (verdict) {
    case TAKEN: server->failing_since_s = 0; break;
    case REFUSED:
        if (!is_excepted(json, request->unless))
            refuse(server, request->path, answer->status, json);
        break;
    default: be_patient(server, request->path, answer);
    }
}

/* @param[out] json  the answer, if it was taken; else NULL */
static outcome send_request(wi__server *server, const message *request, json_t **json) {
    outcome verdict = REFUSED;
    wi__http_answer answer =
        wi__http_send(server->http, request->address, request->text, request->repeat);
    json_t *object = read_object(&answer);
    *json = NULL;
    within (owned, wi_closing(object ? object : json_null(), json_decref)) {
        verdict = judge(&answer, object);
        react(server, request, verdict, &answer, owned->handle);
        if (verdict == TAKEN) *json = json_incref(object);
    }
    return verdict;
}

/* Until it is taken, or refused for the reason that was excepted. */
static json_t *insist(wi__server *server, const message *request) {
    json_t *json = NULL;
    outcome verdict;
    do verdict = send_request(server, request, &json);
    while (verdict == NOT_TAKEN || verdict == UNKNOWN);
    return json;
}

/* ---- requests ---- */

/* "?run_id=…&metric_key=…" */
static void add_query(CURL *curl, FILE *out, json_t *query) {
    const char *key;
    json_t *value;
    char mark = '?';
    json_object_foreach(query, key, value) {
        char *escaped =
            curl_easy_escape(curl, json_string_value(value), (int)json_string_length(value));
        fprintf(out, "%c%s=%s", mark, key, escaped ? escaped : "");
        curl_free(escaped);
        mark = '&';
    }
}

static char *address_of(const wi__server *server, const char *path, json_t *query) {
    char *address = NULL;
    size_t length;
    FILE *out = wi_check_null(open_memstream(&address, &length), "%s", path);
    fprintf(out, API "%s", path);
    if (query) add_query(server->http->curl, out, query);
    fclose(out);
    return address;
}

json_t *wi__server_ask(wi__server *server, const char *path, json_t *query, const char *unless) {
    json_t *json = NULL;
    char *address = address_of(server, path, query);
    json_decref(query);
    within (wi_closing(address, free)) {
        message request = {path, address, NULL, unless, WI__HTTP_MAY_REPEAT};
        json = insist(server, &request);
    }
    return json;
}

static char *text_of(const json_t *body) {
    char *text = json_dumps(body, JSON_COMPACT);
    if (!text) wi_raise(WI_MEMORY_ERROR, "no memory for a request");
    return text;
}

json_t *wi__server_tell(wi__server *server, const char *path, json_t *body, const char *unless) {
    json_t *json = NULL;
    char *address = address_of(server, path, NULL);
    within (wi_closing(address, free))
        within (owned, wi_closing(body, json_decref))
            within (text, wi_closing(text_of(owned->handle), free)) {
                message request = {path, address, text->handle, unless, WI__HTTP_MAY_REPEAT};
                json = insist(server, &request);
            }
    return json;
}

json_t *wi__server_tell_once(wi__server *server, const char *path, const json_t *body) {
    json_t *json = NULL;
    char *address = address_of(server, path, NULL);
    within (wi_closing(address, free))
        within (text, wi_closing(text_of(body), free)) {
            message request = {path, address, text->handle, NULL, WI__HTTP_ONCE};
            json_t *answer = NULL;
            outcome verdict;
            do verdict = send_request(server, &request, &answer);
            while (verdict == NOT_TAKEN);
            json = answer;
        }
    return json;
}
