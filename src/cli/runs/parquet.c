/* Parquet by Python's pyarrow. */
#include "cli/runs/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <within/error.h>

enum { NO_PYARROW = 3 };

/* The types are given: what pyarrow infers would depend on the values. Times become those of the database. */
static const char script[] =
    "import sys\n"
    "try:\n"
    "    import pyarrow as pa, pyarrow.compute as pc\n"
    "    from pyarrow import csv, parquet\n"
    "except ImportError:\n"
    "    sys.exit(3)\n"
    "time = pa.timestamp('ms', tz='UTC')\n"
    "names = ['metric', 'step', 'time', 'value']\n"
    "types = [pa.string(), pa.int64(), pa.float64(), pa.float64()]\n"
    "made = [pa.dictionary(pa.int32(), pa.string()), pa.int64(), time, pa.float64()]\n"
    "schema = pa.schema(list(zip(names, made)))\n"
    "rows = csv.open_csv(sys.stdin.buffer, "
    "parse_options=csv.ParseOptions(newlines_in_values=True),\n"
    "    convert_options=csv.ConvertOptions(column_types=dict(zip(names, types)), "
    "null_values=[]))\n"
    "target = sys.argv[1] if sys.argv[1:] else sys.stdout.buffer\n"
    "with parquet.ParquetWriter(target, schema) as writer:\n"
    "    for batch in rows:\n"
    "        ms = pc.round(pc.multiply(batch.column(2), 1000)).cast(pa.int64()).cast(time)\n"
    "        name = batch.column(0).dictionary_encode()\n"
    "        columns = [name, batch.column(1), ms, batch.column(3)]\n"
    "        writer.write_table(pa.Table.from_arrays(columns, schema=schema))\n";

static const char *python_command(void) {
    const char *wish = getenv("WITHIN_PYTHON");
    return wish && *wish ? wish : "python3";
}

/* @return 0 or an errno value */
static int spawn(wi__parquet *parquet, int from, const char *target) {
    char *const words[] = {(char *)python_command(), (char *)"-c", (char *)script, (char *)target,
                           NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(&parquet->python, words[0], &actions, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

void wi__parquet_begin(wi__parquet *parquet, const char *target) {
    int ends[2];
    wi_check_errno(pipe2(ends, O_CLOEXEC), "make a pipe to Python");
    signal(SIGPIPE, SIG_IGN); /* a Python that ends early says why by its status */
    int error = spawn(parquet, ends[0], target);
    close(ends[0]);
    parquet->to = error ? NULL : fdopen(ends[1], "w");
    if (parquet->to) return;
    close(ends[1]);
    wi_raise_errno(error ? error : errno,
                   "Parquet is made by Python's pyarrow, and %s cannot be run", python_command());
}

void wi__parquet_end(wi__parquet *parquet) {
    int status = -1;
    fclose(parquet->to);
    while (waitpid(parquet->python, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PYARROW)
        wi_raise(WI_OS_ERROR,
                 "Parquet is made by Python's pyarrow, which %s does not have; type: %s -m pip "
                 "install pyarrow, or name another Python in WITHIN_PYTHON",
                 python_command(), python_command());
    wi_raise(WI_OS_ERROR, "%s failed to make Parquet of the points", python_command());
}
