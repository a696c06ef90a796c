"""Datagrams go to addresses found in messages, beside SCTP and TCP of the same run, and alike on every carrier."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import socket
import subprocess
from collections import ChainMap
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import ConfigError, InternalError
from simwarden.model.interfaces import INTERFACES, Interface, Service
from simwarden.operations.element import Element
from simwarden.runtime import host as hosts
from simwarden.runtime import site as sites
from simwarden.runtime.clock import EPOCH, Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport.addresses import Address, Addresses
from simwarden.runtime.transport.endpoint import LONGEST, Endpoint
from simwarden.trace import packets
from simwarden.trace.events import Fault, Frame, Note, PacketDropped
from simwarden.trace.pcapng import write_capture
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from simwarden.runtime.link import Link

TOYS = {
    "S11": Interface("S11", "toy", Service.DATAGRAMS, 2123),
    "S5": Interface("S5", "toy", Service.DATAGRAMS, 2123),
    "S1-U": Interface("S1-U", "toy", Service.DATAGRAMS, 2152),
}
#: of each run: what carries it, and what carries single reference points
RUNS: list[tuple[str, dict[str, str]]] = [
    ("memory", {}),
    ("tcp", {}),
    ("sctp", {}),
    ("sctp", {"S1-MME": "tcp", "S6a": "memory"}),
    ("memory", {"S11": "udp", "S5": "udp", "S6a": "tcp"}),
]
#: a worker that no other test process is: where the outside is spoken with the ports are the well-known ones
OWN = 20 + os.getpid() % 200


class ToyConfig(ElementConfig):
    """Settings of a toy gateway."""


class Gateway(Element[ToyConfig]):
    """Answers `hello` with where its user plane is, at the address that the message says, and returns user packets."""

    declaration = Declaration(kind="gateway", title="Gateway", lane=1, config=ToyConfig)

    async def start(self) -> None:
        self.heard: list[tuple[bytes, Address]] = []
        self.batches: list[tuple[Sequence[bytes], Address]] = []
        self.links: list[Link] = []
        self.control = self.site.endpoint("S11", "S5")
        self.control.on_receive = self.receive
        self.user = self.site.endpoint("S1-U")
        self.user.on_packets = self.take_packets
        for interface in ("S1-MME", "S6a"):
            await self.site.listen(interface, self.accept)

    async def stop(self) -> None:
        for link in self.links:
            link.close("gone")

    def accept(self, link: Link) -> None:
        self.links.append(link)
        link.on_receive = lambda data, stream: link.send(data[::-1], stream=stream)

    def receive(self, data: bytes, source: Address) -> None:
        self.heard.append((data, source))
        if data.startswith(b"hello"):
            said = str(ipaddress.ip_address(data[5:9])), 2123
            self.control.send(b"welcome" + fteid(self.user), said)

    def take_packets(self, packets: Sequence[bytes], source: Address) -> None:
        self.batches.append((packets, source))


class Caller(Gateway):
    """Speaks first."""

    declaration = Declaration(kind="caller", title="Caller", lane=2, config=ToyConfig)


def fteid(endpoint: Endpoint) -> bytes:
    return ipaddress.ip_address(endpoint.address[0]).packed


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    known: Any = ChainMap(TOYS, dict(INTERFACES))
    for module in (hosts, sites):
        monkeypatch.setattr(module, "INTERFACES", known)


@pytest.fixture
def loop() -> Iterator[TestbedLoop]:
    made = TestbedLoop(virtual=True)
    yield made
    made.close()


def play(
    story: Callable[[Host, Caller, Gateway], Awaitable[None]],
    transport: str = "memory",
    *,
    virtual: bool = True,
    seen: Callable[[Trace], None] = lambda _trace: None,
    **settings: Any,
) -> Trace:
    loop = TestbedLoop(virtual=virtual)
    clock = Clock(loop)
    trace = Trace(clock.now)
    seen(trace)
    host = Host(loop, clock, trace, HostSettings(transport=transport, **settings))

    async def whole() -> None:
        caller, gateway = (host.add(name, kind, ToyConfig()) for name, kind in (("a", Caller), ("b", Gateway)))
        await host.start_all()
        assert isinstance(caller, Caller)
        assert isinstance(gateway, Gateway)
        await story(host, caller, gateway)
        await host.close()

    try:
        loop.run_until_complete(asyncio.wait_for(whole(), 60))
    finally:
        loop.close()
    assert not [each for each in trace.events if isinstance(each, Fault)]
    return trace


async def everything_at_once(host: Host, caller: Caller, gateway: Gateway) -> None:
    """In one instant: datagrams on two reference points, SCTP messages on two streams, and a stream of octets."""
    s1, s6a = [await caller.site.connect(interface, "b") for interface in ("S1-MME", "S6a")]
    heard: list[bytes] = []
    s1.on_receive = s6a.on_receive = lambda data, _stream: heard.append(data)
    to = caller.site.address_of("b", "S11")
    for number in range(3):
        s6a.send(b"s6a %d" % number)
        caller.control.send(b"hello" + fteid(caller.control), to)
        s1.send(b"s1 %d" % number, stream=number)
        caller.control.send(b"again", to, on="S5")
    await host.clock.settle()
    assert [data for data, _ in gateway.heard] == [b"hello" + fteid(caller.control), b"again"] * 3
    assert caller.heard == [(b"welcome" + fteid(gateway.user), to)] * 3
    assert sorted(heard) == sorted(text % n for n in range(3) for text in (b"%d a6s", b"%d 1s"))
    host_found = str(ipaddress.ip_address(caller.heard[0][0][-4:]))
    assert caller.site.behind(host_found) == "b"
    s1.close()
    s6a.close()


def ladder(trace: Trace) -> list[tuple[Any, ...]]:
    return [
        (f.time, f.source, f.target, f.interface, f.data, f.stream, f.link, f.from_client, f.ends)
        for f in trace.events
        if isinstance(f, Frame)
    ]


def test_the_same_ladder_whatever_carries_which_reference_point() -> None:
    first = ladder(play(everything_at_once))
    assert len(first) == 21
    assert {f[3] for f in first} == {"S1-MME", "S6a", "S11", "S5"}
    for transport, carriers in RUNS[1:]:
        for worker in (0, 3):
            found = ladder(play(everything_at_once, transport, carriers=carriers, worker=worker))
            assert found == first, (transport, carriers, worker)


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_each_datagram_arrives_as_it_was_sent(transport: str) -> None:
    sent = [b"one", b"", b"three", bytes(LONGEST)]

    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        for each in sent:
            caller.control.send(each, caller.site.address_of("b", "S11"))
        await host.clock.settle()
        assert gateway.heard == [(each, caller.control.address) for each in sent]
        with pytest.raises(InternalError, match="at most 65507 octets"):
            caller.control.send(bytes(LONGEST + 1), gateway.control.address)

    frames = [e for e in play(story, transport).events if isinstance(e, Frame)]
    assert {e.ends for e in frames} == {(("127.1.1.1", 2123), ("127.1.2.1", 2123))}


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_more_than_a_socket_holds_is_not_lost(transport: str) -> None:
    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        for number in range(5000):
            caller.control.send(number.to_bytes(4) * 200, gateway.control.address)
            gateway.control.send(number.to_bytes(4), caller.control.address)
        caller.control.close()  # what it has said goes out
        await host.clock.settle()
        assert [int.from_bytes(data[:4]) for data, _ in gateway.heard] == list(range(5000))

    play(story, transport)


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_user_packets_are_counted_and_come_in_batches_in_their_place(transport: str) -> None:
    packets = [number.to_bytes(4) * 20 for number in range(100_000)]

    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        order: list[str] = []
        gateway.user.on_receive = lambda data, _source: order.append(data.decode())
        gateway.user.on_packets = lambda batch, source: (
            order.append(f"{len(batch)} from {source[0]}") or (gateway.take_packets(batch, source))
        )
        caller.user.send(b"before", gateway.user.address)
        caller.user.send_packets(packets, gateway.user.address)
        caller.user.send(b"after", gateway.user.address)
        await host.clock.settle()
        assert order == ["before", "100000 from 127.1.1.1", "after"]
        assert list(gateway.batches[0][0]) == packets
        path = caller.user.path(gateway.user.address)
        assert (path.packets, path.octets) == (100_000, 8_000_000)

    trace = play(story, transport)
    assert [e.data for e in trace.events if isinstance(e, Frame)] == [b"before", b"after"]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_a_sink_that_asks_sees_each_user_packet(transport: str) -> None:
    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        caller.user.send_packets([b"x", b"y"], gateway.user.address)
        await host.clock.settle()
        assert len(gateway.batches) == 1

    def ask(trace: Trace) -> None:
        trace.show_packets = True

    trace = play(story, transport, seen=ask)
    assert [e.data for e in trace.events if isinstance(e, Frame)] == [b"x", b"y"]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_a_dropped_user_packet_is_told_with_its_octets(transport: str) -> None:
    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        caller.user.send_packets([b"to nobody"], ("127.1.77.1", 2152))
        gateway.user.on_packets = None
        caller.user.send_packets([b"to one that takes none"], gateway.user.address)
        await host.clock.settle()
        await host.stop("b")
        caller.user.send_packets([b"too late"], gateway.user.address)
        await host.clock.settle()

    dropped = [e for e in play(story, transport).events if isinstance(e, PacketDropped)]
    assert [(e.element, e.data, e.reason) for e in dropped] == [
        ("a", b"to nobody", "nobody is at 127.1.77.1:2152"),
        ("b", b"to one that takes none", "it takes no user packets here"),
        ("a", b"too late", "nobody is at 127.1.2.1:2152"),
    ]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
@pytest.mark.parametrize("kill", [False, True])
def test_one_that_was_restarted_is_at_its_address_again_and_gets_nothing_old(transport: str, *, kill: bool) -> None:
    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        to = gateway.control.address
        caller.control.send(b"in flight", to)
        await host.stop("b", kill=kill)
        caller.control.send(b"to nobody", to)
        await host.start("b")
        caller.control.send(b"new", to)
        await host.clock.settle()
        assert gateway.heard == [(b"new", caller.control.address)]

    play(story, transport)


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_an_address_is_taken_once(transport: str) -> None:
    async def story(_host: Host, caller: Caller, _gateway: Gateway) -> None:
        with pytest.raises(ConfigError, match=r"a and a are both at 127\.1\.1\.1:2123"):
            caller.site.endpoint("S11")
        with pytest.raises(InternalError, match="no port in common"):
            caller.site.endpoint("S11", "S1-U")
        with pytest.raises(InternalError, match="S6a"):
            caller.site.endpoint("S6a")
        with pytest.raises(InternalError, match="S11 has endpoints"):
            await caller.site.connect("S11", "b")

    play(story, transport)


def test_an_element_outside_is_reached_and_known_by_its_address() -> None:
    """A foreign gateway answers from another address than it was called at, as gateways may."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        foreign.bind(("127.0.0.1", 0))
        foreign.settimeout(5)
        other.bind(("127.99.0.1", 0))

        async def story(_host: Host, caller: Caller, _gateway: Gateway) -> None:
            caller.user.is_packet = lambda data: data.startswith(b"user")
            heard: list[tuple[bytes, str]] = []
            caller.user.on_receive = lambda data, source: heard.append((data, caller.site.behind(source[0])))
            caller.control.send(b"ask", caller.site.address_of("sgw", "S5"), on="S5")
            data, source = foreign.recvfrom(100)
            assert (data, source) == (b"ask", caller.control.address)
            foreign.sendto(b"answer", source)
            for each in (b"echo", b"user 1", b"user 2"):
                foreign.sendto(each, caller.user.address)
            other.sendto(b"stranger", caller.control.address)
            await asyncio.sleep(0.2)
            assert [data for data, _ in caller.heard] == [b"answer", b"stranger"]
            assert heard == [(b"echo", "sgw")]
            assert [list(batch) for batch, _ in caller.batches] == [[b"user 1", b"user 2"]]
            caller.user.send_packets([b"down"], foreign.getsockname())
            assert foreign.recv(100) == b"down"

        outside = {"sgw": {"S5": foreign.getsockname()}}
        trace = play(story, virtual=False, worker=OWN, external=outside)
        stranger = f"127.99.0.1:{other.getsockname()[1]}"
    frames = [(f.source, f.target, f.interface, f.data) for f in trace.events if isinstance(f, Frame)]
    assert sorted(frames) == sorted(
        [
            ("a", "sgw", "S5", b"ask"),
            ("sgw", "a", "S5", b"answer"),
            ("sgw", "a", "S1-U", b"echo"),
            (stranger, "a", "S11", b"stranger"),
        ]
    )


