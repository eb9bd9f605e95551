/* within delete: runs and their artifacts, gone for good. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <within/try.h>

#include "cli/elsewhere.h"
#include "cli/options.h"
#include "cli/runs/asking.h"
#include "cli/runs/database.h"
#include "manage/owner.h"
#include "manage/remove_tree.h"

enum { YES, DATABASE };

static const wi__option options[] = {
    [YES] = {"yes", NULL, "Do not ask"},
    [DATABASE] = {"database", "PATH", WI__DATABASE_HELP},
    {NULL, NULL, NULL},
};

enum { MOST_RUNS = 1000 };

typedef struct deletion {
    const char *path;
    char **words;
    int count, asks;
    sqlite3 *db;
    int64_t runs[MOST_RUNS];
    int at;               /* the run that is being looked at */
    int artifacts_folder; /* descriptor of DATABASE.artifacts; -1: there is none */
    wi__run_identity run; /* that */
} deletion;

static void look_at(deletion *all, int at) {
    all->at = at;
    if (!wi__run_identify(all->db, all->runs[at], &all->run))
        wi_raise(WI_VALUE_ERROR, "\"%s\" has been deleted meanwhile", all->words[at]);
}

/* ---- asking ---- */

static void refuse_running(deletion *all) {
    for (int i = 0; i < all->count; i++) {
        look_at(all, i);
        if (strcmp(all->run.status, "RUNNING") == 0)
            wi_raise(WI_VALUE_ERROR, "%s is running: nothing was deleted", all->run.label);
    }
}

static int agrees(deletion *all) {
    if (!all->asks) return 1;
    for (int i = 0; i < all->count; i++) {
        look_at(all, i);
        fprintf(stderr, "%s%s", i ? ", " : "delete ", all->run.label);
    }
    fputs(" for good, with all that was logged and kept?", stderr);
    if (wi__is_answered_yes()) return 1;
    fputs("nothing was deleted\n", stderr);
    return 0;
}

/* ---- deleting ---- */

/*
 * The artifacts get the name of an unfinished folder in the transaction, so that all are gone when the row is; they
 * are removed after it. What a kill in between leaves is told from what is in use by that name.
 */
static int set_aside(const deletion *all, char *name) {
    name[0] = '\0';
    if (all->artifacts_folder < 0 ||
        faccessat(all->artifacts_folder, all->run.id, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    wi__owned_name(all->run.id, name);
    return renameat(all->artifacts_folder, all->run.id, all->artifacts_folder, name) ? errno : 0;
}

static void delete_row(const deletion *all, wi_database *store) {
    char sql[100];
    snprintf(sql, sizeof sql, "DELETE FROM run WHERE id = %lld AND status <> 'RUNNING'",
             (long long)all->runs[all->at]);
    wi_database_execute(store, sql);
    if (sqlite3_changes(all->db) == 0)
        wi_raise(WI_VALUE_ERROR, "%s is running, or has been deleted meanwhile", all->run.label);
}

static void remove_artifacts(const deletion *all, const char *name) {
    wi__removal removal;
    if (!*name) return;
    int error = wi__remove_tree(all->artifacts_folder, name, 0, &removal);
    if (error)
        fprintf(stderr, "within delete: %s.artifacts/%s: %s; the run itself is deleted\n",
                all->path, removal.path, strerror(error));
}

static void delete_run(deletion *all, wi_database *store) {
    char aside[NAME_MAX + 1] = "";
    wi_try {
        within (wi_transaction(store)) {
            delete_row(all, store);
            int error = set_aside(all, aside);
            if (error) {
                aside[0] = '\0';
                wi_raise_errno(error, "put %s.artifacts/%s aside", all->path, all->run.id);
            }
        }
    } wi_catch (WI_ERROR, error) {
        if (aside[0]) renameat(all->artifacts_folder, aside, all->artifacts_folder, all->run.id);
        wi_reraise(error);
    }
    remove_artifacts(all, aside);
    printf("deleted %s\n", all->run.label);
}

static int open_artifacts(const char *path) {
    char folder[PATH_MAX];
    if ((size_t)snprintf(folder, sizeof folder, "%s.artifacts", path) >= sizeof folder) return -1;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int is_repeated(const deletion *all, int at) {
    for (int i = 0; i < at; i++)
        if (all->runs[i] == all->runs[at]) return 1;
    return 0;
}

static void delete_runs(wi_database *store, void *arg) {
    deletion *all = arg;
    all->db = store->handle;
    for (int i = 0; i < all->count; i++) all->runs[i] = wi__run_meant(all->db, all->words[i]);
    refuse_running(all);
    all->artifacts_folder = open_artifacts(all->path);
    if (agrees(all)) {
        for (int i = 0; i < all->count; i++) {
            if (is_repeated(all, i)) continue;
            look_at(all, i);
            delete_run(all, store);
        }
    }
    if (all->artifacts_folder >= 0) close(all->artifacts_folder);
}

static int run(const wi__arguments *arguments) {
    static deletion all;
    if (!arguments->count)
        return wi__usage_error("delete", "the runs are missing: within delete RUN...");
    if (arguments->count > MOST_RUNS)
        return wi__usage_error("delete", "%d runs are too many: there may be %d", arguments->count,
                               MOST_RUNS);
    int asks = arguments->values[YES] == NULL, status = wi__check_for_answers("delete", !asks);
    if (status) return status;
    all = (deletion){.path = wi__database_path(arguments->values[DATABASE]),
                     .words = arguments->operands,
                     .count = arguments->count,
                     .asks = asks};
    return wi__with_database("delete", all.path, delete_runs, &all);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Deletes runs with their parameters, metrics, sections and artifacts, after it\n"
    "has asked. Runs in them stay, and have no parent then. A run that is running\n"
    "is not deleted: if one of those named is, none is.\n"
    "\n"
    "RUN is the begin of an id, a name, or \"last\": see within show --help.";

const wi__command wi__delete_command = {
    .name = "delete",
    .summary = WI__DELETE_SUMMARY,
    .operands = "RUN...",
    .text = text,
    .details = "The database's file does not become smaller: later runs take the room. To give it "
               "back,\ntype: sqlite3 runs.db vacuum\n",
    .statuses = "0\tThe runs are deleted, or the answer was no\n"
                "1\tThere is no such run, several are meant, one is running, or the database "
                "cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within delete 3f2a\n"
                "within delete --yes 3f2a 9c01\n",
    .options = options,
    .most_operands = INT_MAX,
    .run = run,
};
