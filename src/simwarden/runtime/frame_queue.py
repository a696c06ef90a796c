"""The order of everything: each frame gets its place when it is sent, and is delivered in that order.

Arrival order on several sockets differs from the order of sending most of the time; deliveries follow the latter, so
that the same scenario gives the same ladder on every transport.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simwarden.runtime.link import Link


@dataclass(slots=True, eq=False)
class Delivery(ABC):
    """Something sent that is to happen at its far end: a frame, user packets, a connection established or closed."""

    to: Link

    def arrived(self) -> bool:
        """Whether all of its bytes are here (or its link is gone, so that nothing more comes)."""
        return True

    @abstractmethod
    def deliver(self) -> None:
        """Hand it to the element."""

    def receiver(self) -> Link | None:
        """Return the end that a frame comes to; None for what is no frame."""
        return None

    def describe(self) -> str:
        """Name the link for a person."""
        return repr(self.to)


@dataclass(slots=True, eq=False)
class Happening(Delivery):
    """What happens to a link in its place among the frames: it stands, it is closed, packets are handed over."""

    _what: Callable[[], None]

    def deliver(self) -> None:
        """See Delivery."""
        self._what()


class Gate(Protocol):
    """What may stand before the far ends of a run, to let something happen before a frame, or to it."""

    def posted(self, delivery: Delivery) -> None:
        """Hear that a delivery has its place."""

    def before(self, delivery: Delivery) -> Callable[[], None] | None:
        """Return what is to happen first, or None to let the delivery go on; it is asked again when all is quiet."""


class FrameQueue:
    """The queue of deliveries of one run."""

    def __init__(self) -> None:
        self._queue: deque[Delivery] = deque()
        #: set by a runner for as long as something is to happen in between
        self.gate: Gate | None = None

    def post(self, delivery: Delivery) -> None:
        """Give a delivery its place in the order."""
        self._queue.append(delivery)
        if self.gate is not None:
            self.gate.posted(delivery)

    def take_next(self) -> Callable[[], None] | None:
        """Take the oldest one if its bytes are here; the loop does so when nothing else is ready."""
        if not self._queue or not self._queue[0].arrived():
            return None
        first = self.gate.before(self._queue[0]) if self.gate is not None else None
        return self._queue.popleft().deliver if first is None else first

    def put_first(self, deliveries: Iterable[Delivery]) -> None:
        """Give deliveries a place before all others, in the order given."""
        self._queue.extendleft(reversed(list(deliveries)))

    def withdraw(self) -> Delivery:
        """Take the oldest one out of the order, to be delivered otherwise or not at all."""
        return self._queue.popleft()

    def waiting_for(self) -> str:
        """Name the link whose bytes are on their way; empty if none are."""
        return self._queue[0].describe() if self._queue else ""
