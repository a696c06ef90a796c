"""The event loop of a run: real sockets, and a clock that jumps to the next timer when all is quiet.

Nothing is delivered while anything else is ready to run, and then one frame at a time in the order of sending
(see `frame_queue`). That gives the same order of everything on every transport, with virtual time and without.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from typing import TYPE_CHECKING, Any

from simwarden.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from concurrent.futures import Executor

    from simwarden.runtime.frame_queue import FrameQueue

#: seconds of real time after which bytes that were written but not read mean that a link of ours is broken
STUCK_AFTER = 1.0


class _Selector(selectors.DefaultSelector):
    """The system's selector, which asks the loop what to do when it would have to wait."""

    def __init__(self, loop: TestbedLoop) -> None:
        super().__init__()
        self._loop = loop
        #: waits for what is registered, as the system does
        self.wait = super().select

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop's own pipe is always registered; without other sockets and threads there is nothing to poll for.
        watched: Sized = self._fd_to_key  # type: ignore[attr-defined]  # what its base class keeps
        ready = self.wait(0) if len(watched) > 1 or self._loop.jobs else []
        return ready or ([] if timeout is not None and timeout <= 0 else self._loop.when_idle(timeout))


class TestbedLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with virtual (`virtual=True`) or real time, both counted in seconds from its creation."""

    __test__ = False  # pytest: not a test, in spite of its name

    def __init__(self, *, virtual: bool) -> None:
        self.virtual = virtual
        self.in_flight: FrameQueue | None = None
        self._now = 0.0
        self._origin = time.monotonic()
        self.jobs = 0
        self._idle_waiters: list[asyncio.Future[None]] = []
        self._clock_resolution: float
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Seconds since this loop was made, virtual or real."""
        return self._now if self.virtual else time.monotonic() - self._origin

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run in a thread; the virtual clock stands still meanwhile."""
        self.jobs += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """End the threads that are idle; the virtual clock stands still meanwhile."""
        self.jobs += 1
        try:
            await super().shutdown_default_executor(*args, **options)
        finally:
            self.jobs -= 1

    def idle(self) -> asyncio.Future[None]:
        """Return a future that is done when nothing is ready and nothing is in flight, at the present time."""
        waiter: asyncio.Future[None] = self.create_future()
        self._idle_waiters.append(waiter)
        return waiter

    def next_timer(self) -> float | None:
        """Return when the next timer runs out, as `time()` counts; None if none is armed."""
        armed: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # asyncio's heap of timers
        return min((handle.when() for handle in armed if not handle.cancelled()), default=None)

    def armed(self) -> list[str]:
        """Name the timers that have not run out, by what they call."""
        pending: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # as above
        calls = [handle._callback for handle in pending if not handle.cancelled()]  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        functions = (getattr(call, "func", call) for call in calls)
        return [f"{getattr(each, '__module__', '')}.{getattr(each, '__qualname__', '')}" for each in functions]

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        self.jobs -= 1

    def when_idle(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Deliver a frame, wait for bytes on their way, or let time pass: nothing is ready. Returns ready sockets."""
        delivery = self.in_flight.take_next() if self.in_flight is not None else None
        if delivery is not None:
            self.call_soon(delivery)
            return []
        on_its_way = self.in_flight.waiting_for() if self.in_flight is not None else ""
        if on_its_way or self.jobs:
            return self._wait_for_bytes(on_its_way, timeout)
        if self._idle_waiters:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            return []
        if not self.virtual:
            return self._system_select(timeout)
        if timeout is None:
            raise InternalError("the run waits for something that can never happen: no timer, no frame in flight")
        self._now = max(self._now + timeout, math.nextafter(self._now, math.inf))
        # asyncio runs the timers before `now + resolution`: none after 194 days, when a nanosecond is lost in a float.
        self._clock_resolution = max(self._clock_resolution, math.ulp(self._now))
        return []

    def _wait_for_bytes(self, link: str, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.virtual:
            return self._system_select(min(STUCK_AFTER, timeout or STUCK_AFTER))
        ready = self._system_select(STUCK_AFTER)
        if not ready and not self.jobs:
            raise InternalError(f"bytes written on link {link} were not read within {STUCK_AFTER:g} s of real time")
        return ready

    def _system_select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        selector: _Selector = self._selector  # type: ignore[attr-defined]  # asyncio keeps what we gave it
        return selector.wait(timeout)
