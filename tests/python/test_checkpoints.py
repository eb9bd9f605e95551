"""within.checkpoints: what the core's tests do not see, from Python."""

import math
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import within as wi


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ckpt"


def names_in(folder):
    return sorted(name for name in os.listdir(folder) if name != ".checkpoints.lock")


def save(series, text="state", **options):
    with series.save(**options) as path:
        path.write_text(text)


def test_what_was_saved_is_found_with_all_that_was_told(folder):
    with wi.checkpoints(folder, suffix=".txt") as series:
        save(series, step=7, loss=0.1, metrics={"a b\n\u00e9": -math.inf})
        newest = series.latest()
    assert newest == series.list()[0] == series.best("loss")
    assert newest.path == folder / "checkpoint-000001.txt" and isinstance(newest.path, Path)
    assert newest.path.read_text() == "state"
    assert (newest.sequence, newest.step) == (1, 7)
    assert abs(newest.time - newest.path.stat().st_mtime) < 60
    assert newest.metrics == {"a b\n\u00e9": -math.inf, "loss": 0.1}
    assert series.passed_over == []


def test_a_series_without_checkpoints_has_none_and_makes_no_folder(folder):
    series = wi.checkpoints(folder)
    assert series.latest() is None and series.best("loss") is None and series.list() == []
    assert not folder.exists()


def test_a_series_need_not_be_entered(folder):
    series = wi.checkpoints(str(folder))
    save(series)
    assert series.latest().path == folder / "checkpoint-000001"


def test_a_folder_can_be_saved(folder):
    series = wi.checkpoints(folder)
    with series.save() as path:
        path.mkdir()
        (path / "weights").write_bytes(b"12")
    (series.latest().path / "weights").write_bytes(b"1")
    with pytest.warns(RuntimeWarning, match="checkpoint-000001 is passed over: weights has 1 bytes, not 2"):
        assert series.latest() is None


def test_after_an_exception_nothing_is_published_and_nothing_stays(folder):
    series = wi.checkpoints(folder)
    with pytest.raises(ZeroDivisionError), series.save() as path:
        path.write_text("half")
        1 / 0
    assert names_in(folder) == []


def test_a_return_out_of_the_block_publishes(folder):
    series = wi.checkpoints(folder)

    def save_and_return():
        with series.save() as path:
            return path.write_text("state")

    save_and_return()
    assert series.latest().sequence == 1


def test_a_generator_that_is_closed_in_the_block_saves_nothing(folder, capfd):
    series = wi.checkpoints(folder)

    def states():
        with series.save() as path:
            path.write_text("state")
            yield

    generator = states()
    next(generator)
    generator.close()
    assert names_in(folder) == []
    assert "its block was left early: nothing is saved" in capfd.readouterr().err


def test_a_block_that_nobody_ended_saves_nothing(folder, capfd):
    manager = wi.checkpoints(folder).save()
    manager.__enter__().write_text("state")
    del manager
    assert names_in(folder) == []
    assert "left early" in capfd.readouterr().err


def test_the_path_ends_with_the_suffix(folder):
    series = wi.checkpoints(folder, suffix=".a")
    with series.save() as path:
        assert path.name.endswith(".a") and not path.exists()
        path.touch()
    with series.save(suffix=".npz") as path:
        assert path.suffix == ".npz"
        path.touch()
    assert [found.path.suffix for found in series.list()] == [".a", ".npz"]


def test_an_appended_suffix_is_told_with_what_to_do(folder):
    with pytest.raises(RuntimeError, match=r'checkpoint\.npz, and not that path; give the suffix "\.npz"'):
        with wi.checkpoints(folder).save() as path:
            path.with_suffix(".npz").touch()
    assert names_in(folder) == []


def test_a_block_that_made_nothing_is_told(folder):
    with pytest.raises(RuntimeError, match="the block made nothing at "):
        with wi.checkpoints(folder).save():
            pass


def test_a_link_is_refused(folder):
    with pytest.raises(ValueError, match="it is a symbolic link"):
        with wi.checkpoints(folder).save() as path:
            path.symlink_to("/")


