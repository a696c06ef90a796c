"""The associations of SCTP in user space: the paths of each, which of them work, and by which packets go.

libusrsctp knows an association by a number alone. A multi-homed one (RFC 9260 6.4) has several paths, each from one
of our addresses to one of the peer's. A path is left while nothing comes back by it, and HEARTBEATs (8.3) find out
when it works again. An address that the peer lists is used only after it has acknowledged a HEARTBEAT (5.4).
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.runtime.transport.sctp_packet import (
    Chunk,
    Head,
    acknowledged,
    addresses_in,
    cumulative_tsn,
    head_of,
    heartbeat,
    initiate_tag,
    wants_answer,
    with_addresses,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: associations of one process, those included that are being set up or were closed a moment ago
MOST: Final = 1024
#: paths of one association that are tried
_MOST_PATHS: Final = 8
#: INITs of one peer that are remembered until its COOKIE ECHO comes
_MOST_OFFERS: Final = 4
#: seconds without an answer after which a path is left: below RTO.Min, after which the library sends again
_UNANSWERED: Final = 0.9
#: seconds between the HEARTBEATs of a path that works (HB.interval), and of another one
_INTERVAL, _SOON = 30.0, 5.0
_NONCE: Final = 16
_ESTABLISHED: Final = frozenset({Chunk.DATA, Chunk.SACK, Chunk.COOKIE_ACK})
#: beside SACK, what shows that a packet of ours has arrived
_ANSWERS: Final = frozenset({Chunk.INIT_ACK, Chunk.HEARTBEAT_ACK, Chunk.COOKIE_ACK, Chunk.SHUTDOWN_ACK})


class Path(NamedTuple):
    """One of our addresses, and the peer's: its host, and its UDP port; port 0 is IP protocol 132."""

    local: str
    host: str
    port: int


@dataclass(slots=True)
class PathState:
    """What is known of a path: since when an answer is outstanding, when it was used last, and its HEARTBEAT."""

    waiting_since: float | None = None
    used: float = 0.0
    probed: float = -_INTERVAL
    nonce: bytes = b""

    def is_silent(self, now: float) -> bool:
        """Return True if the path has been used and nothing came back by it."""
        return self.waiting_since is not None and now - self.waiting_since > _UNANSWERED


@dataclass(slots=True, eq=False)
class Association:
    """One association, also while it is being set up. `ports` are our SCTP port and the peer's."""

    number: int
    ports: tuple[int, int]
    locals: tuple[str, ...]
    paths: dict[Path, PathState] = field(default_factory=dict)
    #: addresses of the peer that packets may be sent to
    confirmed: set[str] = field(default_factory=set)
    #: the Initiate Tag that we have sent, and the tag of packets to the peer
    own_tag: int = 0
    tag: int = 0
    #: addresses that the peer has listed in an INIT, by the Initiate Tag that we answered
    offers: OrderedDict[int, tuple[str, ...]] = field(default_factory=OrderedDict)
    established: bool = False
    #: whether a socket has it: it is not given up for another one
    held: bool = False
    #: the path that was used last, and the TSN up to which the peer has acknowledged data
    _last: PathState | None = None
    _acknowledged: int = -1

    @property
    def hosts(self) -> tuple[str, ...]:
        """The peer's addresses, the first being the primary one."""
        return tuple(dict.fromkeys(path.host for path in self.paths))

    def widen(self, hosts: Iterable[str], port: int) -> None:
        """Add the paths to addresses of the peer: first those of parallel networks, whose addresses are in one order.

        `port` is the peer's UDP port (0: IP protocol 132).
        """
        listed = tuple(dict.fromkeys((*self.hosts, *hosts)))
        width = min(len(self.locals), len(listed))
        numbers = product(range(len(self.locals)), range(len(listed)))
        paths: dict[Path, PathState] = {}
        for local, host in sorted(numbers, key=lambda pair: pair[0] % width != pair[1] % width):
            path = Path(self.locals[local], listed[host], port)
            if path in self.paths or len(paths) < _MOST_PATHS:
                paths[path] = self.paths.get(path) or PathState()
        self.paths = paths

    def choose(self, now: float) -> Path:
        """Return the path to send by: the first that works, else the one that was used longest ago."""
        allowed = {path: state for path, state in self.paths.items() if path.host in self.confirmed}
        works = next((path for path, state in allowed.items() if not state.is_silent(now)), None)
        return works or min(allowed, key=lambda path: allowed[path].used)

    def use(self, path: Path, packet: bytes, now: float) -> None:
        """Note that a packet goes by a path."""
        state = self.paths.get(path)
        if state is None or not wants_answer(packet):
            return
        self._last, state.used = state, now
        if state.waiting_since is None:
            state.waiting_since = now

    def fail(self, path: Path) -> None:
        """Note that the system cannot send by a path."""
        if (state := self.paths.get(path)) is not None:
            state.waiting_since = -_UNANSWERED

    def record(self, head: Head, packet: bytes) -> None:
        """Note what a packet says of the path that was used last: whether the packet on it arrived.

        Where it came from says nothing: a path may work in one direction only, and a peer may answer from any address.
        """
        if head.chunk == Chunk.SACK:
            before, self._acknowledged = self._acknowledged, cumulative_tsn(packet)
            arrived = self._acknowledged != before
        else:
            arrived = head.chunk in _ANSWERS
        if arrived and self._last is not None:
            self._last.waiting_since = None

    def confirm(self, packet: bytes) -> bool:
        """Return True if a HEARTBEAT ACK is for a HEARTBEAT of ours; its path then works."""
        nonce = acknowledged(packet)
        for path, state in self.paths.items():
            if state.nonce and state.nonce == nonce:
                state.nonce, state.waiting_since = b"", None
                self.confirmed.add(path.host)
                return True
        return False

    def probes(self, now: float) -> Iterator[tuple[Path, bytes]]:
        """Yield the HEARTBEATs that are due, on an association with several paths."""
        if not self.established or len(self.paths) == 1:
            return
        for path, state in self.paths.items():
            works = path.host in self.confirmed and not state.is_silent(now)
            if now - state.probed < (_INTERVAL if works else _SOON):
                continue
            state.probed, state.nonce = now, os.urandom(_NONCE)
            if state.waiting_since is None:
                state.waiting_since = now
            yield path, heartbeat(*self.ports, self.tag, state.nonce)


