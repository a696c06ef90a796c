"""Flows of a device as packets, and what a watch sees in them."""

from __future__ import annotations

import ssl

import pytest

from simwarden.machine.inspection.bindings import Bindings
from simwarden.machine.inspection.watch import Watch, watch
from simwarden.wire import ip
from simwarden.wire.ip import Tcp, TcpFlag, Udp

DEVICE, SERVER, RESOLVER = "10.64.0.1", "198.51.100.80", "192.0.2.53"
DEVICE6, SERVER6 = "2001:db8:64::1", "2001:db8:6::80"
SYN, ACK, FIN, RST, URG = TcpFlag.SYN, TcpFlag.ACK, TcpFlag.FIN, TcpFlag.RST, TcpFlag.URG
#: the first sequence number of the client, near its wrap, and of the server
FIRST, FIRST_DOWN = (1 << 32) - 700, 7_000
CYCLE = 1 << 32


def client_hello(name: str | None = "server.example", **settings: object) -> bytes:
    """Return the record of a ClientHello that OpenSSL makes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for key, value in settings.items():
        setattr(context, key, value)
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def with_extension(record: bytes, extension: bytes) -> bytes:
    """Return the record of a ClientHello with an extension more, the first."""
    at = 5 + 38
    at += 1 + record[at]
    at += 2 + int.from_bytes(record[at : at + 2])
    at += 1 + record[at]
    length = int.from_bytes(record[at : at + 2]) + len(extension)
    body = record[9:at] + length.to_bytes(2) + extension + record[at + 2 :]
    message = b"\1" + len(body).to_bytes(3) + body
    return record[:3] + len(message).to_bytes(2) + message


def in_records(hello: bytes, size: int) -> bytes:
    """Return a ClientHello in records of so many octets."""
    body = hello[5:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(hello[:3] + len(each).to_bytes(2) + each for each in pieces)


class Flow:
    """A flow from a device, with the watch that sees its packets."""

    def __init__(
        self, port: int = 443, *, protocol: int = 6, far: str = SERVER, bindings: Bindings | None = None
    ) -> None:
        self.far, self.near, self.port = far, DEVICE6 if ":" in far else DEVICE, port
        self.bindings = bindings or Bindings()
        first = self.tcp(b"", SYN) if protocol == 6 else self.udp(b"")
        seen = watch(ip.flow_of(first), self.bindings)
        assert seen is not None
        self.watch: Watch = seen
        self.now = 0.0
        self.first = FIRST
        #: all that it was told
        self.packets: list[bytes] = []

    def tcp(self, octets: bytes, flags: int, sequence: int = 0, acknowledged: int = 0, *, up: bool = True) -> bytes:
        """Return the packet of a segment."""
        (near, port), (far, far_port) = self._ends(up=up)
        numbers = sequence % CYCLE, acknowledged % CYCLE
        return ip.encode(ip.encode_tcp(Tcp(port, far_port, *numbers, TcpFlag(flags), 65535, octets), near, far))

    def udp(self, octets: bytes, *, up: bool = True) -> bytes:
        """Return the packet of a datagram."""
        (near, port), (far, far_port) = self._ends(up=up)
        return ip.encode(ip.encode_udp(Udp(port, far_port, octets), near, far))

    def _ends(self, *, up: bool) -> tuple[tuple[str, int], tuple[str, int]]:
        ends = (self.near, 40000), (self.far, self.port)
        return ends if up else ends[::-1]

    def feed(self, packet: bytes, *, up: bool = True) -> bool:
        """Let the watch see a packet; it never raises."""
        self.packets.append(packet)
        return self.watch.feed(packet, self.now, up=up)

    def open(self, first: int = FIRST) -> Flow:
        """Shake hands."""
        self.first = first
        self.feed(self.tcp(b"", SYN, first))
        self.feed(self.tcp(b"", SYN | ACK, FIRST_DOWN, first + 1, up=False), up=False)
        return self

    def say(self, octets: bytes, at: int = 0, flags: int = ACK) -> bool:
        """Send octets of the client, which begin at an offset of its stream."""
        return self.feed(self.tcp(octets, flags, self.first + 1 + at, FIRST_DOWN + 1))

    def answer(self, octets: bytes = b"", at: int = 0, acknowledged: int = 0) -> bool:
        """Send octets of the server; it has got those of the client up to an offset."""
        far = self.tcp(octets, ACK, FIRST_DOWN + 1 + at, self.first + 1 + acknowledged, up=False)
        return self.feed(far, up=False)

    def send(self, octets: bytes, *, up: bool = True) -> bool:
        """Send a datagram."""
        return self.feed(self.udp(octets, up=up), up=up)

    @property
    def hosts(self) -> list[str]:
        """Return whom it shows: the names, or by what there is none."""
        return [each.host or str(each.by) for each in self.watch.shown]
