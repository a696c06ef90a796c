"""What flows show, against OpenSSL, h11, aioquic and scapy here, and Wireshark in tests/interop."""

from __future__ import annotations

from pathlib import Path

import mutation
from flows import Flow
from vectors import Octets, Proof, load

from simwarden.wire import dns, quic, tls
from simwarden.wire.shown import By


def _watched(data: bytes, port: int) -> None:
    """Show octets to a watch, in one segment and in two; it never raises, and what it says does not hang on them."""
    whole, cut = Flow(port).open(), Flow(port).open()
    whole.say(data[:16_000])
    cut.say(data[:16_000][5:], 5)
    cut.say(data[:5])
    assert (whole.watch.shown, whole.watch.pending) == (cut.watch.shown, cut.watch.pending)


def _connection(data: bytes) -> None:
    _watched(data, 80)


def _resolver(data: bytes) -> None:
    _watched(dns.in_stream(data[:500]) + data[:9], 53)
    flow = Flow(53, protocol=17)
    flow.send(data[:500])
    flow.send(data[:500], up=False)


def _datagrams(data: bytes) -> None:
    flow = Flow(443, protocol=17)
    for each in (data, data[: len(data) // 2], data, b"\x40" + data):
        flow.send(each[:1500])


def _tls(data: bytes) -> None:
    length = tls.record_length(data)
    tls.read_hello(data[5:length])


def _quic(data: bytes) -> None:
    found = quic.initials_in(data)
    for each in found:
        list(quic.crypto_in(quic.opened(each, quic.client_keys(each.version, each.destination))))
    for each in found or ():
        list(quic.crypto_in(each.payload))


def _dns(data: bytes) -> None:
    dns.told_by(dns.decode(data))


PROOF = Proof(
    {
        "tls": Octets("inspection/tls.txt", mutation.mutate, (_tls, _connection), 3),
        "http": Octets("inspection/http.txt", mutation.mutate, (_connection,), 3),
        "quic": Octets("inspection/quic.txt", mutation.mutate, (_datagrams, _quic), 2),
        "dns": Octets("inspection/dns.txt", mutation.mutate, (_resolver, _dns), 2),
    },
    lambda: set(By) - {By.UNREADABLE},
    lambda: set(load(Path(__file__).with_name("test_others.py")).SHOWN),
)
