#!/usr/bin/env python3
"""The package's binaries export their entry alone, need our library and libc alone, and hold no path of the build.

    tools/check_modules.py FOLDER      an installed or unpacked package: build/site/within
"""

import re
import sys
from pathlib import Path

from check_exports import exported, needed, output_of

# libgcc_s unwinds -fexceptions code, as in the library itself.
MAY_NEED = re.compile(r"libwithin\.so\.0|(libc|libm|libgcc_s|ld-linux[\w-]*)\.so\.\d+")
# What is for those who have SQLite: the module of runs, and the libraries that it brings.
ON_SQLITE = re.compile(r"_runs\..*|libwithin-(runs|sqlite)\.so\.0")
MAY_NEED_TOO = re.compile(r"libwithin-(runs|sqlite)\.so\.0|libsqlite3\.so\.0")


def run_paths(file):
    """Where the loader looks for what the file needs."""
    return re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", output_of("readelf", "-d", file))


def module_faults(file):
    """What is wrong with an extension module."""
    names, entry = exported(file), f"PyInit_{file.name.partition('.')[0]}"
    yield from (f"exports {name}, not {entry} alone" for name in sorted(names - {entry}))
    if entry not in names:
        yield f"does not export {entry}"
    if "libwithin.so.0" not in needed(file):
        yield "does not need libwithin.so.0: it would not share the record"
    if run_paths(file) != ["$ORIGIN/lib"]:
        yield f"looks for libraries in {run_paths(file)}, not in $ORIGIN/lib"


def may_need(file, name):
    """May the file need this library?"""
    return MAY_NEED.fullmatch(name) or (ON_SQLITE.fullmatch(file.name) and MAY_NEED_TOO.fullmatch(name))


def faults(package):
    """What is wrong with the binaries of a package, a line each."""
    modules = sorted([*package.glob("_within.*.so"), *package.glob("_runs.*.so")])
    others = [*sorted((package / "lib").glob("lib*.so.0")), package / "bin" / "within"]
    if not any(file.name.startswith("_within.") for file in modules):
        yield f"{package}: has no extension module"
    for file in [*modules, *others]:
        wrong = list(module_faults(file)) if file in modules else []
        if file in others and run_paths(file) != (["$ORIGIN"] if ON_SQLITE.fullmatch(file.name) else []):
            wrong.append(f"looks for libraries in {run_paths(file)}")
        wrong += [f"needs {name}" for name in needed(file) if not may_need(file, name)]
        yield from (f"{file.name}: {message}" for message in wrong)


def main():
    if len(sys.argv) != 2:
        sys.exit("which package? type: tools/check_modules.py build/site/within")
    messages = list(faults(Path(sys.argv[1])))
    print("\n".join(messages), end="\n" if messages else "")
    sys.exit(bool(messages))


if __name__ == "__main__":
    main()
