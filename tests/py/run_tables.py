"""Databases of runs written by plain SQL, from the schema in src/runs/schema.c: for tests of what reads them."""

import re
import sqlite3
import struct
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_MS = 1_700_000_000_000
CHUNK = 4096
# Of another host, where nobody here can tell whether it lives: the run stays RUNNING.
ELSEWHERE = "1-1-00000000-ffffffff"


def schema():
    """The SQL text of the schema."""
    text = (ROOT / "src/runs/schema.c").read_text()
    text = re.sub(r"/\*.*?\*/", "", text[text.index("const char wi__runs_schema") :], flags=re.S)
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def make(path):
    """A new database without runs; the connection."""
    db = sqlite3.connect(path, timeout=60)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(schema())
    return db


def add_run(db, name, status="FINISHED", params=(), tags=(), metrics=(), **columns):
    """Add a run; its id. `metrics` is {name: [(step, ms, value), …]}; columns are those of the table `run`."""
    row = {"uuid": uuid.uuid4().hex, "name": name, "status": status, "started_ms": START_MS}
    row |= {"owner": ELSEWHERE} if status == "RUNNING" else {"ended_ms": START_MS + 9000}
    row |= columns
    marks = ", ".join("?" * len(row))
    run = db.execute(f"INSERT INTO run ({', '.join(row)}) VALUES ({marks})", tuple(row.values())).lastrowid
    db.executemany("INSERT INTO param VALUES (?, ?, ?)", [(run, *item) for item in dict(params).items()])
    db.executemany("INSERT INTO tag VALUES (?, ?, ?)", [(run, *item) for item in dict(tags).items()])
    for metric, points in dict(metrics).items():
        add_points(db, run, metric, points)
    db.commit()
    return row["uuid"]


def row_of(db, run_id):
    """The row of a run, by its id."""
    return db.execute("SELECT id FROM run WHERE uuid = ?", (run_id,)).fetchone()[0]


def add_points(db, run, metric, points):
    """Append points to a series, which is made if need be; the caller commits."""
    db.execute(
        "INSERT OR IGNORE INTO series (run, number, name)"
        " SELECT ?1, count(*), ?2 FROM series WHERE run = ?1",
        (run, metric),
    )
    series, count = db.execute("SELECT id, count FROM series WHERE run = ? AND name = ?", (run, metric)).fetchone()
    for first in range(0, len(points), CHUNK):
        add_chunk(db, series, count + first, points[first : first + CHUNK])
    db.execute("UPDATE series SET count = count + ? WHERE id = ?", (len(points), series))


def add_chunk(db, series, position, points):
    """A chunk whose numbers are not compressed."""
    steps, ms, values = zip(*points)
    pack = f">{len(points)}"
    db.execute(
        "INSERT INTO chunk (series, position, count, step_base, step_stride, steps, ms_base, ms_stride, ms, points)"
        " VALUES (?, ?, ?, 0, 0, ?, 0, 0, ?, ?)",
        (
            series,
            position,
            len(points),
            struct.pack(pack + "q", *steps),
            struct.pack(pack + "q", *ms),
            struct.pack(pack + "d", *values),
        ),
    )


def line(count, first=0):
    """Points of a metric: `count` of them, all different."""
    return [(i, START_MS + i, i * 0.1) for i in range(first, first + count)]
