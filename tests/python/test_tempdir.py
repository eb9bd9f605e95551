"""within.tempdir: a path for a block, and nothing of it afterwards."""

import contextlib
import os
import signal
import sys
import threading

import pytest

import within as wi


@pytest.fixture(autouse=True)
def parent(tmp_path, monkeypatch):
    """An empty folder that is $TMPDIR."""
    folder = tmp_path / "parent"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def fill(path):
    os.makedirs(os.path.join(path, "a", "b"))
    with open(os.path.join(path, "a", "b", "file"), "w") as file:
        file.write("text")
    os.chmod(os.path.join(path, "a", "b"), 0o500)


def test_a_block_gets_a_path_that_is_gone_afterwards(parent):
    with wi.tempdir() as path:
        assert type(path) is str and os.path.isabs(path) and os.path.dirname(path) == str(parent)
        assert os.path.basename(path).startswith("within.")
        assert os.listdir(path) == [] and os.stat(path).st_mode & 0o777 == 0o700
        fill(path)
    assert list(parent.iterdir()) == []


def test_prefix_and_parent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "é \n").mkdir()
    for given in "é \n", tmp_path / "é \n", os.fsencode("é \n"):
        with wi.tempdir("fft", parent=given) as path:
            assert os.path.dirname(path) == str(tmp_path / "é \n")
            assert os.path.basename(path).startswith("fft.") and os.path.isdir(path)
    assert list((tmp_path / "é \n").iterdir()) == []


def test_a_name_that_is_no_utf_8_comes_back_as_os_names_it(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    os.mkdir(folder)
    with wi.tempdir(parent=folder) as path:
        assert path.startswith(folder) and os.listdir(path) == []
    assert os.listdir(folder) == []


def test_an_exception_passes_and_removes_it(parent):
    with pytest.raises(ZeroDivisionError), wi.tempdir() as path:
        fill(path)
        1 / 0
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_keeps_it_if_wanted_and_says_where(parent, capfd, error):
    manager = wi.tempdir(keep_on_error=True)
    with pytest.raises(error), manager as path:
        fill(path)
        raise error
    assert os.listdir(parent) == [os.path.basename(path)]
    assert os.path.exists(f"{path}/a/b/file") and manager.path == path
    assert capfd.readouterr().err == f"within: an error was raised: the scratch directory {path} is kept\n"


def test_without_an_exception_nothing_is_kept(parent, capfd):
    with wi.tempdir(keep_on_error=True):
        pass

    def generate():
        with wi.tempdir(keep_on_error=True):
            yield

    generator = generate()
    next(generator)
    generator.close()
    assert list(parent.iterdir()) == [] and capfd.readouterr().err == ""


def test_an_object_is_one_directory_at_a_time():
    manager = wi.tempdir()
    assert manager.path is None and repr(manager) == "<within.tempdir>"
    with manager as first:
        assert manager.path == first and repr(manager) == f"<within.tempdir {first!r}>"
        with pytest.raises(RuntimeError, match="is open already"):
            manager.__enter__()
        assert os.path.isdir(first)
    with manager as second:
        assert second != first
    with pytest.raises(RuntimeError, match="is not open"):
        manager.__exit__(None, None, None)


def test_in_an_exit_stack_and_a_subclass(parent):
    class Scratch(wi.tempdir):
        pass

    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(kind()) for kind in (wi.tempdir, Scratch) for _ in range(3)]
        assert len(set(paths)) == 6
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prefix": ""}, "prefix must not be empty"),
        ({"prefix": ".a"}, "must not begin with '.': .a"),
        ({"prefix": "a/b"}, "must not have a '/' in it: a/b"),
    ],
)
def test_a_prefix_that_cannot_be_is_named(arguments, message, parent):
    with pytest.raises(ValueError, match=message), wi.tempdir(**arguments):
        pass
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("arguments", [{"prefix": 1}, {"parent": 1}, {"paths": "x"}, {"prefix": "x", "parent": []}])
def test_arguments_of_other_types_are_refused(arguments):
    with pytest.raises(TypeError):
        wi.tempdir(**arguments)


def test_a_zero_byte_in_a_name_is_refused():
    for name in "prefix", "parent":
        with pytest.raises(ValueError, match="null byte"):
            wi.tempdir(**{name: "a\0b"})


def test_a_parent_that_will_not_do_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError, match="missing: no scratch directory can be made in it"), wi.tempdir():
        pass
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), wi.tempdir(parent=tmp_path / "file"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop rights")
def test_what_cannot_be_removed_is_an_error_whose_context_is_the_older_one(python, parent):
    done = python(
        """
import os, within as wi

os.chmod(os.environ["TMPDIR"], 0o777)
try:
    with wi.tempdir() as path:
        os.mkdir(f"{path}/other")
        open(f"{path}/other/file", "w").close()
        os.chown(path, 65534, 65534)
        os.seteuid(65534)
        1 / 0
except PermissionError as error:
    os.seteuid(0)
    print(error.errno, error.strerror.removeprefix(path), repr(error.__context__))
    print(os.path.exists(f"{path}/other/file"))
"""
    )
    (name,) = [entry.name for entry in parent.iterdir() if not entry.name.startswith(".")]
    assert done.stdout.splitlines() == [
        f"13 : cannot remove {name}/other/file: Permission denied ZeroDivisionError('division by zero')",
        "True",
    ]


def test_a_block_that_nobody_ends_is_ended_with_a_warning(parent):
    manager = wi.tempdir()
    path = manager.__enter__()
    assert os.path.isdir(path)
    with pytest.warns(ResourceWarning, match="implicitly removing <within.tempdir"):
        del manager
    assert list(parent.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_removes_nothing(python, parent):
    python(
        """
import os, sys, within as wi

with wi.tempdir() as path:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status == 0 and os.path.isdir(path)
if not child:
    os._exit(not os.path.isdir(path))
"""
    )
    assert list(parent.iterdir()) == []


def test_the_next_start_removes_what_a_killed_process_left(python, parent):
    done = python(
        """
import os, signal, within as wi

with wi.tempdir() as path:
    open(f"{path}/file", "w").close()
    os.kill(os.getpid(), signal.SIGKILL)
""",
        fails=True,
    )
    assert done.returncode == -signal.SIGKILL and len(list(parent.iterdir())) == 2
    python("import within as wi\nwith wi.tempdir(): pass")
    assert list(parent.iterdir()) == []


def test_threads_have_directories_of_their_own(parent):
    paths = []

    def work():
        for _ in range(20):
            with wi.tempdir() as path:
                paths.append(path)
                fill(path)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 80 and list(parent.iterdir()) == []


def test_nothing_is_lost(lost_references):
    def use():
        with wi.tempdir("fft"):
            pass

    def fail():
        with contextlib.suppress(ValueError), wi.tempdir(""):
            pass

    for action in use, fail:
        assert lost_references(action, 500) < 0.05
    assert sys.getrefcount(wi.tempdir) < 10_000
