/* Databases of runs, as the commands find and open them. */
#include "cli/runs/database.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "report/terminal.h"
#include "report/utf8.h"
#include "runs/recover.h"

enum { CANDIDATES = 5 };

/* ---- opening ---- */

const char *wi__database_path(const char *wish) {
    const char *usual = getenv("WITHIN_DATABASE");
    if (wish) return wish;
    return usual && *usual ? usual : "runs.db";
}

static void open_database(wi_database *store, const char *path) {
    if (access(path, F_OK) != 0 && errno == ENOENT)
        wi_raise(WI_FILE_NOT_FOUND,
                 "%s: there is no such database of runs; name one by --database PATH, or make it: "
                 "within run --name NAME -- COMMAND",
                 path);
    wi__runs_open(store, path);
}

typedef struct task {
    const char *path;
    wi__database_work *work;
    void *arg;
    wi_database store;
    int is_open;
} task;

static void do_task(void *self) {
    task *one = self;
    open_database(&one->store, one->path);
    one->is_open = 1;
    one->work(&one->store, one->arg);
}

int wi__with_database(const char *command, const char *path, wi__database_work *work, void *arg) {
    task one = {.path = path, .work = work, .arg = arg};
    wi_error *error = NULL;
    if (!*path) return wi__usage_error(command, "--database needs a path, and got an empty one");
    int is_done = wi_call(do_task, &one, &error);
    fflush(stdout);
    int output_error = errno;
    if (one.is_open) wi__store_close(&one.store);
    if (error) fprintf(stderr, "within %s: %s\n", command, wi_error_message(error));
    wi_error_free(error);
    errno = output_error;
    return is_done ? 0 : WI__STATUS_FAILED;
}

/* ---- what a run is called ---- */

static void take_identity(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    wi__run_identity *identity = arg;
    char name[150];
    (void)columns;
    wi__printable(name, sizeof name, run->name);
    snprintf(identity->label, sizeof identity->label, "%s (%s)", name,
             wi__short_id_of(run->uuid).text);
    snprintf(identity->id, sizeof identity->id, "%s", run->uuid);
    snprintf(identity->status, sizeof identity->status, "%s", run->status);
}

int wi__run_identify(sqlite3 *db, int64_t row, wi__run_identity *identity) {
    return wi__run_each_row(db, row, take_identity, identity);
}

/* ---- the run that a word means ---- */

typedef struct listing {
    char text[800];
    size_t used;
} listing;

static void add_candidate(void *arg, const wi__run_row *run, sqlite3_value *const *columns) {
    listing *to = arg;
    char name[80];
    (void)columns;
    wi__printable(name, sizeof name, run->name);
    int added = snprintf(to->text + to->used, sizeof to->text - to->used, "\n    %s  %s  %s, %s",
                         wi__short_id_of(run->uuid).text, name, run->status,
                         wi__moment_text(wi__ns_of_ms(run->started_ms)).text);
    if (added > 0 && (size_t)added < sizeof to->text - to->used) to->used += (size_t)added;
}

static void raise_ambiguous(sqlite3 *db, const char *word, const int64_t *ids, size_t count) {
    listing candidates = {0};
    for (size_t i = 0; i < count && i < CANDIDATES; i++)
        wi__run_each_row(db, ids[i], add_candidate, &candidates);
    wi_raise(WI_VALUE_ERROR, "\"%s\" means %zu runs; type more of the id%s%s", word, count,
             candidates.text, count > CANDIDATES ? "\n    …" : "");
}

/* A few names that begin with the word, or the newest runs. */
static void raise_unknown(sqlite3 *db, const char *word) {
    char printable[200], pattern[200];
    listing candidates = {0};
    wi__printable(printable, sizeof printable, word);
    int is_plain = !word[strcspn(word, "*?[")] && strlen(word) < sizeof pattern - 3;
    snprintf(pattern, sizeof pattern, "*%s*", is_plain ? word : "");
    wi__runs_query query = {.name = pattern, .limit = CANDIDATES};
    wi__runs_list(db, &query, add_candidate, &candidates);
    query.name = NULL;
    if (!candidates.used) wi__runs_list(db, &query, add_candidate, &candidates);
    if (!candidates.used) wi_raise(WI_VALUE_ERROR, "there are no runs in the database");
    wi_raise(WI_VALUE_ERROR, "no run has the name or id \"%s\"; there are%s", printable,
             candidates.text);
}

int64_t wi__run_meant(sqlite3 *db, const char *word) {
    int64_t ids[CANDIDATES];
    size_t count = wi__runs_meant(db, word, ids, CANDIDATES);
    if (count > 1) raise_ambiguous(db, word, ids, count);
    if (count == 0) raise_unknown(db, word);
    return ids[0];
}

/* ---- what is printed ---- */

wi__page wi__page_of_stdout(void) {
    return (wi__page){.out = stdout,
                      .width = wi__terminal_width(stdout),
                      .color = wi__wants_color(stdout, WI__COLOR_AUTO)};
}

wi__short_id wi__short_id_of(const char *uuid) {
    wi__short_id id;
    char printable[40];
    wi__printable(printable, sizeof printable, uuid);
    snprintf(id.text, sizeof id.text, "%.8s", printable);
    return id;
}

wi__ink wi__status_ink(const char *status) {
    if (strcmp(status, "FAILED") == 0 || strcmp(status, "KILLED") == 0) return WI__ALARM;
    if (strcmp(status, "RUNNING") == 0 || strcmp(status, "INTERRUPTED") == 0) return WI__NOTICE;
    return WI__PLAIN;
}

uint64_t wi__ns_of_ms(int64_t ms) {
    return ms > 0 && ms < INT64_MAX / 1000000 ? (uint64_t)ms * 1000000u : 0;
}

wi__number wi__value_text(double value) {
    wi__number number;
    snprintf(number.text, sizeof number.text, "%.6g", value);
    if (isnan(value)) return (wi__number){"nan"};
    return number;
}
