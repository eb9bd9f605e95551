"""Databases of runs as tests want them: made with the library's own schema, by plain SQL."""

import re
import sqlite3
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_MS = 1_772_000_000_000


def schema():
    """The SQL that makes an empty database, read from the library's source."""
    text = (ROOT / "src/runs/schema.c").read_text()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    strings = re.findall(r'"((?:[^"\\\n]|\\.)*)"', code.partition("wi__runs_schema[] =")[2])
    return "".join(strings).encode().decode("unicode_escape")


def make(path):
    """An empty database of runs, and a connection to it."""
    db = sqlite3.connect(path)
    db.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {schema()} COMMIT;")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def add_run(db, name, uuid, status="FINISHED", started_s=0.0, duration_s=1.5, **columns):
    """A run, and the number of its row. `params`, `tags`, `environment`: dictionaries; the rest are columns."""
    tables = {table: columns.pop(key, {}) for table, key in TABLES}
    started = START_MS + round(1000 * started_s)
    columns |= {"name": name, "uuid": uuid.ljust(32, "0"), "status": status, "started_ms": started}
    if status != "RUNNING":
        columns["ended_ms"] = started + round(1000 * duration_s)
    marks = ", ".join("?" * len(columns))
    run = db.execute(f"INSERT INTO run ({', '.join(columns)}) VALUES ({marks})", [*columns.values()]).lastrowid
    for table, rows in tables.items():
        db.executemany(f"INSERT INTO {table} VALUES ({run}, ?, ?)", rows.items())
    db.commit()
    return run


TABLES = [("param", "params"), ("tag", "tags"), ("environment", "environment")]


def add_metric(db, run, name, values, steps=None):
    """A metric with a point every 10 ms, in one chunk of 8 bytes a value."""
    number = db.execute("SELECT count(*) FROM series WHERE run = ?", [run]).fetchone()[0]
    steps = steps or range(len(values))
    started = db.execute("SELECT started_ms FROM run WHERE id = ?", [run]).fetchone()[0]
    real = [value for value in values if value == value]
    row = [run, number, name, len(values), steps[-1], started + 10 * (len(values) - 1), values[-1]]
    series = db.execute(
        "INSERT INTO series (run, number, name, count, last_step, last_ms, last, least, most)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*row, min(real, default=None), max(real, default=None)],
    ).lastrowid
    for first in range(0, len(values), 4096):
        chunk = values[first : first + 4096]
        db.execute(
            "INSERT INTO chunk (series, position, count, step_base, step_stride, steps, ms_base, ms_stride, ms, points)"
            " VALUES (?, ?, ?, 0, 0, ?, ?, 10, x'', ?)",
            [
                series,
                first,
                len(chunk),
                struct.pack(f">{len(chunk)}q", *steps[first : first + 4096]),
                started + 10 * first,
                struct.pack(f">{len(chunk)}d", *chunk),
            ],
        )
    db.commit()


def add_section(db, run, path, calls, total, own, errors=0):
    mean = total / calls
    db.execute(
        "INSERT INTO section VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
        [run, path, calls, total, own, mean, mean, mean, mean, mean, errors],
    )
    db.commit()


def add_artifact(db, database, run, name, content):
    """An artifact: its row and its file."""
    uuid = db.execute("SELECT uuid FROM run WHERE id = ?", [run]).fetchone()[0]
    file = Path(f"{database}.artifacts") / uuid / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    db.execute("INSERT INTO artifact VALUES (?, ?, ?, ?)", [run, name, len(content), 0xC0FFEE])
    db.commit()
    return file
