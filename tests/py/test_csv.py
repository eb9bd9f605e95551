"""CSV logs: rows through kills, faults, full disks and crowds, and files torn at every byte."""

import csv
import fcntl
import io
import os
import random
import signal
import struct
import subprocess
import time

import pytest
from faults import KILLED, calls, every_fault, inject
from kills import kill_at_random

# A program of several verbs; each takes the path of the log, which has the columns below.
PROGRAM = r"""
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <within.h>

#define COLUMNS "run,step:int,loss:float,note"
static char long_text[100000];

static int fail(const wi_error *error) {
    char text[2000];
    wi_error_format(error, text, sizeof text);
    fprintf(stderr, "%s: %s\n", wi_error_kind(error)->name, wi_error_message(error));
    return 1;
}

/* A row, and a byte on standard output when it is written. */
static void add(wi_csv *f, const char *run, long step) {
    const char *note = step % 2 ? "two\nlines, \"quoted\"" : "plain";
    if (step % 32 == 31) note = long_text; /* several pages: a kill may come amid its write */
    wi_csv_row(f, run, step, 0.1 * (double)step, note);
    if (write(1, "+", 1) != 1) abort();
}

static void add_rows(const char *path, const char *run, long count) {
    within (f, wi_csv(path, COLUMNS)) for (long i = 0; i < count; i++) add(f, run, i);
}

/* Three rows, each of which may fail; what fails is said. */
static void try_rows(const char *path, double sync_every_s) {
    within (f, wi_csv(path, COLUMNS, .sync_every_s = sync_every_s)) {
        for (int i = 0; i < 3; i++) {
            wi_try {
                wi_csv_row(f, "new", i, 0.5, "a,b");
                if (write(1, "+", 1) != 1) abort();
            } wi_catch (WI_ERROR, error) {
                fail(error);
                if (write(1, "-", 1) != 1) abort();
            }
        }
    }
}

static void fill(const char *path) {
    within (f, wi_csv(path, COLUMNS, .sync_every_s = -1)) for (long i = 0;; i++) add(f, "fill", i);
}

static void open_often(const char *path, const char *run, int times) {
    for (int i = 0; i < times; i++)
        within (f, wi_csv(path, COLUMNS, .sync_every_s = -1)) for (long j = 0; j < 9; j++) add(f, run, 9 * i + j);
}

/* Every beginning of a text as a file to which a row is added; the files one after the other. */
static void cut(const char *path, const char *columns) {
    static char text[1 << 16], made[1 << 16];
    const size_t length = fread(text, 1, sizeof text, stdin);
    for (size_t n = 0; n <= length; n++) {
        FILE *file = fopen(path, "w");
        if (fwrite(text, 1, n, file) != n || fclose(file) != 0) abort();
        within (f, wi_csv(path, columns, .sync_every_s = -1)) {
            printf("%llu ", (unsigned long long)f->cut);
            wi_csv_row(f, 1, 2, 3, 4);
        }
        file = fopen(path, "r");
        const size_t size = fread(made, 1, sizeof made, file);
        fclose(file);
        printf("%zu\n", size);
        fwrite(made, 1, size, stdout);
    }
}

/* Cells that are separated by '\x1f', two a row. */
static void quote(const char *path) {
    static char text[1 << 20];
    text[fread(text, 1, sizeof text - 1, stdin)] = '\0';
    within (f, wi_csv(path, "a,b")) {
        for (char *at = text; at;) {
            char *cells[2];
            for (int i = 0; i < 2; i++) cells[i] = strsep(&at, "\x1f");
            wi_csv_row(f, cells[0], cells[1]);
        }
    }
}

static void declare(const char *path, const char *columns) {
    within (wi_csv(path, columns)) continue;
}

/* Eight processes that open new files at the same moment, one after the other. */
static void race(const char *folder) {
    pthread_barrierattr_t of_processes;
    pthread_barrier_t *together = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_init(&of_processes);
    pthread_barrierattr_setpshared(&of_processes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(together, &of_processes, 8);
    for (int i = 0; i < 8; i++) {
        if (fork()) continue;
        for (int file = 0; file < 60; file++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%d.csv", folder, file);
            pthread_barrier_wait(together);
            within (f, wi_csv(path, "a", .sync_every_s = -1)) wi_csv_row(f, 1);
        }
        _exit(0);
    }
    while (wait(NULL) > 0) continue;
}

int main(int argc, char **argv) {
    const char *verb = argv[1], *path = argv[2], *third = argc > 3 ? argv[3] : "";
    const char *limit = getenv("LIMIT");
    memset(long_text, 'x', sizeof long_text - 1);
    if (limit) {
        struct rlimit most = {strtoul(limit, NULL, 10), strtoul(limit, NULL, 10)};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &most);
    }
    wi_try {
        if (strcmp(verb, "add") == 0) add_rows(path, third, atol(argv[4]));
        if (strcmp(verb, "try") == 0) try_rows(path, atof(third));
        if (strcmp(verb, "fill") == 0) fill(path);
        if (strcmp(verb, "often") == 0) open_often(path, third, atoi(argv[4]));
        if (strcmp(verb, "race") == 0) race(path);
        if (strcmp(verb, "cut") == 0) cut(path, third);
        if (strcmp(verb, "quote") == 0) quote(path);
        if (strcmp(verb, "declare") == 0) declare(path, third);
    } wi_catch (WI_ERROR, error) return fail(error);
    return 0;
}
"""
F_OFD_SETLK = 37  # of Linux; Python has no name for it
HEADER = ["run", "step", "loss", "note"]
NOTES = ["plain", 'two\nlines, "quoted"'] * 16
NOTES[31] = "x" * 99_999


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("program"), PROGRAM)


