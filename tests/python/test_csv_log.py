"""csv_log: rows of Python's values, in the file when they are written. The log itself is tested in tests/c and tests/py."""

import csv
import decimal
import enum
import gc
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest

import within as wi


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.csv"


def lines(path):
    return path.read_text().splitlines()


# ---- rows ----


def test_a_row_is_in_the_file_when_it_is_written(path):
    with wi.csv_log(path, "snr,ber") as log:
        assert lines(path) == ["snr,ber"]
        log.row(1.5, 3.2e-4)
        assert lines(path) == ["snr,ber", "1.5,0.00032"]
        log.row(2, None)
        assert (log.rows, log.cut) == (2, 0)
    assert lines(path) == ["snr,ber", "1.5,0.00032", "2,"]


def test_values_may_be_named(path):
    with wi.csv_log(path, "snr,ber,bit errors") as log:
        log.row(snr=1, ber=2, **{"bit errors": 3})
        log.row(**{"bit errors": "c", "ber": "b", "snr": "a"})
        log.row(*[4, 5, 6], **{})
    assert lines(path)[1:] == ["1,2,3", "a,b,c", "4,5,6"]


def test_values_are_exact(path):
    values = [0, -1, 2**63 - 1, -(2**63), 2**64 - 1, True, False, 0.1, 1e16, float("nan"), float("-inf"), -0.0, "", "é", None]
    with wi.csv_log(path, [f"c{i}" for i in range(len(values))]) as log:
        log.row(*values)
    expected = [{None: "", True: "true", False: "false"}.get(value, str(value)) if value not in (0, 1) or
                isinstance(value, bool) else str(value) for value in values]
    assert next(csv.reader(lines(path)[1:])) == expected


def test_what_is_a_number_or_text_of_another_type_is_one(path):
    class Index:
        def __index__(self):
            return 7

    class Float:
        def __float__(self):
            return 0.5

    class Both(Float):
        def __index__(self):
            raise TypeError("not an integer after all")

    class Color(enum.IntEnum):
        RED = 3

    class Name(str, enum.Enum):
        ADAM = "adam"

    class Text(str):
        pass

    with wi.csv_log(path, "a,b,c,d,e,f,g,h") as log:
        log.row(Index(), Float(), Both(), Color.RED, Name.ADAM, Text("t"), pathlib.Path("/x/y"), decimal.Decimal("0.1"))
    assert lines(path)[1] == "7,0.5,0.5,3,adam,t,/x/y,0.1"


def test_scalars_of_numpy(path):
    np = pytest.importorskip("numpy")
    with warnings.catch_warnings(), wi.csv_log(path, "a,b,c,d,e,f") as log:
        warnings.simplefilter("error")
        log.row(np.float64(0.1), np.float32(0.1), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.array(2.5))
        for wrong in np.array([1.5, 2.5]), np.complex64(1), np.complex128(1), np.bytes_(b"1"):
            with pytest.raises(TypeError, match=r'row 2: column "b" takes'):
                log.row(1, wrong, 3, 4, 5, 6)
    assert lines(path)[1:] == ["0.1,0.1,-3,18446744073709551615,true,2.5"]


def test_float32_is_told_by_its_name_alone(path):
    """Without NumPy: a type that is called as NumPy's is."""
    float32 = type("float32", (), {"__float__": lambda self: 0.10000000149011612, "__module__": "numpy"})
    with wi.csv_log(path, "a,b") as log:
        log.row(float32(), 0.10000000149011612)
    assert lines(path)[1] in ("0.1,0.10000000149011612", "0.10000000149011612,0.10000000149011612")


def test_rows_of_many_columns(path):
    with wi.csv_log(path, [f"c{i}" for i in range(100)]) as log:
        log.row(*range(100))
        log.row(**{f"c{i}": f"p{i}" for i in reversed(range(100))})
    assert lines(path)[1:] == [",".join(map(str, range(100))), ",".join(f"p{i}" for i in range(100))]


# ---- columns ----


