#!/usr/bin/env python3
"""Runs the tests of the Python package under every interpreter that a build folder has.

    tools/run_python.py [-C BUILD] [--only 3.12]... [--env NAME=VALUE]... [PYTEST'S OPTION]...

Those in tests/python, and CPython's own of contextlib, which debug builds repeat and count references; with
options for pytest (-k stack, a file) the first alone. The last line is "N passed, N failed", followed by ", N skipped" if some were.
"""

import argparse
import os
import subprocess
import sys
import threading
import xml.etree.ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pythons

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 900  # seconds for one interpreter
printing = threading.Lock()


def count_junit(report):
    """Count the cases of a JUnit file."""
    counts = Counter()
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        failed = kinds & {"failure", "error"}
        counts["failed" if failed else "skipped" if "skipped" in kinds else "passed"] += 1
    return counts


def in_words(counts):
    """The line that ends every run of tests."""
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['passed']} passed, {counts['failed']} failed{skipped}"


def environment(build, extra):
    """The staged package and the test tools on the path; no plugin that one interpreter happens to have."""
    tools = Path(os.environ.get("BUILD", ROOT / "build")) / "python-tools"
    if not (tools / "pytest").is_dir():
        sys.exit(f"no pytest in {tools}; type: tools/setup.sh python")
    return {
        **os.environ,
        "PYTHONPATH": f"{build / 'site'}{os.pathsep}{tools.absolute()}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "WITHIN_BUILD": str(build),
        **extra,
    }


def numeric_packages():
    """The interpreter that tools/setup.sh has fetched NumPy and others for, and their folder; or two None."""
    folder = Path(os.environ.get("BUILD", ROOT / "build")).absolute() / "numeric"
    try:
        return (folder / "interpreter").read_text().strip(), folder
    except FileNotFoundError:
        return None, None


def with_numeric(environment, interpreter):
    """The environment, with these packages on the path of the interpreter that they are for."""
    path, folder = numeric_packages()
    if path != interpreter.path:
        return environment
    return {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{folder}"}


def run(command, report, environment):
    """Run one command that writes a JUnit file: its counts, and what it printed if something is wrong."""
    report.unlink(missing_ok=True)
    options = {"cwd": ROOT, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    options |= {"encoding": "utf-8", "errors": "replace"}  # a crash may print anything
    try:
        done = subprocess.run([*command, f"--junit-xml={report}"], timeout=LIMIT, **options)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        status, output = -1, f"{(error.output or b'').decode(errors='replace')}\nnot done after {LIMIT} s\n"
    counts = count_junit(report) if report.exists() else Counter()
    if status not in (0, 5) and not counts["failed"]:  # 5: pytest has no test to run
        counts["failed"] += 1
        output += f"\n{' '.join(map(str, command))}: ended with status {status}\n"
    return counts, output if counts["failed"] else ""


def run_one(interpreter, build, arguments, environment):
    """Run all tests under one interpreter, and say what came of it."""
    environment = with_numeric(environment, interpreter)
    pytest = [interpreter.path, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    where = [] if any(Path(word.split("::")[0]).exists() for word in arguments) else ["tests/python"]
    counts, output = run([*pytest, *arguments, *where], build / f"pytest-{interpreter.name}.xml", environment)
    for name in [] if arguments else ["run", "references"] if interpreter.debug else ["run"]:
        cpython = [interpreter.path, f"tests/python/cpython/{name}.py"]
        more, text = run(cpython, build / f"cpython-{name}-{interpreter.name}.xml", environment)
        counts, output = counts + more, output + text
    with printing:
        end = "\n" if output and not output.endswith("\n") else ""
        print(f"{output}{end}Python {interpreter.name:6} {in_words(counts)}", flush=True)
    return counts


def run_all(build, arguments=(), only=(), extra=None):
    """Run the tests under all interpreters of the build, or some, two at a time; their counts together."""
    found = [pythons.ask(path) for path in pythons.configured(build)]
    chosen = [each for each in found if each and (not only or each.name in only)]
    if not chosen:
        print(f"{build} has no {' or '.join(only) or 'interpreter'}; type: make test", flush=True)
        return Counter(failed=1)
    chosen.sort(key=lambda each: not each.debug)  # the slow ones first, so that none is left alone at the end
    variables = environment(build, extra or {})
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda each: run_one(each, build, list(arguments), variables), chosen), Counter())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-C", dest="build", type=Path, default=ROOT / "build", help="build folder")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="an interpreter: 3.12, 3.14d")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for the interpreters alone")
    options, arguments = parser.parse_known_args()
    extra = dict(variable.split("=", 1) for variable in options.env)
    counts = run_all(options.build.resolve(), arguments, options.only, extra)
    print(in_words(counts), flush=True)
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()
