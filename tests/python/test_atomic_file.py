"""within.atomic_file and within.atomic_path: what is published, when, and what Python's own file objects add.

What the core does is tested in tests/c/test_atomic_file.c, kills and faults in tests/py/test_atomic_file.py.
"""

import errno
import gc
import io
import os
import stat
import sys
from pathlib import Path

import pytest

import within as wi


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(content, *arguments, **options):
    with wi.atomic_file("out", *arguments, **options) as file:
        file.write(content)


def leftovers():
    return [name for name in os.listdir() if ".within-" in name]


# ---- publishing ----


def test_a_file_appears_at_the_end_of_its_block():
    with wi.atomic_file("out") as file:
        file.write("new")
        file.flush()
        assert not os.path.exists("out")
        assert len(leftovers()) == 1
    assert Path("out").read_text() == "new"
    assert os.listdir() == ["out"]


def test_an_old_file_keeps_its_content_until_then_and_its_permissions():
    Path("out").write_text("old")
    os.chmod("out", 0o604)
    with wi.atomic_file("out") as file:
        file.write("new")
        file.flush()
        assert Path("out").read_text() == "old"
    assert Path("out").read_text() == "new"
    assert stat.S_IMODE(os.stat("out").st_mode) == 0o604


def test_a_path_is_published_at_the_end_of_its_block():
    with wi.atomic_path("out") as temporary:
        assert type(temporary) is str and os.path.isabs(temporary)
        assert not os.path.exists(temporary)
        Path(temporary).write_text("new")
        assert not os.path.exists("out")
    assert Path("out").read_text() == "new"
    assert os.listdir() == ["out"]


@pytest.mark.parametrize("manager", [wi.atomic_file, wi.atomic_path])
@pytest.mark.parametrize("path", ["a b", "B\u00e4r \u221a\n", b"\xff", Path("path"), "x" * 255], ids=repr)
def test_any_kind_of_path_will_do(manager, path):
    with manager(path) as made:
        if manager is wi.atomic_path:
            Path(made).touch()
    assert os.listdir(b".") == [os.fsencode(path)]


def test_it_need_not_wait_for_the_disk():
    write("new", sync=False)
    with wi.atomic_path("out2", sync=False) as temporary:
        Path(temporary).write_text("new")
    assert Path("out").read_text() == Path("out2").read_text() == "new"


def test_blocks_nest_even_on_one_target():
    with wi.atomic_file("out") as outer, wi.atomic_file("out") as inner:
        outer.write("outer")
        inner.write("inner")
    assert Path("out").read_text() == "outer"


def test_they_say_what_they_are():
    assert repr(wi.atomic_file("out")) == "<within.atomic_file 'out'>"
    assert repr(wi.atomic_path(b"out")) == "<within.atomic_path b'out'>"


# ---- file objects ----


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("w", io.TextIOWrapper), ("wt", io.TextIOWrapper), ("x", io.TextIOWrapper), ("w+", io.TextIOWrapper),
        ("wb", io.BufferedWriter), ("xb", io.BufferedWriter), ("bw", io.BufferedWriter),
        ("wb+", io.BufferedRandom), ("x+b", io.BufferedRandom),
    ],
)  # fmt: skip
def test_the_block_gets_what_open_would_give(mode, kind, tmp_path):
    with wi.atomic_file("out", mode) as file, open(tmp_path / "other", mode) as other:
        assert type(file) is type(other) is kind
        assert file.mode == other.mode
        assert file.name == "out"
        assert getattr(file, "encoding", None) == getattr(other, "encoding", None)
        assert (file.readable(), file.writable(), file.seekable()) == ("+" in mode, True, True)
        assert not os.get_inheritable(file.fileno())


def test_text_is_written_as_asked():
    write("\u00e4\n", encoding="latin-1", newline="\r\n")
    assert Path("out").read_bytes() == b"\xe4\r\n"
    write("\u00e4", encoding="ascii", errors="backslashreplace")
    assert Path("out").read_bytes() == b"\\xe4"


