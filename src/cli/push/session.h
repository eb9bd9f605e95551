/* One run on its way to a server: from what it lacks there to what it has to tell. */
#ifndef WITHIN_CLI_PUSH_SESSION_H
#define WITHIN_CLI_PUSH_SESSION_H

#include "cli/push/server.h"
#include "cli/push/stored.h"

typedef struct wi__push_wish {
    const char *experiment; /* NULL: the run's name */
    int is_again;           /* as a new run, whatever was pushed before */
    int is_following;       /* until the run has ended */
} wi__push_wish;

/**
 * Push a run, and print a line about it.
 *
 * @param id  its row.
 * @raise WI__SERVER_ERROR, WI_BUSY_ERROR, WI_INTERRUPTED, errors of the database; a later call goes on from there.
 */
void wi__push_run(wi_database *db, wi__server *server, int64_t id, const wi__push_wish *wish);

#endif
