"""What running a function came to, in a form that the standard library's outcome can be compared with."""

import traceback


def describe(error, seen=()):
    """Type, arguments, traceback, context and cause of an error; contextlib's own frames are left out."""
    if error is None:
        return None
    if error in seen:
        return "cycle"
    seen = (*seen, error)
    names = [
        frame.name
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.endswith(("contextlib.py", "_framed.py", "_functions.py"))
    ]
    return {
        "type": type(error).__name__,
        "args": tuple(map(str, error.args)),
        "traceback": names,
        "context": describe(error.__context__, seen),
        "cause": describe(error.__cause__, seen),
        "suppressed": error.__suppress_context__,
    }


def outcome(function, *args):
    """The result of a call, or its error."""
    try:
        return "returned", function(*args)
    except BaseException as error:
        return "raised", describe(error)


def drive(coroutine):
    """Run a coroutine to its end without an event loop; return its result and what it yielded."""
    yielded = []
    try:
        while True:
            yielded.append(coroutine.send(None))
    except StopIteration as stop:
        return stop.value, yielded
