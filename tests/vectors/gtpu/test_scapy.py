"""GTP-U against scapy: octets that it makes are read, and ours are the same."""

from __future__ import annotations

from typing import Any

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib import gtp
from scapy.layers.inet import IP, UDP

from simwarden.wire import gtpu
from simwarden.wire.gtpu import Extension, ExtensionType, Message, MessageType

TEIDS = st.integers(1, 0xFFFFFFFF)
SEQUENCES = st.integers(0, 0xFFFF)
PACKET = bytes(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=1, dport=2) / b"hello")
ADDRESS = "192.0.2.9"


def _header(kind: int, teid: int, sequence: int | None = None, **more: Any) -> Any:
    flags: dict[str, Any] = {} if sequence is None else {"S": 1, "seq": sequence}
    return gtp.GTP_U_Header(teid=teid, gtp_type=kind, **flags, **more)


#: by type; the list of extension headers has a length of one octet (8.5), and Wireshark reads it so, but not scapy:
#: how scapy makes a message of TEID and sequence number, and ours
MESSAGES: dict[MessageType, Any] = {
    MessageType.ECHO_REQUEST: lambda _, number: (
        _header(1, 0, number) / gtp.GTPEchoRequest(),
        Message(MessageType.ECHO_REQUEST, 0, number),
    ),
    MessageType.ECHO_RESPONSE: lambda _, number: (
        _header(2, 0, number) / gtp.GTPEchoResponse(IE_list=[gtp.IE_Recovery(restart_counter=0)]),
        Message(MessageType.ECHO_RESPONSE, 0, number, recovery=0),
    ),
    MessageType.ERROR_INDICATION: lambda teid, number: (
        _header(26, 0, number)
        / gtp.GTPErrorIndication(IE_list=[gtp.IE_TEIDI(TEIDI=teid), gtp.IE_GSNAddress(length=4, ipv4_address=ADDRESS)]),
        Message(MessageType.ERROR_INDICATION, 0, number, peer_teid=teid, peer_address=ADDRESS),
    ),
    MessageType.SUPPORTED_EXTENSION_HEADERS_NOTIFICATION: lambda _, number: (
        _header(31, 0, number) / gtp.GTPSupportedExtensionHeadersNotification(IE_list=[]) / bytes.fromhex("8d0240c0"),
        Message(MessageType.SUPPORTED_EXTENSION_HEADERS_NOTIFICATION, 0, number, types=(0x40, 0xC0)),
    ),
    MessageType.END_MARKER: lambda teid, _: (_header(254, teid), Message(MessageType.END_MARKER, teid)),
    MessageType.G_PDU: lambda teid, _: (
        _header(255, teid) / IP(PACKET),
        Message(MessageType.G_PDU, teid, payload=PACKET),
    ),
}


@pytest.mark.parametrize("kind", MESSAGES)
@settings(max_examples=budget.examples(20))
@given(teid=TEIDS, number=SEQUENCES)
def test_octets_are_scapys(kind: MessageType, teid: int, number: int) -> None:
    theirs, ours = MESSAGES[kind](teid, number)
    octets = bytes(theirs)
    assert gtpu.decode(octets) == ours
    assert gtpu.encode(ours) == octets


def test_a_user_packet_with_all_that_its_header_may_have() -> None:
    container = gtp.GTPPDUSessionContainer(type=1, QFI=9)
    octets = bytes(_header(255, 7, 9, E=1, next_ex=0x85) / container / IP(PACKET))
    with pytest.raises(gtpu.GtpuError, match="0x85 is not understood") as caught:
        gtpu.unwrap(octets)
    assert caught.value.unknown == 0x85
    numbered = bytes(_header(255, 7, 9, E=1, PN=1, npdu=3, next_ex=0xC0)) + bytes.fromhex("01000500") + PACKET
    numbered = numbered[:2] + (len(numbered) - 8).to_bytes(2) + numbered[4:]
    assert gtpu.unwrap(numbered) == (7, PACKET)
    (found,) = gtpu.decode(numbered).extensions
    assert found == Extension(ExtensionType.PDCP_PDU_NUMBER, b"\0\5")


def test_the_lane_of_user_packets_is_as_the_codec() -> None:
    octets = gtpu.g_pdu(0x01020304, PACKET)
    assert octets == gtpu.encode(Message(MessageType.G_PDU, 0x01020304, payload=PACKET))
    assert bytes(gtp.GTP_U_Header(octets)[IP]) == PACKET
    assert gtpu.unwrap(octets) == (0x01020304, PACKET)
    assert gtpu.is_g_pdu(octets)
    assert not gtpu.is_g_pdu(gtpu.encode(Message(MessageType.END_MARKER, 1)))
    with pytest.raises(gtpu.GtpuError, match="END_MARKER is no user packet"):
        gtpu.unwrap(gtpu.encode(Message(MessageType.END_MARKER, 1)))


def test_an_error_indication_tells_the_port() -> None:
    octets = gtpu.error_indication(5, ADDRESS, 2152)
    theirs = gtp.GTP_U_Header(octets)
    assert (theirs.gtp_type, theirs.teid, theirs.S, theirs.E, theirs.next_ex) == (26, 0, 1, 1, 0x40)
    message = gtpu.decode(octets)
    assert (message.peer_teid, message.peer_address) == (5, ADDRESS)
    assert message.extensions == (Extension(ExtensionType.UDP_PORT, (2152).to_bytes(2)),)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "no GTP-U header"),
        ("50ff000000000001", "no GTP-U header of version 1"),
        ("30c8000000000001", "unknown GTP-U message 200"),
        ("30ff000400000001", "longer or shorter"),
        ("34ff000400000001000000c0", "ends in extension header 0xc0"),
        ("34ff000800000001000000c000000000", "ends in extension header 0xc0"),
        ("321a00090000000000000000100000000a", "does not say which tunnel end"),
        ("321a000f0000000000000000100000000a8500030a0b0c", "an address of 3 octets"),
        ("320200050000000000000000" + "0e", "ends in element 14"),
    ],
)
def test_bad_octets_say_what_is_wrong(octets: str, reason: str) -> None:
    with pytest.raises(gtpu.GtpuError, match=reason):
        gtpu.decode(bytes.fromhex(octets))


def test_elements_of_later_releases_are_passed_over() -> None:
    body = bytes.fromhex("00000000" + "0e07" + "ff0004" + "01020304")
    message = gtpu.decode(bytes.fromhex("32020000" + "00000000")[:2] + len(body).to_bytes(2) + bytes(4) + body)
    assert message.recovery == 7
    assert gtpu.decode(gtpu.supported_extensions()).types == (0x40, 0xC0)
