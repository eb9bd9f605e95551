"""docs/formats/runs.md is true: its examples print what it says, and its readers read what the library wrote."""

import os
import random
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/formats/runs.md").read_text()
FENCES = re.findall(r"^```(\w+)\n(.*?)^```(?:\n```text\n(.*?)^```)?", PAGE, re.M | re.S)

WRITER = r"""
#include <signal.h>
#include <stdlib.h>
#include <within.h>
#include <within/run.h>
int main(int argc, char **argv) {
    within (run, wi_run("lorenz", .database = "runs.db")) {
        wi_run_param(run, "sigma", "%g", 10.0);
        for (int i = 0; i < 5000; i++) {
            wi_run_metric(run, "energy", i, 0.1 * i);
            wi_run_metric(run, "loss", -i, 0.5 * i);
        }
        if (argc > 1) raise(SIGSTOP);
    }
    return 0;
}
"""

# Points of any bits: one number in hexadecimal a line.
ANY_VALUES = r"""
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <within.h>
#include <within/run.h>
int main(void) {
    uint64_t bits;
    within (run, wi_run("any"))
        for (int64_t i = 0; scanf("%" SCNx64, &bits) == 1; i++) {
            double value;
            memcpy(&value, &bits, sizeof value);
            wi_run_metric(run, i % 2 ? "odd" : "even", (int64_t)(bits >> i % 64), value);
        }
    return 0;
}
"""


def examples(language):
    found = [(text, printed) for kind, text, printed in FENCES if kind == language]
    assert found
    return found


def readers(folder):
    """The names that the page's Python makes, where runs.db lies."""
    names = {}
    before = os.getcwd()
    os.chdir(folder)
    try:
        for text, _ in examples("python"):
            exec(text, names)
    finally:
        os.chdir(before)
    return names


