/*
 * What an MLflow server is asked and told by its REST API, and the patience with one that does not answer.
 *
 * Trouble that passes (no connection, 429, 500, 502, 503, 504, an answer that breaks off or is no JSON) is tried
 * again, after longer and longer pauses, until the patience is over. Anything else is raised with the server's words.
 */
#ifndef WITHIN_CLI_PUSH_SERVER_H
#define WITHIN_CLI_PUSH_SERVER_H

#include <jansson.h>

#include "cli/push/http.h"

/* What a server says no to, or does not say at all. */
wi_declare_error(WI__SERVER_ERROR);

typedef struct wi__server {
    wi__http *http;
    double patience_s;      /* how long it may fail without a break */
    double failing_since_s; /* of CLOCK_MONOTONIC; 0: it answered last time */
    double pause_s;
} wi__server;

/**
 * Ask for something (GET), or tell it something that may be told twice (POST).
 *
 * @param path    of the API, "runs/get".
 * @param query   its values are strings; NULL: none. Taken over.
 * @param body    taken over.
 * @param unless  an error code of MLflow's, RESOURCE_DOES_NOT_EXIST: then NULL is given back. May be NULL.
 * @return an object, the caller's.
 * @raise WI__SERVER_ERROR, and WI_INTERRUPTED.
 */
json_t *wi__server_ask(wi__server *server, const char *path, json_t *query, const char *unless);
json_t *wi__server_tell(wi__server *server, const char *path, json_t *body, const char *unless);

/**
 * Tell it something that must not be told twice.
 *
 * @param body  borrowed.
 * @return its answer; NULL if it is not known whether the server has taken it. Some time has passed then: ask it,
 *         and tell it again if it has not.
 */
json_t *wi__server_tell_once(wi__server *server, const char *path, const json_t *body);

/** Sleep, but not longer than a signal that asks for the end. @raise WI_INTERRUPTED */
void wi__server_pause(double seconds);

#endif
