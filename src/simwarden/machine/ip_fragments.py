"""Fragments of IP packets, held until the packet is whole, so that it can be judged by what is carried in it.

RFC 791 3.2 and RFC 8200 4.5; of fragments that overlap none is taken (RFC 5722): their receivers differ in what they
make of them. What waits is bounded in octets, in packets and in time.

Fragments may get lost behind us, and their sender knows which (those that are too long for a link, say). With the
number of a packet that has gone on no other one is made: its receiver could put together a piece of each.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.machine.fairness import oldest_of_busiest
from simwarden.wire import ip

#: what is held at a time: octets, packets that are not whole, seconds (RFC 8200 4.5 says 60 at most)
MOST_OCTETS: Final = 1 << 17
MOST_PACKETS: Final = 16
LONGEST_WAIT: Final = 30.0
#: packets that have gone on whose numbers are remembered: receivers leave what waits for longer (Linux: behind 64)
MOST_GONE: Final = 256
#: octets that the longest packet carries (RFC 791 3.1)
_LONGEST: Final = 65_535 - 20


class Whole(bytes):
    """A packet that came in several: `parts` are these, in the order of what they carry."""

    parts: tuple[bytes, ...]


class _Key(NamedTuple):
    """What fragments of one packet have in common.

    Hop limits of which one is shorter let one fragment go as far as the far end, and its neighbour not: what is put
    together there would be of another packet than here.
    """

    source: str
    destination: str
    protocol: int
    identification: int
    hop_limit: int


class _Waiting:
    """The fragments of one packet, by where they begin."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.parts: dict[int, tuple[ip.Packet, bytes]] = {}

    @property
    def octets(self) -> int:
        return sum(len(data) for _, data in self.parts.values())

    def overlaps(self, packet: ip.Packet) -> bool:
        """Whether a further fragment has octets that are there already, or lies behind the last one."""
        end = packet.offset + len(packet.payload)
        for at, (other, _) in self.parts.items():
            other_end = at + len(other.payload)
            if (packet.offset < other_end and at < end) or (not other.more and end > other_end):
                return True
            if not packet.more and other_end > end:
                return True
        return False

    def whole(self) -> Whole | None:
        """Return the packet if all of it is there."""
        ordered, at = [self.parts[each] for each in sorted(self.parts)], 0
        for packet, _ in ordered:
            if packet.offset != at:
                return None
            at += len(packet.payload)
        if ordered[-1][0].more:
            return None
        first = ordered[0][0]._replace(payload=b"".join(each.payload for each, _ in ordered), more=False)
        found = Whole(ip.encode(first))
        found.parts = tuple(data for _, data in ordered)
        return found


class Fragments:
    """The fragments of packets from a device, or of those to it."""

    __slots__ = ("_gone", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[_Key, _Waiting] = {}
        #: when packets went on, whose hop limit does not matter here
        self._gone: dict[_Key, float] = {}

    def take(self, data: bytes, now: float) -> Whole | None:
        """Take a fragment; return its packet if that is whole now. Raises PeerError for one that cannot be part of one.

        A fragment that overlaps others ends all of its packet; an exact copy of a waiting one is ignored.
        """
        packet = ip.decode(data)
        protocol = packet.protocol if packet.version == 4 else 0  # RFC 8200 4.5: by addresses and identification
        key = _Key(packet.source, packet.destination, protocol, packet.identification, packet.hop_limit)
        size = len(packet.payload)
        if not size or (packet.more and size % 8) or packet.offset + size > _LONGEST:
            raise PeerError("fragment of a length that none has")
        self._forget(now)
        if key._replace(hop_limit=0) in self._gone:
            raise PeerError("fragment with the number of a packet that has gone on")
        held = self._waiting.setdefault(key, _Waiting(now))
        if held.parts.get(packet.offset) == (packet, data):  # duplicated in the network (RFC 8200 4.5)
            return None
        if held.overlaps(packet):
            del self._waiting[key]
            raise PeerError("fragment that overlaps another")
        held.parts[packet.offset] = packet, data
        whole = held.whole()
        if whole is not None:
            del self._waiting[key]
            self._gone[key._replace(hop_limit=0)] = now
        return whole

    def _forget(self, now: float) -> None:
        """Forget fragments that have waited for too long, and of too many the oldest of the busiest source."""
        for key in [key for key, each in self._waiting.items() if now - each.began > LONGEST_WAIT]:
            del self._waiting[key]
        while self._gone and (len(self._gone) > MOST_GONE or now - next(iter(self._gone.values())) > LONGEST_WAIT):
            del self._gone[next(iter(self._gone))]
        while len(self._waiting) >= MOST_PACKETS or sum(each.octets for each in self._waiting.values()) > MOST_OCTETS:
            del self._waiting[oldest_of_busiest(self._waiting, lambda key: key.source)]

    @property
    def octets(self) -> int:
        """How much is held."""
        return sum(each.octets for each in self._waiting.values())
