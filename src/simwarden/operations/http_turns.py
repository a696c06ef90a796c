"""Calls of an HTTP interface take turns, so that no caller stops the element: before each one all goes that is ready.

The operator's calls come first; those of others take turns by caller, so that one with a hundred connections waits for
itself only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simwarden.runtime.clock import Clock


class Turns:
    """Who waits for a turn, by caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: dict[str, deque[asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def take(self, caller: str, *, first: bool) -> None:
        """Wait for a turn; `first`: before all callers who are not."""
        turn = asyncio.get_running_loop().create_future()
        (self._first if first else self._others.setdefault(caller, deque())).append(turn)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._give())
        await turn

    async def _give(self) -> None:
        while self._first or self._others:
            await self._clock.give_way()
            turn = self._next()
            if not turn.done():  # else its caller has left
                turn.set_result(None)

    def _next(self) -> asyncio.Future[None]:
        if self._first:
            return self._first.popleft()
        caller = next(iter(self._others))
        waiting = self._others.pop(caller)
        turn = waiting.popleft()
        if waiting:
            self._others[caller] = waiting  # behind all others
        return turn