@pytest.mark.parametrize(
    "columns",
    [
        "step:int,loss:float,note:text,ok:bool",
        [("step", int), ("loss", float), ("note", str), ("ok", bool)],
        {"step": int, "loss": float, "note": str, "ok": bool},
        iter(["step", "loss", "note", "ok"]),
    ],
    ids=["str", "pairs", "dict", "names"],
)
def test_columns_may_be_declared_in_several_ways(path, columns):
    typed = not hasattr(columns, "__next__")
    with wi.csv_log(path, columns) as log:
        assert log.columns == ("step", "loss", "note", "ok")
        log.row(1, 2, "a", True)
        log.row(1, 0.5, "a", 0)
        if typed:
            with pytest.raises(ValueError, match='log.csv: row 3: column "step" takes int, not float 1.5'):
                log.row(1.5, 2, "a", True)
    assert lines(path)[:2] == ["step,loss,note,ok", "1,2,a,true"]
    assert lines(path)[2] == ("1,0.5,a,false" if typed else "1,0.5,a,0")


def test_names_of_a_list_are_taken_as_they_are(path):
    names = ("a,b", 'say "x"', "step:int", " c ", "é", "two\nlines")
    for _ in range(2):
        with wi.csv_log(path, names) as log:
            assert log.columns == names
            log.row(**dict.fromkeys(names, 1))
    with open(path, newline="") as file:
        assert tuple(next(csv.reader(file))) == names


@pytest.mark.parametrize(
    "columns, error, message",
    [
        ("", ValueError, 'columns "": column 1 has no name'),
        ([], ValueError, 'columns "": column 1 has no name'),
        (["a", "a"], ValueError, 'column 2 has the name "a" of column 1'),
        (["a\0b"], ValueError, "a column's name has no null character"),
        (["a", 3], TypeError, r"a column is a name or a \(name, type\) pair, not 3"),
        ([("a", list)], TypeError, "a column's type is int, float, str or bool, not <class 'list'>"),
        (3, TypeError, "iterable"),
    ],
)
def test_what_are_no_columns_is_refused(path, columns, error, message):
    with pytest.raises(error, match=message):
        with wi.csv_log(path, columns):
            pass
    assert not path.exists()


# ---- what is refused ----


@pytest.mark.parametrize(
    "value, error, message",
    [
        ([1], TypeError, 'log.csv: row 1: column "b" takes int, float, bool, str, Path or None, not list'),
        (b"x", TypeError, "not bytes"),
        (1j, TypeError, "not complex"),
        (os, TypeError, "not module"),
        (2**64, OverflowError, 'log.csv: row 1: column "b": an int in a CSV log has at most 64 bits'),
        ("a\0b", ValueError, 'log.csv: row 1: column "b": a text in a CSV file has no null character'),
        ("\udc80", ValueError, 'log.csv: row 1: column "b": .*surrogates not allowed'),
    ],
)
def test_a_value_that_is_none_is_refused_and_nothing_is_written(path, value, error, message):
    with wi.csv_log(path, "a,b") as log:
        with pytest.raises(error, match=message):
            log.row(1, value)
        with pytest.raises(error, match=message):
            log.row(b=value, a=1)
    assert lines(path) == ["a,b"]


def test_errors_of_the_values_themselves_pass(path):
    class Broken:
        def __float__(self):
            raise KeyError("broken")

    with wi.csv_log(path, "a") as log, pytest.raises(KeyError, match="broken"):
        log.row(Broken())


@pytest.mark.parametrize(
    "args, names, message",
    [
        ((), {}, r"log.csv: row 1 has 0 values for 2 columns \(a, b\)"),
        ((1, 2, 3), {}, r"log.csv: row 1 has 3 values for 2 columns \(a, b\)"),
        (range(50), {}, r"log.csv: row 1 has 50 values for 2 columns \(a, b\)"),
        ((), {"a": 1}, r'log.csv: row 1 has no value for column "b" \(a, b\)'),
        ((), {"a": 1, "x": 2}, r'log.csv: row 1 has a value for "x", which is no column \(a, b\)'),
        ((), {"a": 1, "b": 2, "c": 3}, r'log.csv: row 1 has a value for "c", which is no column \(a, b\)'),
    ],
)
def test_a_wrong_number_of_values_or_a_wrong_name_is_refused(path, args, names, message):
    with wi.csv_log(path, "a,b") as log, pytest.raises(ValueError, match=message):
        log.row(*args, **names)
    assert lines(path) == ["a,b"]


