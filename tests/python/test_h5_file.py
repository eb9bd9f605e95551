"""h5_file and h5_recover: HDF5 files through h5py that are whole, as seen from one process."""

import errno
import os
import warnings

import pytest

import within as wi


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.h5"


def write(path, **values):
    with wi.h5_file(path, "w") as file:
        for name, value in values.items():
            file[name] = value


def read(path):
    with wi.h5_file(path) as file:
        return {name: file[name][()].tolist() for name in file}


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def stream(file):
    """A file of one dataset, being streamed."""
    received = file.create_dataset("received", (0, 2), "f8", maxshape=(None, 2), chunks=(16, 2))
    received.attrs["unit"] = "V"
    file.attrs["program"] = "test"
    file.swmr_mode = True
    return received


def test_without_h5py_it_says_what_to_install(python):
    python(
        """
import sys
sys.modules["h5py"] = None
import within as wi
for call in lambda: wi.h5_file("run.h5"), lambda: wi.h5_recover("a.h5", "b.h5"):
    try:
        call()
    except ImportError as error:
        assert str(error) == "within.h5_file needs h5py, which is not installed; type: pip install h5py"
    else:
        raise AssertionError("no error")
"""
    )


def test_h5py_is_not_imported_before_it_is_needed(python):
    python("import sys, within; assert not {'h5py', 'numpy', 'within._h5'} & set(sys.modules)")


# ---- "w", "r+", "a" ----


def test_a_new_file_appears_when_its_block_ends(h5py, path, tmp_path):
    with wi.h5_file(path, "w") as file:
        assert isinstance(file, h5py.File) and file.filename == str(path)
        file["a/x"] = [1.0, 2.0]
        file["a/x"].attrs["unit"] = "V"
        assert not path.exists()
    assert names(tmp_path) == ["run.h5"]
    with h5py.File(path) as file:
        assert file["a/x"][:].tolist() == [1.0, 2.0] and file["a/x"].attrs["unit"] == "V"


@pytest.mark.parametrize("mode", ["w", "r+", "a"])
def test_an_exception_leaves_the_old_file(h5py, path, tmp_path, mode):
    write(path, old=1)
    with pytest.raises(KeyError, match="nix"), wi.h5_file(path, mode) as file:
        file["new"] = 2
        file["nix"]
    assert read(path) == {"old": 1} and names(tmp_path) == ["run.h5"]


def test_a_file_is_changed_in_a_copy(h5py, path):
    write(path, old=1)
    before = path.read_bytes()
    with wi.h5_file(path, "r+") as file:
        file["new"] = 2
        file.flush()
        assert path.read_bytes() == before
    with wi.h5_file(path, "a") as file:
        file["old"][...] = 3
    assert read(path) == {"old": 3, "new": 2}
    path.unlink()
    with wi.h5_file(path, "a") as file:
        file["first"] = 4
    assert read(path) == {"first": 4}


def test_options_are_those_of_h5py(h5py, path):
    with wi.h5_file(path, "w", track_order=True, userblock_size=512) as file:
        file["b"] = file["a"] = 1
    with wi.h5_file(path, rdcc_nbytes=0) as file:
        assert file.userblock_size == 512


def test_what_is_left_open_is_closed_and_named(h5py, path):
    with pytest.warns(ResourceWarning, match=r"run\.h5: left open in it, and closed with it: dataset /x, group /a$"):
        with wi.h5_file(path, "w") as file:
            kept = file.create_dataset("x", data=1), file.create_group("a")
    assert not any(kept)


def test_an_error_out_of_a_warning_comes_after_the_end(h5py, path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ResourceWarning), wi.h5_file(path, "w") as file:
            kept = file.create_dataset("x", data=1)
    assert not kept and read(path) == {"x": 1}


def test_a_file_closed_in_its_block_is_published(h5py, path):
    with wi.h5_file(path, "w") as file:
        file["x"] = 1
        file.close()
    assert read(path) == {"x": 1}


@pytest.mark.parametrize("name", ["with space", "line\nbreak", "Größe.h5", "x" * 250])
def test_odd_names(h5py, tmp_path, name):
    write(tmp_path / name, x=1)
    assert read(tmp_path / name) == {"x": 1} and names(tmp_path) == [name]
    write(os.fsencode(tmp_path / name), x=2)
    assert read(str(tmp_path / name)) == {"x": 2}


def test_a_link_stays_and_what_it_names_is_replaced(h5py, tmp_path, path):
    write(path, x=1)
    link = tmp_path / "link"
    link.symlink_to("run.h5")
    write(link, x=2)
    assert link.is_symlink() and read(path) == {"x": 2}


# ---- errors ----


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_what_cannot_be_opened_is_named(h5py, path, mode):
    with pytest.raises(FileNotFoundError, match="run.h5"):
        wi.h5_file(path, mode).__enter__()
    path.write_text("no HDF5")
    with pytest.raises(wi.DataError, match=r"run\.h5: is no HDF5 file$"):
        wi.h5_file(path, mode).__enter__()


@pytest.mark.parametrize("mode", ["w", "stream"])
def test_targets_that_cannot_be(h5py, tmp_path, mode):
    with pytest.raises(IsADirectoryError):
        wi.h5_file(tmp_path, mode).__enter__()
    with pytest.raises(FileNotFoundError):
        wi.h5_file(tmp_path / "nix" / "x.h5", mode).__enter__()
    assert names(tmp_path) == []


