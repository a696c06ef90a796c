"""Names in QUIC: over datagrams, out of order, one connection after another, and what is made to hide them.

The packets are protected here, by the keys that the published vectors hold to (tests/unit/wire/test_quic.py).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import budget
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flows import SERVER6, Flow, client_hello
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import seeds

from simwarden.wire import quic
from simwarden.wire.shown import UNREADABLE, By, Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

V1, V2 = 1, 0x6B3343CF
HELLO = client_hello("listed.example")[5:]
HIDDEN = client_hello("hidden.example")[5:]
LISTED = (Shown("listed.example", By.QUIC),)


def initial(
    pieces: Sequence[tuple[int, bytes]], called: bytes = b"called00", *, version: int = V1, keys: bytes = b""
) -> bytes:
    """Return an Initial packet with CRYPTO frames, protected by the keys of `called`, or those of another ID."""
    frames = b"".join(b"\6" + _number(at) + _number(len(each)) + each for at, each in pieces)
    frames += bytes(max(0, 40 - len(frames)))
    first = 0xC0 | (1 if version == V2 else 0) << 4
    head = bytes((first,)) + version.to_bytes(4) + bytes((len(called),)) + called + b"\0\0"
    head += (0x4000 | 1 + len(frames) + 16).to_bytes(2)
    protection = quic.client_keys(version, keys or called)
    sealed = AESGCM(protection.key).encrypt(protection.iv, frames, head + b"\0")
    mask = Cipher(algorithms.AES(protection.header), modes.ECB()).encryptor().update(sealed[3:19])  # noqa: S305
    return bytes((head[0] ^ mask[0] & 0x0F,)) + head[1:] + bytes((mask[1],)) + sealed


def _number(value: int) -> bytes:
    return (0x4000 | value).to_bytes(2)


def flow() -> Flow:
    return Flow(443, protocol=17)


@pytest.mark.parametrize("far", ["198.51.100.80", SERVER6])
@pytest.mark.parametrize("octets", seeds("inspection/quic.txt"))
def test_the_published_packets(octets: bytes, far: str) -> None:
    seen = Flow(443, protocol=17, far=far)
    assert seen.send(octets)
    assert (seen.watch.shown, seen.watch.pending) == ((Shown("example.com", By.QUIC),), False)
    assert not seen.send(octets)
    assert not seen.send(octets, up=False)


@settings(max_examples=budget.examples(60))
@given(st.data())
def test_a_hello_over_packets_and_datagrams_in_any_order(data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(HELLO) - 1), max_size=8)))
    frames = [(at, HELLO[at:end]) for at, end in zip((0, *cuts), (*cuts, len(HELLO)), strict=True)]
    random.Random(data.draw(st.integers(0, 1000))).shuffle(frames)
    version, together = data.draw(st.sampled_from([V1, V2])), data.draw(st.integers(1, 3))
    packets = [initial(frames[at : at + 2], version=version) for at in range(0, len(frames), 2)]
    datagrams = [b"".join(packets[at : at + together]) for at in range(0, len(packets), together)]
    seen = flow()
    changes = [seen.send(each) for each in datagrams]
    assert changes == [False] * (len(datagrams) - 1) + [True]
    assert (seen.watch.shown, seen.watch.pending) == (LISTED, False)


def test_another_connection_of_the_same_flow_is_shown_anew() -> None:
    seen = flow()
    seen.send(initial([(0, HELLO)]))
    assert not seen.send(b"\x40" + bytes(40))
    seen.send(initial([(0, HIDDEN[:50])], b"called01"))
    assert (seen.watch.shown, seen.watch.pending) == (LISTED, True)
    assert not seen.send(b"\x40" + bytes(40))  # which does not make us lose the thread
    seen.send(initial([(50, HIDDEN[50:])], b"called01"))
    assert seen.hosts == ["listed.example", "hidden.example"]  # nobody can tell their packets apart


def test_many_connections_of_one_flow() -> None:
    seen = flow()
    for number in range(8):
        seen.send(initial([(0, HELLO)], bytes((number,)) * 8))
    assert seen.watch.shown == LISTED
    seen.send(initial([(0, HELLO)], b"called00"))
    assert seen.hosts == ["listed.example", "unreadable"]
    seen = flow()
    for number in range(9):
        seen.send(b"\x40" + bytes(30))
        seen.send(initial([(0, client_hello(f"{number}.example")[5:])], bytes((number,)) * 8))
    assert seen.hosts == [*(f"{number}.example" for number in range(7)), "unreadable"]


def test_a_client_calls_the_server_by_the_name_it_was_told_and_by_another_version() -> None:
    seen = flow()
    seen.send(initial([(0, HELLO[:50])], b"called00"))
    seen.send(initial([(50, HELLO[50:90])], b"server", keys=b"called00"))
    seen.send(initial([(90, HELLO[90:])], b"server", keys=b"called00", version=V2))
    assert seen.watch.shown == LISTED


def test_a_second_copy_that_differs() -> None:
    seen = flow()
    seen.send(initial([(0, HELLO)]))
    assert not seen.send(initial([(0, HELLO)]))
    assert seen.send(initial([(0, HIDDEN)]))
    assert seen.watch.shown == (*LISTED, UNREADABLE)


@pytest.mark.parametrize(
    "frames",
    [[(0, b"\2" + HELLO[1:])], [(0x3FFF, b"xy")], [(0, b"\1\xff\xff\xff")], [(0, HELLO[:60]), (50, bytes(20))]],
)
def test_what_no_server_takes(frames: list[tuple[int, bytes]]) -> None:
    seen = flow()
    seen.send(initial(frames))
    assert (seen.watch.shown, seen.watch.pending) == ((UNREADABLE,), False)


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x44\1\0\0",
        b"\x16\xfe\xfd",
        b"\xfe\xfe\xfe\xfe\x68" + bytes(30),
        b"\x80\x60" + bytes(40),
        seeds("inspection/quic.txt")[0][:-1],
        initial([(0, client_hello(None)[5:])]),
    ],
)
def test_what_shows_no_name(datagram: bytes) -> None:
    seen = flow()
    assert seen.watch.pending
    seen.send(datagram)
    assert (seen.watch.shown, seen.watch.pending) == ((), False)
    seen.send(initial([(0, HELLO)], b"called09"))
    assert seen.watch.shown == LISTED


def test_a_second_client_hello_is_read_as_well() -> None:
    """That to a HelloRetryRequest (RFC 9001 4.7), which goes on where the first ends."""
    seen = flow()
    seen.send(initial([(0, HELLO)]))
    assert seen.send(initial([(len(HELLO), HIDDEN[:9])], b"server", keys=b"called00"))
    assert (seen.hosts, seen.watch.pending) == (["listed.example"], True)
    assert seen.send(initial([(len(HELLO) + 9, HIDDEN[9:])], b"server", keys=b"called00"))
    assert (seen.hosts, seen.watch.pending) == (["listed.example", "hidden.example"], False)


def test_no_packet_under_other_keys_hides_a_second_client_hello() -> None:
    seen = flow()
    seen.send(initial([(0, HELLO)]))
    assert not seen.send(b"\x40" + bytes(40))
    assert not seen.send(initial([], b"server", keys=b"called00"))
    assert seen.send(initial([(len(HELLO), HIDDEN)], b"server", keys=b"called00"))
    assert seen.watch.shown == (*LISTED, UNREADABLE)


def test_a_packet_that_no_known_keys_open_is_of_no_name() -> None:
    """Its whole number hangs on those before it (RFC 9000 A.3), of which nobody knows which have reached the server."""
    seen = flow()
    seen.send(initial([(0, HELLO)]))
    assert seen.send(initial([(0, HIDDEN)], keys=b"another"))
    assert (seen.watch.shown, seen.watch.pending) == ((*LISTED, UNREADABLE), False)


def test_connections_beside_each_other_and_the_oldest_that_is_over() -> None:
    seen = flow()
    for number in range(12):
        called = bytes((number,)) * 8
        seen.send(initial([(0, HELLO)], called))
        assert not seen.send(b"\x40" + bytes(40))
        assert not seen.send(initial([], b"server", keys=called))
    assert seen.watch.shown == LISTED
    assert seen.send(initial([], b"server", keys=bytes(8)))
    assert seen.watch.shown == (*LISTED, UNREADABLE)
