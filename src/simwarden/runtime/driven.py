"""A machine of the five calls on a link: what comes goes in, what it says goes out, its timer runs on the clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from simwarden.runtime.machine_timer import MachineTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.machine.timer import Timer
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site

#: seconds until an element that fails looks again whether it may do what is due
_PAUSE = 1.0
Event = TypeVar("Event")
E_co = TypeVar("E_co", covariant=True)


class Machine(Protocol[E_co]):
    """One end of a connection without I/O, as `machine` has them."""

    @property
    def over(self) -> bool:
        """Whether the link is of no use any more."""

    def receive(self, data: bytes, now: float) -> None:
        """Take octets."""

    def data_to_send(self) -> list[bytes]:
        """Return what to send, and forget it."""

    def events(self) -> Sequence[E_co]:
        """Return what happened, and forget it."""

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""

    def on_timer(self, now: float) -> None:
        """Do what is due."""

    def lost(self) -> None:
        """Take note that the connection is gone."""


class Driven(Generic[Event]):
    """Drives one machine on one link; `take` is told of its events, and may have it do something at once.

    Whoever has the machine do something at another time calls `settle` afterwards. While its element fails
    (`Site.injected_fault`), what comes is lost on it.
    """

    def __init__(self, site: Site, link: Link, machine: Machine[Event], take: Callable[[Event], None]) -> None:
        self.site, self.link = site, link
        self._machine, self._take = machine, take
        self._timer = MachineTimer(site.clock, self._on_timer, internal=link.internal)
        self._settling = self._settled_soon = False
        link.on_receive, link.on_close = self._receive, self._lost
        self.settle()

    def settle(self) -> None:
        """Tell what happened, send what there is to send, arm the timer, and close a link that is over."""
        if self._settling:
            return
        self._settling = True
        try:
            self._exchange()
        finally:
            self._settling = False
        self._timer.arm(self._machine.next_timer() if self.link.up else None)
        if self._machine.over:
            self.link.close()

    def settle_soon(self) -> None:
        """Settle in the next turn of the loop, once for all that is done in this one."""
        if not self._settled_soon:
            self._settled_soon = True
            asyncio.get_running_loop().call_soon(self._settle_now)

    def _settle_now(self) -> None:
        self._settled_soon = False
        if self.link.up:
            self.settle()

    def _exchange(self) -> None:
        while True:
            events = self._machine.events()
            for event in events:
                self._take(event)
            self.link.send_together(self._machine.data_to_send())
            if not events:
                return

    def drop(self, reason: str = "closed by peer") -> None:
        """Leave the link without a word of the protocol."""
        self._timer.arm(None)
        self.link.close(reason)

    def _receive(self, data: bytes, _stream: int) -> None:
        self.link.record_received(data)
        if self.site.injected_fault is None:
            self._machine.receive(data, self.site.clock.now())
            self.settle()

    def _on_timer(self, now: float) -> None:
        if self.site.injected_fault is not None:  # what is due stays so: to arm for it would be to expire without end
            if self.link.up:
                self.site.clock.call_later(_PAUSE, lambda: self._on_timer(self.site.clock.now()))
            return
        self._machine.on_timer(now)
        self.settle()

    def _lost(self, _reason: str) -> None:
        self._machine.lost()
        self.settle()
