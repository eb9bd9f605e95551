#!/usr/bin/env python3
"""Builds the benchmarks with gcc and clang, and the package for each Python; runs them, and prints two tables.

    tools/bench.py --only section --quick

The tables' medians are over thousands of short slices, in turns with the baseline's. Ratio and
difference are medians too, of the pairs; `at best` is the ratio of the two fastest slices, which
a busy machine disturbs least. bench.json has the figures of both compilers, and of every Python.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pythons
from bench_table import is_met, print_compilers, print_pythons

ROOT = Path(__file__).resolve().parent.parent
COMPILERS = {"gcc": (["gcc"], ["g++"]), "clang": (["clang-19", "clang"], ["clang++-19", "clang++"])}
# Program, is the record in a file, what else is in the environment.
RUNS = [
    ("block", False, {}),
    ("raise", False, {}),
    ("csv", False, {}),
    ("section", False, {}),
    ("section", True, {}),
    ("section", False, {"WITHIN_CLOCK": "monotonic"}),
    ("memory", True, {}),
    ("report", True, {}),
    ("tempdir", False, {}),
    ("atomic_file", False, {}),
    ("checkpoints", False, {}),
    ("gpu", False, {}),
    ("hdf5", False, {}),
    ("sqlite", False, {}),
    ("run_list", False, {}),
    ("runs", True, {}),
    ("rng", False, {}),
    ("floating_point", False, {}),
    ("seed", False, {}),
    ("redirect", False, {}),
    ("interrupts", False, {}),
    ("watch", False, {}),
]
OPTIONAL = {"hdf5", "run_list", "runs", "sqlite"}  # where the library that they measure is built
OF_THE_COMMAND = {"report", "run_list"}  # which they are told the path of
PYTHON_PROGRAMS = ["bench/python.py", "bench/gpu.py", "bench/rng.py", "bench/run.py", "bench/seed.py"]
SETTINGS = ("WITHIN_CLOCK", "WITHIN_RECORD", "WITHIN_WATCH", "BENCH_ONLY", "BENCH_SECONDS")


# ---- building and running ----


def find(names):
    """The first of these commands that is there."""
    return next((name for name in names if shutil.which(name)), None)


def build(folder, c, cpp):
    """Build library and benchmarks, optimised, with one compiler."""
    if not (folder / "build.ninja").exists():
        options = ["-Dbuildtype=release", "-Dtests=disabled"]
        environment = {**os.environ, "CC": c, "CXX": cpp}
        quiet(["meson", "setup", folder, ROOT, *options], environment)
    quiet(["ninja", "-C", folder, "bench"])


def quiet(command, environment=None):
    """Run a command that has nothing to say unless it fails."""
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\ntools/bench.py: {' '.join(map(str, command))}: failed")


def build_package(folder, interpreters):
    """Build the package for these interpreters too; return where it lies."""
    pythons.configure(folder, [each.path for each in interpreters])
    quiet(["ninja", "-C", folder])
    quiet(["meson", "install", "-C", folder, "--tags", "python", "--no-rebuild"])
    return folder / "site"


def run(command, folder, options, in_file=False, extra={}):
    """The rows of one program, in a process and a folder of its own, on the disk that is built on."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | extra
    environment["BENCH_SECONDS"] = "0.05" if options.quick else "0.7"
    if options.only:
        environment["BENCH_ONLY"] = options.only
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if in_file:
            environment["WITHIN_RECORD"] = f"{scratch}/record"
        done = subprocess.run(command, cwd=scratch, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"tools/bench.py: {' '.join(map(str, command))}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_compilers(folder, compilers, options):
    """The rows of the programs in C, from both compilers in turn."""
    for name, (c, cpp) in compilers.items():
        build(folder / f"bench-{name}", c, cpp)
    rows = []
    for program, in_file, extra in RUNS:
        for name in compilers:
            built = folder / f"bench-{name}"
            command = [built / "bench" / program]
            if program in OPTIONAL and not command[0].exists():
                continue
            if program in OF_THE_COMMAND:
                command.append(built / "src/cli/within")
            measured = run(command, built, options, in_file, extra)
            rows += [{**row, "compiler": name, "met": is_met(row)} for row in measured]
    return rows


def packages(folder, site, interpreter):
    """Where an interpreter finds the package, and MLflow, which `make test-long` fetches for this machine's python3."""
    mlflow = folder.parent / "mlflow"
    is_for_it = mlflow.is_dir() and interpreter.version[:2] == sys.version_info[:2]
    return os.pathsep.join(map(str, [site, mlflow] if is_for_it else [site]))


def run_pythons(folder, interpreters, options):
    """The rows of the programs in Python under each interpreter."""
    if not interpreters:
        return []
    site = build_package(folder, interpreters)
    rows = []
    for each in interpreters:
        for program in PYTHON_PROGRAMS:
            paths = packages(folder, site, each) if program == "bench/run.py" else str(site)
            measured = run([each.path, ROOT / program], folder, options, extra={"PYTHONPATH": paths})
            rows += [{**row, "python": each.name, "met": is_met(row)} for row in measured]
    return rows


# ---- the machine ----


def first_match(pattern, path):
    try:
        found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else "unknown"


def machine(compilers, interpreters):
    """What the figures depend on."""

    def version(c):
        return subprocess.run([c, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True).stdout.strip()

    return {
        "processor": first_match(r"^model name\s*: (.*)", "/proc/cpuinfo"),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "clock": first_match(r"(.*)", "/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "compilers": ", ".join(f"{name} {version(c)}" for name, (c, _) in compilers.items()),
        "pythons": ", ".join(".".join(map(str, each.version[:3])) for each in interpreters),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of a second for each row")
    parser.add_argument("--only", metavar="TEXT", help="the rows whose name has TEXT in it")
    parser.add_argument("--json", metavar="PATH", type=Path, help="where the figures go; build/bench.json by default")
    options = parser.parse_args()
    folder = ROOT / os.environ.get("BUILD", "build")
    compilers = {name: (find(c), find(cpp)) for name, (c, cpp) in COMPILERS.items() if find(c) and find(cpp)}
    # A debug build says nothing about speed.
    interpreters = [each for each in pythons.find(ROOT) if not each.debug]

    facts = machine(compilers, interpreters)
    for name, fact in facts.items():
        print(f"{name:<10} {fact}")
    print(flush=True)
    c_rows = run_compilers(folder, compilers, options)
    python_rows = run_pythons(folder / f"bench-{next(iter(compilers))}", interpreters, options)
    if not c_rows + python_rows:
        sys.exit(f'tools/bench.py: no row has "{options.only}" in its name')
    counts = []
    for rows, print_rows in (c_rows, print_compilers), (python_rows, print_pythons):
        if rows:
            counts.append(print_rows(rows))
            print()
    targets, met = map(sum, zip(*counts))
    print(f"{met} of {targets} targets met")
    path = options.json or folder / "bench.json"
    path.write_text(json.dumps({"machine": facts, "rows": c_rows + python_rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
