"""wi.track_memory: what a block left behind, and the most that it held."""

import io
import mmap
import re
import sys
import tracemalloc

import pytest

import within as wi

MB = 1_000_000


def hold(megabytes):
    """Resident memory that is given back when it is closed."""
    memory = mmap.mmap(-1, megabytes * MB)
    for at in range(0, len(memory), 4096):
        memory[at] = 1
    return memory


def printed(*args, **options):
    stream = io.StringIO()
    with wi.track_memory(*args, stream=stream, **options):
        pass
    return stream.getvalue()


def test_it_tells_what_a_block_left_behind_and_the_most_that_it_held():
    with wi.track_memory(quiet=True) as memory:
        kept = hold(30)
        hold(50).close()
    assert memory.delta == pytest.approx(30 * MB, abs=3 * MB)
    assert memory.peak - memory.before == pytest.approx(80 * MB, abs=3 * MB)
    assert memory.current == memory.before + memory.delta
    assert memory.peak_is_exact is True
    kept.close()


def test_an_inner_block_does_not_hide_the_peak_of_the_outer_one():
    with wi.track_memory(quiet=True) as outer:
        hold(60).close()
        with wi.track_memory(quiet=True) as inner:
            hold(20).close()
    assert inner.peak - inner.before == pytest.approx(20 * MB, abs=3 * MB)
    assert outer.peak - outer.before == pytest.approx(60 * MB, abs=3 * MB)


@pytest.mark.skipif(sys.getallocatedblocks() == 0, reason="PYTHONMALLOC=malloc counts no blocks")
def test_blocks_of_the_allocator_are_counted():
    with wi.track_memory(quiet=True) as memory:
        kept = [object() for _ in range(5000)]
    assert 5000 <= memory.blocks < 5200 and len(kept) == 5000
    assert memory.tracked is None


def test_what_tracemalloc_tracks_is_told_while_it_is_on():
    tracemalloc.start()
    try:
        with wi.track_memory(quiet=True) as memory:
            kept = bytearray(2 * MB)
        assert memory.tracked == pytest.approx(len(kept), abs=100_000)
        assert re.search(r", tracked=[+-]0\.\dMB\n$", printed())
    finally:
        tracemalloc.stop()


def test_it_prints_a_line():
    line = r"Memory: delta=[+-]\d\.\dMB, current=\d+\.\dMB, peak=\d+\.\dMB, blocks=[+-]\d+\n"
    assert re.fullmatch(r"\[Forward pass\] " + line, printed("Forward pass"))
    assert re.fullmatch(line, printed())
    assert printed(quiet=True) == ""


def test_it_prints_on_stdout_by_default(capsys):
    with wi.track_memory("step"):
        pass
    assert capsys.readouterr().out.startswith("[step] Memory: delta=")


def test_an_exception_passes_and_the_figures_are_there():
    memory = wi.track_memory(quiet=True)
    with pytest.raises(ZeroDivisionError), memory:
        1 / 0
    assert memory.peak >= memory.current > 0


def test_one_object_is_used_again_but_not_twice_at_once():
    memory = wi.track_memory("step", quiet=True)
    with memory:
        with pytest.raises(RuntimeError, match="track_memory 'step' is in a block already"):
            memory.__enter__()
        assert memory.peak is None
    with memory:
        pass
    with pytest.raises(RuntimeError, match="track_memory 'step' is not in a block"):
        memory.__exit__(None, None, None)


def test_one_that_is_lost_in_its_block_is_closed():
    memory = wi.track_memory(quiet=True)
    memory.__enter__()
    del memory
    with wi.track_memory(quiet=True) as next_one:
        pass
    assert next_one.peak_is_exact


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="label must be str, not int"):
        wi.track_memory(3)
    with pytest.raises(TypeError, match=r"stream must have a method write\(\), and int has none"):
        wi.track_memory(stream=3)
