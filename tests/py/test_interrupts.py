"""wi_interrupts in processes that really end: their status, their exits, their records; and within run --grace."""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from test_docs import compile_text, fences_of

ROOT = Path(__file__).resolve().parents[2]

# Blocks within blocks, for ever or until its time is over. Each enter and exit is a letter on stdout.
PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>

typedef struct { const wi_protocol *protocol; char name; } letter;
static void put(char c) { if (write(1, &c, 1) != 1) _exit(9); }
static void letter_enter(void *self) { put(((letter *)self)->name); }
static wi_verdict letter_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_poll();
    within (wi_section("exit")) wi_poll();
    put(((letter *)self)->name - 'a' + 'A');
    return WI_PROPAGATE;
}
static const wi_protocol letter_protocol = {"letter", letter_enter, letter_exit, NULL};

static int saves_slowly;
wi_generator(slow, int unused) {
    wi_begin;
    wi_yield;
    if (saves_slowly) { put('>'); sleep(20); put('<'); }
}

static void work(int deaf) {
    for (;;) {
        within (wi_make(letter, .name = 'c')) {
            while (deaf) pause();
            within (wi_section("step")) within (wi_make(letter, .name = 'd')) wi_poll();
        }
    }
}

int main(int argc, char **argv) {
    int deaf = argc > 1 && strcmp(argv[1], "deaf") == 0;
    saves_slowly = argc > 1 && strcmp(argv[1], "slow") == 0;
    within (wi_section("outer")) within (wi_make(slow)) within (wi_make(letter, .name = 'a')) {
        within (wi_interrupts(.grace_s = 12)) within (wi_make(letter, .name = 'b')) work(deaf);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory, compile_c):
    return compile_c(tmp_path_factory.mktemp("interrupts"), PROGRAM)


def start(*command, until="ab", **options):
    """A process that has said so much: its signals are taken then. Its stderr is a pipe too."""
    child = subprocess.Popen(
        [str(word) for word in command], bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    for letter in until:
        assert child.stdout.read(1) == letter.encode()
    return child


def finish(child):
    """What it has said since, and its stderr."""
    out, err = child.communicate(timeout=30)
    return out.decode(), err.decode()


def expect_each_exit_once(letters):
    open_blocks = []
    for letter in letters:
        if letter.islower():
            open_blocks.append(letter)
        elif letter.isupper():
            assert open_blocks.pop() == letter.lower()
    assert open_blocks == []


def report_of(within, record):
    run = subprocess.run([within, "report", "--json", record], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


# ---- the end ----


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_process_ends_by_the_signal_and_each_exit_has_run_once(program, number):
    for _ in range(40):
        child = start(program)
        time.sleep(random.random() * 0.003)
        child.send_signal(number)
        letters, errors = finish(child)
        assert child.returncode == -number, errors
        expect_each_exit_once("ab" + letters)
        assert errors.startswith("within: interrupted, all blocks of the thread released\nWI_INTERRUPTED: ")
        assert f"{number.name} from process {os.getpid()}; 12 s of 12 s are left\n  raised at " in errors


def test_a_shell_sees_the_status_of_the_signal(program):
    shell = subprocess.run(
        ["bash", "-c", f"timeout 0.2 {program} >/dev/null 2>&1; echo $?; {program} >/dev/null 2>&1 & "
         "sleep 0.1; kill -TERM $!; wait $!; echo $?"], capture_output=True, text=True
    )
    assert shell.stdout.split() == ["124", "143"]


def test_a_signal_sent_to_the_process_and_to_its_group_is_one(program):
    for _ in range(20):
        child = start(program, start_new_session=True)
        begin = time.monotonic()
        os.kill(child.pid, signal.SIGTERM)
        os.killpg(child.pid, signal.SIGTERM)
        took = time.monotonic() - begin
        letters, _ = finish(child)
        if took > 0.05:  # the machine is too busy for one moment
            continue
        assert child.returncode == -signal.SIGTERM
        expect_each_exit_once("ab" + letters)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_a_save_that_hangs(program, second):
    child = start(program, "slow")
    child.send_signal(signal.SIGTERM)
    while child.stdout.read(1) != b">":
        pass
    time.sleep(0.15)
    child.send_signal(second)
    letters, _ = finish(child)
    assert child.returncode == -second
    assert "<" not in letters


def test_what_nohup_ignores_stays_ignored(program):
    child = start(program, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    child.send_signal(signal.SIGINT)
    time.sleep(0.05)
    assert child.poll() is None
    child.terminate()
    finish(child)
    assert child.returncode == -signal.SIGTERM


def test_the_sweep_of_the_page_goes_on_where_it_was_told_to_stop(tmp_path, build):
    page = fences_of(ROOT / "docs/state/interrupts.md")
    sweep = next(fence for fence in page if "sweep.c" in fence.text)
    compile_text(tmp_path, build, sweep.text)
    whole = subprocess.run(["./program"], cwd=tmp_path, capture_output=True, text=True).stdout
    starts = []
    for _ in range(4):
        child = subprocess.Popen(
            ["./program"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        time.sleep(0.2)
        child.terminate()
        starts.append(child.communicate()[0])
        assert child.returncode == -signal.SIGTERM
    last = subprocess.run(["./program"], cwd=tmp_path, capture_output=True, text=True).stdout
    steps = [int(re.match(r"from step (\d+)", text)[1]) for text in [*starts, last]]
    assert steps == sorted(set(steps)) and steps[0] == 0
    assert last.splitlines()[1] == whole.splitlines()[1]
    assert not (tmp_path / "sweep.state").exists()


# ---- the record ----


def test_the_report_tells_of_the_signal(program, within, tmp_path):
    child = start(within, "run", "--record", tmp_path / "r", program)
    child.terminate()
    _, errors = finish(child)
    assert child.returncode == 128 + signal.SIGTERM
    line = r"signal   SIGTERM from process \d+ at [\d-]+ [\d:]+; 1\d\.\d+ s of 12\.00 s were left at the end\n"
    assert re.search(line, errors)
    found = report_of(within, tmp_path / "r")
    told = found["interrupted"]
    assert (told["signal"], told["name"], told["count"], told["grace_s"]) == (15, "SIGTERM", 1, 12)
    assert told["sender"] == child.pid and 0 <= told["raised_s"] < 10 and 2 < told["left_s"] <= 12
    assert found["grace"] is None and found["open"] == []


def test_a_killed_process_leaves_what_is_known_of_the_signal(program, within, tmp_path):
    child = start(program, "deaf", env={**os.environ, "WITHIN_RECORD": str(tmp_path / "r")})
    while child.stdout.read(1) != b"c":
        pass
    time.sleep(0.05)
    child.terminate()
    time.sleep(0.05)
    child.kill()
    finish(child)
    found = report_of(within, tmp_path / "r")
    assert found["interrupted"]["name"] == "SIGTERM" and found["interrupted"]["sender"] == os.getpid()
    assert {"signals", "section"} == {scope["kind"] for scope in found["open"]}


def test_a_record_without_a_signal_says_nothing_of_one(within, tmp_path, compile_c):
    source = '#include <within.h>\nint main(void) { within (wi_interrupts()) within (wi_section("s")) continue; }'
    run = subprocess.run(
        [within, "run", "--grace", "5", "--record", tmp_path / "r", compile_c(tmp_path, source)],
        capture_output=True, text=True,
    )
    assert run.returncode == 0 and "signal " not in run.stderr
    found = report_of(within, tmp_path / "r")
    assert found["interrupted"] is None and found["grace"] is None


# ---- within run --grace ----


def test_after_its_grace_a_program_is_killed_and_the_report_says_what_was_open(program, within, tmp_path):
    child = start(within, "run", "--grace=0.3", "--record", tmp_path / "r", "--", program, "slow")
    child.terminate()
    letters, errors = finish(child)
    assert child.returncode == 128 + signal.SIGKILL
    assert "<" not in letters
    assert f"within run: {program}: 300 ms after SIGTERM it had not ended: it was killed\n" in errors
    assert "end      killed by within run: 300 ms after SIGTERM it had not ended\n" in errors
    assert "open at the end, innermost first\n  section  outer " in errors
    grace = report_of(within, tmp_path / "r")["grace"]
    assert grace.pop("at").endswith("Z")
    assert grace == {"signal": 15, "name": "SIGTERM", "grace_s": 0.3, "killed": True}


def test_a_program_that_ends_in_its_grace_is_not_killed(program, within, tmp_path):
    child = start(within, "run", "--grace", "20", "--record", tmp_path / "r", program)
    child.send_signal(signal.SIGUSR1)
    letters, errors = finish(child)
    expect_each_exit_once("ab" + letters)
    assert child.returncode == 128 + signal.SIGUSR1
    assert "had not ended" not in errors
    assert report_of(within, tmp_path / "r")["grace"]["killed"] is False


def test_a_program_that_takes_no_signals_gets_its_grace_as_well(within, tmp_path, compile_c):
    source = r"""
    #include <signal.h>
    #include <unistd.h>
    #include <within.h>
    int main(void) {
        signal(SIGTERM, SIG_IGN);
        within (wi_section("deaf")) { if (write(1, "a", 1) == 1) sleep(20); }
    }
    """
    child = start(within, "run", "--grace", ".2", "--record", tmp_path / "r", compile_c(tmp_path, source), until="a")
    child.terminate()
    _, errors = finish(child)
    assert child.returncode == 128 + signal.SIGKILL
    assert "end      killed by within run: 200 ms after SIGTERM it had not ended\n" in errors
    assert re.search(r"signal   SIGTERM, passed on by within run at [\d-]+ [\d:]+; the 200 ms were over", errors)


def test_a_signal_of_another_kind_does_not_begin_the_grace(within, tmp_path, compile_c):
    source = r"""
    #include <signal.h>
    #include <unistd.h>
    int main(void) {
        signal(SIGUSR2, SIG_IGN);
        if (write(1, "a", 1) == 1) usleep(600000);
        return 7;
    }
    """
    child = start(within, "run", "--grace", "0.1", "--no-report", compile_c(tmp_path, source), until="a", cwd=tmp_path)
    child.send_signal(signal.SIGUSR2)
    _, errors = finish(child)
    assert child.returncode == 7 and "killed" not in errors


def test_without_grace_nothing_is_killed(program, within, tmp_path):
    child = start(within, "run", "--record", tmp_path / "r", program, "slow")
    child.terminate()
    while child.stdout.read(1) != b">":
        pass
    time.sleep(0.3)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    finish(child)
    assert child.returncode == 128 + signal.SIGINT


def test_the_kill_is_told_without_a_report_too(within, tmp_path):
    child = subprocess.Popen(
        [within, "run", "--no-report", "--grace", "0.1", "sh", "-c", "trap '' TERM; echo a; exec sleep 20"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )
    child.stdout.readline()
    child.terminate()
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 128 + signal.SIGKILL
    assert errors == "within run: sh: 100 ms after SIGTERM it had not ended: it was killed\n"


@pytest.mark.parametrize("text", ["", "soon", "-1", "1s", "nan", "inf", "1e10", " 3"])
def test_a_grace_that_is_no_number_of_seconds_is_refused(within, text, tmp_path):
    run = subprocess.run(
        [within, "run", f"--grace={text}", "touch", "made"], capture_output=True, text=True, cwd=tmp_path
    )
    assert run.returncode == 2
    assert run.stderr.splitlines()[0] == f'within run: --grace needs seconds, 0 to 1e9, and got "{text}"'
    assert list(tmp_path.iterdir()) == []