class Associations:
    """All associations of the process.

    A number is registered with the library when it is used first (`register`) and belongs to one association at a
    time. If all are in use, one without a socket gives its number up: one that is not set up before one that is set up
    and waits for its socket, and of these the one that was idle longest.
    """

    def __init__(self, register: Callable[[int], object]) -> None:
        self._register = register
        self._free = list(range(MOST, 0, -1))
        self._registered: set[int] = set()
        self._by_number: OrderedDict[int, Association] = OrderedDict()
        self._by_ends: dict[tuple[Path, int, int], Association] = {}
        #: addresses that the INIT lists which is being handled
        self._listed: tuple[str, ...] = ()

    def __getitem__(self, number: int) -> Association:
        return self._by_number[number]

    def get(self, number: int) -> Association | None:
        """Return the association of a number, None if it was given up."""
        return self._by_number.get(number)

    def add(self, path: Path, ports: tuple[int, int], hosts: Sequence[str]) -> Association | None:
        """Add an association with its first path; `hosts` are our addresses. None: there are too many."""
        former = self._by_ends.get((path, *ports))
        if former is None and not self._free:
            free = (each for each in self._by_number.values() if not each.held)
            former = min(free, key=lambda each: each.established, default=None)
        if former is not None:
            self.remove(former)
        if not self._free:
            return None
        made = Association(self._free.pop(), ports, tuple(dict.fromkeys((path.local, *hosts))))
        if made.number not in self._registered:
            self._registered.add(made.number)
            self._register(made.number)
        made.confirmed.add(path.host)
        self._by_number[made.number] = made
        self.widen(made, (path.host,), path.port)
        return made

    def remove(self, association: Association) -> None:
        """Forget an association."""
        del self._by_number[association.number]
        self._free.append(association.number)
        for path in association.paths:
            if self._by_ends.get((path, *association.ports)) is association:
                del self._by_ends[path, *association.ports]

    def widen(self, association: Association, hosts: Iterable[str], port: int) -> None:
        """Add the paths of an association to addresses of its peer."""
        association.widen(hosts, port)
        for path in association.paths:
            self._by_ends.setdefault((path, *association.ports), association)

    def find(self, path: Path, head: Head) -> Association | None:
        """Return the association that a packet is of."""
        found = self._by_ends.get((path, head.destination, head.source))
        if found is not None:
            self._by_number.move_to_end(found.number)
        return found

    def receive(self, association: Association, path: Path, head: Head, packet: bytes) -> bool:
        """Take note of a packet; return False if it is not for the library."""
        self._listed = addresses_in(packet) if head.chunk == Chunk.INIT else ()
        if head.chunk == Chunk.HEARTBEAT_ACK and association.confirm(packet):
            return False
        association.record(head, packet)
        if association.established:
            return True
        if head.chunk == Chunk.COOKIE_ECHO:
            self.widen(association, association.offers.get(head.tag, ()), path.port)
        elif head.chunk == Chunk.INIT_ACK and head.tag == association.own_tag:
            self.widen(association, addresses_in(packet), path.port)
        return True

    def prepare(self, association: Association, packet: bytes) -> bytes:
        """Return a packet of the library as it is sent: with all our addresses in INIT and INIT ACK."""
        head = head_of(packet)
        if head is None:
            return packet
        if head.chunk == Chunk.INIT_ACK:
            association.offers[initiate_tag(packet)] = self._listed
            if len(association.offers) > _MOST_OFFERS:
                association.offers.popitem(last=False)
            association.established = association.established and association.held  # else the former one is over
        elif head.chunk == Chunk.INIT:
            association.own_tag = initiate_tag(packet)
        else:
            association.tag = head.tag
            association.established = association.established or head.chunk in _ESTABLISHED
        if head.chunk in (Chunk.INIT, Chunk.INIT_ACK) and len(association.locals) > 1:
            return with_addresses(packet, association.locals)
        return packet

    def probes(self, now: float) -> Iterator[tuple[Path, bytes]]:
        """Yield the HEARTBEATs of all associations that are due."""
        for association in self._by_number.values():
            yield from association.probes(now)
