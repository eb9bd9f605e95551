"""`within plot` and `within export`: what they draw and write of runs that are known."""

import csv
import io
import json
import math
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml
import zlib

import pytest
import runs_database as database

pytestmark = pytest.mark.usefixtures("with_runs")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def call(within, tmp_path):
    def call_within(*words, env={}):
        command = [within, *map(str, words)]
        environment = {**os.environ, **env}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, env=environment)

    return call_within


@pytest.fixture
def runs(tmp_path):
    """Two runs, with metrics of every kind of number."""
    db = database.make(tmp_path / "runs.db")
    first = database.add_run(db, "lorenz", "3f2a", params={"seed": "1"})
    database.add_metric(db, first, "line", [float(i) for i in range(101)])
    database.add_metric(db, first, "decay", [10.0**-i for i in range(9)], steps=[2**i for i in range(9)])
    database.add_metric(db, first, "gaps", [0.0, 1.0, math.nan, 3.0, math.inf, 5.0, 4.0, -math.inf])
    database.add_metric(db, first, "nothing", [math.nan, math.inf])
    database.add_metric(db, first, "constant", [7.0, 7.0])
    database.add_metric(db, first, "single", [3.5])
    database.add_metric(db, first, 'odd, "name"\n<&>', [0.1, -0.0, 1e300])
    database.add_metric(db, first, "many", [math.sin(i / 50) for i in range(10000)])
    second = database.add_run(db, "lorenz", "9c01", started_s=100)
    database.add_metric(db, second, "line", [100.0 - i for i in range(51)])
    return db


# ---- the terminal ----

LINE = """\
    line: lorenz (3f2a0000)
100┤                            ⣀⠔
   │                         ⡠⠔⠋
   │                     ⢀⡤⠒⠉
   │                  ⢀⠤⠚⠁
 50┤               ⣠⠔⠊⠁
   │           ⢀⡠⠔⠋
   │        ⢀⡤⠒⠁
   │     ⣀⠤⠚⠁
   │  ⣠⠔⠋
  0┤⠔⠉
   └┬──────────────┬─────────────┬
    0             50           100
                              step
"""


def test_a_line_on_the_terminal(runs, call):
    done = call("plot", "3f2a", "line", "--size", "34x10")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == LINE


def test_several_curves_without_colours_have_letters_of_their_own(runs, call):
    output = call("plot", "3f2a", "line", "--run", "9c01", "--size", "60x12", "--title", "Both").stdout
    assert output.splitlines()[0].strip() == "Both"
    assert "* lorenz (3f2a0000)" in output and "o lorenz (9c010000)" in output
    drawn = [line.partition("┤")[2] or line.partition("│")[2] for line in output.splitlines()]
    rising, falling = ([line.find(mark) for line in drawn if mark in line] for mark in "*o")
    assert rising == sorted(rising, reverse=True) and falling == sorted(falling)


@pytest.mark.parametrize("size", ["20x4", "30x5", "200x60"])
@pytest.mark.parametrize("metric", ["line", "decay", "gaps", "constant", "single", "many", 'odd, "name"\n<&>'])
@pytest.mark.parametrize("more", [[], ["--log"], ["--over", "time"]], ids=" ".join)
def test_every_size_and_kind_of_curve_stays_in_its_place(runs, call, size, metric, more):
    done = call("plot", "3f2a", metric, "--size", size, *more)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= max(int(size.split("x")[0]), 20)
    assert any("\u2800" < letter <= "\u28ff" for line in lines for letter in line)


def test_a_logarithmic_axis_has_powers_of_ten(runs, call):
    output = call("plot", "3f2a", "decay", "--log", "--log-x", "--size", "60x18").stdout
    labels = re.findall(r"^ *([\d.e-]+)┤", output, re.M)
    assert {"1", "0.01", "0.0001", "1e-6", "1e-8"} <= set(labels)


