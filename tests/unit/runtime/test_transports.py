"""Each transport keeps order, boundaries and closes; what comes from outside the process arrives, or is a fault."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping

import pytest
from sctp_lab import has_sctp

from simwarden.errors import ConfigError, InternalError, PeerError
from simwarden.model.interfaces import Interface, Service
from simwarden.runtime.clock import Clock
from simwarden.runtime.frame_queue import FrameQueue
from simwarden.runtime.link import Link
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport import sctp
from simwarden.runtime.transport.base import Outgoing, Wiring
from simwarden.runtime.transport.choose import Carriers, check_hosts
from simwarden.runtime.transport.framing import LARGEST, Deframer, enclose
from simwarden.trace.events import Frame, PacketDropped, PeerFault
from simwarden.trace.trace import Trace

SERVICES = dict.fromkeys(("memory", "tcp", "udp", "sctp", "sctp-udp"), Service.MESSAGES)
S6A = Interface("S6a", "diameter", Service.STREAM, 3868, 46)


needs_sctp = pytest.mark.skipif(not has_sctp(), reason="neither the kernel nor libusrsctp has SCTP")
needs_user_space = pytest.mark.skipif(not has_sctp(in_udp=True), reason="needs libusrsctp (Debian: libusrsctp2)")


TRANSPORTS = [
    "memory",
    "tcp",
    "udp",
    pytest.param("sctp", marks=needs_sctp),
    pytest.param("sctp-udp", marks=needs_user_space),
]


def run(
    name: str,
    story: Callable[[Carriers, Interface, Clock], Awaitable[None]],
    *,
    virtual: bool = True,
    carriers: Mapping[str, str] | None = None,
) -> Trace:
    loop = TestbedLoop(virtual=virtual)
    clock = Clock(loop)
    trace = Trace(clock.now)
    loop.in_flight = frame_queue = FrameQueue()

    async def whole() -> None:
        transport = Carriers(name, Wiring(trace, frame_queue), carriers)
        try:
            await story(transport, Interface("S1-MME", "s1ap", SERVICES[name], 1, 18), clock)
        finally:
            await transport.close()

    try:
        loop.run_until_complete(asyncio.wait_for(whole(), 60))
    finally:
        loop.close()
    return trace


@pytest.mark.parametrize("name", TRANSPORTS)
def test_messages_arrive_whole_and_in_order_and_a_close_is_heard_after_them(name: str) -> None:
    async def story(transport: Carriers, interface: Interface, clock: Clock) -> None:
        got: list[tuple[str, bytes, int]] = []

        def accept(link: Link) -> None:
            link.on_receive = lambda data, stream: got.append((link.remote, data, stream))
            link.on_close = lambda reason: got.append((link.remote, reason.encode(), -1))

        await transport.listen(interface, "b", accept, None)
        first, second = await transport.connect(interface, "a", "b"), await transport.connect(interface, "c", "b")
        big = bytes(range(256)) * 100
        for number in range(5):
            first.send(b"one %d" % number, stream=0 if name == "udp" else number)
            second.send(big)
        first.close("over")
        first.send(b"nothing goes out on a dead wire")
        await clock.settle()
        streams = [0] * 5 if name == "udp" else range(5)
        assert [g for g in got if g[0] == "a"] == [
            *(("a", b"one %d" % n, s) for n, s in enumerate(streams)),
            ("a", b"over", -1),
        ]
        assert [g for g in got if g[0] == "c"] == [("c", big, 0)] * 5
        assert [g[0] for g in got[:4]] == ["a", "c", "a", "c"]
        await transport.stop_listening("b")
        with pytest.raises(ConnectionError):
            await transport.connect(interface, "a", "b")

    trace = run(name, story)
    assert sum(isinstance(e, Frame) for e in trace.events) == 10


@pytest.mark.parametrize("name", TRANSPORTS[1:])
def test_a_peer_outside_is_traced_both_ways_and_named_by_its_address(name: str) -> None:
    async def story(transport: Carriers, interface: Interface, _: Clock) -> None:
        links: list[Link] = []

        def accept(link: Link) -> None:
            links.append(link)
            link.on_receive = lambda data, stream: link.send(data.upper(), stream=stream)

        await transport.listen(interface, "b", accept, ("127.0.0.1", 0))
        address = transport.address_of("b", interface.name)
        link = await transport.connect_outside(interface, "a", "foreign", Outgoing(address))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        link.on_receive = lambda data, _stream: answer.set_result(data)
        link.send(b"hello")
        assert await answer == b"HELLO"
        assert links[0].remote.startswith("127.0.0.1:")
        link.close()

    frames = [e for e in run(name, story, virtual=False).events if isinstance(e, Frame)]
    assert [(f.target if f.source in "ab" else f.source)[:7] for f in frames] == [
        "foreign",
        "127.0.0",
        "127.0.0",
        "foreign",
    ]


@pytest.mark.parametrize(
    "carrier", [pytest.param("sctp", marks=needs_sctp), pytest.param("sctp-udp", marks=needs_user_space)]
)
def test_diameter_on_sctp_has_a_message_in_each_of_sctps_and_knows_its_addresses(carrier: str) -> None:
    async def story(transport: Carriers, _: Interface, __: Clock) -> None:
        links: list[Link] = []
        got: asyncio.Queue[bytes] = asyncio.Queue()

        def accept(link: Link) -> None:
            links.append(link)
            link.on_receive = lambda data, _stream: got.put_nowait(data)

        await transport.listen(S6A, "b", accept, ("127.0.0.1,127.0.0.2", 0))
        address = transport.address_of("b", "S6a")
        assert address[0] == "127.0.0.1,127.0.0.2"
        outgoing = Outgoing(address, source=("127.0.0.3,127.0.0.4", 0))
        link = await transport.connect_outside(S6A, "a", "foreign", outgoing)
        link.send_together([b"one", b"two"])
        assert [await got.get(), await got.get()] == [b"one", b"two"]
        assert links[0].remote.startswith("127.0.0.3:")
        assert (link.hosts, links[0].hosts) == (("127.0.0.3", "127.0.0.4"), ("127.0.0.1", "127.0.0.2"))
        link.close()

    frames = [e for e in run("tcp", story, virtual=False, carriers={"S6a": carrier}).events if isinstance(e, Frame)]
    assert {(each.on_sctp, each.ppid) for each in frames} == {(True, 46)}


@pytest.mark.parametrize("carrier", ["tcp", pytest.param("sctp", marks=needs_sctp)])
def test_a_link_comes_from_the_address_and_port_that_is_its_source_each_time(carrier: str) -> None:
    async def story(transport: Carriers, _: Interface, __: Clock) -> None:
        came: asyncio.Queue[str] = asyncio.Queue()
        with socket.socket() as free:
            free.bind(("127.0.0.9", 0))
            source = free.getsockname()
        await transport.listen(S6A, "b", lambda link: came.put_nowait(link.remote), ("127.0.0.1", 0))
        for _attempt in range(3):
            address = transport.address_of("b", "S6a")
            link = await transport.connect_outside(S6A, "a", "foreign", Outgoing(address, source=source))
            assert await came.get() == f"127.0.0.9:{source[1]}"
            link.close()
            await asyncio.sleep(0.3)  # the association is shut down

    run("tcp", story, virtual=False, carriers={"S6a": carrier})


@pytest.mark.parametrize(
    ("carrier", "hosts", "said"),
    [("tcp", "192.0.2.1,192.0.2.2", "has one address, not 2"), ("sctp", "2001:db8::1", "needs IPv4 addresses")],
)
def test_addresses_that_a_carrier_cannot_have_are_an_error(carrier: str, hosts: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"S6a on {carrier} {said}"):
        check_hosts(S6A, carrier, (hosts, 3868))


@needs_sctp
def test_a_message_without_end_on_sctp_is_a_peer_fault_and_closes_its_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(transport: Carriers, _: Interface, __: Clock) -> None:
        accepted: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        await transport.listen(S6A, "b", accepted.set_result, ("127.0.0.1", 0))
        near = await transport.connect_outside(S6A, "a", "foreign", Outgoing(transport.address_of("b", "S6a")))
        far = await accepted
        closed = asyncio.Event()
        far.on_close = lambda _reason: closed.set()
        assert isinstance(far, sctp.SctpLink)
        monkeypatch.setattr(far.sock, "receive", lambda: (bytes(1 << 16), 0, False))
        near.send(b"something to read")
        await closed.wait()

    trace = run("tcp", story, virtual=False, carriers={"S6a": "sctp"})
    assert [e.reason for e in trace.events if isinstance(e, PeerFault)] == [f"a message of more than {LARGEST} octets"]


def test_garbage_on_a_framed_port_is_a_peer_fault_and_closes_that_link_only() -> None:
    async def story(transport: Carriers, interface: Interface, _: Clock) -> None:
        links: list[Link] = []
        address = ("127.0.0.1", 0)
        await transport.listen(interface, "b", links.append, address)
        port = transport.address_of("b", "S1-MME")[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        assert not links[0].up
        assert (await transport.connect(interface, "a", "b")).up

    trace = run("tcp", story, virtual=False)
    fault = next(e for e in trace.events if isinstance(e, PeerFault))
    assert "not a frame" in fault.reason
    assert fault.data.startswith(b"GET")


def test_the_frame_over_tcp_takes_any_segmentation() -> None:
    stream = enclose(b"abc", 1, 18) + enclose(b"", 0, 18) + enclose(b"x" * 5000, 65535, 18)
    for size in (1, 7, 4096, len(stream)):
        deframer, got = Deframer(), []
        for at in range(0, len(stream), size):
            got += deframer.feed(stream[at : at + size])
        assert got == [(b"abc", 1), (b"", 0), (b"x" * 5000, 65535)]
    with pytest.raises(PeerError):
        Deframer().feed((LARGEST + 1).to_bytes(4) + bytes(8))


def test_an_unknown_transport_is_said_clearly() -> None:
    with pytest.raises(ConfigError, match="one of memory, tcp, udp, sctp"):
        Carriers("carrier-pigeon", Wiring(Trace(lambda: 0.0), FrameQueue()))


def test_a_system_without_sctp_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: object) -> None:
        raise OSError(93, "Protocol not supported")

    monkeypatch.setattr(sctp, "KernelSocket", missing)
    monkeypatch.setattr(sctp, "UserSocket", missing)
    with pytest.raises(ConfigError, match=r"modprobe sctp.*libusrsctp2.*transport tcp"):
        Carriers("sctp", Wiring(Trace(lambda: 0.0), FrameQueue()))


@needs_sctp
def test_an_sctp_port_where_nobody_listens_refuses() -> None:
    async def story(transport: Carriers, interface: Interface, _: Clock) -> None:
        with pytest.raises(ConnectionError):
            await transport.connect_outside(interface, "a", "foreign", Outgoing(("127.0.0.1", 9)))

    run("sctp", story, virtual=False)


@pytest.mark.parametrize("name", TRANSPORTS)
@pytest.mark.parametrize("turns", range(0, 12, 2))
@pytest.mark.parametrize("virtual", [True, False])
def test_a_connection_given_up_while_it_is_made_is_no_longer_in_flight(name: str, turns: int, *, virtual: bool) -> None:
    """Wherever its making has got to: who listened hears of its end, and nothing waits for it."""
    heard: list[str] = []

    async def story(transport: Carriers, interface: Interface, clock: Clock) -> None:
        def accept(link: Link) -> None:
            heard.append("accepted")
            link.on_close = lambda _reason: heard.append("closed")

        await transport.listen(interface, "b", accept, None)
        making = asyncio.ensure_future(transport.connect(interface, "a", "b"))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not making.cancel():
            making.result().close()
        await asyncio.wait_for(clock.settle(), 20)
        await clock.settle()
        await transport.connect(interface, "a", "b")  # the next one is made
        assert heard in (["accepted"], ["accepted", "closed", "accepted"])

    run(name, story, virtual=virtual)


@pytest.mark.parametrize("name", TRANSPORTS[:2])
def test_a_listener_that_ends_while_somebody_connects_refuses(name: str) -> None:
    async def story(transport: Carriers, interface: Interface, clock: Clock) -> None:
        await transport.listen(interface, "b", lambda _link: None, None)
        making = asyncio.ensure_future(transport.connect(interface, "a", "b"))
        await asyncio.sleep(0)
        await transport.stop_listening("b")
        await asyncio.wait_for(clock.settle(), 20)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(making, 20)

    run(name, story, virtual=False)


@pytest.mark.parametrize("name", ["memory", "tcp"])
def test_user_packets_go_as_a_batch_in_their_place_on_a_link_of_the_radio(name: str) -> None:
    """Between terminal and eNB; what is not taken is dropped and told, and a link that carries none is a fault."""
    packets = [bytes([number]) * 300 for number in range(200)]

    async def story(carriers: Carriers, _: Interface, clock: Clock) -> None:
        radio, s6a = Interface("Uu", "uu", Service.MESSAGES, 1), Interface("S6a", "diameter", Service.STREAM, 2)
        got: list[object] = []
        ends: list[Link] = []

        def accept(link: Link) -> None:
            ends.append(link)
            link.on_receive = lambda data, _stream: got.append(data)
            link.on_packets = lambda batch: got.append(list(batch))

        for interface in (radio, s6a):
            await carriers.listen(interface, "b", accept)
        link, other = await carriers.connect(radio, "a", "b"), await carriers.connect(s6a, "a", "b")
        link.send(b"before")
        link.send_packets(packets)
        link.send(b"after")
        await clock.settle()
        assert got == [b"before", packets, b"after"]
        assert (link.packets, link.octets) == (200, 60_000)
        ends[0].send_packets([b"down"])
        await clock.settle()
        link.close()
        link.send_packets([b"on a dead wire"])
        with pytest.raises(InternalError, match="S6a carries no user packets"):
            other.send_packets([b"x"])

    events = run(name, story).events
    assert [e.data for e in events if isinstance(e, Frame)] == [b"before", b"after"]
    (dropped,) = [e for e in events if isinstance(e, PacketDropped)]
    assert (dropped.element, dropped.data, dropped.reason) == ("a", b"down", "it takes no user packets here")
