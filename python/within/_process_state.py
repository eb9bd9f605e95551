"""What managers share that change what belongs to the process: one block at a time, and decorators."""


class ProcessState:
    """A manager whose blocks are made by `_begin()`: an object with `end()`, and what the block gets."""

    _block = None

    def __enter__(self):
        if self._block is not None:
            raise RuntimeError(f"{self!r} is open already: one object is one block at a time")
        self._block, value = self._begin()
        return value

    def __exit__(self, kind, error, traceback):
        block, self._block = self._block, None
        if block is None:
            raise RuntimeError(f"{self!r} is not open")
        block.end()

    def __call__(self, function, /):
        """Return `function`, each call of which runs in a block of its own."""
        from ._decorators import decorated

        return decorated(function, self._again, type(self).__name__)
