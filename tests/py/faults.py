"""Makes every system call of a command fail in turn, by the program that tests/faults/fault.c builds.

    from faults import every_fault

    def test_a_fault_leaves_the_old_text_or_the_new(writer, tmp_path):
        target = tmp_path / "text"
        for call, error, done in every_fault([writer, target], tmp_path, lambda: target.write_text("old")):
            assert target.read_text() in ("old", "new"), (call, error, done.stderr)

`calls` lists the calls, `inject` disturbs one of them. They skip the test where processes can't be traced.
The head of fault.c says which calls count and what is not seen.
"""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL_CANNOT_WORK = 125
KILLED = 137

# What can befall a call, by its name. "short" and "kill" are no errors: see inject.
ERRORS = {
    "open": ("EACCES", "ENOSPC", "EINTR", "EMFILE", "kill"),
    "write": ("ENOSPC", "EIO", "EINTR", "short", "kill"),
    "fsync": ("EIO", "ENOSPC", "EINTR", "kill"),
    "close": ("EIO", "ENOSPC", "EINTR", "kill"),
    "rename": ("ENOSPC", "EIO", "EACCES", "kill"),
    "unlink": ("EACCES", "EIO", "kill"),
    "rmdir": ("EACCES", "EIO", "kill"),
    "mkdir": ("ENOSPC", "EACCES", "kill"),
    "link": ("ENOSPC", "EACCES", "EPERM", "kill"),
    "symlink": ("ENOSPC", "EACCES", "kill"),
    "truncate": ("EIO", "EINTR", "kill"),
    "fallocate": ("ENOSPC", "EOPNOTSUPP", "EINTR", "kill"),
    "chmod": ("EPERM", "EIO", "kill"),
    "chown": ("EPERM", "EIO", "kill"),
    "lock": ("ENOLCK", "EINTR", "kill"),
    "unlock": ("kill",),
    "dup": ("EMFILE", "EBUSY", "EINTR", "kill"),
    "mmap": ("ENOMEM", "ENODEV", "kill"),
    "read": ("EIO", "EINTR", "kill"),
    "stat": ("EACCES", "EIO", "kill"),
}


class Call(NamedTuple):
    """A system call of the command that concerns a file below the folder.

    number: from 1. name: of its kind, a key of ERRORS. path: from the folder, and of a rename or link the new one.
    result: what it returned, -errno for an error; None if its caller was killed in it.
    """

    number: int
    name: str
    path: str
    result: int | None


def calls(command, under, *, with_reads=False, with_stats=False, **run_options):
    """List the calls of an undisturbed run, which has to succeed.

    Parameters
    ----------
    command : list
        Program and arguments.
    under : path
        Calls count that concern files below this folder.
    with_reads, with_stats : bool
        Also count reads, and what asks about a file.
    **run_options
        For subprocess.run: env, cwd, input, timeout (60 s if not given).

    Returns
    -------
    list of Call
    """
    done = _run(command, under, _wishes(with_reads, with_stats), run_options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: ended with {done.returncode} undisturbed\n{done.stdout}{done.stderr}")
    return done.calls


def inject(command, under, at, error, *, from_on=False, with_reads=False, with_stats=False, **run_options):
    """Run the command and let something happen to its call of number `at`.

    Parameters
    ----------
    command, under, with_reads, with_stats, **run_options
        As of `calls`; the same for the same numbers.
    at : int
        The number of a Call.
    error : str
        The name of the error that it returns; or "short" for a write of half the bytes; or "kill" for all
        processes killed right before it.
    from_on : bool
        Whether all later calls of the same name suffer the same.

    Returns
    -------
    subprocess.CompletedProcess
        Its output as text; as returncode 128 + n after a signal n, so KILLED for "kill"; and as `calls` the list
        of what was called.
    """
    fault = [f"--{error}"] if error in ("short", "kill") else ["--error", error]
    wishes = [*_wishes(with_reads, with_stats), "--at", str(at), *fault, *(["--from-on"] if from_on else [])]
    return _run(command, under, wishes, run_options)


def every_fault(command, under, reset, *, errors=ERRORS, steady=True, **options):
    """Run the command once for each of its calls and each thing that can befall it.

    Parameters
    ----------
    command, under
        As of `calls`.
    reset : callable
        Called without arguments before each run, the undisturbed one too: makes the files what they were.
    errors : dict
        What happens to the calls of which name: {"fsync": ("EIO",)} looks at these alone.
    steady : bool
        Whether the command makes the same calls in each run, so that another at this number is a mistake of the
        test. Say False for threads that run at their own pace.
    **options
        from_on, with_reads, with_stats and those of subprocess.run.

    Yields
    ------
    call : Call
        Of the undisturbed run.
    error : str
        As of `inject`.
    done : subprocess.CompletedProcess
        As of `inject`.
    """
    reset()
    listing = {name: value for name, value in options.items() if name != "from_on"}
    for call in calls(command, under, **listing):
        for error in errors.get(call.name, ()):
            if error == "short" and call.result < 2:
                continue
            reset()
            done = inject(command, under, call.number, error, **options)
            if steady:
                hit = [other.name for other in done.calls if other.number == call.number]
                assert hit == [call.name], f"{call} is {hit or 'no call'} in another run; or say steady=False"
            yield call, error, done


def _wishes(with_reads, with_stats):
    return [*(["--with-reads"] if with_reads else []), *(["--with-stats"] if with_stats else [])]


def _run(command, under, wishes, run_options):
    tool = _tool()
    with tempfile.NamedTemporaryFile(prefix="calls-") as trace:
        wishes = ["--under", under, "--trace", trace.name, *wishes]
        options = {"timeout": 60, "capture_output": True, "text": True, **run_options}
        done = subprocess.run([tool, *wishes, "--", *command], **options)
        if done.returncode == TOOL_CANNOT_WORK and done.stderr.startswith("fault: "):
            raise RuntimeError(done.stderr)
        done.calls = sorted(_read_call(line) for line in trace.read().splitlines())
    return done


def _read_call(line):
    number, name, path, result = line.split(b"\t")
    path = re.sub(rb"\\x(..)", lambda found: bytes.fromhex(found[1].decode()), path)
    return Call(int(number), name.decode(), os.fsdecode(path), None if result == b"?" else int(result))


@functools.cache
def _why_not(tool):
    """Why processes can't be traced here; None if they can."""
    done = subprocess.run([tool, "--under", "/", "--", "true"], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode == TOOL_CANNOT_WORK else None


def _tool():
    tool = Path(os.environ.get("WITHIN_BUILD", ROOT / "build")) / "tests" / "faults" / "fault"
    if not tool.exists():
        raise RuntimeError(f"{tool} is not built; type: make test")
    why = _why_not(tool)
    if why:
        pytest.skip(f"no process can be traced here: {why}")
    return tool
