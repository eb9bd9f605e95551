/*
 * Which points of a batch the server has, when it is not known whether a request has reached it.
 *
 * MLflow's servers on a database drop a point that is there already, with the same step, time and value; others store
 * it again. So its history is read, and a point counts as arrived if it is there more often than the run has the same
 * point before. Where the same point is in a run several times, a server that drops them is sent the second again,
 * which changes nothing there.
 */
#ifndef WITHIN_CLI_PUSH_DOUBT_H
#define WITHIN_CLI_PUSH_DOUBT_H

#include "cli/push/batch.h"
#include "cli/push/server.h"

/**
 * Set `is_there` of the points of a batch.
 *
 * @param remote  the run's id on the server.
 * @return how many are not there.
 *
 * Cost: the server reads and sends the whole history of each series in the batch.
 */
int wi__doubt_settle(wi__server *server, wi_database *db, const char *remote,
                     wi__push_batch *batch);

#endif
