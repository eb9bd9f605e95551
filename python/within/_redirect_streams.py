"""sys.stdout and sys.stderr while their descriptors lead elsewhere: on the descriptor, and written out line by line."""

import io
import os
import sys

# Of all blocks, in the order of their begin.
_open = []


class Stream:
    """One of the two, for a block. If the block redirects it, it prints to its descriptor."""

    def __init__(self, name, fd, redirected):
        self.name, self.fd = name, fd
        self.before = self.stream = getattr(sys, name, None)
        self.by_line = True  # whether it was so before
        if not _is_on(self.stream, fd):
            if redirected:
                self.stream = _text_stream(fd, self.before)
                setattr(sys, name, self.stream)
        elif hasattr(self.stream, "reconfigure"):
            self.by_line = self.stream.line_buffering
            self.stream.reconfigure(line_buffering=True)
        _open.append(self)

    def flush(self):
        """Write out what was printed, also if sys has another stream by now."""
        if _is_on(self.stream, self.fd):
            self.stream.flush()
        flush(self.name, self.fd)

    def drop(self):
        """Forget what cannot be written. The descriptor leads nowhere afterwards."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fd)
        os.close(nowhere)
        self.flush()

    def put_back(self):
        """Let it be what it was; a newer block that prints through it does so in this one's place."""
        newer = _open[_open.index(self) + 1 :]
        _open.remove(self)
        for heir in newer:
            if heir.name == self.name and heir.stream is self.stream:
                heir.before, heir.by_line = self.before, self.by_line
                return
        if getattr(sys, self.name, None) is self.stream:
            setattr(sys, self.name, self.before)
        if not self.by_line and not self.stream.closed:
            self.stream.reconfigure(line_buffering=False)


def flush(name, fd):
    """Write out what Python's own streams on a descriptor hold."""
    now, first = (getattr(sys, each, None) for each in (name, f"__{name}__"))
    for stream in [now] if now is first else [now, first]:
        if _is_on(stream, fd):
            stream.flush()


def _is_on(stream, fd):
    try:
        return not stream.closed and stream.fileno() == fd
    except Exception:  # notebooks, pytest and others have objects of their own there; pythonw has None
        return False


def _text_stream(fd, before):
    """A stream to print to a descriptor, in the encoding of the one that it stands for."""
    encoding, errors = (getattr(before, name, None) for name in ("encoding", "errors"))
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(fd, "wb", closefd=False)),
        encoding if isinstance(encoding, str) else "utf-8",
        errors if isinstance(errors, str) else "backslashreplace",
        line_buffering=True,
    )
