"""Initial packets of QUIC: the published vectors (RFC 9001 A.1, A.2; RFC 9369 A.1, A.2), and what is none."""

from __future__ import annotations

import pytest
from vectors import seeds

from simwarden.errors import PeerError
from simwarden.wire import quic

V2 = 0x6B3343CF
CALLED = bytes.fromhex("8394c8f03e515708")
#: key, IV and header protection key of the client, as the RFCs print them
KEYS = {
    1: "1f369613dd76d5467730efcbe3b1a22d fa044b2f42a3fd3b46fb255c 9f50449e04a0e810283a1e9933adedd2",
    V2: "8b1a0bc121284290a29e0971b5cd045d 91f73e2351d8fa91660e909f 45b95e15235d6f45a6b19cbcb0294ba9",
}
#: the beginning of the protected packets, their tags, and that of what is in both
PRINTED = {
    1: ("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"),
    V2: (
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        "a18b2faa745b6fe189cf772a9f84cbfc",
    ),
}
FRAMES = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
SEEDS = dict(zip(KEYS, seeds("inspection/quic.txt"), strict=False))


@pytest.mark.parametrize("version", KEYS)
def test_keys_are_the_published_ones(version: int) -> None:
    keys = quic.client_keys(version, CALLED)
    assert " ".join(each.hex() for each in keys) == KEYS[version]


@pytest.mark.parametrize("version", KEYS)
def test_the_published_packet_is_opened(version: int) -> None:
    octets = SEEDS[version]
    begins, tag = PRINTED[version]
    assert (len(octets), octets[:32].hex(), octets[-16:].hex()) == (1200, begins, tag)
    (packet,) = quic.initials_in(octets)
    assert (packet.version, packet.destination) == (version, CALLED)
    frames = quic.opened(packet, quic.client_keys(version, CALLED))
    assert (len(frames), frames[:32].hex(), frames[245:]) == (1162, FRAMES, bytes(917))
    ((offset, hello),) = quic.crypto_in(frames)
    assert (offset, len(hello)) == (0, 241)


@pytest.mark.parametrize("version", KEYS)
def test_the_published_packet_is_made(version: int) -> None:
    (packet,) = quic.initials_in(SEEDS[version])
    frames = quic.opened(packet, quic.client_keys(version, CALLED))
    assert quic.protected(version, CALLED, frames, 2) == SEEDS[version]
    assert list(quic.crypto_in(quic.crypto_frame(1000, b"piece"))) == [(1000, b"piece")]


@pytest.mark.parametrize("version", KEYS)
def test_a_packet_that_is_changed_is_not_opened(version: int) -> None:
    octets = bytearray(SEEDS[version])
    keys = quic.client_keys(version, CALLED)
    for at in (0, 15, 18, 30, 700, 1199):
        changed = octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]
        for packet in quic.initials_in(bytes(changed)):
            with pytest.raises(PeerError):
                quic.opened(packet, keys)
    (packet,) = quic.initials_in(bytes(octets))
    with pytest.raises(PeerError, match="too short"):
        quic.opened(packet._replace(payload=packet.payload[:19]), keys)


def test_several_packets_in_a_datagram() -> None:
    octets = SEEDS[1]
    handshake = bytes((octets[0] | 0x20,)) + octets[1:15] + octets[16:]  # without a token
    assert [each.version for each in quic.initials_in(octets + handshake + SEEDS[V2])] == [1, V2]
    assert len(quic.initials_in(octets + b"\x40" + octets)) == 1  # behind a short header nothing can be found


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xc0",
        b"\x40" + bytes(30),
        b"\xc0\0\0\0\1",
        b"\xc0\0\0\0\1\x15" + bytes(40),
        b"\xc0\0\0\0\1\x08short",
        b"\xc0\0\0\0\1\0\0\xff",
        b"\xc0\0\0\0\1\0\0\0\x44\x9e",
        b"\xc0\xff\0\0\x1d" + bytes(40),
        b"\x80\0\0\0\0" + bytes(40),
    ],
)
def test_what_is_no_initial_packet(octets: bytes) -> None:
    assert quic.initials_in(octets) == []


@pytest.mark.parametrize(
    ("frames", "pieces"),
    [
        ("", []),
        ("000100", []),
        ("02050101000203 0600026162", [(0, b"ab")]),
        ("03050101000203010101 0640050161", [(5, b"a")]),  # with three counts of ECN
        ("060501610600 0162 1c 00", [(5, b"a"), (0, b"b")]),
    ],
)
def test_frames(frames: str, pieces: list[tuple[int, bytes]]) -> None:
    assert list(quic.crypto_in(bytes.fromhex(frames))) == pieces


@pytest.mark.parametrize("frames", ["06", "0600", "060005ab", "02", "0205ff", "0800", "1e", "04"])
def test_frames_that_an_initial_packet_does_not_have(frames: str) -> None:
    with pytest.raises(PeerError):
        list(quic.crypto_in(bytes.fromhex(frames)))
