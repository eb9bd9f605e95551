"""What the parts of an epoch do besides: four faults, each beside a look-alike that gives back what it takes."""

import collections
import os
import threading
from concurrent.futures import ThreadPoolExecutor

TENSOR_BYTES = 256 * 1024
ROWS = 100


def tensor():
    """Return memory of a tensor's size, all of it touched."""
    return bytearray(os.urandom(4096) * (TENSOR_BYTES // 4096))


def rows(epoch):
    """Return objects of their own, as a log of an epoch has them."""
    return [(epoch, float(row)) for row in range(ROWS)]


class Nothing:
    """Leave nothing behind, in no part."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        pass

    def load(self, epoch):
        """Read what the epoch learns from."""

    def step(self, epoch):
        """Learn from a batch."""

    def log(self, epoch):
        """Write down how it went."""


# ---- files ----


class UnclosedFile(Nothing):
    """Open a file in each epoch, and forget to close it."""

    def __enter__(self):
        self.files = []
        return self

    def __exit__(self, kind, error, traceback):
        for file in self.files:
            file.close()

    def load(self, epoch):
        self.files.append(open(os.devnull, "rb"))


class ReopenedFile(Nothing):
    """Open the next file before the last is closed."""

    file = None

    def load(self, epoch):
        last, self.file = self.file, open(os.devnull, "rb")
        if last:
            last.close()

    def __exit__(self, kind, error, traceback):
        self.file.close()


# ---- lists ----


class GrowingList(Nothing):
    """Keep the rows of all epochs."""

    def __enter__(self):
        self.history = []
        return self

    def log(self, epoch):
        self.history += rows(epoch)


class BoundedHistory(Nothing):
    """Keep the rows of the newest epochs."""

    def __enter__(self):
        self.history = collections.deque(maxlen=40 * ROWS)
        return self

    def log(self, epoch):
        self.history.extend(rows(epoch))


# ---- threads ----


class ThreadEachStep(Nothing):
    """Start a thread in every fourth epoch's steps that waits for an end that nobody tells it."""

    def __enter__(self):
        self.end = threading.Event()
        self.threads = []
        return self

    def step(self, epoch):
        if epoch % 4 == 0 and len(self.threads) < 4000:
            self.threads.append(threading.Thread(target=self.end.wait, daemon=True))
            self.threads[-1].start()

    def __exit__(self, kind, error, traceback):
        self.end.set()
        for thread in self.threads:
            thread.join()


class PoolOfThreads(Nothing):
    """Have threads started as they are needed, up to eight, and used again."""

    def __enter__(self):
        self.pool = ThreadPoolExecutor(8)
        return self

    def step(self, epoch):
        self.pool.submit(int)

    def __exit__(self, kind, error, traceback):
        self.pool.shutdown()


# ---- tensors ----


class KeptTensor(Nothing):
    """Keep a loss for the record, and with it all that it was computed from."""

    def __enter__(self):
        self.losses = []
        return self

    def step(self, epoch):
        if epoch % 8 == 0 and len(self.losses) < 2000:
            self.losses.append(tensor())


class CacheOfTensors(Nothing):
    """Compute a tensor once for each of thirty shapes, which come by turns."""

    def __enter__(self):
        self.cache = {}
        return self

    def step(self, epoch):
        shape = epoch % 30
        if shape not in self.cache:
            self.cache[shape] = tensor()


FAULTS = {
    "unclosed-file": UnclosedFile,
    "growing-list": GrowingList,
    "thread-each-step": ThreadEachStep,
    "kept-tensor": KeptTensor,
}
INNOCENTS = {
    "reopened-file": ReopenedFile,
    "bounded-history": BoundedHistory,
    "pool-of-threads": PoolOfThreads,
    "cache-of-tensors": CacheOfTensors,
    "nothing": Nothing,
}
