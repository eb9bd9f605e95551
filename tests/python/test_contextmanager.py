"""contextmanager: the same outcome as the standard one's, for every body and every generator."""

import contextlib as standard
import inspect
import pickle
import signal
import sys
import typing
import warnings
import weakref

import pytest
from outcomes import describe, outcome

import within.contextlib as ours

# Up to 3.10 a generator that does not stop is left to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PLACES = {"standard": standard, "ours": ours}


# Generator functions: each appends to `log` what it sees.


def plain(log):
    log.append("enter")
    yield 42
    log.append("exit")


def always(log):
    try:
        yield 42
    finally:
        log.append(("finally", sys.exc_info()[0]))


def swallows(log):
    try:
        yield
    except BaseException as error:
        log.append(type(error).__name__)


def swallows_and_returns(log):
    try:
        yield
    except BaseException:
        return 42


def reraises(log):
    try:
        yield
    except BaseException as error:
        log.append(repr(error))
        raise


def reraises_by_name(log):
    try:
        yield
    except BaseException as error:
        raise error


def raises_another(log):
    try:
        yield
    except BaseException:
        raise KeyError("another")


def raises_after_swallowing(log):
    try:
        yield
    except BaseException:
        pass
    log.append(sys.exc_info()[0])
    raise KeyError("after")


def raises_from(log):
    try:
        yield
    except BaseException as error:
        raise RuntimeError("wrapped") from error


def raises_before(log):
    raise KeyError("before")
    yield


def never_yields(log):
    if log is None:
        yield


def returns_before(log):
    return 42
    yield


