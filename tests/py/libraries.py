"""What a program links, told by the headers that it includes."""

import re
import subprocess

import pytest

# The libraries of their own, libwithin-NAME with the header within/NAME.h: what pkg-config calls the library that
# their users may call beside it.
OPTIONAL = {"hdf5": "hdf5", "sqlite": "sqlite3"}


def flags_for(text, build):
    """The linker's flags for the text of a program; skips the test if this build lacks what it needs."""
    libraries, folders = [], [build / "src"]
    for name, other in OPTIONAL.items():
        if not re.search(rf"#include <within/{name}\.h>", text):
            continue
        if not (build / name / f"libwithin-{name}.so").exists():
            pytest.skip(f"libwithin-{name} is not built here")
        asked = subprocess.run(["pkg-config", "--cflags", "--libs", other], capture_output=True, text=True, check=True)
        libraries += [f"-lwithin-{name}", *asked.stdout.split()]
        folders.append(build / name)
    places = [flag for folder in folders for flag in (f"-L{folder}", f"-Wl,-rpath,{folder}")]
    return [*places, *libraries, "-lwithin", "-lm", "-pthread"]
