/* The end of a run: how it ended and what it measured are noted, all is brought in, and its live folder goes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/compact.h"
#include "runs/now.h"
#include "runs/open_run.h"
#include "runs/sections.h"
#include "runs/sql.h"

/* ---- the outcome ---- */

static char *text_of(const wi_error *error) {
    size_t length = error ? wi_error_format(error, NULL, 0) : 0;
    char *text = error ? malloc(length + 1) : NULL;
    if (!text) return NULL;
    wi_error_format(error, text, length + 1);
    while (length && text[length - 1] == '\n') text[--length] = '\0';
    return text;
}

static wi__outcome outcome_of(wi_reason reason, const wi_error *error) {
    wi__outcome outcome = {"FAILED", -1, NULL};
    if (reason == WI_END) {
        memcpy(outcome.status, "FINISHED", sizeof "FINISHED");
    } else if (reason == WI_LEFT) {
        outcome.number = wi__exit_status();
        outcome.error = strdup("left before its end");
    } else if (wi_error_is(error, WI_INTERRUPTED)) {
        memcpy(outcome.status, "INTERRUPTED", sizeof "INTERRUPTED");
        outcome.number = wi_error_signal(error);
        outcome.error = text_of(error);
    } else {
        outcome.error = text_of(error);
    }
    return outcome;
}

static void settle_outcome(wi__open_run *open, wi_reason reason, const wi_error *error) {
    if (open->outcome.status[0]) return;
    open->outcome = outcome_of(reason, error);
    if (reason == WI_LEFT)
        fprintf(stderr,
                "within: run %s was left before its end, and is FAILED; call wi_run_finish before "
                "a return\n",
                open->run->name);
}

/* ---- what is noted ---- */

static int note(const wi__open_run *open, wi__note_kind kind, const char *key, const char *value,
                int64_t number) {
    wi__note row = {kind, number, wi__now_ms(), key, value ? value : ""};
    return wi__notes_append(open->notes, &row);
}

static int append(void *arg, const wi__note *section) {
    return wi__notes_append(((const wi__open_run *)arg)->notes, section);
}

static void note_sections(wi__open_run *open) {
    wi__profile now;
    const wi__profile *before = open->has_before ? &open->before : NULL;
    if (!wi__profile_of_self(&now)) return;
    if (!before || wi__sections_subtract(&now, before))
        wi__sections_each(&now, before, append, open);
    wi__profile_release(&now);
}

static void note_memory(wi__open_run *open) {
    open->memory.protocol->exit(&open->memory, WI_END, NULL);
    if (!isnan(open->memory.peak))
        note(open, WI__NOTE_PEAK_MEMORY, "", "", (int64_t)open->memory.peak);
}

/* ---- bringing it in ---- */

static void say_it_stays(const wi__open_run *open, int code) {
    fprintf(
        stderr,
        "within: run %s: %s: it cannot be brought into the database now (%s): it stays in %s, and "
        "the next run or `within runs` brings it in\n",
        open->run->name, open->database, sqlite3_errstr(code), open->live.path);
}

/* Deleted, or another is in its place: what SQLite has written since then went into a file that nobody can open. */
static int is_gone(const wi__open_run *open) {
    int has_moved = 0;
    if (!open->store.handle) return 0;
    sqlite3_file_control(open->store.handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return has_moved;
}

static void say_it_is_gone(const wi__open_run *open) {
    fprintf(stderr,
            "within: run %s: %s was deleted or moved while the run was open: what it logged went "
            "with it\n",
            open->run->name, open->database);
}

/* The note of the end found no room on the disk, perhaps; the database may have some. */
static int set_status(const wi__open_run *open) {
    return wi__sql_run(open->store.handle,
                       "UPDATE run SET status = ?, error = ?, ended_ms = ? WHERE id = ?", "ttii",
                       open->outcome.status, open->outcome.error, wi__now_ms(), open->row);
}

static int bring_in(wi__open_run *open, int is_noted) {
    int code = wi__writer_stop(open->writer, wi__run_timeout_s(open));
    wi__open_runs_remove(open);
    int reopened = wi__writer_free(open->writer);
    if (code == SQLITE_OK) code = reopened;
    if (code != SQLITE_OK) return code;
    sqlite3_busy_timeout(open->store.handle, wi__run_timeout_ms(open));
    if (!is_noted) code = set_status(open);
    return code == SQLITE_OK ? wi__compact(open->store.handle, open->row) : code;
}

static void close_all(wi__open_run *open, int is_in) {
    wi__store_close(&open->store);
    wi__points_close(open->points);
    close(open->notes);
    if (is_in)
        wi__live_remove(&open->live);
    else
        wi__live_release(&open->live, 1);
    wi__open_run_free(open);
}

static void leave_to_parent(wi__open_run *open) {
    wi__live_forget(&open->live);
    close(open->notes);
}

void wi__run_end(wi__open_run *open, wi_reason reason, const wi_error *error) {
    wi_let_go(open->holding);
    if (open->is_inherited) {
        leave_to_parent(open);
        return;
    }
    wi__open_runs_hide(open);
    if (open->environment) wi__environment_end(open->environment);
    settle_outcome(open, reason, error);
    note_sections(open);
    note_memory(open);
    int is_noted = note(open, WI__NOTE_END, open->outcome.status, open->outcome.error,
                        open->outcome.number) == 0;
    int code = bring_in(open, is_noted), was_deleted = is_gone(open);
    if (was_deleted)
        say_it_is_gone(open);
    else if (code != SQLITE_OK)
        say_it_stays(open, code);
    close_all(open, was_deleted || code == SQLITE_OK);
}
