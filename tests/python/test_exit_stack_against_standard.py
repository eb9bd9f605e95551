"""Random exit stacks, the same program on the standard library and on ours: what exits saw must be equal."""

import asyncio
import contextlib
import random

import pytest
import within.contextlib


class Error(Exception):
    """One whose identity is its number."""


def chain(error):
    """An exception with all its contexts, as numbers; rings are cut."""
    numbers, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        numbers.append((type(error).__name__, *error.args))
        error = error.__context__
    return tuple(numbers)


class Program:
    """A body and its exits, chosen by a seed; each exit logs what it was given, then does something."""

    def __init__(self, seed):
        random_ = random.Random(seed)
        self.exits = [
            (random_.choice(["callback", "push", "enter"]), random_.choice(ACTIONS), random_.random() < 0.5)
            for _ in range(random_.randrange(7))
        ]
        self.body_raises = random_.random() < 0.7
        self.outside = random_.random() < 0.5
        self.made = []
        self.log = []

    def error(self, number):
        error = Error(number)
        self.made.append(error)
        return error

    def act(self, number, action, details):
        """What an exit does, given (type, value, traceback)."""
        type_, value, traceback = details
        self.log.append((number, getattr(type_, "__name__", None), chain(value), traceback is None))
        if action == "suppress":
            return True
        if action == "raise":
            raise self.error(number)
        if action == "again" and value is not None:
            raise value
        if action == "from" and value is not None:
            raise self.error(number) from value
        if action == "handled":
            try:
                raise self.error(-number)
            except Error:
                raise self.error(number)
        if action == "unchained":
            error = self.error(number)
            try:
                raise error
            finally:
                error.__context__ = None
        if action == "old" and self.made:
            raise self.made[0]
        return None

    def manager(self, number, action):
        program = self

        class Manager:
            def __enter__(self):
                return number

            def __exit__(self, *details):
                return program.act(number, action, details)

            async def __aenter__(self):
                await asyncio.sleep(0)
                return number

            async def __aexit__(self, *details):
                await asyncio.sleep(0)
                return program.act(number, action, details)

        return Manager()

    def put_down(self, stack):
        for number, (how, action, _) in enumerate(self.exits, 1):
            if how == "callback":
                stack.callback(self.act, number, action, (None, None, None))
            elif how == "push":
                stack.push(lambda *details, n=number, a=action: self.act(n, a, details))
            else:
                self.log.append(stack.enter_context(self.manager(number, action)))

    async def put_down_async(self, stack):
        async def act(*args):
            await asyncio.sleep(0)
            return self.act(*args)

        for number, (how, action, is_async) in enumerate(self.exits, 1):
            if not is_async:
                self.exits, saved = [(how, action, False)], self.exits
                self.put_down(stack)
                self.exits = saved
            elif how == "callback":
                stack.push_async_callback(act, number, action, (None, None, None))
            elif how == "push":
                stack.push_async_exit(lambda *details, n=number, a=action: act(n, a, details))
            else:
                self.log.append(await stack.enter_async_context(self.manager(number, action)))

    def body(self):
        if self.body_raises:
            raise self.error(0)

    def run(self, lib):
        with lib.ExitStack() as stack:
            self.put_down(stack)
            self.body()

    async def run_async(self, lib):
        async with lib.AsyncExitStack() as stack:
            await self.put_down_async(stack)
            self.body()

    def outcome(self, call):
        try:
            if self.outside:
                try:
                    raise Error("outside")
                except Error:
                    call()
            else:
                call()
        except Exception as error:
            self.log.append(("raised", chain(error)))
        return self.log


ACTIONS = [None, None, "suppress", "raise", "again", "from", "handled", "unchained", "old"]


@pytest.mark.parametrize("block", range(4))
def test_random_stacks(block):
    for seed in range(block * 500, block * 500 + 500):
        logs = []
        for lib in (contextlib, within.contextlib):
            program = Program(seed)
            logs.append(program.outcome(lambda: program.run(lib)))
        assert logs[0] == logs[1], f"seed {seed}"


@pytest.mark.parametrize("block", range(2))
def test_random_asynchronous_stacks(block):
    loop = asyncio.new_event_loop()
    try:
        for seed in range(block * 300, block * 300 + 300):
            logs = []
            for lib in (contextlib, within.contextlib):
                program = Program(seed)
                logs.append(program.outcome(lambda: loop.run_until_complete(program.run_async(lib))))
            assert logs[0] == logs[1], f"seed {seed}"
    finally:
        loop.close()