def test_a_damaged_file_is_a_data_error(h5py, path):
    write(path, x=list(range(1000)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(wi.DataError, match=r"run\.h5: HDF5 cannot open it: .*truncated"):
        wi.h5_file(path).__enter__()


def test_arguments_are_checked(h5py, path):
    with pytest.raises(ValueError, match="mode must be 'r', 'w', 'r\\+', 'a' or 'stream', not 'x'"):
        wi.h5_file(path, "x")
    for option in "nix", "driver":
        with pytest.raises(TypeError, match=option):
            wi.h5_file(path, "w", **{option: "core"})
    manager = wi.h5_file(path, "w")
    with manager, pytest.raises(RuntimeError, match="open already"):
        manager.__enter__()


def test_a_locked_file_is_said_to_be(h5py, path):
    write(path, x=1)
    with h5py.File(path, "r+"):
        for mode in "r+", "a":
            with pytest.raises(BlockingIOError, match="run.h5: another program has locked it"):
                wi.h5_file(path, mode).__enter__()


# ---- streaming ----


def test_a_stream_can_be_read_while_it_is_written(h5py, path):
    with wi.h5_file(path, "stream") as file:
        assert not path.exists()
        received = stream(file)
        assert path.exists() and file.swmr_mode
        file.append(received, [[0, 1]])
        file.append("received", [[2, 3], [4, 5]])
        with wi.h5_file(path) as other:
            assert other["received"][:].tolist() == [[0, 1], [2, 3], [4, 5]]
            assert other["received"].attrs["unit"] == "V" and other.attrs["program"] == "test"
    assert read(path) == {"received": [[0, 1], [2, 3], [4, 5]]}
    with h5py.File(path, "r+"):
        pass


def test_a_stream_keeps_its_rows_after_an_exception(h5py, path):
    with pytest.raises(ZeroDivisionError), wi.h5_file(path, "stream") as file:
        file.append(stream(file), [[0, 1]])
        1 / 0
    assert read(path) == {"received": [[0, 1]]}


def test_a_stream_that_did_not_begin_is_published_whole_or_not_at_all(h5py, path, tmp_path):
    with pytest.raises(ZeroDivisionError), wi.h5_file(path, "stream") as file:
        file["x"] = 1
        1 / 0
    assert names(tmp_path) == []
    with wi.h5_file(path, "stream") as file:
        file["x"] = 1
    assert read(path) == {"x": 1}


@pytest.mark.parametrize("mode", ["w", "r+", "stream"])
def test_a_second_writer_is_told_who_streams(h5py, path, python, mode):
    with wi.h5_file(path, "stream") as file:
        received = stream(file)
        with pytest.raises(BlockingIOError, match="run.h5: this process is streaming rows to it") as caught:
            wi.h5_file(path, mode).__enter__()
        assert caught.value.errno == errno.EAGAIN
        with wi.h5_file(path):
            pass
        code = f"import within as wi\ntry: wi.h5_file({str(path)!r}, {mode!r}).__enter__()\n"
        assert f"process {os.getpid()} is streaming rows" in python(code + "except BlockingIOError as error: print(error)").stdout
        file.append(received, [[0, 1]])
    assert read(path) == {"received": [[0, 1]]}


# ---- recovery ----


def test_all_of_a_file_is_recovered(h5py, path, tmp_path):
    with wi.h5_file(path, "stream") as file:
        file["a/b"] = [1, 2, 3]
        file["soft"] = h5py.SoftLink("/a/b")
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
        file.append(stream(file), [[0, 1]])
        assert wi.h5_recover(path, tmp_path / "copy.h5") == {"a/b": (3,), "received": (1, 2)}
    with h5py.File(tmp_path / "copy.h5", "r+") as file:
        assert file["soft"][:].tolist() == [1, 2, 3] and file["received"].attrs["unit"] == "V"
        assert file.attrs["program"] == "test" and file.get("elsewhere", getlink=True).path == "/x"
    with pytest.raises(ValueError, match="name another file"):
        wi.h5_recover(path, path)


# ---- ends of the process ----


@pytest.mark.parametrize("mode", ["w", "stream"])
def test_the_end_of_the_process_ends_an_open_block(h5py, path, tmp_path, python, mode):
    done = python(
        f"""
import within as wi
manager = wi.h5_file({str(path)!r}, {mode!r})
file = manager.__enter__()
file["x"] = [1, 2]
if {mode!r} == "stream":
    file.swmr_mode = True
"""
    )
    assert done.stderr == "" and names(tmp_path) == (["run.h5"] if mode == "stream" else [])
    assert mode == "w" or read(path) == {"x": [1, 2]}


@pytest.mark.parametrize("mode", ["w", "stream"])
def test_a_forked_child_changes_nothing(h5py, path, python, mode):
    python(
        f"""
import os, sys, within as wi
path = {str(path)!r}
def write(file, name, rows):
    file[name].resize(len(file[name]) + len(rows), axis=0)
    file[name][-len(rows):] = rows
def body():
    with wi.h5_file(path, {mode!r}) as file:
        file.create_dataset("x", (0,), "f8", maxshape=(None,), chunks=(4,))
        if {mode!r} == "stream":
            file.swmr_mode = True
        write(file, "x", [1, 2])
        if os.fork() == 0:
            write(file, "x", [7] * 5000)
            file.flush()
            return  # and the child's end closes all that h5py has
        status = os.wait()[1]
        assert status == 0 or {mode!r} == "stream"  # HDF5 may refuse what a child does with a stream
        write(file, "x", [3])
body()
"""
    )
    assert read(path) == {"x": [1, 2, 3]}
