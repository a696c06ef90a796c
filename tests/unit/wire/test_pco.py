"""Protocol configuration options, against pycrate, and what a PGW answers."""

from __future__ import annotations

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrate_mobile.TS24008_IE import ProtConfig

from simwarden.errors import PeerError
from simwarden.wire import pco
from simwarden.wire.pco import Container, Option

DNS = ("192.0.2.53", "198.51.100.53", "2001:db8::53")
OPTIONS = st.lists(st.builds(Option, st.integers(0xFF00, 0xFFFF), st.binary(max_size=20)), max_size=5)


@settings(max_examples=budget.examples(30))
@given(options=OPTIONS)
def test_octets_are_pycrates(options: list[Option]) -> None:
    octets = pco.encode(options)
    theirs = ProtConfig()
    theirs.from_bytes(octets)
    found = [(each["ID"].get_val(), each["Cont"].to_bytes()) for each in theirs["Config"]]
    assert found == options == pco.decode(octets)
    assert theirs.to_bytes() == octets


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x80\0", b"\x80\0\x0d\x05\1", b"\x80" + bytes(260)])
def test_what_is_none_is_a_peer_error(octets: bytes) -> None:
    with pytest.raises(PeerError):
        pco.decode(octets)


@settings(max_examples=budget.examples(100))
@given(octets=st.binary(max_size=60))
def test_whatever_is_asked_is_answered_or_not(octets: bytes) -> None:
    try:
        asked = pco.decode(b"\x80" + octets)
    except PeerError:
        return
    pco.encode(pco.answer(asked, DNS, 1358))


def ipcp(code: int, options: bytes) -> Option:
    return Option(Container.IPCP, bytes((code, 7)) + (4 + len(options)).to_bytes(2) + options)


def test_who_asks_by_ipcp_is_told_what_to_ask_for() -> None:
    """RFC 1877: the servers are refused until they are right, other options are not taken up."""
    asked = ipcp(1, bytes.fromhex("030600000000" + "810600000000" + "830600000000"))
    right = bytes.fromhex("8106c0000235" + "8306c6336435")
    assert pco.answer([asked], DNS, 1358) == [ipcp(3, right)]
    assert pco.answer([ipcp(1, right)], DNS, 1358) == [ipcp(2, right)]
    assert pco.answer([ipcp(2, right), Option(Container.IPCP, b"\1"), Option(Container.PAP, b"x")], DNS, 1358) == []


def test_too_many_options_are_not_made() -> None:
    with pytest.raises(ValueError, match="253 octets at most"):
        pco.encode([Option(0xFF00, bytes(200))] * 2)


@pytest.mark.parametrize(
    "asked",
    [[Option(Container.DNS_SERVER_IPV4_ADDRESS)] * 84, [ipcp(1, bytes.fromhex("8102") * 120)]],
    ids=["servers", "servers by IPCP"],
)
def test_who_asks_again_and_again_is_told_once(asked: list[Option]) -> None:
    assert len(pco.decode(pco.encode(asked))) == len(asked)
    told = pco.answer(asked, DNS, 1358)
    assert b"".join(each.content for each in told).count(bytes((192, 0, 2, 53))) == 1


@pytest.mark.parametrize(("servers", "told"), [(34, 34), (35, 35), (36, 35), (40, 35)])
def test_as_many_servers_are_told_as_nas_has_room_for(servers: int, told: int) -> None:
    dns = tuple(f"192.0.2.{number}" for number in range(servers))
    asked = [Option(Container.DNS_SERVER_IPV4_ADDRESS), Option(Container.IPV4_LINK_MTU)]
    octets = pco.encode(pco.answer(asked, dns, 1358))
    assert pco.told(octets) == (list(dns[:told]), 1358)
    assert len(octets) <= 251
