"""Nothing of within.contextlib leaves a reference or memory behind, however often it is used and however it ends."""

import io
import sys

import pytest

import within.contextlib as contextlib


def drive(coroutine):
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def raising(manager):
    try:
        with manager:
            raise ValueError
    except ValueError:
        pass


async def asynchronously(manager, error=None):
    try:
        async with manager:
            if error:
                raise error
    except ValueError:
        pass


class Closable:
    def close(self):
        pass

    async def aclose(self):
        pass


@contextlib.contextmanager
def generator():
    yield 1


@contextlib.contextmanager
def handling():
    try:
        yield 1
    except ValueError:
        pass


@contextlib.asynccontextmanager
async def async_generator():
    yield 1


@contextlib.contextmanager
def never():
    if False:
        yield


@contextlib.contextmanager
def twice():
    yield
    yield


class Decorating(contextlib.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


class AsyncDecorating(contextlib.AsyncContextDecorator):
    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        return None


class Entering(contextlib.AbstractContextManager):
    def __exit__(self, *error):
        return None


class AsyncEntering(contextlib.AbstractAsyncContextManager):
    async def __aexit__(self, *error):
        return None


@generator()
def decorated(x):
    return x


@Decorating()
def plainly_decorated(x):
    return x


@AsyncDecorating()
async def async_decorated(x):
    return x


def stack():
    with contextlib.ExitStack() as managers:
        managers.enter_context(generator())
        managers.push(Entering())
        managers.callback(list, (1, 2))
        managers.pop_all().close()
        managers.enter_context(generator())


def raising_stack():
    managers = contextlib.ExitStack()
    managers.enter_context(handling())
    managers.callback(list, (1, 2))
    raising(managers)


async def async_stack(error=None):
    managers = contextlib.AsyncExitStack()
    await managers.enter_async_context(async_generator())
    managers.push_async_callback(Closable().aclose)
    managers.enter_context(generator())
    await asynchronously(managers, error)


def cycle():
    managers = contextlib.ExitStack()
    managers.callback(list, managers)
    managers.itself = managers


def with_(manager):
    with manager:
        pass


def failing(function, error):
    with pytest.raises(error):
        function()


def not_a_manager():
    with contextlib.ExitStack() as managers:
        managers.enter_context(1)


USES = {
    "contextmanager passes": lambda: with_(generator()),
    "contextmanager raises": lambda: raising(generator()),
    "contextmanager handles": lambda: raising(handling()),
    "contextmanager decorates": lambda: decorated(1),
    "contextmanager abandoned": lambda: generator(),
    "contextmanager half open": lambda: generator().__enter__(),
    "contextmanager never yields": lambda: failing(lambda: with_(never()), RuntimeError),
    "contextmanager does not stop": lambda: failing(lambda: with_(twice()), RuntimeError),
    "contextmanager defined": lambda: contextlib.contextmanager(lambda: None),
    "asynccontextmanager passes": lambda: drive(asynchronously(async_generator())),
    "asynccontextmanager raises": lambda: drive(asynchronously(async_generator(), ValueError())),
    "closing": lambda: with_(contextlib.closing(Closable())),
    "aclosing": lambda: drive(asynchronously(contextlib.aclosing(Closable()))),
    "nullcontext": lambda: with_(contextlib.nullcontext(object())),
    "nullcontext raises": lambda: raising(contextlib.nullcontext([])),
    "AbstractContextManager": lambda: raising(Entering()),
    "AbstractAsyncContextManager": lambda: drive(asynchronously(AsyncEntering())),
    "AsyncExitStack": lambda: drive(async_stack()),
    "AsyncExitStack raises": lambda: drive(async_stack(ValueError())),
    "ContextDecorator": lambda: plainly_decorated(1),
    "AsyncContextDecorator": lambda: drive(async_decorated(1)),
    "ExitStack": stack,
    "ExitStack raises": raising_stack,
    "ExitStack in a cycle": cycle,
    "ExitStack refuses": lambda: failing(not_a_manager, (TypeError, AttributeError)),
    "redirect_stdout": lambda: with_(contextlib.redirect_stdout(io.StringIO())),
    "redirect_stderr": lambda: raising(contextlib.redirect_stderr(io.StringIO())),
    "suppress": lambda: with_(contextlib.suppress(OSError)),
    "suppress swallows": lambda: raising(contextlib.suppress(KeyError, ValueError)),
    "suppress passes on": lambda: raising(contextlib.suppress(KeyError)),
}
if hasattr(contextlib, "chdir"):
    USES["chdir"] = lambda: with_(contextlib.chdir("."))


@pytest.mark.parametrize("name", USES)
def test_nothing_is_left_behind(lost_references, name):
    assert lost_references(USES[name]) < 0.01


def test_every_public_name_is_used():
    assert {*contextlib.__all__, "AsyncContextDecorator"} == {name.split()[0] for name in USES}


def test_a_loss_is_seen(lost_references):
    """Each list is a block, and in a debug build a reference too."""
    kept = []
    lost = lost_references(lambda: kept.append([]), uses=1000)
    assert lost >= 1 or not sys.getallocatedblocks()  # none are counted where malloc stands in for pymalloc
