/* within run: run a program with a record, and tell what became of it. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/fresh_record.h"
#include "cli/named_run.h"
#include "cli/options.h"
#include "cli/program.h"
#include "cli/siblings.h"
#include "record/signal_name.h"
#include "report/ending.h"
#include "report/report.h"
#include "report/units.h"

enum { RECORD, NO_REPORT, GRACE, WATCH, WATCH_ONLY, NAME, DATABASE };
enum {
    STATUS_OWN_FAILURE = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL = 128
};

static const wi__option options[] = {
    [RECORD] = {"record", "PATH",
                "Put the record there; by default .within/PROGRAM-DATE-TIME-PID.within"},
    [NO_REPORT] = {"no-report", NULL, "Print no report at the end"},
    [GRACE] = {"grace", "SECONDS",
               "Kill the program when it has not ended so long after a signal that asks it to"},
    [WATCH] = {"watch", NULL,
               "Watch what the outermost loops leave behind, and say which section leaks"},
    [WATCH_ONLY] = {"watch-only", "NAMES",
                    "Watch these sections instead: names, or ends of paths, with commas between"},
    [NAME] = {"name", "NAME", "Keep the run in a database, under this name: see within runs"},
    [DATABASE] = {"database", "PATH",
                  "The database; by default $WITHIN_DATABASE, or runs.db in the working folder"},
    {NULL, NULL, NULL},
};

/* ---- the report ---- */

static void say_recorded_nothing(const char *program, int wait_status) {
    char end[200];
    wi__wait_status_text(wait_status, end, sizeof end);
    if (WIFSIGNALED(wait_status)) fprintf(stderr, "within run: %s: %s\n", program, end);
    fprintf(stderr, "within run: %s recorded nothing: it opened no section of libwithin\n",
            program);
}

static void print_profile(const wi__fresh_record *record, const wi__profile *profile) {
    wi__report_options report = {.record = record->shown};
    fputc('\n', stderr);
    if (!wi__report_print(stderr, profile, &report)) {
        fputs("within run: there is not enough memory for a report\n", stderr);
        return;
    }
    if (!wi__fresh_record_is_there(record))
        fprintf(stderr,
                "\nwithin run: %s was deleted meanwhile: this report is all that is left of it\n",
                record->shown);
    wi__print_siblings(stderr, record->shown, record->begin_ns);
}

/* For the report, and for the database. */
static void use_record(const wi__fresh_record *record, const char *program, int wait_status,
                       int quiet) {
    char why[256];
    wi__profile profile;
    if (!wi__profile_read_file(record->file, &profile, why, sizeof why)) {
        if (!quiet) fprintf(stderr, "within run: %s: %s\n", record->shown, why);
        return;
    }
    if (!quiet && profile.header.owner.pid) print_profile(record, &profile);
    if (!quiet && !profile.header.owner.pid) say_recorded_nothing(program, wait_status);
    if (profile.header.owner.pid) wi__named_run_measured(&profile);
    wi__profile_release(&profile);
}

/* ---- the run ---- */

static int was_taken(const wi__fresh_record *record) {
    uint32_t owner = 0;
    return pread(record->file, &owner, sizeof owner, offsetof(wi__header, owner.pid)) ==
               sizeof owner &&
           owner;
}

static void say_killed(const wi__program *program, const char *name) {
    fprintf(stderr, "within run: %s: %s after %s it had not ended: it was killed\n", name,
            wi__seconds_text(program->grace_s).text, wi__signal_name(program->asked_by).text);
}

static int finish(wi__program *program, wi__fresh_record *record, char **words, int quiet) {
    int wait_status = wi__program_wait(program);
    if (wait_status == -1) {
        fprintf(stderr, "within run: %s: its end was not seen: %s\n", words[0], strerror(errno));
        return STATUS_OWN_FAILURE;
    }
    if (program->killed) say_killed(program, words[0]);
    wi__grace_note grace = {.signal = (uint32_t)program->asked_by,
                            .killed = (uint32_t)program->killed,
                            .passed_ns = program->asked_ns,
                            .grace_s = program->asked_by ? program->grace_s : 0};
    if (record->file >= 0)
        wi__fresh_record_end(record, (uint32_t)program->pid, wait_status, &grace);
    wi__named_run_ended(wait_status);
    if (record->file >= 0) use_record(record, words[0], wait_status, quiet);
    if (record->file >= 0 && !record->is_wish && !was_taken(record))
        wi__fresh_record_discard(record);
    wi__fresh_record_close(record);
    return WIFSIGNALED(wait_status) ? STATUS_SIGNAL + WTERMSIG(wait_status)
                                    : WEXITSTATUS(wait_status);
}

