"""The documentation is true: each program in Python prints what its page says, under every interpreter.

A ```python fence is a program, run in a folder of its own. A ```text fence right below is what it prints,
stdout and stderr together; … stands for any text. A ```c fence that begins with a comment /* NAME.c */ is
built as NAME.so first, against the package, for the programs of its page that load it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import within

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs/files.md", ROOT / "docs/memory.md", ROOT / "docs/runs.md", ROOT / "docs/state.md"]
GUIDES += [page for guide in GUIDES for page in sorted(guide.with_suffix("").glob("*.md"))]
PAGES = [ROOT / "README.md", ROOT / "docs/python.md", *GUIDES]
PROGRAM = re.compile(r"^```python\n(.*?)^```\n(?:\n?^```text\n(.*?)^```\n)?", re.S | re.M)
LIBRARY = re.compile(r"^```c\n(/\* (\w+)\.c \*/\n.*?)^```\n", re.S | re.M)


def programs():
    for page in PAGES:
        text = page.read_text()
        for found in PROGRAM.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(page, found[1], found[2], id=f"{page.name}:{line}")


def expected(text):
    """The text as a pattern, in which … is anything."""
    return re.compile(".*?".join(re.escape(part) for part in text.split("…")), re.S)


def build_libraries(page, program, folder):
    """Build the C files of the page that the program loads, as the page tells its readers to."""
    for source, name in LIBRARY.findall(page.read_text()):
        if f"{name}.so" not in program:
            continue
        if not shutil.which("cc"):
            pytest.skip("there is no C compiler")
        (folder / f"{name}.c").write_text(source)
        command = ["cc", "-O2", "-fexceptions", "-shared", "-fPIC", f"-I{within.get_include()}", f"{name}.c"]
        command += ["-o", f"{name}.so", f"-L{within.get_library_dir()}", "-lwithin"]
        subprocess.run(command, cwd=folder, check=True)


def run(program, folder, **environment):
    (folder / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("page, program, output", list(programs()))
def test_every_program_prints_what_its_page_says(page, program, output, tmp_path):
    for name in re.findall(r"^import (h5py|matplotlib|numpy|pandas|safetensors|torch)\b", program, re.M):
        pytest.importorskip(name)
    build_libraries(page, program, tmp_path)
    done = run(program, tmp_path, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    assert done.returncode == 0, done.stdout
    assert expected(output or "").fullmatch(done.stdout), f"it is printed otherwise:\n{done.stdout}"


def test_sections_in_c_are_children_of_those_in_python(tmp_path, read_record):
    page = ROOT / "docs/python.md"
    (program,) = [text for text, _ in PROGRAM.findall(page.read_text()) if "solver.so" in text]
    build_libraries(page, program, tmp_path)
    done = run(program, tmp_path, WITHIN_RECORD=str(tmp_path / "record"))
    assert done.returncode == 0, done.stdout
    paths = read_record(tmp_path / "record").paths
    assert {path: section["calls"] for path, section in paths.items()} == {"step": 1, "step > solve": 1}


def public_names():
    """The package's names, and those of the objects that it gives."""
    names = [name for name in dir(within) if not name.startswith("_")]
    for kind in within.section, within.Timer, within.Profiler:
        names += [f"{kind.__name__}.{name}" for name in vars(kind) if not name.startswith("_")]
    modules = {name for name in names if type(getattr(within, name, None)) is type(os)}
    return sorted(set(names) - modules) + ["within.contextlib"]


def test_every_public_name_is_explained():
    pages = "".join(page.read_text() for page in [ROOT / "docs/python.md", *GUIDES])
    missing = [name for name in public_names() if not re.search(rf"\b{name.rsplit('.')[-1]}\b", pages)]
    assert not missing
