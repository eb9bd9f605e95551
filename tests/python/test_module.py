"""The extension module: what `import within` makes, what is added later, and what is left of it at the end."""

import pytest

import within
import within.contextlib

MANAGERS = [
    lambda base: type("Sub", (base,), {}),
    lambda base: type("Sub", (base,), {"__call__": lambda self, *args: args}),
]


def test_what_contextlib_needs_is_made_when_it_is_imported(python):
    python(
        """
import within
assert not hasattr(within._within, "ExitStack") and not hasattr(within._within, "coroutine")
import within.contextlib
stack = within.contextlib.ExitStack
within._within.add_contextlib()
assert within._within.ExitStack is stack is within.contextlib.ExitStack
"""
    )


def test_a_module_that_is_imported_anew_works_beside_the_old_one(python):
    python(
        """
import gc, sys
import within, within.contextlib

def use(within):
    profiler = within.Profiler()
    with within.section("a"), profiler.section("b"), within.contextlib.ExitStack(), within.contextlib.closing(sys.stdin):
        pass
    return [line.path for line in profiler.stats()]

assert use(within) == ["b"]
old = within
for name in [name for name in sys.modules if name.partition(".")[0] == "within"]:
    del sys.modules[name]
import within, within.contextlib

assert within.section is not old.section
for _ in range(3):
    assert use(within) == use(old) == ["b"]
del old
gc.collect()
assert use(within) == ["b"]
"""
    )


@pytest.mark.parametrize("derive", MANAGERS)
@pytest.mark.parametrize("name", ["section", "Timer", "Profiler", "tempdir"])
def test_managers_of_subclasses_are_called_as_their_class_says(derive, name):
    check_calls(derive(getattr(within, name)), ("name",) if name == "section" else ())


@pytest.mark.parametrize("derive", MANAGERS)
@pytest.mark.parametrize(
    "name, arguments",
    [
        ("ExitStack", ()),
        ("AsyncExitStack", ()),
        ("closing", (1,)),
        ("aclosing", (1,)),
        ("nullcontext", ()),
        ("suppress", ()),
        ("redirect_stdout", (1,)),
        ("_RedirectStream", (1,)),
        ("_GeneratorContextManager", (lambda: iter(()), (), {})),
        ("_AsyncGeneratorContextManager", (lambda: iter(()), (), {})),
        ("_GeneratorContextManagerBase", (lambda: iter(()), (), {})),
    ],
)
def test_managers_of_contextlib_likewise(derive, name, arguments):
    check_calls(derive(getattr(within.contextlib, name)), arguments)


def check_calls(manager_type, arguments):
    """Calls with 0 and with 3 arguments mean enter and exit inside of C only."""
    manager = manager_type(*arguments)
    for args in [(), (None, None, None)]:
        if "__call__" in vars(manager_type):
            assert manager(*args) == args
        else:
            with pytest.raises(TypeError):
                manager(*args)


def test_a_subinterpreter_is_refused(python):
    done = python(
        """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

other = interpreters.create()
run = getattr(interpreters, "run_string", None) or interpreters.exec
run(other, '''
try:
    import within
except ImportError as error:
    print(error, flush=True)
''')
interpreters.destroy(other)
"""
    )
    assert "within does not support sub-interpreters" in done.stdout or (
        "within._within does not support loading in subinterpreters" in done.stdout
    )