def test_a_way_that_does_not_lead_out_is_told_once() -> None:
    async def story(_host: Host, caller: Caller, _gateway: Gateway) -> None:
        for _ in range(2):
            caller.control.send(b"x", ("192.0.2.9", 2123))  # from a loopback address

    trace = play(story, virtual=False, worker=OWN, external={"sgw": {"S11": ("192.0.2.9", 2123)}})
    (note,) = [e for e in trace.events if isinstance(e, Note) and "no way" in e.text]
    assert note.text.startswith("no way to sgw at 192.0.2.9:2123: ")


#: an echo request of GTPv2-C (TS 29.274 7.1.1, restart counter 3), and an IPv4 header in GTP-U (TS 29.281)
ECHO = bytes.fromhex("40010009000001000300010003")
G_PDU = bytes.fromhex("30ff001400000001") + bytes.fromhex("4500001400000000401100000a0000010a000002")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (apt install tshark)")
@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_wireshark_decodes_datagrams_by_their_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """User packets are in a capture when somebody asks for them."""

    async def story(host: Host, caller: Caller, gateway: Gateway) -> None:
        caller.control.send(ECHO, gateway.control.address)
        caller.user.send_packets([G_PDU, G_PDU], gateway.user.address)
        await host.clock.settle()

    def ask(trace: Trace) -> None:
        trace.show_packets = True

    trace = play(story, transport, seen=ask)
    monkeypatch.setattr(packets, "spoken_on", {name: (each,) for name, each in TOYS.items()}.get)
    path = tmp_path / "toys.pcapng"
    with path.open("wb") as stream:
        write_capture(trace.events, stream, EPOCH)
    fields = ("frame.interface_name", "ip.src", "ip.dst", "_ws.col.Protocol", "gtpv2.rec", "gtp.teid")
    columns = [part for each in fields for part in ("-e", each)]
    command = [shutil.which("tshark") or "", "-n", "-r", str(path), "-T", "fields", *columns]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
    assert shown[0].split("\t")[:5] == ["S11", "127.1.1.1", "127.1.2.1", "GTPv2", "3"]
    for each in shown[1:]:
        interface, sources, targets, _, _, teid = each.split("\t")
        assert (interface, sources, targets) == ("S1-U", "127.1.1.1,10.0.0.1", "127.1.2.1,10.0.0.2")
        assert teid == "0x00000001"
    assert len(shown) == 3


