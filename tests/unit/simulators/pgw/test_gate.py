"""The stateful gate of an APN: from outside, packets of flows that the device began, and of listed servers."""

from __future__ import annotations

from typing import Any

import pytest
from directed import OTHER, Device, device, to
from gateways import SERVER, Gateways
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment

from simulators.pgw.session import IDLE, IDLE_CONNECTION
from simwarden.trace.records import FlowRecord

GATED = {"apns": {"*": {"stateful_gate": True}}}


def back(card: Device, address: str = SERVER, port: int = 5683, near: int = 40000) -> bytes:
    """A datagram from outside."""
    return bytes(IP(src=address, dst=card.own) / UDP(sport=port, dport=near) / b"answer")


async def begin(card: Device, address: str = SERVER, port: int = 5683) -> None:
    """Send a datagram of the device."""
    sent = to(card.own, address, port)
    assert await card.up(sent) == [sent]


@pytest.mark.parametrize("gate", [True, False])
async def test_a_packet_of_an_unknown_sender_passes_only_without_the_gate(*, gate: bool) -> None:
    async with Gateways(pgw=GATED if gate else None) as bench:
        card = await device(bench)
        unknown = back(card, OTHER)
        assert await card.down(unknown) == ([] if gate else [unknown])
        assert bench.verdicts("data.gate") == ([False] if gate else [])
        await bench.mme.delete(card.made["sender_f_teid"].teid)
        (record,) = bench.of(FlowRecord)
        expected = ("refuse", "data.gate") if gate else ("admit", "")
        assert (record.subject, record.address, record.verdict, record.rule) == ("001010000000001", card.own, *expected)


@pytest.mark.parametrize(
    ("address", "port", "near", "passes"),
    [
        (SERVER, 5683, 40000, True),
        (SERVER, 5684, 40000, False),  # another port of the server
        (SERVER, 5683, 40001, False),  # another port of the device
        (OTHER, 5683, 40000, False),
    ],
)
async def test_of_a_flow_that_the_device_began_packets_come_back(
    address: str,
    port: int,
    near: int,
    passes: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        await begin(card)
        packet = back(card, address, port, near)
        assert await card.down(packet) == ([packet] if passes else [])


async def test_a_flow_that_was_refused_before_passes_once_the_device_has_begun_it() -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        assert await card.down(back(card)) == []
        await begin(card)
        assert await card.down(back(card)) == [back(card)]
        assert bench.verdicts("data.gate") == [False, True]


@pytest.mark.parametrize(("idle", "passes"), [(IDLE - 1, True), (IDLE + 1, False)])
async def test_a_flow_is_the_devices_until_it_was_idle_too_long(idle: float, *, passes: bool) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        await begin(card)
        await bench.sleep(idle)
        assert await card.down(back(card)) == ([back(card)] if passes else [])
        await bench.sleep(idle)  # what was refused has kept nothing open
        assert await card.down(back(card)) == ([back(card)] if passes else [])
        await begin(card)
        assert await card.down(back(card)) == [back(card)]


@pytest.mark.parametrize(("idle", "passes"), [(IDLE_CONNECTION - 1, True), (IDLE_CONNECTION + 1, False)])
async def test_a_connection_may_be_idle_for_two_hours(idle: float, *, passes: bool) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        assert await card.connect(SERVER)
        await bench.sleep(idle)
        packet = bytes(IP(src=SERVER, dst=card.own) / TCP(sport=80, dport=50000, flags="PA", seq=8, ack=100) / b"x")
        assert await card.down(packet) == ([packet] if passes else [])


@pytest.mark.parametrize("ends", ["F", "R"])
@pytest.mark.parametrize(("idle", "passes"), [(IDLE - 1, True), (IDLE + 1, False)])
async def test_a_connection_that_has_ended_is_idle_soon(ends: str, idle: float, *, passes: bool) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        assert await card.connect(SERVER)
        ended = bytes(IP(src=card.own, dst=SERVER) / TCP(sport=50000, dport=80, flags=f"{ends}A", seq=100, ack=8))
        assert await card.up(ended) == [ended]
        back = IP(src=SERVER, dst=card.own)
        if ends == "F":
            await card.down(bytes(back / TCP(sport=80, dport=50000, flags="FA", seq=8, ack=101)))
        await bench.sleep(idle)
        syn = bytes(back / TCP(sport=80, dport=50000, flags="S", seq=900))
        assert await card.down(syn) == ([syn] if passes else [])


async def test_a_connection_from_outside_does_not_begin() -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        syn = bytes(IP(src=SERVER, dst=card.own) / TCP(sport=80, dport=22, flags="S", seq=8))
        assert await card.down(syn) == []


@pytest.mark.parametrize(("about", "passes"), [(5683, True), (5684, False)])
async def test_an_error_about_a_flow_of_the_device_passes(about: int, *, passes: bool) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        await begin(card)
        error = bytes(IP(src="192.0.2.77", dst=card.own) / ICMP(type=3, code=4) / to(card.own, SERVER, about))
        assert await card.down(error) == ([error] if passes else [])


async def test_an_answer_in_fragments_passes() -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench)
        await begin(card)
        whole = IP(src=SERVER, dst=card.own, id=7) / UDP(sport=5683, dport=40000) / bytes(1400)
        parts = [*map(bytes, fragment(whole, fragsize=600))]  # type: ignore[no-untyped-call]
        assert await card.down(*parts) == parts
        unknown = IP(src=OTHER, dst=card.own, id=8) / UDP(sport=5683, dport=40000) / bytes(1400)
        others = fragment(unknown, fragsize=600)  # type: ignore[no-untyped-call]
        assert await card.down(*map(bytes, others)) == []


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        ({"whitelist": [f"{SERVER}:5683"]}, True),
        ({"whitelist": [f"udp://{OTHER}"]}, False),
        ({"whitelist": ["udp://0.0.0.0/0:5683"], "exception": "A-1"}, False),  # which lists nobody
        ({"blacklist": [OTHER]}, False),  # who is not denied is not listed yet
    ],
)
async def test_a_server_that_the_card_lists_may_begin(data: dict[str, Any], *, passes: bool) -> None:
    async with Gateways(pgw=GATED) as bench:
        card = await device(bench, **data)
        assert await card.down(back(card)) == ([back(card)] if passes else [])


async def test_a_call_for_help_is_bound_to_its_networks_alone() -> None:
    settings = {**GATED, "emergency_apns": ["meters"], "emergency_networks": [f"{SERVER}/32"]}
    async with Gateways(pgw=settings) as bench:
        card = await device(bench)
        assert await card.down(back(card)) == [back(card)]
        assert await card.down(back(card, OTHER)) == []
