"""User packets, against scapy."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import ip
from simwarden.wire.ip.reading import Ip


def _ip(data: bytes) -> None:
    packet = ip.decode(data)
    again = ip.decode(ip.encode(packet))  # which has no header of fragments if it is the only one
    assert again._replace(identification=0) == packet._replace(identification=0)
    flow = ip.flow_of(data)
    assert flow.back().back() == flow
    for read in (ip.decode_udp, ip.decode_tcp, ip.decode_icmp, ip.decode_router_advertisement):
        try:
            read(packet)
        except PeerError:
            continue


PROOF = Proof(
    {"ip": Octets("ip/seeds.txt", mutation.mutate, (_ip, ip.dissect, ip.flow_of), 5)},
    lambda: set(Ip().messages()),
    lambda: set(load(Path(__file__).with_name("test_scapy.py")).KINDS),
)
