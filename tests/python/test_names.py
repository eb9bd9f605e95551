"""within.contextlib can stand for the standard contextlib: it has all its names, and leaves it as it is."""

import contextlib
import subprocess
import sys

import pytest

import within.contextlib

# AsyncContextDecorator, for one, is public but not in __all__.
PUBLIC = sorted(
    name
    for name, value in vars(contextlib).items()
    if not name.startswith("_") and getattr(value, "__module__", None) == "contextlib"
)


def test_it_exports_the_same_names():
    assert within.contextlib.__all__ == contextlib.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_it_has_the_name(name):
    assert callable(getattr(within.contextlib, name))


def test_importing_it_changes_nothing_in_the_standard_one():
    script = (
        "import contextlib; before = dict(vars(contextlib)); import within.contextlib;"
        "assert dict(vars(contextlib)) == before"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_package_says_its_version(root):
    assert f'#define WI_VERSION "{within.__version__}"' in (root / "include/within/version.h").read_text()
