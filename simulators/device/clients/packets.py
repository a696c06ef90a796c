"""The terminal's end of IP: its addresses, what it answers, and the packets that it waits for (TS 24.301 6.2.2)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from simwarden.errors import PeerError
from simwarden.wire import ip, pco
from simwarden.wire.ip import Icmp, IcmpType, Icmpv6Type, Packet, Protocol, Udp
from simwarden.wire.tft import first_that_fits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.device.clients.flows import UserFlow
    from simulators.device.contexts import Bearer, Emm
    from simwarden.runtime.ip.tcp import Stream, TcpHost
    from simwarden.runtime.tun import Tun

K = TypeVar("K")
_PATIENCE: Final = 5.0
"""Seconds to wait for an answer."""
_FIRST_PORT: Final = 40000
_MTU: Final = 1358
"""What GTP leaves of 1500 octets, where the network tells none (TS 23.060 annex C)."""
_ECHOES: Final[dict[int, int]] = {
    IcmpType.ECHO: IcmpType.ECHO_REPLY,
    Icmpv6Type.ECHO_REQUEST: Icmpv6Type.ECHO_REPLY,
}
_UNREACHABLE: Final = {Protocol.ICMP: IcmpType.DESTINATION_UNREACHABLE, Protocol.ICMPV6: 1}


class _Told(NamedTuple):
    """What a PGW tells of a bearer."""

    resolvers: list[str]
    mtu: int


_UNTOLD: Final = _Told([], _MTU)


class Packets:
    """User packets of one terminal, on its default bearers."""

    def __init__(self, emm: Emm) -> None:
        self.emm = emm
        self.received = 0
        self._number = 0
        #: by protocol and by port or number: how the packet fared that waits for an answer
        self._awaited: dict[tuple[str, int], asyncio.Future[str]] = {}
        self._prefix_told: asyncio.Future[str] | None = None
        #: by port: what came there, and None where nobody is at the far end
        self._ports: dict[int, asyncio.Queue[tuple[str, bytes] | None]] = {}
        #: asks for the radio bearers, and returns `accepted` when they stand
        self.wake: Callable[[], Awaitable[str]]
        self._waiting: list[bytes] = []
        #: by bearer: what its PGW told
        self._told: dict[int, _Told] = {}
        #: by the flow that answers it: how a packet fared that was sent as octets
        self._odd: dict[ip.Flow, asyncio.Future[str]] = {}
        self._tcp: TcpHost | None = None
        #: flows that programs have opened, by name
        self.flows: dict[str, UserFlow] = {}
        #: the bearer by which all goes, of a terminal that lies; 0 for none
        self.forced = 0
        #: programs of this machine, in a run with TUN interfaces
        self.tun: Tun | None = None

    # -- to the network

    def bearer(self, apn: str = "") -> int:
        """Return the bearer to an APN; the first where none is named. Raises ConnectionAbortedError."""
        found = self.emm.bearers_to(apn)
        if not found:
            raise ConnectionAbortedError(f"the terminal has no bearer{f' to {apn}' if apn else ''}")
        return min(found)

    def _bearer_of(self, source: bytes) -> int:
        """Return the bearer that has an address, for who has several; what has none goes by the first."""
        if len(self.emm.bearers) > 1:
            for identity, each in self.emm.bearers.items():
                own = {each.address, _join(self.emm.prefixes.get(identity, "::"), each.interface_id or bytes(8))}
                if str(ipaddress.ip_address(source)) in own:
                    return identity
        return self.bearer()

    async def ask(self, place: tuple[str, int], protocol: str, octets: int, source: str, apn: str = "") -> str:
        """Send a packet that the far end answers; return how it fared: `delivered`, `refused` or `timed-out`.

        Raises ConnectionAbortedError without a bearer for it.
        """
        (to, port), identity = place, self.bearer(apn)
        own = source or await self._own_address(identity, 6 if ":" in to else 4)
        if not own:
            return "dropped"
        number = self.new_port() - _FIRST_PORT
        content = bytes(octets)
        if protocol == "udp":
            key = protocol, _FIRST_PORT + number
            packet = ip.encode_udp(Udp(key[1], port, content), own, to)
        else:
            key = protocol, number
            kind = Icmpv6Type.ECHO_REQUEST if ":" in to else IcmpType.ECHO
            packet = ip.encode_icmp(Icmp(kind, 0, number, content), own, to)
        return await self._transmit_and_wait(self._awaited, key, identity, ip.encode(packet))

    async def ask_raw(self, octets: bytes, apn: str = "") -> str:
        """Send a packet in octets, and wait for the first that comes back; how it fared, as of `ask`."""
        identity = self.bearer(apn)
        flow = ip.flow_of(octets).back()
        return await self._transmit_and_wait(self._odd, flow, identity, octets)

    async def _transmit_and_wait(
        self, waiting: dict[K, asyncio.Future[str]], key: K, identity: int, packet: bytes
    ) -> str:
        """Send a packet and wait for what sets its future, which is in `waiting` by a key until then."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        waiting[key] = answer
        self._transmit(identity, [packet])
        try:
            async with asyncio.timeout(_PATIENCE):
                return await answer
        except TimeoutError:
            return "timed-out"
        finally:
            del waiting[key]

    def _send(self, identity: int, packet: Packet) -> None:
        self._transmit(identity, [ip.encode(packet)])

    def _transmit(self, identity: int, packets: list[bytes]) -> None:
        """Send packets of a PDN connection, each by the bearer whose filters it fits (TS 23.401 4.7.2.2).

        What is above a rate is not sent, except by a terminal that keeps to no rule.
        """
        by_bearer: dict[int, list[bytes]] = {}
        for each in packets:
            way = self.forced or (self._way(identity, each) if self.emm.dedicated else identity)
            if self._may_pass(identity, way, each):
                by_bearer.setdefault(way, []).append(each)
        for way, those in by_bearer.items():
            self.emm.radio.send_packets(way, those)

    def _way(self, identity: int, packet: bytes) -> int:
        try:
            flow = ip.flow_of(packet)
        except PeerError:
            return identity
        beside = [(number, each) for number, each in self.emm.dedicated.items() if each.linked == identity]
        found = [
            (fitting.precedence, number)
            for number, each in beside
            if (fitting := first_that_fits(each.filters, flow, packet, up=True)) is not None
        ]
        return min(found)[1] if found else identity

    def _may_pass(self, identity: int, way: int, packet: bytes) -> bool:
        dedicated, default = self.emm.dedicated.get(way), self.emm.bearers.get(identity)
        own = dedicated.uplink if dedicated is not None else None
        bucket = own or (default.uplink if default is not None else None)
        if bucket is None or not self.emm.honours_rejects or bucket.take(len(packet), self.emm.site.clock.now()):
            return True
        subject = self.emm.card.imsi if self.emm.card is not None else ""
        self.emm.site.drop_packet("Uu", bucket.over, packet, subject)
        return False

    async def source_for(self, to: str, apn: str = "") -> str:
        """Return the own address from which packets go to an address; empty if the bearer has none of that version.

        Raises ConnectionAbortedError without a bearer.
        """
        return await self._own_address(self.bearer(apn), 6 if ":" in to else 4)

    async def need_source(self, to: str, apn: str = "") -> str:
        """Return the own address from which packets go to an address. Raises ConnectionAbortedError without one."""
        own = await self.source_for(to, apn)
        if not own:
            raise ConnectionAbortedError("the bearer has no address of that version")
        return own

    def new_port(self) -> int:
        """Return a port of its own that was not used lately."""
        self._number = self._number % 20000 + 1
        return _FIRST_PORT + self._number

    async def ask_datagram(
        self, own: str, to: str, port: int, content: bytes, fits: Callable[[bytes], bool], *more: bytes
    ) -> bytes:
        """Send a datagram, or more; return the first that comes back and `fits`.

        Raises ConnectionError, TimeoutError.
        """
        identity = self._bearer_of(ipaddress.ip_address(own).packed)
        own_port = self.new_port()
        heard = self._ports[own_port] = asyncio.Queue()
        try:
            for each in (content, *more):
                self._send(identity, ip.encode_udp(Udp(own_port, port, each), own, to))
            async with asyncio.timeout(_PATIENCE):
                while True:
                    came = await heard.get()
                    if came is None:
                        raise ConnectionRefusedError("the network says that nobody is there")
                    if came[0] == to and fits(came[1]):
                        return came[1]
        finally:
            del self._ports[own_port]

    def open_port(self, own_port: int) -> asyncio.Queue[tuple[str, bytes] | None]:
        """Return a queue of the datagrams that arrive at a port: source and octets, None for an error of ICMP."""
        return self._ports.setdefault(own_port, asyncio.Queue())

    def close_port(self, own_port: int) -> None:
        """Receive nothing more at a port, and end the read that waits there."""
        arrived = self._ports.pop(own_port, None)
        if arrived is not None:
            arrived.put_nowait(None)

    def send_datagram(self, own: str, own_port: int, to: str, port: int, content: bytes) -> None:
        """Send a datagram of a program; an idle terminal asks for its radio bearers first."""
        self.forward([ip.encode(ip.encode_udp(Udp(own_port, port, content), own, to))])

    async def connect(self, own: str, to: str, port: int, own_port: int = 0, keep_alive: float = 0.0) -> Stream:
        """Connect by TCP, from a port of its own choice if there is none. Raises ConnectionError or TimeoutError."""
        self.tcp.mtu = self._told.get(self._bearer_of(ipaddress.ip_address(own).packed), _UNTOLD).mtu
        return await self.tcp.connect(own, own_port or self.new_port(), to, port, keep_alive)

    @property
    def tcp(self) -> TcpHost:
        """Its connections of TCP."""
        if self._tcp is None:
            from simwarden.runtime.ip.tcp import TcpHost  # noqa: PLC0415 - few stories have connections

            self._tcp = TcpHost(self.emm.site, self._send_segments, lambda reason: self.emm.radio.fault(reason, b""))
        return self._tcp

    def _send_segments(self, packets: list[Packet]) -> None:
        self.forward([ip.encode(each) for each in packets])

    def forward(self, octets: list[bytes]) -> None:
        """Send packets of programs; an idle terminal asks for its radio bearers first, one without any sends none."""
        if self.emm.wired:
            self._send_octets(octets)
        elif self.emm.bearers:
            waking, self._waiting = bool(self._waiting), self._waiting + octets
            if not waking:
                self.emm.site.spawn(self._send_when_awake(), "service request for packets")

    def _send_octets(self, packets: list[bytes]) -> None:
        """Send each packet by the bearer that has its source; what is no packet goes nowhere."""
        by_bearer: dict[int, list[bytes]] = {}
        for each in packets if self.emm.bearers else ():
            with contextlib.suppress(PeerError):
                by_bearer.setdefault(self._bearer_of(ip.addresses_of(each)[0]), []).append(each)
        for identity, those in by_bearer.items():
            self._transmit(identity, those)

    async def _send_when_awake(self) -> None:
        accepted = await self.wake() == "accepted"
        packets, self._waiting = self._waiting, []
        if accepted:
            self._send_octets(packets)

    def resolvers(self, apn: str = "") -> list[str]:
        """Return the DNS servers that the network told. Raises ConnectionAbortedError without a bearer."""
        return self._told.get(self.bearer(apn), _UNTOLD).resolvers

    def on_bearer(self, identity: int) -> None:
        """Take what the PGW told of a bearer, and have programs know the addresses of the first."""
        options = self.emm.bearers[identity].options
        self._told[identity] = _UNTOLD
        try:
            self._told[identity] = _Told(*pco.told(options, _MTU)) if options else _UNTOLD
        except PeerError as error:
            self.emm.radio.fault(error.reason, options)
        if self.tun is not None and identity == self.bearer():
            self.emm.site.spawn(self._configure(self.tun, identity), "addresses of the TUN interface")

    async def _configure(self, tun: Tun, identity: int) -> None:
        """Tell the kernel the addresses; that of IPv6 is asked for when there are radio bearers."""
        bearer, told = self.emm.bearers.get(identity), self._told[identity]
        if bearer is None:
            return
        addresses = [f"{bearer.address}/32"] if "." in bearer.address else []
        tun.configure(addresses, told.mtu, told.resolvers)
        if bearer.interface_id and await self.wake() == "accepted" and identity in self.emm.bearers:
            six = await self._own_address(identity, 6)
            if identity in self.emm.bearers:
                tun.configure([*addresses, *([f"{six}/64"] if six else [])], told.mtu, told.resolvers)

    def cut(self) -> None:
        """End all connections: there is no bearer any more."""
        if self.tun is not None:
            self.tun.configure(())
        if self._tcp is not None:
            self._tcp.cut("the terminal has no bearer any more")
        for flow in list(self.flows.values()):
            flow.drop()

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
        dedicated = self.emm.dedicated.get(identity)
        own = identity if dedicated is None else dedicated.linked
        if own not in self.emm.bearers:
            raise PeerError(f"packet on bearer {identity}, which the terminal does not have")
        packet = ip.decode(data)
        self.received += 1
        self.emm.observe("received", self.received)
        if self.tun is not None and not self._is_own(packet):
            self.tun.send(data)
            return
        odd = self._odd.get(ip.flow_of(data)) if self._odd else None
        if odd is not None and not odd.done():
            odd.set_result("delivered")
        if packet.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            self._take_icmp(own, packet)
        elif packet.protocol == Protocol.UDP:
            datagram = ip.decode_udp(packet)
            waiting = self._ports.get(datagram.destination_port)
            if waiting is not None:
                waiting.put_nowait((packet.source, datagram.payload))
            self._settle("udp", datagram.destination_port, "delivered")
        elif packet.protocol == Protocol.TCP:
            self.tcp.take(packet)

    def _is_own(self, packet: Packet) -> bool:
        """Whether a packet is for the terminal's own verbs, not for programs in its namespace."""
        if packet.offset or packet.more:  # which the kernel puts together
            return False
        match packet.protocol:
            case Protocol.TCP:
                return self.tcp.knows(packet)
            case Protocol.UDP:
                port = ip.decode_udp(packet).destination_port
                return port in self._ports or ("udp", port) in self._awaited
            case Protocol.ICMP | Protocol.ICMPV6:
                message = ip.decode_icmp(packet)
                if packet.protocol == Protocol.ICMPV6 and message.type == Icmpv6Type.ROUTER_ADVERTISEMENT:
                    return True
                return message.type in _ECHOES.values() and ("icmp", message.rest) in self._awaited
        return False

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
            self._hear_unreachable(ip.flow_of(message.payload))

    def _hear_unreachable(self, flow: ip.Flow) -> None:
        """Take it that a packet sent with this flow got nowhere."""
        odd = self._odd.get(flow.back())
        if odd is not None and not odd.done():
            odd.set_result("refused")
        if flow.protocol == Protocol.TCP:
            ends = (flow.source, flow.source_port), (flow.destination, flow.destination_port)
            (own, own_port), (to, port) = ((str(ipaddress.ip_address(each)), number) for each, number in ends)
            self.tcp.unreachable((own, own_port, to, port))
            return
        waiting = self._ports.get(flow.source_port)
        if waiting is not None:
            waiting.put_nowait(None)
        self._settle("udp", flow.source_port, "refused")

    def _settle(self, protocol: str, number: int, how: str) -> None:
        waiting = self._awaited.get((protocol, number))
        if waiting is not None and not waiting.done():
            waiting.set_result(how)


def _join(prefix: str, interface_id: bytes) -> str:
    return str(ipaddress.IPv6Address(ipaddress.IPv6Address(prefix).packed[:8] + interface_id))
