"""The server name of a ClientHello that OpenSSL makes, and of what is none."""

from __future__ import annotations

import pytest
from flows import client_hello

from simwarden.errors import PeerError
from simwarden.wire import tls

HELLO = client_hello("Server.Example.")[5:]


def with_names(*names: bytes, kind: int = 0, extensions: bytes = b"") -> bytes:
    """Return a ClientHello of TLS 1.2 with an extension for each list of names, behind others."""
    for name in names:
        entry = bytes((kind,)) + len(name).to_bytes(2) + name
        listed = len(entry).to_bytes(2) + entry
        extensions += b"\0\0" + len(listed).to_bytes(2) + listed
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2) + extensions
    return b"\1" + len(body).to_bytes(3) + body


def test_names() -> None:
    assert tls.read_hello(HELLO).name == "server.example"
    assert tls.read_hello(client_hello(None)[5:]).name == ""
    assert tls.read_hello(with_names(b"a.b")).name == "a.b"
    assert tls.read_hello(with_names(b"a.b", kind=1)).name == ""
    assert tls.read_hello(with_names(b"a.b\0.c")).name == "a.b\\x00.c"  # which is no name of a list
    assert tls.read_hello(b"\1\0\0\x29" + with_names()[4:-2]).name == ""  # without extensions, as SSL 3
    assert not tls.read_hello(HELLO).early_data
    assert tls.read_hello(with_names(b"a.b", extensions=b"\0\x2a\0\0")) == ("a.b", True)


def test_of_an_encrypted_hello_the_outer_name_is_read() -> None:
    """draft-ietf-tls-esni 5: outer, HKDF-SHA256 and AES-128-GCM, a configuration, a key and a payload."""
    inner = b"\0\0\1\0\1\x2a" + len(bytes(32)).to_bytes(2) + bytes(32) + b"\0\x90" + b"hidden.example".ljust(144)
    encrypted = b"\xfe\x0d" + len(inner).to_bytes(2) + inner
    assert tls.read_hello(with_names(b"outer.example", extensions=encrypted)).name == "outer.example"
    assert tls.read_hello(with_names(extensions=encrypted)).name == ""


@pytest.mark.parametrize(
    "message",
    [
        b"\1\0\0\0",
        b"\2" + HELLO[1:],
        HELLO[:-1],
        HELLO + b"x",
        with_names(b"a.b", b"c.d"),
        b"\1\0\0\x2a" + with_names()[4:-2] + b"\0",
        b"\1\xff\0\0",
    ],
)
def test_what_is_no_client_hello(message: bytes) -> None:
    with pytest.raises(PeerError):
        tls.read_hello(message)


def test_lengths() -> None:
    record = client_hello()
    assert [tls.record_length(record[:size]) for size in (0, 1, 4, 5, 90)] == [
        None,
        None,
        None,
        len(record),
        len(record),
    ]
    assert [tls.hello_length(HELLO[:size]) for size in (0, 3, 4)] == [None, None, len(HELLO)]
    for octets in (b"GET /", b"\x16\2", b"\x16\3\1\0\0", b"\x16\3\1\xff\xff"):
        with pytest.raises(PeerError):
            tls.record_length(octets)
