"""What a program links, told by the headers that it includes."""

import re

import pytest

# The libraries of their own, libwithin-NAME with the header within/NAME.h: what their users call beside it.
OPTIONAL = {"sqlite": ["-lsqlite3"]}


def flags_for(text, build):
    """The linker's flags for the text of a program; skips the test if this build lacks what it needs."""
    libraries, folders = [], [build / "src"]
    for name, others in OPTIONAL.items():
        if not re.search(rf"#include <within/{name}\.h>", text):
            continue
        if not (build / name / f"libwithin-{name}.so").exists():
            pytest.skip(f"libwithin-{name} is not built here")
        libraries += [f"-lwithin-{name}", *others]
        folders.append(build / name)
    places = [flag for folder in folders for flag in (f"-L{folder}", f"-Wl,-rpath,{folder}")]
    return [*places, *libraries, "-lwithin", "-lm", "-pthread"]