def test_values_and_names_do_not_mix(path):
    with wi.csv_log(path, "a,b") as log, pytest.raises(TypeError, match="not both"):
        log.row(1, b=2)


def test_errors_of_files(tmp_path, path):
    path.write_text("x,y\n")
    with pytest.raises(wi.DataError, match='log.csv: it begins with "x,y", not with the columns "a"'):
        wi.csv_log(path, "a").__enter__()
    with pytest.raises(IsADirectoryError):
        wi.csv_log(tmp_path, "a").__enter__()
    with pytest.raises(FileNotFoundError, match="missing"):
        wi.csv_log(tmp_path / "missing" / "a.csv", "a").__enter__()
    with pytest.raises(TypeError):
        wi.csv_log(3, "a")
    with pytest.raises(ValueError, match="null"):
        wi.csv_log("a\0b", "a")
    with pytest.raises(TypeError):
        wi.csv_log(path, "a", sync_every="often")
    with pytest.raises(ValueError, match="sync_every_s is nan"):
        wi.csv_log(path, "a", sync_every=float("nan")).__enter__()


def test_odd_file_names(tmp_path):
    for name in "a b.csv", "new\nline.csv", "é.csv", os.fsdecode(b"\xff.csv"), b"bytes.csv":
        file = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
        with wi.csv_log(file, "a") as log:
            log.row(1)
            assert log.path == os.fsdecode(file)
        assert open(file).read() == "a\n1\n"


# ---- blocks ----


def test_a_log_is_gone_on_with_and_a_torn_row_is_cut(path, capfd):
    for _ in range(2):
        with wi.csv_log(path, "a,b") as log:
            log.row(1, 2)
    with open(path, "a") as file:
        file.write("3,4")
    with log:
        assert (log.cut, log.rows) == (3, 0)
        log.row(5, 6)
    assert lines(path) == ["a,b", "1,2", "1,2", "5,6"]
    assert capfd.readouterr().err == f"within: {path}: the last row was torn and is cut, 3 bytes: 3,4\n"


def test_a_fresh_log_begins_anew(path):
    path.write_text("something else")
    with wi.csv_log(path, "a", fresh=True) as log:
        log.row(1)
    assert lines(path) == ["a", "1"]


def test_rows_stay_when_the_block_raises(path):
    with pytest.raises(KeyError), wi.csv_log(path, "a") as log:
        log.row(1)
        raise KeyError
    assert lines(path) == ["a", "1"]


def test_a_log_is_open_in_its_block_only(path):
    log = wi.csv_log(path, "a")
    with pytest.raises(RuntimeError, match="is not open: use it in its with block"):
        log.row(1)
    with pytest.raises(RuntimeError, match="is not open"):
        log.__exit__(None, None, None)
    with log:
        with pytest.raises(RuntimeError, match="is open already"):
            log.__enter__()
        log.row(1)
    with pytest.raises(RuntimeError, match="is not open"):
        log.row(2)
    assert lines(path) == ["a", "1"]


def test_it_says_what_it_is(path):
    log = wi.csv_log(path, "a")
    assert repr(log) == f"<within.csv_log '{path}': 0 rows>"
    assert log.columns == ()
    with log:
        log.row(1)
        assert repr(log) == f"<within.csv_log '{path}': 1 row, open>"
    assert (log.columns, log.rows) == (("a",), 1)


def test_a_forgotten_log_is_closed(path):
    def generator():
        with wi.csv_log(path, "a") as log:
            log.row(1)
            yield

    before = len(os.listdir("/proc/self/fd"))
    suspended = generator()
    next(suspended)
    log = wi.csv_log(path, "a")
    log.__enter__().row(2)
    del suspended, log
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert lines(path) == ["a", "1", "2"]


