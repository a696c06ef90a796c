"""How many new flows that show their names are looked into in a second of one core; `-s` prints the figures.

Whole flows as a PGW has them, packet after packet: handshake and ClientHello (over two segments, as today's are), a
request of HTTP, a ClientHello in an Initial of QUIC, a question to a resolver and its answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dns.message
import dns.rrset
import pytest
from flows import ACK, FIRST, FIRST_DOWN, SYN, Flow, client_hello
from vectors import seeds

from simwarden.machine.inspection.bindings import Bindings
from simwarden.machine.inspection.watch import watch
from simwarden.wire import ip

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOWS = 2_000
#: flows a second that must be reached however busy the machine is; the goal is 5,000 on a quiet one
LEAST = 1_000


def connection(*segments: bytes) -> list[tuple[bytes, bool]]:
    """Return the packets of a connection whose client says something, each with whether it is the client's."""
    made, at = Flow(), 1
    packets = [(made.tcp(b"", SYN, FIRST), True), (made.tcp(b"", SYN | ACK, FIRST_DOWN, FIRST + 1, up=False), False)]
    for octets in (b"", *segments):
        packets.append((made.tcp(octets, ACK, FIRST + at, FIRST_DOWN + 1), True))
        at += len(octets)
    return [*packets, (made.tcp(b"x" * 1300, ACK, FIRST_DOWN + 1, FIRST + at, up=False), False)]


def resolver() -> list[tuple[bytes, bool]]:
    """Return a question and its answer."""
    asked = dns.message.make_query("server.example", "A", id=7)
    told = dns.message.make_response(asked)
    told.answer.append(dns.rrset.from_text("server.example.", 60, "IN", "A", "198.51.100.80"))
    made = Flow(53, protocol=17)
    return [(made.udp(asked.to_wire()), True), (made.udp(told.to_wire(), up=False), False)]


HELLO = client_hello()
REQUEST = b"GET /firmware HTTP/1.1\r\nHost: server.example\r\nAccept: */*\r\nUser-Agent: meter/1\r\n\r\n"
KINDS = {
    "tls": lambda: connection(HELLO[:1348], HELLO[1348:] or b"\x14"),
    "http": lambda: connection(
        b"GET /firmware HTTP/1.1\r\nHost: server.example\r\nAccept: */*\r\nUser-Agent: meter/1\r\n\r\n"
    ),
    "quic": lambda: [(Flow(443, protocol=17).udp(seeds("inspection/quic.txt")[0]), True)],
    "dns": resolver,
}


def rate(packets: Sequence[tuple[bytes, bool]]) -> float:
    """Look into as many flows of these packets; return how many a second of CPU time."""
    bindings = Bindings()
    began = time.process_time()
    for _ in range(FLOWS):
        seen = watch(ip.flow_of(packets[0][0]), bindings)
        assert seen is not None
        for packet, up in packets:
            seen.feed(packet, 0.0, up=up)
        assert [each.host for each in seen.shown] in (["server.example"], ["example.com"])
    return FLOWS / (time.process_time() - began)


@pytest.mark.parametrize("kind", KINDS)
def test_new_named_flows(kind: str) -> None:
    packets = KINDS[kind]()
    figure = max(rate(packets) for _ in range(3))
    print(f"\nnew named flows, {kind}: {figure:,.0f}/s")  # noqa: T201 - for `-s`
    assert figure > LEAST
