"""What runs and their commands do to a machine: nothing listens on its network, and files are as the user's umask says."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest
import run_tables
from tracking_server import TrackingServer

pytestmark = pytest.mark.usefixtures("with_runs")

# Executes its arguments in a process that dies of SIGSYS, or whose children do, where it would listen. libcurl binds
# sockets of the kernel's own, to ask for addresses: with -DMAY_BIND that is no matter.
DEAF = r"""
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIE_AT(call)                                 \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

int main(int count, char **arguments) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        DIE_AT(SYS_listen),
        DIE_AT(SYS_accept),
        DIE_AT(SYS_accept4),
#ifndef MAY_BIND
        DIE_AT(SYS_bind),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    (void)count;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 99;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return 99;
    execvp(arguments[1], arguments + 1);
    return 98;
}
"""

LISTENS = "import socket; socket.create_server(('127.0.0.1', 0))"

# All that a run has files of: it tells when they are there, and goes on when it is told.
PROGRAM = r"""
#include <stdio.h>
#include <within.h>
#include <within/run.h>
int main(void) {
    within (run, wi_run("whole")) {
        within (wi_section("advance"))
            for (int i = 0; i < 100000; i++) wi_run_metric(run, "energy", i, i);
        wi_run_param(run, "sigma", "10");
        wi_run_text(run, "folder/notes.txt", "text");
        within (inner, wi_run("inner")) wi_run_metric(inner, "energy", 0, 1.0);
        puts("logged");
        fflush(stdout);
        getchar();
    }
    return 0;
}
"""

PYTHON = """
import within as wi
with wi.run("whole") as run:
    for i in range(1000):
        run.log(i, energy=i)
    run.log_text("text", "folder/notes.txt")
    with wi.run("inner") as inner:
        inner.log(energy=1)
    print("logged", flush=True)
    input()
print(len(wi.runs()[0].series("energy").values))
"""

COMMANDS = [
    ["run", "--name", "any", "--no-report", "true"],
    ["runs"],
    ["show", "whole"],
    ["compare", "whole", "inner"],
    ["plot", "whole", "energy"],
    ["plot", "whole", "energy", "--svg", "energy.svg"],
    ["export", "whole", "--csv", "--output", "whole.csv"],
    ["export", "whole", "--json"],
    ["delete", "--yes", "inner"],
]


@pytest.fixture(scope="module")
def deaf(compile_c, tmp_path_factory):
    """A function that gives a command as one that dies where it listens."""
    programs = [compile_c(tmp_path_factory.mktemp("deaf"), DEAF, *flags) for flags in ([], ["-DMAY_BIND"])]

    def command(*words, may_bind=False):
        return [str(programs[may_bind]), *map(str, words)]

    if subprocess.run(command("true")).returncode == 99:
        pytest.skip("this machine allows no filter of system calls")
    return command


@pytest.fixture
def python(build, monkeypatch):
    """The interpreter's path, if it has the staged package."""
    monkeypatch.setenv("PYTHONPATH", str(build / "site"))
    if subprocess.run([sys.executable, "-c", "import within._runs"], capture_output=True).returncode:
        pytest.skip(f"{sys.executable} has no module for runs in {build}/site")
    return sys.executable


def start(command, folder, **options):
    """A program that has come to "logged"."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=folder, **pipes, **options)
    assert process.stdout.readline() == "logged\n"
    return process


def finish(process):
    """Its output, when it has gone on to its end."""
    output, _ = process.communicate("\n", timeout=60)
    assert process.returncode == 0
    return output


def run_commands(command_of, within, folder, **options):
    """Call each of the commands, on the run that is there."""
    for words in COMMANDS:
        done = subprocess.run(command_of(within, *words), cwd=folder, capture_output=True, text=True, timeout=60, **options)
        assert done.returncode == 0, (words, done.stderr)


# ---- the network ----


@pytest.mark.parametrize("may_bind", [False, True])
def test_one_that_listens_would_be_seen(deaf, may_bind):
    done = subprocess.run(deaf(sys.executable, "-c", LISTENS, may_bind=may_bind))
    assert done.returncode == -signal.SIGSYS


def test_no_run_and_no_command_listens_on_the_network(deaf, compiled, within, tmp_path):
    finish(start(deaf(compiled(PROGRAM)), tmp_path))
    run_commands(deaf, within, tmp_path)


def test_no_run_in_python_listens_on_the_network(deaf, python, tmp_path):
    assert finish(start(deaf(python, "-c", PYTHON), tmp_path)) == "1000\n"


def test_a_push_does_not_listen_on_the_network(deaf, build, within, tmp_path):
    if not (build / "src/cli/within-push").exists():
        pytest.skip("within-push is not built here")
    server = TrackingServer()
    with run_tables.make(tmp_path / "runs.db") as database:
        run_tables.add_run(database, "pushed", metrics={"x": run_tables.line(1500)})
    command = deaf(within, "push", "--mlflow", server.url, "last", may_bind=True)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env={**os.environ, "no_proxy": "127.0.0.1"})
    assert done.returncode == 0, done.stderr
    assert len(server.only_run()["metrics"]) == 1500
    server.close()


# ---- the umask ----


def wrong_modes(folder, umask):
    """The files and folders in a folder whose permissions are not what the umask leaves, and how many are there."""
    wrong, count = [], 0
    for path in folder.rglob("*"):
        mode = path.stat().st_mode
        usual = 0o777 if stat.S_ISDIR(mode) else 0o666
        count += 1
        if stat.S_IMODE(mode) != usual & ~umask:
            wrong.append(f"{path.relative_to(folder)}: {stat.S_IMODE(mode):o}")
    return wrong, count


@pytest.mark.parametrize("umask", [0o002, 0o027, 0o077])
def test_all_files_of_a_run_have_the_users_umask(compiled, within, tmp_path, umask):
    process = start([compiled(PROGRAM)], tmp_path, umask=umask)
    wrong, count = wrong_modes(tmp_path, umask)
    assert wrong == [] and count > 10  # those of the journal are there now
    finish(process)
    run_commands(lambda *words: words, within, tmp_path, umask=umask)
    wrong, count = wrong_modes(tmp_path, umask)
    assert wrong == [] and count >= 5


def test_all_files_of_a_run_in_python_have_the_users_umask(python, tmp_path):
    process = start([python, "-c", PYTHON], tmp_path, umask=0o027)
    wrong, count = wrong_modes(tmp_path, 0o027)
    assert wrong == [] and count > 10
    finish(process)


# ---- in any language ----

GERMAN = r"""
#include <locale.h>
#include <within.h>
#include <within/run.h>

int main(void) {
    setlocale(LC_ALL, "");
    within (wi_run("lorenz")) within (wi_section("step")) {}
    return localeconv()->decimal_point[0] == ',';
}
"""


def test_a_decimal_comma_does_not_change_what_is_kept(compile_c, tmp_path):
    program = compile_c(tmp_path, GERMAN)
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"], capture_output=True, timeout=60)
    if not (tmp_path / "de_DE.UTF-8").exists():
        pytest.skip("no locale with a decimal comma can be made here")
    environment = {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    assert subprocess.run([program], cwd=tmp_path, env=environment, timeout=60).returncode == 1
    kept = sqlite3.connect(tmp_path / "runs.db")
    assert kept.execute("SELECT typeof(calls), typeof(total), typeof(p50) FROM section").fetchall() == [("integer", "real", "real")]
    kept.close()