def test_an_error_at_the_end_has_that_of_the_block_as_its_context(path):
    log = wi.csv_log(path, "a")
    with pytest.raises(OSError) as caught:
        with log:
            fds = {os.readlink(f"/proc/self/fd/{fd}"): int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}
            os.close(fds[str(path)])
            raise KeyError("in the block")
    assert isinstance(caught.value.__context__, KeyError)
    assert str(path) in str(caught.value)


def test_threads_write_whole_rows_and_the_end_waits_for_them(path):
    log = wi.csv_log(path, "thread,row")

    def work(number):
        try:
            for row in itertools.takewhile(lambda _: time.monotonic() < deadline, itertools.count()):
                log.row(number, row)
        except RuntimeError as error:
            refused.append(str(error))

    refused, deadline = [], time.monotonic() + 60
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    with log:
        for thread in threads:
            thread.start()
        while log.rows < 200:
            pass
    for thread in threads:
        thread.join()
    assert len(refused) == 4 and all("is not open" in text for text in refused)
    rows = list(csv.DictReader(lines(path)))
    for number in range(4):
        mine = [int(row["row"]) for row in rows if row["thread"] == str(number)]
        assert mine == list(range(len(mine)))
    assert len(rows) == log.rows


def test_a_forked_child_writes_whole_rows(path):
    with warnings.catch_warnings(), wi.csv_log(path, "who") as log:
        warnings.simplefilter("ignore", DeprecationWarning)
        log.row("before")
        child = os.fork()
        if child == 0:
            log.row("child")
            log.__exit__(None, None, None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        log.row("after")
    assert lines(path) == ["who", "before", "child", "after"]


def test_a_killed_process_has_its_rows_and_shows_in_the_record(python, read_record, path, tmp_path):
    program = """
import os, signal, sys
import within as wi
with wi.csv_log(sys.argv[1], "a") as log:
    for i in range(100):
        log.row(i)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = python(program, path, fails=True, WITHIN_RECORD=tmp_path / "record")
    assert done.returncode == -signal.SIGKILL
    assert lines(path) == ["a", *map(str, range(100))]
    (held,) = [scope for scope in read_record(tmp_path / "record")["open"] if scope["kind"] == "csv"]
    assert held["what"] == str(path)


def test_nothing_is_imported_for_it(path):
    program = f"import sys, within as wi\nwith wi.csv_log({str(path)!r}, 'a') as log: log.row(0.5)\nprint('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_no_reference_is_lost(path, lost_references):
    with wi.csv_log(path, "a,b") as log:

        def use():
            log.row(1.5, "x")
            log.row(b=pathlib.Path("x"), a=2**64 - 1)
            for wrong in [1], 2**70, "\0":
                try:
                    log.row(0, wrong)
                except (TypeError, ValueError, OverflowError):
                    pass

        assert lost_references(use, uses=20_000) < 0.01

    def open_and_close():
        with wi.csv_log(path, {"a": int, "b": str}, sync_every=-1) as other:
            other.row(1, "x")

    assert lost_references(open_and_close, uses=5_000) < 0.01


# ---- the file as a whole ----


def test_the_first_rows_are_kept(path):
    with wi.csv_log(path, "step") as log:
        for step in range(5):
            log.row(step)
        log.truncate(2)
        log.row(7)
        log.sync()
    assert lines(path) == ["step", "0", "1", "7"]


def test_rows_that_are_missing_cannot_be_kept(path):
    with wi.csv_log(path, "step") as log:
        log.row(0)
        with pytest.raises(wi.DataError, match="has 1 rows, not the 2 that are to stay"):
            log.truncate(2)
        with pytest.raises(TypeError):
            log.truncate(1.0)
        with pytest.raises((OverflowError, TypeError)):
            log.truncate(-1)
    assert lines(path) == ["step", "0"]


def test_a_log_that_is_not_open_has_no_file(path):
    log = wi.csv_log(path, "step")
    for call in (lambda: log.truncate(0), log.sync):
        with pytest.raises(RuntimeError, match="is not open"):
            call()