static int say_not_run(const char *program, int error) {
    const char *why = strerror(error);
    if (error == ENOENT && !strchr(program, '/')) why = "command not found";
    if (error == ENOENT && strchr(program, '/') && access(program, F_OK) == 0)
        why = "the interpreter that its first line names does not exist";
    fprintf(stderr, "within run: %s: %s\n", program, why);
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int start_and_finish(wi__program *program, wi__fresh_record *record, char **words,
                            int quiet) {
    int error = wi__program_start(program, words, record->file >= 0 ? record->path : NULL);
    if (error || program->exec_error) wi__fresh_record_discard(record);
    if (program->exec_error) return say_not_run(words[0], program->exec_error);
    if (!error) {
        wi__fresh_record_keep(record);
        return finish(program, record, words, quiet);
    }
    fprintf(stderr, "within run: %s: no process can be made: %s\n", words[0], strerror(error));
    return STATUS_OWN_FAILURE;
}

/* The program finds it in its environment, and so do those that it starts. */
static void ask_for_watch(const wi__arguments *arguments) {
    if (arguments->values[WATCH]) setenv("WITHIN_WATCH", "1", 1);
    if (arguments->values[WATCH_ONLY]) setenv("WITHIN_WATCH", arguments->values[WATCH_ONLY], 1);
}

/* A number of seconds; -1 if it is none. */
static double seconds_of(const char *word) {
    char *end;
    double seconds = strtod(word, &end);
    int is_number = end != word && !*end && (isdigit((unsigned char)*word) || *word == '.');
    return is_number && seconds >= 0 && seconds <= 1e9 ? seconds : -1;
}

static int run_program(void *arg) {
    const wi__arguments *arguments = arg;
    char why[256];
    wi__program program;
    wi__fresh_record record;
    const char *grace = arguments->values[GRACE];
    ask_for_watch(arguments);
    wi__program_prepare(&program, grace ? seconds_of(grace) : -1);
    wi__made made = wi__fresh_record_make(&record, arguments->values[RECORD], arguments->operands,
                                          why, sizeof why);
    if (made != WI__MADE) fprintf(stderr, "within run: record %s: %s", record.shown, why);
    if (made == WI__NOT_MADE)
        fputs("; the program runs without a record: there will be no report", stderr);
    if (made != WI__MADE) fputc('\n', stderr);
    if (made == WI__REFUSED) return STATUS_OWN_FAILURE;
    return start_and_finish(&program, &record, arguments->operands,
                            arguments->values[NO_REPORT] != NULL);
}

/* What must not be empty where it is given. @return 0 or WI__STATUS_USAGE */
static int check_texts(const wi__arguments *arguments) {
    static const struct {
        int option;
        const char *wants, *got;
    } texts[] = {{RECORD, "--record needs a path", "an empty one"},
                 {WATCH_ONLY, "--watch-only needs names of sections", "none"},
                 {NAME, "--name needs a name", "an empty one"},
                 {DATABASE, "--database needs a path", "an empty one"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (arguments->values[texts[i].option] && !*arguments->values[texts[i].option])
            return wi__usage_error("run", "%s, and got %s", texts[i].wants, texts[i].got);
    return 0;
}

static int run(const wi__arguments *arguments) {
    const char *grace = arguments->values[GRACE], *name = arguments->values[NAME];
    wi__arguments copy = *arguments;
    if (!arguments->count)
        return wi__usage_error("run", "the command to run is missing: within run -- COMMAND");
    if (check_texts(arguments)) return WI__STATUS_USAGE;
    if (grace && seconds_of(grace) < 0)
        return wi__usage_error("run", "--grace needs seconds, 0 to 1e9, and got \"%s\"", grace);
    if (!name && arguments->values[DATABASE])
        return wi__usage_error("run", "--database is for a run with a --name");
    if (!name) return run_program(&copy);
    int status = wi__as_named_run(name, arguments->values[DATABASE], arguments->operands,
                                  run_program, &copy);
    return status < 0 ? STATUS_OWN_FAILURE : status;
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Runs COMMAND with its ARGUMENTs, and keeps what it measures in a record. The\n"
    "record is complete at every moment: within report reads it while the program\n"
    "runs, and after it was killed. At the end the report is printed on stderr; of a\n"
    "program that crashed it says what killed it, and which blocks were open.\n"
    "\n"
    "Signals that are sent to within run are passed on to the program, and its exit\n"
    "status is passed back. With --grace it has SECONDS to end after SIGTERM, SIGINT,\n"
    "SIGHUP, SIGQUIT, SIGUSR1 or SIGXCPU, and is killed then, as a scheduler does it:\n"
    "the report says so, and which blocks were open.\n"
    "\n"
    "Where no record can be made, that is said, and the program\n"
    "runs without. An old record at PATH is replaced; one of a running program, or a\n"
    "file that is no record, is left alone, and nothing is run.\n"
    "\n"
    "With --name the program is a run in a database: its end, sections, findings and\n"
    "memory are kept there, within runs lists it, and what it logs itself is a child\n"
    "of it.";

static const char details[] =
    "The program finds the record's path in the environment variable WITHIN_RECORD,\n"
    "and so do the programs that it starts. The first process that opens a section\n"
    "takes the record; the others put theirs beside it, as PATH.PID.\n"
    "\n"
    "With --watch and --watch-only it also finds WITHIN_WATCH, which is 1 or the names. What\n"
    "grows from call to call is said on stderr once it is sure, and stands in the report.\n"
    "\n"
    "With --name it finds WITHIN_RUN, the run's id, and WITHIN_DATABASE, so that its own runs\n"
    "are children of this one. Status 0 is FINISHED, another FAILED; a signal that asks a program\n"
    "to end is INTERRUPTED, SIGKILL is KILLED, any other signal FAILED. Where the database cannot\n"
    "be had, nothing is run.\n";

const wi__command wi__run_command = {
    .name = "run",
    .summary = "run a program with a record, and report on it",
    .operands = "[--] COMMAND [ARGUMENT]...",
    .text = text,
    .details = details,
    .statuses = "N\tThe program ended with status N\n"
                "128+N\tThe program was killed by signal N\n"
                "125\tThe program was not run: its record must not be replaced, its database "
                "cannot be had, or there is no process\n"
                "126\tThe program cannot be executed\n"
                "127\tThe program was not found\n"
                "2\tThe command line is wrong\n",
    .examples = "within run -- ./simulate --steps 1000\n"
                "within run --record run.within --no-report -- ./simulate\n"
                "within run --grace 25 -- ./simulate\n"
                "within run --watch -- ./simulate\n"
                "within run --name sweep -- python3 sweep.py\n"
                "WITHIN_CLOCK=fenced within run -- ./simulate\n",
    .options = options,
    .most_operands = -1,
    .run = run,
};