@pytest.fixture(scope="module")
def folder(compiled, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    subprocess.run([compiled(WRITER)], cwd=path, check=True)
    return path


def test_its_commands_print_what_it_says(folder):
    for text, printed in examples("sh"):
        done = subprocess.run(["sh", "-c", text], cwd=folder, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (printed, "")


def test_its_python_prints_what_it_says(folder, capsys):
    readers(folder)
    assert capsys.readouterr().out == "".join(printed for _, printed in examples("python"))


def test_it_names_every_table_column_and_view(folder):
    db = sqlite3.connect(folder / "runs.db")
    tables = db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    for (table,) in tables:
        assert f"`{table}`" in PAGE or f"**{table}**" in PAGE, table
        if table != "runs":
            for _, column, *_ in db.execute(f"PRAGMA table_info({table})"):
                assert f"`{column}`" in PAGE, f"{table}.{column}"


def is_same(bits, value):
    """Has the value of SQL these bits? NaN is NULL."""
    exponent, fraction = bits >> 52 & 2047, bits & 2**52 - 1
    if exponent == 2047 and fraction:
        return value is None
    return value is not None and struct.pack(">d", value) == bits.to_bytes(8, "big")


def some_bits():
    r = random.Random(7)
    special = [0, 1 << 63, 1, 2**52 - 1, 2**52, 0x7FEFFFFFFFFFFFFF, 2047 << 52, 4095 << 52, 0x7FF0000000000001]
    subnormal = [r.getrandbits(52) | r.getrandbits(1) << 63 for _ in range(500)]
    floats = [struct.unpack(">Q", struct.pack(">d", r.getrandbits(20) / 64))[0] for _ in range(12000)]
    return special + subnormal + [r.getrandbits(64) for _ in range(4000)] + floats


def test_the_view_and_the_chunks_have_every_bit(compiled, tmp_path, folder):
    bits = some_bits()
    lines = "\n".join(f"{b:x}" for b in bits)
    subprocess.run([compiled(ANY_VALUES)], cwd=tmp_path, input=lines, text=True, check=True)
    db = sqlite3.connect(tmp_path / "runs.db")
    read_series = readers(folder)["read_series"]
    widths = db.execute("SELECT DISTINCT length(points) / count FROM chunk").fetchall()
    assert sorted(widths) == [(4,), (8,)]
    for name, first in (("even", 0), ("odd", 1)):
        wanted = bits[first::2]
        steps = [int.from_bytes((b >> i % 64).to_bytes(8, "big"), "big", signed=True)
                 for i, b in enumerate(bits)][first::2]
        rows = db.execute(
            "SELECT position, step, ms, value FROM metric WHERE name = ? ORDER BY position", (name,)
        ).fetchall()
        read_steps, ms, values = read_series(db, name)
        assert [row[0] for row in rows] == list(range(len(wanted)))
        assert [row[1] for row in rows] == steps == list(read_steps)
        assert [row[2] for row in rows] == list(ms)
        assert all(is_same(b, row[3]) for b, row in zip(wanted, rows))
        assert all(is_same(b, None if v != v else v) for b, v in zip(wanted, values))


def test_a_filter_by_name_reads_no_other_series(folder):
    db = sqlite3.connect(folder / "runs.db")
    plan = str(db.execute("EXPLAIN QUERY PLAN SELECT * FROM metric WHERE run = 'a' AND name = 'b'").fetchall())
    assert "run USING" in plan and "series USING" in plan and "chunk USING" in plan


# ---- others that read the views, where they can be imported: here, or in the tier "mlflow", which has pandas ----


@pytest.fixture
def outsider(build, folder):
    """A function that runs Python in the folder of runs.db; and skips the test where what it imports is missing."""
    environment = {**os.environ, "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{build / 'mlflow'}"}

    def python(text):
        command = [sys.executable, "-c", text]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    def run(text, imports):
        if python(f"import {imports}").returncode != 0:
            pytest.skip(f"{imports} cannot be imported here")
        done = python(f"import {imports}\n{text}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


WITH_PANDAS = """
db = sqlite3.connect("runs.db")
runs = pandas.read_sql_query("SELECT * FROM runs", db, parse_dates=["started", "ended"])
points = pandas.read_sql_query("SELECT * FROM metric", db)
assert (runs.ended >= runs.started).all() and runs.points.sum() == 10000
wide = points.pivot(index="position", columns="name", values="value")
print(*points.dtypes[["position", "step", "ms", "value"]], *wide.shape, wide.energy.iloc[-1], wide.loss.sum())
"""


def test_pandas_reads_the_views(outsider):
    expected = "int64 int64 int64 float64 5000 2 499.90000000000003 6248750.0\n"
    assert outsider(WITH_PANDAS, "pandas, sqlite3") == expected


WITH_DUCKDB = """
db = duckdb_ext.init(duckdb.connect())
db.execute("LOAD sqlite")
db.execute("ATTACH 'runs.db' AS r (TYPE sqlite, READ_ONLY)")
print(*db.execute("SELECT name, status, points FROM r.runs").fetchone())
metrics = "SELECT name, count(*), max(step::BIGINT), sum(value::DOUBLE) FROM r.metric GROUP BY name ORDER BY name"
print(*db.execute(metrics).fetchall())
"""


def test_duckdb_reads_the_views(outsider):
    expected = "lorenz FINISHED 10000\n('energy', 5000, 4999, 1249750.0) ('loss', 5000, 0, 6248750.0)\n"
    assert outsider(WITH_DUCKDB, "duckdb, duckdb_ext") == expected


def test_its_readers_read_a_journal(compiled, tmp_path, folder):
    process = subprocess.Popen([compiled(WRITER), "stop"], cwd=tmp_path)
    try:
        while "T" not in Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]:
            time.sleep(0.01)
        live = next((tmp_path / "runs.db.live").glob("*/points")).parent
        names = readers(folder)
        points = names["read_points"](live / "points")
        notes = names["read_notes"](live / "notes")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [p[0] for p in points] == list(range(10000))
    assert [p[1:4] for p in points[:4]] == [(0, 0, 0.0), (1, 0, 0.0), (0, 1, 0.1), (1, -1, 0.5)]
    series = [(kind, number, key) for kind, number, _, key, _ in notes if kind == 1]
    assert series == [(1, 0, "energy"), (1, 1, "loss")]
    assert (2, 0, "sigma", "10") in [(note[0], note[1], *note[3:]) for note in notes]
