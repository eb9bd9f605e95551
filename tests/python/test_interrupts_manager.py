"""within.interrupts: signals as exceptions that cut no exit, and what was there before put back as it was."""

import asyncio
import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

import within as wi
import within.contextlib

BLOCKS = Path(__file__).with_name("interrupted_blocks.py")
SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2


def state():
    """All that a block changes."""
    status = Path("/proc/self/status").read_text()
    masks = [int(mask, 16) for mask in re.findall(r"^Sig(?:Blk|Ign|Cgt):\s*(\w+)", status, re.M)]
    kernel = [mask & sum(1 << number - 1 for number in SIGNALS) for mask in masks]
    return [signal.getsignal(number) for number in SIGNALS], sys.excepthook, sys.unraisablehook, kernel


@pytest.fixture(autouse=True)
def _all_is_put_back():
    before = state()
    yield
    gc.collect()
    assert state() == before


@contextlib.contextmanager
def plain_handler(number=signal.SIGTERM):
    """What programs do without this library."""

    def handler(*_):
        raise KeyboardInterrupt

    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


class Slow:
    """A signal comes in the middle of its exit."""

    def __init__(self):
        self.steps = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.steps.append("begin")
        signal.raise_signal(signal.SIGTERM)
        self.steps.append("end")


class Renamed(Slow):
    def leave(self, *error):
        self.steps.append("begin")
        signal.raise_signal(signal.SIGTERM)
        self.steps.append("end")

    __exit__ = leave


def by_with(manager):
    with manager:
        pass


def by_stack(stack):
    def use(manager):
        with stack() as exits:
            exits.callback(Renamed.leave, manager)

    return use


def by_closed_stack(stack):
    def use(manager):
        exits = stack()
        exits.push(manager)
        exits.close()

    return use


def by_generator(contextmanager):
    def use(manager):
        @contextmanager
        def generator():
            yield
            Renamed.leave(manager)

        with generator():
            pass

    return use


def by_decorated(contextmanager):
    def use(manager):
        @contextmanager
        def generator():
            yield
            Renamed.leave(manager)

        generator()(lambda: None)()

    return use


def by_async_with(contextmanager):
    def use(manager):
        @contextmanager
        async def generator():
            yield
            await asyncio.sleep(0)
            Renamed.leave(manager)

        async def main():
            async with generator():
                pass
            await asyncio.sleep(60)  # interrupted here, and not where asyncio puts its loop away

        asyncio.run(main())

    return use


USES = {
    "with": by_with,
    "standard stack": by_stack(contextlib.ExitStack),
    "our stack": by_stack(within.contextlib.ExitStack),
    "standard stack, closed": by_closed_stack(contextlib.ExitStack),
    "our stack, closed": by_closed_stack(within.contextlib.ExitStack),
    "standard generator": by_generator(contextlib.contextmanager),
    "our generator": by_generator(within.contextlib.contextmanager),
    "standard decorator": by_decorated(contextlib.contextmanager),
    "our decorator": by_decorated(within.contextlib.contextmanager),
    "standard asynchronous": by_async_with(contextlib.asynccontextmanager),
    "our asynchronous": by_async_with(within.contextlib.asynccontextmanager),
}


@pytest.mark.parametrize("kind", [Slow, Renamed])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_exit_is_cut_where_a_plain_handler_cuts_it(use, kind):
    cut, whole = kind(), kind()
    with pytest.raises(KeyboardInterrupt), plain_handler():
        use(cut)
    assert cut.steps == ["begin"]
    with pytest.raises(wi.Interrupted), wi.interrupts():
        use(whole)
        time.sleep(60)
    assert whole.steps == ["begin", "end"]


def test_an_enter_is_not_cut_either():
    steps = []

    @within.contextlib.contextmanager
    def acquire():
        signal.raise_signal(signal.SIGTERM)
        try:
            steps.append("acquired")
            yield
        finally:
            steps.append("released")

    with pytest.raises(wi.Interrupted), wi.interrupts(), acquire():
        time.sleep(60)
    assert steps == ["acquired", "released"]


def test_a_finalizer_ends_and_does_not_swallow_the_signal():
    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)
            steps.append("end")

    steps = []
    with plain_handler():
        unraisable, sys.unraisablehook = sys.unraisablehook, lambda args: steps.append(args.exc_type.__name__)
        Finalized()
        sys.unraisablehook = unraisable
    assert steps == ["KeyboardInterrupt"]
    steps.clear()
    with pytest.raises(wi.Interrupted), wi.interrupts():
        Finalized()
        time.sleep(60)
    assert steps == ["end"]


