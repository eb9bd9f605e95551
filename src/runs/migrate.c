/* Versions of a database of runs, and the steps between them. */
#include "runs/migrate.h"

#include <sqlite3.h>

#include "runs/schema.h"
#include "runs/stamp.h"

static int version_of(const wi_database *store, int newest, int may_be_empty) {
    wi__stamp found = wi__stamp_read(store->handle);
    return wi__stamp_version(&found, store->path, newest, may_be_empty);
}

/* Whoever comes first takes the steps; others wait here, and find them taken. */
static void take_steps(wi_database *store, const wi__versions *to) {
    within (wi_transaction(store)) {
        int version = version_of(store, to->newest, 1);
        if (version < to->newest) {
            wi_database_execute(store, wi__runs_no_views);
            for (; version < to->newest; version++) wi_database_execute(store, to->steps[version]);
            wi_database_execute(store, wi__runs_views);
        }
    }
}

void wi__migrate(wi_database *store, const wi__versions *to, int may_be_empty) {
    int version = version_of(store, to->newest, may_be_empty);
    if (!store->options.read_only && version < to->newest) take_steps(store, to);
}
