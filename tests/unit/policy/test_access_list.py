"""Entries of lists: read, or refused; and what is wider than a contract."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.access_list import Destination, check_number, open_number

if TYPE_CHECKING:
    from simwarden.model.network import Network


#: where a registry or a host gives names to anybody
PUBLIC = (
    *("bj.cn", "com.br", "co.kr", "xn--55qx5d.cn", "herokuapp.com", "vercel.app", "duckdns.org", "myhuaweicloud.com"),
    *("r2.dev", "trycloudflare.com", "blob.core.windows.net", "web.app", "ngrok-free.app", "compute.amazonaws.com"),
    *("kawasaki.jp", "ck"),  # each name below is public by a rule for all of them
)


@pytest.mark.parametrize(
    ("text", "host", "ports"),
    [
        ("192.0.2.10:443", "192.0.2.10/32", range(443, 444)),
        ("192.0.2.0/28:8883", "192.0.2.0/28", range(8883, 8884)),
        ("192.0.2.10", "192.0.2.10/32", None),
        ("[2001:db8::1]:443", "2001:db8::1/128", range(443, 444)),
        ("2001:db8::1", "2001:db8::1/128", None),
        ("[2001:db8::]/64:5684", "2001:db8::/64", range(5684, 5685)),
        ("MQTT.Example.net.:8883", "mqtt.example.net", range(8883, 8884)),
        ("*.example.net:443-445", "*.example.net", range(443, 446)),
        ("https://www.example.net/a?b=1", "www.example.net", range(443, 444)),
        ("https://www.example.net/24", "www.example.net", range(443, 444)),
        ("mqtts://192.0.2.1", "192.0.2.1/32", range(8883, 8884)),
        ("http://[2001:db8::1]:8080/x", "2001:db8::1/128", range(8080, 8081)),
        ("UDP://192.0.2.16/28:5683", "192.0.2.16/28", range(5683, 5684)),
        ("tcp://[2001:db8::]/64:8883-8884", "2001:db8::/64", range(8883, 8885)),
        ("表计.example.cn:443", "xn--co2az9d.example.cn", range(443, 444)),
        ("*.KÖLN.example.:443", "*.xn--kln-sna.example", range(443, 444)),
        ("*", "*", None),
        ("any", "*", None),
        ("255.255.255.255:65535", "255.255.255.255/32", range(65535, 65536)),
        ("www.example.net:1-65535", "www.example.net", range(1, 65536)),
    ],
)
def test_an_entry_is_read(text: str, host: str, ports: range | None) -> None:
    found = Destination.parse(text)
    assert (_shown(found.host), found.ports) == (host, ports)


@pytest.mark.parametrize(
    ("schemes", "port"),
    [
        ("http ws", 80),
        ("https wss", 443),
        ("mqtt", 1883),
        ("mqtts", 8883),
        ("coap", 5683),
        ("coaps", 5684),
        ("ftp", 21),
        ("ssh sftp", 22),
        ("rtsp", 554),
        ("amqp", 5672),
        ("amqps", 5671),
        ("coap+tcp", 5683),
        ("coaps+tcp", 5684),
    ],
)
def test_a_url_has_the_port_of_its_scheme(schemes: str, port: int) -> None:
    for scheme in schemes.split():
        assert Destination.parse(f"{scheme}://192.0.2.1").ports == range(port, port + 1)
        assert Destination.parse(f"{scheme}://192.0.2.1:99/x").ports == range(99, 100)


def _shown(host: Network | str) -> str:
    if isinstance(host, str):
        return host
    kind = IPv4Address if host.width == 32 else IPv6Address
    return f"{kind(host.start)}/{host.length}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.300:1",
        "192.000.2.1:443",
        "3221225985:443",
        "0x7f.0x1:443",
        "192.0.2.1:0",
        "192.0.2.256:443",
        "256.0.2.1:443",
        "192.0.2.1:70000",
        "192.0.2.1:65536",
        "example.net:65535-65536",
        "192.0.2.1:9-8",
        "www.example.net/24:443",
        "a@example.net:443",
        "exa mple.net",
        "example。com:443",
        "a..b:1",
        "192.0.2.1/33:1",
        "[192.0.2.1",
        "*example.net:443",
        "www.*.net:443",
        "a:b",
        "example.net:443/x",
        "tcp://example.net:443/x",  # no URL: it would be the name at any port, were the path left out
        "udp://192.0.2.1/x",
        "udp://udp://192.0.2.1:53",
        "htttps://192.0.2.1",
        "ssl://192.0.2.1:443",
        "lwm2m://example.net",
        "mqtts+ssl://*.example.net:8883",
        "straße.example:443",  # is asked for as strasse by some, and as xn--strae-oqa by others
        "\N{ZERO WIDTH JOINER}x.example:443",
    ],
)
def test_what_is_no_entry_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Destination.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "*:443",
        "*",
        "0.0.0.0/0:443",
        "192.0.2.0/23:443",
        "[2001:db8::]/55:443",
        "[::]/0:443",
        "*.com:443",
        "*.com.cn:443",
        "*.cloudfront.net:443",
        "*.oss.aliyuncs.com:443",
        *(f"*.{suffix}:443" for suffix in PUBLIC),
        "[::ffff:0:0]/96:443",
        "[::ffff:192.0.2.0]/119:443",
        "[64:ff9b::]/96:443",
    ],
)
def test_an_entry_that_names_no_certain_destination_says_so(text: str) -> None:
    assert Destination.parse(text).open_ended


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.0/24:443",
        "[2001:db8::]/56:443",
        "*.example.com:443",
        "d1.cloudfront.net:443",
        "www.com.cn:443",
        "[::ffff:192.0.2.0]/120:443",
        "*.example.com.cn:443",
        "*.example.bj.cn:443",
        "*.meters.vercel.app:443",
        "meters.vercel.app:443",
    ],
)
def test_one_that_does_is_let(text: str) -> None:
    found = Destination.parse(text)
    assert not found.open_ended
    assert not found.too_many_ports


def test_an_unknown_scheme_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown scheme 'sftps'; write tcp:// or udp:// with a port, or amqp, amqps"):
        Destination.parse("sftps://192.0.2.1:22")


def test_ports_are_named_one_by_one() -> None:
    assert Destination.parse("192.0.2.1").too_many_ports == "names no port"
    assert Destination.parse("192.0.2.1:1-65535").too_many_ports == "opens 65535 ports"
    assert Destination.parse("192.0.2.1:1-2").too_many_ports == "opens 2 ports"


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        ("192.0.2.10:443", "192.0.2.0/24:443", True),
        ("192.0.2.10:443", "192.0.2.0/24", True),
        ("192.0.2.10:443", "198.51.100.0/24", False),
        ("192.0.2.10", "192.0.2.0/24:443", False),
        ("192.0.2.10:80", "192.0.2.0/24:443", False),
        ("192.0.2.10:80-90", "192.0.2.10:1-85", False),
        ("192.0.2.10:80-90", "192.0.2.10:85-95", False),
        ("192.0.2.10:80-90", "192.0.2.10:80-90", True),
        ("192.0.0.0/16:443", "192.0.2.0/24:443", False),
        ("192.0.2.0/23:443", "192.0.2.0/24:443", False),
        ("[::1]:443", "0.0.0.0/0:443", False),
        ("[2001:db8::1]:443", "192.0.2.0/24:443", False),
        ("a.example.net:443", "*.example.net:443", True),
        ("*.a.example.net:443", "*.example.net:443", True),
        ("example.net:443", "*.example.net:443", False),
        ("a.example.net:443", "example.net:443", False),
        ("badexample.net:443", "*.example.net:443", False),
        ("*.example.net:443", "a.example.net:443", False),
        ("a.example.net:443", "192.0.2.1:443", False),
        ("192.0.2.1:443", "a.example.net:443", False),
        ("192.0.2.1:443", "*.example.net:443", False),
    ],
)
def test_what_is_within_what(inner: str, outer: str, within: bool) -> None:  # noqa: FBT001 - a fact of the case
    assert Destination.parse(inner).within(Destination.parse(outer)) is within


@given(st.text(max_size=40))
def test_any_text_is_an_entry_or_an_error(text: str) -> None:
    try:
        found = Destination.parse(text)
    except ValueError:
        return
    assert found.within(found)


def test_numbers_of_lists() -> None:
    assert check_number("+861069012") == "861069012"
    assert not open_number(check_number("1069012"))
    assert open_number(check_number("138*"))
    assert check_number("1" * 21) == "1" * 21
    assert check_number("0123456789*?x-") == "0123456789*?x-"
    for wrong in ("", "abc", "1" * 22, "１２３"):
        with pytest.raises(ValueError, match="no number"):
            check_number(wrong)
