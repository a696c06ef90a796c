"""Unreadable flows: devices keep them, and no denied or unlisted name passes."""

from __future__ import annotations

from typing import Any

import pytest
from directed import OTHER, Device, change, device
from gateways import SERVER, Gateways
from scapy.layers.inet import IP, TCP

#: octets of a segment
SIZE = 1300
NMEA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
AUDIO = bytes(range(256)) * 100

UNREADABLE = {
    "HTTP/2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "blanks in a query": b"GET /u?t=2026-03-02 10:00:00 HTTP/1.1\r\nHost: up.example\r\n\r\n",
    "user information in a URI": b"GET http://u:p@up.example/ HTTP/1.1\r\nHost: up.example\r\n\r\n",
}
#: requests for a listed host, followed by octets that are not a request
STREAMS = {
    "NTRIP 2 rover": b"GET /RTCM HTTP/1.1\r\nHost: up.example\r\nNtrip-Version: Ntrip/2.0\r\n\r\n" + NMEA * 300,
    "Icecast source": b"PUT /m HTTP/1.1\r\nHost: up.example\r\nContent-Type: audio/mpeg\r\n\r\n" + AUDIO,
    "path in UTF-8": "GET /温度 HTTP/1.1\r\nHost: up.example\r\n\r\n".encode(),
}
HIDDEN = b"\nGET / HTTP/1.1\r\nHost: no.example\r\n\r\n"


async def stream(it: Device, octets: bytes, *, acknowledge: int = 1) -> int:
    """Send octets in segments, one of `acknowledge` of which is acknowledged; return the number that passed."""
    assert await it.connect(SERVER)
    for number, at in enumerate(range(0, len(octets), SIZE), 1):
        if not await it.say(SERVER, octets[at : at + SIZE], at):
            return at
        if number % acknowledge == 0:
            ack = TCP(sport=80, dport=50000, flags="A", seq=8, ack=100 + at + SIZE)
            await it.down(bytes(IP(src=SERVER, dst=it.own) / ack))
    return len(octets)


@pytest.mark.parametrize("octets", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("lists", [{"blacklist": ["wx.example"]}, {"apps": ["social"]}], ids=["name", "apps"])
async def test_a_denied_name_closes_no_unreadable_flow_to_another_address(octets: bytes, lists: Any) -> None:
    async with Gateways() as bench:
        it = await device(bench, **lists)
        assert await it.look_up("up.example", SERVER)
        assert await stream(it, octets) == len(octets)


@pytest.mark.parametrize("octets", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(("known", "passes"), [(OTHER, True), (SERVER, False)], ids=["elsewhere", "here"])
async def test_a_denied_name_of_an_address_closes_unreadable_flows_there(
    octets: bytes, known: str, *, passes: bool
) -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=["other.example"])
        assert await it.look_up("wx.example", known)
        assert await it.look_up("up.example", SERVER, port=4001)
        await change(bench, blacklist=["wx.example"])
        assert (await stream(it, octets) == len(octets)) is passes


@pytest.mark.parametrize(("setting", "passes"), [("by-address", True), ("deny", False)])
async def test_a_setting_closes_all_unreadable_flows_of_a_card_with_denied_names(setting: str, *, passes: bool) -> None:
    async with Gateways(pgw={"unreadable": setting}) as bench:
        it = await device(bench, blacklist=["wx.example"])
        octets = UNREADABLE["HTTP/2 with prior knowledge"]
        assert (await stream(it, octets) == len(octets)) is passes


@pytest.mark.parametrize("octets", [*UNREADABLE.values(), *STREAMS.values()], ids=[*UNREADABLE, *STREAMS])
async def test_an_entry_that_needs_no_name_passes_all_that_its_server_is_sent(octets: bytes) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["tcp://up.example:80"])
        assert await it.look_up("up.example", SERVER)
        assert await stream(it, octets) == len(octets)


@pytest.mark.parametrize("octets", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("entry", ["http://up.example", "http://up.example:80"])
async def test_a_listed_host_is_sent_what_is_no_request_behind_its_own(octets: bytes, entry: str) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[entry])
        assert await it.look_up("up.example", SERVER)
        assert await stream(it, octets) == len(octets)


@pytest.mark.parametrize("octets", STREAMS.values(), ids=STREAMS)
async def test_a_request_for_another_host_behind_such_octets_is_found(octets: bytes) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example"])
        assert await it.look_up("up.example", SERVER)
        assert await stream(it, octets + HIDDEN) < len(octets)


async def test_small_chunks_pass_while_the_server_is_slow_to_acknowledge_them() -> None:
    chunks = (b"40\r\n" + b"v" * 64 + b"\r\n") * 3000
    octets = b"POST /a HTTP/1.1\r\nHost: up.example\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example"])
        assert await it.look_up("up.example", SERVER)
        assert await stream(it, octets, acknowledge=100) == len(octets)


@pytest.mark.parametrize(("path", "passes"), [("/firmware", True), ("/other", False)])
async def test_a_request_of_http_1_1_without_a_host_is_judged_by_its_path(path: str, *, passes: bool) -> None:
    octets = f"GET {path} HTTP/1.1\r\nAccept: */*\r\n\r\n".encode()
    async with Gateways() as bench:
        it = await device(bench, whitelist=[f"http://{SERVER}/firmware"])
        assert (await stream(it, octets) == len(octets)) is passes
