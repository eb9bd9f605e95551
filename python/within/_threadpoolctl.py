"""Numbers of threads of libraries that threadpoolctl knows and the core does not, for blocks that end in any order.

The core's four are not left to it: what it puts back is right for nested blocks alone, and of several threads only
the first may change OpenBLAS.
"""

import os
from _thread import RLock

_OF_THE_CORE = {"openmp", "openblas", "mkl", "blis"}

_lock = RLock()
os.register_at_fork(after_in_child=_lock._at_fork_reinit)
_open = []  # the oldest first


class Block:
    """An open block of `core`, and what else it has to put back, library by library."""

    def __init__(self, threadpoolctl, core, n):
        self._core = core
        self._before = {}
        with _lock:
            self._controllers = {
                (each.internal_api, each.filepath): each
                for each in threadpoolctl.ThreadpoolController().lib_controllers
                if each.internal_api not in _OF_THE_CORE
            }
            _open.append(self)
            try:
                for key, controller in self._controllers.items():
                    self._before[key] = controller.num_threads
                    controller.set_num_threads(n)
            except BaseException:
                self.end()
                raise

    def end(self):
        try:
            with _lock:
                newer = _open[_open.index(self) + 1 :]
                _open.remove(self)
                for key, before in self._before.items():
                    self._put_back(key, before, newer)
        finally:
            self._core.end()

    def _put_back(self, key, before, newer):
        for block in newer:
            if key in block._before:
                block._before[key] = before
                return
        self._controllers[key].set_num_threads(before)
