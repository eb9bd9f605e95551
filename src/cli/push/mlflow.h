/* What is done on an MLflow server: experiments, runs, what they hold and how they ended. */
#ifndef WITHIN_CLI_PUSH_MLFLOW_H
#define WITHIN_CLI_PUSH_MLFLOW_H

#include "cli/push/batch.h"
#include "cli/push/marks.h"
#include "cli/push/server.h"
#include "cli/push/stored.h"

/* A run as the server has it. */
typedef struct wi__remote_run {
    char experiment[WI__REMOTE_ID];
    char status[WI__STORED_STATUS];
    json_t *params, *tags; /* {"key": "value", …}; owned */
} wi__remote_run;

/** The id of an experiment, made if it is not there. */
void wi__mlflow_experiment(wi__server *server, const char *name, char id[WI__REMOTE_ID]);

/**
 * Make the run, if the marks have no id of one. If they say that it was tried, it is looked for first, by its tag
 * within.run.
 */
void wi__mlflow_create(wi__server *server, wi__marks *marks, const wi__stored_run *run,
                       const char *experiment);

/** What the server has of a run, but its points. @raise WI__SERVER_ERROR if it has none of that id. */
void wi__mlflow_read(wi__server *server, const char *remote, wi__remote_run *run);
void wi__mlflow_release(wi__remote_run *run);

/** Send the parameters and tags that the server does not have; afterwards `run` has them. @return how many. */
size_t wi__mlflow_send_texts(wi__server *server, const char *remote, wi__remote_run *run,
                             json_t *params, json_t *tags);

/** Send a batch's points, each once. */
void wi__mlflow_send_points(wi__server *server, wi_database *db, const char *remote,
                            wi__push_batch *batch);
/** The same for a batch of which the server may have some or all points. */
void wi__mlflow_send_missing(wi__server *server, wi_database *db, const char *remote,
                             wi__push_batch *batch);

/** Tell how the run is or ended, if the server has something else. */
void wi__mlflow_update(wi__server *server, const char *remote, wi__remote_run *known,
                       const wi__stored_run *run);

#endif