def test_the_oldest_go_but_not_the_best(folder):
    series = wi.checkpoints(folder, keep=1, best=("accuracy", "max"))
    for accuracy in 0.1, 0.9, 0.5, math.nan, 0.3:
        save(series, accuracy=accuracy)
    assert [found.sequence for found in series.list()] == [2, 5]
    assert series.best().metrics == {"accuracy": 0.9}
    assert series.best("accuracy").sequence == 2
    assert series.best("accuracy", mode="min").sequence == series.best(mode="min").sequence == 5


def test_all_are_kept_with_keep_none(folder):
    series = wi.checkpoints(folder, keep=None)
    for step in range(6):
        save(series, step=step)
    assert [found.step for found in series.list()] == [*range(6)]


def test_damaged_ones_are_passed_over_and_why_is_told(folder):
    series = wi.checkpoints(folder)
    for _ in range(3):
        save(series)
    (folder / "checkpoint-000003").write_text("STATE")
    (folder / "checkpoint-000002.manifest").write_text("")
    with pytest.warns(RuntimeWarning) as warned:
        assert series.latest().sequence == 1
    assert [name for name, why in series.passed_over] == ["checkpoint-000003", "checkpoint-000002"]
    assert series.passed_over[0][1].startswith("it has changed: its CRC32C is ")
    assert series.passed_over[1][1] == "checkpoint-000002.manifest: it is damaged"
    assert {Path(each.filename) for each in warned} == {Path(__file__)}
    with pytest.warns(RuntimeWarning):
        assert [found.sequence for found in series.list()] == [1, 3]
    assert len(series.passed_over) == 1


@pytest.mark.parametrize(
    "metrics, kind, words",
    [
        ({"loss": "0.5"}, TypeError, "metric 'loss' must be a number, not str"),
        ({3: 1.0}, TypeError, "the name of a metric is a str, not int"),
        ({"": 1.0}, ValueError, "a name has 1 to 63 bytes"),
        ({"\u00e9" * 32: 1.0}, ValueError, "a name has 1 to 63 bytes"),
        ({"a\0": 1.0}, ValueError, "none of them 0"),
        ({"a\ud800": 1.0}, UnicodeEncodeError, "surrogates"),
        (dict.fromkeys(map(str, range(33)), 1.0), ValueError, "at most 32 metrics, and this one has 33"),
    ],
)
def test_metrics_that_cannot_be_kept_are_refused(folder, metrics, kind, words):
    with pytest.raises(kind, match=words):
        wi.checkpoints(folder).save(metrics=metrics)
    assert not folder.exists()


def test_whatever_is_a_number_is_a_metric(folder):
    class Tensor:
        def __float__(self):
            return 0.25

    series = wi.checkpoints(folder)
    save(series, a=True, b=3, c=Tensor())
    assert series.latest().metrics == {"a": 1.0, "b": 3.0, "c": 0.25}


@pytest.mark.parametrize("best", [3, ("loss", "least"), ("loss",), (1, "min")])
def test_options_that_make_no_sense_are_refused(folder, best):
    with pytest.raises((TypeError, ValueError)):
        wi.checkpoints(folder, best=best)


def test_other_options_that_make_no_sense_are_refused(folder):
    with pytest.raises(ValueError, match="keep must be 1 or more, or None for all, not 0"):
        wi.checkpoints(folder, keep=0)
    with pytest.raises(ValueError, match="best.. needs a metric"):
        wi.checkpoints(folder).best()
    with pytest.raises(ValueError, match="cannot be a suffix"):
        wi.checkpoints(folder, suffix="a/b").__enter__()
    assert not folder.exists()


def test_what_the_system_refuses_is_an_oserror(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="checkpoints .*file"):
        wi.checkpoints(tmp_path / "file").__enter__()
    with pytest.raises(NotADirectoryError):
        wi.checkpoints(tmp_path / "file").latest()