def test_bytes_are_written_and_read_back():
    with wi.atomic_file("out", "wb+") as file:
        file.write(b"new")
        file.seek(0)
        assert file.read() == b"new"
    assert Path("out").read_bytes() == b"new"


def test_x_replaces_nothing():
    write("new", "x")
    with pytest.raises(FileExistsError):
        write("newer", "x")
    assert Path("out").read_text() == "new"
    with pytest.raises(FileExistsError), wi.atomic_file("late", "xb"):
        Path("late").write_text("another's")
    assert Path("late").read_text() == "another's"


def test_space_is_reserved_and_given_back():
    write("new", size=1 << 20)
    assert os.stat("out").st_size == 3
    with pytest.raises(OSError, match="out: no space can be reserved: "):
        write("newer", size=1 << 62)
    assert Path("out").read_text() == "new" and not leftovers()


def test_a_file_closed_in_the_block_is_published():
    with wi.atomic_file("out") as file, file:
        file.write("new")
    assert Path("out").read_text() == "new"


def test_nothing_goes_into_a_file_after_its_block():
    with wi.atomic_file("out") as file:
        pass
    with pytest.raises(ValueError, match="closed"):
        file.write("late")
    with pytest.raises(ZeroDivisionError), wi.atomic_file("out2", "wb") as file:
        file.write(b"half")
        1 / 0
    assert file.closed and file.raw.closed


# ---- bad arguments ----


@pytest.mark.parametrize("mode", ["r", "a", "", "wx", "ww", "wbt", "w,", "r+"])
def test_other_modes_are_refused(mode):
    with pytest.raises(ValueError, match="mode must be 'w' or 'x', with"):
        wi.atomic_file("out", mode)


def test_other_arguments_are_refused():
    with pytest.raises(ValueError, match="size must not be negative, but is -1"):
        wi.atomic_file("out", size=-1)
    with pytest.raises(ValueError, match="of bytes takes no encoding"):
        wi.atomic_file("out", "wb", encoding="utf-8")
    with pytest.raises(ValueError, match="of bytes takes no newline"):
        wi.atomic_file("out", "wb", newline="")
    for manager in wi.atomic_file, wi.atomic_path:
        with pytest.raises(TypeError):
            manager(3)
        with pytest.raises(ValueError, match="null byte"):
            manager("a\0b")


def test_an_encoding_that_is_not_known_leaves_nothing():
    with pytest.raises(LookupError):
        write("new", encoding="no such")
    assert os.listdir() == []


@pytest.mark.parametrize("manager", [wi.atomic_file, wi.atomic_path])
def test_a_target_that_cannot_be_is_refused_at_once(manager):
    os.mkdir("sub")
    for path, kind, message in [
        ("missing/out", FileNotFoundError, "missing/out: its folder cannot be opened: No such file or directory"),
        ("sub", IsADirectoryError, "sub: cannot be replaced: Is a directory"),
        (os.devnull, OSError, "/dev/null: is a pipe, a device or a socket: only a regular file can be replaced"),
    ]:
        with pytest.raises(kind) as caught, manager(path):
            pytest.fail("there should be no block")
        assert caught.value.args[-1] == message
    assert os.listdir() == ["sub"]


# ---- what goes wrong in the block ----


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_any_exception_discards(kind):
    Path("out").write_text("old")
    with pytest.raises(kind), wi.atomic_file("out") as file:
        file.write("half")
        raise kind
    with pytest.raises(kind), wi.atomic_path("out") as temporary:
        Path(temporary).write_text("half")
        raise kind
    assert Path("out").read_text() == "old" and not leftovers()


def test_a_path_at_which_no_file_was_made_is_an_error():
    with pytest.raises(FileNotFoundError, match="out: the block has made no file"), wi.atomic_path("out"):
        pass
    with pytest.raises(IsADirectoryError, match="made a folder"), wi.atomic_path("out") as temporary:
        os.mkdir(temporary)


def on_a_full_disk(file, use):
    """Let what a file object writes go to a full disk while use() runs."""
    kept, full = os.dup(file.fileno()), os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file.fileno())
    try:
        use()
    finally:
        os.dup2(kept, file.fileno())
        os.close(kept)
        os.close(full)


