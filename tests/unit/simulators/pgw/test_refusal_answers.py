"""Refused packets of a device are answered with RST and ICMP where the PGW is set so, and others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from directed import OTHER, RESOLVER, Device, device, to
from gateways import SERVER, Gateways
from scapy.layers.inet import ICMP, IP, TCP, UDP, in4_chksum
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, in6_chksum
from scapy.utils import checksum

if TYPE_CHECKING:
    from scapy.packet import Packet

ANSWERED = {"refused_flows": "answer"}
LIST = {"whitelist": [f"udp://{SERVER}:5683", f"tcp://{SERVER}:8883"]}


async def refused(it: Device, packet: bytes) -> list[Packet]:
    """Send a packet that the list refuses; return the packets that the device receives."""
    assert await it.up(packet) == []
    kind = IPv6 if packet[0] >> 4 == 6 else IP
    return [kind(each) for _, each in it.bench.enb.received()]


def is_sound(packet: Packet) -> bool:
    """Return True if scapy finds the length and the checksums of a packet right."""
    data = bytes(packet)
    if isinstance(packet, IPv6):
        return len(data) == 40 + packet.plen and in6_chksum(58, packet, data[40:]) == 0  # type: ignore[no-untyped-call]
    assert isinstance(packet, IP)
    sums = checksum(data[:20]), checksum(data[20:]) if packet.proto == 1 else in4_chksum(6, packet, data[20:])
    return len(data) == packet.len and sums == (0, 0)


@pytest.mark.parametrize("setting", ["drop", "answer"])
@pytest.mark.parametrize(("flags", "answer", "numbers"), [("S", "RA", (0, 1001)), ("PA", "R", (77, 0)), ("R", "", ())])
async def test_a_refused_segment_is_reset_in_the_name_of_its_destination(
    setting: str, flags: str, answer: str, numbers: tuple[int, ...]
) -> None:
    async with Gateways(pgw={"refused_flows": setting}) as bench:
        it = await device(bench, **LIST)
        segment = TCP(sport=40000, dport=23, flags=flags, seq=1000, ack=77 if "A" in flags else 0)
        answers = await refused(it, bytes(IP(src=it.own, dst=SERVER) / segment))
        if setting == "drop" or not answer:
            assert answers == []
            return
        (reset,) = answers
        assert (reset.src, reset.dst, reset[TCP].sport, reset[TCP].dport) == (SERVER, it.own, 23, 40000)
        assert (str(reset[TCP].flags), (reset[TCP].seq, reset[TCP].ack)) == (answer, numbers)
        assert is_sound(reset)


@pytest.mark.parametrize("octets", [10, 1200])
async def test_a_refused_datagram_is_answered_by_icmp(octets: int) -> None:
    async with Gateways(pgw=ANSWERED) as bench:
        it = await device(bench, **LIST)
        sent = bytes(IP(src=it.own, dst=OTHER) / UDP(sport=5000, dport=7) / bytes(octets))
        (error,) = await refused(it, sent)
        assert (error.src, error.dst, error[ICMP].type, error[ICMP].code) == ("192.0.0.8", it.own, 3, 13)
        assert bytes(error)[28:] == sent[:548]
        assert len(error) == min(576, len(sent) + 28)
        assert is_sound(error)


async def test_a_refused_datagram_of_ipv6_is_answered_by_icmpv6() -> None:
    async with Gateways(pgw=ANSWERED) as bench:
        it = await device(bench, **LIST)
        own = it.six[:-1] + "1"
        sent = bytes(IPv6(src=own, dst="2001:db8:66::66") / UDP(sport=5000, dport=7) / bytes(1300))
        (error,) = await refused(it, sent)
        about = error[ICMPv6DestUnreach]
        assert (error.src, error.dst, about.type, about.code) == ("fe80::1", own, 1, 1)
        assert bytes(error)[48:] == sent[:1232]
        assert len(error) == 1280
        assert is_sound(error)


@pytest.mark.parametrize(
    ("packet", "answers"),
    [
        (IP(dst=OTHER) / ICMP(type=8) / b"echo", 1),
        (IP(dst=OTHER) / ICMP(type=3, code=1) / bytes(IP(src=OTHER, dst="10.64.0.1") / UDP(sport=7, dport=7)), 0),
        (IP(dst=OTHER) / ICMP(type=0) / b"echo", 0),
        (IP(dst="224.0.0.251") / UDP(sport=5353, dport=5353) / b"query", 0),
        (IP(dst="255.255.255.255") / UDP(sport=68, dport=67) / b"discover", 0),
        (IP(dst=OTHER, proto=50) / b"\0\0\0\1spi", 1),
        (IP(dst=OTHER) / TCP(flags="S", chksum=7), 0),
    ],
    ids=["echo", "error", "reply", "multicast", "broadcast", "esp", "broken"],
)
async def test_which_packets_are_answered(packet: Any, answers: int) -> None:
    async with Gateways(pgw=ANSWERED) as bench:
        it = await device(bench, **LIST)
        packet.src = it.own
        assert len(await refused(it, bytes(packet))) == answers


async def test_no_answer_goes_to_others_and_a_question_has_its_own_setting() -> None:
    async with Gateways(pgw=ANSWERED) as bench:
        it = await device(bench, whitelist=["https://up.example"])
        assert await it.down(bytes(IP(src=OTHER, dst=it.own) / TCP(sport=40000, dport=23, flags="S"))) == []
        assert bench.net.received() == []
        assert await refused(it, to(it.own, RESOLVER, 53, b"no question", 4000)) == []
        spoofed = bytes(IP(src="10.64.9.9", dst=OTHER) / UDP(sport=5000, dport=7))
        assert await refused(it, spoofed) == []
