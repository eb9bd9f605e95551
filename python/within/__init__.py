"""With-blocks at C speed: what a block costs is measured, and the record survives kill -9."""

import os

# All of it now: where a module has a __getattr__, the interpreter looks up each of its names the slow way, and
# `wi.section` takes a fifth longer.
from . import _within  # it loads libwithin, which programs in C then share
from ._atomic_file import atomic_file, atomic_path  # noqa: F401
from ._checkpoints import Checkpoint, checkpoints  # noqa: F401
from ._environment import environment  # noqa: F401
from ._gpu_memory import track_gpu_memory  # noqa: F401
from ._h5_file import h5_file, h5_recover  # noqa: F401
from ._interrupts import Interrupted, interrupts, uninterrupted  # noqa: F401
from ._memory import track_memory  # noqa: F401
from ._profiler import Profiler  # noqa: F401
from ._redirect_output import redirect_output  # noqa: F401
from ._run import active_run, run, runs  # noqa: F401
from ._stats import SectionStats  # noqa: F401
from ._temporary_seed import temporary_seed  # noqa: F401
from ._threads import threads  # noqa: F401
from ._transaction import transaction  # noqa: F401
from ._watch import Leak, watch  # noqa: F401
from ._within import DataError, Timer, csv_log, flush_denormals, fp_guard, rounding, section, tempdir  # noqa: F401
from ._workdir import workdir  # noqa: F401

__version__ = _within.__version__


def get_include():
    """Return the folder of within.h, for C code that is built against this package."""
    return os.path.join(os.path.dirname(__file__), "include")


def get_library_dir():
    """Return the folder of libwithin.so, for linking: ``-L<folder> -lwithin``."""
    return os.path.join(os.path.dirname(__file__), "lib")