def test_nothing_leaves_a_run_that_has_no_outside() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.settimeout(0.2)

        async def story(_host: Host, caller: Caller, _gateway: Gateway) -> None:
            caller.control.send(b"x", foreign.getsockname())

        play(story, "tcp")
        with pytest.raises(TimeoutError):
            foreign.recv(100)


def test_a_placement_says_the_address_and_one_that_cannot_be_had_is_told() -> None:
    async def story(_host: Host, caller: Caller, gateway: Gateway) -> None:
        assert caller.control.address == ("127.44.0.1", 2123)
        assert caller.user.address == ("127.44.0.1", 2152)
        assert caller.site.address_of("a", "S11") == caller.control.address
        gateway.control.send(b"hello" + fteid(gateway.control), caller.control.address)

    play(story, "tcp", placements={"a": Placement(host="127.44.0.1")}, virtual=False, worker=OWN)
    with pytest.raises(OSError, match=r"address \('192\.0\.2\.77', 2123\)"):
        play(story, "tcp", placements={"a": Placement(host="192.0.2.77")}, virtual=False, worker=OWN)


def test_addresses_are_those_of_process_and_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: 7)
    one = Addresses()
    monkeypatch.setattr("os.getpid", lambda: 217 + 8)
    two = Addresses()
    names = [f"element{number}" for number in range(600)]
    assert [one.of(name) for name in names] == [two.of(name) for name in names]
    assert len({one.of(name) for name in names}) == 600
    assert (one.bound("element0"), two.bound("element0")) == ("127.40.1.1", "127.41.1.1")
    known = Addresses(4, open_to_outside=True)
    assert (known.of("element0"), known.bound("element0")) == ("127.5.1.1", "127.5.1.1")
    assert one.of("element251") == "127.1.2.2"
    assert one.behind("127.1.2.2") == "element251"
    assert one.behind("198.51.100.1") == ""


def test_elements_without_a_loopback_address_each_have_ports_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert ladder(play(everything_at_once, "tcp")) == ladder(play(everything_at_once))
