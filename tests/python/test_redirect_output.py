"""within.redirect_output: what is caught, in which order, and that all is as it was afterwards."""

import ctypes
import io
import os
import sys
import threading

import pytest

import within as wi

# What scripts in child interpreters begin with: their stdout is a pipe, which pytest has nothing to do with.
BEGIN = """
import ctypes, errno, io, os, subprocess, sys, threading
import within as wi

libc = ctypes.CDLL(None)
PROGRAM = ["sh", "-c", "echo program; echo complaint >&2"]
"""


class Notebook(io.TextIOBase):
    """What notebooks have for sys.stdout: it sends texts elsewhere, and has no descriptor of its own."""

    encoding = "UTF-8"

    def __init__(self):
        self.texts = []

    def write(self, text):
        self.texts.append(text)
        return len(text)


# ---- what is caught ----


def test_all_that_is_printed_is_caught_in_its_order(python):
    done = python(
        BEGIN
        + """
import faulthandler, logging
logging.basicConfig(format="%(message)s")
print("before", end=" ")
libc.printf(b"C before ")
with wi.redirect_output() as output:
    print("Python")
    libc.puts(b"C")
    print("Python's stderr", file=sys.stderr)
    os.write(1, b"write\\n")
    subprocess.run(PROGRAM)
    logging.warning("logged")
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
    libc.puts(b"C again")
    print("last", end="")
print("after", end=" ")
libc.printf(b"C after ")
caught = output.text
assert caught == (
    "Python\\nC\\nPython's stderr\\nwrite\\nprogram\\ncomplaint\\nlogged\\nthread\\nC again\\nlast"
), caught
with wi.redirect_output() as output:
    faulthandler.dump_traceback()
assert "most recent call first" in output.text
"""
    )
    assert sorted(done.stdout.split()) == ["C", "C", "after", "after", "before", "before"] and done.stderr == ""


@pytest.mark.parametrize("name, other", [("stdout", "stderr"), ("stderr", "stdout")])
def test_one_of_the_two_alone(python, name, other):
    done = python(BEGIN + f"""
with wi.redirect_output({other}=False) as output:
    print("out")
    print("err", file=sys.stderr)
    subprocess.run(PROGRAM)
assert output.text == dict(stdout="out\\nprogram\\n", stderr="err\\ncomplaint\\n")[{name!r}], output.text
""")
    assert getattr(done, other) == {"stdout": "out\nprogram\n", "stderr": "err\ncomplaint\n"}[other]
    assert getattr(done, name) == ""


def test_a_path_is_emptied_or_appended_to(tmp_path):
    log = tmp_path / "log"
    log.write_text("old\n")
    for path in log, str(log), os.fsencode(log):
        with wi.redirect_output(path):
            print("new")
    with wi.redirect_output(log, append=True):
        os.write(2, b"more\n")
    assert log.read_text() == "new\nmore\n"


def test_a_file_object_and_a_descriptor(tmp_path):
    with open(tmp_path / "log", "w") as log:
        print("first", file=log)
        with wi.redirect_output(log):
            print("second")
        with wi.redirect_output(log.fileno()):
            print("third")
        print("last", file=log)
    assert (tmp_path / "log").read_text() == "first\nsecond\nthird\nlast\n"


def test_stderr_can_go_where_stdout_goes(python):
    done = python(BEGIN + """
with wi.redirect_output(sys.stdout, stdout=False):
    print("one")
    print("two", file=sys.stderr)
    print("three")
""")
    assert done.stdout == "one\ntwo\nthree\n" and done.stderr == ""


def test_a_hundred_megabytes_are_caught():
    chunk = b"x" * 1_000_000
    with wi.redirect_output() as output:
        for _ in range(100):
            os.write(1, chunk)
    assert output.bytes == chunk * 100


def test_what_is_caught_can_be_read_inside():
    output = wi.redirect_output()
    assert output.bytes == b"" and output.text == ""
    with output as same:
        assert same is output
        print("one", end="")
        assert output.text == "one"
        os.write(1, "é\xff".encode() + b"\xff\0")
        assert output.bytes == b"one\xc3\xa9\xc3\xbf\xff\0"
    assert output.text == "oneéÿ\ufffd\0"
    with output:
        print("new")
    assert output.text == "new\n"


def test_what_went_into_a_file_is_not_in_a_buffer(tmp_path):
    with wi.redirect_output(tmp_path / "log") as output:
        for name in "bytes", "text":
            with pytest.raises(RuntimeError, match="log'>: what was printed is there, and not in a buffer"):
                getattr(output, name)


def test_a_tee_goes_on_to_where_the_descriptor_led(python, tmp_path):
    done = python(BEGIN + """
print("0")
with wi.redirect_output("log", tee=True):
    print("1")
    libc.puts(b"2")
    subprocess.run(PROGRAM)
with wi.redirect_output(tee=True) as output:
    print("3", file=sys.stderr)
print("4")
assert output.text == "3\\n"
""")
    assert (tmp_path / "log").read_text() == "1\n2\nprogram\ncomplaint\n"
    assert done.stdout == "0\n1\n2\nprogram\ncomplaint\n3\n4\n" and done.stderr == ""


