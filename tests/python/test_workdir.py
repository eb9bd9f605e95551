"""within.workdir: a block in another working directory, and back to the very one that it came from."""

import asyncio
import contextlib
import itertools
import os
import sys

import pytest

import within as wi


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_block_is_in_its_directory_and_gets_its_path(place):
    (place / "é \n").mkdir()
    for given in "é \n", place / "é \n", os.fsencode("é \n"):
        with wi.workdir(given) as path:
            assert type(path) is str and path == os.getcwd() == str(place / "é \n")
        assert os.getcwd() == str(place)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_passes_and_goes_back(place, error):
    with pytest.raises(error), wi.workdir("/"):
        raise error
    assert os.getcwd() == str(place)


def test_a_directory_that_was_moved_is_come_back_to_and_contextlib_fails(place):
    (place / "a").mkdir()
    os.chdir("a")
    with wi.workdir("/"):
        (place / "a").rename(place / "b")
    assert os.getcwd() == str(place / "b")
    if sys.version_info >= (3, 11):
        with pytest.raises(FileNotFoundError), contextlib.chdir("/"):
            (place / "b").rename(place / "c")
        os.chdir(place)


def test_a_directory_that_was_removed_is_come_back_to(place):
    (place / "a").mkdir()
    os.chdir("a")
    with wi.workdir("/"):
        (place / "a").rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()
    with pytest.raises(FileNotFoundError), wi.workdir("."):  # it has no path to give
        pass
    os.chdir(place)


def test_what_is_no_place_to_be_in_is_named(place):
    (place / "file").touch()
    for path, error in ("missing", FileNotFoundError), ("file", NotADirectoryError):
        with pytest.raises(error, match=f"{path}: cannot be made the working directory"), wi.workdir(path):
            pass
    for path in 1, None, [""]:
        with pytest.raises(TypeError):
            wi.workdir(path)
    with pytest.raises(ValueError, match="null byte"), wi.workdir("a\0b"):
        pass
    assert os.getcwd() == str(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop rights")
def test_a_way_back_that_is_shut_is_an_error_whose_context_is_the_older_one(python, place):
    done = python(
        """
import os, within as wi

os.mkdir("a")
os.chown("a", 65534, 65534)
os.chmod(".", 0o755)
os.chdir("a")
os.seteuid(65534)
here = os.getcwd()
try:
    with wi.workdir("/"):
        os.seteuid(0)
        os.chmod(here, 0)
        os.seteuid(65534)
        1 / 0
except PermissionError as error:
    os.seteuid(0)
    print(error.errno, error.strerror.removeprefix(here), os.getcwd(), repr(error.__context__))
"""
    )
    assert done.stdout == (
        "13 : cannot be gone back to: Permission denied / ZeroDivisionError('division by zero')\n"
    )


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_blocks_end_in_any_order(place, order):
    places = [place / "a", place / "a/b", place / "a/b/c"]
    places[2].mkdir(parents=True)
    stacks = [contextlib.ExitStack() for _ in range(3)]
    for stack, name in zip(stacks, "abc"):
        stack.enter_context(wi.workdir(name))
    still_open = {0, 1, 2}
    for number in order:
        stacks[number].close()
        still_open.remove(number)
        assert os.getcwd() == str(places[max(still_open)] if still_open else place)


def test_an_object_is_one_block_at_a_time(place):
    manager = wi.workdir("/")
    assert repr(manager) == "<within.workdir '/'>"
    with manager:
        with pytest.raises(RuntimeError, match="<within.workdir '/'> is open already"):
            manager.__enter__()
        assert os.getcwd() == "/"
    with manager:
        assert os.getcwd() == "/"
    with pytest.raises(RuntimeError, match="is not open"):
        manager.__exit__(None, None, None)
    assert os.getcwd() == str(place)


def test_decorated_functions_are_there_at_each_call(place):
    @wi.workdir("/")
    def function(depth):
        return os.getcwd() if depth == 0 else function(depth - 1)

    @wi.workdir("/")
    async def coroutine():
        await asyncio.sleep(0)
        return os.getcwd()

    assert function(2) == "/" and asyncio.run(coroutine()) == "/" and os.getcwd() == str(place)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_goes_back_by_itself(python, place):
    done = python(
        """
import os, subprocess, within as wi

before = os.getcwd()
with wi.workdir("/"):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0 and os.getcwd() == "/"
        print(subprocess.run(["pwd", "-P"], capture_output=True, text=True, check=True).stdout, end="")
if not child:
    os._exit(os.getcwd() != before)
print(os.getcwd() == before)
"""
    )
    assert done.stdout == "/\nTrue\n"


def test_nothing_is_lost(lost_references):
    def use():
        with wi.workdir("/"):
            pass

    def fail():
        with contextlib.suppress(FileNotFoundError), wi.workdir("missing"):
            pass

    descriptors = len(os.listdir("/proc/self/fd"))
    for action in use, fail:
        assert lost_references(action, 500) < 0.05
    assert len(os.listdir("/proc/self/fd")) == descriptors
