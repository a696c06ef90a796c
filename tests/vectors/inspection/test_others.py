"""What others show is what is read: OpenSSL, h11, aioquic and scapy make the octets, each in a flow."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import h11
import pytest
from flows import Flow, client_hello
from scapy.layers.dns import DNS, DNSQR

from simwarden.wire.shown import By, Shown

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "listed.example"


def _https() -> Flow:
    flow = Flow().open()
    flow.say(client_hello("Listed.Example"))
    return flow


def _old_https() -> Flow:
    flow = Flow().open()
    flow.say(client_hello(NAME, maximum_version=ssl.TLSVersion.TLSv1_2))
    return flow


def _http(method: str, target: str, host: str) -> Flow:
    flow = Flow(80).open()
    flow.say(
        h11.Connection(h11.CLIENT).send(h11.Request(method=method, target=target, headers=[("Host", host)])) or b""
    )
    return flow


def _quic(version: str) -> Flow:
    aioquic = pytest.importorskip("aioquic.quic", reason="aioquic is not installed")
    assert aioquic
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection
    from aioquic.quic.packet import QuicProtocolVersion

    chosen = QuicProtocolVersion[version]
    settings = QuicConfiguration(server_name=NAME, alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE)
    settings.supported_versions, settings.original_version = [chosen], chosen
    client = QuicConnection(configuration=settings)
    client.connect(("198.51.100.80", 443), now=0.0)
    flow = Flow(443, protocol=17)
    for datagram, _ in client.datagrams_to_send(now=0.0):
        flow.send(datagram)
    return flow


def _dns(name: str, kind: str) -> Flow:
    flow = Flow(53, protocol=17)
    flow.send(bytes(DNS(id=7, qd=DNSQR(qname=name, qtype=kind))))
    return flow


SHOWN: dict[By, list[tuple[Callable[[], Flow], Shown]]] = {
    By.TLS: [(_https, Shown(NAME, By.TLS)), (_old_https, Shown(NAME, By.TLS))],
    By.HTTP: [
        (lambda: _http("GET", "/a?b", NAME), Shown(NAME, By.HTTP, "/a")),
        (lambda: _http("OPTIONS", "*", NAME), Shown(NAME, By.HTTP, "*")),
        (lambda: _http("GET", "http://listed.example:8080", NAME), Shown(NAME, By.HTTP, "/")),
    ],
    By.CONNECT: [(lambda: _http("CONNECT", "listed.example:443", "listed.example:443"), Shown(NAME, By.CONNECT))],
    By.QUIC: [
        (lambda: _quic("VERSION_1"), Shown(NAME, By.QUIC)),
        (lambda: _quic("VERSION_2"), Shown(NAME, By.QUIC)),
    ],
    By.DNS: [
        (lambda: _dns("Listed.eXample", "AAAA"), Shown(NAME, By.DNS, kind="AAAA")),
        (lambda: _dns(NAME, "TXT"), Shown(NAME, By.DNS, kind="TXT")),
    ],
}


@pytest.mark.parametrize(
    "case", [pytest.param(each, id=f"{by}-{at}") for by in SHOWN for at, each in enumerate(SHOWN[by])]
)
def test_what_others_show_is_read(case: tuple[Callable[[], Flow], Shown]) -> None:
    make, shown = case
    assert make().watch.shown == (shown,)
