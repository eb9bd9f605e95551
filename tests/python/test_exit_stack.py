"""ExitStack: what CPython's own tests leave out. Where a test takes `lib`, the standard one passes it too."""

import contextlib
import copy
import gc
import sys
import threading
import weakref

import pytest
import within.contextlib
from within.contextlib import ExitStack


@pytest.fixture(params=[contextlib, within.contextlib], ids=["standard", "within"])
def lib(request):
    return request.param


class Manager:
    def __init__(self, log=None, suppress=False):
        self.log = [] if log is None else log
        self.suppress = suppress

    def __enter__(self):
        self.log.append("enter")
        return self

    def __exit__(self, *details):
        self.log.append(details)
        return self.suppress


def test_all_public_names_of_the_standard_module_are_there():
    assert set(contextlib.__all__) <= set(dir(within.contextlib))
    assert within.contextlib.AbstractContextManager is contextlib.AbstractContextManager
    assert within.contextlib._RedirectStream.__module__ == "within.contextlib"


def test_is_a_context_manager_by_its_methods(lib):
    assert issubclass(lib.ExitStack, contextlib.AbstractContextManager)
    assert not issubclass(lib.ExitStack, contextlib.AbstractAsyncContextManager)
    assert issubclass(lib.AsyncExitStack, contextlib.AbstractAsyncContextManager)
    assert lib.ExitStack[int].__origin__ is lib.ExitStack
    assert lib.AsyncExitStack[int].__args__ == (int,)


def test_arguments_are_refused(lib):
    for args, kwargs in (((1,), {}), ((), {"a": 1})):
        with pytest.raises(TypeError):
            lib.ExitStack(*args, **kwargs)
        with pytest.raises(TypeError):
            lib.AsyncExitStack(*args, **kwargs)


def test_parameters_can_be_named(lib):
    manager = Manager()
    with lib.ExitStack() as stack:
        assert stack.enter_context(cm=manager) is manager
        assert stack.push(exit=manager) is manager
        with pytest.raises(TypeError):
            stack.enter_context(manager=manager)
        with pytest.raises(TypeError):
            stack.enter_context()
        with pytest.raises(TypeError):
            stack.push(manager, manager)
    assert manager.log == ["enter"] + [(None, None, None)] * 2


def test_callbacks_take_any_keywords(lib):
    seen = []
    with lib.ExitStack() as stack:
        stack.callback(lambda *args, **kwargs: seen.append((args, kwargs)), 1, self=2, func=3, callback=4)
        stack.callback(lambda **kwargs: seen.append(kwargs), exit=1)
        stack.callback(lambda *args: seen.append(args), None)
    assert seen == [(None,), {"exit": 1}, ((1,), {"self": 2, "func": 3, "callback": 4})]


def test_callbacks_never_suppress(lib):
    with pytest.raises(ZeroDivisionError):
        with lib.ExitStack() as stack:
            stack.callback(lambda: True)
            1 / 0


def test_a_truth_value_that_raises_is_an_exception_of_the_exit(lib):
    class Unknown:
        def __bool__(self):
            raise KeyError("truth")

    with pytest.raises(KeyError) as info:
        with lib.ExitStack() as stack:
            stack.push(lambda *details: Unknown())
            1 / 0
    assert isinstance(info.value.__context__, ZeroDivisionError)


def test_exits_see_the_exception_of_the_body(lib):
    manager = Manager(suppress=True)
    with lib.ExitStack() as stack:
        stack.push(manager)
        error = ValueError(1)
        raise error
    ((type_, value, traceback),) = manager.log
    assert (type_, value) == (ValueError, error)
    assert traceback.tb_frame.f_code.co_name == test_exits_see_the_exception_of_the_body.__name__


def test_exits_see_the_exception_of_a_later_exit(lib):
    below = Manager()
    with pytest.raises(KeyError):
        with lib.ExitStack() as stack:
            stack.push(below)
            stack.callback({}.__getitem__, 1)
    ((type_, value, traceback),) = below.log
    assert type_ is KeyError and value.args == (1,)


def test_the_same_exception_raised_again_keeps_its_traceback(lib):
    def again(type_, value, traceback):
        raise value

    error = ValueError()

    def body():
        raise error

    with pytest.raises(ValueError) as info:
        with lib.ExitStack() as stack:
            stack.push(again)
            body()
    assert info.value is error and error.__context__ is None
    names = [entry.name for entry in info.traceback]
    assert "body" in names and "again" in names


def test_a_context_that_is_a_ring_does_not_hang():
    one, two = ValueError(1), ValueError(2)

    def exit(*details):
        error = KeyError()
        one.__context__, two.__context__ = two, one
        error.__context__ = one
        raise error

    with pytest.raises(KeyError) as info:
        with ExitStack() as stack:
            stack.push(exit)
            raise TypeError
    one.__context__ = two.__context__ = None
    assert info.value.__context__ in (one, None) or isinstance(info.value.__context__, TypeError)


