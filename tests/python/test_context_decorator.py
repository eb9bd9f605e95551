"""ContextDecorator: each call of a decorated function in a block, as a with statement would have it."""

import contextlib as standard
import inspect
import sys

import pytest
from outcomes import outcome

import within.contextlib as ours


def manager_class(library, log, verdict=None, fails=None):
    class Manager(library.ContextDecorator):
        def __enter__(self):
            log.append("enter")
            if fails == "enter":
                raise KeyError("enter")
            return self

        def __exit__(self, *raised):
            log.append(("exit", raised[0], str(raised[1]), sys.exc_info()[1] is raised[1]))
            if fails == "exit":
                raise KeyError("exit")
            return verdict

    return Manager


def decorated(library, log, verdict, fails, error):
    @manager_class(library, log, verdict, fails)()
    def function(*args, **kwds):
        log.append((args, kwds))
        if error:
            raise error("body")
        return "result"

    return function(1, self=2, func=3), function()


@pytest.mark.parametrize("verdict", [None, False, True, 1, "yes", ""])
@pytest.mark.parametrize("fails", [None, "enter", "exit"])
@pytest.mark.parametrize("error", [None, ValueError, StopIteration, KeyboardInterrupt])
def test_every_outcome_is_the_standard_one(verdict, fails, error):
    logs = [], []
    wanted = outcome(decorated, standard, logs[0], verdict, fails, error)
    assert outcome(decorated, ours, logs[1], verdict, fails, error) == wanted
    assert logs[1] == logs[0]


def test_a_verdict_whose_truth_fails():
    class Odd:
        def __bool__(self):
            raise LookupError("odd")

    wanted = outcome(decorated, standard, [], Odd(), None, ValueError)
    assert outcome(decorated, ours, [], Odd(), None, ValueError) == wanted


def without(name):
    def use(library):
        class Manager(library.ContextDecorator):
            def __enter__(self):
                return self

            def __exit__(self, *raised):
                return None

        delattr(Manager, name)

        @Manager()
        def function():
            pytest.fail("called")

        return function()

    return use


@pytest.mark.parametrize("name", ["__enter__", "__exit__"])
def test_a_manager_that_is_none_is_refused_in_the_standard_words(name):
    wanted, got = outcome(without(name), standard), outcome(without(name), ours)
    assert (got[1]["type"], got[1]["args"]) == (wanted[1]["type"], wanted[1]["args"])


@pytest.mark.parametrize("library", [standard, ours])
def test_methods_of_any_kind(library):
    log = []

    class Callable:
        def __call__(self, *args):
            log.append(args)

    class Manager(library.ContextDecorator):
        __enter__ = staticmethod(lambda: log.append("static"))
        __exit__ = Callable()

    @Manager()
    def function():
        return 1

    assert function() == 1
    assert log == ["static", (None, None, None)]
    Manager.__exit__ = classmethod(lambda cls, *raised: log.append(cls))
    assert function() == 1 and log[-1] is Manager


@pytest.mark.parametrize("library", [standard, ours])
def test_a_manager_may_recreate_itself(library):
    made = []

    class Manager(library.ContextDecorator):
        def __enter__(self):
            made.append(self)

        def __exit__(self, *raised):
            return None

        def _recreate_cm(self):
            return type(self)()

    @Manager()
    def function():
        return 1

    function(), function()
    assert len({id(one) for one in made}) == 2


def test_a_decorated_function_is_the_wrapped_ones_likeness():
    @manager_class(ours, [])()
    def function(value: int) -> int:
        """A function."""
        return value

    assert inspect.isfunction(function)
    assert function.__name__ == "function" and function.__doc__ == "A function."
    assert inspect.signature(function) == inspect.signature(function.__wrapped__)

    class Owner:
        @manager_class(ours, [])()
        def method(self, value=1):
            return self, value

    owner = Owner()
    assert owner.method(2) == (owner, 2)


def test_as_a_mixin():
    class Base:
        def __init__(self, value):
            self.value = value

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            return None

    class Slotted:
        __slots__ = ("slot",)

    class Mixed(ours.ContextDecorator, Base):
        pass

    class Other(Base, ours.ContextDecorator):
        pass

    class WithSlots(Slotted, ours.ContextDecorator):
        pass

    for cls in (Mixed, Other):
        manager = cls(3)
        assert manager(lambda: manager.value)() == 3
        assert isinstance(manager, standard.ContextDecorator)
    WithSlots().slot = 1
    ours.ContextDecorator().attribute = 1


def test_what_a_manager_takes_as_a_decorator():
    manager = manager_class(ours, [])()
    assert manager(func=len)([1]) == 1
    for args, kwds in [((), {}), ((1, 2), {}), ((), {"f": len})]:
        with pytest.raises(TypeError):
            manager(*args, **kwds)

    class Shadowed(manager_class(ours, [])):
        def __call__(self, *args):
            return args

    assert Shadowed()(1, 2, 3) == (1, 2, 3)


def test_the_two_decorators_nest():
    log = []

    @ours.contextmanager
    def generator(name):
        log.append(name)
        yield
        log.append(-name)

    @generator(1)
    @manager_class(ours, log)()
    @generator(2)
    def function(value):
        return value

    assert function(5) == function(value=5) == 5
    assert [one for one in log if isinstance(one, int)] == [1, 2, -2, -1] * 2


@pytest.mark.skipif(sys.version_info < (3, 15), reason="the standard decorators do so from 3.15 on")
def test_generators_and_coroutines_run_inside_the_block():
    log = []

    @manager_class(ours, log)()
    def generator():
        log.append("body")
        yield 1

    @manager_class(ours, log)()
    async def coroutine():
        log.append("body")

    assert inspect.isgeneratorfunction(generator) and inspect.iscoroutinefunction(coroutine)
    assert list(generator()) == [1]
    assert [one if isinstance(one, str) else one[0] for one in log] == ["enter", "body", "exit"]


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="the standard decorators differ from 3.15 on")
def test_a_block_around_a_generator_function_ends_at_its_call():
    for library in (standard, ours):
        log = []

        @manager_class(library, log)()
        def generator():
            log.append("body")
            yield 1

        list(generator())
        assert [one if isinstance(one, str) else one[0] for one in log] == ["enter", "exit", "body"]
