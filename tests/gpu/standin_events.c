/* The stand-in's streams and events: all streams are one, on which time goes by when a test says so. */
#include "standin.h"

#include <stdlib.h>

typedef struct event {
    struct event *next; /* of all that there are */
    int is_recorded;
    double at_ms; /* when the GPU comes by */
} event;

int cuEventCreate(event **made, unsigned flags);
int cuEventDestroy_v2(event *it);
int cuEventRecord(event *it, void *stream);
int cuEventQuery(event *it);
int cuEventElapsedTime(float *ms, event *start, event *end);
int cuStreamIsCapturing(void *stream, int *status);
int cuThreadExchangeStreamCaptureMode(int *mode);

static event *events;
static double now_ms, done_ms; /* how far the GPU has come, and when it has done all it was asked */
static int capturing, disturbances;
static __thread int mode_here; /* 0, global: what is not safe breaks the captures of all threads */

enum { RELAXED = 2 };

/* ---- for tests ---- */

void standin_launch(double ms) {
    pthread_mutex_lock(&standin_lock);
    if (done_ms < now_ms) done_ms = now_ms;
    done_ms += ms;
    pthread_mutex_unlock(&standin_lock);
}

void standin_run(double ms) {
    pthread_mutex_lock(&standin_lock);
    now_ms += ms;
    pthread_mutex_unlock(&standin_lock);
}

void standin_capture(int is_capturing) { capturing = is_capturing; }

int standin_disturbances(void) { return disturbances; }

/* ---- the driver's ---- */

int cuEventCreate(event **made, unsigned flags) {
    BEGIN;
    if (!standin_current || flags) return INVALID_CONTEXT;
    *made = calloc(1, sizeof **made);
    if (!*made) return OUT_OF_MEMORY;
    pthread_mutex_lock(&standin_lock);
    (*made)->next = events;
    events = *made;
    pthread_mutex_unlock(&standin_lock);
    return SUCCESS;
}

int cuEventDestroy_v2(event *it) {
    BEGIN;
    pthread_mutex_lock(&standin_lock);
    event **link = &events;
    while (*link && *link != it) link = &(*link)->next;
    int is_there = *link != NULL;
    if (is_there) *link = it->next;
    pthread_mutex_unlock(&standin_lock);
    if (!is_there) return INVALID_HANDLE;
    free(it);
    return SUCCESS;
}

int cuEventRecord(event *it, void *stream) {
    (void)stream;
    BEGIN;
    if (!standin_current) return INVALID_CONTEXT;
    pthread_mutex_lock(&standin_lock);
    disturbances += capturing;
    it->is_recorded = 1;
    it->at_ms = done_ms > now_ms ? done_ms : now_ms;
    pthread_mutex_unlock(&standin_lock);
    return SUCCESS;
}

int cuEventQuery(event *it) {
    BEGIN;
    pthread_mutex_lock(&standin_lock);
    disturbances += capturing && mode_here != RELAXED;
    int is_done = it->at_ms <= now_ms;
    pthread_mutex_unlock(&standin_lock);
    return is_done ? SUCCESS : NOT_READY;
}

int cuEventElapsedTime(float *ms, event *start, event *end) {
    BEGIN;
    if (!start->is_recorded || !end->is_recorded) return INVALID_HANDLE;
    *ms = (float)(end->at_ms - start->at_ms);
    return SUCCESS;
}

int cuStreamIsCapturing(void *stream, int *status) {
    (void)stream;
    BEGIN;
    *status = capturing;
    return SUCCESS;
}

int cuThreadExchangeStreamCaptureMode(int *mode) {
    BEGIN;
    int before = mode_here;
    mode_here = *mode;
    *mode = before;
    return SUCCESS;
}