def test_the_exception_handled_outside_is_no_context(lib):
    try:
        raise OSError("outside")
    except OSError as outside:
        with pytest.raises(KeyError) as info:
            with lib.ExitStack() as stack:
                stack.callback({}.__getitem__, "exit")
                1 / 0
        assert isinstance(info.value.__context__, ZeroDivisionError)
        assert info.value.__context__.__context__ is outside


@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("body", [False, True])
def test_an_exception_in_every_position(lib, position, body):
    called = []

    def exit(number):
        called.append(number)
        if number == position:
            raise KeyError(number)

    with pytest.raises(KeyError) as info:
        with lib.ExitStack() as stack:
            for number in range(6):
                stack.callback(exit, number)
            if body:
                raise OSError
    assert called == [5, 4, 3, 2, 1, 0]
    assert isinstance(info.value.__context__, OSError if body else type(None))


def test_exits_may_put_down_more(lib):
    log = []
    with lib.ExitStack() as stack:

        def first():
            log.append("first")
            for number in range(10):
                stack.callback(log.append, number)

        stack.callback(first)
    assert log == ["first", 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_exits_may_empty_the_stack(lib):
    log, moved = [], []
    with lib.ExitStack() as stack:
        for number in range(6):
            stack.callback(log.append, number)
        stack.callback(lambda: moved.append(stack.pop_all()))
    assert log == []
    moved[0].close()
    assert log == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 9, 100])
def test_pop_all_moves_any_number(lib, count):
    log = []
    with lib.ExitStack() as stack:
        for number in range(count):
            stack.callback(log.append, number)
        other = stack.pop_all()
        stack.callback(log.append, "kept")
    assert log == ["kept"]
    with other:
        pass
    assert log[1:] == list(reversed(range(count)))
    other.close()
    assert len(log) == count + 1


def test_subclasses_are_made_by_pop_all_and_their_exit_is_used_by_close(lib):
    class Stack(lib.ExitStack):
        def __init__(self, log=None):
            super().__init__()
            self.log = [] if log is None else log

        def __enter__(self):
            self.log.append("enter")
            return super().__enter__()

        def __exit__(self, *details):
            self.log.append("exit")
            return super().__exit__(*details)

    with Stack() as stack:
        other = stack.pop_all()
        assert type(other) is Stack and other.log == []
        stack.close()
    assert stack.log == ["enter", "exit", "exit"]


def test_subclasses_with_a_call_of_their_own(lib):
    class Callable(lib.ExitStack):
        def __call__(self, *args):
            return args

    with Callable() as stack:
        assert stack() == () and stack(1, 2, 3) == (1, 2, 3)
    with pytest.raises(TypeError):
        type("Plain", (lib.ExitStack,), {})()(1)


def test_a_decorator_can_be_mixed_in_on_either_side(lib):
    log = []

    class Stack(lib.ExitStack, contextlib.ContextDecorator):
        def __enter__(self):
            log.append("enter")
            self.callback(log.append, "exit")
            return self

    class Other(contextlib.ContextDecorator, lib.closing):
        pass

    class Closed:
        def close(self):
            log.append("close")

    assert Stack()(lambda: log.append("body") or 1)() == 1
    assert Other(Closed())(lambda a, b, c: a + b + c)(1, 2, 3) == 6
    assert log == ["enter", "body", "exit", "close"]


def test_subclasses_that_forget_their_base(lib):
    class Forgetful(within.contextlib.ExitStack):
        def __init__(self, a):
            pass

    log = []
    with Forgetful(1) as stack:
        stack.callback(log.append, 1)
    assert log == [1]


def test_attributes_and_weak_references(lib):
    stack = lib.ExitStack()
    stack.note = 1
    reference = weakref.ref(stack)
    assert reference() is stack and vars(stack)["note"] == 1
    del stack
    gc.collect()
    assert reference() is None


def test_static_and_class_methods_are_looked_up_as_the_standard_one_does():
    def logs(lib):
        log = []

        class Static:
            @staticmethod
            def __enter__(*args):
                log.append(("static enter", len(args)))

            @staticmethod
            def __exit__(*args):
                log.append(("static exit", len(args)))

        class Class:
            @classmethod
            def __enter__(cls, *args):
                log.append(("class enter", len(args)))

            @classmethod
            def __exit__(cls, *args):
                log.append(("class exit", len(args)))

        class Slots:
            __slots__ = ("__enter__", "__exit__")

            def __init__(self):
                self.__enter__ = lambda *args: log.append(("slot enter", len(args)))
                self.__exit__ = lambda *args: log.append(("slot exit", len(args)))

        for manager in (Static(), Class(), Slots()):
            try:
                with lib.ExitStack() as stack:
                    stack.enter_context(manager)
            except TypeError as error:
                log.append(str(error))
        return log

    assert logs(within.contextlib) == logs(contextlib)


def test_a_metaclass_is_looked_at(lib):
    log = []

    class Meta(type):
        @property
        def __enter__(cls):
            return lambda manager: log.append("meta")

    class Odd(metaclass=Meta):
        def __enter__(self):
            log.append("own")

        def __exit__(self, *details):
            pass

    with lib.ExitStack() as stack:
        stack.enter_context(Odd())
    assert log == (["own"] if sys.version_info >= (3, 15) else ["meta"])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 shows the AttributeError itself")
