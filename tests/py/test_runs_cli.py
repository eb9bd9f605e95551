"""`within runs`, `show`, `compare`, `delete`: what they print of databases that are known, and of hostile ones."""

import json
import math
import os
import pty
import sqlite3
import subprocess
import threading

import pytest
import runs_database as database

pytestmark = pytest.mark.usefixtures("with_runs")

FIRST, SECOND, THIRD, CHILD = "3f2a91c0", "9c01aa", "77e0bb", "abcd12"


@pytest.fixture
def call(within, tmp_path):
    """A function that calls the command in a folder of its own, in UTC."""

    def call_within(*words, **options):
        environment = {**os.environ, "TZ": "UTC", **options.pop("env", {})}
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [within, *words], capture_output=True, text=True, cwd=tmp_path, timeout=60, env=environment, **options
        )

    return call_within


@pytest.fixture
def printed(call):
    """A function that gives what a command that must succeed prints."""

    def printed_by(*words, **options):
        done = call(*words, **options)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return printed_by


@pytest.fixture
def runs(tmp_path):
    """runs.db with four runs in the folder, and its connection."""
    path = tmp_path / "runs.db"
    db = database.make(path)
    first = database.add_run(
        db,
        "lorenz",
        FIRST,
        duration_s=754.2,
        params={"sigma": "10", "rho": "28", "seed": "9"},
        tags={"machine": "gpu3"},
        environment={"git.commit": "1f0c2b7", "cores": "8"},
        host="node7",
        pid=4711,
        user="ada",
        command="./lorenz --seed 9",
        directory="/home/ada",
        exit_status=0,
        peak_memory=123456789,
    )
    database.add_metric(db, first, "energy", [1.5, 2.5, 0.25])
    database.add_metric(db, first, "loss", [0.5, math.nan], steps=[10, 20])
    database.add_section(db, first, "sweep", 1, 8.0, 1.0)
    database.add_section(db, first, "sweep > step", 100, 7.0, 5.0)
    database.add_section(db, first, "sweep > step > save", 100, 2.0, 2.0, errors=3)
    database.add_section(db, first, "a > b", 1, 9.0, 9.0)
    db.execute("INSERT INTO finding VALUES (?, 'leak', 'sweep > step', '3 descriptors a call')", [first])
    database.add_artifact(db, path, first, "model/final.bin", b"x" * 4711)
    second = database.add_run(
        db,
        "lorenz",
        SECOND,
        status="FAILED",
        started_s=3600,
        params={"sigma": "10", "rho": "30", "seed": "10"},
        tags={"machine": "gpu4", "note": "a=b"},
        exit_status=1,
        error="WI_VALUE_ERROR: energy -3 J is negative\n  at lorenz.c:41 (advance)",
    )
    database.add_metric(db, second, "energy", [7.0])
    database.add_section(db, second, "sweep", 2, 4.0, 4.0)
    database.add_run(db, "roessler", THIRD, status="KILLED", started_s=7200, doing="file  ber.csv\nsection  sweep")
    database.add_run(db, "nested", CHILD, status="INTERRUPTED", started_s=9000, parent=first, signal="SIGTERM")
    return db


# ---- within runs ----

LIST = """\
id        name      status       started              duration
abcd1200  nested    INTERRUPTED  2026-02-25 08:43:20   1.500 s
77e0bb00  roessler  KILLED       2026-02-25 08:13:20   1.500 s
9c01aa00  lorenz    FAILED       2026-02-25 07:13:20   1.500 s
3f2a91c0  lorenz    FINISHED     2026-02-25 06:13:20   754.2 s
"""


def ids(output):
    """The beginnings of the ids in a list."""
    return [line.split()[0] for line in output.splitlines()[1:]]


