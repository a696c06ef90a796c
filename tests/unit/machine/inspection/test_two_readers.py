"""What a server reads has been shown before, whichever segments reach it: a gate that closes by what is shown holds.

The server is our TCP with h11. The client sends pieces of requests to a listed host and to a hidden one, which are of
one length, in any order; some never reach the server (a hop limit, say), which nobody between can know.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

import budget
import h11
from flows import ACK, CYCLE, DEVICE, FIRST, SERVER, SYN, Flow, client_hello
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simwarden.machine.tcp import Connection
from simwarden.machine.tcp_table import Received, TcpSettings
from simwarden.wire import ip, quic

HEAD = "GET /firmware HTTP/1.1\r\nHost: {}.example\r\nContent-Length: {:04}\r\n\r\n"
#: streams of one length: a request with a body of three octets, or one whose body has all that follows, again and again
TEXTS = [(HEAD.format(*each) + "abc").encode() * 3 for each in (("listed", 3), ("hidden", 3), ("listed", 900))]
LENGTH = len(TEXTS[0])


class Step(NamedTuple):
    """A segment: octets of a text; whether it reaches the server; `shift` moves its numbers, and `begins` is a SYN."""

    text: int
    at: int
    size: int
    arrives: bool
    begins: bool = False
    shift: int = 0


STEPS = st.builds(
    Step,
    st.sampled_from(range(len(TEXTS))),
    st.one_of(st.sampled_from(range(0, LENGTH, LENGTH // 3)), st.integers(0, LENGTH - 1)),
    st.one_of(st.just(LENGTH // 3), st.integers(1, LENGTH)),
    st.booleans(),
    st.sampled_from([False] * 7 + [True]),
    st.sampled_from([0] * 7 + [-LENGTH // 3, LENGTH // 3, 5000]),
)


class Server:
    """A server, and the hosts that it was asked for."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.hosts = flow, set[str]()
        self.tcp = Connection(80, 40000, 7000, TcpSettings())
        self.http = h11.Connection(h11.SERVER)
        self._opened = False

    def take(self, packet: bytes) -> None:
        """Take a packet; what it answers passes the gate."""
        segment = ip.decode_tcp(ip.decode(packet))
        if not self._opened:
            self._opened = True
            self.tcp.accept(segment, 0.0)
        else:
            self.tcp.receive(segment, 0.0)
        for event in self.tcp.events():
            if isinstance(event, Received):
                self._read(event.data)
        for each in self.tcp.data_to_send():
            self.flow.feed(ip.encode(ip.encode_tcp(each, SERVER, DEVICE)), up=False)

    def _read(self, octets: bytes) -> None:
        self.http.receive_data(octets)
        while True:
            try:
                event = self.http.next_event()
            except h11.RemoteProtocolError:
                return
            if isinstance(event, h11.Request):
                self.hosts.add(dict(event.headers)[b"host"].decode())
            elif isinstance(event, h11.EndOfMessage):
                self.http.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                self.http.send(h11.EndOfMessage())
                self.http.start_next_cycle()
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return


def play(steps: list[Step]) -> set[str]:
    """Send segments through a gate that is open as long as none but the listed host is shown; whom the server heard."""
    flow = Flow(80)
    server = Server(flow)
    syn = flow.tcp(b"", SYN, FIRST)
    flow.feed(syn)
    server.take(syn)
    for step in steps:
        sequence = (FIRST + 1 + step.at + step.shift) % CYCLE
        octets = b"" if step.begins else TEXTS[step.text][step.at : step.at + step.size]
        packet = flow.tcp(octets, SYN if step.begins else ACK, sequence, 7001)
        flow.feed(packet)
        if set(flow.hosts) <= {"listed.example"} and step.arrives:
            server.take(packet)
    return server.hosts


WHOLE = LENGTH // 3


@settings(max_examples=budget.examples(400))
@example([Step(0, 0, WHOLE, False), Step(1, 0, WHOLE, True)])
@example([Step(0, 0, 30, False), Step(1, 0, 30, True), Step(1, 30, WHOLE - 30, True)])
@example([Step(2, 0, WHOLE, False), Step(1, 0, WHOLE, True)])
@example([Step(0, 0, WHOLE, True), Step(2, WHOLE, WHOLE, False), Step(1, WHOLE, WHOLE, True)])
@example([Step(0, 0, WHOLE, True), Step(0, 0, 1, False, True), Step(2, 0, WHOLE, False), Step(1, WHOLE, WHOLE, True)])
@given(st.lists(STEPS, max_size=12))
def test_a_server_reads_nothing_that_was_not_shown(steps: list[Step]) -> None:
    assert play(steps) <= {"listed.example"}


def test_a_client_that_hides_nothing_is_heard() -> None:
    assert play([Step(0, at, 7, True) for at in range(0, LENGTH, 7)]) == {"listed.example"}
    assert play([Step(1, 0, WHOLE, True)]) == set()


HELLOS = [client_hello(f"{name}.example", maximum_version=ssl.TLSVersion.TLSv1_2)[5:] for name in ("listed", "hidden")]


class Datagram(NamedTuple):
    """A datagram of QUIC with a part (of three) of a ClientHello; of which connection, and whether it arrives."""

    hello: int
    part: int
    called: int
    arrives: bool
    #: in place of all that: a packet of somebody who has keys
    short: bool = False


LISTED, HIDDEN = ([Datagram(at, each, 2 - at, arrives=True) for each in range(3)] for at in range(2))


@settings(max_examples=budget.examples(150))
@example([HIDDEN[0], *LISTED, *HIDDEN[1:]])
@example([HIDDEN[0], HIDDEN[0]._replace(short=True), *HIDDEN[1:]])
@example([*(each._replace(called=1, arrives=False) for each in LISTED), *HIDDEN])
@given(
    st.lists(st.builds(Datagram, st.integers(0, 1), st.integers(0, 2), st.integers(1, 3), st.booleans()), max_size=9)
)
def test_a_server_of_quic_reads_nothing_that_was_not_shown(datagrams: list[Datagram]) -> None:
    flow, heard = Flow(443, protocol=17), dict[int, dict[int, bytes]]()
    for each in datagrams:
        hello, size = HELLOS[each.hello], -(-len(HELLOS[each.hello]) // 3)
        octets = hello[each.part * size : (each.part + 1) * size]
        packet = quic.protected(1, bytes((each.called,)) * 8, quic.crypto_frame(each.part * size, octets))
        flow.send(b"\x40" + bytes(30) if each.short else packet)
        if not each.short and each.arrives and set(flow.hosts) <= {"listed.example"}:
            heard.setdefault(each.called, {}).setdefault(each.part, octets)
    whole = [b"".join(parts[at] for at in range(3)) for parts in heard.values() if len(parts) == 3]
    assert HELLOS[1] not in whole
