"""What lies below h5py: the file on the disk, so that HDF5 is never told of a write that failed."""

import fcntl
import os
import struct

# The superblock of the HDF5 file format, version 3: II.A.3 of its specification.
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_OPEN, _STREAMED = 1, 4

# The lock that says who streams to a file, of one byte where no file has any: libwithin-hdf5 takes the same.
_LOCK_AT = 2**63 - 2


class Disk:
    """A file object for h5py.

    HDF5 cannot close an object or a file whose last data cannot be written: the end of the process crashes then. So
    the first failure is kept here, and nothing is written after it. In a forked child nothing is written at all.
    """

    def __init__(self, path, target, flags=0):
        self._fd = os.open(path, os.O_RDWR | flags, 0o666)
        self._process = os.getpid()
        self._target = target
        self._at = 0
        self.discards = False
        self.failure = None

    def __repr__(self):  # what h5py says is the name of the file
        return os.fsdecode(self._target)

    def close(self):
        try:
            os.close(self._fd)
        except OSError as error:
            self._keep(error)

    def seek(self, at, whence=os.SEEK_SET):
        self._at = at + {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence, os.fstat(self._fd).st_size)
        return self._at

    def tell(self):
        return self._at

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (n := os.preadv(self._fd, [view[done:]], self._at + done)):
            done += n
        view[done:] = bytes(len(view) - done)  # beyond the end, as HDF5's own drivers say
        self._at += len(view)
        return len(view)

    def read(self, size):
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, buffer):
        view = memoryview(buffer).cast("B")
        done = 0
        try:
            while done < len(view) and self._may_write():
                done += os.pwrite(self._fd, view[done:], self._at + done)
        except OSError as error:
            self._keep(error)
        self._at += len(view)
        return len(view)

    def truncate(self, size):
        try:
            if self._may_write():
                os.ftruncate(self._fd, size)
        except OSError as error:
            self._keep(error)

    def flush(self):
        """Nothing is held back."""

    def _may_write(self):
        return not self.failure and not self.discards and os.getpid() == self._process

    def _keep(self, error):
        self.failure = self.failure or error


def look(path):
    """Tell what is at a path: "nothing", "foreign", "closed", "open", "streamed"; and the pid of its writer or 0."""
    try:
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    except OSError:
        return "nothing", 0
    with file:
        return _state(file.fileno()), _writer(file.fileno())


def _state(fd):
    # It lies at 0, 512, 1024, 2048 and so on, behind what others have put before it.
    at = 0
    while len(block := _read_at(fd, at)) == 12:
        if block.startswith(_SIGNATURE):
            if block[8] < 3 or not block[11] & _OPEN:
                return "closed"
            return "streamed" if block[11] & _STREAMED else "open"
        at = 2 * at or 512
    return "foreign"


def _read_at(fd, at):
    try:
        return os.pread(fd, 12, at)
    except OSError:
        return b""


# struct flock: l_type, l_whence, l_start, l_len, l_pid
_FLOCK = "hhqqi4x"


def _writer(fd):
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _LOCK_AT, 1, 0)
    try:
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    except OSError:
        return 0
    return 0 if kind == fcntl.F_UNLCK else pid if pid > 0 else -1


def lock_stream(fd):
    """Hold the lock that says who streams to a file; a file system without locks goes without."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LOCK_AT)
    except OSError:
        pass


def redirect(fd):
    """What this process writes to a descriptor from now on is lost: HDF5 closes as if all were well."""
    nowhere = os.memfd_create("within")
    os.dup2(nowhere, fd, inheritable=False)
    os.close(nowhere)
