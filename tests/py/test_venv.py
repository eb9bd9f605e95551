"""tools/venv.sh: what is there stays, and the project is installed again when a file of it has changed."""

import os
import shutil
import subprocess

import pytest

# Stands in for Python: makes a virtual environment of itself, and writes down what pip is asked for.
PYTHON = """#!/usr/bin/env bash
case "$*" in
'-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/pip" && echo venv >>calls ;;
'-m pip install'*) echo "${@: -1}" >>calls && [ ! -e no-network ] || { echo 'no route to host'; exit 1; } ;;
'- '*) shift && for name; do grep -q "$name" calls || echo "$name"; done | xargs ;;
esac
"""


@pytest.fixture
def project(root, tmp_path):
    """A function that runs the script on a small project, and returns what it has done this time."""
    for name in "pyproject.toml", "meson.build", "meson_options.txt":
        (tmp_path / name).touch()
    for folder in "tools", "include", "src", "sqlite", "python/within":
        (tmp_path / folder).mkdir(parents=True)
    for name in "src/old.c", "python/within/section.py":
        (tmp_path / name).touch()
    shutil.copy(root / "tools/venv.sh", tmp_path / "tools")
    (tmp_path / "python3").write_text(PYTHON)
    (tmp_path / "python3").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "BUILD"}

    def run(*packages):
        (tmp_path / "calls").write_text("numpy scikit-learn\n" if (tmp_path / "build").exists() else "")
        before = len((tmp_path / "calls").read_text().split())
        command = [tmp_path / "tools/venv.sh", *packages]
        environment["PYTHON"] = str(tmp_path / "python3")
        run.last = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
        return (tmp_path / "calls").read_text().split()[before:]

    run.folder = tmp_path
    return run


def later(path):
    """The time of a file or folder that has just changed, even where the clock of the disk is coarse."""
    now = path.stat().st_mtime + 10
    os.utime(path, (now, now))


def test_the_first_run_makes_all_and_the_second_does_nothing(project):
    assert project() == ["venv", "scikit-learn", "."]
    assert project.last.stdout == ""
    assert project.last.stderr.splitlines() == [
        "within: making build/venv",
        "within: installing numpy scikit-learn into it",
        "within: installing this project into it",
    ]
    assert project() == []
    assert (project.last.returncode, project.last.stderr) == (0, "")


def test_a_package_that_is_named_is_added(project):
    project()
    assert project("mypy") == ["mypy"]
    assert project.last.stderr == "within: installing mypy into it\n"


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_a_change_of_the_sources_installs_again(project, change):
    project()
    source = project.folder / "src/old.c"
    if change == "edit":
        later(source)
    else:
        source.unlink()
        later(source.parent)
    assert project() == ["."]


def test_an_environment_that_was_not_finished_is_made_again(project):
    project()
    (project.folder / "build/venv/bin/pip").unlink()
    assert project() == ["venv"]


def test_what_pip_says_is_shown_when_it_fails_and_the_next_run_tries_again(project):
    (project.folder / "no-network").touch()
    project()
    assert project.last.returncode == 1
    assert "no route to host" in project.last.stderr
    assert "tools/venv.sh: pip numpy scikit-learn: failed" in project.last.stderr
    (project.folder / "no-network").unlink()
    project()
    assert project.last.returncode == 0
    assert (project.folder / "build/venv/within-installed").exists()