def test_what_cannot_be_drawn_is_said(runs, call):
    for words, message in [
        (["nothing"], "there is no point that can be drawn: none is finite"),
        ([], "which metric? lorenz (3f2a0000) has line, decay, gaps, "),
        (["none"], 'lorenz (3f2a0000) has no metric "none"; it has line, decay'),
        (["line"] * 17, "these are more than 16 curves"),
    ]:
        done = call("plot", "3f2a", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"within plot: {message}")
    runs.execute("UPDATE chunk SET count = count + 1")
    runs.commit()
    assert call("plot", "3f2a", "line").stderr == "within plot: the points of line are damaged\n"


# ---- SVG ----


def test_svg_is_well_formed_and_has_axes_legend_and_curves(runs, call, tmp_path):
    metric = 'odd, "name"\n<&>'
    done = call("plot", "3f2a", "line", "many", metric, "--run", "9c01", "--svg", "a.svg")
    assert done.returncode == 1 and "has no metric" in done.stderr
    done = call("plot", "3f2a", "line", "many", metric, "--svg", "a.svg", "--title", "<T> & \x01\x1b[31m\uffff")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    root = xml.parse(tmp_path / "a.svg").getroot()
    assert (root.get("width"), root.get("height")) == ("800", "500")
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "<T> & \\x01\\x1b[31m?" in texts
    assert {"line", "many", 'odd, "name"\\x0a<&>', "step", "0"} <= set(texts)
    colors = {path.get("stroke") for path in root.iter(f"{SVG}path")}
    assert {"#0072b2", "#d55e00", "#009e73"} <= colors
    assert (tmp_path / "a.svg").stat().st_size < 200_000


def curve_of(path):
    """The coordinates of the first curve of an SVG file."""
    paths = [p.get("d") for p in xml.parse(path).getroot().iter(f"{SVG}path") if p.get("stroke") == "#0072b2"]
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.]+) ([\d.]+)", paths[0])]


def test_a_curve_lies_where_its_numbers_are(runs, call, tmp_path):
    call("plot", "3f2a", "line", "--svg", "a.svg", "--size", "1000x600")
    points = curve_of(tmp_path / "a.svg")
    (x0, y0), (x1, y1) = points[0], points[-1]
    assert len(points) == 101
    for step, (x, y) in enumerate(points):
        assert x == pytest.approx(x0 + (x1 - x0) * step / 100, abs=0.02)
        assert y == pytest.approx(y0 + (y1 - y0) * step / 100, abs=0.02)
    assert x1 > x0 + 800 and y1 < y0 - 400


def test_gaps_break_the_line(runs, call, tmp_path):
    call("plot", "3f2a", "gaps", "--svg", "a.svg")
    text = (tmp_path / "a.svg").read_text()
    (curve,) = re.findall(r'stroke="#0072b2"[^>]*d="([^"]*)"', text)
    assert re.sub(r"h0|[\d. -]+", lambda found: "." if found[0] == "h0" else "", curve) == "MLM.ML"


# ---- PNG ----


@pytest.fixture
def png(build, call, tmp_path):
    """A function that draws a PNG and gives its width, height and rows of pixels (r, g, b)."""
    if not (build / "src/cli/within-plot").exists():
        pytest.skip("within-plot is not built here")

    def draw(*words):
        done = call("plot", *words, "--png", "a.png")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return decode_png((tmp_path / "a.png").read_bytes())

    return draw


