"""Timer: prints how long its block took, and keeps the figure."""

import asyncio
import contextlib
import doctest
import gc
import inspect
import io
import re
import sys
import threading
import time
import weakref

import pytest

import within as wi


def output_of(block, **options):
    """What a timer around block() prints into a stream of its own."""
    stream = io.StringIO()
    with wi.Timer(stream=stream, **options):
        block()
    return stream.getvalue()


def test_it_prints_its_label_and_the_time_on_stdout(capsys):
    with wi.Timer("SVD"):
        pass
    printed = capsys.readouterr()
    assert re.fullmatch(r"SVD: 0\.\d{4}s\n", printed.out)
    assert printed.err == ""


def test_without_a_label_it_prints_elapsed(capsys):
    with wi.Timer():
        pass
    assert re.fullmatch(r"Elapsed: 0\.\d{4}s\n", capsys.readouterr().out)


def test_it_prints_where_stdout_leads_when_the_block_ends():
    with wi.Timer("late") as t:
        pass
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), t:
        pass
    assert stream.getvalue().startswith("late: ")


def test_it_prints_on_the_stream_it_is_given(capsys):
    assert re.fullmatch(r"Elapsed: 0\.\d{4}s\n", output_of(lambda: None))
    assert capsys.readouterr().out == ""


def test_a_quiet_timer_prints_nothing(capsys):
    with wi.Timer("SVD", quiet=True) as t:
        pass
    assert capsys.readouterr().out == ""
    assert t.elapsed > 0


