"""Work that blocks on somebody else, in threads which the end of the process does not wait for.

Nobody can hurry a resolver, a connect or a peer that says nothing; and the threads of the loop's own executor are for
work that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Threads:
    """At most so many at the same time."""

    def __init__(self, most: int) -> None:
        self._room = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], T]) -> T:
        """Do work in a thread, and return or raise what it does."""
        async with self._room:
            return await _begun(work)


def _begun(work: Callable[[], T]) -> asyncio.Future[T]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def end(take: Callable[[Any], None], what: object) -> None:
        if not done.done():  # else nobody waits for it any more
            take(what)

    def run() -> None:
        try:
            over = partial(end, done.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            over = partial(end, done.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(over)

    threading.Thread(target=run, daemon=True).start()
    return done
