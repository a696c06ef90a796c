"""GTP-U, against scapy."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import gtpu, ip


def _gtpu(data: bytes) -> None:
    message = gtpu.decode(data)
    if message.type is gtpu.MessageType.G_PDU:
        assert gtpu.unwrap(data) == (message.teid, message.payload)
    assert gtpu.decode(gtpu.encode(message)) == message


def _with_packet(data: bytes) -> None:
    gtpu.dissect(data, ip.dissect)


def _unwrapped(data: bytes) -> None:
    try:
        _, packet = gtpu.unwrap(data)
    except PeerError:
        assert not gtpu.is_g_pdu(data) or data[:2] != b"\x30\xff" or int.from_bytes(data[2:4]) != len(data) - 8
        raise
    ip.flow_of(packet)


PROOF = Proof(
    {"gtpu": Octets("gtpu/seeds.txt", mutation.gtpu, (_gtpu, _with_packet, _unwrapped), 5)},
    lambda: set(gtpu.MessageType),
    lambda: set(load(Path(__file__).with_name("test_scapy.py")).MESSAGES),
)
