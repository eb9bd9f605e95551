"""contextmanager and asynccontextmanager: a generator function as a maker of managers."""

from . import _framed, _within
from ._functions import manager_function


def contextmanager(func):
    """Make managers of a generator function with one ``yield``.

    What comes before the ``yield`` runs when a block is entered, its value is what ``as`` names, and what
    comes after runs at the block's end. An error of the block is raised at the ``yield``.

    Parameters
    ----------
    func : generator function
        With one ``yield`` on each of its ways.

    Returns
    -------
    function
        With the parameters of `func`; it returns a manager, which is also a decorator.

    Examples
    --------
    >>> @contextmanager
    ... def doubled(value):
    ...     print("enter")
    ...     yield 2 * value
    ...     print("exit")
    >>> with doubled(21) as answer:
    ...     print(answer)
    enter
    42
    exit
    """
    if _framed.counts_frames(func):
        return manager_function(_framed._GeneratorContextManager, func)
    return manager_function(_within._GeneratorContextManager, func, _within.generator_manager)


def asynccontextmanager(func):
    """Make managers for ``async with`` of an asynchronous generator function with one ``yield``.

    Parameters
    ----------
    func : asynchronous generator function
        With one ``yield`` on each of its ways; as for `contextmanager`.

    Returns
    -------
    function
        With the parameters of `func`; it returns a manager, which is also a decorator of coroutine
        functions.

    Examples
    --------
    >>> import asyncio
    >>> @asynccontextmanager
    ... async def opened(name):
    ...     print("open", name)
    ...     yield name
    ...     print("close", name)
    >>> async def main():
    ...     async with opened("a") as name:
    ...         print("use", name)
    >>> asyncio.run(main())
    open a
    use a
    close a
    """
    if _framed.counts_frames(func):
        return manager_function(_framed._AsyncGeneratorContextManager, func)
    return manager_function(
        _within._AsyncGeneratorContextManager, func, _within.async_generator_manager
    )


asynccontextmanager.__module__ = "within.contextlib"
contextmanager.__module__ = "within.contextlib"
