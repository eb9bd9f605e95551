"""CPython's own tests of contextlib and of the with statement, unmodified, run against within.contextlib.

    python tests/python/cpython/run.py [-v] [--junit-xml FILE] [NAME...]

NAME is unittest's: test_contextlib, test_with.NestedWith, … The last line is "N passed, N failed", and
", N skipped" if some were. A Python without its test package skips each module.
"""

import argparse
import builtins
import importlib
import importlib.util
import sys
import unittest
from collections import Counter
from xml.etree import ElementTree

MODULES = ("test_contextlib", "test_contextlib_async", "test_with")

# What pins the standard library's own frames or files, with the reason: "module.Class.test": "why".
FRAMES = "lists the frames of the standard library's own __exit__; one written in C has none"
SKIPPED = {
    "test_contextlib.TestExitStack.test_exit_exception_traceback": FRAMES,
    "test_contextlib_async.TestAsyncExitStack.test_exit_exception_traceback": FRAMES,
}


def replacing(module):
    """The builtins, but contextlib is the module: for the code that has these builtins alone.

    A test module that takes something from another of them gets it from one that sees the module too.
    """
    standard = builtins.__import__

    def import_(name, globals=None, locals=None, fromlist=(), level=0):
        if name == "contextlib" and level == 0:
            return module
        if name.removeprefix("test.") in MODULES and fromlist:
            return load(name.removeprefix("test."), module)
        return standard(name, globals, locals, fromlist, level)

    return {**vars(builtins), "__import__": import_}


def find(name):
    """The spec of a test module, or None: this Python has no such tests."""
    return importlib.util.find_spec("test") and importlib.util.find_spec(f"test.{name}")


def load(name, contextlib):
    """Import a test module that sees another contextlib, and nobody else does.

    What the module itself imports has its contextlib already: it was imported once before. Code that
    the tests make with exec has their builtins, and so sees what they see.
    """
    importlib.import_module(f"test.{name}")
    spec = find(name)
    module = importlib.util.module_from_spec(spec)
    module.__builtins__ = replacing(contextlib)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Result(unittest.TextTestResult):
    """Keeps what became of every test: None for passed, or ("failure" or "skipped", text)."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.outcomes[test.id()] = None

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.outcomes[test.id()] = "failure", self.failures[-1][1]

    def addError(self, test, err):  # setUpClass and its kin come here without startTest
        super().addError(test, err)
        self.outcomes[test.id()] = "failure", self.errors[-1][1]

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            text = (self.failures + self.errors)[-1][1]
            self.outcomes[test.id()] = "failure", f"{subtest.id()}\n{text}"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped", reason

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "failure", "passed, though CPython expects it to fail"


def cases(suite):
    """The single tests of a suite."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def skip_listed(suite):
    """Have the tests in the table be skipped with their reason."""
    for case in cases(suite):
        reason = SKIPPED.get(case.id().removeprefix("test."))
        if reason:
            method = unittest.skip(reason)(lambda: None)
            setattr(case, case._testMethodName, method)


def suite_of(module, name=""):
    """The tests of a loaded module, or of a name in it such as ExitStackTests.test_close."""
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromName(name, module) if name else loader.loadTestsFromModule(module)
    skip_listed(suite)
    return suite


def run(names, contextlib, verbosity=1):
    """Run the tests of these names, and return what became of each."""
    outcomes = {}
    for name in names:
        first, _, rest = name.partition(".")
        if not find(first):
            outcomes[f"test.{name}"] = "skipped", "this Python has no such tests"
            continue
        runner = unittest.TextTestRunner(resultclass=Result, verbosity=verbosity, warnings="default")
        outcomes.update(runner.run(suite_of(load(first, contextlib), rest)).outcomes)
    return outcomes


def write_junit(path, outcomes):
    """Write the outcomes as a JUnit file."""
    suite = ElementTree.Element("testsuite", name="cpython")
    for identity, outcome in outcomes.items():
        owner, _, name = identity.rpartition(".")
        case = ElementTree.SubElement(suite, "testcase", classname=owner, name=name)
        if outcome:
            ElementTree.SubElement(case, outcome[0], message=outcome[1].splitlines()[0])
    ElementTree.ElementTree(suite).write(path)


def report(outcomes, junit):
    """Say the counts; the status is 1 if any test failed, or none was found."""
    counts = Counter(outcome[0] if outcome else "passed" for outcome in outcomes.values())
    for identity, outcome in outcomes.items():
        if outcome and outcome[0] == "skipped":
            print(f"skipped {identity}: {outcome[1]}")
    if junit:
        write_junit(junit, outcomes)
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failure']} failed{skipped}", flush=True)
    return counts["failure"] > 0 or not outcomes


def main(run=run):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", "--verbose", action="store_const", const=2, default=1, help="name each test")
    parser.add_argument("--junit-xml", metavar="FILE", help="what became of each test")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a module, class or test of CPython's")
    options = parser.parse_args()
    contextlib = importlib.import_module("within.contextlib")
    names = options.names or list(MODULES)
    sys.exit(report(run(names, contextlib, options.verbose), options.junit_xml))


if __name__ == "__main__":
    main()
