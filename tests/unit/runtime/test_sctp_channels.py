"""The sockets of SCTP in user space: addresses, ports and IP headers."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from waiting import LONG

from simwarden.runtime.transport.sctp_association import Path
from simwarden.runtime.transport.sctp_channels import UDP_PORT, Channels, may_use_ip

if TYPE_CHECKING:
    from collections.abc import Iterator

#: loopback addresses that no other test process has
NET = f"127.{90 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
HOST, OTHER = f"{NET}.1", f"{NET}.2"
raw = pytest.mark.skipif(not may_use_ip(), reason="needs CAP_NET_RAW")


class Received:
    """Channels, and the packets that they received."""

    def __init__(self) -> None:
        self.packets: list[tuple[Path, bytes]] = []
        self.came, self.ticked = threading.Event(), threading.Event()
        self.channels = Channels(self.receive, self.tick)
        self.channels.start()

    def receive(self, path: Path, packet: bytes) -> None:
        self.packets.append((path, packet))
        self.came.set()

    def tick(self, milliseconds: int) -> None:
        assert milliseconds > 0
        self.ticked.set()


@pytest.fixture(name="received")
def _received() -> Iterator[Received]:
    received = Received()
    yield received
    received.channels.close()


def test_packets_in_udp_come_to_the_address_that_is_open_and_go_from_it(received: Received) -> None:
    received.channels.open(HOST, in_udp=True)
    port = received.channels.udp_port(HOST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((OTHER, 0))
        peer.settimeout(LONG)
        for host in (f"{NET}.3", HOST):
            peer.sendto(host.encode(), (host, port))
        assert received.came.wait(LONG)
        path = Path(HOST, *peer.getsockname())
        assert received.packets == [(path, HOST.encode())]
        assert received.channels.send(path, b"answer") == 0
        assert peer.recvfrom(100) == (b"answer", (HOST, port))
    assert received.ticked.wait(LONG)


@raw
def test_packets_on_ip_come_without_their_ip_header(received: Received) -> None:
    for host in (HOST, OTHER):
        received.channels.open(host, in_udp=False)
    assert received.channels.send(Path(OTHER, HOST, 0), b"packet") == 0
    assert received.came.wait(LONG)
    assert received.packets == [(Path(HOST, OTHER, 0), b"packet")]


def test_each_address_has_the_well_known_udp_port_and_a_second_process_at_it_another(received: Received) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HOST, UDP_PORT))
    except OSError:
        pytest.skip(f"another process has UDP port {UDP_PORT} on all addresses")
    second = Received()
    for host in (HOST, OTHER):
        received.channels.open(host, in_udp=True)
    second.channels.open(HOST, in_udp=True)
    assert {received.channels.udp_port(host) for host in (HOST, OTHER)} == {UDP_PORT}
    assert second.channels.udp_port(HOST) not in (0, UDP_PORT)
    second.channels.close()


def test_what_cannot_be_sent_is_told_by_its_number(received: Received) -> None:
    assert received.channels.send(Path("192.0.2.1", HOST, 9), b"x") > 0
    with pytest.raises(OSError, match="assign"):
        received.channels.open("192.0.2.1", in_udp=True)
