"""contextmanager: a generator function as a manager."""

from ._functions import manager_function
from ._within import _GeneratorContextManager, generator_manager


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
    return manager_function(_GeneratorContextManager, generator_manager, func)


contextmanager.__module__ = "within.contextlib"
