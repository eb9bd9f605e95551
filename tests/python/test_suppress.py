"""suppress. Where a test takes `lib`, the standard one passes it too."""

import contextlib
import copy
import pickle
import sys

import pytest
import within.contextlib

groups = pytest.mark.skipif(sys.version_info < (3, 12), reason="suppress splits groups since 3.12")


@pytest.fixture(params=[contextlib, within.contextlib], ids=["standard", "within"])
def lib(request):
    return request.param


def test_what_is_suppressed(lib):
    with lib.suppress(LookupError):
        raise KeyError
    with lib.suppress(OSError, LookupError):
        raise IndexError
    with lib.suppress((OSError, LookupError)):
        raise IndexError
    with lib.suppress(OSError | LookupError):
        raise IndexError
    with lib.suppress():
        pass


def test_what_is_not(lib):
    with pytest.raises(KeyError):
        with lib.suppress(IndexError):
            raise KeyError
    with pytest.raises(KeyError):
        with lib.suppress():
            raise KeyError


def test_metaclasses_are_asked_unlike_by_except(lib):
    class Meta(type):
        def __subclasscheck__(cls, other):
            return other is KeyError

    class Anything(Exception, metaclass=Meta):
        pass

    with lib.suppress(Anything):
        raise KeyError


@pytest.mark.parametrize("wrong", [1, "ValueError", None])
def test_a_wrong_argument_is_found_when_it_is_needed(lib, wrong):
    with lib.suppress(wrong):
        pass
    with pytest.raises(TypeError, match="issubclass"):
        with lib.suppress(wrong):
            raise KeyError


def test_no_keywords(lib):
    with pytest.raises(TypeError):
        lib.suppress(exceptions=KeyError)


def test_results_of_the_methods(lib):
    manager = lib.suppress(KeyError)
    assert manager.__enter__() is None
    error = KeyError()
    assert manager.__exit__(KeyError, error, None) is True
    assert manager.__exit__(OSError, error, None) is False
    assert not manager.__exit__(None, None, None)
    assert contextlib.suppress(KeyError).__exit__(None, None, None) is within.contextlib.suppress(
        KeyError
    ).__exit__(None, None, None)
    with pytest.raises(TypeError):
        manager.__exit__(None)


def test_reusable_and_reentrant(lib):
    manager = lib.suppress(KeyError)
    with manager:
        with manager:
            raise KeyError
        raise KeyError
    assert manager._exceptions == (KeyError,)


def test_subclasses_and_attributes(lib):
    class Mine(lib.suppress):
        def __init__(self, note, *exceptions):
            super().__init__(*exceptions)
            self.note = note

        def __exit__(self, *details):
            self.seen = details[0]
            return super().__exit__(*details)

    with Mine("note", KeyError) as nothing, Mine("other", KeyError) as other:
        assert nothing is None and other is None
        raise KeyError
    manager = Mine("a", KeyError, OSError)
    with manager:
        raise OSError
    assert manager.seen is OSError and manager.note == "a"
    assert manager._exceptions == (KeyError, OSError)


def test_copies(lib):
    manager = lib.suppress(KeyError)
    manager.note = 1
    for copied in (copy.copy(manager), copy.deepcopy(manager), pickle.loads(pickle.dumps(manager))):
        assert type(copied) is type(manager) and copied.note == 1 and copied._exceptions == (KeyError,)


@groups
def test_a_group_of_suppressed_ones_only_ends(lib):
    with lib.suppress(KeyError):
        raise ExceptionGroup("g", [KeyError(1), ExceptionGroup("h", [KeyError(2)])])
    with lib.suppress(KeyError, KeyboardInterrupt):
        raise BaseExceptionGroup("g", [KeyError(1), KeyboardInterrupt()])


@groups
def test_the_rest_of_a_group_goes_on(lib):
    group = ExceptionGroup("g", [KeyError(1), OSError(2)])
    with pytest.raises(ExceptionGroup) as info:
        with lib.suppress(KeyError):
            raise group
    rest = info.value
    assert rest is not group and [type(error) for error in rest.exceptions] == [OSError]
    assert rest.message == "g" and rest.__context__ is group
    assert rest.__traceback__ is not None


@groups
def test_a_group_without_any_goes_on(lib):
    group = ExceptionGroup("g", [OSError(2)])
    with pytest.raises(ExceptionGroup) as info:
        with lib.suppress(KeyError):
            raise group
    assert info.value.exceptions == group.exceptions


@groups
def test_split_of_a_subclass_is_used(lib):
    class Mine(ExceptionGroup):
        def split(self, condition):
            assert condition == (KeyError,)
            return (self, None) if self.message == "all" else (None,)

    with lib.suppress(KeyError):
        raise Mine("all", [OSError()])
    with pytest.raises(ValueError):
        with lib.suppress(KeyError):
            raise Mine("wrong", [OSError()])
