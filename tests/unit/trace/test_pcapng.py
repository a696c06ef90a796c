"""Captures, read back with a reader of the test's own; tests/interop has Wireshark read them."""

from __future__ import annotations

import datetime as dt
import io
import ipaddress
import struct
from typing import Any, NamedTuple

import pytest
import traces

from simwarden.model.interfaces import Interface, Service
from simwarden.policy.decision import Verdict
from simwarden.trace import packets
from simwarden.trace.events import Event, Frame
from simwarden.trace.packets import crc32c
from simwarden.trace.pcapng import Capture, write_capture
from simwarden.wire.checksum import checksum

START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


class Packet(NamedTuple):
    interface: str
    link: int
    time: int
    data: bytes
    comments: list[str]


def options(block: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 4 <= len(block):
        code, length = struct.unpack_from("<HH", block, at)
        if not code:
            break
        found.append((code, block[at + 4 : at + 4 + length]))
        at += 4 + length + (-length % 4)
    return found


def read(octets: bytes) -> list[Packet]:
    at, interfaces, packets = 0, [], []
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", octets, at + length - 4)[0] == length
        body = octets[at + 8 : at + length - 4]
        if kind == 1:
            said = dict(options(body[8:]))
            assert said[9] == b"\x09"
            interfaces.append((said[2].decode(), struct.unpack_from("<H", body)[0]))
        elif kind == 6:
            number, high, low, size, original = struct.unpack_from("<IIIII", body)
            assert size == original
            rest = body[20 + size + (-size % 4) :]
            comments = [value.decode() for code, value in options(rest) if code == 1]
            name, link = interfaces[number]
            packets.append(Packet(name, link, high << 32 | low, body[20 : 20 + size], comments))
        at += length
    return packets


def capture(events: list[Event], **how: Any) -> list[Packet]:
    stream = io.BytesIO()
    write_capture(events, stream, START, **how)
    return read(stream.getvalue())


def test_an_interface_for_each_reference_point() -> None:
    links = {packet.interface: packet.link for packet in capture(traces.moved_card())}
    assert links == {"S6a": 101, "S13": 101, "ME-UICC": 252, "Uu": 252, "S1-MME": 101}


def test_times_are_the_clocks_own_to_the_nanosecond() -> None:
    packets = capture(traces.moved_card())
    assert packets[0].time == 1772438400 * 10**9
    assert packets[-1].time == 1772438400 * 10**9 + 3600_252_000_000


def test_the_verdict_is_on_the_message_that_carries_it() -> None:
    refused = [packet for packet in capture(traces.moved_card()) if any("REFUSED" in each for each in packet.comments)]
    assert len(refused) == 1
    assert refused[0].interface == "S6a"
    assert struct.pack(">I", 5001) in refused[0].data
    reason = "IMEI 35999900000007 is not the bound 35999900000006: expected 35999900000006, seen 35999900000007"
    assert refused[0].comments == [f"REFUSED by hss: bind.hss.learned (2.1.3(1) one): {reason}"]


def test_a_verdict_that_nobody_hears_is_on_what_led_to_it() -> None:
    tell = traces.Teller()
    traces.apdus(tell, "phone")
    tell.decide("phone", traces.LEARNED, Verdict.REFUSE, "not my card")
    assert ["REFUSED" in "".join(packet.comments) for packet in capture(tell.events)][-1]


def test_a_verdict_on_a_command_is_in_the_packet_of_its_response() -> None:
    tell = traces.Teller()
    tell.decide("phone", traces.LEARNED, Verdict.ADMIT, "mine")
    tell.frame("ME-UICC", "phone", "card", bytes.fromhex("00a40004023f00"), up=True)
    tell.frame("ME-UICC", "card", "phone", b"\x90\x00", up=False)
    packets = capture(tell.events)
    assert [len(packet.comments) for packet in packets] == [1]
    assert packets[0].data.endswith(bytes.fromhex("00a40004023f009000"))


def segments(packets: list[Packet], interface: str) -> list[tuple[bytes, bytes, bytes]]:
    return [(p.data[12:16], p.data[16:20], p.data[20:]) for p in packets if p.interface == interface]


def test_tcp_numbers_follow_the_octets() -> None:
    sent: dict[bytes, int] = {}
    found = segments(capture(traces.moved_card()), "S6a")
    assert len(found) == 10
    for source, target, segment in found:
        sequence, acknowledged = struct.unpack_from(">II", segment, 4)
        assert sequence == sent.get(source, 1)
        assert acknowledged == sent.get(target, 1)
        sent[source] = sequence + len(segment) - 20
        ports = struct.unpack_from(">HH", segment)
        assert 3868 in ports
        assert max(ports) >= 49152


@pytest.mark.parametrize("mask", [False, True])
def test_checksums(*, mask: bool) -> None:
    packets = capture(traces.moved_card(), mask=mask)
    for packet in (one for one in packets if one.link == 101):
        assert checksum(packet.data[:20]) == 0
        assert struct.unpack_from(">H", packet.data, 2)[0] == len(packet.data)
        protocol, payload = packet.data[9], packet.data[20:]
        if protocol == 6:
            pseudo = packet.data[12:20] + struct.pack(">BBH", 0, 6, len(payload))
            assert checksum(pseudo + payload) == 0
        else:
            assert protocol == 132
            zeroed = payload[:8] + bytes(4) + payload[12:]
            assert struct.unpack_from("<I", payload, 8)[0] == crc32c(zeroed)


def test_crc32c_of_the_standard() -> None:
    # RFC 3720 B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_sctp_chunks_are_numbered_and_carry_the_protocol() -> None:
    numbers: dict[bytes, list[int]] = {}
    for source, _, packet in segments(capture(traces.moved_card()), "S1-MME"):
        kind, flags, _, number, stream, _, ppid = struct.unpack_from(">BBHIHHI", packet, 12)
        assert (kind, flags, stream, ppid) == (0, 3, 0, 18)
        numbers.setdefault(source, []).append(number)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert len(numbers) == 2


def test_datagrams_are_udp_with_a_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    point = Interface("S11", "gtp", Service.DATAGRAMS, 2123)
    monkeypatch.setattr(packets, "spoken_on", {"S11": (point,)}.get)
    stream = io.BytesIO()
    sent = [b"echo", b"odd"]
    events = [
        Frame(number=n, source="mme", target="sgw", interface="S11", protocol="gtp", data=data, from_client=n == 1)
        for n, data in enumerate(sent, 1)
    ]
    write_capture(events, stream, START)
    for packet, payload, ports in zip(read(stream.getvalue()), sent, ((49152, 2123), (2123, 49152)), strict=True):
        assert packet.link == 101
        assert packet.data[9] == 17
        assert struct.unpack_from(">HHH", packet.data, 20) == (*ports, 8 + len(payload))
        assert packet.data[28:] == payload
        pseudo = packet.data[12:20] + struct.pack(">BBH", 0, 17, 8 + len(payload))
        assert checksum(pseudo + packet.data[20:]) == 0


@pytest.mark.parametrize(("source", "target"), [("127.1.1.1", "127.1.2.1"), ("2001:db8::1", "2001:db8::2")])
@pytest.mark.parametrize("size", [5, 65507])
def test_a_datagram_has_its_own_addresses_and_ports(
    monkeypatch: pytest.MonkeyPatch, source: str, target: str, size: int
) -> None:
    point = Interface("S11", "gtp", Service.DATAGRAMS, 2123)
    monkeypatch.setattr(packets, "spoken_on", {"S11": (point,)}.get)
    ends = (source, 2123), (target, 40000)
    stream = io.BytesIO()
    frame = Frame(number=1, source="a", target="b", interface="S11", protocol="gtp", data=bytes(size), ends=ends)
    write_capture([frame], stream, START)
    (packet,) = read(stream.getvalue())
    hosts = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    start = packet.data.index(hosts) + len(hosts)
    assert packet.data[0] >> 4 == ipaddress.ip_address(source).version
    assert struct.unpack_from(">HHH", packet.data, start) == (2123, 40000, 8 + size)
    assert packet.data[start + 8 :] == bytes(size)
    pseudo = hosts + struct.pack(">IHBB", 8 + size, 0, 0, 17)
    assert checksum(pseudo + packet.data[start:]) == 0


def test_masked_captures_have_no_keys_and_the_same_shape() -> None:
    plain, hidden = capture(traces.moved_card()), capture(traces.moved_card(), mask=True)
    assert [len(packet.data) for packet in plain] == [len(packet.data) for packet in hidden]
    for key in (traces.KASME, traces.CK, traces.IK, traces.KENB):
        assert any(key in packet.data for packet in plain)
        assert not any(key in packet.data for packet in hidden)


def test_addresses_are_for_documentation_and_one_an_element() -> None:
    stream = io.BytesIO()
    tell = traces.Teller()
    for number in range(300):
        tell.frame("S6a", f"mme{number}", "hss", traces.diameter("Purge-UE-Request"), up=True)
    write_capture(tell.events, stream, START)
    sources = [packet.data[12:16] for packet in read(stream.getvalue())]
    assert len(set(sources)) == 300
    assert {source[:3] for source in sources} == {b"\xc0\x00\x02", b"\xc6\x33\x64"}


def test_odd_frames_do_not_stop_a_capture() -> None:
    tell = traces.Teller()
    for interface in ("S6a", "S1-MME", "Uu", "ME-UICC", "X2"):
        for octets in (b"", b"\0", b"\xff" * 5, bytes(70000)):
            tell.frame(interface, "a", "b", octets, up=True)
            tell.frame(interface, "b", "a", octets, up=False)
    tell.add(Frame(source="a", target="b", interface="Gx", protocol="pigeon", data=b"coo"))
    assert len(capture(tell.events)) > 30


def test_the_sink_writes_an_instant_when_it_is_over() -> None:
    stream = io.BytesIO()
    sink = Capture(stream, START)
    for event in traces.moved_card():
        sink(event)
    before = read(stream.getvalue())
    sink.close()
    assert len(before) < len(read(stream.getvalue())) == len(capture(traces.moved_card()))
