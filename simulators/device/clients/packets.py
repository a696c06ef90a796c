"""The terminal's end of IP: its addresses, what it answers, and the packets that it waits for (TS 24.301 6.2.2)."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire import ip
from simwarden.wire.ip import Icmp, IcmpType, Icmpv6Type, Packet, Protocol, Udp

if TYPE_CHECKING:
    from simulators.device.contexts import Bearer, Emm

_PATIENCE: Final = 5.0
"""Seconds to wait for an answer."""
_FIRST_PORT: Final = 40000
_ECHOES: Final[dict[int, int]] = {
    IcmpType.ECHO: IcmpType.ECHO_REPLY,
    Icmpv6Type.ECHO_REQUEST: Icmpv6Type.ECHO_REPLY,
}
_UNREACHABLE: Final = {Protocol.ICMP: IcmpType.DESTINATION_UNREACHABLE, Protocol.ICMPV6: 1}


class Packets:
    """User packets of one terminal, on its default bearers."""

    def __init__(self, emm: Emm) -> None:
        self.emm = emm
        self.received = 0
        self._number = 0
        #: by protocol and by port or number: how the packet fared that waits for an answer
        self._awaited: dict[tuple[str, int], asyncio.Future[str]] = {}
        self._prefix_told: asyncio.Future[str] | None = None

    # -- to the network

    async def ask(self, to: str, port: int, protocol: str, octets: int, source: str) -> str:
        """Send a packet that the far end answers; return how it fared: `delivered`, `refused` or `timed-out`."""
        identity = min(self.emm.bearers)
        own = source or await self._own_address(identity, 6 if ":" in to else 4)
        if not own:
            return "dropped"
        self._number = number = self._number % 20000 + 1
        content = bytes(octets)
        if protocol == "udp":
            key = protocol, _FIRST_PORT + number
            packet = ip.encode_udp(Udp(key[1], port, content), own, to)
        else:
            key = protocol, number
            kind = Icmpv6Type.ECHO_REQUEST if ":" in to else IcmpType.ECHO
            packet = ip.encode_icmp(Icmp(kind, 0, number, content), own, to)
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._awaited[key] = waiting
        self._send(identity, packet)
        try:
            async with asyncio.timeout(_PATIENCE):
                return await waiting
        except TimeoutError:
            return "timed-out"
        finally:
            del self._awaited[key]

    def _send(self, identity: int, packet: Packet) -> None:
        self.emm.radio.send_packets(identity, [ip.encode(packet)])

    async def _own_address(self, identity: int, version: int) -> str:
        """Return the address of a bearer; of IPv6 its prefix is asked for first (TS 23.401 5.3.1.2.2)."""
        bearer = self.emm.bearers[identity]
        if version == 4:
            return bearer.address if "." in bearer.address else ""
        if not bearer.interface_id:
            return ""
        prefix = self.emm.prefixes.get(identity) or await self._solicit(identity, bearer)
        return _join(prefix, bearer.interface_id) if prefix else ""

    async def _solicit(self, identity: int, bearer: Bearer) -> str:
        self._prefix_told = asyncio.get_running_loop().create_future()
        self._send(identity, ip.router_solicitation(_join("fe80::", bearer.interface_id)))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._prefix_told
        except TimeoutError:
            return ""
        finally:
            self._prefix_told = None

    # -- from the network

    def take(self, identity: int, data: bytes) -> None:
        """Take a packet of a bearer; one that is not for this terminal is none of its business. Raises PeerError."""
        bearer = self.emm.bearers.get(identity)
        if bearer is None:
            raise PeerError(f"packet on bearer {identity}, which the terminal does not have")
        packet = ip.decode(data)
        self.received += 1
        self.emm.observe("received", self.received)
        if packet.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            self._take_icmp(identity, packet)
        elif packet.protocol == Protocol.UDP:
            self._settle("udp", ip.decode_udp(packet).destination_port, "delivered")

    def _take_icmp(self, identity: int, packet: Packet) -> None:
        message = ip.decode_icmp(packet)
        if packet.protocol == Protocol.ICMPV6 and message.type == Icmpv6Type.ROUTER_ADVERTISEMENT:
            prefix = self.emm.prefixes[identity] = ip.decode_router_advertisement(packet).prefix
            if self._prefix_told is not None and not self._prefix_told.done():
                self._prefix_told.set_result(prefix)
        elif message.type in _ECHOES:
            back = message._replace(type=_ECHOES[message.type])
            self._send(identity, ip.encode_icmp(back, packet.destination, packet.source))
        elif message.type in _ECHOES.values():
            self._settle("icmp", message.rest, "delivered")
        elif message.type == _UNREACHABLE[Protocol(packet.protocol)]:
            flow = ip.flow_of(message.payload)
            self._settle("udp", flow.source_port, "refused")

    def _settle(self, protocol: str, number: int, how: str) -> None:
        waiting = self._awaited.get((protocol, number))
        if waiting is not None and not waiting.done():
            waiting.set_result(how)


def _join(prefix: str, interface_id: bytes) -> str:
    return str(ipaddress.IPv6Address(ipaddress.IPv6Address(prefix).packed[:8] + interface_id))
