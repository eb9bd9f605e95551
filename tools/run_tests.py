#!/usr/bin/env python3
"""Runs the C tests (meson), those of the command and the tools (pytest), and those of the Python package
under every interpreter; and counts every single case.

The last line is "N passed, N failed", followed by ", N skipped" if some were; the status is 1 if
any failed. Tests marked `long` run with --long, and then they alone.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import run_python

ROOT = Path(__file__).resolve().parent.parent
TAP_PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
TAP_CASE = re.compile(r"^(ok|not ok) \d+\b(.*)$", re.MULTILINE)
HAS_MODULES = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"


def count_program(log):
    """Count the cases of one cmocka program from its TAP output; one that dies fails what is left."""
    counts = Counter()
    for verdict, rest in TAP_CASE.findall(log.get("stdout", "")):
        skipped = "# SKIP" in rest
        counts["skipped" if skipped else "passed" if verdict == "ok" else "failed"] += 1
    plan = TAP_PLAN.search(log.get("stdout", ""))
    if log["result"] in ("OK", "SKIP"):
        return counts if counts else Counter(passed=1)
    unseen = int(plan.group(1)) - counts.total() if plan else 0
    if unseen > 0 or not counts["failed"]:
        counts["failed"] += max(unseen, 1)
    return counts


def run_c_tests(build):
    """Run the programs that meson knows."""
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    status = subprocess.run(["meson", "test", "-C", build, "--print-errorlogs"]).returncode
    counts = Counter()
    if log.exists():
        for line in log.read_text().splitlines():
            counts += count_program(json.loads(line))
    if status != 0 and not counts["failed"]:
        counts["failed"] += 1  # a test program that does not build
    return counts


def find_pytest():
    """The command that runs pytest, on two cores where that can be had."""
    for modules, options in (["pytest", "xdist"], ["-n", "2", "--dist", "loadfile"]), (["pytest"], []):
        for python in "python3", "/usr/bin/python3":
            found = subprocess.run([python, "-c", HAS_MODULES, *modules], capture_output=True)
            if found.returncode == 0:
                return [python, "-m", "pytest", *options]
    sys.exit("no Python here has pytest; type: tools/setup.sh test")


def run_tool_tests(build, options):
    """Run tests/py."""
    report = build / "pytest.xml"
    report.unlink(missing_ok=True)
    command = [*find_pytest(), "-q", "--tb=short", "-p", "no:cacheprovider", f"--junit-xml={report}", *options]
    environment = {**os.environ, "WITHIN_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1"}
    status = subprocess.run([*command, "tests/py"], cwd=ROOT, env=environment).returncode
    counts = run_python.count_junit(report) if report.exists() else Counter()
    if status not in (0, 5) and not counts["failed"]:  # 5: there was no test to run
        counts["failed"] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-C", dest="build", type=Path, default=ROOT / "build", help="build folder")
    parser.add_argument("--long", action="store_true", help="the tests that take minutes")
    options = parser.parse_args()
    build = options.build.resolve()
    if not (build / "build.ninja").exists():
        sys.exit(f"{options.build} is no build folder; type: make")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's command in the background ignores it

    counts = Counter() if options.long else run_c_tests(build)
    long = ["--long"] if options.long else []
    counts += run_tool_tests(build, long)
    counts += run_python.run_all(build, long)
    print(run_python.in_words(counts), flush=True)
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()
