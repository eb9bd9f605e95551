"""nullcontext, closing, redirect_* and chdir. Where a test takes `lib`, the standard one passes it too."""

import contextlib
import copy
import gc
import io
import os
import pickle
import sys
import weakref

import pytest
import within.contextlib


@pytest.fixture(params=[contextlib, within.contextlib], ids=["standard", "within"])
def lib(request):
    return request.param


class Thing:
    closed = 0

    def close(self):
        self.closed += 1
        return True


def managers(lib):
    yield lib.nullcontext()
    yield lib.closing(Thing())
    yield lib.redirect_stdout(io.StringIO())
    yield lib.redirect_stderr(io.StringIO())
    yield lib.suppress(KeyError)
    yield lib.ExitStack()
    if hasattr(lib, "chdir"):
        yield lib.chdir(".")


def test_nullcontext(lib):
    with lib.nullcontext() as nothing, lib.nullcontext(1) as one, lib.nullcontext(enter_result=2) as two:
        assert (nothing, one, two) == (None, 1, 2)
    with pytest.raises(KeyError):
        with lib.nullcontext():
            raise KeyError
    manager = lib.nullcontext(1)
    manager.enter_result = 3
    assert manager.__enter__() == 3


def test_closing(lib):
    thing = Thing()
    with lib.closing(thing) as it:
        assert it is thing and not thing.closed
    assert thing.closed == 1
    with pytest.raises(KeyError):
        with lib.closing(thing=thing):
            raise KeyError
    assert thing.closed == 2
    with pytest.raises(AttributeError, match="close"):
        with lib.closing(3):
            pass


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_redirect(lib, name):
    target, other, before = io.StringIO(), io.StringIO(), getattr(sys, name)
    redirect = getattr(lib, f"redirect_{name}")
    manager = redirect(target)
    with manager as entered, redirect(other):
        assert entered is target
        print("other", file=getattr(sys, name))
        with manager:
            print("inner", file=getattr(sys, name))
        assert getattr(sys, name) is other
    assert getattr(sys, name) is before
    assert (target.getvalue(), other.getvalue()) == ("inner\n", "other\n")
    with pytest.raises(IndexError):
        manager.__exit__(None, None, None)


def test_redirecting_another_stream(lib):
    class RedirectStdin(lib._RedirectStream):
        _stream = "stdin"

    before = sys.stdin
    with RedirectStdin(io.StringIO("line")) as stream:
        assert sys.stdin is stream and input() == "line"
    assert sys.stdin is before
    with pytest.raises(TypeError):
        with lib._RedirectStream(None):
            pass


@pytest.mark.skipif(not hasattr(contextlib, "chdir"), reason="since 3.11")
def test_chdir(lib, tmp_path):
    before = os.getcwd()
    (tmp_path / "inner").mkdir()
    manager = lib.chdir(tmp_path)
    with manager as nothing:
        assert nothing is None and os.path.samefile(".", tmp_path)
        with lib.chdir("inner"), manager:
            assert os.path.samefile(".", tmp_path)
        assert os.path.samefile(".", tmp_path)
    assert os.getcwd() == before
    with pytest.raises(FileNotFoundError):
        with lib.chdir(tmp_path / "missing"):
            raise AssertionError("entered")
    with pytest.raises(KeyError):
        with lib.chdir(tmp_path):
            raise KeyError
    assert os.getcwd() == before


def test_there_is_no_chdir_where_the_standard_library_has_none():
    assert hasattr(within.contextlib, "chdir") == hasattr(contextlib, "chdir")


def test_wrong_arguments_name_the_parameter(lib):
    for name, parameter in (("closing", "thing"), ("redirect_stdout", "new_target"), ("aclosing", "thing")):
        with pytest.raises(TypeError, match=parameter):
            getattr(lib, name)()
        with pytest.raises(TypeError, match=parameter if lib is not contextlib else "other"):
            getattr(lib, name)(other=1)
        with pytest.raises(TypeError):
            getattr(lib, name)(1, 2)
    with pytest.raises(TypeError):
        lib.nullcontext(1, 2)


def test_types_look_as_they_should(lib):
    for manager in managers(lib):
        kind = type(manager)
        assert kind.__module__ == lib.__name__
        assert kind.__doc__ and manager.__doc__ == kind.__doc__
        assert kind[int].__origin__ is kind
        assert issubclass(kind, contextlib.AbstractContextManager)


def test_instances_have_attributes_and_weak_references(lib):
    for manager in managers(lib):
        manager.note = 1
        assert vars(manager)["note"] == 1
        reference = weakref.ref(manager)
        del manager
        gc.collect()
    assert reference() is None


def test_cycles_are_collected(lib):
    references = []
    for manager in managers(lib):
        manager.own = manager
        references.append(weakref.ref(manager))
    del manager
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


def test_subclasses_override_anything(lib):
    for manager in managers(lib):
        log = []

        class Mine(type(manager)):
            def __enter__(self):
                log.append("enter")
                return super().__enter__()

            def __exit__(self, *details):
                log.append("exit")
                return super().__exit__(*details)

            def __call__(self, *args):
                return args

        made = Mine(*([] if isinstance(manager, lib.ExitStack) else [getattr(manager, "thing", ".")]))
        with made:
            assert made() == () and made(1, 2, 3) == (1, 2, 3)
        assert log == ["enter", "exit"], type(manager)


def test_methods_set_on_an_instance_do_not_count(lib):
    manager = lib.nullcontext(1)
    manager.__enter__ = lambda: 2
    with manager as value:
        assert value == 1


def test_methods_set_on_the_type_count(lib, monkeypatch):
    monkeypatch.setattr(lib.nullcontext, "__enter__", lambda self: "patched")
    with lib.nullcontext(1) as value:
        assert value == "patched"


def test_copies(lib):
    for manager in (lib.nullcontext([1]), lib.closing([1]), lib.aclosing([1])):
        manager.note = "note"
        for copied in (copy.copy(manager), copy.deepcopy(manager), pickle.loads(pickle.dumps(manager))):
            assert type(copied) is type(manager) and copied.note == "note"
            assert getattr(copied, "thing", None) == [1] or copied.enter_result == [1]


def test_names_of_the_methods(lib):
    for manager in managers(lib):
        for name in ("__enter__", "__exit__"):
            method = getattr(type(manager), name)
            assert method.__name__ == name and name in repr(method)
            assert method.__qualname__.endswith("." + name)


def test_what_is_not_callable_in_the_standard_library_is_not_made_so_by_accident(lib):
    for manager in managers(lib):
        for args in ((1,), (1, 2, 3, 4)):
            with pytest.raises(TypeError, match="not callable"):
                manager(*args)
        with pytest.raises(TypeError, match="not callable"):
            manager(a=1)


def test_subclasses_are_not_callable_at_all(lib):
    for manager in managers(lib):
        kind = type("Derived", (type(manager),), {})
        derived = kind() if isinstance(manager, lib.ExitStack) else kind(getattr(manager, "thing", "."))
        assert not callable(derived)
        for args in ((), (1,), (None, None, None)):
            with pytest.raises(TypeError, match="not callable"):
                derived(*args)
