/* within push: the runs of many on one server. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <within/closing.h>
#include <within/interrupts.h>

#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/push/chosen.h"
#include "cli/push/session.h"
#include "cli/runs/database.h"

enum { BUSY_TIMEOUT_MS = 60000 };
enum { MLFLOW, EXPERIMENT, FOLLOW, AGAIN, DATABASE, TIMEOUT, PATIENCE };

static const wi__option options[] = {
    [MLFLOW] = {"mlflow", "URL", "The tracking server; by default that of $MLFLOW_TRACKING_URI"},
    [EXPERIMENT] = {"experiment", "NAME",
                    "The experiment there, made if need be; by default the run's name"},
    [FOLLOW] = {"follow", NULL, "Go on until the runs have ended"},
    [AGAIN] = {"again", NULL, "Forget what was pushed to this server before, and push as new runs"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    [TIMEOUT] = {"timeout", "SECONDS", "How long one request may take; by default 60"},
    [PATIENCE] =
        {"patience", "SECONDS",
         "How long the server may fail without a break before this gives up; by default 120"},
    {NULL, NULL, NULL},
};

typedef struct pushing {
    char *url; /* owned */
    const char *database;
    double timeout_s, patience_s;
    wi__push_wish wish;
    char **names;
    wi_database *db;
    int failures;
    int signal; /* that ended it; 0: none */
} pushing;

/* ---- options ---- */

static int parse_seconds(const char *name, const char *word, double *seconds) {
    char *end;
    if (!word) return 0;
    *seconds = strtod(word, &end);
    if (*word && !*end && *seconds > 0 && *seconds < 1e6) return 0;
    return wi__usage_error("push", "--%s takes a number of seconds, and got \"%s\"", name, word);
}

static int parse_url(const char *word, pushing *push) {
    const char *url = word ? word : getenv("MLFLOW_TRACKING_URI");
    if (!url || !*url)
        return wi__usage_error("push", "which server? give --mlflow URL, or set "
                                       "MLFLOW_TRACKING_URI");
    const char *host = strstr(url, "://");
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return wi__usage_error("push",
                               "a server's URL begins with http:// or https://, and \"%s\" "
                               "does not",
                               url);
    if (memchr(host + 3, '@', strcspn(host + 3, "/")))
        return wi__usage_error("push", "a password in the URL would be stored in the database: set "
                                       "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD");
    push->url = strdup(url);
    for (size_t n = push->url ? strlen(push->url) : 0; n && push->url[n - 1] == '/'; n--)
        push->url[n - 1] = '\0';
    return push->url ? 0 : WI__STATUS_FAILED;
}

static int parse(const wi__arguments *arguments, pushing *push) {
    const char *const *values = arguments->values;
    push->database = wi__database_path(values[DATABASE]);
    push->wish = (wi__push_wish){values[EXPERIMENT], values[AGAIN] != NULL, values[FOLLOW] != NULL};
    push->names = arguments->operands;
    if (!arguments->count)
        return wi__usage_error("push", "which run? give the first digits of its id, or its name");
    if (values[EXPERIMENT] && !*values[EXPERIMENT])
        return wi__usage_error("push", "an experiment needs a name");
    int status = parse_seconds("timeout", values[TIMEOUT], &push->timeout_s);
    if (!status) status = parse_seconds("patience", values[PATIENCE], &push->patience_s);
    return status ? status : parse_url(values[MLFLOW], push);
}

/* ---- runs ---- */

typedef struct one_run {
    wi_database *db;
    wi__server *server;
    const wi__push_wish *wish;
    int64_t id;
} one_run;

static void push_one(void *self) {
    const one_run *one = self;
    wi__push_run(one->db, one->server, one->id, one->wish);
}

