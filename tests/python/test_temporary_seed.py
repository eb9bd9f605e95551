"""within.temporary_seed: what it seeds, and that all is byte for byte as it was, however and in whatever order blocks end."""

import asyncio
import ctypes
import gc
import itertools
import os
import pickle
import random
import signal
import sys
import threading
import time
import types

import pytest

import within

try:
    import numpy
except ImportError:
    numpy = None

FIRST = 0.6394267984578837  # of random.seed(42)
LIBC = ctypes.CDLL(None)
CORE = ctypes.CDLL(os.path.join(within.get_library_dir(), "libwithin.so.0"))
RNG_BYTES = 2520
for name in "initstate", "setstate", "seed48":
    getattr(LIBC, name).restype = ctypes.c_void_p
LIBC.random.restype, LIBC.drand48.restype = ctypes.c_long, ctypes.c_double
CORE.wi_thread_rng.restype = ctypes.c_void_p
CORE.wi_rng_normal.argtypes, CORE.wi_rng_normal.restype = [ctypes.c_void_p], ctypes.c_double


class Generator:
    """One of the stand-in for PyTorch."""

    def __init__(self):
        self.state = 7
        self.fails = None  # or the name of a method and what it raises

    def _do(self, what):
        if self.fails and self.fails[0] == what:
            raise self.fails[1]

    def get_state(self):
        self._do("get_state")
        return [self.state]

    def manual_seed(self, seed):
        self.state = seed
        self._do("manual_seed")
        return self

    def set_state(self, state):
        (self.state,) = state
        self._do("set_state")


class Cuda:
    """Of the stand-in: two devices, not initialised."""

    def __init__(self):
        self.ready = False
        self.devices = [Generator(), Generator()]

    def is_initialized(self):
        return self.ready

    def get_rng_state_all(self):
        self.ready = True
        return [device.get_state() for device in self.devices]

    def manual_seed_all(self, seed):
        self.ready = True
        for device in self.devices:
            device.manual_seed(seed)

    def set_rng_state_all(self, states):
        for device, state in zip(self.devices, states):
            device.set_state(state)


@pytest.fixture(autouse=True)
def torch(monkeypatch):
    """A stand-in for PyTorch, after its documentation, in sys.modules."""
    module = types.ModuleType("torch")
    module.default_generator, module.cuda = Generator(), Cuda()
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def c_states():
    """The bytes of the thread's wi_rng, of random's state and of drand48's X."""
    other = ctypes.create_string_buffer(8)
    in_use = LIBC.initstate(1, other, 8)
    LIBC.setstate(ctypes.c_void_p(in_use))
    nothing = (ctypes.c_ushort * 3)()
    x = ctypes.string_at(LIBC.seed48(nothing), 6)
    LIBC.seed48(x)
    return ctypes.string_at(CORE.wi_thread_rng(), RNG_BYTES), in_use, ctypes.string_at(in_use, 128), x


def now():
    """The state of everything, pickled: of random, and of all others."""
    torch = sys.modules["torch"]
    generators = [torch.default_generator, *torch.cuda.devices]
    legacy = numpy and numpy.random.get_state(legacy=False)
    return pickle.dumps(random.getstate()), pickle.dumps([legacy, [each.state for each in generators], c_states()])


def draw():
    """Draw from everything."""
    random.gauss(0, 1)
    if numpy:
        numpy.random.randn()
    torch = sys.modules["torch"]
    for each in [torch.default_generator, *(torch.cuda.devices if torch.cuda.ready else [])]:
        each.state += 1
    CORE.wi_rng_normal(CORE.wi_thread_rng())
    LIBC.random()
    LIBC.drand48()


@pytest.fixture
def before():
    """The state of everything, in the middle of being used; the test's end checks that it is so again."""
    draw()
    state = now()
    yield state
    assert now() == state


# ---- what is seeded ----


def test_everything_is_seeded(before, torch):
    torch.cuda.ready = True
    with within.temporary_seed(42):
        seeded = now()
        assert random.random() == FIRST
        assert [each.state for each in (torch.default_generator, *torch.cuda.devices)] == [42, 42, 42]


def c_numbers():
    """Drawn from each of the generators in C."""
    normal = CORE.wi_rng_normal(CORE.wi_thread_rng())
    return [normal, *(LIBC.random() for _ in range(5)), *(LIBC.drand48() for _ in range(5))]


