/* Requests by libcurl. */
#include "cli/push/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/interrupts.h>
#include <within/version.h>

enum { MOST_BODY = 256 << 20, CONNECT_TIMEOUT_MS = 15000 };

/* ---- what comes back ---- */

static int reserve(wi__http *http, size_t size) {
    size_t capacity = http->capacity ? http->capacity : 4096;
    while (capacity < size) capacity *= 2;
    if (capacity == http->capacity) return 1;
    char *body = realloc(http->body, capacity);
    if (!body) return 0;
    http->body = body;
    http->capacity = capacity;
    return 1;
}

/* Another number than what came ends the transfer. */
static size_t take_body(char *bytes, size_t one, size_t count, void *self) {
    wi__http *http = self;
    (void)one;
    if (http->length + count > MOST_BODY || !reserve(http, http->length + count + 1)) return 0;
    memcpy(http->body + http->length, bytes, count);
    http->length += count;
    http->body[http->length] = '\0';
    return count;
}

/* libcurl asks some times a second, and when a signal ended its waiting. */
static int is_to_end(void *self, curl_off_t down, curl_off_t down_now, curl_off_t up,
                     curl_off_t up_now) {
    (void)self, (void)down, (void)down_now, (void)up, (void)up_now;
    return wi_interrupted() != 0;
}

/* ---- the connection ---- */

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void authenticate(CURL *curl) {
    const char *user = environment("MLFLOW_TRACKING_USERNAME");
    const char *password = environment("MLFLOW_TRACKING_PASSWORD");
    const char *token = environment("MLFLOW_TRACKING_TOKEN");
    if (user && password) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
    } else if (token) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token);
    }
}

static void allow_the_web_alone(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

static void set_up(wi__http *http) {
    CURL *curl = http->curl;
    const char *certificates = environment("MLFLOW_TRACKING_SERVER_CERT_PATH");
    allow_the_web_alone(curl);
    authenticate(curl);
    if (certificates) curl_easy_setopt(curl, CURLOPT_CAINFO, certificates);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(http->timeout_s * 1e3) + 1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_to_end);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "within/" WI_VERSION);
}

static void release(wi__http *http) {
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    free(http->body);
    http->curl = NULL;
    http->headers = NULL;
    http->body = NULL;
}

static int add_header(wi__http *http, const char *header) {
    struct curl_slist *longer = curl_slist_append(http->headers, header);
    if (longer) http->headers = longer;
    return longer != NULL;
}

static void http_enter(void *self) {
    wi__http *http = self;
    http->curl = curl_easy_init();
    /* Without the second, libcurl asks first whether a long request may come, and waits. */
    if (!http->curl || !add_header(http, "Content-Type: application/json") ||
        !add_header(http, "Expect:") || !reserve(http, 1)) {
        release(http);
        wi_raise(WI_MEMORY_ERROR, "%s: no memory for a connection", http->url);
    }
    set_up(http);
}

static wi_verdict http_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    release(self);
    return WI_PROPAGATE;
}

static void http_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi__http *)self)->url);
}

static const wi_protocol http_protocol = {"connection", http_enter, http_exit, http_describe};

wi__http wi__http_connection(const char *url, double timeout_s) {
    return (wi__http){.protocol = &http_protocol, .url = url, .timeout_s = timeout_s};
}

/* ---- a request ---- */

static wi__http_end end_of(CURL *curl, CURLcode code) {
    long sent = 0;
    switch (code) {
    case CURLE_OK: return WI__HTTP_ANSWERED;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return WI__HTTP_HOPELESS;
    default: break;
    }
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    return sent == 0 ? WI__HTTP_NOT_SENT : WI__HTTP_IN_DOUBT;
}

/* On a kept connection that breaks before the answer, libcurl sends a request again by itself. */
static void choose_connection(CURL *curl, wi__http_repeat repeat) {
    long is_fresh = repeat == WI__HTTP_ONCE;
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, is_fresh);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, is_fresh);
}

static CURLcode perform(wi__http *http, const char *path, const char *json) {
    char *url = NULL;
    if (asprintf(&url, "%s%s", http->url, path) < 0) return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    if (json) {
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json));
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, json);
    } else {
        curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    }
    CURLcode code = curl_easy_perform(http->curl);
    free(url);
    return code;
}

wi__http_answer wi__http_send(wi__http *http, const char *path, const char *json,
                              wi__http_repeat repeat) {
    wi__http_answer answer = {.status = 0};
    curl_off_t retry_after = 0;
    http->length = 0;
    http->body[0] = http->why[0] = '\0';
    choose_connection(http->curl, repeat);
    CURLcode code = perform(http, path, json);
    answer.end = end_of(http->curl, code);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after);
    answer.retry_after_s = (double)retry_after;
    answer.body = http->body;
    answer.length = http->length;
    snprintf(answer.why, sizeof answer.why, "%s",
             *http->why ? http->why : curl_easy_strerror(code));
    return answer;
}
