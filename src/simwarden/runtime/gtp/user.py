"""GTP-U in the event loop: an element's endpoint for user packets, and the tunnels that end at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire import gtpu
from simwarden.wire.gtpu import GtpuError, Message, MessageType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Sequence

    from simwarden.runtime.dice import Dice
    from simwarden.runtime.site import Site
    from simwarden.runtime.transport.addresses import Address

_PORT = 2152
#: why packets in a tunnel are dropped that come from other addresses than those of its peer
NOT_THE_PEER = "its sender is not the peer of the tunnel"


def new_teid(rng: Dice, taken: Container[int]) -> int:
    """Draw a TEID that is not taken, and that nobody can guess from others; 0 is none (TS 29.281 5.1)."""
    teid = 0
    while not teid or teid in taken:
        teid = rng.randrange(1 << 32)
    return teid


class UserPlane:
    """An element's end of GTP-U: packets that come in a tunnel go to whom the tunnel was opened for.

    A packet for a tunnel that does not exist is dropped and answered by an Error Indication; `on_error` is told of
    those that others send, with TEID and address of the far end that they are about. With `check_senders` packets are
    accepted from the tunnel's peer only, and an Error Indication from the node that it is about (TS 29.281 7.3.1).
    """

    def __init__(self, site: Site, *interfaces: str, check_senders: bool = False) -> None:
        self.site, self.check_senders = site, check_senders
        self.on_error: Callable[[int, str], None] = lambda _teid, _host: None
        self._tunnels: dict[int, Callable[[list[bytes]], None]] = {}
        self._ends: dict[int, Callable[[], None]] = {}
        self._senders: dict[int, Callable[[], Collection[str]]] = {}
        self.endpoint = site.endpoint(*interfaces)
        self.endpoint.is_packet = gtpu.is_g_pdu
        self.endpoint.on_packets = self._take_packets
        self.endpoint.on_receive = self._receive

    @property
    def address(self) -> str:
        """The IP address that F-TEIDs of this node say."""
        return self.endpoint.address[0]

    def __len__(self) -> int:
        return len(self._tunnels)

    def open(
        self,
        take: Callable[[list[bytes]], None],
        ended: Callable[[], None] | None = None,
        senders: Callable[[], Collection[str]] | None = None,
    ) -> int:
        """Open a tunnel; return its TEID. `ended` hears of an End Marker: no more packets come in it (7.3.2).

        `senders` returns the addresses of its peer; empty if they are not known yet.
        """
        teid = new_teid(self.site.rng, self._tunnels)
        self._tunnels[teid] = take
        if senders is not None and self.check_senders:
            self._senders[teid] = senders
        if ended is not None:
            self._ends[teid] = ended
        return teid

    def close(self, teid: int) -> None:
        """Close a tunnel."""
        for known in (self._tunnels, self._ends, self._senders):
            known.pop(teid, None)

    def send(self, packets: Iterable[bytes], teid: int, host: str, on: str) -> None:
        """Send packets into a tunnel."""
        self.endpoint.send_packets([gtpu.g_pdu(teid, each) for each in packets], (host, _PORT), on=on)

    def end(self, teid: int, host: str, on: str) -> None:
        """Tell the far end of a tunnel that no more packets come in it (TS 29.281 7.3.2)."""
        self.endpoint.send(gtpu.encode(Message(MessageType.END_MARKER, teid)), (host, _PORT), on=on)

    # -- what comes

    def _take_packets(self, packets: Sequence[bytes], source: Address) -> None:
        by_tunnel: dict[int, list[bytes]] = {}
        for data in packets:
            try:
                teid, packet = gtpu.unwrap(data)
            except GtpuError as error:
                self._blame(error, data, source)
                continue
            found = by_tunnel.get(teid)
            if found is None:
                by_tunnel[teid] = [packet]
            else:
                found.append(packet)
        for teid, inner in by_tunnel.items():
            take = self._tunnels.get(teid)
            if take is None:
                self._drop(teid, inner, source, f"there is no tunnel {teid:#010x}")
                self._answer(gtpu.error_indication(teid, self.address), (source[0], _PORT))
            elif self._is_from_peer(teid, source[0]):
                take(inner)
            else:
                self._drop(teid, inner, source, NOT_THE_PEER)

    def _is_from_peer(self, teid: int, host: str) -> bool:
        senders = self._senders.get(teid)
        known = senders() if senders is not None else ()
        return not known or host in known

    def _drop(self, teid: int, packets: list[bytes], source: Address, reason: str) -> None:
        path = self.endpoint.path(source, self.endpoint.known_point(source))
        path.drop([gtpu.g_pdu(teid, each) for each in packets], reason)

    def _answer(self, octets: bytes, to: Address) -> None:
        self.endpoint.send(octets, to, on=self.endpoint.known_point(to))

    def _receive(self, data: bytes, source: Address) -> None:
        try:
            message = gtpu.decode(data)
        except GtpuError as error:
            self._blame(error, data, source)
            return
        if message.type is MessageType.ECHO_REQUEST:
            answer = Message(MessageType.ECHO_RESPONSE, 0, message.sequence or 0, recovery=0)
            self._answer(gtpu.encode(answer), source)
        elif message.type is MessageType.ERROR_INDICATION and message.peer_teid is not None:
            if self.check_senders and source[0] != message.peer_address:
                self.site.peer_fault(self.endpoint.path(source, self.endpoint.known_point(source)), NOT_THE_PEER, data)
                return
            self.on_error(message.peer_teid, message.peer_address)
        elif message.type is MessageType.END_MARKER and message.teid in self._ends:
            self._ends[message.teid]()

    def _blame(self, error: GtpuError, data: bytes, source: Address) -> None:
        self.site.peer_fault(self.endpoint.path(source, self.endpoint.known_point(source)), error.reason, data)
        if error.unknown is not None:
            self._answer(gtpu.supported_extensions(), (source[0], _PORT))
