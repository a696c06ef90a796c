"""Damaged ClientHellos, read by OpenSSL: the server name that it takes is one that is shown, or unreadable."""

from __future__ import annotations

import random
import ssl
from contextlib import suppress

import budget
import mutation
import pytest
from authority import Authority
from flows import Flow, client_hello, in_records

from simwarden.wire.shown import host_text

# OpenSSL hands names that are no ASCII to nobody, and Python says so
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CASES = max(300, budget.WIRE_CASES // 100)
HELLOS = [
    client_hello(name, maximum_version=version)
    for name in ("a.example", "hidden.example", None)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server with a certificate of its own."""
    file = Authority(tmp_path_factory.mktemp("server")).certificate("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def taken(server: ssl.SSLContext, octets: bytes) -> list[str]:
    """Return the server names that OpenSSL takes of a client's octets."""
    found: list[str] = []
    server.sni_callback = lambda _end, name, _context: found.append(host_text(name.encode())) if name else None
    said, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    said.write(octets)
    with suppress(ssl.SSLError, ValueError, UnicodeError):
        server.wrap_bio(said, out, server_side=True).do_handshake()
    return found


def hellos(server: ssl.SSLContext) -> tuple[bytes, bytes]:
    """Return the ClientHello of a client, and that with which it answers a server that asks for another key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    (said, heard), found = (ssl.MemoryBIO(), ssl.MemoryBIO()), []
    client = context.wrap_bio(heard, said, server_hostname="listed.example")
    far_heard, far_said = ssl.MemoryBIO(), ssl.MemoryBIO()
    far = server.wrap_bio(far_heard, far_said, server_side=True)
    for _ in range(2):
        with suppress(ssl.SSLWantReadError):
            client.do_handshake()
        found.append(said.read())
        far_heard.write(found[-1])
        with suppress(ssl.SSLWantReadError):
            far.do_handshake()
        heard.write(far_said.read())
    return found[0], found[1]


def damaged(rng: random.Random) -> bytes:
    """Return a ClientHello in records of some length, of which octets are others."""
    hello = rng.choice(HELLOS)
    if rng.random() < 0.5:
        hello = hello[:5] + mutation.mutate(rng, hello[5:], HELLOS)
        hello = hello[:3] + (len(hello) - 5).to_bytes(2) + hello[5:]
    cut = in_records(hello, rng.choice((1, 7, 60, 300, 4000)))
    return mutation.mutate(rng, cut, HELLOS) if rng.random() < 0.5 else cut


def test_openssl_takes_no_name_that_is_not_shown(server: ssl.SSLContext) -> None:
    rng = random.Random(f"{budget.SEED}/openssl")
    named = 0
    for _ in range(CASES):
        octets = damaged(rng)
        names = taken(server, octets)
        flow = Flow().open()
        cut = rng.randrange(len(octets) + 1)
        flow.say(octets[:cut])
        flow.say(octets[cut:], cut)
        named += bool(names)
        assert set(names) <= set(flow.hosts) or "unreadable" in flow.hosts, (names, flow.hosts, octets.hex(), cut)
    assert named > CASES // 6  # 27 of 100 have a name that OpenSSL takes; of 300 between 70 and 92


#: records that may come between two ClientHellos: changes of cipher, alerts, empty ones, early data, heartbeats
BETWEEN = [
    b"\x14\3\3\0\1\1",
    b"\x15\3\3\0\2\1\x5a",
    b"\x15\3\3\0\2\1\0",
    b"\x16\3\3\0\0",
    b"\x17\3\3\0\1x",
    b"\x18\3\3\0\1x",
]


def test_openssl_takes_no_second_name_that_is_not_shown(server: ssl.SSLContext) -> None:
    rng = random.Random(f"{budget.SEED}/openssl-again")
    server.set_ecdh_curve("secp521r1")  # of which no client has sent a key
    first, second = hellos(server)
    change, second = second[: second.index(b"\x16\3")], second[second.index(b"\x16\3") :]
    assert b"listed.example" in second
    hidden, again = second.replace(b"listed", b"hidden"), 0
    for number in range(CASES // 3):
        between = [change, *rng.choices(BETWEEN, k=rng.choice((0, 1, 1, 2)))]
        octets = b"".join(between) + in_records(hidden, rng.choice((1, 60, 4000)))
        if number % 2:
            octets = mutation.mutate(rng, octets, BETWEEN)
        names = taken(server, first + octets)
        flow = Flow().open()
        flow.say(first)
        cut = rng.randrange(len(octets) + 1)
        flow.say(octets[:cut], len(first))
        flow.say(octets[cut:], len(first) + cut)
        again += "hidden.example" in names
        assert set(names) <= set(flow.hosts) or "unreadable" in flow.hosts, (names, flow.hosts, octets.hex(), cut)
    assert again > CASES // 20
