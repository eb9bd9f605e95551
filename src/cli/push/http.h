/*
 * A connection to a server: one request with JSON at a time, and what is known of how it went.
 *
 * What matters to a caller who must not say a thing twice is not only whether a request failed, but whether the
 * server can have seen it.
 */
#ifndef WITHIN_CLI_PUSH_HTTP_H
#define WITHIN_CLI_PUSH_HTTP_H

#include <curl/curl.h>

#include <within/block.h>

typedef enum wi__http_end {
    WI__HTTP_ANSWERED, /* by a whole answer, of whatever status */
    WI__HTTP_NOT_SENT, /* there was no connection: the server has seen nothing */
    WI__HTTP_IN_DOUBT, /* it was sent, or a part of it, and no whole answer came */
    WI__HTTP_HOPELESS /* not sent, and trying again does not help: no such protocol, a wrong certificate */
} wi__http_end;

typedef struct wi__http_answer {
    wi__http_end end;
    long status;
    double retry_after_s; /* as the server wishes it; 0: it says nothing */
    const char *body;     /* ends with '\0'; until the next request */
    size_t length;
    char why[CURL_ERROR_SIZE]; /* if it was not answered */
} wi__http_answer;

typedef struct wi__http {
    const wi_protocol *protocol;
    const char *url; /* the server's, without a '/' at its end; borrowed */
    double timeout_s;
    CURL *curl;
    struct curl_slist *headers;
    char *body;
    size_t length, capacity;
    char why[CURL_ERROR_SIZE];
} wi__http;

/**
 * A manager for a connection. The user's name and password, or a token, are those of MLflow's clients:
 * MLFLOW_TRACKING_USERNAME and _PASSWORD, MLFLOW_TRACKING_TOKEN. Certificates are checked, against
 * MLFLOW_TRACKING_SERVER_CERT_PATH if that is set.
 *
 * @param timeout_s  for one request, its answer included.
 * @raise on enter WI_MEMORY_ERROR.
 */
wi__http wi__http_connection(const char *url, double timeout_s);

typedef enum wi__http_repeat {
    WI__HTTP_MAY_REPEAT, /* nothing happens if the server gets it twice */
    WI__HTTP_ONCE
} wi__http_repeat;

/**
 * Send a request and wait for its answer.
 *
 * @param path  what follows the server's URL, its query included.
 * @param json  text for a POST; NULL: a GET.
 * A signal that the thread's wi_interrupts takes ends it; then it is not answered.
 */
wi__http_answer wi__http_send(wi__http *http, const char *path, const char *json,
                              wi__http_repeat repeat);

#endif
