/* Points on their way: as many as MLflow takes in one request. */
#ifndef WITHIN_CLI_PUSH_BATCH_H
#define WITHIN_CLI_PUSH_BATCH_H

#include <stdint.h>

#include <jansson.h>

#include "cli/push/marks.h"
#include "cli/push/stored.h"

/* MLflow's limits of a request, and room for what surrounds the points. */
enum { WI__BATCH_POINTS = 1000, WI__BATCH_TEXTS = 100, WI__BATCH_BYTES = 990000 };

typedef struct wi__push_batch_point {
    int64_t step;
    int64_t ms;
    double value;
} wi__push_batch_point;

typedef struct wi__push_batch {
    int count; /* of points */
    int ranges_count;
    size_t bytes; /* of the request, at most */
    wi__marked_range ranges[WI__BATCH_POINTS];
    char keys[WI__BATCH_POINTS][WI__REMOTE_NAME_BYTES]; /* of the ranges' series, on the server */
    wi__push_batch_point points[WI__BATCH_POINTS];      /* range after range */
    char is_there[WI__BATCH_POINTS];                    /* the server is known to have it */
} wi__push_batch;

/** The caller's, to free. @raise WI_MEMORY_ERROR */
wi__push_batch *wi__push_batch_new(void);
void wi__push_batch_clear(wi__push_batch *batch);

/**
 * Add points of a series from a position on, as far as there is room.
 * @return how many were added.
 */
int64_t wi__push_batch_add(wi_database *db, wi__push_batch *batch, int64_t series, const char *key,
                           int64_t from, int64_t count);

/** The points that are not known to be there, as MLflow's "metrics". The caller's. */
json_t *wi__push_batch_metrics(const wi__push_batch *batch);

#endif
