"""within run --watch: the section that leaks is said, and stands in the report and in the record."""

import json
import os
import subprocess

import pytest

PROGRAM = """
#include <fcntl.h>
#include <unistd.h>
#include <within.h>

int main(void) {
    for (int i = 0; i < 500; i++)
        within (wi_section("epoch")) {
            within (wi_section("load")) {
                open("/dev/null", O_RDONLY);
                usleep(1000);
            }
            within (wi_section("step")) continue;
        }
}
"""
LINE = "epoch > load: +1.0 descriptors a call since call 1; limit "


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    """A program that leaks a descriptor a call."""
    return compile_c(tmp_path_factory.mktemp("watch"), PROGRAM)


@pytest.fixture
def run(within, program, tmp_path):
    """A function run(*options): the program under `within run`, its record in tmp_path/record."""

    def run_program(*options):
        environment = {name: text for name, text in os.environ.items() if not name.startswith("WITHIN_WATCH")}
        command = [within, "run", "--record", "record", *options, "--", program]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run_program


def test_the_watch_says_once_which_section_leaks(run):
    done = run("--watch", "--no-report")
    assert done.returncode == 0
    assert done.stderr.startswith(f"within: {LINE}") and done.stderr.count("\n") == 1


def test_the_report_has_what_grows(run, within, tmp_path):
    done = run("--watch")
    assert f"\nwhat grows from call to call\n  leak     {LINE}" in done.stderr
    shown = subprocess.run([within, "report", "--json", "record"], cwd=tmp_path, capture_output=True, text=True)
    report = json.loads(shown.stdout)
    (leak,) = report["leaking"]
    assert leak["where"] == "epoch > load" and leak["count"] >= 64
    assert leak["what"].startswith("+1.0 descriptors a call since call 1; limit ")
    assert report["withdrawn"] == []


def test_what_leaks_is_explained_on_stderr_and_in_the_report(run, within, tmp_path):
    done = run("--explain")
    verdict, heading, line, rest = done.stderr.split("\n", 3)
    assert verdict.startswith(f"within: {LINE}")
    assert heading.startswith("within: epoch > load: more descriptors after call ")
    assert line.startswith("    descriptors: +") and line.endswith(" /dev/null")
    finding = rest[rest.index("what grows from call to call\n") :].splitlines()
    assert finding[1].startswith(f"  leak     {LINE}") and finding[2].strip() == line.strip()
    shown = subprocess.run([within, "report", "--json", "record"], cwd=tmp_path, capture_output=True, text=True)
    (leak,) = json.loads(shown.stdout)["leaking"]
    assert leak["explanation"] == [line.strip()]


def test_what_nobody_asked_for_is_not_explained(run, within, tmp_path):
    done = run("--watch")
    assert "more descriptors" not in done.stderr
    shown = subprocess.run([within, "report", "--json", "record"], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(shown.stdout)["leaking"][0]["explanation"] == []


def test_explaining_keeps_to_the_names_that_are_watched(run):
    assert run("--explain", "--watch-only", "step", "--no-report").stderr == ""


def test_without_a_watch_nothing_is_said(run):
    assert run("--no-report").stderr == ""


def test_sections_are_watched_by_name(run):
    assert run("--watch-only", "step", "--no-report").stderr == ""
    assert LINE in run("--watch-only", "step, load", "--no-report").stderr


def test_no_name_is_no_section(run):
    done = run("--watch-only", "")
    assert done.returncode == 2 and "--watch-only needs names of sections, and got none" in done.stderr


def test_nothing_is_told_where_the_counters_are_gone(within, program, tmp_path):
    """Three descriptors are all there may be: none of /proc can be opened."""
    command = f"ulimit -n 3; exec {within} run --watch --no-report -- {program}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert "descriptors" not in done.stderr
