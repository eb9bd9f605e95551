/* within close: a run whose host or container is gone, so that nobody can find it dead. */
#include <string.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/asking.h"
#include "cli/runs/database.h"
#include "runs/recover.h"

enum { YES, DATABASE };

static const wi__option options[] = {
    [YES] = {"yes", NULL, "Do not ask"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

typedef struct closing {
    const char *path, *word;
    int asks, is_left;
    wi__run_identity run;
} closing;

static int agrees(const closing *one) {
    if (!one->asks) return 1;
    fprintf(stderr, "close %s, as its host or container is gone?", one->run.label);
    if (wi__is_answered_yes()) return 1;
    fputs("nothing was closed\n", stderr);
    return 0;
}

static void close_run(wi_database *store, void *arg) {
    closing *one = arg;
    wi__run_identify(store->handle, wi__run_meant(store->handle, one->word), &one->run);
    if (strcmp(one->run.status, "RUNNING") != 0)
        wi_raise(WI_VALUE_ERROR, "%s is %s: there is nothing to close", one->run.label,
                 one->run.status);
    if (!agrees(one)) return;
    one->is_left = !wi__runs_close(store->handle, one->path, one->run.id);
    if (!one->is_left) printf("closed %s: it is KILLED\n", one->run.label);
}

static int run(const wi__arguments *arguments) {
    closing one = {.path = wi__database_path(arguments->values[DATABASE]),
                   .word = arguments->operands[0],
                   .asks = arguments->values[YES] == NULL};
    if (!arguments->count) return wi__usage_error("close", "the run is missing: within close RUN");
    int status = wi__check_for_answers("close", !one.asks);
    if (!status) status = wi__with_database("close", one.path, close_run, &one);
    return status || !one.is_left ? status : WI__STATUS_FAILED;
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Ends a run that is RUNNING on a host or in a container that is gone: nobody can\n"
    "find it dead from elsewhere, so its user says so. It is KILLED then, and what\n"
    "it had logged is brought in. It asks before. A run whose process is of this host\n"
    "needs it not: it is found dead by itself, or it lives, and is refused.\n"
    "\n"
    "RUN is the begin of an id, a name, or \"last\": see within show --help.";

const wi__command wi__close_command = {
    .name = "close",
    .summary = WI__CLOSE_SUMMARY,
    .operands = "RUN",
    .text = text,
    .statuses = "0\tThe run is closed, or the answer was no\n"
                "1\tThere is no such run, several are meant, it is not running, it lives, or the "
                "database cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within close 3f2a\n",
    .options = options,
    .most_operands = 1,
    .run = run,
};
