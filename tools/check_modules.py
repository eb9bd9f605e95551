#!/usr/bin/env python3
"""The package's binaries export their entry alone, need what they may, and hold no path of the build.

    tools/check_modules.py FOLDER      an installed or unpacked package: build/site/within
"""

import re
import sys
from pathlib import Path

from check_exports import exported, needed, output_of

# libgcc_s unwinds -fexceptions code, as in the library itself.
MAY_NEED = re.compile(r"libwithin\.so\.0|(libc|libm|libgcc_s|ld-linux[\w-]*)\.so\.\d+")
# What is for those who have SQLite and others: the module of runs, the libraries that it brings, and programs. Nothing
# else of the package needs these.
MAY_NEED_TOO = {
    r"_runs\..*|libwithin-(runs|sqlite)\.so\.0": r"libwithin-(runs|sqlite)\.so\.0|libsqlite3\.so\.0",
    "within-runs": r"libsqlite3\.so\.0",
    "within-plot": r"lib(sqlite3|cairo)\.so\.\d+",
    "within-push": r"lib(sqlite3|curl|curl-gnutls|jansson)\.so\.\d+",
}


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
    too = [libraries for files, libraries in MAY_NEED_TOO.items() if re.fullmatch(files, file.name)]
    return any(re.fullmatch(libraries, name) for libraries in [MAY_NEED, *too])


def faults(package):
    """What is wrong with the binaries of a package, a line each."""
    modules = sorted([*package.glob("_within.*.so"), *package.glob("_runs.*.so")])
    libraries = sorted((package / "lib").glob("lib*.so.0"))
    others = [*libraries, *sorted((package / "bin").glob("*"))]
    if not any(file.name.startswith("_within.") for file in modules):
        yield f"{package}: has no extension module"
    for file in [*modules, *others]:
        wrong = list(module_faults(file)) if file in modules else []
        own_folder = ["$ORIGIN"] if file in libraries and file.name != "libwithin.so.0" else []
        if file in others and run_paths(file) != own_folder:
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
