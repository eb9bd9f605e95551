"""NumPy's errors in the block of a fp_guard: recorded by errstate's callback, and passed on to what was set before.

NumPy clears the processor's flags before each of its operations, looks at them after it, and does what
numpy.errstate says: here it calls a Record. Records lie upon each other as their blocks do; one that is taken away
below others leaves it to the next of them to put back what was before itself.
"""

import sys
import warnings

import numpy

# NumPy's texts, the guard's words, errstate's words, and the names in messages.
_KINDS = [
    ("invalid value", "invalid", "invalid", "invalid operation"),
    ("divide by zero", "divide", "divide", "division by zero"),
    ("overflow", "overflow", "over", "overflow"),
    ("underflow", "underflow", "under", "underflow"),
]
_KEY_OF_TEXT = {text: key for text, _, key, _ in _KINDS}


def record(words):
    """Record NumPy's errors of these kinds from now on; return what ends it."""
    return Record([key for _, word, key, _ in _KINDS if word in words])


class Record:
    """What NumPy calls at an error, while it is the innermost; errstate must not be "raise", which raises sooner."""

    def __init__(self, keys):
        modes = numpy.geterr()
        self.before = {key: modes[key] for key in keys if modes[key] != "raise"}
        self.callback = numpy.geterrcall()
        self.found = {}
        numpy.seterrcall(self)
        numpy.seterr(**dict.fromkeys(self.before, "call"))

    def __call__(self, text, flag):
        key = _KEY_OF_TEXT[text]
        if key in self.before:
            self.found.setdefault(key, _place(sys._getframe(1)))
            self.pass_on(key, text, flag)
        else:
            self.callback(text, flag)

    def pass_on(self, key, text, flag):
        """Do what errstate said before the outermost guard of this kind."""
        mode = self.before.get(key, "call")
        if mode == "warn":
            _warn(f"{text} encountered")
        elif mode == "print":
            print(f"Warning: {text} encountered")
        elif mode == "log":
            self.callback.write(f"Warning: {text} encountered\n")
        elif mode == "call" and isinstance(self.callback, Record):
            self.callback.pass_on(key, text, flag)
        elif mode == "call" and self.callback is not None:
            self.callback(text, flag)

    def end(self, error):
        """Put back what was before; return `error`, or if anything was found an exception that tells both."""
        above = self._above()
        modes = dict(self.before)
        for other in above:
            for key in modes.keys() & other.before.keys():
                other.before[key] = modes.pop(key)
        numpy.seterr(**modes)
        if above:
            above[0].callback = self.callback
        elif numpy.geterrcall() is self:
            numpy.seterrcall(self.callback)
        if not self.found:
            return error
        return FloatingPointError(f"{error}; {self._text()}" if error else f"fp_guard: {self._text()}")

    def _above(self):
        """The records upon this one, the next first."""
        above, current = [], numpy.geterrcall()
        while isinstance(current, Record) and current is not self:
            above.insert(0, current)
            current = current.callback
        return above if current is self else []

    def _text(self):
        *names, last = [name for _, _, key, name in _KINDS if key in self.found]
        first = next(iter(self.found.values()))
        return f"{', '.join(names)}{' and ' if names else ''}{last} in NumPy, {'first ' if names else ''}called {first}"


def _place(frame):
    """The line outside of NumPy that has called it."""
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == "numpy":
        frame = frame.f_back
    return f"at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _warn(text):
    """Warn as NumPy does: of the line that has called it."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals is globals():
        frame = frame.f_back
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "<string>")
    warnings.warn_explicit(text, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)
