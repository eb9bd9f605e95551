"""environment: variables for a block, in os.environ and in C, and all of them as they were afterwards."""

import os
from _thread import RLock

from ._process_state import ProcessState
from ._within import CoreBlock


class environment(ProcessState):
    """Set and unset environment variables for a block, and restore the whole environment at its end.

    ``os.environ``, ``os.environb`` and the environment that C code and started programs see agree in the block. Its end
    undoes what anybody has changed: the program by ``os.environ``, or a library in C by ``setenv``.

    Parameters
    ----------
    variables : mapping, optional
        Names and values, ``str``, ``bytes`` or paths; None unsets the variable.
    **more : str, bytes, path or None
        The same for names that are identifiers.

    Raises
    ------
    TypeError
        For names and values of other types: numbers are not made texts silently.
    ValueError
        By the block's begin, for a name that is empty or has a ``=`` in it; for a null byte. Nothing is changed then.
    RuntimeError
        When the object is open already.

    Notes
    -----
    The environment is the process's: all threads see it. Blocks may end in any order, in exit stacks and on several
    threads. What a block and those who came after it have changed is undone by its end, except what was changed
    again since a newer block began, which is that one's.

    What was different in ``os.environ`` and in C before the block, because a library called ``setenv``, is so again
    after it. If the program has put another object in the place of ``os.environ``, the block works on what is there when
    it begins. In a forked child the end restores the child's own.

    As a decorator it has each call of a function in a block of its own, coroutines and generators from their first
    step to their end.

    Examples
    --------
    >>> import os
    >>> import within as wi
    >>> with wi.environment({"OMP_PROC_BIND": None}, SOLVER="fast"):
    ...     os.environ["SOLVER"], "OMP_PROC_BIND" in os.environ
    ('fast', False)
    >>> "SOLVER" in os.environ
    False
    """

    __module__ = "within"

    def __init__(self, variables={}, /, **more):
        both = dict(variables, **more)
        self._variables = tuple((_encode(name, "a name"), _encode_value(name, both[name])) for name in both)

    def __repr__(self):
        names = ", ".join(os.fsdecode(name) for name, value in self._variables)
        return f"<within.environment {names}>" if names else "<within.environment>"

    def _begin(self):
        return _Block(self._variables), None

    def _again(self):
        return type(self)(dict(self._variables))


def _encode(text, what):
    if not isinstance(text, (str, bytes, os.PathLike)):
        raise TypeError(f"environment(): {what} must be str, bytes or a path, not {type(text).__name__}")
    encoded = os.fsencode(text)
    if b"\0" in encoded:
        raise ValueError(f"environment(): {what} has a null byte in it: {text!r}")
    return encoded


def _encode_value(name, value):
    return None if value is None else _encode(value, f"the value of {os.fsdecode(name)}")


# ---- os.environ: it follows what the core does, without a second way to C ----

_lock = RLock()  # a signal's handler may have a block of its own
os.register_at_fork(after_in_child=_lock._at_fork_reinit)
_open = []  # the oldest first


class _Block:
    """An open block: that of the core, and what was in os.environ."""

    def __init__(self, variables):
        with _lock:
            self._core = CoreBlock.environment(variables)
            self._target, as_key = _contents(os.environ)
            self._before = dict(self._target)
            _open.append(self)
            try:
                for name, value in variables:
                    _put(self._target, as_key(name), value if value is None else as_key(value))
            except BaseException:
                self.end()
                raise

    def end(self):
        with _lock:
            try:
                _make(self._target, self._leave())
            finally:
                self._core.end()

    def _leave(self):
        """Hand on to newer blocks what they are to restore; return what is to be in os.environ now."""
        newer = [each for each in _open[_open.index(self) + 1 :] if each._target is self._target]
        afters = [each._before for each in newer[1:]] + [dict(self._target)]
        _open.remove(self)
        left = self._before
        for each, after in zip(newer, afters):
            each._before, left = left, _rebase(each._before, after, left)
        return left


def _contents(environ):
    """The dictionary in os.environ, whose keys and values are bytes; or the mapping that the program put there."""
    return (environ._data, bytes) if isinstance(environ, os._Environ) else (environ, os.fsdecode)


def _put(mapping, key, value):
    if value is None:
        mapping.pop(key, None)
    elif mapping.get(key) != value:
        mapping[key] = value


def _make(mapping, wanted):
    """Change only what differs: other threads may be reading."""
    for key in [*mapping, *wanted]:
        _put(mapping, key, wanted.get(key))


def _rebase(base, changed, onto):
    """What became of `base` in `changed`, done to `onto` instead."""
    result = dict(onto)
    for key in {**base, **changed}:
        if base.get(key) != changed.get(key):
            _put(result, key, changed.get(key))
    return result
