"""Which reference point a Diameter message is of, on a connection that carries several (RFC 6733 2.1).

What stands in the header decides: the Application-Id. The base protocol's messages are those of the connection, and so
is all on a connection that carries one application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.interfaces import INTERFACES
from simwarden.wire.diameter import Application
from simwarden.wire.diameter.dictionary import BY_POINT

if TYPE_CHECKING:
    from collections.abc import Collection

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.link import Link

_LENGTH, _APPLICATION = slice(1, 4), slice(8, 12)


class Labels:
    """The reference points of one connection."""

    __slots__ = ("_left", "_now", "_own", "_points")

    def __init__(self, own: Interface) -> None:
        self._own = own
        self._points: dict[bytes, Interface] = {}
        #: the message that a piece of the stream has left unfinished: octets that are missing, and whose it is
        self._left, self._now = 0, own

    def carry(self, applications: Collection[int]) -> None:
        """Take note of what was agreed on."""
        points: dict[bytes, Interface] = {}
        for point in (self._own.name, *BY_POINT):  # of several that an application is spoken at its own is first
            number = BY_POINT.get(point)
            if number is not None and (number in applications or Application.RELAY in applications):
                points.setdefault(number.to_bytes(4, "big"), INTERFACES[point])
        self._points = points if len(points) > 1 else {}

    def of(self, message: bytes) -> Interface:
        """Return the reference point of a message, of which at least the header is there."""
        return self._points.get(message[_APPLICATION], self._own) if self._points else self._own

    def record(self, link: Link, data: bytes) -> None:
        """Put into the trace what came from a peer outside: one frame, or more where points follow each other in it."""
        if link.internal:
            return
        if not self._points:
            link.record_received(data)
            return
        start = end = 0
        label = self._now
        while end < len(data):
            if not self._left:
                self._now = self.of(data[end:])
                self._left = max(int.from_bytes(data[end:][_LENGTH], "big"), 1)
                if self._now is not label:
                    if end > start:
                        link.record_received(data[start:end], interface=label)
                    start, label = end, self._now
            taken = min(self._left, len(data) - end)
            end, self._left = end + taken, self._left - taken
        link.record_received(data[start:], interface=label)
