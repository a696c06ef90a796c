"""Requests that wait for their answers, by the number that an answer carries."""

from __future__ import annotations

import asyncio
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Pending(dict[K, asyncio.Future[T]]):
    """What waits, by key. The deadline is the protocol machine's, which ends a request with an event of its own."""

    __slots__ = ()

    def expect(self, key: K) -> asyncio.Future[T]:
        """Begin to wait for the answer that carries `key`."""
        self[key] = future = asyncio.get_running_loop().create_future()
        return future

    def settle(self, key: K, outcome: T | Exception) -> None:
        """End a wait, if there is one still, by the answer or by what is raised in its place."""
        future = self.pop(key, None)
        if future is None or future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
