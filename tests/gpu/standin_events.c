/* The stand-in's streams and events: all streams are one, on which time goes by when a test says so. */
#include "standin.h"

#include <stdlib.h>

typedef struct event {
    struct event *next; /* of all that there are */
    int is_recorded;
    double at_ms; /* when the GPU comes by */
} event;

/* Handles are void *, as the library has them: UBSan compares the types of functions. */
int cuEventCreate(void **made, unsigned flags);
int cuEventDestroy_v2(void *handle);
int cuEventRecord(void *handle, void *stream);
int cuEventQuery(void *handle);
int cuEventElapsedTime(float *ms, void *start, void *end);
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

int cuEventCreate(void **made, unsigned flags) {
    BEGIN;
    if (!standin_current || flags) return INVALID_CONTEXT;
    event *it = *made = calloc(1, sizeof *it);
    if (!it) return OUT_OF_MEMORY;
    pthread_mutex_lock(&standin_lock);
    it->next = events;
    events = it;
    pthread_mutex_unlock(&standin_lock);
    return SUCCESS;
}

int cuEventDestroy_v2(void *handle) {
    event *it = handle;
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

int cuEventRecord(void *handle, void *stream) {
    event *it = handle;
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

int cuEventQuery(void *handle) {
    const event *it = handle;
    BEGIN;
    pthread_mutex_lock(&standin_lock);
    disturbances += capturing && mode_here != RELAXED;
    int is_done = it->at_ms <= now_ms;
    pthread_mutex_unlock(&standin_lock);
    return is_done ? SUCCESS : NOT_READY;
}

int cuEventElapsedTime(float *ms, void *start, void *end) {
    const event *begin = start, *after = end;
    BEGIN;
    if (!begin->is_recorded || !after->is_recorded) return INVALID_HANDLE;
    *ms = (float)(after->at_ms - begin->at_ms);
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
