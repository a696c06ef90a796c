"""The hosts of the internet while it runs: what came to them, and what they send back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, TypeVar

from simwarden.errors import ManagementError, PeerError
from simwarden.runtime.content import Payloads
from simwarden.runtime.ip.tcp import TcpHost
from simwarden.wire import ip
from simwarden.wire.ip import Icmp, IcmpType, Icmpv6Type, Packet, Protocol, Udp

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from simulators.internet.config import HostConfig, InternetConfig, ServiceConfig
    from simulators.internet.procedures.flows import Brokerage, UserFlow
    from simwarden.runtime.ip.tcp import Ends
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site
    from simwarden.runtime.tun import Tun

K = TypeVar("K")
V = TypeVar("V")
_NAMES: Final[dict[int, str]] = {
    Protocol.UDP: "udp",
    Protocol.TCP: "tcp",
    Protocol.ICMP: "icmp",
    Protocol.ICMPV6: "icmp",
}
_ECHOES: Final[dict[int, int]] = {
    IcmpType.ECHO: IcmpType.ECHO_REPLY,
    Icmpv6Type.ECHO_REQUEST: Icmpv6Type.ECHO_REPLY,
}
#: sources, and pairs of addresses, that are remembered; of more the first is forgotten
_MOST = 4096
_DNS: Final = 53
#: seconds after which hosts leave a connection in which nothing is asked
_PATIENCE: Final = 300.0


class Core:
    """Hosts by address, ways to devices, and what has arrived."""

    def __init__(self, site: Site, config: InternetConfig) -> None:
        self.site, self.config = site, config
        self.links: list[Link] = []
        self.hosts: dict[str, HostConfig] = {
            address: host for host in config.hosts.values() for address in host.addresses
        }
        #: services of hosts, by address and port
        self.services: dict[tuple[str, int], ServiceConfig] = {
            (address, port): service
            for name, ports in config.services.items()
            for address in config.hosts[name].addresses
            for port, service in ports.items()
        }
        #: connections at services, and brokers by address and port
        self.flows: dict[Ends, UserFlow] = {}
        self.brokers: dict[tuple[str, int], Brokerage] = {}
        self.payloads = Payloads(site)
        self.tcp = TcpHost(site, self._send, self.blame)
        self.tcp.patience = _PATIENCE
        #: returns the answer to a DNS query in a datagram: its source and destination, and its octets
        self.resolve: Callable[[tuple[str, str], bytes], bytes] = lambda _ends, _query: b""
        #: queries so far, by the name and kind of a record whose answers change
        self.queries: dict[tuple[str, str], int] = {}
        #: what hosts need for TLS, by their first address
        self.contexts: dict[str, ssl.SSLContext] = {}
        self._asked: dict[tuple[str, ...], int] = {}
        #: programs of this machine, in a run with TUN interfaces, at all addresses of no host
        self.tun: Tun | None = None
        #: where the packet came from that is being looked at
        self._taking: Link | None = None
        #: by which PGW a device is reached: the one that its packets came from
        self._ways: dict[str, Link] = {}
        self._arrived: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._echo = 0
        self._awaited: dict[tuple[str, int], asyncio.Future[None]] = {}

    def accept(self, link: Link) -> None:
        """Take a PGW."""
        self.links.append(link)
        link.on_packets = lambda packets: self.take(link, packets)
        link.on_close = lambda _reason: self._lose(link)

    def _lose(self, link: Link) -> None:
        self.links.remove(link)
        self._ways = {address: way for address, way in self._ways.items() if way is not link}

    # -- what comes

    def take(self, link: Link, packets: Sequence[bytes]) -> None:
        """Note packets, and send back what their hosts answer."""
        link.know()
        self._taking = link
        answers = []
        for data in packets:
            try:
                packet = ip.decode(data)
                self._note(packet, len(data))
                _remember(self._ways, packet.source, link)
                if self.tun is not None and packet.destination not in self.hosts:
                    self.tun.send(data)
                    continue
                answer = self._answer(packet)
            except PeerError as error:
                self.site.peer_fault(link, error.reason, data)
                continue
            if answer is not None:
                answers.append(ip.encode(answer))
        link.send_packets(answers)

    def _send(self, packets: list[Packet]) -> None:
        """Send packets of one connection to where its device is."""
        link = self._way(packets[0].destination)
        if link is not None:
            link.send_packets([ip.encode(each) for each in packets])

    def forward(self, packets: list[bytes]) -> None:
        """Send packets of programs to the devices that they are for; what is no packet, or for nobody, goes nowhere."""
        for data in packets:
            with contextlib.suppress(PeerError):
                link = self._way(ip.decode(data).destination)
                if link is not None:
                    link.send_packets([data])

    def _way(self, address: str) -> Link | None:
        return self._ways.get(address) or next(iter(self.links), None)

    def blame(self, reason: str) -> None:
        """Report what a device did wrong inside its packets."""
        if self._taking is not None:
            self.site.peer_fault(self._taking, reason)

    def note_asked(self, ends: tuple[str, str], service: str, name: str, path: str, sni: str = "") -> None:
        """Take note of what somebody (the first of `ends`) asked a service of a host for."""
        key = (*ends, service, name, path, sni)
        times = self._asked.get(key, 0) + 1
        _remember(self._asked, key, times)
        fields = dict(zip(("source", "destination", "service", "name", "path", "sni"), key, strict=True))
        self.site.observe("asked", {**fields, "times": times}, key=" ".join(filter(None, key)))

    def _note(self, packet: Packet, octets: int) -> None:
        key = packet.source, packet.destination, _NAMES.get(packet.protocol, "other")
        seen, size = self._arrived.get(key, (0, 0))
        _remember(self._arrived, key, (seen + 1, size + octets))
        facts = dict(zip(("source", "destination", "protocol"), key, strict=True))
        self.site.observe("arrived", {**facts, "packets": seen + 1, "octets": size + octets}, key=" ".join(key))

    def _answer(self, packet: Packet) -> Packet | None:
        """Return what the host answers that a packet is for."""
        host = self.hosts.get(packet.destination)
        if packet.protocol in (Protocol.ICMP, Protocol.ICMPV6):
            message = ip.decode_icmp(packet)
            if message.type in _ECHOES.values():
                self._hear(packet.source, message)
            kind = _ECHOES.get(message.type)
            if host is None or kind is None or "icmp" not in host.answers:
                return None
            return ip.encode_icmp(message._replace(type=kind), packet.destination, packet.source)
        if host is None:
            return None
        if packet.protocol == Protocol.TCP:
            if host.answers or any(each == packet.destination for each, _ in self.services):
                self.tcp.take(packet)
            return None
        return self._answer_datagram(packet, host) if packet.protocol == Protocol.UDP else None

    def _answer_datagram(self, packet: Packet, host: HostConfig) -> Packet | None:
        udp = ip.decode_udp(packet)
        ends, payload = (packet.source, packet.destination), udp.payload
        service = self.services.get((packet.destination, udp.destination_port))
        answer: bytes | None
        if service is not None and service.protocol == "udp":
            answer = service.answer_to(payload)
        elif "dns" in host.answers and udp.destination_port == _DNS:
            answer, payload = self.resolve(ends, payload), b""
        else:
            answer = payload if "udp" in host.answers else None
        self.note_payload(ends, udp.destination_port, "udp", payload)
        if answer is None:
            return None
        back = Udp(udp.destination_port, udp.source_port, answer)
        return ip.encode_udp(back, packet.destination, packet.source)

    def note_payload(self, ends: tuple[str, str], port: int, protocol: str, data: bytes) -> None:
        """Report octets that came from a device (the first of `ends`); zeros, as `send` fills datagrams, are none."""
        if any(data):
            facts: dict[str, str | int] = {
                "source": ends[0],
                "destination": ends[1],
                "port": port,
                "protocol": protocol,
            }
            self.payloads.note(data, facts)

    def _hear(self, source: str, message: Icmp) -> None:
        waiting = self._awaited.get((source, message.rest))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # -- what is sent first

    async def reach(self, address: str, sender: str, patience: float) -> bool:
        """Send an echo request to a device; whether it answered. Raises ManagementError."""
        own = self.address_of(sender, 6 if ":" in address else 4)
        link = self._way(address)
        if link is None:
            return False
        self._echo = number = self._echo % 0xFFFF + 1
        kind = Icmpv6Type.ECHO_REQUEST if ":" in address else IcmpType.ECHO
        key = address, number
        waiting = self._awaited[key] = asyncio.get_running_loop().create_future()
        link.send_packets([ip.encode(ip.encode_icmp(Icmp(kind, 0, number, b"simwarden"), own, address))])
        try:
            async with asyncio.timeout(patience):
                await waiting
        except TimeoutError:
            return False
        finally:
            del self._awaited[key]
        return True

    def send_datagram(self, ends: Ends, content: bytes) -> bool:
        """Send a datagram of a host to a device; return False without a way there."""
        own, own_port, to, port = ends
        link = self._way(to)
        if link is not None:
            link.send_packets([ip.encode(ip.encode_udp(Udp(own_port, port, content), own, to))])
        return link is not None

    def address_of(self, host: str, version: int) -> str:
        """Return the address of a host. Raises ManagementError."""
        known = self.config.hosts.get(host)
        found = [each for each in known.addresses if (":" in each) == (version == 6)] if known is not None else []
        if not found:
            raise ManagementError(404, f"{self.site.name} has no host {host} with IPv{version}")
        return found[0]


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """Keep a value by key; of too many the first goes."""
    if key not in kept and len(kept) >= _MOST:
        del kept[next(iter(kept))]
    kept[key] = value