def test_what_a_callback_swallows_is_raised_again():
    class Watched:
        pass

    def callback(_):
        signal.raise_signal(signal.SIGTERM)
        steps.append("not reached")

    steps = []
    with pytest.raises(wi.Interrupted), wi.interrupts():
        watched = Watched()
        reference = weakref.ref(watched, callback)
        del watched
        time.sleep(60)
    assert reference() is None and not steps


def test_exits_that_surround_the_block_do_not_put_it_off():
    class Around:
        def __enter__(self):
            pass

        def __exit__(self, *error):
            with pytest.raises(wi.Interrupted), wi.interrupts():
                signal.raise_signal(signal.SIGTERM)
                steps.append("not reached")

    steps = []
    with Around():
        pass
    assert not steps


def test_a_block_that_an_enter_opened_still_sees_the_exit():
    class Job(Slow):
        def __enter__(self):
            self.stop = wi.interrupts()
            self.stop.__enter__()

        def __exit__(self, *error):
            super().__exit__()
            self.stop.__exit__(*error)

    job = Job()
    with pytest.raises(wi.Interrupted), job:
        pass
    assert job.steps == ["begin", "end"]


def test_the_exception_tells_of_the_signal():
    before = time.time()
    with pytest.raises(wi.Interrupted) as caught, wi.interrupts("SIGUSR2", signal.SIGTERM, grace=30) as stop:
        assert stop.signal is None and stop.grace_left == 30
        signal.raise_signal(signal.SIGUSR2)
    assert caught.value.signal is signal.SIGUSR2 is stop.signal
    assert before <= caught.value.time <= time.time()
    assert 29 < caught.value.grace_left <= 30 and str(caught.value) == "SIGUSR2"
    assert isinstance(caught.value, KeyboardInterrupt)
    caught.value.with_traceback(None)


def test_without_a_period_there_is_no_end_of_it():
    with pytest.raises(wi.Interrupted) as caught, wi.interrupts() as stop:
        assert stop.grace_left == float("inf")
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.grace_left == float("inf")


def test_a_handled_one_makes_room_for_the_next():
    seen = []
    with wi.interrupts("SIGUSR1"):
        for _ in range(20):
            try:
                signal.raise_signal(signal.SIGUSR1)
            except wi.Interrupted as interrupted:
                seen.append(interrupted.signal)
    assert seen == [signal.SIGUSR1] * 20


def test_what_must_be_whole_is_done_first():
    steps = []
    with pytest.raises(wi.Interrupted), wi.interrupts() as stop:
        with wi.uninterrupted(), wi.uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            steps.append(stop.signal)
        steps.append("not reached")
    assert steps == [signal.SIGTERM]


def test_the_end_raises_what_nothing_in_the_block_could():
    class Held:
        def __enter__(self):
            pass

        def __exit__(self, *error):
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(wi.Interrupted) as caught, contextlib.ExitStack() as stack:
        stack.enter_context(wi.interrupts())
        stack.enter_context(Held())
    assert caught.value.signal is signal.SIGTERM


MANY_ENDS = """
import contextlib, signal, time
import within as wi

def send(*error):
    signal.raise_signal(signal.SIGTERM)
    for _ in range(300):
        pass

end = time.monotonic() + 1.5
while time.monotonic() < end:
    with contextlib.suppress(wi.Interrupted), contextlib.ExitStack() as stack:
        stack.enter_context(wi.interrupts("SIGTERM"))
        stack.push(send)
"""


def test_handlers_are_put_back_while_a_thread_reminds_of_the_signal(python):
    done = python(MANY_ENDS)
    assert done.returncode == 0, done.stderr


def test_a_second_one_gets_the_old_handler_even_in_an_exit():
    steps = []

    class Exit(Slow):
        def __exit__(self, *error):
            signal.raise_signal(signal.SIGINT)
            steps.append("first")
            time.sleep(0.11)
            signal.raise_signal(signal.SIGINT)
            steps.append("not reached")

    with pytest.raises(KeyboardInterrupt) as caught, wi.interrupts(), Exit():
        pass
    assert steps == ["first"] and type(caught.value) is not wi.Interrupted


