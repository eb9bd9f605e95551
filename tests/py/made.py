"""Runs targets of the Makefile in a folder of its own, where everything is built already.

    from made import make_in

    def test_the_end_of_make_run(root, within, tmp_path):
        make = make_in(tmp_path, {"src/cli/within": f'exec {within} "$@"', "examples/ber/ber": "exec true"})
        assert "no runs" in make("run")
"""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTHING_TO_DO = "bin/ninja", "bin/meson", "tools/setup.sh", "tools/venv.sh"


def make_in(folder, programs):
    """A function that makes a target in the folder, and returns what is printed, by whatever is run, in order.

    Parameters
    ----------
    folder : Path
    programs : dict
        Below the build folder: what the shell does in place of each.
    """
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    scripts = dict.fromkeys(NOTHING_TO_DO, "") | {f"build/{name}": text for name, text in programs.items()}
    for name, text in scripts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for name in "build.ninja", "runs-enabled":
        (folder / "build" / name).touch()
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name not in ("BUILD", "MAKEFLAGS", "MAKELEVEL")}

    def make(target):
        done = subprocess.run(
            ["make", "--silent", target],
            cwd=folder,
            env={**environment, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return make


def list_and_run_of(output):
    """The rows of the list of runs that the output ends with, each as words, and the id of the run shown below it."""
    lines = output.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("run  "))
    first = max(number for number, line in enumerate(lines[:last]) if line.startswith("id  "))
    return [line.split() for line in lines[first + 1 : last]], lines[last + 1].split()[1]