def decode_png(content):
    """Eight bits a channel, not interlaced, as cairo writes it."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            data += body
        at += 12 + length
    assert depth == 8 and color in (2, 6)
    size = 3 if color == 2 else 4
    return width, height, unfilter(zlib.decompress(data), width * size, height, size)


def unfilter(data, stride, height, size):
    """The pixels of each line, by the PNG specification, chapter 9."""
    before, rows = bytearray(stride), []
    for y in range(height):
        start = y * (stride + 1)
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + stride])
        for x in range(stride):
            left, up = row[x - size] if x >= size else 0, before[x]
            corner = before[x - size] if x >= size else 0
            nearest = min((left, up, corner), key=lambda p: abs(left + up - corner - p))
            row[x] = row[x] + [0, left, up, (left + up) // 2, nearest][kind] & 255
        rows.append([tuple(row[i : i + 3]) for i in range(0, stride, size)])
        before = row
    return rows


def test_png_has_the_curve_in_its_colour(runs, png):
    width, height, rows = png("3f2a", "line", "--size", "400x300")
    assert (width, height, len(rows)) == (400, 300, 300)
    assert rows[0][0] == rows[-1][-1] == (255, 255, 255)
    blue = [(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel == (0x00, 0x72, 0xB2)]
    assert len(blue) > 50
    assert min(blue)[1] > 200 and max(blue)[1] < 60  # from the lower left to the upper right


def test_without_cairo_png_is_refused_and_svg_is_not(runs, build, tmp_path):
    alone = tmp_path / "bin"
    alone.mkdir()
    for name in "within", "within-runs":
        (alone / name).write_bytes((build / "src/cli" / name).read_bytes())
        (alone / name).chmod(0o755)
    command = [alone / "within", "plot", "3f2a", "line"]
    done = subprocess.run([*command, "--png", "a.png"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "within plot --png: this installation has none: it was built without cairo\n"
    done = subprocess.run([*command, "--svg", "a.svg"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# ---- export ----


def test_csv_has_a_line_a_point(runs, call):
    rows = list(csv.DictReader(io.StringIO(call("export", "3f2a", "--csv").stdout, newline="")))
    assert len(rows) == 101 + 9 + 8 + 2 + 2 + 1 + 3 + 10000
    of = {name: [row for row in rows if row["metric"] == name] for name in ["line", "gaps", 'odd, "name"\n<&>', "many"]}
    assert [float(row["value"]) for row in of["line"]] == list(range(101))
    assert [row["value"] for row in of["gaps"]] == ["0.0", "1.0", "nan", "3.0", "inf", "5.0", "4.0", "-inf"]
    assert [row["value"] for row in of['odd, "name"\n<&>']] == ["0.1", "-0.0", "1e+300"]
    assert [float(row["value"]) for row in of["many"]] == [math.sin(i / 50) for i in range(10000)]
    assert [row["step"] for row in rows if row["metric"] == "decay"] == [str(2**i) for i in range(9)]
    assert [float(row["time"]) for row in of["line"]] == [(database.START_MS + 10 * i) / 1000 for i in range(101)]


def test_json_has_all(runs, call, tmp_path):
    done = call("export", "3f2a", "--json", "--output", "a.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    run = json.loads((tmp_path / "a.json").read_text())
    assert run["params"] == {"seed": "1"}
    assert run["points"]["gaps"]["value"] == [0, 1, None, 3, math.inf, 5, 4, -math.inf]
    assert run["points"]["decay"] == {
        "step": [2**i for i in range(9)],
        "ms": [database.START_MS + 10 * i for i in range(9)],
        "value": [10.0**-i for i in range(9)],
    }
    shown = json.loads(call("show", "3f2a", "--json").stdout)
    assert {key: value for key, value in run.items() if key != "points"} == shown


def test_files_appear_whole_or_not_at_all(runs, call, tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("precious")
    runs.execute("UPDATE chunk SET points = x'00' WHERE position > 0")
    runs.commit()
    for words in ["export", "3f2a", "--csv", "--output", target], ["plot", "3f2a", "many", "--svg", target]:
        done = call(*words)
        assert done.returncode == 1 and "damaged" in done.stderr
        assert target.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} <= {"a.csv", "runs.db", "runs.db-wal", "runs.db-shm"}
    done = call("export", "3f2a", "--csv", "--output", "none/a.csv")
    assert done.returncode == 1 and "none" in done.stderr


# A stand-in: what of pyarrow the export uses, which keeps what it is given.
PYARROW = {
    "__init__.py": """