def test_lines_of_threads_are_all_there():
    def work(letter):
        for _ in range(500):
            print(letter * 20)

    with wi.redirect_output() as output:
        threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(output.text.split()) == [letter * 20 for letter in "abcd" for _ in range(500)]


# ---- where sys.stdout is no file on its descriptor ----


@pytest.mark.parametrize("make", [Notebook, io.StringIO, lambda: None, lambda: object()])
def test_what_is_no_file_is_replaced_for_the_block(monkeypatch, make):
    ours, errors = make(), make()
    monkeypatch.setattr(sys, "stdout", ours)
    monkeypatch.setattr(sys, "stderr", errors)
    with wi.redirect_output() as output:
        print("Python é\udc80")
        ctypes.CDLL(None).puts(b"C")
        print("more", file=sys.stderr)
        assert sys.stdout is not ours and sys.stdout.fileno() == 1 and sys.stderr.fileno() == 2
    assert sys.stdout is ours and sys.stderr is errors
    assert output.text == "Python é\\udc80\nC\nmore\n"
    if isinstance(ours, Notebook):
        assert ours.texts == errors.texts == []


def test_a_notebook_of_ipython(monkeypatch):
    iostream = pytest.importorskip("ipykernel.iostream")
    zmq = pytest.importorskip("zmq")
    session = pytest.importorskip("jupyter_client.session").Session()
    thread = iostream.IOPubThread(zmq.Context.instance().socket(zmq.PUB))
    thread.start()
    try:
        stream = iostream.OutStream(session, thread, "stdout", watchfd=False)
        monkeypatch.setattr(sys, "stdout", stream)
        with wi.redirect_output() as output:
            print("Python")
            ctypes.CDLL(None).puts(b"C")
        assert sys.stdout is stream and output.text == "Python\nC\n"
    finally:
        monkeypatch.undo()
        thread.stop()


def test_a_closed_one_is_replaced_too(python):
    python(BEGIN + """
sys.stdout.close()
closed = sys.stdout
with wi.redirect_output() as output:
    print("caught")
assert output.text == "caught\\n" and sys.stdout is closed
""")


def test_what_the_block_has_made_of_sys_stdout_stays(monkeypatch):
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with wi.redirect_output() as output:
        print("caught")
        sys.stdout = theirs
    assert sys.stdout is theirs and output.text == "caught\n"


@pytest.mark.parametrize("way", ["capfd", "capsys", "capfdbinary"])
def test_it_works_while_pytest_captures(request, way):
    capture = request.getfixturevalue(way)
    print("before")
    with wi.redirect_output() as output:
        print("Python")
        ctypes.CDLL(None).puts(b"C")
    print("after")
    assert output.text == "Python\nC\n"
    assert capture.readouterr().out in ("before\nafter\n", b"before\nafter\n")


def test_the_encoding_is_that_of_sys_stdout(python):
    done = python(
        BEGIN
        + """
with wi.redirect_output() as output:
    print("é")
assert output.bytes == b"\\xe9\\n" and output.text == "é\\n"
sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-16-le")
with wi.redirect_output() as output:
    print("é")
assert output.bytes == "é\\n".encode("utf-16-le")
""",
        PYTHONIOENCODING="latin-1",
    )
    assert done.stdout == ""


# ---- all is as it was ----


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_passes_and_all_is_put_back(error, capfd):
    with pytest.raises(error), wi.redirect_output() as output:
        print("inside")
        raise error
    print("outside")
    assert capfd.readouterr().out == "outside\n" and output.text == "inside\n"


def test_a_generator_that_is_closed_puts_it_back(capfd):
    def generate():
        with wi.redirect_output() as output:
            yield output

    generator = generate()
    output = next(generator)
    os.write(1, b"inside")
    generator.close()
    os.write(1, b"outside")
    assert capfd.readouterr().out == "outside" and output.text == "inside"


def test_how_streams_are_written_out_is_put_back(python):
    python(BEGIN + """
with wi.redirect_output(stderr=False):
    assert sys.stdout is sys.__stdout__ and sys.stdout.line_buffering
assert not sys.stdout.line_buffering
sys.stdout.reconfigure(line_buffering=True)
with wi.redirect_output(stderr=False):
    pass
assert sys.stdout.line_buffering
""")


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("make", [Notebook, lambda: sys.__stdout__])
def test_blocks_end_in_any_order(monkeypatch, capfd, order, make):
    ours = make()
    monkeypatch.setattr(sys, "stdout", ours)
    blocks = [wi.redirect_output() for _ in range(3)]
    for block in blocks:
        block.__enter__()
        print("begun")
    left = set(blocks)
    for number in order:
        blocks[number].__exit__(None, None, None)
        left.discard(blocks[number])
        if left:
            print(f"({number})", end="", flush=True)
            newest = max(left, key=blocks.index)
            assert newest.text.endswith(f"({number})")
    assert sys.stdout is ours
    os.write(1, b"outside")
    assert capfd.readouterr().out == "outside"


