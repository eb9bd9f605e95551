"""What a program links, told by the headers that it includes."""

import re
import subprocess

import pytest

# The libraries of their own, libwithin-NAME, by their headers: NAME, its folder in the build, and what pkg-config calls
# the library that their users may call beside it.
OPTIONAL = {
    "hdf5": ("hdf5", "hdf5", "hdf5"),
    "run": ("runs", "src/runs", "sqlite3"),
    "sqlite": ("sqlite", "sqlite", "sqlite3"),
}
# Of others, that a page shows the library together with: the folder of their headers is what pkg-config calls them.
OTHERS = ["gsl"]


def flags_for(text, build):
    """The linker's flags for the text of a program; skips the test if this build lacks what it needs."""
    libraries, folders = [], [build / "src"]
    for header, (name, folder, other) in OPTIONAL.items():
        if not re.search(rf"#include <within/{header}\.h>", text):
            continue
        if not (build / folder / f"libwithin-{name}.so").exists():
            pytest.skip(f"libwithin-{name} is not built here")
        libraries += [f"-lwithin-{name}", *_flags_of(other)]
        folders.append(build / folder)
    for name in OTHERS:
        if re.search(rf"#include <{name}/", text):
            libraries += _flags_of(name)
    if "-lwithin-runs" in libraries:
        folders.append(build / "sqlite")
    places = [flag for folder in folders for flag in (f"-L{folder}", f"-Wl,-rpath,{folder}")]
    return [*places, *libraries, "-lwithin", "-lm", "-pthread"]


def _flags_of(name):
    asked = subprocess.run(["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True)
    if asked.returncode != 0:
        pytest.skip(f"{name} is not installed here")
    return asked.stdout.split()
