"""Names in the clear, in what OpenSSL and h11 make, cut at every octet, and in octets of any kind."""

from __future__ import annotations

import ssl

import budget
import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.wire.clear_names import http_name, tls_name


def client_hello(name: str | None) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def test_a_client_hello_is_read_when_it_is_whole() -> None:
    hello = client_hello("Server.Example")
    assert tls_name(hello) == "server.example"
    assert tls_name(hello + b"more") == "server.example"
    assert [tls_name(hello[:end]) for end in range(len(hello))] == [None] * len(hello)
    assert tls_name(client_hello(None)) == ""


def test_a_client_hello_in_many_records() -> None:
    hello = client_hello("server.example")
    body = hello[5:]
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    records = b"".join(hello[:3] + len(each).to_bytes(2) + each for each in pieces)
    assert tls_name(records) == "server.example"


@pytest.mark.parametrize(
    "octets", [b"GET /", b"\x17\3\3", b"\x16\2", b"\x16\3\1\0\4\2\0\0\0", b"\x16\3\1\0\5\1\0\0\1\7"]
)
def test_what_is_no_client_hello(octets: bytes) -> None:
    with pytest.raises(PeerError):
        tls_name(octets)


@pytest.mark.parametrize(
    ("host", "name"),
    [("server.example", "server.example"), ("A.b:8080", "a.b"), ("[2001:db8::1]:80", "[2001:db8::1]"), ("", "")],
)
def test_a_request_is_read_as_h11_writes_it(host: str, name: str) -> None:
    http = h11.Connection(h11.CLIENT)
    fields = [("accept", "host: other.example"), ("host", host)]
    octets = http.send(h11.Request(method="GET", target="/", headers=fields)) or b""
    assert http_name(octets) == name
    assert http_name(octets[:-2]) in (None, name)
    assert http_name(octets[:20]) is None
    assert http_name(b"PO") is None
    assert http_name(b"GET / HTTP/1.0\r\n\r\n") == ""


def test_what_is_no_request() -> None:
    with pytest.raises(PeerError):
        http_name(b"SSH-2.0-x\r\n")


@settings(max_examples=budget.examples(200))
@given(st.binary(max_size=300), st.integers(0, 600), st.integers(0, 255))
def test_octets_of_any_kind(octets: bytes, at: int, changed: int) -> None:
    hello = bytearray(client_hello("server.example"))
    hello[at % len(hello)] = changed
    for data in (octets, b"\x16\3\1" + octets, bytes(hello), b"GET " + octets):
        for read in (tls_name, http_name):
            try:
                found = read(data)
            except PeerError:
                continue
            assert found is None or len(found) <= 253 * 4
