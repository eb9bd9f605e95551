#!/usr/bin/env python3
"""A shared library exports what its headers declare with WI_API, and needs no other libraries than it may.

Those of libwithin are the public headers, and those of src that the Python extension and src/runs include; it needs
libc and libm alone. libwithin-NAME has one, and needs libwithin and what it is made for.

    tools/check_exports.py LIBRARY [ROOT]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

EXPORTED = '__attribute__((visibility("default")))'
# libgcc_s unwinds -fexceptions code; libc itself loads it when a thread is cancelled. libdl was apart before glibc 2.34.
MAY_NEED = r"libc|libm|libdl|libgcc_s|ld-linux[\w-]*"
# The optional libraries, what each is made for, and its header in include/within.
OPTIONAL = {"hdf5": r"libhdf5\w*", "runs": "libwithin-sqlite|libsqlite3", "sqlite": "libsqlite3"}
HEADERS = {"hdf5": "hdf5.h", "runs": "run.h", "sqlite": "sqlite.h"}


def output_of(*command, **options):
    run = subprocess.run(command, capture_output=True, text=True, **options)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{run.stderr}")
    return run.stdout


def without_attributes(text):
    """A declaration without its __attribute__((…)) and extern."""
    while (start := text.find("__attribute__")) >= 0:
        end, depth = text.index("(", start), 0
        while True:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        text = text[:start] + text[end:]
    return text.replace("extern", "")


def declared_name(declaration):
    """The name that a declaration of a function, array or variable declares."""
    head = re.split(r"[(\[=]", without_attributes(declaration))[0]
    return re.findall(r"\w+", head)[-1]


def headers_of_others(root, folders, beginning=""):
    """The headers of src that the sources of some folders include: those of libwithin-runs, or all but those."""
    files = [p for folder in folders.split() for p in sorted((root / folder).rglob("*.[ch]"))]
    names = {name for p in files for name in re.findall(r'^#include "([^"]+)"', p.read_text(), re.M)}
    of_runs = beginning == "runs/"
    return sorted(n for n in names if (root / "src" / n).exists() and n.startswith("runs/") == of_runs)


def declared_by(root, headers):
    """The names that these headers, and what they include, declare with WI_API, once their macros are expanded."""
    lines = (f"#include <{name}>\n" for name in headers)
    compiler = os.environ.get("CC", "cc").split()
    folders = [f"-I{root / 'include'}", f"-I{root / 'src'}"]
    text = output_of(*compiler, "-E", "-P", *folders, "-", input="".join(lines))
    return {declared_name(part) for part in re.split(r"[;{}]", text) if EXPORTED in part}


def declared(root, optional):
    """The names that libwithin's headers declare, or those of one of the optional libraries."""
    include = root / "include"
    names = sorted(path.relative_to(include).as_posix() for path in include.rglob("*.h"))
    own = {f"within/{name}" for name in HEADERS.values()}
    core = declared_by(root, [*(name for name in names if name not in own), *headers_of_others(root, "python src/runs")])
    if not optional:
        return core
    more = headers_of_others(root, "python", "runs/") if optional == "runs" else []
    return declared_by(root, [f"within/{HEADERS[optional]}", *more]) - core


def exported(library):
    """The names that the library exports."""
    lines = output_of("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def needed(library):
    """The libraries that it needs."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-d", library))


def main():
    if len(sys.argv) < 2:
        sys.exit("which library? type: tools/check_exports.py build/src/libwithin.so")
    library = Path(sys.argv[1])
    root = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent).resolve()
    optional = library.name.partition(".")[0].partition("libwithin-")[2]
    want, have = declared(root, optional), exported(library)
    also = f"|libwithin|{OPTIONAL[optional]}" if optional else ""
    may_need = re.compile(rf"({MAY_NEED}{also})\.so\.\d+")
    wrong = [f"{name} is exported, but no header for users or the Python extension declares it with WI_API" for name in have - want]
    wrong += [f"{name} is declared with WI_API, but not exported" for name in want - have]
    allowed = f"libwithin and {OPTIONAL[optional]}" if optional else "libc and libm"
    wrong += [f"needs {name}: only {allowed} may be" for name in needed(library) if not may_need.fullmatch(name)]
    for message in sorted(wrong):
        print(f"{library.name}: {message}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
