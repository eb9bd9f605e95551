#!/usr/bin/env python3
"""Compiles each public header alone, and twice in a row, as C11 and as C++17, with gcc and clang.

    tools/check_headers.py [ROOT]
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-fexceptions"]
LANGUAGES = {
    "C11": (["-x", "c", "-std=c11"], ["gcc", "clang-19", "clang"]),
    "C++17": (["-x", "c++", "-std=c++17"], ["g++", "clang++-19", "clang++"]),
}


def compilers():
    """(language, command) of each compiler on this machine; one clang, the preferred version."""
    for language, (flags, names) in LANGUAGES.items():
        present = [name for name in names if shutil.which(name)]
        if len(present) == 3:
            present.pop()
        for name in present:
            yield language, [name, *flags, *WARNINGS]


def compile_header(include, header, language, command):
    """What is wrong with one header for one compiler: an empty text if nothing is."""
    source = f"#include <{header}>\n"
    for text, how in (source, "alone"), (source * 2, "included twice"):
        run = subprocess.run(
            [*command, f"-I{include}", "-c", "-o", os.devnull, "-"],
            input=text, capture_output=True, text=True,
        )
        if run.returncode != 0:
            return f"{header} {how} as {language} with {command[0]}:\n{run.stderr}"
    return ""


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    include = root / "include"
    headers = sorted(path.relative_to(include).as_posix() for path in include.rglob("*.h"))
    if not headers:
        sys.exit(f"{include}: no headers there")
    found = list(compilers())
    if {language for language, _ in found} != set(LANGUAGES):
        sys.exit("a C and a C++ compiler are needed; type: tools/setup.sh build check")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compile_header, include, h, *c) for h in headers for c in found]
        wrong = [text for text in (job.result() for job in jobs) if text]
    print("".join(wrong), end="")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
