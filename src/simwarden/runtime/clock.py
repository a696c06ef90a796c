"""The one clock from which protocol timers and the calendar come."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.loop import TestbedLoop

T = TypeVar("T")
#: the time zone of the operator's calendar, where no file sets another one: China, UTC+8
CHINA = dt.timezone(dt.timedelta(hours=8))
#: when a virtual run begins; a fixed date, so that the same seed gives the same records
EPOCH = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
#: real seconds without traffic after which a run on the real clock counts as settled
_REAL_PAUSE = 0.02
#: seconds that who works for long lets others go first at most, so that it gets on under load as well
_MOMENT = 0.005


def time_zone(utc_offset: float) -> dt.timezone:
    """Return the time zone that is some hours ahead of UTC."""
    return dt.timezone(dt.timedelta(hours=utc_offset))


class Timer:
    """A timer that can be stopped. Of a skipped keep-alive only the time of its arming is kept."""

    __slots__ = ("_armed_at", "_clock", "_handle", "_period")

    def __init__(self, clock: Clock, period: float, handle: asyncio.TimerHandle | None) -> None:
        self._clock, self._period, self._handle, self._armed_at = clock, period, handle, clock.now()

    def cancel(self) -> None:
        """Stop the timer; harmless when it has run out or was stopped before."""
        if self._handle is not None:
            self._handle.cancel()
        elif self._period:
            self._clock.keep_alives_skipped += int((self._clock.now() - self._armed_at) / self._period)
            self._period = 0.0


class Clock:
    """Time of a run: `now()` in seconds from its start, `wall()` as a date; timers and sleeping."""

    def __init__(self, loop: TestbedLoop, epoch: dt.datetime | None = None) -> None:
        self._loop = loop
        self._epoch = epoch or (EPOCH if loop.virtual else dt.datetime.now(dt.UTC))
        self.keep_alives_skipped = 0
        #: scenarios about keep-alives set this to False
        self.skip_keep_alives = loop.virtual
        #: the operator's time zone (`utc_offset` of a network or `serve` file), by which all calendars go
        self.zone = CHINA

    @property
    def virtual(self) -> bool:
        """Whether time jumps when all is quiet."""
        return self._loop.virtual

    def now(self) -> float:
        """Seconds since the start of the run."""
        return self._loop.time()

    def wall(self) -> dt.datetime:
        """The date and time of day, UTC."""
        return self._epoch + dt.timedelta(seconds=self.now())

    def local(self, when: float | None = None) -> dt.datetime:
        """Return the operator's date and time of day, now or at a time (POSIX): days, months and hours begin by it."""
        return self.wall().astimezone(self.zone) if when is None else dt.datetime.fromtimestamp(when, self.zone)

    def month(self, when: float | None = None) -> str:
        """Return the operator's calendar month (`2026-03`), now or at a time (POSIX)."""
        local = self.local(when)
        return f"{local.year}-{local.month:02}"

    def next_month(self) -> int:
        """Return the start of the operator's next calendar month, in POSIX seconds."""
        begin = self.local().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return round((begin + dt.timedelta(days=32)).replace(day=1).timestamp())

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back after `delay` seconds unless the timer is cancelled."""
        return Timer(self, 0.0, self._loop.call_later(delay, callback))

    def keep_alive(self, period: float, callback: Callable[[], None], *, internal: bool) -> Timer:
        """Arm a timer of a keep-alive (watchdog, echo, BEAT, enquire-link) that falls due in `period` seconds.

        While time is virtual and both ends are in this process (`internal`) it never runs out, and holds no jump back:
        it is counted as skipped for every period that passes until it is cancelled.
        """
        if internal and self.skip_keep_alives:
            return Timer(self, period, None)
        return self.call_later(period, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        await asyncio.sleep(seconds)

    async def off_loop(self, compute: Callable[..., T], *args: Any) -> T:
        """Compute something that takes long, in a thread, so that others are served meanwhile.

        On virtual time it is computed at once: nobody waits in real time, and threads end in an order of their own.
        """
        if self.virtual:
            return compute(*args)
        found: T = await self._loop.run_in_executor(None, compute, *args)
        return found

    async def settle(self) -> None:
        """Wait, without letting virtual time pass, until nothing is ready and nothing is in flight."""
        await self._loop.idle()
        if not self.virtual:
            await asyncio.sleep(_REAL_PAUSE)
            await self._loop.idle()

    async def give_way(self) -> None:
        """Let all go first that is ready or in flight, for a moment at most: between the slices of long work."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT):
                await self._loop.idle()
