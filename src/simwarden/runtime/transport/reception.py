"""Who may stand at a listener from outside this process: so many at the same time, and strangers only for a while.

A peer is a stranger until its element has understood a first message of its and calls `Link.know`. Where a reference
point has no first message (SGi), it may stay one for as long as there is room. A flood of
strangers cannot keep a peer out: when their room is full, the one that leaves is the oldest of the address that has
most of them there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from simwarden.machine.fairness import oldest_of_busiest
from simwarden.model.address import is_within
from simwarden.runtime.declare import Model, Seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.base import Accept

#: seconds that Diameter and MQTT wait for a first message by themselves (`Timers.capabilities`, `CONNECT_TIME`)
LONGEST_PATIENCE = 10.0
#: reason of the fault for a peer outside the `allow` of a `serve` file
NOT_ALLOWED: Final = "its address is not allowed here"


def is_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Return True if a peer may send from an address; without networks every address may."""
    return not allowed or is_within(host, allowed)


class Limits(Model):
    """How many peers from outside may be connected to an interface, and how long they may stay silent."""

    connections: Annotated[int, Field(ge=1)] = 512
    """Connections to one interface at the same time; one more is closed unless a stranger can make room for it."""
    strangers: Annotated[int, Field(ge=1)] = 64
    """Of them, connections whose peer has sent no valid first message yet (CER, S1 SETUP REQUEST, CONNECT...)."""
    patience: Annotated[Seconds, Field(gt=0, le=LONGEST_PATIENCE)] = LONGEST_PATIENCE
    """How long a connection may stay without such a message."""


class Reception:
    """The peers from outside at one listener, restricted to the networks in `allowed` if there are any."""

    def __init__(self, limits: Limits, allowed: Sequence[str] = ()) -> None:
        self._limits, self._allowed = limits, allowed
        self._strangers: dict[Link, asyncio.TimerHandle | None] = {}
        self._known: set[Link] = set()

    def receive(self, link: Link, accept: Accept) -> None:
        """Hand a new connection to its element, after making room for it; close it if there can be none."""
        if not is_allowed(_host(link), self._allowed):
            _end(link, NOT_ALLOWED)
            return
        if len(self._strangers) >= self._limits.strangers:
            self._dismiss(self._oldest(), f"{self._limits.strangers} connections without a valid first message stand")
        if len(self._strangers) + len(self._known) >= self._limits.connections:
            full = f"{self._limits.connections} connections stand"
            if not self._strangers:
                _end(link, full)
                return
            self._dismiss(self._oldest(), full)
        patience = self._limits.patience
        said = f"no valid first message in {patience:g} s"
        loop, idle = asyncio.get_running_loop(), link.interface.may_be_idle
        self._strangers[link] = None if idle else loop.call_later(patience, self._dismiss, link, said)
        link.reception = self
        accept(link)

    def know(self, link: Link) -> None:
        """Take note that a peer has shown who it is."""
        if link in self._strangers:
            self._forget(link)
            self._known.add(link)

    def leave(self, link: Link) -> None:
        """Take note that a connection is over."""
        self._forget(link)
        self._known.discard(link)

    def _forget(self, link: Link) -> None:
        timer = self._strangers.pop(link, None)
        if timer is not None:
            timer.cancel()

    def _oldest(self) -> Link:
        return oldest_of_busiest(self._strangers, _host)

    def _dismiss(self, link: Link, reason: str) -> None:
        on_close = link.on_close
        _end(link, reason)
        on_close(reason)


def _host(link: Link) -> str:
    return link.remote.rpartition(":")[0]


def _end(link: Link, reason: str) -> None:
    link.report_fault(reason)
    link.close(reason)
    link.abort()