def test_generators_in_c_are_seeded_as_srandom_and_srand48_do(before):
    with within.temporary_seed(42):
        found = c_numbers()
        LIBC.srandom(42)
        LIBC.srand48(42)
        assert c_numbers()[1:] == found[1:]
    assert found[0] == 0.30471707975443135  # default_rng(42).standard_normal()


def test_numpy_is_seeded_and_a_fresh_generator_is_given(before):
    np = pytest.importorskip("numpy")
    outside = np.random.default_rng(42)
    with within.temporary_seed(42) as rng:
        assert np.random.random_sample() == np.random.RandomState(42).random_sample() == 0.3745401188473625
        assert isinstance(rng, np.random.Generator)
        assert rng.random() == outside.random() == 0.7739560485559633


def test_without_numpy_nothing_is_given(before, monkeypatch):
    with monkeypatch.context() as without_numpy:
        without_numpy.setitem(sys.modules, "numpy", None)
        with within.temporary_seed(42) as rng:
            assert rng is None


def test_only_what_is_imported_is_touched(python):
    python(
        "import sys; before = set(sys.modules)\n"
        "import within\n"
        "with within.temporary_seed(42): new = set(sys.modules) - before\n"
        "assert not {'random', 'numpy', 'torch'} & new, new"
    )


@pytest.mark.parametrize("name", ["random", "numpy", "numpy.random", "torch"])
@pytest.mark.parametrize("module", [None, types.ModuleType("of the user")], ids=["None", "another"])
def test_what_only_has_the_name_of_a_library_is_left_alone(before, monkeypatch, name, module):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, name, module)
        with within.temporary_seed(42) as rng:
            assert rng is None or "numpy" not in name


def test_cuda_is_not_initialised(before, torch):
    with within.temporary_seed(42):
        assert not torch.cuda.ready and torch.cuda.devices[0].state == 7
        torch.cuda.ready = True  # by the body
    assert torch.cuda.devices[0].state == 7


@pytest.mark.parametrize("kind", ["PCG64", "SFC64"])
def test_another_bit_generator_of_numpys_global_state_is_put_back(kind):
    np = pytest.importorskip("numpy")
    legacy, other = np.random.get_bit_generator(), getattr(np.random, kind)(7)
    np.random.set_bit_generator(other)
    try:
        np.random.randn()
        state = pickle.dumps(np.random.get_state(legacy=False))
        with within.temporary_seed(42):
            assert np.random.random_sample() == 0.3745401188473625
        assert np.random.get_bit_generator() is other
        assert pickle.dumps(np.random.get_state(legacy=False)) == state
        with within.temporary_seed(42):
            np.random.set_bit_generator(legacy)
        assert np.random.get_bit_generator() is other
    finally:
        np.random.set_bit_generator(legacy)


# ---- seeds ----


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, True])
def test_seeds_of_32_bits_are_taken(before, seed):
    with within.temporary_seed(seed) as rng:
        first = random.random()
        if numpy:
            assert numpy.random.random_sample() == numpy.random.RandomState(seed).random_sample()
            assert rng.random() == numpy.random.default_rng(seed).random()
    assert first == random.Random(seed).random()


@pytest.mark.parametrize("kind", ["int64", "uint32", "int8"])
def test_integers_of_numpy_are_seeds(before, kind):
    np = pytest.importorskip("numpy")
    with within.temporary_seed(getattr(np, kind)(42)):
        assert random.random() == FIRST


@pytest.mark.parametrize(
    "seed, error", [(-1, ValueError), (2**32, ValueError), (2**80, ValueError), (1.5, TypeError), ("42", TypeError)]
)
def test_other_seeds_are_refused_as_numpy_does(before, seed, error):
    with pytest.raises(error, match=r"^temporary_seed: .* from 0 to 2\*\*32 - 1"):
        within.temporary_seed(seed)
    if numpy:
        with pytest.raises(error):
            numpy.random.RandomState(seed)


def test_none_is_no_seed():
    with pytest.raises(TypeError, match="not None"):
        within.temporary_seed(None)


# ---- ways out ----


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_puts_all_back(before, kind):
    with pytest.raises(kind), within.temporary_seed(42):
        draw()
        raise kind