def test_what_is_no_manager_is_named(lib):
    class Half:
        def __enter__(self):
            raise AssertionError("entered")

    with lib.ExitStack() as stack, pytest.raises(TypeError) as info:
        stack.enter_context(Half())
    assert f"'{__name__}.{Half.__qualname__}' object does not support the context manager protocol" in str(
        info.value
    )


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="a TypeError since 3.11")
def test_what_is_no_manager_is_an_attribute_error_in_3_10(lib):
    with lib.ExitStack() as stack, pytest.raises(AttributeError):
        stack.enter_context(1)


def test_errors_of_looking_up_pass(lib):
    class Meta(type):
        def __getattribute__(cls, name):
            if name == "__exit__":
                raise OSError("look-up")
            return super().__getattribute__(name)

    class Odd(metaclass=Meta):
        def __enter__(self):
            raise AssertionError("entered")

    if sys.version_info >= (3, 15):
        pytest.skip("3.15 does not ask the metaclass")
    with lib.ExitStack() as stack:
        with pytest.raises(OSError):
            stack.enter_context(Odd())
        with pytest.raises(OSError):
            stack.push(Odd())


def test_all_kinds_of_managers(lib):
    lock = threading.Lock()
    with lib.ExitStack() as stack:
        assert stack.enter_context(lock) is True
        assert stack.enter_context(lib.nullcontext(3)) == 3
        assert stack.enter_context(lib.ExitStack()).pop_all() is not stack
        stack.enter_context(lib.suppress(ZeroDivisionError))
        assert lock.locked()
        1 / 0
    assert not lock.locked()


def test_exit_callbacks_can_be_read_and_changed(lib):
    log = []
    with lib.ExitStack() as stack:
        stack.callback(log.append, 1)
        manager = stack.enter_context(Manager(log))
        callbacks = stack._exit_callbacks
        assert [sync for sync, _ in callbacks] == [True, True]
        assert callbacks[0][1].__wrapped__ == log.append
        assert callbacks[1][1].__self__ is manager
        stack.callback(log.append, 2)
        assert len(callbacks) == 3 and stack._exit_callbacks is callbacks
        callbacks.appendleft((True, lambda *details: log.append("left")))
        del callbacks[1]
    assert log == ["enter", 2, (None, None, None), "left"] and not callbacks


def test_exit_callbacks_move_with_pop_all(lib):
    log = []
    with lib.ExitStack() as stack:
        stack.callback(log.append, 1)
        callbacks = stack._exit_callbacks
        other = stack.pop_all()
        assert other._exit_callbacks is callbacks and not stack._exit_callbacks
        stack._exit_callbacks = callbacks
    assert log == [1]


def test_a_wrapper_is_called_like_an_exit(lib):
    log = []
    stack = lib.ExitStack()
    stack.callback(log.append, 1)
    wrapper = stack._exit_callbacks[0][1]
    assert wrapper(None, None, None) is None and log == [1]
    assert wrapper.__name__ == "_exit_wrapper" and wrapper.__doc__ is None
    with pytest.raises(TypeError):
        wrapper()


def test_ten_thousand_exits(lib):
    log = []
    with lib.ExitStack() as stack:
        for number in range(10_000):
            stack.callback(log.append, number)
            stack.enter_context(lib.nullcontext())
    assert log == list(reversed(range(10_000)))


def test_stacks_in_stacks_end_with_a_recursion_error_not_a_crash():
    stack = ExitStack()
    for _ in range(100_000):
        outer = ExitStack()
        outer.push(stack)
        stack = outer
    with pytest.raises(RecursionError):
        stack.close()


def test_stacks_in_stacks_are_freed_without_recursion():
    stack = ExitStack()
    for _ in range(200_000):
        outer = ExitStack()
        outer.push(stack)
        stack = outer
    del stack, outer


def test_half_open_stacks_are_collected_and_call_nothing(lib):
    log = []

    class Node:
        pass

    def make():
        node, stack = Node(), lib.ExitStack()
        node.stack = stack
        stack.callback(log.append, node)
        stack.push(lambda *details: node)
        stack.callback(log.append, node, key=stack)
        return weakref.ref(node)

    references = [make() for _ in range(10)]
    gc.collect()
    assert [reference() for reference in references] == [None] * 10 and log == []


def test_stacks_cannot_be_copied():
    stack = ExitStack()
    with pytest.raises(TypeError, match="ExitStack"):
        copy.copy(stack)


def test_exit_wants_its_three_arguments():
    for args in ((1,), (None, None), (None,) * 4):
        with pytest.raises(TypeError):
            ExitStack.__exit__(ExitStack(), *args)


def test_unbound_methods(lib):
    log = []
    stack = lib.ExitStack()
    assert lib.ExitStack.__enter__(stack) is stack
    stack.callback(log.append, 1)
    assert not lib.ExitStack.__exit__(stack, None, None, None)
    assert log == [1]
    with pytest.raises(TypeError):
        within.contextlib.ExitStack.__enter__(1)
