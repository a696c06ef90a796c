"""ClientHellos in CRYPTO frames of all kinds, read by aioquic: the name that it takes is shown, or unreadable."""

from __future__ import annotations

import random
import ssl
from typing import TYPE_CHECKING

import budget
import mutation
import pytest
from authority import Authority
from flows import Flow

from simwarden.wire import quic
from simwarden.wire.shown import host_text

if TYPE_CHECKING:
    from pathlib import Path

    from aioquic.quic.connection import QuicConnection

aioquic_tls = pytest.importorskip("aioquic.tls", reason="aioquic is not installed")
CASES = max(200, budget.WIRE_CASES // 200)
NAMES = ("a.example", "hidden.example")
CALLED = b"8 octets"


def connection(name: str | None, certificate: Path | None = None) -> QuicConnection:
    """Return a client that calls a name, or the server, which has a certificate."""
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    told = QuicConfiguration(is_client=name is not None, server_name=name, verify_mode=ssl.CERT_NONE)
    if certificate is not None:
        told.load_cert_chain(certificate, certificate)
    return QuicConnection(configuration=told, original_destination_connection_id=None if name is not None else CALLED)


def hello(name: str) -> bytes:
    """Return the ClientHello that aioquic sends."""
    client = connection(name)
    client.connect(("198.51.100.80", 443), now=0.0)
    (datagram, _), *_ = client.datagrams_to_send(now=0.0)
    (packet, *_) = quic.initials_in(datagram)
    frames = quic.opened(packet, quic.client_keys(packet.version, packet.destination))
    return b"".join(octets for _, octets in sorted(quic.crypto_in(frames)))


def datagrams(rng: random.Random, said: list[bytes]) -> list[bytes]:
    """Return a ClientHello in pieces, of which some overlap, come twice, or are of another, in some order."""
    first = said[0]
    cuts = sorted(rng.sample(range(1, len(first)), rng.randrange(4)))
    places = list(zip([0, *cuts], [*cuts, len(first)], strict=True))
    pieces = [(max(low - rng.choice((0, 0, 9)), 0), high) for low, high in places]
    pieces += rng.sample(pieces, rng.choice((0, 0, 1)))
    rng.shuffle(pieces)
    frames: list[bytes] = []
    for low, high in pieces:
        source = said[1] if rng.random() < 0.1 else first
        frames.append(rng.choice((b"", b"\0" * 5, b"\1")) + quic.crypto_frame(low, source[low:high]))
    count = rng.randrange(1, 4)
    grouped = [b"".join(frames[at::count]) for at in range(count)]
    if rng.random() < 0.3:
        grouped[0] = mutation.mutate(rng, grouped[0], said)
    return [quic.protected(1, CALLED, each.ljust(1180, b"\0"), number) for number, each in enumerate(grouped) if each]


def test_aioquic_takes_no_name_that_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = Authority(tmp_path).certificate("127.0.0.1")
    rng = random.Random(f"{budget.SEED}/aioquic")
    hellos = [hello(name) for name in NAMES]
    read, found = aioquic_tls.pull_client_hello, []
    monkeypatch.setattr(aioquic_tls, "pull_client_hello", lambda octets: found.append(read(octets)) or found[-1])
    named = 0
    for _ in range(CASES):
        found.clear()
        server, flow = connection(None, certificate), Flow(443, protocol=17)
        for each in datagrams(rng, rng.sample(hellos, 2)):
            server.receive_datagram(each, ("10.64.0.1", 40000), now=0.0)
            flow.send(each)
        names = {host_text(each.server_name.encode()) for each in found if each.server_name}
        named += bool(names)
        assert names <= set(flow.hosts) or "unreadable" in flow.hosts, (names, flow.hosts)
    assert named > CASES // 4
