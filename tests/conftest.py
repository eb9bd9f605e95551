"""What all Python tests share: the tests that take long, and an environment of their own."""

import os

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests marked long, and only those")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; runs with --long (make test-long)")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--long")
    chosen = [item for item in items if (item.get_closest_marker("long") is not None) == wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """No test writes into a record that surrounds it, or colours its output because of where it runs."""
    for name in list(os.environ):
        if name.startswith("WITHIN_") and name != "WITHIN_BUILD":
            monkeypatch.delenv(name)