class _Type(str):
    pass
string, int64, float64 = lambda: "string", lambda: "int64", lambda: "float64"
int32 = lambda: "int32"
timestamp = lambda unit, tz: f"timestamp[{unit}, {tz}]"
dictionary = lambda index, value: f"dictionary<{value}>"
schema = dict
class Table:
    from_arrays = staticmethod(lambda columns, schema: list(zip(*columns)))
""",
    "compute.py": """
class Column(list):
    def cast(self, kind):
        return Column(int(x) for x in self) if kind == "int64" else self
multiply = lambda column, by: Column(float(x) * by for x in column)
round = lambda column: Column(__builtins__["round"](x) for x in column)
""",
    "csv.py": """
import csv, io
from .compute import Column
class ParseOptions:
    def __init__(self, newlines_in_values):
        assert newlines_in_values
class ConvertOptions:
    def __init__(self, column_types, null_values):
        assert list(column_types) == ["metric", "step", "time", "value"] and null_values == []
class Batch:
    def __init__(self, rows):
        self.rows = rows
    def column(self, index):
        column = Column(row[index] for row in self.rows)
        column.dictionary_encode = lambda: column
        return column
def open_csv(file, parse_options, convert_options):
    rows = list(csv.reader(io.TextIOWrapper(file, newline="")))
    assert rows[0] == ["metric", "step", "time", "value"]
    yield Batch(rows[1:])
""",
    "parquet.py": """
class ParquetWriter:
    def __init__(self, target, schema):
        self.file = open(target, "w") if isinstance(target, str) else None
        self.schema = schema
    def __enter__(self):
        return self
    def __exit__(self, *error):
        if self.file:
            self.file.close()
    def write_table(self, rows):
        print(self.schema, len(rows), rows[1], file=self.file)
""",
}


def test_parquet_is_made_by_pyarrow(runs, call, tmp_path):
    folder = tmp_path / "modules/pyarrow"
    folder.mkdir(parents=True)
    for name, text in PYARROW.items():
        (folder / name).write_text(text)
    environment = {"PYTHONPATH": str(folder.parent), "WITHIN_PYTHON": sys.executable}
    done = call("export", "3f2a", "--parquet", "--output", "a.parquet", env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "a.parquet").read_text()
    assert f"10126 ('line', '1', {database.START_MS + 10}, '1.0')" in text
    assert "'metric': 'dictionary<string>', 'step': 'int64', 'time': 'timestamp[ms, UTC]', 'value': 'float64'" in text


def test_parquet_by_the_real_pyarrow(runs, call, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    done = call("export", "3f2a", "--parquet", "--output", "a.parquet", env={"WITHIN_PYTHON": sys.executable})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert len(rows) == 10126
    assert [row["value"] for row in rows if row["metric"] == "line"] == list(range(101))
    assert math.isnan([row["value"] for row in rows if row["metric"] == "gaps"][2])
    assert rows[1]["time"].timestamp() == pytest.approx((database.START_MS + 10) / 1000)


def test_parquet_without_pyarrow_or_python_is_said(runs, call, tmp_path):
    without = tmp_path / "without"
    without.mkdir()
    (without / "pyarrow.py").write_text("raise ImportError('none')")
    environment = {"PYTHONPATH": str(without), "WITHIN_PYTHON": sys.executable}
    done = call("export", "3f2a", "--parquet", "--output", "a.parquet", env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"within export: Parquet is made by Python's pyarrow, which {sys.executable} does not have")
    done = call("export", "3f2a", "--parquet", "--output", "a.parquet", env={"WITHIN_PYTHON": "/none/python"})
    assert done.returncode == 1
    assert "/none/python cannot be run: No such file or directory" in done.stderr
    assert not (tmp_path / "a.parquet").exists()