def test_sys_exit_puts_all_back(before):
    with pytest.raises(SystemExit), within.temporary_seed(42):
        draw()
        sys.exit(3)


def suspended():
    with within.temporary_seed(42):
        draw()
        yield now()
        draw()


def test_a_generator_that_is_closed_puts_all_back(before):
    generator = suspended()
    assert next(generator) == now() != before
    generator.close()
    assert now() == before
    for _ in suspended():
        break
    gc.collect()


def test_a_task_that_is_cancelled_puts_all_back(before):
    @within.temporary_seed(42)
    async def wait():
        draw()
        await asyncio.sleep(60)

    async def cancel():
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_an_object_can_be_used_again_after_its_block(before):
    seed = within.temporary_seed(42)
    for _ in range(2):
        with seed:
            assert random.random() == FIRST
    with seed:
        with pytest.raises(RuntimeError, match=r"within.temporary_seed\(42\) is open already"), seed:
            pass
        assert random.random() == FIRST
    with pytest.raises(RuntimeError, match="is not open"):
        seed.__exit__(None, None, None)


# ---- blocks in blocks, and in any order ----


def test_blocks_nest(before):
    with within.temporary_seed(1):
        draw()
        inside = now()
        with within.temporary_seed(2):
            draw()
        assert now() == inside


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))], ids=str)
def test_blocks_are_left_in_any_order(before, torch, order):
    torch.cuda.ready = True
    with within.temporary_seed(9):
        draw()
        around = now()
        blocks = [within.temporary_seed(seed) for seed in range(3)]
        for block in blocks:
            block.__enter__()
            draw()
        left = set()
        for which in order:
            newest = max(set(range(3)) - left)
            inside = now()
            blocks[which].__exit__(None, None, None)
            left.add(which)
            assert which == newest or now() == inside
        assert now() == around


def test_a_library_that_only_an_inner_block_knows_is_put_back_by_it(before, torch):
    older, newer = within.temporary_seed(1), within.temporary_seed(2)
    older.__enter__()
    torch.cuda.ready = True
    newer.__enter__()
    older.__exit__(None, None, None)
    assert torch.cuda.devices[0].state == 2
    newer.__exit__(None, None, None)


# ---- what fails ----


@pytest.mark.parametrize("what", ["get_state", "manual_seed"])
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_begin_that_fails_puts_all_back(before, torch, what, kind):
    torch.cuda.ready = True
    torch.cuda.devices[1].fails = what, kind("no device")
    block = within.temporary_seed(42)
    with pytest.raises(kind, match="no device"), block:
        pytest.fail("the block was run")
    assert now() == before
    torch.cuda.devices[1].fails = None
    with block:
        assert torch.cuda.devices[1].state == 42


def test_nothing_is_seeded_before_all_is_captured(torch):
    seen = []
    torch.cuda.ready = True
    torch.cuda.devices[1].get_state = lambda: seen.append(now()) or [7]
    before = now()
    with within.temporary_seed(42):
        pass
    assert seen == [before]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_restore_that_fails_keeps_none_of_the_others_from_it(before, torch, kind):
    torch.cuda.ready = True
    torch.default_generator.fails = "set_state", kind("the first")
    torch.cuda.devices[1].fails = "set_state", kind("the second")
    with pytest.raises(kind, match="the first") as raised, within.temporary_seed(42):
        draw()
        raise ValueError("of the body")
    assert str(raised.value.__context__) == "the second"
    assert str(raised.value.__context__.__context__) == "of the body"


# ---- decorators ----


def test_functions_are_seeded_at_each_call(before):
    @within.temporary_seed(42)
    def noise(depth=0):
        """Noise."""
        first = random.random()
        return [first] if depth == 0 else [first, *noise(depth - 1), random.random()]

    assert noise() == [FIRST] and noise.__doc__ == "Noise."
    assert noise(1) == [FIRST, FIRST, noise(1)[2]]


def test_generator_functions_are_seeded_until_their_end(before):
    @within.temporary_seed(42)
    def noise():
        yield random.random()
        yield random.random()

    assert [*noise()] == [*noise()]
    half = noise()
    assert now() == before and next(half) == FIRST and now() != before
    half.close()


