"""Heads of requests, and for whom they are: what one server reads otherwise than another is read by none."""

from __future__ import annotations

import pytest

from simwarden.errors import PeerError
from simwarden.wire import http
from simwarden.wire.shown import By, Shown


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join((line, *fields, "", "")).encode("latin-1")


def hosts(line: str, *fields: str) -> list[str]:
    return [each.host for each in http.read(request(line, *fields)).shown]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("server.example", "server.example"),
        ("A.b:8080", "a.b"),
        ("a.b.", "a.b"),
        ("a.b.:80", "a.b"),
        ("a.b:", "a.b"),
        ("[2001:DB8::1]:80", "[2001:db8::1]"),
        ("198.51.100.80", "198.51.100.80"),
    ],
)
def test_hosts(host: str, name: str) -> None:
    assert http.read(request("GET / HTTP/1.1", f"Host: {host}")).shown == (Shown(name, By.HTTP, "/"),)
    assert hosts(f"CONNECT {host} HTTP/1.1", f"Host: {host}") == [name]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("GET http://a.b/c HTTP/1.1", ["a.b", "listed.example"]),
        ("GET HTTP://listed.example:80/c HTTP/1.1", ["listed.example"]),
        ("GET http://a.b?c HTTP/1.1", ["a.b", "listed.example"]),
        ("CONNECT a.b:443 HTTP/1.1", ["a.b", "listed.example"]),
        ("OPTIONS * HTTP/1.1", ["listed.example"]),
    ],
)
def test_a_target_that_the_host_contradicts_shows_both(line: str, found: list[str]) -> None:
    assert hosts(line, "Host: listed.example") == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", "/"),
        ("/a/b?c=/d", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/..", "/"),
        ("/a/b/.", "/a/b/"),
        ("/../../a", "/a"),
        ("/%61%2fb", "/a/b"),
        ("/a%20b", "/a b"),
        ("/a\\..\\b", None),
        ("/a//b", None),
        ("/a;x/b", None),
        ("/a%00b", None),
        ("/%ff", None),
        ("/a%3Fb", None),
        ("/a%23/../b", None),
        ("/a/..%20/b", None),
        ("/a/.../b", None),
        ("/a/...", None),
        ("/a./.b/c..", "/a./.b/c.."),
    ],
)
def test_paths_are_those_that_a_server_looks_up(path: str, found: str | None) -> None:
    assert http.read(request(f"GET {path} HTTP/1.1", "Host: a.b")).shown == (Shown("a.b", By.HTTP, found),)


def test_who_names_nobody() -> None:
    for line, *fields in (("GET /a HTTP/1.0",), ("GET /a HTTP/1.1", "Host:"), ("GET /a/../a HTTP/1.1", "Host: ")):
        assert http.read(request(line, *fields)).shown == (Shown("", By.HTTP, "/a"),)
    assert hosts("GET http://a.b/ HTTP/1.1", "Host:") == ["a.b"]


@pytest.mark.parametrize(
    "octets",
    [
        request("GET / HTTP/1.1", "Host: a.b", "Host: c.d"),
        request("GET / HTTP/1.1", "Host: a.b", " c.d"),
        request("GET / HTTP/1.1", "Host:", " a.b"),
        request("GET / HTTP/1.1", "X: a", "\tHost: c.d", "Host: a.b"),
        request("GET / HTTP/1.1", "Host : a.b"),
        request("GET / HTTP/1.1", "Host: a.b, c.d"),
        request("GET / HTTP/1.1", "Host: a.b/c"),
        request("GET / HTTP/1.1", "Host: a.b@c.d"),
        request("GET / HTTP/1.1", "Host: \xe4.b"),
        request("GET / HTTP/1.1", "Host: a.b\rX: y"),
        request("GET http://a.b@c.d/ HTTP/1.1", "Host: a.b"),
        request("GET http:///c HTTP/1.1", "Host: a.b"),
        request("GET 1://a.b/c HTTP/1.1", "Host: a.b"),
        request("GET a.b/c HTTP/1.1", "Host: a.b"),
        request("CONNECT / HTTP/1.1", "Host: a.b"),
        request("CONNECT a.b:443 HTTP/1.1", "Host: a.b", "Content-Length: 5"),
        request("CONNECT a.b:443 HTTP/1.1", "Host: a.b", "Transfer-Encoding: chunked"),
        request("GET  / HTTP/1.1", "Host: a.b"),
        request("GET / HTTP/2.0", "Host: a.b"),
        request("GET / HTTP/1.1", "Host: a.b", "Content-Length: 5", "Transfer-Encoding: chunked"),
        request("GET / HTTP/1.0", "Host: a.b", "Transfer-Encoding: chunked"),
        request("GET / HTTP/1.1", "Host: a.b", "Transfer-Encoding: gzip, chunked"),
        request("GET / HTTP/1.1", "Host: a.b", "Content-Length: 5", "Content-Length: 6"),
        request("GET / HTTP/1.1", "Host: a.b", "Content-Length: +5"),
        request("GET / HTTP/1.1", "Host: a.b", f"Content-Length: {1 << 31}"),
        b"PRI * HTTP/2.0\r\n\r\n",
    ],
)
def test_what_servers_read_in_two_ways(octets: bytes) -> None:
    with pytest.raises(PeerError):
        http.read(octets)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (request("GET /a HTTP/1.1"), Shown("", By.HTTP, "/a")),
        (request("GET /a HTTP/1.1", "X: y"), Shown("", By.HTTP, "/a")),
        (b"GET /a HTTP/1.1\nX: y\n\n", Shown("", By.HTTP, "/a")),
        ("GET /\u6e29 HTTP/1.1\r\nHost: a.b\r\n\r\n".encode(), Shown("a.b", By.HTTP, "/\u6e29")),
        (b"GET /\xff/../c HTTP/1.1\r\nHost: a.b\r\n\r\n", Shown("a.b", By.HTTP, None)),
    ],
)
def test_requests_that_break_a_rule_and_are_answered_all_the_same(octets: bytes, shown: Shown) -> None:
    assert http.read(octets).shown == (shown,)


