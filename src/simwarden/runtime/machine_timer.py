"""The timer of a machine, armed on the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.machine.timer import Timer
    from simwarden.runtime.clock import Clock
    from simwarden.runtime.clock import Timer as ClockTimer


class MachineTimer:
    """Calls `on_timer` of a machine on one link with the time when it is due, then `settle`.

    `internal`: both ends of the link are in this process.
    """

    __slots__ = ("_armed", "_clock", "_internal", "_on_timer", "_settle", "_timer")

    def __init__(
        self,
        clock: Clock,
        on_timer: Callable[[float], object],
        settle: Callable[[], object] = lambda: None,
        *,
        internal: bool,
    ) -> None:
        self._clock, self._on_timer, self._settle, self._internal = clock, on_timer, settle, internal
        self._armed: Timer | None = None
        self._timer: ClockTimer | None = None

    def arm(self, wanted: Timer | None) -> None:
        """Arm for a timer; one that is armed for an earlier time stays, and the machine finds then that it is early."""
        if _covers(self._armed, wanted):
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = wanted
        if wanted is None:
            return
        seconds = max(0.0, wanted.deadline - self._clock.now())
        if wanted.keep_alive:
            self._timer = self._clock.keep_alive(seconds, self._due, internal=self._internal)
        else:
            self._timer = self._clock.call_later(seconds, self._due)

    def _due(self) -> None:
        self._armed = self._timer = None
        self._on_timer(self._clock.now())
        self._settle()


def _covers(armed: Timer | None, wanted: Timer | None) -> bool:
    """Whether the armed timer expires in time for the wanted one."""
    if armed is None or wanted is None:
        return False
    return armed.keep_alive == wanted.keep_alive and armed.deadline <= wanted.deadline