def test_a_save_can_be_entered_again_but_not_twice_at_a_time(folder):
    series = wi.checkpoints(folder)
    manager = series.save(step=1)
    for _ in range(2):
        with manager as path:
            with pytest.raises(RuntimeError, match="being saved already"):
                manager.__enter__()
            path.touch()
    assert [found.sequence for found in series.list()] == [1, 2]
    with pytest.raises(RuntimeError, match="not being saved"):
        manager.__exit__(None, None, None)


def test_threads_save_into_one_series(folder):
    series = wi.checkpoints(folder, keep=None)
    threads = [threading.Thread(target=lambda: [save(series) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.sequence for found in series.list()] == [*range(1, 21)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_publishes_and_removes_nothing(python, folder):
    done = python(
        """if 1:
        import os, sys
        import within as wi
        series = wi.checkpoints(sys.argv[1])
        with series.save() as path:
            path.write_text("state")
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                print(path.exists(), series.list())
        if child:
            print(series.latest().sequence)
        """,
        folder,
    )
    assert done.stdout == "True []\n1\n"


def test_pickle_takes_the_path(folder):
    with wi.checkpoints(folder, suffix=".pickle") as series:
        with series.save() as path, open(path, "wb") as file:
            pickle.dump({"step": 3}, file)
        with open(series.latest().path, "rb") as file:
            assert pickle.load(file) == {"step": 3}


def test_numpy_takes_the_path(folder):
    numpy = pytest.importorskip("numpy")
    with wi.checkpoints(folder, suffix=".npz") as series:
        with series.save(loss=numpy.float32(0.5)) as path:
            numpy.savez(path, x=numpy.arange(3))
        newest = series.latest()
        assert newest.metrics == {"loss": 0.5}
        with numpy.load(newest.path) as arrays:
            assert arrays["x"].tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match='give the suffix ".npz"'):
        with wi.checkpoints(folder).save() as path:
            numpy.savez(path, x=numpy.arange(3))


def test_safetensors_takes_the_path(folder):
    numpy = pytest.importorskip("numpy")
    tensors = pytest.importorskip("safetensors.numpy")
    with wi.checkpoints(folder, suffix=".safetensors") as series:
        with series.save() as path:
            tensors.save_file({"x": numpy.arange(3)}, path)
        assert tensors.load_file(series.latest().path)["x"].tolist() == [0, 1, 2]


def test_torch_takes_the_path(folder):
    torch = pytest.importorskip("torch")
    with wi.checkpoints(folder, suffix=".pt") as series:
        with series.save(loss=torch.tensor(0.5)) as path:
            torch.save({"x": torch.arange(3)}, path)
        newest = series.latest()
        assert newest.metrics == {"loss": 0.5}
        assert torch.load(newest.path)["x"].tolist() == [0, 1, 2]


def test_h5py_takes_the_path(folder):
    h5py = pytest.importorskip("h5py")
    with wi.checkpoints(folder, suffix=".h5") as series:
        with series.save() as path, h5py.File(path, "w") as file:
            file["x"] = [0, 1, 2]
        with h5py.File(series.latest().path) as file:
            assert file["x"][:].tolist() == [0, 1, 2]


def test_importing_the_package_imports_no_pathlib():
    text = "import sys; before = set(sys.modules); import within; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", text], capture_output=True, text=True, check=True)
    assert not {"pathlib", "warnings", "json", "typing"} & set(done.stdout.split())


def test_no_reference_is_lost(folder, lost_references):
    series = wi.checkpoints(folder, keep=1)
    save(series, loss=0.5)

    def use():
        series.latest()
        series.list()
        series.best("loss")

    assert lost_references(use, uses=500, noise=0.5) < 0.5


def test_no_reference_is_lost_by_saving(folder, lost_references):
    series = wi.checkpoints(folder, keep=1)

    def use():
        # Without a Path: those of 3.12 keep every name for good.
        save = series.save(loss=0.5)._save
        open(save.begin(), "w").close()
        save.end(None)
        save = series.save(suffix=".a", metrics={"b": 1})._save
        save.begin()
        try:
            save.end(None)
        except RuntimeError:
            pass

    assert lost_references(use, uses=300, noise=0.5) < 0.5