def yields_twice(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


def yields_after_error(log):
    try:
        yield 1
    except BaseException:
        yield 2


def ignores_close(log):
    try:
        yield 1
        yield 2
    except GeneratorExit:
        yield 3


def fails_in_close(log):
    try:
        yield 1
        yield 2
    finally:
        raise KeyError("closing")


def raises_stop(log):
    yield
    raise StopIteration("own")


def raises_stop_before(log):
    raise StopIteration("own")
    yield


def catches_stop_and_raises_runtime(log):
    try:
        yield
    except StopIteration as error:
        raise RuntimeError("mine") from error


GENERATORS = [
    plain,
    always,
    swallows,
    swallows_and_returns,
    reraises,
    reraises_by_name,
    raises_another,
    raises_after_swallowing,
    raises_from,
    raises_before,
    never_yields,
    returns_before,
    yields_twice,
    yields_after_error,
    ignores_close,
    fails_in_close,
    raises_stop,
    raises_stop_before,
    catches_stop_and_raises_runtime,
]


class OddError(Exception):
    def __init__(self, message):
        super().__init__(message)


ERRORS = {
    "none": None,
    "value": lambda: ValueError("body"),
    "stop": lambda: StopIteration("body"),
    "async stop": lambda: StopAsyncIteration("body"),
    "runtime": lambda: RuntimeError("body"),
    "generator exit": lambda: GeneratorExit("body"),
    "interrupt": lambda: KeyboardInterrupt("body"),
    "own": lambda: OddError("body"),
}


def fail(make_error):
    if make_error:
        raise make_error()


def block(library, generator, make_error, log):
    with library.contextmanager(generator)(log) as value:
        log.append(value)
        fail(make_error)
    return "after"


def block_while_handling(library, generator, make_error, log):
    try:
        raise LookupError("outer")
    except LookupError:
        return block(library, generator, make_error, log)


def returning_block(library, generator, make_error, log):
    with library.contextmanager(generator)(log):
        return fail(make_error)
    return "after"


def decorated(library, generator, make_error, log):
    @library.contextmanager(generator)(log)
    def function(first, *, second):
        log.append((first, second))
        fail(make_error)
        return "result"

    return function(1, second=2), function(3, second=4)


def decorated_while_handling(library, generator, make_error, log):
    try:
        raise LookupError("outer")
    except LookupError:
        return decorated(library, generator, make_error, log)


def in_exit_stack(library, generator, make_error, log):
    with standard.ExitStack() as stack:
        log.append(stack.enter_context(library.contextmanager(generator)(log)))
        fail(make_error)
    return "after"


def subclass(library, generator, make_error, log):
    class Manager(library._GeneratorContextManager):
        def __enter__(self):
            log.append("sub enter")
            return super().__enter__()

        def __exit__(self, typ, value, traceback):
            log.append("sub exit")
            return super().__exit__(typ, value, traceback)

    with Manager(generator, (log,), {}) as value:
        log.append(value)
        fail(make_error)
    return "after"


USES = [
    block,
    block_while_handling,
    returning_block,
    decorated,
    decorated_while_handling,
    in_exit_stack,
    subclass,
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_every_outcome_is_the_standard_one(use, generator):
    for name, make_error in ERRORS.items():
        logs = [], []
        wanted = outcome(use, standard, generator, make_error, logs[0])
        assert outcome(use, ours, generator, make_error, logs[1]) == wanted, name
        assert logs[1] == logs[0], name


class IteratorWithThrow:
    """Not a generator, but with all that contextlib calls."""

    def __init__(self, log, thrown=None):
        self.log, self.left, self.thrown = log, 1, thrown

    def __iter__(self):
        return self

    def __next__(self):
        self.log.append("next")
        if not self.left:
            raise StopIteration("own")
        self.left -= 1
        return "item"

    def throw(self, *args):
        self.log.append(("throw", len(args)))
        if self.thrown:
            raise self.thrown
        raise args[0] if len(args) == 1 else args[1]

    def close(self):
        self.log.append("close")


@pytest.mark.parametrize("use", USES)
def test_functions_may_return_any_iterator(use):
    for make_error in ERRORS.values():
        logs = [], []
        wanted = outcome(use, standard, IteratorWithThrow, make_error, logs[0])
        assert outcome(use, ours, IteratorWithThrow, make_error, logs[1]) == wanted
        assert logs[1] == logs[0]


def test_an_iterator_may_raise_stop_iteration_from_throw():
    def make(log):
        return IteratorWithThrow(log, StopIteration())

    for use in USES:
        wanted = outcome(use, standard, make, ERRORS["value"], [])
        assert outcome(use, ours, make, ERRORS["value"], []) == wanted


@pytest.mark.parametrize("function", [lambda: None, lambda: [1], lambda: iter([])])
def test_functions_that_return_no_generator(function):
    def use(library):
        with library.contextmanager(function)():
            pass

    assert outcome(use, ours)[1]["type"] == outcome(use, standard)[1]["type"]
    assert outcome(use, ours)[1]["args"] == outcome(use, standard)[1]["args"]


def test_a_value_of_none_is_made_from_its_type():
    for library in PLACES.values():
        log = []
        manager = library.contextmanager(swallows)(log)
        manager.__enter__()
        assert manager.__exit__(ValueError, None, None) is True
        assert log == ["ValueError"]
        manager = library.contextmanager(plain)(log)
        manager.__enter__()
        assert manager.__exit__(ValueError, None, None) is False


def test_exit_returns_booleans():
    manager = ours.contextmanager(plain)([])
    manager.__enter__()
    assert manager.__exit__(None, None, None) is False


# What the decorated function is


@ours.contextmanager
def documented(first: int, second: "str" = "x", *, third: float = 1.0) -> typing.Iterator[int]:
    """Do something."""
    yield first


def test_a_decorated_function_is_a_function():
    assert inspect.isfunction(documented)
    assert documented.__name__ == documented.__qualname__ == "documented"
    assert documented.__doc__ == "Do something."
    assert documented.__module__ == __name__
    assert inspect.isgeneratorfunction(documented.__wrapped__)
    assert pickle.loads(pickle.dumps(documented)) is documented


def test_signature_and_hints_are_those_of_the_generator_function():
    assert inspect.signature(documented) == inspect.signature(documented.__wrapped__)
    assert typing.get_type_hints(documented) == typing.get_type_hints(documented.__wrapped__)


def test_attributes_of_the_function_are_copied():
    def generator():
        yield

    generator.mark = 1
    wanted, got = standard.contextmanager(generator), ours.contextmanager(generator)
    assert vars(got) == vars(wanted) == {"mark": 1, "__wrapped__": generator}
    assert got.__annotations__ == wanted.__annotations__


def test_callables_that_are_no_functions():
    class Callable:
        def __call__(self, value):
            yield value

    with ours.contextmanager(Callable())(3) as value:
        assert value == 3


def test_methods():
    class Owner:
        @ours.contextmanager
        def method(self, value=1):
            yield self, value

        @classmethod
        @ours.contextmanager
        def of_class(cls):
            yield cls

        @staticmethod
        @ours.contextmanager
        def static(value):
            yield value

    owner = Owner()
    with owner.method(2) as got:
        assert got == (owner, 2)
    with owner.method() as got, Owner.of_class() as cls, owner.static(5) as five:
        assert got == (owner, 1) and cls is Owner and five == 5


SHAPES = [
    (lambda: (yield ()), [((), {}), ((1,), {}), ((), {"a": 1})]),
    (lambda a: (yield a), [((1,), {}), ((), {"a": 1}), ((), {}), ((1, 2), {}), ((), {"b": 1})]),
    (lambda a, b=2: (yield a, b), [((1,), {}), ((1, 3), {}), ((), {"b": 1, "a": 2}), ((), {"b": 1})]),
    (lambda a, /, b: (yield a, b), [((1, 2), {}), ((1,), {"b": 3}), ((), {"a": 1, "b": 2})]),
    (lambda *a, **k: (yield a, k), [((), {}), ((1, 2), {"x": 1}), ((), {"self": 1, "func": 2})]),
    (lambda *, k: (yield k), [((), {"k": 1}), ((), {}), ((1,), {})]),
    (lambda self, func, args, kwds, cls, new: (yield self, new), [((1, 2, 3, 4, 5, 6), {})]),
    (lambda self, new: (yield self, new), [((1, 2), {}), ((), {"new": 1, "self": 2})]),
    (lambda func: (yield func), [((1,), {}), ((), {"func": 1})]),
    (lambda self: (yield self), [((1,), {}), ((), {"self": 1})]),
]


@pytest.mark.parametrize("generator, calls", SHAPES)
def test_arguments_reach_the_generator_by_any_name(generator, calls):
    def use(library, args, kwds):
        with library.contextmanager(generator)(*args, **kwds) as value:
            return value

    def use_as_decorator(library, args, kwds):
        @library.contextmanager(generator)(*args, **kwds)
        def function(*args, **kwds):
            return args, kwds

        return function(), function(1, self=2, func=3)

    for args, kwds in calls:
        for way in (use, use_as_decorator):
            wanted, got = outcome(way, standard, args, kwds), outcome(way, ours, args, kwds)
            if wanted[0] == "raised":
                got[1].pop("traceback"), wanted[1].pop("traceback")
            assert got == wanted


def test_defaults_are_those_of_the_moment_of_the_call():
    def generator(value=1):
        yield value

    manager = ours.contextmanager(generator)
    generator.__defaults__ = (2,)
    with manager() as value:
        assert value == 2


# The manager


def manager_of(library, *args, **kwds):
    def generator(*args, **kwds):
        """A doc."""
        yield args, kwds

    return generator, library.contextmanager(generator)(*args, **kwds)


@pytest.mark.parametrize("library", PLACES.values(), ids=PLACES)
def test_attributes_of_a_manager(library):
    generator, manager = manager_of(library, 1, 2, key=3)
    assert manager.func is generator
    assert (manager.args, manager.kwds) == ((1, 2), {"key": 3})
    assert inspect.isgenerator(manager.gen)
    assert manager.__doc__ == "A doc."
    manager.extra = 1
    assert vars(manager)["extra"] == 1
    assert weakref.ref(manager)() is manager
    manager.__enter__()
    for name in ("func", "args", "kwds"):
        assert not hasattr(manager, name)
    assert manager.__doc__ == "A doc."


@pytest.mark.parametrize("library", PLACES.values(), ids=PLACES)
def test_attributes_can_be_set_and_deleted(library):
    _, manager = manager_of(library)
    manager.args, manager.kwds, manager.__doc__ = (7,), {"k": 8}, "changed"
    assert manager.__doc__ == "changed"
    with manager._recreate_cm() as value:
        assert value == ((7,), {"k": 8})
    del manager.args
    with pytest.raises(AttributeError):
        manager.__enter__()
    with pytest.raises(AttributeError):
        manager._recreate_cm()
    _, manager = manager_of(library)
    del manager.gen
    with pytest.raises(AttributeError):
        manager.__enter__()
    with pytest.raises(AttributeError):
        del manager.gen


def test_a_manager_without_doc_has_its_types():
    def generator():
        yield

    manager = ours.contextmanager(generator)()
    assert manager.__doc__ == type(manager).__doc__
    assert "contextmanager" in ours._GeneratorContextManager.__doc__


def test_entering_twice_is_an_error():
    _, manager = manager_of(ours)
    manager.__enter__()
    with pytest.raises(AttributeError):
        manager.__enter__()
    with pytest.raises(AttributeError):
        manager._recreate_cm()


def test_arguments_are_dropped_at_enter():
    class Thing:
        pass

    @ours.contextmanager
    def generator(first, second):
        refs = weakref.ref(first), weakref.ref(second)
        del first, second
        yield refs

    with generator(Thing(), second=Thing()) as (first, second):
        assert first() is None and second() is None


def test_managers_are_what_the_standard_classes_say():
    _, manager = manager_of(ours)
    assert isinstance(manager, standard.AbstractContextManager)
    assert isinstance(manager, standard.ContextDecorator)
    assert isinstance(manager, ours.ContextDecorator)
    assert isinstance(manager, ours._GeneratorContextManagerBase)
    assert not isinstance(manager, standard.AbstractAsyncContextManager)
    assert type(manager).__module__ == "within.contextlib"
    assert type(manager).__name__ == "_GeneratorContextManager"


def test_the_class_can_be_called_with_keywords():
    def generator(*args, **kwds):
        yield args, kwds

    with ours._GeneratorContextManager(kwds={"a": 1}, func=generator, args=[1, 2]) as value:
        assert value == ((1, 2), {"a": 1})
    for args in [(), (generator,), (generator, (), {}, 1)]:
        with pytest.raises(TypeError):
            ours._GeneratorContextManager(*args)
    with pytest.raises(TypeError):
        ours._GeneratorContextManager(generator, 5, {})


def test_managers_can_be_a_generic_alias():
    if hasattr(standard._GeneratorContextManager, "__class_getitem__"):
        assert ours._GeneratorContextManager[int].__origin__ is ours._GeneratorContextManager


def test_managers_cannot_be_pickled():
    _, manager = manager_of(ours)
    with pytest.raises(TypeError):
        pickle.dumps(manager)


# Subclasses


def test_a_subclass_may_override_anything():
    class Manager(ours._GeneratorContextManager):
        """Sub."""

        def __init__(self, func, args, kwds):
            super().__init__(func, (*args, "added"), kwds)
            self.mine = 1

        def __call__(self, *args):
            return "called", args

    def generator(*args):
        yield args

    manager = Manager(generator, (1,), {})
    assert manager.mine == 1 and manager.__doc__ == "Sub."
    assert manager() == ("called", ()) and manager(1, 2, 3) == ("called", (1, 2, 3))
    with manager as value:
        assert value == (1, "added")


def test_a_plain_subclass_recreates_itself():
    class Manager(ours._GeneratorContextManager):
        pass

    made = []

    def generator(manager_count):
        made.append(manager_count)
        yield

    manager = Manager(generator, (1,), {})
    assert type(manager._recreate_cm()) is Manager

    @manager
    def function():
        return "result"

    assert function() == function() == "result"
    assert len(made) == 2
    with pytest.raises(TypeError):
        manager()
    with pytest.raises(TypeError):
        manager(1, 2, 3)


def test_a_subclass_shows_the_generators_doc():
    class Manager(ours._GeneratorContextManager):
        """Sub."""

    def generator():
        """Gen."""
        yield

    assert Manager(generator, (), {}).__doc__ == "Gen."


# Decorating


def test_an_entered_manager_cannot_decorate_calls():
    _, manager = manager_of(ours)

    @manager
    def function():
        return 1

    assert function() == function() == 1
    with manager:
        pass
    with pytest.raises(AttributeError):
        function()


def test_a_decorated_function_is_the_wrapped_ones_likeness():
    _, manager = manager_of(ours)

    @manager
    def function(value: int) -> int:
        """A function."""
        return value

    assert inspect.isfunction(function)
    assert function.__name__ == "function" and function.__doc__ == "A function."
    assert inspect.signature(function) == inspect.signature(function.__wrapped__)
    assert function(value=3) == 3

    class Owner:
        @manager
        def method(self):
            return self

    owner = Owner()
    assert owner.method() is owner


# Frames


def warn_from(library, level):
    @library.contextmanager
    def warning():
        warnings.warn("enter", stacklevel=level)
        yield
        warnings.warn("exit", stacklevel=level)

    def inside():
        with warning():
            pass

    @warning()
    def function():
        pass

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside()
        function()
    return [w.lineno if w.filename == __file__ else "contextlib" for w in caught]


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_warnings_point_at_the_standard_librarys_line(level):
    assert warn_from(ours, level) == warn_from(standard, level)


def test_generators_that_count_frames_see_the_standard_number():
    def depth(library):
        @library.contextmanager
        def generator():
            yield sys._getframe(2).f_code.co_name

        with generator() as name:
            return name

    assert depth(ours) == depth(standard) == "depth"


# Signals


def test_an_interrupt_in_the_body_runs_the_exit():
    log = []
    with pytest.raises(KeyboardInterrupt):
        with ours.contextmanager(always)(log):
            signal.raise_signal(signal.SIGINT)
    assert log == [("finally", KeyboardInterrupt)]


def test_an_interrupt_in_the_generator_comes_out():
    @ours.contextmanager
    def interrupted():
        signal.raise_signal(signal.SIGINT)
        yield

    with pytest.raises(KeyboardInterrupt) as caught:
        with interrupted():
            pytest.fail("entered")
    assert describe(caught.value)["context"] is None