@pytest.mark.parametrize(
    "octets", [b"G\xc3T / HTTP/1.1\r\nHost: a.b\r\n\r\n", b"GET / HTTP/1.1\xff\r\nHost: a.b\r\n\r\n"]
)
def test_octets_above_ascii_outside_of_a_target_are_refused(octets: bytes) -> None:
    with pytest.raises(PeerError):
        http.read(octets)


def test_what_follows_a_head() -> None:
    def read(*fields: str) -> tuple[int | None, bool]:
        found = http.read(request("POST / HTTP/1.1", "Host: a.b", *fields))
        return found.body, found.leaves

    assert read() == (0, False)
    assert read("Content-Length: 5") == (5, False)
    assert read("Transfer-Encoding: Chunked", "Upgrade: websocket") == (None, True)
    for fields in ((), ("Content-Length: 0",)):
        assert http.read(request("CONNECT a.b:443 HTTP/1.1", "Host: a.b", *fields)).leaves


def test_sizes_of_chunks() -> None:
    assert [http.chunk_size(each) for each in (b"0\r\n", b"1F\r\n", b"a;x=y\r\n", b"5 ;x\r\n")] == [0, 31, 10, 5]
    for each in (
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1\n",
        b"1\r",
        b"7fffffff\r\n",
        b"1" * 9 + b"\r\n",
    ):
        with pytest.raises(PeerError):
            http.chunk_size(each)


def test_a_trailer_is_of_fields() -> None:
    assert [http.ends_trailer(each) for each in (b"\r\n", b"\n", b"Sum: 1\r\n", b"a:\n")] == [True, True, False, False]
    for line in (b"\r\r\n", b"GET / HTTP/1.1\r\n", b" \r\n", b"a: b\rc\r\n", b"Host : a\r\n"):
        with pytest.raises(PeerError):
            http.ends_trailer(line)


def test_requests_of_a_line() -> None:
    assert http.simple_request(b"GET /a/../b?c\r") == Shown("", By.HTTP, "/b")
    for line in (b"EHLO a.b\r", b"GET /a b\r", b"GET\r", b"GET /\xff\r"):
        assert http.simple_request(line) is None


def test_heads_end_with_an_empty_line() -> None:
    assert http.head_length(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore") == 27
    assert http.head_length(b"GET / HTTP/1.1\nHost: a\n\nmore", 23) == 24
    assert http.head_length(b"GET / HTTP/1.1\r\nHost: a\r\n") is None
    for octets in (b"GET /" + bytes(http.LONGEST), b"GET /" + bytes(http.LONGEST) + b"\r\n\r\n"):
        with pytest.raises(PeerError):
            http.head_length(octets)
    with pytest.raises(PeerError):
        http.first_line(b"GET /" + bytes(http.LONGEST))
    with pytest.raises(PeerError, match=r"HTTP/0\.9"):
        http.first_line(b"GET http://hidden.example/ \r\n")
    assert (
        http.first_line(b"OPTIONS rtsp://camera.example/ RTSP/1.0\r\n") == b"OPTIONS rtsp://camera.example/ RTSP/1.0\r"
    )
    with pytest.raises(PeerError, match="method"):
        http.first_line(b"M" * 256)


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r", b"\n" * 300, b" ", b"\t \r\n"])
@pytest.mark.parametrize("method", [b"GET", b"M" * 255])
def test_a_line_that_some_server_takes_for_a_request_is_one(before: bytes, method: bytes) -> None:
    """Servers answer 405 to methods that they do not know, and go on; nginx leaves out a CR before one."""
    whole = before + method + b" / HTTP/1.1\r\n"
    assert [http.first_line(whole[:size]) for size in range(1, len(whole))] == [None] * (len(whole) - 1)
    assert b"HTTP/" in (http.first_line(whole) or b"")


@pytest.mark.parametrize("line", [b"PO]T / HTTP/1.1", b"//ST / HTTP/1.1", b"(x) http/1.1", b"\xffGET / HTTP/1.1"])
def test_what_is_no_request_and_some_servers_go_on_behind_is_one(line: bytes) -> None:
    """They answer 501, as that of Python does; whoever reads it as a request finds that it is none."""
    assert http.first_line(line + b"\r\n") == line + b"\r"
    assert http.first_line(line) == (None if line.isascii() else b"")


@pytest.mark.parametrize("octets", [b"\x10\x0c\0\4MQTT", b"(x) y\r\n", b"]" * http.LONGEST])
def test_what_is_no_request_at_all(octets: bytes) -> None:
    assert http.first_line(octets) == b""
