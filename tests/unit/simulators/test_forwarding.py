"""Packets of a device that is handed over while they come: none is lost, doubled or overtaken; what is lost is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simwarden.operations.element import element_of
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, Frame, PacketDropped, PeerFault
from simwarden.wire import gtpu, gtpv2, ip

from .test_handover_end_to_end import build, do, put_into_service

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simwarden.runtime.host import Host
    from simwarden.trace.events import Event

DEVICE, SERVER = "10.64.0.1", "198.51.100.80"


class Stream:
    """A packet to the device at each frame on a wire: they come in between all that a handover consists of."""

    def __init__(self, host: Host) -> None:
        self.sent, self.running = 0, False
        self.got: list[int] = []
        self.pgw: Any = host.elements["pgw"]
        meter: Any = host.elements["meter"]
        meter.emm.packets.take = lambda _identity, data: self.got.append(int.from_bytes(data[28:32]))
        host.trace.add_sink(self)

    def __call__(self, event: Event) -> None:
        if self.running and isinstance(event, Frame):
            self.send()

    def send(self) -> None:
        packet = ip.encode_udp(ip.Udp(1, 2, self.sent.to_bytes(4)), SERVER, DEVICE)
        self.sent += 1
        self.pgw.core.gateway.downlink([ip.encode(packet)])


def play(*, x2: bool, story: Callable[[Host, Stream], Coroutine[Any, Any, None]]) -> Host:
    loop = TestbedLoop(virtual=True)

    async def whole() -> Host:
        host = build(loop, x2=x2)
        await put_into_service(host)
        await story(host, Stream(host))
        await host.close()
        return host

    host = loop.run_until_complete(whole())
    loop.close()
    assert [event for event in host.trace.events if isinstance(event, (Fault, PeerFault))] == []
    return host


def asked(host: Host) -> list[str]:
    """What the MME asks of the SGW about forwarding."""
    frames = [each for each in host.trace.events if isinstance(each, Frame) and each.interface == "S11"]
    names = [gtpv2.decode(each.data).name for each in frames if each.source == "mme"]
    return [name for name in names if "forwarding" in name]


def forwarded(host: Host, name: str) -> int:
    """How many packets an eNB has sent on: the device itself sends none."""
    station: Any = element_of(host, name).station  # type: ignore[attr-defined]
    return sum(path.packets for path in station.plane.endpoint._paths.values())


def end_markers(host: Host) -> list[tuple[str, str]]:
    frames = [each for each in host.trace.events if isinstance(each, Frame) and each.interface in ("S1-U", "X2-U")]
    marked = [each for each in frames if gtpu.decode(each.data).type is gtpu.MessageType.END_MARKER]
    return [(each.source, each.target) for each in marked]


@pytest.mark.parametrize("x2", [True, False], ids=["by X2", "by S1"])
def test_nothing_is_lost_doubled_or_overtaken(*, x2: bool) -> None:
    async def story(host: Host, stream: Stream) -> None:
        for cell in ("enb2/1", "enb/1", "enb2/1"):
            stream.running = True
            assert await do(host, "meter", "handover", device="meter", cell=cell) == "handed-over"
            stream.running = False
            await host.clock.sleep(5)
        stream.send()
        await host.clock.settle()
        assert stream.sent > 30
        assert stream.got == list(range(stream.sent))
        assert forwarded(host, "enb") > 0
        assert forwarded(host, "enb2") > 0
        for name in ("enb", "enb2"):
            station = element_of(host, name).station  # type: ignore[attr-defined]
            assert len(station.plane) == (name == "enb2")  # the bearer's own, and none of a handover
        assert len(element_of(host, "sgw").core.plane) == 2  # type: ignore[attr-defined]

    host = play(x2=x2, story=story)
    assert [each for each in host.trace.events if isinstance(each, PacketDropped)] == []
    if x2:
        assert asked(host) == []
        assert end_markers(host)[:2] == [("sgw", "enb"), ("enb", "enb2")]
    else:
        names = ["create-indirect-data-forwarding-tunnel-request", "delete-indirect-data-forwarding-tunnel-request"]
        assert asked(host) == names * 3
        assert end_markers(host)[:3] == [("sgw", "enb"), ("enb", "sgw"), ("sgw", "enb2")]


@pytest.mark.parametrize("x2", [True, False], ids=["by X2", "by S1"])
def test_of_a_device_that_does_not_come_each_packet_is_told(monkeypatch: pytest.MonkeyPatch, *, x2: bool) -> None:
    async def story(host: Host, stream: Stream) -> None:
        meter: Any = host.elements["meter"]
        monkeypatch.setattr(type(meter.emm.radio), "_hand_over", lambda radio, _order: radio._drop())  # it is gone
        stream.running = True
        await do(host, "meter", "handover", device="meter", cell="enb2/1")
        stream.running = False
        await host.clock.sleep(60)
        dropped = [each for each in host.trace.events if isinstance(each, PacketDropped)]
        assert dropped
        assert len(dropped) + len(stream.got) == stream.sent

    play(x2=x2, story=story)


@pytest.mark.parametrize("x2", [True, False], ids=["by X2", "by S1"])
def test_where_nothing_is_forwarded_the_number_lost_is_told(*, x2: bool) -> None:
    """The target takes no packets of others: what comes to the source while the device is under way is lost."""

    async def story(host: Host, stream: Stream) -> None:
        station: Any = element_of(host, "enb2").station  # type: ignore[attr-defined]
        station.config = station.config.model_copy(update={"takes_forwarded": False})
        stream.running = True
        assert await do(host, "meter", "handover", device="meter", cell="enb2/1") == "handed-over"
        stream.running = False
        await host.clock.sleep(5)
        stream.send()
        await host.clock.settle()
        lost = [each for each in host.trace.events if isinstance(each, PacketDropped)]
        assert {(each.element, each.reason) for each in lost} == {("enb", "the device is not connected here")}
        numbers = [int.from_bytes(each.data[28:32]) for each in lost]
        assert len(lost) > 0
        assert sorted([*stream.got, *numbers]) == list(range(stream.sent))
        assert stream.got == sorted(set(stream.got))

    play(x2=x2, story=story)


def test_without_an_end_marker_what_waits_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host, stream: Stream) -> None:
        sgw: Any = host.elements["sgw"]
        monkeypatch.setattr(sgw.core.plane, "end", lambda *_: None)
        await do(host, "meter", "handover", device="meter", cell="enb2/1")
        stream.send()
        await host.clock.settle()
        assert stream.got == []
        await host.clock.sleep(1.1)
        assert stream.got == [0]

    play(x2=True, story=story)
