"""make bench: what the rows in Python measure, and how the tables judge them. No test here looks at a time."""

import json
import os
import subprocess
import sys

import pytest

FIELDS = {"name", "unit", "value", "baseline", "ratio", "difference", "least", "baseline_least", "target", "at_most"}


@pytest.fixture
def table(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "tools")
    import bench_table

    return bench_table


@pytest.fixture
def slices(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "bench")
    import slices

    return slices


def row(ratio, at_most=1, target="ratio", **more):
    figures = {"value": 20.0, "baseline": 10.0, "difference": 10.0, "least": 20.0, "baseline_least": 10.0}
    return {"name": "a row", "unit": "ns", "ratio": ratio, "target": target, "at_most": at_most, **figures, **more}


# ---- tables ----


def test_the_worse_compiler_is_shown(table, capsys):
    counts = table.print_compilers([row(0.5, compiler="gcc"), row(1.5, compiler="clang")])
    assert counts == (1, 0)
    shown = capsys.readouterr().out.splitlines()[2]
    assert [cell.strip() for cell in shown.strip("|").split("|")] == [
        "a row", "20.0 ns", "10.0 ns", "1.5", "2", "ratio 1", "NO", "clang",
    ]


def test_every_version_has_a_column_and_a_target_of_its_own(table, capsys):
    rows = [row(0.5, python="3.10"), row(0.3, 0.25, python="3.11"), row(1.2, python="3.12")]
    assert table.print_pythons(rows) == (3, 1)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["", "3.10", "3.11", "3.12", "at most", "met"]
    assert lines[2] == [
        "a row", "20.0 ns  0.500", "20.0 ns  0.300", "20.0 ns  1.200",
        "ratio 1, ratio 0.25 on 3.11", "NO: 3.11 3.12",
    ]


def test_a_target_that_only_one_version_has(table, capsys):
    rows = [row(0.5, 0, "", python="3.10"), row(0.7, 0.8, python="3.11")]
    assert table.print_pythons(rows) == (1, 1)
    assert "| ratio 0.8 on 3.11 | yes |" in capsys.readouterr().out


def test_a_difference_is_judged_and_shown_as_such(table, capsys):
    assert table.print_pythons([row(9, 15, "difference", python="3.10")]) == (1, 1)
    assert "20.0 ns  10.0 ns more | 15.0 ns more | yes" in capsys.readouterr().out


# ---- slices ----


@pytest.mark.parametrize(
    "statement, around",
    [
        ("calls.append(here)", "for here in 'x':"),
        ("if True:\n    calls.append(here)", "for here in 'x':"),
        ("async with manager: calls.append('x')", "if True:"),
    ],
)
def test_a_side_runs_its_statement_n_times(slices, statement, around):
    class Manager:
        async def __aenter__(self):
            pass

        async def __aexit__(self, *error):
            pass

    calls = []
    slices.side(statement, {"calls": calls, "manager": Manager()}, around)(50)
    assert calls == ["x"] * 50


def test_an_error_in_a_statement_is_not_lost(slices):
    for statement in "missing()", "await missing()":
        with pytest.raises(NameError):
            slices.side(statement, {})(10)


@pytest.mark.parametrize(
    "program, name",
    [
        ("python.py", "suppress: nothing raised"),
        ("rng.py", "PCG64: 10,000 doubles, against NumPy"),
        ("run.py", "run.log: one metric, with a step"),
    ],
)
def test_the_rows_in_python_have_the_fields_of_those_in_c(root, build, program, name, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(build / "site"), "BENCH_SECONDS": "0", "BENCH_ONLY": name}
    if subprocess.run([sys.executable, "-c", "import within"], env=environment, capture_output=True).returncode:
        pytest.skip(f"{sys.executable} has no extension module in {build}/site")
    if program == "rng.py":
        pytest.importorskip("numpy")
    if program == "run.py" and not any((build / "site/within").glob("_runs.*.so")):
        pytest.skip("there is no SQLite")
    command = [sys.executable, root / "bench" / program]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    (measured,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert set(measured) == FIELDS
    assert measured["name"] == name and measured["value"] > 0