def test_it_prints_nothing_without_a_stdout(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with wi.Timer():
        pass


def test_the_time_printed_is_the_time_that_passed():
    text = output_of(lambda: time.sleep(0.02), label="nap")
    assert 0.02 <= float(text[len("nap: ") : -len("s\n")]) < 2


def test_elapsed_runs_inside_the_block_and_stays_after_it():
    t = wi.Timer(quiet=True)
    assert t.elapsed == 0.0
    with t:
        early = t.elapsed
        time.sleep(0.001)
        late = t.elapsed
    assert 0 <= early < late <= t.elapsed
    assert t.elapsed == t.elapsed
    with pytest.raises(AttributeError):
        t.elapsed = 1


def test_the_block_gets_the_timer():
    t = wi.Timer(quiet=True)
    with t as inside:
        assert inside is t


def test_a_timer_can_be_used_again():
    t = wi.Timer(quiet=True)
    with t:
        time.sleep(0.005)
    first = t.elapsed
    with t:
        pass
    assert t.elapsed < first


def test_nested_use_of_one_timer_is_an_error_that_says_so():
    with wi.Timer("outer", quiet=True) as t:
        with pytest.raises(RuntimeError, match="'outer' is running already: one object times one block"):
            with t:
                pass
        assert t.elapsed > 0
    with t:
        pass


def test_leaving_a_timer_that_does_not_run_is_an_error():
    with pytest.raises(RuntimeError, match="Timer 'x' is not running"):
        wi.Timer("x").__exit__(None, None, None)


def test_an_exception_passes_on_and_the_time_is_taken_and_printed(capsys):
    t = wi.Timer("fit")
    with pytest.raises(KeyError, match="lost"), t:
        raise KeyError("lost")
    assert t.elapsed > 0
    assert capsys.readouterr().out.startswith("fit: ")


class Failing:
    """A stream on which nothing can be written."""

    def __init__(self, error=OSError):
        self.error = error

    def write(self, text):
        raise self.error("disk full")


def test_a_stream_that_fails_is_an_error_as_it_is_for_print():
    t = wi.Timer(stream=Failing())
    with pytest.raises(OSError, match="disk full"), t:
        pass
    assert t.elapsed > 0 and "running" not in repr(t)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stream_that_fails_does_not_hide_the_bodys_exception():
    with pytest.raises(KeyError), wi.Timer(stream=Failing()):
        raise KeyError


def test_an_interrupt_while_printing_is_not_lost():
    with pytest.raises(KeyboardInterrupt) as caught, wi.Timer(stream=Failing(KeyboardInterrupt)):
        raise KeyError
    assert isinstance(caught.value.__context__, KeyError)


def test_a_label_that_the_stream_cannot_encode_is_escaped():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    with wi.Timer("Größe \ud800", stream=stream):
        pass
    stream.flush()
    assert raw.getvalue().startswith(rb"Gr\xf6\xdfe \ud800: 0.")


def test_it_writes_each_line_at_once():
    class Stream:
        def __init__(self):
            self.written = []

        def write(self, text):
            self.written.append(text)

    stream = Stream()
    with wi.Timer(stream=stream):
        pass
    assert len(stream.written) == 1


# ---- as a decorator ----


def test_a_decorated_function_prints_at_each_call(capsys):
    @wi.Timer("add")
    def add(a, b=1):
        """Add."""
        return a + b

    assert add(1, b=2) == 3 and add(1) == 2
    assert re.fullmatch(r"(add: 0\.\d{4}s\n){2}", capsys.readouterr().out)
    assert add.__name__ == "add" and add.__doc__ == "Add." and str(inspect.signature(add)) == "(a, b=1)"


def test_a_decorated_function_may_call_itself():
    timer = wi.Timer("depth", quiet=True)

    @timer
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    assert depth(5) == 5
    assert timer.elapsed > 0


def test_a_decorated_function_runs_in_many_threads():
    timer = wi.Timer(quiet=True)
    barrier = threading.Barrier(4)
    wait = timer(barrier.wait)
    threads = [threading.Thread(target=wait, args=(20,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert timer.elapsed > 0 and not barrier.broken


def test_a_decorated_method_gets_its_object():
    class Model:
        @wi.Timer(quiet=True)
        def fit(self, x):
            return self, x

    model = Model()
    assert model.fit(1) == (model, 1)


def test_the_decorators_elapsed_is_that_of_the_last_call():
    timer = wi.Timer(quiet=True)
    timer(time.sleep)(0.005)
    assert 0.005 <= timer.elapsed < 1
    timer(lambda: None)()
    assert timer.elapsed < 0.005


def test_a_coroutine_is_timed_to_its_end(capsys):
    @wi.Timer("nap")
    async def nap():
        await asyncio.sleep(0.01)
        return 7

    async def naps():
        return await asyncio.gather(nap(), nap())

    assert asyncio.run(naps()) == [7, 7]
    times = re.findall(r"nap: (\d\.\d{4})s", capsys.readouterr().out)
    assert len(times) == 2 and all(float(time) >= 0.009 for time in times)
    assert inspect.iscoroutinefunction(nap)


def test_a_generator_is_timed_from_its_first_step_to_its_end(capsys):
    @wi.Timer("count")
    def count():
        got = yield 1
        yield got
        return "done"

    generator = count()
    assert next(generator) == 1 and generator.send("x") == "x"
    assert capsys.readouterr().out == ""
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert capsys.readouterr().out.startswith("count: ")
    assert inspect.isgeneratorfunction(count)


def test_a_generator_that_is_closed_early_is_timed_too(capsys):
    @wi.Timer("count")
    def count():
        yield 1
        yield 2

    generator = count()
    next(generator)
    generator.close()
    assert capsys.readouterr().out.startswith("count: ")


def test_an_async_generator_is_timed_and_takes_what_is_sent_and_thrown(capsys):
    @wi.Timer("stream")
    async def stream():
        try:
            got = yield 1
            yield got
        except KeyError:
            yield "caught"

    async def drive():
        steps = stream()
        assert await steps.asend(None) == 1
        assert await steps.asend("x") == "x"
        assert await steps.athrow(KeyError("k")) == "caught"
        with pytest.raises(StopAsyncIteration):
            await steps.asend(None)
        return [value async for value in stream()]

    assert asyncio.run(drive()) == [1, None]
    assert capsys.readouterr().out.count("stream: ") == 2
    assert inspect.isasyncgenfunction(stream)


def test_a_subclass_is_timed_with_its_own_methods():
    class Logged(wi.Timer):
        def __init__(self, log):
            super().__init__("logged", quiet=True)
            self.log = log

        def __exit__(self, *details):
            super().__exit__(*details)
            self.log.append(self.elapsed)

    log = []
    with Logged(log):
        pass
    Logged(log)(lambda: None)()
    assert len(log) == 2 and all(log)


# ---- wrong arguments ----


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"label": 3}, r"Timer\(\) label must be str, not int"),
        ({"label": b"SVD"}, r"Timer\(\) label must be str, not bytes"),
        ({"label": None}, r"Timer\(\) label must be str, not NoneType"),
        ({"label": output_of}, r"Timer\(\) label must be str, not function: write @Timer\(\) above a function"),
        ({"quiet": "yes"}, r"Timer\(\) quiet must be bool, not str"),
        ({"quiet": sys.stderr}, r"Timer\(\) quiet must be bool, not \w*TextIO\w*|quiet must be bool, not EncodedFile"),
        ({"stream": 3}, r"Timer\(\) stream must have a method write\(\), and int has none"),
        ({"colour": 3}, r"colour"),
    ],
)
def test_a_wrong_argument_is_named_with_its_type(arguments, message):
    with pytest.raises(TypeError, match=message):
        wi.Timer(**arguments)


def test_calling_a_timer_with_something_else_than_a_function_is_an_error():
    with pytest.raises(TypeError, match=r"^Timer\('Elapsed'\) decorates functions, not str$"):
        wi.Timer()("not a function")
    with pytest.raises(TypeError, match="a Timer is called with the function that it decorates"):
        wi.Timer()(len, len)


def test_a_timers_text_shows_its_state():
    t = wi.Timer("SVD", quiet=True)
    assert repr(t) == "<within.Timer 'SVD': 0.0000s>"
    with t:
        assert "running" in repr(t)
    assert "running" not in repr(t)


def test_timers_are_collected_with_the_streams_that_hold_them():
    class Stream(io.StringIO):
        pass

    stream = Stream()
    stream.timer = wi.Timer(stream=stream)
    seen = weakref.ref(stream)
    del stream
    gc.collect()
    assert seen() is None


def test_the_example_in_its_documentation_is_true():
    example = doctest.DocTestParser().get_doctest(wi.Timer.__doc__, {}, "Timer", None, None)
    result = doctest.DocTestRunner().run(example)
    assert result.attempted and not result.failed
