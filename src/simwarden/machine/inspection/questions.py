"""What a device asks a resolver, and what it is told: only answers to its own questions count (RFC 5452 9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import datagram_in
from simwarden.wire import dns
from simwarden.wire.shown import UNREADABLE, By, Shown

if TYPE_CHECKING:
    from dns.message import Message

    from simwarden.machine.inspection.bindings import Bindings

#: questions of a flow that wait for their answers; of more the first is forgotten
_MOST: Final = 16


class Questions:
    """The questions of one flow, and what is learnt from their answers; a Reader of a connection."""

    __slots__ = ("_asked", "_bindings", "_has_asked", "_read_down", "_read_up", "_resolver", "skip")

    hears: Final = True
    ends: Final = False
    in_hello: Final = False
    unread: Final = 0

    def __init__(self, resolver: bytes, bindings: Bindings) -> None:
        """`resolver`: the octets of its address."""
        self._resolver = resolver
        self._bindings = bindings
        self._asked: list[Message] = []
        self._read_up, self._read_down = bytearray(), bytearray()
        self._has_asked = False
        self.skip = 0

    def ask(self, octets: bytes) -> tuple[Shown, ...]:
        """Return what a query asks for; what is none, or more than that, is UNREADABLE."""
        self._has_asked = True
        try:
            query = dns.decode(octets)
            asked = dns.questions_in(query)
        except PeerError:
            return (UNREADABLE,)
        self._asked = [*self._asked[1 - _MOST :], query]
        return tuple(Shown(each.name, By.DNS, kind=each.kind) for each in asked)

    def answer(self, octets: bytes, now: float) -> None:
        """Learn from an answer, from one to each query."""
        if not self._asked:
            return
        try:
            answer = dns.decode(octets)
            query = next((each for each in self._asked if each.is_response(answer)), None)
            if query is not None:
                self._asked.remove(query)
                told = dns.told_by(answer)
                self._bindings.learn(told.name, told.addresses, told.lifetime, now, self._resolver)
        except PeerError:
            return  # the device, too, can make nothing of it

    # -- over TCP

    @property
    def waits(self) -> bool:
        """See Reader."""
        return bool(self._read_up) or not self._has_asked

    def take(self, octets: bytes) -> list[Shown]:
        """See Reader."""
        self._read_up += octets
        found: list[Shown] = []
        while (message := dns.from_stream(self._read_up)) is not None:
            found += self.ask(message)
        if int.from_bytes(self._read_up[:2]) > dns.LONGEST_QUERY:  # as HTTP and TLS begin
            raise PeerError("DNS query that is too long")
        return found

    def end(self) -> list[Shown]:
        """See Reader; a query has its length before it."""
        return []

    def hear(self, octets: bytes, now: float) -> None:
        """See Reader."""
        self._read_down += octets
        while (message := dns.from_stream(self._read_down)) is not None:
            self.answer(message, now)


class Datagrams:
    """A Watch of DNS over UDP; each query shows what it asks for."""

    __slots__ = ("_questions", "pending", "shown")

    begun: Final = 0
    over: Final = False
    in_hello: Final = False

    def __init__(self, questions: Questions) -> None:
        self.shown: tuple[Shown, ...] = ()
        self.pending = True
        self._questions = questions

    def feed(self, packet: bytes, now: float, *, up: bool) -> bool:
        """See Watch."""
        octets = datagram_in(packet)
        if octets is None:
            return False
        if not up:
            self._questions.answer(octets, now)
            return False
        self.shown, self.pending = self._questions.ask(octets), False
        return True
