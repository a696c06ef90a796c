"""Wireshark sees the same names in the same packets: over segments, records and datagrams, in each request."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import dns.message
import exported
import pytest
from flows import Flow, client_hello, in_records
from vectors import seeds

from simulators.device.clients.disguise import quic_hello

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
FIELDS = ("tls.handshake.extensions_server_name", "http.host", "http.request.uri", "dns.qry.name")
_RAW_IP = 101


def _cut(octets: bytes, port: int, *places: int) -> Flow:
    flow = Flow(port).open()
    ends = (*places, len(octets))
    for at, end in zip((0, *places), ends, strict=True):
        flow.say(octets[at:end], at)
        flow.answer(acknowledged=end)
    return flow


def _late() -> Flow:
    flow, hello = Flow(443).open(), client_hello("late.example")
    for at, end in ((900, len(hello)), (300, 900), (0, 300)):
        flow.say(hello[at:end], at)
    return flow


def _requests() -> Flow:
    heads = [f"GET /{at} HTTP/1.1\r\nHost: {at}.example\r\nContent-Length: 5\r\n\r\nGET /".encode() for at in "ab"]
    return _cut(b"".join(heads), 80, len(heads[0]), len(heads[0]) + 20)


def _datagrams(octets: bytes, port: int) -> Flow:
    flow = Flow(port, protocol=17)
    flow.send(octets)
    return flow


def _device(version: int, datagrams: int) -> Flow:
    """Return what a device of a story says by QUIC."""
    flow = Flow(443, protocol=17)
    for each in quic_hello("device.example", version, datagrams, b"8 octets"):
        flow.send(each)
    return flow


MADE: dict[str, Callable[[], Flow]] = {
    "segments": lambda: _cut(client_hello("segments.example"), 443, 1, 5, 200),
    "records": lambda: _cut(in_records(client_hello("records.example"), 50), 443, 400),
    "late": _late,
    "requests": _requests,
    "connect": lambda: _cut(b"CONNECT proxied.example:443 HTTP/1.1\r\nHost: proxied.example:443\r\n\r\n", 80, 20),
    "absolute": lambda: _cut(b"GET http://uri.example/c HTTP/1.1\r\nHost: host.example\r\n\r\n", 80),
    "quic": lambda: _datagrams(seeds("inspection/quic.txt")[0], 443),
    "quic 2": lambda: _datagrams(seeds("inspection/quic.txt")[1], 443),
    "quic of a device": lambda: _device(1, 1),
    "quic of a device, in pieces": lambda: _device(1, 3),
    "quic 2 of a device": lambda: _device(2, 2),
    "question": lambda: _datagrams(dns.message.make_query("asked.example", "AAAA", id=7).to_wire(), 53),
}
#: what Wireshark tells in fields that have more than the name, and what is shown of that
SAID = {
    "requests": (["a.example", "/a", "b.example", "/b"], ["b.example"]),
    "connect": (["proxied.example:443"] * 2, ["proxied.example"]),
    "absolute": (["host.example", "http://uri.example/c"], ["uri.example", "host.example"]),
}


@pytest.mark.parametrize("name", MADE)
def test_wireshark_sees_the_same_names(name: str, tmp_path: Path) -> None:
    flow = MADE[name]()
    file = tmp_path / "flow.pcap"
    records = [struct.pack("<IIII", 1, at, len(each), len(each)) + each for at, each in enumerate(flow.packets)]
    file.write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP) + b"".join(records))
    asked = [part for each in FIELDS for part in ("-e", each)]
    command = [exported.TSHARK, "-r", str(file), "-T", "fields", "-o", "tcp.reassemble_out_of_order:TRUE", *asked]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 - tshark
    assert (told, flow.hosts) == SAID.get(name, (flow.hosts, told))
    assert told