def test_functions_that_were_there_are_called_too():
    calls = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: calls.append((number, frame is not None)))
    with pytest.raises(wi.Interrupted), wi.interrupts("SIGUSR2"):
        signal.raise_signal(signal.SIGUSR2)
    assert calls == [(signal.SIGUSR2, True)]

    def leave(*_):
        raise SystemExit(3)

    signal.signal(signal.SIGUSR2, leave)
    with pytest.raises(SystemExit), wi.interrupts("SIGUSR2"):
        signal.raise_signal(signal.SIGUSR2)
    assert signal.getsignal(signal.SIGUSR2) is leave
    signal.signal(signal.SIGUSR2, before)


def test_ignored_signals_stay_ignored_unless_they_are_named():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    with wi.interrupts() as stop:
        signal.raise_signal(signal.SIGUSR1)
    assert stop.signal is None and signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    with pytest.raises(wi.Interrupted), wi.interrupts("SIGUSR1"):
        signal.raise_signal(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_blocks_are_left_in_any_order(order):
    signals = ["SIGTERM", "SIGUSR1"], ["SIGUSR1"], ["SIGTERM", "SIGUSR2"]
    stacks = [contextlib.ExitStack() for _ in signals]
    for stack, names in zip(stacks, signals):
        stack.enter_context(wi.interrupts(*names))
    for left, index in enumerate(order):
        open_ones = {name for i in order[left:] for name in signals[i]}
        for name in open_ones:
            with pytest.raises(wi.Interrupted):
                signal.raise_signal(signal.Signals[name])
        stacks[index].close()


@pytest.mark.parametrize("wrong", ["SIGKILL", "SIGSEGV", "SIGCHLD", "SIGNONE", 4711])
def test_what_cannot_be_taken_changes_nothing(wrong):
    with pytest.raises(ValueError, match=str(wrong)), wi.interrupts("SIGTERM", wrong):
        pass


@pytest.mark.parametrize("grace", [-1, float("nan")])
def test_a_period_is_no_negative_number(grace):
    with pytest.raises(ValueError, match="grace"):
        wi.interrupts(grace=grace)


def test_one_object_is_one_block():
    stop = wi.interrupts()
    with stop:
        with pytest.raises(RuntimeError, match="open already"), stop:
            pass
    with stop:
        pass


def test_it_is_for_the_main_thread():
    errors = []

    def run():
        try:
            with wi.interrupts():
                pass
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(errors) == 1 and "main thread" in errors[0]


def test_a_signal_to_another_thread_wakes_the_main_one():
    def run():
        time.sleep(0.05)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        while stop.signal is None:
            time.sleep(0.001)
        seen.append(stop.signal)

    seen = []
    thread = threading.Thread(target=run)
    with pytest.raises(wi.Interrupted), wi.interrupts() as stop:
        thread.start()
        time.sleep(60)
    thread.join()
    assert seen == [signal.SIGTERM]


def test_waiting_that_began_behind_an_exit_ends():
    with pytest.raises(wi.Interrupted), wi.interrupts():
        by_with(Slow())
        os.read(os.pipe()[0], 1)


def test_an_interrupt_without_a_signal_counts():
    import _thread

    with pytest.raises(wi.Interrupted) as caught, wi.interrupts():
        _thread.interrupt_main()
        time.sleep(60)
    assert caught.value.signal is signal.SIGINT


def test_it_comes_out_of_asyncio_run():
    async def main():
        asyncio.get_running_loop().call_later(0.01, signal.raise_signal, signal.SIGTERM)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(steps.append, "released")
            await asyncio.sleep(60)

    steps = []
    with pytest.raises(wi.Interrupted), wi.interrupts():
        asyncio.run(main())
    assert steps == ["released"]


def test_ten_thousand_at_random_moments():
    """All interpreters together; with a plain handler a good part of the blocks is broken."""
    ours = subprocess.run([sys.executable, BLOCKS, "1250"], capture_output=True, text=True, timeout=60)
    assert ours.stdout.split() == ["1250", "0"], ours.stderr
    plain = subprocess.run([sys.executable, BLOCKS, "100", "python"], capture_output=True, text=True, timeout=60)
    assert int(plain.stdout.split()[1]) > 0


@pytest.mark.long
def test_a_hundred_thousand_at_random_moments():
    """All eight interpreters together."""
    ours = subprocess.run([sys.executable, BLOCKS, "12500"], capture_output=True, text=True)
    assert ours.stdout.split() == ["12500", "0"], ours.stderr


def test_no_references_are_lost(lost_references):
    def use():
        try:
            with wi.interrupts("SIGUSR1", grace=1):
                signal.raise_signal(signal.SIGUSR1)
        except wi.Interrupted:
            pass

    assert lost_references(use, 2000) < 0.1


# ---- processes ----

UNWINDS = """
import atexit, os, signal, sys
import within as wi

class Manager:
    def __enter__(self): pass
    def __exit__(self, *error): print("released")

atexit.register(print, "atexit")
with wi.interrupts(grace=30), Manager():
    signal.raise_signal(getattr(signal, sys.argv[1]))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_uncaught_the_process_ends_by_the_signal(python, name):
    done = python(UNWINDS, name, fails=True)
    assert done.returncode == -signal.Signals[name]
    assert done.stdout.split() == ["released", "atexit"]
    assert done.stderr.endswith(f"within.Interrupted: {name}\n") and "Traceback" in done.stderr


def test_so_do_scripts_and_modules(tmp_path):
    (tmp_path / "program.py").write_text(UNWINDS)
    for how in (["program.py"], ["-m", "program"]):
        done = subprocess.run([sys.executable, *how, "SIGTERM"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == -signal.SIGTERM, done.stderr


def test_the_default_of_sigterm_skips_every_exit(python):
    done = python(UNWINDS.replace("wi.interrupts(grace=30), ", ""), "SIGTERM", fails=True)
    assert done.returncode == -signal.SIGTERM and done.stdout == ""


@pytest.mark.parametrize(
    "handler, status", [("sys.exit(7)", 7), ("print('on')", 0), ("raise OSError('full')", 1)]
)
def test_what_the_program_makes_of_it_stands(python, handler, status):
    text = UNWINDS.replace("\nwith", "\ntry:\n  with").replace("\n    signal.", "\n      signal.")
    done = python(f"{text}\nexcept wi.Interrupted: {handler}\n", "SIGTERM", fails=True)
    assert done.returncode == status, done.stderr


def test_a_second_one_ends_a_process_that_is_stuck_in_an_exit(python):
    text = """
import os, signal, threading, time
import within as wi
def send():
    for _ in range(2):
        time.sleep(0.15)
        os.kill(os.getpid(), signal.SIGTERM)
class Stuck:
    def __enter__(self): pass
    def __exit__(self, *error): time.sleep(60)
with wi.interrupts():
    threading.Thread(target=send, daemon=True).start()
    with Stuck(): pass
"""
    done = python(text, fails=True, timeout=30)
    assert done.returncode == -signal.SIGTERM


def test_children_are_as_without_the_block(python):
    text = """
import multiprocessing, os, signal, subprocess, sys, time
import within as wi
def sleep():
    time.sleep(60)
before = [(n, signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)]
with wi.interrupts():
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        print([signal.getsignal(n) == o for n, o in before], signal.pthread_sigmask(0, []), flush=True)
        os.write(told, b".")
        time.sleep(60)
    os.read(ready, 1)
    os.kill(child, signal.SIGTERM)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM)
    for pause in 0, 0.05:
        process = multiprocessing.get_context("fork").Process(target=sleep)
        process.start()
        time.sleep(pause)
        process.terminate()
        process.join()
        print(process.exitcode == -signal.SIGTERM)
    ask = "import signal; print(signal.getsignal(15) == signal.SIG_DFL, signal.pthread_sigmask(0, []))"
    print(subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip())
    child = os.fork()
    if child == 0:
        with wi.interrupts():
            signal.raise_signal(signal.SIGUSR1)
        os._exit(1)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGUSR1)
"""
    done = python(text)
    assert done.stdout.splitlines() == ["[True, True, True] set()", "True", "True", "True", "True set()", "True"], done


def test_the_record_tells_of_the_signal(python, read_record, tmp_path):
    python(UNWINDS, "SIGTERM", fails=True, WITHIN_RECORD=tmp_path / "run.within")
    told = read_record(tmp_path / "run.within")["interrupted"]
    assert (told["name"], told["grace_s"]) == ("SIGTERM", 30) and 0 <= told["raised_s"] < 30, told