def test_blocks_nest(capfd):
    with wi.redirect_output() as outer:
        print("1")
        with wi.redirect_output() as inner:
            print("2")
        print("1")
    print("0")
    assert (outer.text, inner.text, capfd.readouterr().out) == ("1\n1\n", "2\n", "0\n")


def test_a_block_that_nobody_ends_is_ended_with_a_warning(capfd):
    output = wi.redirect_output()
    output.__enter__()
    with pytest.warns(ResourceWarning, match="implicitly ending <within.redirect_output>"):
        del output
    os.write(1, b"outside")
    assert capfd.readouterr().out == "outside"


def test_a_forked_child_puts_back_its_own(python):
    done = python(
        BEGIN
        + """
print("before")
with wi.redirect_output(tee=True) as output:
    print("parent inside")
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
    else:
        print("child inside")
if not child:
    os.write(1, b"child outside ")
    os._exit(0)
print("parent outside")
assert output.text == "parent inside\\nchild inside\\n", output.text
""",
        PYTHONWARNINGS="ignore",  # of a fork beside the thread of the tee
    )
    assert done.stdout.count("child outside ") == 1
    lines = done.stdout.replace("child outside ", "").splitlines()
    assert lines == ["before", "parent inside", "child inside", "parent outside"]


# ---- errors ----


def test_what_cannot_be_opened_is_named_and_changes_nothing(tmp_path, capfd):
    before = sys.stdout
    for path, error in (tmp_path / "missing" / "log", FileNotFoundError), (tmp_path, IsADirectoryError):
        with pytest.raises(error, match=str(path)), wi.redirect_output(path):
            pass
    with pytest.raises(OSError, match="is no regular file, which a tee could follow"):
        wi.redirect_output("/dev/null", tee=True).__enter__()
    print("outside")
    assert sys.stdout is before and capfd.readouterr().out == "outside\n"


def test_targets_that_cannot_be(tmp_path):
    with pytest.raises(TypeError, match="has no descriptor; without a target there is a buffer"):
        wi.redirect_output(io.StringIO()).__enter__()
    for target in 3.5, []:
        with pytest.raises(TypeError):
            wi.redirect_output(target)
    for fd in 0, -1:
        with pytest.raises(ValueError, match=f"descriptor {fd} is none to print to"):
            wi.redirect_output(fd).__enter__()
    with pytest.raises(ValueError, match="neither stdout nor stderr"):
        wi.redirect_output(stdout=False, stderr=False)
    for target in None, 1, sys.__stdout__:
        with pytest.raises(ValueError, match="append is for a path"):
            wi.redirect_output(target, append=True)
    with pytest.raises(ValueError, match="null byte"):
        wi.redirect_output("a\0b").__enter__()


def test_an_object_is_one_block_at_a_time():
    output = wi.redirect_output()
    assert repr(output) == "<within.redirect_output>"
    with output, pytest.raises(RuntimeError, match="<within.redirect_output> is open already"):
        output.__enter__()
    with pytest.raises(RuntimeError, match="<within.redirect_output> is not open"):
        output.__exit__(None, None, None)


@pytest.mark.parametrize("text", ["print('does not fit', end='')", "libc.printf(b'does not fit')"])
def test_a_full_disk_is_an_error_and_nothing_gets_outside(python, text):
    done = python(
        BEGIN
        + f"""
print("before")
try:
    with wi.redirect_output("/dev/full", stderr=False):
        {text}
except OSError as error:
    assert error.errno == errno.ENOSPC and "/dev/full" in str(error), error
    print("told")
print("after")
""",
        PYTHONUNBUFFERED="",
    )
    assert done.stdout == "before\ntold\nafter\n" and done.stderr == ""


# ---- decorated functions ----


def test_a_decorated_function_is_redirected_at_every_call(tmp_path, capfd):
    @wi.redirect_output(tmp_path / "log", append=True)
    def work(depth):
        """Print."""
        print(depth)
        return work(depth - 1) if depth else "done"

    assert work(2) == "done" and work.__doc__ == "Print."
    print("outside")
    assert (tmp_path / "log").read_text() == "2\n1\n0\n" and capfd.readouterr().out == "outside\n"


def test_what_waits_in_between_cannot_be_decorated():
    def generate():
        yield

    async def wait():
        pass

    async def both():
        yield

    for function in generate, wait, both, staticmethod(generate):
        with pytest.raises(TypeError, match=r"would catch what others print while .*\(\) waits"):
            wi.redirect_output()(function)
    for thing in int, 3:
        with pytest.raises(TypeError, match="decorates functions, not"):
            wi.redirect_output()(thing)


def test_nothing_is_lost(lost_references, tmp_path):
    def use():
        with wi.redirect_output() as output:
            print("text")
        return output.text

    def fail():
        with pytest.raises(FileNotFoundError), wi.redirect_output(tmp_path / "missing" / "log"):
            pass

    descriptors = len(os.listdir("/proc/self/fd"))
    for action in use, fail:
        assert min(lost_references(action, 2000) for _ in range(2)) < 0.05  # caches grow once
    assert len(os.listdir("/proc/self/fd")) == descriptors