def run(program, *arguments, **options):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=60, **options)


def rows_of(log):
    """The rows of a file, which must all be whole, below its header."""
    text = log.read_bytes().decode()
    assert text.endswith("\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == HEADER
    assert all(len(row) == len(HEADER) for row in rows)
    return rows


def check_steps(rows, run_name):
    """The rows of one run: its steps in order, none left out. Returns how many."""
    steps = [row for row in rows if row[0] == run_name]
    for step, (_, number, loss, note) in enumerate(steps):
        assert (number, loss) == (str(step), repr(0.1 * step))
        assert note == NOTES[step % 32]
    return len(steps)


# ---- kills ----


def text_of(run_name, count):
    """What a run writes, and where each of its rows ends."""
    text, ends = io.StringIO(newline=""), []
    rows = csv.writer(text, lineterminator="\n")
    for step in range(count):
        rows.writerow([run_name, step, 0.1 * step, NOTES[step % 32]])
        ends.append(text.tell())
    return text.getvalue().encode(), ends


def test_no_row_is_lost_by_200_kills(program, tmp_path):
    log, rows, alive = tmp_path / "log.csv", 3000, 0
    text, ends = text_of("run", rows)
    header, again = b"run,step,loss,note\n", b"again,0,0.0,plain\n"
    command = [program, "add", log, "run", str(rows)]
    for death in kill_at_random(command, 200, seed=1, longest_s=0.008, reset=lambda: log.unlink(missing_ok=True)):
        written = death.output.count("+")
        alive += death.status == -signal.SIGKILL
        done = run(program, "add", log, "again", 1)
        assert done.returncode == 0, done.stderr
        found = log.read_bytes()
        possible = [header + text[: end] + again for end in [0, *ends][written : written + 2]]
        assert found in possible, (death, len(found))
    assert alive > 20


# ---- torn files ----


def rows_before(text, n):
    """Where the last whole row ends in the first n bytes: a newline counts outside of quotes."""
    ends = [i + 1 for i in range(n) if text[i : i + 1] == b"\n" and text.count(b'"', 0, i) % 2 == 0]
    return ends[-1] if ends else 0


TEXT = b'run,"st,ep",loss,"n""o\nte"\n1,"a\nb",,"x"",""\n"\r\n2,"",\xc3\xa9, 1\n"\n\n",3,4,"5"\n"","","",""\n'
COLUMNS = 'run,"st,ep",loss,"n""o\nte"'
NUMBERS = b"a,b,c,d\n1,2,3.5,4\n,,,\n-1e-05,22,nan,18446744073709551615\n"


@pytest.mark.parametrize(
    "columns, text",
    [(COLUMNS, TEXT), ("a:int,b:int,c:float,d:int", NUMBERS), ("a,b,c,d", NUMBERS.replace(b"\n", b"\r\n"))],
    ids=["quoted", "numbers", "crlf"],
)
def test_a_file_cut_at_any_byte_loses_the_torn_row_alone(program, tmp_path, columns, text):
    done = run(program, "cut", tmp_path / "log.csv", columns, input=text)
    assert done.returncode == 0, done.stderr
    out, header = io.BytesIO(done.stdout), text[: rows_before(text, len(text.splitlines(True)[0]) + 200)]
    header_end = next(n for n in range(1, len(text)) if rows_before(text, n))
    for n in range(len(text) + 1):
        cut, size = map(int, out.readline().split())
        whole = rows_before(text, n)
        newline = b"\r\n" if whole and b"a,b,c,d\r\n" in text[:whole] else b"\n"
        begin = text[:whole] or text[:header_end].replace(b"\r", b"")
        assert cut == n - whole, text[:n]
        assert out.read(size) == begin + b"1,2,3,4" + newline, text[:n]


def test_long_files_are_cut_at_the_right_byte(program, tmp_path):
    """Of several megabytes, with quotes and newlines wherever a piece that is read ends."""
    chance, log = random.Random(5), tmp_path / "log.csv"
    pieces, ends = [b"run,step,loss,note\n"], []
    size = len(pieces[0])
    while size < 3_500_000:
        cells = [bytes(chance.choices(b'ab,"\n', k=chance.randrange(chance.choice([4, 60_000])))) for _ in range(4)]
        pieces.append(b",".join(b'"' + cell.replace(b'"', b'""') + b'"' for cell in cells) + b"\n")
        size += len(pieces[-1])
        ends.append(size)
    text = b"".join(pieces)
    around = [(part << 20) + near for part in (1, 2, 3) for near in range(-3, 4)]
    for n in around + [chance.randrange(len(text)) for _ in range(40)]:
        log.write_bytes(text[:n])
        done = run(program, "declare", log, "run,step,loss,note")
        assert done.returncode == 0, done.stderr
        assert log.stat().st_size == max((end for end in ends if end <= n), default=len(pieces[0])), n


# ---- what is written ----


def test_texts_are_read_back_by_pythons_reader(program, tmp_path):
    chance, log = random.Random(3), tmp_path / "log.csv"
    texts = ["".join(chance.choices(',"\r\n \tab\'é;', k=chance.randrange(8))) for _ in range(20_000)]
    run(program, "quote", log, input="\x1f".join(texts).encode(), check=True)
    with open(log, newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["a", "b"]
    assert [cell for row in rows for cell in row] == texts


def test_names_are_read_back_by_pythons_reader(program, tmp_path):
    chance, log = random.Random(4), tmp_path / "log.csv"
    for _ in range(40):
        names = {"".join(chance.choices(',"\n :ab', k=chance.randrange(1, 8))) for _ in range(5)}
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(names)
        for _ in range(2):  # made, and gone on with
            done = run(program, "declare", log, line.getvalue())
            assert done.returncode == 0, done.stderr
        with open(log, newline="") as file:
            assert list(csv.reader(file, strict=True)) == [list(names)]
        log.unlink()


EVERY_TYPE = r"""
#include <stdbool.h>
#include <stdint.h>
#include <within.h>

enum color { RED = 3 };

int main(int argc, char **argv) {
    (void)argc;
    enum color color = RED;
    const char *none = NULL;
    char array[] = "array";
    const volatile bool yes = true;
    within (f, wi_csv(argv[1], "a:int,b,c:float,d:text,e:bool", .fresh = 1)) {
        wi_csv_row(f, INT64_MIN, UINT64_MAX, 0.1F, array, yes);
        wi_csv_row(f, color, (uint8_t)255, 0.1L, none, 0);
        wi_csv_row(f, (short)-1, 1e300, 7, "text", WI_CSV_EMPTY);
    }
    return 0;
}
"""


@pytest.mark.parametrize("flags", [[], ["-xc++"]], ids=["C", "C++"])
def test_a_row_has_the_types_of_its_values(compile_c, tmp_path, flags):
    subprocess.run([compile_c(tmp_path, EVERY_TYPE, *flags), tmp_path / "log.csv"], check=True)
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        "a,b,c,d,e",
        "-9223372036854775808,18446744073709551615,0.1,array,true",
        "3,255,0.1,,false",
        "-1,1e+300,7,text,",
    ]


def test_a_row_is_one_write(program, tmp_path):
    log = tmp_path / "log.csv"
    names = [call.name for call in calls([program, "add", log, "run", "30"], tmp_path)]
    assert names == ["open", "lock", "write", "open", "fsync", "close", "lock", *["write"] * 30, "fsync", "close"]


@pytest.mark.parametrize("sync_every_s, syncs", [("0", 1), ("1000", 1), ("1e-9", 4), ("-1", 0)])
def test_rows_are_synced_when_it_was_asked_for(program, tmp_path, sync_every_s, syncs):
    log = tmp_path / "log.csv"
    log.write_text("run,step,loss,note\n")
    names = [call.name for call in calls([program, "try", log, sync_every_s], tmp_path)]
    assert names.count("fsync") == syncs


# ---- faults ----


def check_fault(program, log, call, error, done, old):
    """After any fault: the old rows are there, and of the new ones those that were acknowledged."""
    fate = (call, error, done.stdout, done.stderr)
    assert done.returncode in (0, 1, KILLED), fate
    if done.returncode == 1 or "-" in done.stdout:
        assert "log.csv" in done.stderr, fate
    again = run(program, "add", log, "again", 1)
    assert again.returncode == 0, (*fate, again.stderr)
    rows = rows_of(log)
    assert rows.pop()[0] == "again"
    assert rows[: len(old)] == old, fate
    steps = [int(step) for _, step, _, _ in rows[len(old) :]]
    acknowledged = [step for step, sign in enumerate(done.stdout) if sign == "+"]
    assert steps == sorted(set(steps)), fate
    if error == "kill":
        assert steps[: len(acknowledged)] == acknowledged and len(steps) <= len(acknowledged) + 1, fate
    elif call.name != "fsync":  # a row that cannot be synced is there
        assert steps == acknowledged, fate


@pytest.mark.parametrize(
    "begin, old",
    [
        (None, []),
        ("", []),
        ("run,st", []),
        ("run,step,loss,note\n1,2,3,4\n", [["1", "2", "3", "4"]]),
        ('run,step,loss,note\n1,2,3,4\n5,"6\n', [["1", "2", "3", "4"]]),
    ],
    ids=["new", "empty", "torn-header", "whole", "torn-row"],
)
def test_a_fault_at_any_call_leaves_whole_rows(program, tmp_path, begin, old):
    log = tmp_path / "log.csv"

    def reset():
        log.unlink(missing_ok=True)
        if begin is not None:
            log.write_text(begin)

    command = [program, "try", log, "1e-9"]
    for call, error, done in every_fault(command, tmp_path, reset, with_reads=True, with_stats=True):
        if begin and done.returncode == 1 and not done.stdout:
            left = log.read_text()
            whole = [begin, "", "run,step,loss,note\n", begin[: rows_before(begin.encode(), len(begin))]]
            assert left in whole, (call, error, left)
        check_fault(program, log, call, error, done, old)


TRUNCATING = """
#include <within.h>
int main(int argc, char **argv) {
    within (log, wi_csv(argv[argc - 1], "step,note")) wi_csv_truncate(log, 2);
    return 0;
}
"""


def test_a_fault_while_rows_are_cut_leaves_all_or_the_first(compile_c, tmp_path):
    program, log = compile_c(tmp_path, TRUNCATING), tmp_path / "logs/log.csv"
    log.parent.mkdir()
    whole = "step,note\n0,a\n1,\"b\nb\"\n2,c\n3,d\n"
    kept = whole[: whole.index("2,c")]
    results = set()
    for call, error, done in every_fault([program, log], log.parent, lambda: log.write_text(whole), with_reads=True):
        left = log.read_text()
        results.add((done.returncode, left))
        assert left == kept if done.returncode == 0 else left in (whole, kept), (call, error, left)
        assert done.returncode != 1 or "log.csv: " in done.stderr, (call, error, done.stderr)
    assert {(0, kept), (1, whole), (KILLED, whole), (KILLED, kept)} <= results


def test_a_row_that_cannot_be_taken_back_is_the_last(program, tmp_path):
    """The disk is full in the middle of a row, and then the file cannot be cut: nothing is written behind the piece."""
    log = tmp_path / "log.csv"
    command, options = [program, "try", log, "-1"], {"env": {**os.environ, "LIMIT": "60"}}
    listed = calls(command, tmp_path, with_reads=True, with_stats=True, **options)
    (back,) = [call.number for call in listed if call.name == "truncate"][:1]
    assert rows_of(log)[-1][1] == "1"
    log.unlink()
    done = inject(command, tmp_path, back, "EIO", with_reads=True, with_stats=True, **options)
    assert done.stdout == "++-"
    assert f"{log}: row 3 cannot be written, and a piece of one stays: File too large" in done.stderr
    assert log.stat().st_size == 60
    again = run(program, "add", log, "again", 1)
    assert b"was torn and is cut" in again.stderr
    assert [row[1] for row in rows_of(log)] == ["0", "1", "0"]


def test_a_full_disk(program, tmp_path):
    folder, said = tmp_path / "disk", tmp_path / "said"
    folder.mkdir()
    script = (
        f"mount -t tmpfs -o size=2000k none {folder} || exit\n"
        f"{program} fill {folder}/log.csv 2>{said} >{tmp_path}/written; echo status $?\n"
        f"cp {folder}/log.csv {tmp_path}\n"
    )
    try:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if "status" not in done.stdout:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    assert "status 1" in done.stdout
    written = (tmp_path / "written").stat().st_size
    assert f"{folder}/log.csv: row {written + 1} cannot be written: No space left on device" in said.read_text()
    assert check_steps(rows_of(tmp_path / "log.csv"), "fill") == written > 0


# ---- crowds ----


@pytest.mark.parametrize("count, times", [(2, 60), (8, 15)])
def test_processes_that_come_and_go_append_whole_rows(program, tmp_path, count, times):
    log = tmp_path / "log.csv"
    crowd = [
        subprocess.Popen([program, "often", log, f"run {i}", str(times)], stdout=subprocess.DEVNULL, stderr=-1)
        for i in range(count)
    ]
    for process in crowd:
        assert (process.communicate()[1], process.returncode) == (b"", 0)
    rows = rows_of(log)
    for i in range(count):
        assert check_steps(rows, f"run {i}") == 9 * times
    assert len(rows) == 9 * times * count


def test_processes_that_begin_a_file_at_once_write_one_header(program, tmp_path):
    run(program, "race", tmp_path, check=True)
    assert {log.read_text() for log in tmp_path.iterdir()} == {"a\n" + "1\n" * 8}


def test_what_another_process_is_writing_does_not_look_torn(program, tmp_path):
    log, others = tmp_path / "log.csv", 8
    with subprocess.Popen([program, "add", log, "run", "1000000"], stdout=subprocess.PIPE) as writer:
        fcntl.fcntl(writer.stdout, fcntl.F_SETPIPE_SZ, 4096)  # so many rows at most are ahead of what is read
        for _ in range(others):
            writer.stdout.read(1000)
            done = run(program, "add", log, "other", 1)
            assert (done.returncode, done.stderr) == (0, b"")
        writer.kill()
        writer.stdout.read()
    run(program, "add", log, "again", 1)
    assert [row[0] for row in rows_of(log)].count("other") == others


def test_a_file_that_grows_by_whole_rows_is_gone_on_with_at_a_moment_when_its_end_is_torn(program, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("run,step,loss,note\n1,2")
    with open(log, "a+") as file:
        whole_file_shared = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(file, F_OFD_SETLK, whole_file_shared)
        with subprocess.Popen([program, "add", log, "other", "1"], stdout=-1, stderr=-1) as other:
            while other.poll() is None:
                os.write(file.fileno(), b",3,4\n1,2")
                time.sleep(0.01)
            assert (other.returncode, other.stderr.read()) == (0, b"")


def test_a_read_only_file_and_folder_are_refused(program, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / "log.csv").write_text("run,step,loss,note\n")
    (tmp_path / "log.csv").chmod(0o400)
    done = run(program, "add", tmp_path / "log.csv", "run", 1)
    assert done.stderr == f"WI_PERMISSION_ERROR: {tmp_path}/log.csv: cannot be opened: Permission denied\n".encode()
