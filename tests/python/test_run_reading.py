"""within.runs: what a database of runs says, as lists, arrays and tables."""

import array
import importlib.util
import sys

import pytest

import within as wi

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("within._runs"), reason="there is no SQLite")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Three runs, of which the last one failed."""
    path = tmp_path_factory.mktemp("runs") / "runs.db"
    for seed in range(3):
        try:
            with wi.run("walk" if seed else "first", path, params={"seed": seed}, tags={"odd": seed % 2}) as run:
                for step in range(5000):
                    run.log(3 * step, distance=step * (seed + 0.5))
                assert seed < 2
        except AssertionError:
            pass
    return path


def test_runs_are_listed_oldest_first(database):
    found = wi.runs(database)
    assert [run.params["seed"] for run in found] == ["0", "1", "2"]
    assert [run.status for run in found] == ["FINISHED", "FINISHED", "FAILED"]
    assert [run.name for run in wi.runs(str(database), name="walk")] == ["walk", "walk"]
    assert wi.runs(database, name="' OR 1") == [] and [run.tags["odd"] for run in found] == ["0", "1", "0"]
    assert repr(found[0]) == f"<StoredRun 'first' {found[0].id} FINISHED>"


def test_a_series_is_three_arrays(database):
    run = wi.runs(database)[1]
    steps, values, times = run.series("distance")
    if "numpy" not in sys.modules:
        assert type(steps) is type(values) is type(times) is array.array and steps.typecode == "q"
    assert list(steps) == [3 * step for step in range(5000)]
    assert list(values) == [1.5 * step for step in range(5000)]
    assert all(run.started - 1 <= time <= run.ended + 1 for time in times) and sorted(times) == list(times)
    with pytest.raises(KeyError, match="speed"):
        run.series("speed")


def test_with_numpy_arrays_are_its(database):
    numpy = pytest.importorskip("numpy")
    series = wi.runs(database)[0].series("distance")
    assert series.values.dtype == numpy.float64 and series.steps.dtype == numpy.int64
    series.values[0] = 7  # they are the caller's


def test_tables_are_made_of_all_runs_and_of_one(database, monkeypatch):
    class Pandas:
        DataFrame = staticmethod(lambda rows: rows)

    if not importlib.util.find_spec("pandas"):
        monkeypatch.setitem(sys.modules, "pandas", Pandas)
    else:
        pytest.importorskip("pandas")
    table = wi.runs(database).to_pandas()
    assert len(table) == 3
    points = wi.runs(database)[2].to_pandas()
    assert list(points["metric"])[:1] == ["distance"] and list(points["value"])[:3] == [0.0, 2.5, 5.0]
    if isinstance(table, list):
        assert table[0]["params.seed"] == "0" and table[0]["metrics.distance"] == 2499.5


def test_notebooks_show_a_table_of_the_newest(database, tmp_path, monkeypatch):
    html = wi.runs(database)._repr_html_()
    assert "3 runs" in html and html.count("<tr>") == 4 and "seed" in html and "2499.5" in html
    assert 'class="bad" title="AssertionError' in html and html.index("walk") < html.index("first")
    with wi.run("<b>", tmp_path / "runs.db", params={"<i>": "<u>"}):
        pass
    html = wi.runs(tmp_path / "runs.db")._repr_html_()
    assert "1 run<" in html and "&lt;b&gt;" in html and "&lt;i&gt;" in html and "<u>" not in html
    monkeypatch.setattr("within._runs_html.MOST_RUNS", 2)
    assert "3 runs, of which the newest 2" in wi.runs(database)._repr_html_()


def test_what_was_read_stays_there_when_the_program_goes_elsewhere(database, tmp_path, monkeypatch):
    monkeypatch.chdir(database.parent)
    run = wi.runs(database.name)[0]
    monkeypatch.chdir(tmp_path)
    assert len(run.series("distance").values) == 5000


def test_a_database_that_may_not_be_written_is_read(database):
    database.chmod(0o400)
    assert len(wi.runs(database)) == 3
    database.chmod(0o600)


def test_a_killed_run_is_told_from_one_that_runs(tmp_path, python):
    program = """
import os, signal, within as wi
with wi.run("doomed", "runs.db", params={"a": 1}) as run:
    for step in range(1000):
        run.log(step, x=step)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert python(program, fails=True).returncode == -9
    with wi.run("alive", tmp_path / "runs.db"):
        doomed, alive = wi.runs(tmp_path / "runs.db")
    assert (doomed.status, alive.status) == ("KILLED", "RUNNING") and doomed.params == {"a": "1"}
    assert list(doomed.series("x").values) == list(range(1000))
