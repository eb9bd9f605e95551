"""Rows of a run's environment that Python knows: the interpreter, and the packages that the program has imported."""

import sys

_versions = {}  # of the modules that were looked at: a text, or None


def rows():
    """Yield keys and values: "python", and "package.NAME" for each imported module that has a version."""
    yield "python", sys.version.partition(" ")[0]
    for name, module in list(sys.modules.items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names:
            continue
        if name not in _versions:
            _versions[name] = _version(name, module)
        if _versions[name]:
            yield f"package.{name}", _versions[name]


def _version(name, module):
    """What the module says itself; else, if it is installed, what its package's metadata say."""
    version = getattr(module, "__dict__", {}).get("__version__")  # a module's __getattr__ may warn, or import
    if isinstance(version, str):
        return version
    file = getattr(module, "__file__", None) or ""
    if "site-packages" not in file and "dist-packages" not in file:
        return None
    from importlib import metadata

    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
