"""Every public name has a docstring, and the examples in it are true."""

import contextlib
import doctest
import importlib.util
import inspect
import io

import pytest

import within
import within.contextlib

MODULES = [within, within.contextlib]
if importlib.util.find_spec("within._runs"):
    import within.tracking

    MODULES.append(within.tracking)


def documented():
    """The public names of the modules, and those of their classes, with their docstrings."""
    for module in MODULES:
        for name in getattr(module, "__all__", None) or dir(module):
            thing = getattr(module, name)
            if name.startswith("_") or inspect.ismodule(thing):
                continue
            yield f"{module.__name__}.{name}", inspect.getdoc(thing)
            if inspect.isclass(thing) and module is within:
                for part in vars(thing):
                    if not part.startswith("_"):
                        yield f"{module.__name__}.{name}.{part}", inspect.getdoc(getattr(thing, part))


DOCUMENTED = dict(documented())


def is_of_contextlib(name):
    """Is it one of the standard module's names? Some have no docstring there."""
    return name.startswith("within.contextlib.")


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if not is_of_contextlib(name)])
def test_there_is_a_docstring(name):
    assert DOCUMENTED[name]


@pytest.mark.parametrize("name", [name for name, text in DOCUMENTED.items() if text and ">>>" in text])
def test_its_examples_are_true(name):
    module = within.contextlib if is_of_contextlib(name) else within
    test = doctest.DocTestParser().get_doctest(DOCUMENTED[name], dict(vars(module)), name, None, 0)
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()):
        failed = doctest.DocTestRunner(verbose=False).run(test, out=said.write).failed
    assert not failed, said.getvalue()
