"""Diameter nodes of two elements over the transports of the runtime."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import PeerError
from simwarden.operations.element import Element, element_of
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer, Timers, Unreachable
from simwarden.runtime.host import Host, HostSettings
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, Note, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire.diameter import Message, RawAvp, ResultCode, encode
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from simwarden.runtime.loop import TestbedLoop

IMSI = "001010000000017"
REALM = "example"


class NodeConfig(ElementConfig):
    """What a node does."""

    peer: str = ""
    allow: bool = True
    timers: Any = Timers()


class Node(Element[NodeConfig]):
    """Serves S6a, or asks."""

    declaration = Declaration(kind="node", title="Node", lane=1, config=NodeConfig)
    node: DiameterNode

    async def start(self) -> None:
        self.heard: list[Message] = []
        self.up: list[str] = []
        self.release = asyncio.Event()
        handlers: dict[str, Callable[[Message, Peer], Awaitable[Message]]] = {
            "authentication-information-request": self.slow if self.site.name == "slow" else self.air,
            "cancel-location-request": self.air,
            "notify-request": self.broken,
            "purge-ue-request": self.choosy,
        }
        self.node = DiameterNode(
            self.site,
            LocalNode(f"{self.site.name}.{REALM}", REALM),
            {"S6a": handlers},
            admit=lambda _host, _realm, _name: self.config.allow,
            opened=lambda peer: self.up.append(f"+{peer.name}"),
            closed=lambda peer: self.up.append(f"-{peer.name}"),
            timers=self.config.timers,
        )
        await self.node.listen("S6a")
        if self.config.peer:
            self.connected = await self.node.connect("S6a", self.config.peer)

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def air(self, message: Message, peer: Peer) -> Message:
        self.heard.append(message)
        assert peer.host == message.get("Origin-Host")
        return self.node.answer(message, ResultCode.DIAMETER_SUCCESS)

    async def slow(self, message: Message, _peer: Peer) -> Message:
        self.heard.append(message)
        await self.release.wait()
        return self.node.answer(message, ResultCode.DIAMETER_SUCCESS)

    async def broken(self, message: Message, _peer: Peer) -> Message:
        raise KeyError(message.name)

    async def choosy(self, _message: Message, _peer: Peer) -> Message:
        raise PeerError("not like this")

    def request(self, name: str = "Authentication-Information-Request") -> Message:
        more: list[tuple[str, Any]] = [("User-Name", IMSI)]
        if name.startswith("Auth"):
            more.append(("Visited-PLMN-Id", b"\x00\xf1\x10"))
        if name.startswith("Cancel"):
            more.append(("Cancellation-Type", 2))
        return self.node.make(name, more, realm=REALM, host="x")


@pytest.fixture(params=["memory", "tcp"])
def host(loop: TestbedLoop, request: pytest.FixtureRequest) -> Host:
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport=request.param))
    host.add("hss", Node, NodeConfig())
    host.add("mme", Node, NodeConfig(peer="hss"))
    return host


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[tuple[Any, Any]]:
    """Have both nodes of a host run."""
    await host.start_all()
    yield host.elements["hss"], host.elements["mme"]
    await host.close()


def names(host: Host) -> list[str]:
    return [dissect(e).name for e in host.trace.events if isinstance(e, Frame)]


async def test_ask_and_answer_in_both_directions_and_goodbye(host: Host) -> None:
    async with running(host) as (hss, mme):
        assert mme.connected
        assert (await mme.node.ask("hss", mme.request())).success
        assert (await mme.node.ask("hss.example", mme.request())).success
        assert (await hss.node.ask("mme.example", hss.request("Cancel-Location-Request"))).success
        assert mme.node.peers == (Peer("hss", "hss.example", REALM, "S6a"),)
    assert names(host) == [
        "capabilities-exchange-request",
        "capabilities-exchange-answer",
        *["authentication-information-request", "authentication-information-answer"] * 2,
        "cancel-location-request",
        "cancel-location-answer",
        "disconnect-peer-request",
        "disconnect-peer-answer",
    ]
    assert not [e for e in host.trace.events if isinstance(e, Fault | PeerFault)]


async def test_many_requests_are_outstanding_at_once(host: Host) -> None:
    async with running(host) as (hss, mme):
        answers = await asyncio.gather(*(mme.node.ask("hss", mme.request()) for _ in range(40)))
        assert len({m.get("Session-Id") for m in answers}) == 40
        assert len(hss.heard) == 40


async def test_no_answer_in_time_is_unreachable_and_a_repetition_has_the_t_flag(host: Host) -> None:
    host.add("slow", Node, NodeConfig())
    host.add("mme2", Node, NodeConfig(peer="slow"))

    async with running(host) as (_hss, _mme):
        slow, mme = host.elements["slow"], host.elements["mme2"]
        assert isinstance(slow, Node)
        assert isinstance(mme, Node)
        message = mme.request()
        with pytest.raises(Unreachable, match="did not answer"):
            await mme.node.ask("slow", message, timeout=2)
        assert host.clock.now() == pytest.approx(2)
        slow.release.set()
        await host.clock.settle()
        answer = await mme.node.ask("slow", message)
        assert answer.success
        assert len(slow.heard) == 1
    assert [e.reason for e in host.trace.events if isinstance(e, PeerFault)]  # the late answer
    assert any("duplicate" in e.text for e in host.trace.events if isinstance(e, Note))


async def test_a_bug_in_a_handler_is_a_fault_and_5012(host: Host) -> None:
    async with running(host) as (_hss, mme):
        answer = await mme.node.ask("hss", mme.request("Notify-Request"))
        assert answer.result_code == 5012
        answer = await mme.node.ask("hss", mme.request("Purge-UE-Request"))
        assert (answer.result_code, answer.get("Error-Message")) == (5012, "not like this")
        answer = await mme.node.ask("hss", mme.request())
        assert answer.success
    assert [e.reason for e in host.trace.events if isinstance(e, Fault)] == [
        "notify-request: KeyError: 'notify-request'"
    ]


async def test_what_a_node_has_no_handler_for_is_unsupported(host: Host) -> None:
    async with running(host) as (hss, mme):
        del hss
        message = mme.node.make("Reset-Request", [], realm=REALM, host="x")
        answer = await mme.node.ask("hss", message)
        assert (answer.result_code, answer.error) == (3001, True)


async def test_a_peer_that_is_not_admitted_stays_out(loop: TestbedLoop) -> None:
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    host.add("hss", Node, NodeConfig(allow=False))
    host.add("mme", Node, NodeConfig(peer="hss"))

    async with running(host) as (_hss, mme):
        assert not mme.connected
        with pytest.raises(Unreachable):
            await mme.node.ask("hss", mme.request())
    answers = [dissect(e) for e in host.trace.events if isinstance(e, Frame) and e.source == "hss"]
    assert {d.fields["result_code"] for d in answers} == {3010}


@pytest.mark.parametrize("kill", [False, True])
async def test_a_peer_that_comes_back_is_found_again(host: Host, *, kill: bool) -> None:
    async with running(host) as (hss, mme):
        await host.stop("hss", kill=kill)
        await host.clock.settle()
        assert mme.up == ["+hss", "-hss"]
        with pytest.raises(Unreachable):
            await mme.node.ask("hss", mme.request())
        await host.start("hss")
        assert (await mme.node.ask("hss", mme.request())).success, "asking does not wait for the pause to end"
        await host.stop("hss", kill=kill)
        await host.clock.sleep(600)
        await host.start("hss")
        await host.clock.sleep(61)
        assert mme.up == ["+hss", "-hss"] * 2 + ["+hss"]
        assert (await hss.node.ask("mme", hss.request("Cancel-Location-Request"))).success


async def test_pending_requests_of_a_lost_connection_are_unreachable(host: Host) -> None:
    host.add("slow", Node, NodeConfig())
    host.add("mme2", Node, NodeConfig(peer="slow"))

    async with running(host) as (_hss, _mme):
        mme = host.elements["mme2"]
        assert isinstance(mme, Node)
        asked = asyncio.ensure_future(mme.node.ask("slow", mme.request()))
        await host.clock.settle()
        await host.stop("slow", kill=True)
        with pytest.raises(Unreachable, match="not connected"):
            await asked


async def test_a_request_on_a_lost_connection_goes_out_again_with_the_t_flag(host: Host) -> None:
    async with running(host) as (hss, mme):
        await host.stop("hss", kill=True)
        await host.start("hss")
        assert (await mme.node.ask("hss", mme.request())).success, "the loss was not yet heard of when it was sent"
        (message,) = hss.heard
        assert message.flags & FLAG_RETRANSMITTED


async def test_idle_connections_cost_nothing_in_virtual_time(host: Host) -> None:
    async with running(host) as (_hss, mme):
        await host.clock.sleep(90 * 86400)
        assert (await mme.node.ask("hss", mme.request())).success
    assert "device-watchdog-request" not in names(host)
    assert host.clock.keep_alives_skipped > 100_000


async def test_the_watchdog_runs_where_keep_alives_are_asked_for(host: Host) -> None:
    async with running(host) as (_hss, mme):
        host.clock.skip_keep_alives = False
        mme.node.drop()
        mme.node.stopping = False
        assert await mme.node.connect("S6a", "hss")
        await host.clock.sleep(100)
        assert mme.up[-1] == "+hss"
    assert names(host).count("device-watchdog-request") >= 3


async def test_a_second_connection_of_the_same_peer_is_turned_away(host: Host) -> None:
    async with running(host) as (_hss, mme):
        link = await element_of(host, "mme").site.connect("S6a", "hss")
        got: list[bytes] = []
        link.on_receive = lambda data, _stream: got.append(data)
        cer = next(e.data for e in host.trace.events if isinstance(e, Frame))
        link.send(cer)
        await host.clock.settle()
        assert not link.up
        assert (await mme.node.ask("hss", mme.request())).success
    refused = [dissect(e) for e in host.trace.events if isinstance(e, Frame) and e.source == "hss"]
    assert 4003 in [d.fields.get("result_code") for d in refused]


async def test_rubbish_on_the_port_harms_nobody_else(host: Host) -> None:
    async with running(host) as (_hss, mme):
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\x01\x00\x00\x14" + bytes(16)):
            link = await element_of(host, "mme").site.connect("S6a", "hss")
            link.send(rubbish)
            await host.clock.settle()
            assert not link.up
        assert (await mme.node.ask("hss", mme.request())).success
    assert len([e for e in host.trace.events if isinstance(e, PeerFault)]) == 3
    assert not [e for e in host.trace.events if isinstance(e, Fault)]


async def test_an_avp_nobody_knows_is_5001_from_the_machine(host: Host) -> None:
    async with running(host) as (_hss, mme):
        message = mme.request()
        raw = RawAvp(9999, 10415, 0xC0, b"?")
        message.avps.append((raw.name, raw))
        assert encode(message)
        answer = await mme.node.ask("hss", message)
        assert answer.result_code == 5001
        assert answer.get("Failed-AVP") == [(raw.name, raw)]
