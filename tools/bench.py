#!/usr/bin/env python3
"""Builds the benchmarks with gcc and clang, runs them, and prints the worse of the two for each row.

    tools/bench.py --only section --quick

The table's medians are over some ten thousand short slices, in turns with the baseline's. Ratio and
difference are medians too, of the pairs; `at best` is the ratio of the two fastest slices, which
a busy machine disturbs least. bench.json has the figures of both compilers.
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

ROOT = Path(__file__).resolve().parent.parent
COMPILERS = {"gcc": (["gcc"], ["g++"]), "clang": (["clang-19", "clang"], ["clang++-19", "clang++"])}
# Program, is the record in a file, what else is in the environment.
RUNS = [
    ("block", False, {}),
    ("raise", False, {}),
    ("section", False, {}),
    ("section", True, {}),
    ("section", False, {"WITHIN_CLOCK": "monotonic"}),
    ("memory", True, {}),
    ("report", True, {}),
]
SETTINGS = ("WITHIN_CLOCK", "WITHIN_RECORD", "BENCH_ONLY", "BENCH_SECONDS")


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


def run(folder, program, in_file, extra, options):
    """The rows of one program, in a process and with a record of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | extra
    environment["BENCH_SECONDS"] = "0.05" if options.quick else "0.7"
    if options.only:
        environment["BENCH_ONLY"] = options.only
    command = [folder / "bench" / program]
    if program == "report":
        command.append(folder / "src/cli/within")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if in_file:
            environment["WITHIN_RECORD"] = f"{scratch}/record"
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"tools/bench.py: {command[0]}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- judging ----


def judged(row):
    """The figure that the row's target is about."""
    return row[row["target"] or "ratio"]


def is_met(row):
    return judged(row) <= row["at_most"] * (1 + 1e-9) if row["target"] else None


def worst_rows(rows):
    """Of each name the row of the compiler that did worse."""
    worst = {}
    for row in rows:
        if row["name"] not in worst or judged(row) > judged(worst[row["name"]]):
            worst[row["name"]] = row
    return list(worst.values())


# ---- printing ----


def quantity(number, unit):
    """A number with its unit: 15.2 ns, 1.26 ms, 44 KiB."""
    scales = ["ns", "us", "ms", "s"] if unit == "ns" else ["B", "KiB", "MiB"]
    step = 1000 if unit == "ns" else 1024
    for scale in scales[:-1]:
        if abs(number) < step:
            return f"{number:#.3g} {scale}".replace(". ", " ")
        number /= step
    return f"{number:#.3g} {scales[-1]}".replace(". ", " ")


def target_text(row):
    limit = row["at_most"]
    return {
        "": "",
        "ratio": f"ratio {limit:g}",
        "difference": f"{limit:g} {row['unit']} more",
        "value": quantity(limit, row["unit"]),
    }[row["target"]]


def table_line(row):
    at_best = row["least"] / row["baseline_least"]
    met = {None: "", True: "yes", False: "NO"}[is_met(row)]
    value, baseline = (quantity(row[key], row["unit"]) for key in ("value", "baseline"))
    ratios = [f"{row['ratio']:.3g}", f"{at_best:.3g}"]
    return [row["name"], value, baseline, *ratios, target_text(row), met, row["compiler"]]


def print_table(rows):
    """A Markdown table, aligned to be read as it is."""
    heads = ["", "median", "baseline", "ratio", "at best", "at most", "met", "worse"]
    lines = [heads, *map(table_line, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    rule = ["-" * width if i in (0, 6, 7) else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    for line in [heads, rule, *lines[1:]]:
        cells = [
            cell.ljust(width) if i in (0, 6, 7) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ]
        print("|", " | ".join(cells), "|")


def first_match(pattern, path):
    try:
        found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else "unknown"


def machine(compilers):
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
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of a second for each row")
    parser.add_argument("--only", metavar="TEXT", help="the rows whose name has TEXT in it")
    parser.add_argument("--json", metavar="PATH", type=Path, help="where the figures go; build/bench.json by default")
    options = parser.parse_args()
    folder = ROOT / os.environ.get("BUILD", "build")
    compilers = {name: (find(c), find(cpp)) for name, (c, cpp) in COMPILERS.items() if find(c) and find(cpp)}

    facts = machine(compilers)
    for name, fact in facts.items():
        print(f"{name:<10} {fact}")
    print(flush=True)
    rows = []
    for name, (c, cpp) in compilers.items():
        build(folder / f"bench-{name}", c, cpp)
    for arguments in RUNS:
        for name in compilers:
            measured = run(folder / f"bench-{name}", *arguments, options)
            rows += [{**row, "compiler": name, "met": is_met(row)} for row in measured]

    if not rows:
        sys.exit(f'tools/bench.py: no row has "{options.only}" in its name')
    worst = worst_rows(rows)
    print_table(worst)
    with_target = [row for row in worst if row["target"]]
    print(f"\n{sum(row['met'] for row in with_target)} of {len(with_target)} targets met")
    path = options.json or folder / "bench.json"
    path.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