def test_nothing_is_published_when_the_flush_fails():
    Path("out").write_text("old")
    with pytest.raises(OSError, match="No space left on device: 'out'") as caught:
        with wi.atomic_file("out") as file:
            file.write("new")
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, file.fileno())
            os.close(full)
    assert caught.value.errno == errno.ENOSPC
    assert Path("out").read_text() == "old" and not leftovers()


def test_a_write_that_failed_is_not_forgotten():
    Path("out").write_text("old")
    with pytest.raises(OSError, match="out: an earlier write of it has failed"), wi.atomic_file("out", "wb") as file:
        with pytest.raises(OSError):
            on_a_full_disk(file, lambda: file.write(b"lost" * 100_000))
    assert Path("out").read_text() == "old" and not leftovers()


def test_a_file_whose_buffer_was_taken_away_is_not_published():
    with pytest.raises(ValueError, match="detached"), wi.atomic_file("out") as file:
        buffer = file.detach()
        buffer.write(b"half")
    assert os.listdir() == [] and buffer.closed


# ---- objects ----


@pytest.mark.parametrize("manager", [wi.atomic_file, wi.atomic_path])
def test_an_object_is_good_for_one_block(manager):
    once = manager("out")
    with pytest.raises(RuntimeError, match="is not open"):
        once.__exit__(None, None, None)
    with once as made:
        if manager is wi.atomic_path:
            Path(made).touch()
        with pytest.raises(RuntimeError, match="out: this object has been used; make a new one for each block"), once:
            pass
    with pytest.raises(RuntimeError, match="is not open"):
        once.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="has been used"), once:
        pass


def test_an_object_that_nobody_ends_is_discarded():
    file, path = wi.atomic_file("out"), wi.atomic_path("out2")
    stream = file.__enter__()
    stream.write("half")
    Path(path.__enter__()).touch()
    assert len(leftovers()) == 2
    del file, path
    gc.collect()
    assert os.listdir() == []
    stream.close()  # into a file that has no name any more
    assert os.listdir() == []


def test_nothing_is_lost_between_blocks(lost_references):
    def use():
        with wi.atomic_file("out", "wb", sync=False) as file:
            file.write(b"new")
        with wi.atomic_path("out", sync=False) as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY))

    descriptors = len(os.listdir("/proc/self/fd"))
    assert lost_references(use, 1000) < 0.05
    assert len(os.listdir("/proc/self/fd")) == descriptors


# ---- other processes ----

FORK = """
import os, sys, within as wi

with wi.atomic_path("out2") as temporary:
    open(temporary, "w").write("new")
    with wi.atomic_file("out", sys.argv[1]) as file:
        file.write("new" if "b" not in sys.argv[1] else b"new")
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            assert not os.path.exists("out"), "published by the child"
            assert len([name for name in os.listdir() if ".within-" in name]) == 2, "removed by the child"
        elif "exit" in sys.argv:
            sys.exit()
if child == 0:
    os._exit(0)
"""


@pytest.mark.parametrize("how", ["end", "exit"])
@pytest.mark.parametrize("mode", ["w", "w+", "wb", "wb+"])
def test_a_childs_end_neither_publishes_nor_discards_nor_writes(python, mode, how):
    python(FORK, mode, how)
    assert Path("out").read_text() == Path("out2").read_text() == "new"
    assert sorted(os.listdir()) == ["out", "out2"]


def test_what_is_being_written_is_in_the_record(record):
    script = "import os, within as wi\nwith wi.atomic_file('out'), wi.atomic_path('out2'): os.abort()"
    held = [(scope["kind"], scope["what"]) for scope in record(script, fails=True)["open"]]
    assert sorted(held) == [("atomic file", "out"), ("atomic path", "out2")]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the text of the warning is of 3.11 on")
def test_a_missing_encoding_warns_where_open_does(python):
    script = "import within as wi\nwith wi.atomic_file('out') as file: pass\n"
    done = python(f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-X', 'warn_default_encoding', '-c', {script!r}]).returncode)")
    assert "<string>:2: EncodingWarning" in done.stderr