/* A run that cannot be pushed does not keep the others from it; a signal does, for it is no WI_ERROR. */
static void push_each(pushing *push, wi_database *db, wi__server *server) {
    wi__chosen chosen = {0};
    within (wi_closing(&chosen, wi__chosen_release)) {
        wi__choose(db, push->names, &chosen);
        for (size_t i = 0; i < chosen.count; i++) {
            wi_error *error = NULL;
            one_run one = {db, server, &push->wish, chosen.ids[i]};
            if (wi_call(push_one, &one, &error)) continue;
            if (!wi_error_is(error, WI_ERROR)) wi_reraise(error);
            fprintf(stderr, "within push: %s\n", wi_error_message(error));
            wi_error_free(error);
            push->failures++;
            server->failing_since_s = 0;
        }
    }
}

static void push_in_block(void *self) {
    pushing *push = self;
    within (wi_interrupts(.signals = {SIGINT, SIGTERM, SIGHUP}))
        within (http, wi__http_connection(push->url, push->timeout_s)) {
            wi__server server = {.http = http, .patience_s = push->patience_s};
            push_each(push, push->db, &server);
        }
}

/* The marks are to be on the disk before what follows them, after a power cut too. */
static void push_all(wi_database *db, void *self) {
    pushing *push = self;
    wi_error *error = NULL;
    push->db = db;
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    wi_database_execute(db, "PRAGMA synchronous = FULL");
    if (wi_call(push_in_block, push, &error)) return;
    if (!wi_error_is(error, WI_INTERRUPTED)) wi_reraise(error);
    push->signal = wi_error_signal(error);
    wi_error_free(error);
}

static int run(const wi__arguments *arguments) {
    pushing push = {.timeout_s = 60, .patience_s = 120};
    int status = parse(arguments, &push);
    if (status) return status;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = wi__with_database("push", push.database, push_all, &push);
    curl_global_cleanup();
    free(push.url);
    if (push.signal) {
        fputs("within push: stopped; the same command goes on from here\n", stderr);
        wi__end_by_signal(push.signal);
    }
    return push.failures || push.signal ? WI__STATUS_FAILED : status;
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Sends runs to an MLflow tracking server: parameters, tags, all points of all\n"
    "metrics, and how they ended. What was sent is kept in the database, so a second\n"
    "call sends what is new since, and a call that was stopped, by a broken connection,\n"
    "Ctrl-C or kill -9, is gone on with: nothing is sent twice.\n"
    "\n"
    "Several runs are sent one after the other: with --follow the second one waits\n"
    "until the first has ended. Call it once for each to follow them at a time.\n"
    "\n"
    "RUN is the first digits of a run's id, its name, or \"last\".";

static const char details[] =
    "A server that cannot be reached, or answers 429, 500, 502, 503 or 504, is tried\n"
    "again after longer and longer pauses. Where it is not known whether a request has\n"
    "arrived, the server is asked for what it has.\n"
    "\n"
    "Names and passwords are those of MLflow's clients: MLFLOW_TRACKING_USERNAME and\n"
    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. Certificates are checked, with\n"
    "MLFLOW_TRACKING_SERVER_CERT_PATH if that is set. Artifacts are not sent.\n";

const wi__command wi__push_command = {
    .name = "push",
    .summary = WI__PUSH_SUMMARY,
    .operands = "RUN...",
    .text = text,
    .details = details,
    .statuses = "0\tAll is on the server\n"
                "1\tSomething is not; the same command goes on\n"
                "2\tThe command line is wrong\n",
    .examples = "within push --mlflow http://127.0.0.1:5000 last\n"
                "within push --mlflow https://mlflow.example.org --experiment lorenz 3f2a 77b1\n"
                "within push --mlflow http://127.0.0.1:5000 --follow lorenz\n",
    .options = options,
    .most_operands = INT_MAX,
    .run = run,
};

const wi__command *const wi__commands[] = {&wi__push_command, NULL};
const wi__elsewhere wi__elsewhere_commands[] = {{NULL, NULL, NULL, NULL}};
