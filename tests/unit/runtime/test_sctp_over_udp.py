"""The UDP port of SCTP in user space: who is heard, and by which numbers the ends of packets are known."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.runtime.transport.sctp_over_udp import SctpOverUdp

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = st.ip_addresses(v=4).map(str)
#: fewer than an instance takes
LOCALS = st.integers(1, 200).map(lambda number: f"127.1.0.{number}")


class Heard:
    """What is handed over."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.came, self.ticked = threading.Event(), threading.Event()
        self.udp = SctpOverUdp(self.hear, self.tick)
        self.udp.start()

    def hear(self, number: int, packet: bytes) -> None:
        self.packets.append((number, packet))
        self.came.set()

    def tick(self, milliseconds: int) -> None:
        assert milliseconds > 0
        self.ticked.set()


@pytest.fixture(name="heard", scope="module")
def _heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    heard.udp.close()


@given(local=LOCALS, host=ADDRESSES, port=st.integers(0, 65535))
def test_a_number_says_both_ends(heard: Heard, local: str, host: str, port: int) -> None:
    number = heard.udp.number(local, (host, port))
    assert 0 < number < 1 << 64
    assert heard.udp.ends(number) == (local, (host, port))


def test_packets_come_to_the_addresses_that_are_allowed_and_go_from_the_one_that_is_said(heard: Heard) -> None:
    assert heard.udp.towards("127.0.0.5") == "127.0.0.1"
    heard.udp.allow("127.0.0.2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.7", 0))
        peer.settimeout(10)
        for host in ("127.0.0.3", "127.0.0.2"):
            peer.sendto(host.encode(), (host, heard.udp.port))
        assert heard.came.wait(10)
        ((number, packet),) = heard.packets
        assert (packet, heard.udp.ends(number)) == (b"127.0.0.2", ("127.0.0.2", peer.getsockname()))
        assert heard.udp.send(number, b"answer") == 0
        assert peer.recvfrom(100) == (b"answer", ("127.0.0.2", heard.udp.port))
    assert heard.ticked.wait(10)


def test_what_cannot_be_sent_is_told_by_its_number(heard: Heard) -> None:
    number = heard.udp.number("192.0.2.1", ("127.0.0.1", 9))  # no address of this machine
    assert heard.udp.send(number, b"x") > 0


def test_another_one_has_another_port(heard: Heard) -> None:
    other = Heard()
    assert other.udp.port != heard.udp.port
    other.udp.close()


def test_local_addresses_are_limited_and_those_that_are_known_stay() -> None:
    other = Heard()
    for number in range(1024):
        other.udp.number(f"127.2.{number >> 8}.{number & 255}", ("127.0.0.1", 9))
    with pytest.raises(OSError, match="more than 1024 addresses"):
        other.udp.number("127.2.4.0", ("127.0.0.1", 9))
    known = other.udp.number("127.2.0.7", ("127.0.0.1", 9))
    assert other.udp.ends(known) == ("127.2.0.7", ("127.0.0.1", 9))
    other.udp.close()
