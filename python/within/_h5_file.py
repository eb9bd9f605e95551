"""h5_file and h5_recover: HDF5 files through h5py that are whole after any end of the program."""


def h5_file(path, mode="r", *, sync=True, **options):
    """Open an HDF5 file with h5py, so that it is whole after any end of the program.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file. What is written lies beside it until it is published.
    mode : str
        ``"r"`` to read; of a file that is being streamed, or was when its writer died, what is flushed. ``"w"`` for a
        new file, ``"r+"`` to change one that is there, ``"a"`` for either: these are written beside the target, and
        renamed over it when the block ends without an exception. ``"r+"`` and ``"a"`` copy the file first, in full.
        ``"stream"`` for a new file that rows are appended to: see Notes.
    sync : bool
        Whether publishing waits for the disk. Without, a power cut may leave an empty file.
    **options
        For ``h5py.File``: ``libver``, ``rdcc_nbytes``, ``track_order``, …; no ``driver``.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        By the block's begin, when the file cannot be opened, or the target not be replaced; by its end, when something
        could not be written: the old file is untouched then.
    BlockingIOError
        When another program has locked the file to write to it, or streams to it.
    FileExistsError
        For ``"stream"``, when the file was streamed and its writer died: its rows would be lost.
    within.DataError
        When it is no HDF5 file, or was not closed.
    ImportError
        Without h5py.

    Notes
    -----
    The block gets an ``h5py.File``. What is open in it when the block ends is closed, and named by a ResourceWarning.

    A file of ``"stream"`` begins beside the target too. Make all datasets and attributes, then say
    ``file.swmr_mode = True``: the file is put into its place, in HDF5's SWMR mode. From then on others may read it,
    and after a kill at any moment it has every row that was flushed, by ``dataset.flush()`` or
    ``file.append(dataset, rows)``, which makes the dataset longer, writes the rows and flushes them. Whichever way
    the block ends, what was written is kept.

    In a forked child the end of the block does nothing, and nothing is written to the file.

    Examples
    --------
    >>> import os, tempfile, within as wi
    >>> path = os.path.join(tempfile.mkdtemp(), "run.h5")
    >>> with wi.h5_file(path, "w") as file:  # doctest: +SKIP
    ...     file["spectrum"] = [1.0, 2.0, 3.0]
    ...     file["spectrum"].attrs["unit"] = "V"
    >>> with wi.h5_file(path) as file:  # doctest: +SKIP
    ...     print(file["spectrum"][:], file["spectrum"].attrs["unit"])
    [1. 2. 3.] V
    """

    __module__ = "within"
    from ._h5 import File

    return File(path, mode, sync, options)


def h5_recover(path, out, *, sync=True):
    """Copy a streamed HDF5 file whose writer died, or any other, to one that opens everywhere.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file: being streamed, closed, or left by a dead writer. It is only read.
    out : str, bytes or os.PathLike
        The copy; it appears when it is whole. Not `path` itself.
    sync : bool
        As of `h5_file`.

    Returns
    -------
    dict
        The shape of each dataset that was found, by its name.

    Raises
    ------
    ValueError
        If `out` is `path`.
    OSError, within.DataError, ImportError
        As of `h5_file`.

    Notes
    -----
    All that hangs on the root group is copied object by object, and the root's attributes; objects that are linked to
    twice in it become two.

    Examples
    --------
    >>> import within as wi
    >>> wi.h5_recover("samples.h5", "recovered.h5")  # doctest: +SKIP
    {'received': (1200, 2)}
    """
    from ._h5 import recover

    return recover(path, out, sync)


h5_file.__module__ = h5_recover.__module__ = "within"
