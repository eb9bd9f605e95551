#!/usr/bin/env python3
"""Finds the CPython interpreters of this machine that the package can be built for, one for each ABI.

    tools/pythons.py                    their paths, as meson's -Dpython wants them
    tools/pythons.py --list             a line each: its name here, its version, its path
    tools/pythons.py --configure BUILD  give them to a build folder, if it has others

Wanted are 3.10 and newer with headers: on the PATH, of pyenv, of tools/fetch_pythons.sh. Of several with one
ABI the one that has CPython's own tests is taken, then the newest, then the first in that order. PYTHONS,
names as "3.12 3.14d", restricts them.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

OLDEST = (3, 10)
NAME = re.compile(r"python3(\.\d+)?t?(d|-dbg)?")

# A virtual environment answers for the interpreter that it was made from: that one has the headers.
QUESTION = """
import importlib.util, json, os, sys, sysconfig
with_tests = importlib.util.find_spec("test") and importlib.util.find_spec("test.test_contextlib")
variables = sysconfig.get_config_vars()
headers = sysconfig.get_path("include", vars={"installed_base": sys.base_prefix})
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "version": sys.version_info[:3] + (sys.version_info.releaselevel == "final",),
    "suffix": variables["EXT_SUFFIX"],
    "name": variables["py_version_short"] + sys.abiflags,
    "usable": sys.implementation.name == "cpython" and os.path.exists(os.path.join(headers, "Python.h")),
    "debug": hasattr(sys, "gettotalrefcount"),
    "tests": bool(with_tests),
}))
"""


class Interpreter(NamedTuple):
    """What is known of an interpreter; `name` is its version and ABI, "3.14d" for a debug build."""

    path: str
    version: tuple
    suffix: str
    name: str
    usable: bool
    debug: bool
    tests: bool


def ask(path):
    """The interpreter at a path, or None: it does not run, or is too old to answer."""
    try:
        run = subprocess.run([path, "-I", "-c", QUESTION], capture_output=True, text=True, timeout=60)
        found = json.loads(run.stdout) if run.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return found and Interpreter(**{**found, "version": tuple(found["version"])})


def programs(folder):
    """The interpreters' names in a folder, in an order of their own."""
    found = (path for path in Path(folder).glob("python3*") if NAME.fullmatch(path.name))
    return sorted(str(path) for path in found if os.access(path, os.X_OK))


def candidates(root):
    """Paths of programs that may be what is wanted; some name one interpreter twice."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(name) for name in os.environ.get("PATH", "").split(os.pathsep) if name]
    folders = [folder for folder in folders if folder != pyenv / "shims"]
    folders += sorted(pyenv.glob("versions/3.*/bin"))
    folders += sorted((root / os.environ.get("BUILD", "build") / "pythons").glob("*/root/usr/bin"))
    return list(dict.fromkeys(program for folder in folders for program in programs(folder)))


def find(root):
    """The interpreters, oldest first."""
    with ThreadPoolExecutor(2) as pool:
        answers = [answer for answer in pool.map(ask, candidates(root)) if answer]
    best = {}
    for found in answers:
        other = best.get(found.suffix)
        if not found.usable or found.version[:2] < OLDEST:
            continue
        if not other or (found.tests, found.version) > (other.tests, other.version):
            best[found.suffix] = found
    wanted = os.environ.get("PYTHONS", "").replace(",", " ").split()
    chosen = [found for found in best.values() if not wanted or found.name in wanted]
    return sorted(chosen, key=lambda found: (found.version, found.name))


def configured(build):
    """The paths that a build folder has."""
    command = ["meson", "introspect", "--buildoptions", str(build)]
    options = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return next(option["value"] for option in options if option["name"] == "python")


def configure(build, paths):
    """Give the build folder these; an interpreter that has gone would be in the way for ever."""
    if configured(build) != paths:
        subprocess.run(["meson", "configure", str(build), f"-Dpython={','.join(paths)}"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="a line for each: name, version, path")
    parser.add_argument("--configure", type=Path, metavar="BUILD", help="give them to a build folder")
    options = parser.parse_args()
    found = find(Path(__file__).resolve().parent.parent)
    if options.configure:
        configure(options.configure, [each.path for each in found])
    elif options.list:
        for each in found:
            print(f"{each.name:6} {'.'.join(map(str, each.version[:3])):8} {each.path}")
    else:
        print(",".join(each.path for each in found))
    if not found:
        sys.exit("no CPython 3.10 or newer with headers here; type: tools/setup.sh python")


if __name__ == "__main__":
    main()
