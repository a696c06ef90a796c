"""Peers from outside that say nothing: they are left, and keep no other peer from any listener."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from waiting import LONG

from simwarden.machine.diameter_shared import LocalNode
from simwarden.model.identity import Ecgi, Plmn
from simwarden.model.interfaces import INTERFACES, Service
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport.framing import enclose
from simwarden.runtime.transport.reception import Limits, is_allowed
from simwarden.scenario.registry import Registry
from simwarden.trace.events import Fault, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire import diameter, mqtt, s1ap, uu, x2
from simwarden.wire.s1ap.values import GlobalEnbId, MacroEnbId, SupportedTa
from simwarden.wire.x2.enums import TransmissionBandwidth
from simwarden.wire.x2.ies import FddInfo, ServedCell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PLMN = Plmn("001", "01")
ENB = GlobalEnbId(PLMN, MacroEnbId(77))
CELL = ServedCell(
    1, Ecgi(PLMN, 77 << 8), 1, (PLMN,), FddInfo(19300, 1300, TransmissionBandwidth.BW50, TransmissionBandwidth.BW50)
)
#: whose peers have no first message
IDLE = {"SGi": "internet"}
LISTENERS = {"S6a": "hss", "S13": "eir", "S1-MME": "mme", "X2": "enb", "Uu": "enb", "MQTT": "broker"}
MANY = 1000
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
#: what must run beside an element for it to start
NEEDED = {"mme": ("hss", "eir", "mme"), "enb": ("hss", "eir", "mme", "enb")}
#: peers known to those that ask for it
KNOWN: dict[str, Any] = {"peers": {"mme": {}, "good": {}, "better": {}}}


def first_message(interface: str, name: str) -> bytes:
    """What a good peer of this name says first."""
    if interface in ("S6a", "S13"):
        application = {"S6a": diameter.Application.S6A, "S13": diameter.Application.S13}[interface]
        node = LocalNode(f"{name}.{REALM}", REALM, applications=(int(application),))
        return diameter.encode(
            diameter.request("Capabilities-Exchange-Request", node.capabilities(), hop_by_hop=1, end_to_end=1)
        )
    if interface == "MQTT":
        return mqtt.encode(mqtt.Connect(name))
    if interface == "Uu":
        return uu.encode(uu.CellSearch())
    if interface == "X2":
        return x2.encode(x2.Message("x2-setup-request", {"global_enb_id": ENB, "served_cells": (CELL,)}))
    areas = {"supported_tas": (SupportedTa(1, (PLMN,)),), "default_paging_drx": s1ap.PagingDrx.V64}
    return s1ap.encode(s1ap.Message("s1-setup-request", {"global_enb_id": ENB, **areas}))


async def call(host: Host, interface: str, name: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    owner = (LISTENERS | IDLE)[interface]
    reader, writer = await asyncio.open_connection(*host.transport.address_of(owner, interface))
    if name:
        point, octets = INTERFACES[interface], first_message(interface, name)
        writer.write(octets if point.service is Service.STREAM else enclose(octets, 0, point.ppid))
        assert await asyncio.wait_for(reader.read(4096), LONG), "a good peer is answered"
    return reader, writer


async def gone(reader: asyncio.StreamReader) -> bool:
    """Whether a connection is ended within the time that a test has."""
    try:
        return await asyncio.wait_for(reader.read(1), LONG) == b""
    except ConnectionError:
        return True


def play(story: Callable[[Host], Awaitable[None]], element: str, limits: Limits | None = None) -> Trace:
    loop = TestbedLoop(virtual=False)
    clock = Clock(loop)
    trace = Trace(clock.now)
    kinds: dict[str, Any] = dict(Registry.installed().kinds)

    async def whole() -> None:
        owners = LISTENERS | IDLE
        places = {
            name: Placement({each: ("127.0.0.1", 0) for each, owner in owners.items() if owner == name})
            for name in owners.values()
        }
        settings = HostSettings(transport="tcp", placements=places, limits=limits or Limits())
        host = Host(loop, clock, trace, settings)
        for name in NEEDED.get(element, (element,)):
            config = kinds[name].declaration.config
            host.add(name, kinds[name], config.model_validate(KNOWN if name in ("hss", "eir") else {}))
        await host.start_all()
        try:
            await story(host)
        finally:
            await host.close()

    try:
        loop.run_until_complete(asyncio.wait_for(whole(), 2 * LONG))
    finally:
        loop.close()
    assert not [event for event in trace.events if isinstance(event, Fault)]
    return trace


def told(trace: Trace) -> list[PeerFault]:
    return [event for event in trace.events if isinstance(event, PeerFault)]


@pytest.mark.parametrize("interface", LISTENERS)
def test_silent_connections_stop_no_good_peer(interface: str) -> None:
    async def story(host: Host) -> None:
        first = await call(host, interface, "good")
        silent = [await call(host, interface) for _ in range(MANY)]
        last = await call(host, interface, "better")
        for reader, writer in (first, last):
            assert not reader.at_eof()
            writer.close()
        for _, writer in silent:
            writer.close()

    trace = play(story, LISTENERS[interface])
    left = [fault for fault in told(trace) if "without a valid first message" in fault.reason]
    assert len(left) == MANY + 1 - Limits().strangers
    assert {(fault.element, fault.interface) for fault in left} == {(LISTENERS[interface], interface)}
    assert len({fault.peer for fault in left}) == len(left)


@pytest.mark.parametrize("interface", LISTENERS)
def test_a_stranger_is_left_and_a_known_peer_stays(interface: str) -> None:
    async def story(host: Host) -> None:
        known, writer = await call(host, interface, "good")
        stranger, other = await call(host, interface)
        assert await gone(stranger)
        assert not known.at_eof()
        other.close()
        writer.close()

    trace = play(story, LISTENERS[interface], Limits(patience=1))
    assert [fault.reason for fault in told(trace)] == ["no valid first message in 1 s"]


def test_a_pgw_without_packets_stays_on_sgi_and_idle_connections_are_no_more_than_strangers_may_be() -> None:
    async def story(host: Host) -> None:
        idle = [await call(host, "SGi") for _ in range(2)]
        await asyncio.sleep(1.5)
        assert not any(reader.at_eof() for reader, _ in idle)
        third = await call(host, "SGi")
        assert await gone(idle[0][0]), "the oldest makes room"
        for _, writer in (*idle, third):
            writer.close()

    trace = play(story, "internet", Limits(patience=1, strangers=2))
    assert [fault.reason for fault in told(trace)] == ["2 connections without a valid first message stand"]


def test_beyond_the_most_connections_one_more_is_closed_unless_a_stranger_makes_room() -> None:
    async def story(host: Host) -> None:
        stranger, other = await call(host, "MQTT")
        held = [(await call(host, "MQTT", name))[1] for name in ("good", "better")]
        assert await gone(stranger), "it made room for the second"
        refused, writer = await call(host, "MQTT")
        assert await gone(refused)
        for each in (other, writer, *held):
            each.close()

    trace = play(story, "broker", Limits(connections=2))
    assert [fault.reason for fault in told(trace)] == ["2 connections stand", "2 connections stand"]


@pytest.mark.parametrize("wrong", [{"connections": 0}, {"strangers": 0}, {"patience": 0}, {"patience": "11 s"}])
def test_limits_that_cannot_be_held_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Limits(**wrong)


@pytest.mark.parametrize(
    ("host", "allowed", "admitted"),
    [
        ("192.0.2.9", (), True),
        ("192.0.2.9", ("192.0.2.0/28",), True),
        ("::ffff:192.0.2.9", ("192.0.2.0/28",), True),
        ("192.0.2.66", ("192.0.2.0/28", "198.51.100.1/32"), False),
        ("", ("192.0.2.0/28",), False),
    ],
)
def test_a_peer_sends_from_an_allowed_address(host: str, allowed: tuple[str, ...], *, admitted: bool) -> None:
    assert is_allowed(host, allowed) is admitted