def test_coroutine_functions_are_seeded(before):
    @within.temporary_seed(42)
    async def noise():
        await asyncio.sleep(0)
        return random.random()

    @within.temporary_seed(42)
    async def noises():
        yield random.random()

    async def all_of_them():
        return [await noise(), [each async for each in noises()]]

    assert asyncio.run(all_of_them()) == [FIRST, [FIRST]]


def test_methods_are_decorated_and_classes_are_not(before):
    class Model:
        @within.temporary_seed(42)
        def one(self):
            return random.random()

        @within.temporary_seed(42)
        @staticmethod
        def other():
            return random.random()

    assert Model().one() == Model.other() == FIRST
    with pytest.raises(TypeError, match=r"^temporary_seed\(42\) decorates functions, not class 'Model'$"):
        within.temporary_seed(42)(Model)


# ---- threads and processes ----


@pytest.fixture
def busy_thread(torch):
    """A thread that is in the middle of entering a block, and leaves it when the test is over."""
    inside, over, test = threading.Event(), threading.Event(), threading.get_ident()

    def get_state():
        if threading.get_ident() != test:
            inside.set()
            time.sleep(0.05)
        return [torch.default_generator.state]

    def run():
        with within.temporary_seed(1):
            over.wait()

    torch.default_generator.get_state = get_state
    thread = threading.Thread(target=run)
    thread.start()
    inside.wait()
    yield
    over.set()
    thread.join()


def test_one_block_at_a_time_is_entered(before, busy_thread):
    with within.temporary_seed(42):
        time.sleep(0.1)
        assert random.random() == FIRST


def test_a_child_that_is_forked_while_a_block_is_entered_can_enter_another(before, busy_thread):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        with within.temporary_seed(2):
            random.random()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_block_may_be_left_on_another_thread(before):
    generator = suspended()
    next(generator)
    thread = threading.Thread(target=generator.close)
    thread.start()
    thread.join()


def test_both_sides_of_a_fork_put_back_their_own(before):
    with within.temporary_seed(42):
        draw()
        inside = now()
        child = os.fork()
        same = now()[1] == inside[1]
    if child == 0:
        with within.temporary_seed(1):
            draw()
        os._exit(0 if same and now()[1] == before[1] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_forked_child_keeps_the_seed_that_python_gives_it(before):
    end, other_end = os.pipe()
    with within.temporary_seed(42):
        child = os.fork()
        if child == 0:
            numbers = [random.random()]
    if child == 0:
        numbers += [random.random()]
        with within.temporary_seed(42):
            numbers += [random.random()]
        os.write(other_end, pickle.dumps([*numbers, random.random()]))
        os._exit(0)
    os.waitpid(child, 0)
    first, second, third, fourth = pickle.loads(os.read(end, 1000))
    os.close(end), os.close(other_end)
    state = random.getstate()
    mine = [random.random() for _ in range(4)]
    random.setstate(state)
    assert third == FIRST != first and not {first, second, fourth} & {*mine}


# ---- memory ----


def use():
    with within.temporary_seed(42):
        pass


def fail():
    try:
        with within.temporary_seed(42):
            raise ValueError
    except ValueError:
        pass


def abandon():
    within.temporary_seed(42)
    next(suspended())


@pytest.mark.parametrize("uses", [use, fail, abandon], ids=lambda uses: uses.__name__)
def test_nothing_is_left_behind(lost_references, uses):
    assert lost_references(uses, uses=3000, noise=0.05) < 0.05


# ---- PyTorch itself, where it is ----


def test_torch_itself(python):
    done = python(
        "import importlib.util, sys\n"
        "if not importlib.util.find_spec('torch'): sys.exit(77)\n"
        "import torch, within\n"
        "generators = [torch.get_rng_state] + [torch.cuda.get_rng_state_all] * torch.cuda.is_available()\n"
        "before = [str(each()) for each in generators]\n"
        "with within.temporary_seed(42): first = torch.rand(3)\n"
        "assert [str(each()) for each in generators] == before\n"
        "torch.default_generator.manual_seed(42)\n"
        "assert torch.equal(torch.rand(3), first)\n",
        fails=True,
    )
    if done.returncode == 77:
        pytest.skip("there is no torch")
    assert done.returncode == 0, done.stderr
