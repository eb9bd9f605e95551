/* A program that is a run in a database: `within run --name`. */
#include "cli/named_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <within/run.h>

#include "cli/runs/database.h"
#include "record/signal_name.h"
#include "report/ending.h"
#include "runs/open_run.h"
#include "runs/process_record.h"
#include "runs/sections.h"
#include "runs/sql.h"
#include "runs/store.h"

enum { NOT_SEEN = -1 };

/* The run that the program is, while it is open; and what its row is to say beyond what a run says of itself. */
static struct {
    wi_run *run;
    int has_ended;
    int wait_status;
    char *doing;
} program;

/* ---- how it ended ---- */

/* Those that somebody sends to have a program stop: `within run --grace` reckons with the same. */
static int asks_to_end(int signal) {
    return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGUSR1 ||
           signal == SIGTERM || signal == SIGXCPU;
}

static int signal_of_end(void) {
    int ended = program.has_ended && WIFSIGNALED(program.wait_status);
    return ended ? WTERMSIG(program.wait_status) : 0;
}

static const char *status_of_end(void) {
    int signal = signal_of_end();
    if (signal == SIGKILL) return "KILLED";
    if (signal) return asks_to_end(signal) ? "INTERRUPTED" : "FAILED";
    return program.has_ended && WEXITSTATUS(program.wait_status) == 0 ? "FINISHED" : "FAILED";
}

/* KILLED is no outcome that a run can give itself: its row is set when it is over. */
static void set_outcome(int status) {
    char text[200] = "the program was not run";
    int signal = signal_of_end();
    if (program.has_ended) wi__wait_status_text(program.wait_status, text, sizeof text);
    int is_good = program.has_ended && !signal && status == 0;
    if (signal && asks_to_end(signal))
        wi__run_outcome(program.run, "INTERRUPTED", signal, text);
    else
        wi__run_outcome(program.run, is_good ? "FINISHED" : "FAILED", signal ? NOT_SEEN : status,
                        is_good ? NULL : text);
}

void wi__named_run_ended(int wait_status) {
    program.has_ended = 1;
    program.wait_status = wait_status;
}

/* ---- what it measured ---- */

static int note(void *arg, const wi__note *section) {
    wi__open_run_note(arg, section->kind, section->key, section->value, 0);
    return 0;
}

void wi__named_run_measured(const wi__profile *profile) {
    if (!program.run) return;
    wi__sections_each(profile, NULL, note, program.run->open);
    if (signal_of_end())
        program.doing = wi__process_record_doing(profile, program.run->open->database);
}

/* ---- the run ---- */

typedef struct naming {
    const char *name, *database;
    char **words;
    int (*work)(void *arg);
    void *arg;
    int status;
    char id[WI_RUN_ID_LENGTH + 1];
    char path[PATH_MAX]; /* absolute */
} naming;

static void run_in_block(void *arg) {
    naming *to = arg;
    within (run, wi_run(to->name, .database = wi__database_path(to->database))) {
        program.run = run;
        memcpy(to->id, run->id, sizeof to->id);
        snprintf(to->path, sizeof to->path, "%s", run->open->database);
        wi_check_errno(setenv("WITHIN_RUN", run->id, 1), "set WITHIN_RUN");
        wi_check_errno(setenv("WITHIN_DATABASE", to->path, 1), "set WITHIN_DATABASE");
        to->status = to->work(to->arg);
        set_outcome(to->status);
    }
    program.run = NULL;
}

/* As it would be typed, nearly. */
static char *command_line(char **words) {
    size_t size = 1, used = 0;
    for (char **word = words; *word; word++) size += strlen(*word) + 1;
    char *text = wi_check_null(malloc(size), "keep the command");
    text[0] = '\0';
    for (char **word = words; *word; word++)
        used += (size_t)sprintf(text + used, "%s%s", used ? " " : "", *word);
    return text;
}

static int64_t peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_CHILDREN, &usage) == 0 ? usage.ru_maxrss * INT64_C(1024) : 0;
}

/* What stands in the row is this process's: the program's takes its place. */
static void complete_row(void *arg) {
    naming *to = arg;
    wi_database store;
    int signal = signal_of_end();
    char *command = command_line(to->words);
    sqlite3 *db = wi__store_open(&store, to->path, WI__STORE_WRITE, 0);
    int code = wi__sql_run(db,
                           "UPDATE run SET command = ?, peak_memory = nullif(?, 0), status = ?,"
                           " signal = ?, doing = ? WHERE uuid = ? AND status <> 'RUNNING'",
                           "titttt", command, peak_memory(), status_of_end(),
                           signal ? wi__signal_name(signal).text : NULL, program.doing, to->id);
    free(command);
    wi_sqlite_check(db, code, "complete the run");
    wi__store_close(&store);
}

static void say(wi_error *error) {
    fprintf(stderr, "within run: %s\n", wi_error_message(error));
    wi_error_free(error);
}

int wi__as_named_run(const char *name, const char *database, char **words, int (*work)(void *arg),
                     void *arg) {
    naming to = {
        .name = name, .database = database, .words = words, .work = work, .arg = arg, .status = -1};
    wi_error *error;
    if (!wi_call(run_in_block, &to, &error)) say(error);
    program.run = NULL;
    if (to.id[0] && !wi_call(complete_row, &to, &error)) say(error);
    free(program.doing);
    return to.status;
}