def test_the_list_has_the_newest_run_first(runs, printed):
    assert printed("runs") == LIST


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--name", "lorenz"], "93"),
        (["--name", "ro?ss*"], "7"),
        (["--status", "killed", "--status", "FAILED"], "79"),
        (["--tag", "machine"], "93"),
        (["--tag", "machine=gpu3"], "3"),
        (["--tag", "note=a=b"], "9"),
        (["--tag", "machine=gpu4", "--tag", "note"], "9"),
        (["--where", "energy<1"], "3"),
        (["--where", "energy >= 0.25"], "93"),
        (["--where", "seed>9"], "9"),
        (["--where", "param:seed != 9"], "9"),
        (["--where", "tag:machine=gpu3"], "3"),
        (["--where", "loss<1"], ""),
        (["--limit", "2"], "a7"),
        (["--reverse"], "397a"),
        (["--sort", "duration", "--limit", "1"], "3"),
        (["--sort", "name"], "93a7"),
        (["--sort", "status"], "93a7"),
        (["--sort", "id"], "379a"),
        (["--sort", "energy"], "93a7"),
        (["--sort", "seed", "--reverse"], "397a"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_runs_are_chosen_and_ordered(runs, printed, options, expected):
    assert "".join(id[0] for id in ids(printed("runs", *options))) == expected


def test_columns_show_parameters_metrics_and_tags(runs, printed):
    output = printed("runs", "--name", "lorenz", "--column", "seed", "--column", "loss", "--column", "tag:machine")
    assert [line.split()[7:] for line in output.splitlines()[1:]] == [["10", "gpu4"], ["9", "nan", "gpu3"]]
    assert output.splitlines()[0].split()[5:] == ["seed", "loss", "tag:machine"]


def test_the_list_as_json(runs, printed):
    first = json.loads(printed("runs", "--json", "--column", "energy", "--column", "loss", "--reverse"))[0]
    assert first == {
        "id": FIRST.ljust(32, "0"),
        "name": "lorenz",
        "status": "FINISHED",
        "started": "2026-02-25T06:13:20.000Z",
        "duration_s": 754.2,
        "columns": {"energy": 0.25, "loss": "nan"},
    }
    assert json.loads(printed("runs", "--json", "--name", "none")) == []


def test_ids_alone_are_for_other_commands(runs, printed):
    expected = [id.ljust(32, "0") for id in (SECOND, FIRST)]
    assert printed("runs", "--name", "lorenz", "--ids").split("\n") == [*expected, ""]
    assert printed("runs", "--name", "lorenz", "--ids", "--limit", "1").split("\n") == [expected[0], ""]
    assert printed("runs", "--name", "none", "--ids") == ""


def test_no_runs_are_said(runs, printed, tmp_path):
    assert printed("runs", "--name", "none") == "no runs\n"
    database.make(tmp_path / "empty.db")
    assert printed("runs", "--database", "empty.db") == "no runs\n"


def test_the_database_is_that_of_the_environment_or_of_the_option(runs, printed, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    database.add_run(database.make(tmp_path / "elsewhere/b.db"), "other", "5555")
    assert ids(printed("runs", env={"WITHIN_DATABASE": "elsewhere/b.db"})) == ["55550000"]
    both = printed("runs", "--database", "runs.db", env={"WITHIN_DATABASE": "elsewhere/b.db"})
    assert both == LIST
    assert printed("runs", env={"WITHIN_DATABASE": ""}) == LIST


def test_ten_thousand_runs_are_listed(printed, tmp_path):
    db = database.make(tmp_path / "runs.db")
    rows = [(f"{i:032x}", f"run {i}", i) for i in range(10000)]
    db.executemany("INSERT INTO run (uuid, name, status, started_ms) VALUES (?, ?, 'KILLED', ?)", rows)
    db.commit()
    assert len(printed("runs").splitlines()) == 10001
    assert ids(printed("runs", "--name", "run 4711")) == [f"{4711:032x}"[:8]]


def on_terminal(within, words, folder, columns):
    """What a command prints on a terminal so wide, and in colour."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TZ": "UTC", "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = ["sh", "-c", f'stty cols {columns}; exec "$@"', "sh", within, *words]
    child = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environment)
    os.close(follower)
    output = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(leader)
    assert child.wait(60) == 0
    return output.decode().replace("\r\n", "\n")


def test_on_a_terminal_there_are_colours_and_what_does_not_fit_is_said(runs, within, tmp_path):
    output = on_terminal(within, ["runs", "--column", "seed"], tmp_path, 60)
    assert "\033[31mKILLED\033[0m" in output and "\033[31mFAILED\033[0m" in output
    assert "\033[33mINTERRUPTED\033[0m" in output and "FINISHED" in output
    assert output.endswith("columns left out: duration, seed; a wider terminal shows them\n")


# ---- within show ----

SHOWN = """\
run       lorenz
id        3f2a91c0000000000000000000000000
status    FINISHED
exit      status 0
time      754.2 s, from 2026-02-25 06:13:20 to 2026-02-25 06:25:54
command   ./lorenz --seed 9
folder    /home/ada
host      node7, process 4711, user ada
memory    123 MB at its peak

parameters
  rho    28
  seed   9
  sigma  10

tags
  machine  gpu3

metrics
  name    count  last step  last  least  most
  energy      3          2  0.25   0.25   2.5
  loss        2         20   nan    0.5   0.5

section   calls   total      self      mean    std       min       p50       p99       max    errors  % parent
a > b         1  9.000 s   9.000 s   9.000 s    0 s   9.000 s   9.000 s   9.000 s   9.000 s        0       1.2
sweep         1  8.000 s   1.000 s   8.000 s    0 s   8.000 s   8.000 s   8.000 s   8.000 s        0       1.1
  step      100  7.000 s   5.000 s    70.0 ms   0 s    70.0 ms   70.0 ms   70.0 ms   70.0 ms       0      87.5
    save    100  2.000 s   2.000 s    20.0 ms   0 s    20.0 ms   20.0 ms   20.0 ms   20.0 ms       3      28.6

findings
  leak  sweep > step  3 descriptors a call

artifacts
  name                size  crc32c
  model/final.bin  4.71 kB  00c0ffee

runs in it
  abcd1200  nested  INTERRUPTED

environment
  cores       8
  git.commit  1f0c2b7
"""


def test_a_run_is_shown_with_all_that_is_known_of_it(runs, printed):
    assert printed("show", "3f2a") == SHOWN


def test_how_a_run_ended_is_shown(runs, printed):
    failed, killed, interrupted = (printed("show", id) for id in (SECOND, THIRD, CHILD))
    trail = "WI_VALUE_ERROR: energy -3 J is negative\n            at lorenz.c:41 (advance)\n"
    assert f"status    FAILED\nexit      status 1\nerror     {trail}" in failed
    assert "status    KILLED\ndoing     file  ber.csv\n          section  sweep\n" in killed
    assert "status    INTERRUPTED\nsignal    SIGTERM\n" in interrupted
    assert "parent    lorenz (3f2a91c0)\n" in interrupted


@pytest.mark.parametrize(
    ("word", "id"),
    [("last", CHILD), ("lorenz", SECOND), ("3F2A", FIRST), ("77e0bb" + 26 * "0", THIRD), ("nested", CHILD)],
)
def test_a_word_means_a_run(runs, printed, word, id):
    assert json.loads(printed("show", word, "--json"))["id"].startswith(id)


def test_a_word_that_means_no_run_or_several_is_said_with_candidates(runs, call):
    database.add_run(runs, "third", "9c01ff", started_s=10)
    database.add_run(runs, "9c01", "1234", started_s=20)
    done = call("show", "9c01")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        'within show: "9c01" means 3 runs; type more of the id\n'
        "    12340000  9c01  FINISHED, 2026-02-25 06:13:40\n"
        "    9c01ff00  third  FINISHED, 2026-02-25 06:13:30\n"
        "    9c01aa00  lorenz  FAILED, 2026-02-25 07:13:20\n"
    )
    done = call("show", "oess")
    assert done.stderr == (
        'within show: no run has the name or id "oess"; there are\n    77e0bb00  roessler  KILLED, 2026-02-25 08:13:20\n'
    )
    assert 'no run has the name or id "9c0"' in call("show", "9c0").stderr
    assert len(call("show", "*[?").stderr.splitlines()) == 6


def test_a_run_as_json(runs, printed):
    run = json.loads(printed("show", "3f2a", "--json"))
    assert run["params"] == {"rho": "28", "seed": "9", "sigma": "10"}
    assert run["metrics"][0] == {"name": "energy", "count": 3, "last_step": 2, "last": 0.25, "least": 0.25, "most": 2.5}
    assert run["metrics"][1]["last"] is None
    assert [section["path"] for section in run["sections"]] == ["a > b", "sweep", "sweep > step", "sweep > step > save"]
    assert run["sections"][3]["errors"] == 3
    assert run["artifacts"] == [{"name": "model/final.bin", "bytes": 4711, "crc32c": "00c0ffee"}]
    assert run["findings"] == [{"kind": "leak", "section": "sweep > step", "what": "3 descriptors a call"}]
    assert run["children"] == [CHILD.ljust(32, "0")]
    assert (run["pid"], run["signal"], run["peak_memory"]) == (4711, None, 123456789)


def test_texts_of_any_kind_are_printed_safely(call, tmp_path):
    db = database.make(tmp_path / "runs.db")
    nasty = "\033[31mred\033[0m\r\n\u202e\x07'; DROP TABLE run; --"
    run = database.add_run(db, nasty, "0bad", params={nasty: nasty}, error=nasty, command=nasty)
    database.add_metric(db, run, nasty, [1.0])
    database.add_section(db, run, nasty, 1, 1.0, 1.0)
    db.execute("UPDATE run SET user = CAST(x'ff41' AS TEXT), host = 'h'")
    db.commit()
    for words in ["runs"], ["runs", "--column", nasty], ["show", "0bad"], ["compare", "0bad", "0bad"], ["show", nasty + "x"]:
        done = call(*words)
        assert not set("\033\r\x07\u202e") & set(done.stdout + done.stderr), words
    assert "user \\xffA" in call("show", "0bad").stdout
    shown = json.loads(call("show", nasty, "--json").stdout)
    assert (shown["name"], shown["params"], shown["user"]) == (nasty, {nasty: nasty}, "\\xffA")
    assert shown["metrics"][0]["name"] == nasty


def test_sections_of_any_number_and_name_are_shown(printed, tmp_path):
    db = database.make(tmp_path / "runs.db")
    run = database.add_run(db, "deep", "dee9")
    path = " > ".join("s" * 300)
    for depth in range(300):
        database.add_section(db, run, path[: 1 + 4 * depth], 1, 300.0 - depth, 1.0)
    for name in " > ", "a > ", " > a", "sz", "s !":
        database.add_section(db, run, name, 1, 1.0, 1.0)
    output = printed("show", "dee9")
    assert len([line for line in output.splitlines() if line.endswith(tuple("0123456789"))]) >= 305
    assert "[level 300] s" in output


# ---- within compare ----

COMPARED = """\
run                       lorenz    lorenz
id                      3f2a91c0  9c01aa00
status                  FINISHED    FAILED
duration                 754.2 s   1.500 s

parameters that differ
  rho                         28        30
  seed                         9        10

tags that differ
  machine                   gpu3      gpu4
  note                                 a=b

metrics, last values
  energy                    0.25         7
  loss                       nan

sections, whole time
  a > b                  9.000 s
  sweep                  8.000 s   4.000 s
  sweep > step           7.000 s
  sweep > step > save    2.000 s
"""


def test_runs_are_compared(runs, printed):
    assert printed("compare", "3f2a", "9c01") == COMPARED
    assert "  sigma" in printed("compare", "3f2a", "9c01", "--all")
    same = printed("compare", "3f2a", "3f2a")
    assert "the parameters are the same" in same and "the tags are the same" in same


def test_a_comparison_as_json(runs, printed):
    result = json.loads(printed("compare", "--json", "9c01", "3f2a", "roessler"))
    assert [run["status"] for run in result["runs"]] == ["FAILED", "FINISHED", "KILLED"]
    assert result["params"] == {"rho": ["30", "28", None], "seed": ["10", "9", None], "sigma": ["10", "10", None]}
    assert result["metrics"] == {"energy": [7.0, 0.25, None], "loss": [None, None, None]}
    assert result["sections_s"]["sweep"] == [4.0, 8.0, None]


# ---- within delete ----


def test_runs_are_deleted_with_their_artifacts(runs, printed, tmp_path):
    folder = tmp_path / "runs.db.artifacts"
    assert (folder / FIRST.ljust(32, "0") / "model/final.bin").exists()
    assert printed("delete", "--yes", "3f2a", "roessler") == "deleted lorenz (3f2a91c0)\ndeleted roessler (77e0bb00)\n"
    assert list(folder.iterdir()) == []
    assert ids(printed("runs")) == ["abcd1200", "9c01aa00"]
    for table in "param", "series", "section", "artifact", "finding", "environment":
        assert runs.execute(f"SELECT count(*) FROM {table} WHERE run = 1").fetchone() == (0,)
    assert runs.execute("SELECT count(*) FROM chunk").fetchone() == (1,)
    assert runs.execute("SELECT parent FROM run WHERE name = 'nested'").fetchone() == (None,)
    assert runs.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nothing_is_deleted_without_a_yes(runs, call):
    done = call("delete", "3f2a")
    assert (done.returncode, done.stderr) == (2, "within delete: nobody is there to be asked: say --yes\ntype: within delete --help\n")
    assert runs.execute("SELECT count(*) FROM run").fetchone() == (4,)


@pytest.mark.parametrize(("answer", "left"), [("y", 3), ("yes", 3), ("n", 4), ("", 4), ("yess", 4)])
def test_deleting_asks_on_a_terminal(runs, within, tmp_path, answer, left):
    leader, follower = pty.openpty()
    child = subprocess.Popen([within, "delete", "3f2a"], stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(follower)
    os.write(leader, f"{answer}\n".encode())
    out, err = child.communicate(timeout=60)
    os.close(leader)
    assert child.returncode == 0
    assert b"delete lorenz (3f2a91c0) for good, with all that was logged and kept? [y/N] " in err
    assert runs.execute("SELECT count(*) FROM run").fetchone() == (left,)
    assert out == (b"deleted lorenz (3f2a91c0)\n" if left == 3 else b"")


def test_a_run_of_a_host_that_is_gone_is_closed(call, printed, tmp_path):
    db = database.make(tmp_path / "runs.db")
    database.add_run(db, "sweep", "5a5a", status="RUNNING", owner="4000000-5-12345678-0badcafe")
    db.close()
    done = call("close", "sweep")
    assert (done.returncode, done.stderr) == (2, "within close: nobody is there to be asked: say --yes\ntype: within close --help\n")
    assert "RUNNING" in printed("runs")
    assert printed("close", "--yes", "5a5a") == "closed sweep (5a5a0000): it is KILLED\n"
    assert "KILLED" in printed("runs")
    done = call("close", "--yes", "5a5a")
    assert (done.returncode, done.stderr) == (1, "within close: sweep (5a5a0000) is KILLED: there is nothing to close\n")


# Five seconds pass at once: SQLite counts the pauses that it asks for, and who tries again looks at the clock.
FAST_TIME = r"""
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static long calls;
int clock_gettime(clockid_t clock, struct timespec *time) {
    int answer = (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec += 10 * __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return answer;
}
int usleep(useconds_t microseconds) { return (int)(0 * microseconds); }
int nanosleep(const struct timespec *wished, struct timespec *left) {
    (void)wished, (void)left;
    return 0;
}
"""


def test_a_database_that_stays_locked_deletes_nothing(runs, call, compile_c, tmp_path):
    fast_time = compile_c(tmp_path, FAST_TIME, "-shared", "-fPIC", "-D_GNU_SOURCE")
    artifact = tmp_path / "runs.db.artifacts" / FIRST.ljust(32, "0") / "model/final.bin"
    runs.isolation_level = None
    runs.execute("BEGIN IMMEDIATE")
    done = call("delete", "--yes", "3f2a", env={"LD_PRELOAD": str(fast_time)})
    runs.execute("ROLLBACK")
    assert (done.returncode, done.stdout) == (1, "")
    assert "locked" in done.stderr
    assert artifact.exists()


def test_a_database_that_is_locked_for_a_moment_is_waited_for(runs, printed, tmp_path):
    other = sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    printed("delete", "--yes", "3f2a")
    timer.join()
    other.close()


# ---- databases that are none ----


def hostile(path, kind):
    """Make a file that is no whole database of runs."""
    if kind == "text":
        path.write_text("hello\n" * 1000)
    elif kind == "random":
        path.write_bytes(os.urandom(100000))
    elif kind == "folder":
        path.mkdir()
    elif kind == "other":
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE planet (name TEXT)")
        db.close()
    elif kind == "logged":
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE planet (name TEXT)")
        db.close()
    elif kind == "newer":
        db = database.make(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
    elif kind == "truncated":
        fill(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "damaged":
        fill(path)
        content = bytearray(path.read_bytes())
        content[8192:16384] = os.urandom(8192)
        path.write_bytes(content)


def fill(path):
    db = database.make(path)
    for i in range(50):
        database.add_run(db, f"run {i}", f"{i:08x}", params={str(key): "value" * 20 for key in range(20)})
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()


MESSAGES = {
    "text": "file is not a database",
    "random": "file is not a database",
    "folder": "Is a directory",
    "other": "it is a database, but not one of runs: it is left as it is",
    "logged": "it is a database, but not one of runs: it is left as it is",
    "newer": "its version is 99, and this library knows versions up to 1",
    "truncated": "malformed",
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_is_no_database_of_runs_is_said_and_left_alone(call, tmp_path, kind):
    path = tmp_path / "runs.db"
    hostile(path, kind)
    before = None if kind == "folder" else path.read_bytes()
    for words in ["runs"], ["show", "last"], ["compare", "a", "b"], ["export", "last", "--csv"], ["plot", "last", "x"]:
        done = call(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert done.stderr.startswith(f"within {words[0]}: ") and MESSAGES[kind] in done.stderr
        assert "runs.db" in done.stderr
        assert list(tmp_path.iterdir()) == [path]
    assert before is None or path.read_bytes() == before


def test_a_damaged_database_is_read_as_far_as_it_goes(call, tmp_path):
    hostile(tmp_path / "runs.db", "damaged")
    for words in ["runs"], ["show", "last"], ["show", "run 3", "--json"], ["delete", "--yes", "run 3"]:
        done = call(*words)
        assert done.returncode in (0, 1)
        assert done.returncode == 0 or done.stderr.startswith(f"within {words[0]}: ")


@pytest.mark.parametrize("words", [["runs"], ["show", "last"], ["delete", "--yes", "x"]])
def test_a_database_that_is_not_there_is_said_and_not_made(call, tmp_path, words):
    done = call(*words, "--database", "none.db")
    assert done.returncode == 1
    assert done.stderr == (
        f"within {words[0]}: none.db: there is no such database of runs; name one by --database PATH, or make it: "
        "within run --name NAME -- COMMAND\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(runs, within, tmp_path):
    for words in ["runs"], ["show", "last"], ["export", "3f2a", "--csv"], ["plot", "3f2a", "energy"]:
        with open("/dev/full", "w") as full:
            done = subprocess.run([within, *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 1
        assert done.stderr == "within: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs", "x"], '"x" is one argument too many'),
        (["runs", "--status", "kiled"], 'failed, interrupted or killed, and got "kiled"; did you mean killed?'),
        (["runs", "--limit", "0"], '--limit takes a number of runs from 1 on, and got "0"'),
        (["runs", "--where", "loss"], '--where takes a condition like "loss < 0.1", and got "loss"'),
        (["runs", "--where", "< 3"], '--where takes a condition like "loss < 0.1", and got "< 3"'),
        (["runs", "--where", "x !3"], '--where takes a condition like "loss < 0.1", and got "x !3"'),
        (["runs", "--ids", "--json"], "--ids and --json exclude each other"),
        (["runs", "--database="], "--database needs a path, and got an empty one"),
        (["runs", *["--tag=x"] * 65], "--tag is one too many: there may be 64 of such options"),
        (["show"], "the run is missing: within show RUN"),
        (["compare", "x"], "two runs at least are needed: within compare RUN RUN"),
        (["delete"], "the runs are missing: within delete RUN..."),
        (["close"], "the run is missing: within close RUN"),
        (["plot"], "the run is missing: within plot RUN METRIC"),
        (["plot", "x", "y", "--size", "5"], "--size takes a width and a height like 100x30"),
        (["plot", "x", "y", "--over", "epoch"], '--over takes step or time, and got "epoch"'),
        (["plot", "x", "y", "--svg="], "--svg needs a path, and got an empty one"),
        (["export", "x"], "one of --csv, --json and --parquet is needed"),
        (["export", "x", "--csv", "--json"], "one of --csv, --json and --parquet is needed"),
        (["export", "--csv"], "the run is missing: within export RUN --csv"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_named(call, tmp_path, words, message):
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.endswith(f"\ntype: within {words[0]} --help\n")
    assert list(tmp_path.iterdir()) == []
