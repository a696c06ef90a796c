"""MQTT 3.1.1 packets: what is malformed, streams in pieces, topics."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.wire.mqtt import (
    ConnAck,
    Connect,
    Publish,
    Splitter,
    check_filter,
    check_topic,
    decode,
    dissect,
    encode,
    level,
    mask_password,
    matches,
)

MALFORMED = {
    "a type of 0": "0000",
    "a type of 15": "f000",
    "a remaining length of five octets": "3080808080",
    "PUBACK with flags": "41020001",
    "SUBSCRIBE without its flags": "800600010001610 0".replace(" ", ""),
    "a QoS of 3": "36050001610001",
    "QoS 0 with DUP": "3803000161",
    "QoS 1 with identifier 0": "32050001610000",
    "a topic with a wildcard": "3003000123",
    "an empty topic": "30020000",
    "a topic longer than the packet": "3003000561",
    "a topic that is no UTF-8": "30030001ff",
    "a topic with a NUL": "3003000100",
    "PUBACK without an identifier": "400100",
    "PUBACK with more": "4003000100",
    "PINGREQ with more": "c00100",
    "CONNECT of another protocol": "100c00044d5154540400000000",
    "CONNECT with its reserved flag": "100c00044d5154540401000000 00".replace(" ", ""),
    "CONNECT with a password and no name": "100f00044d51545404400000000000016 1".replace(" ", ""),
    "CONNECT with a will's QoS and no will": "100c00044d51545404080000 0000".replace(" ", ""),
    "SUBSCRIBE without a filter": "82020001",
    "SUBSCRIBE with a bad filter": "820700010002612b00",
    "SUBSCRIBE with QoS 3": "820600010001 6103".replace(" ", ""),
    "UNSUBSCRIBE without a filter": "a2020001",
    "SUBACK with a code of 3": "9003000103",
    "CONNACK with a code of 6": "20020006",
    "CONNACK with flags": "20020200",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_packets_are_the_peers_error(name: str) -> None:
    with pytest.raises(PeerError):
        decode(bytes.fromhex(MALFORMED[name]))


def test_a_later_version_is_told_by_its_level() -> None:
    packet = decode(bytes.fromhex("100f00044d5154540502003c0000026162"))
    assert isinstance(packet, Connect)
    assert packet.level == 5


@given(
    payloads=st.lists(st.binary(max_size=300), min_size=1, max_size=5), sizes=st.lists(st.integers(1, 50), min_size=1)
)
def test_packets_are_cut_off_a_stream_in_any_pieces(payloads: list[bytes], sizes: list[int]) -> None:
    packets = [Publish("a/b", each, 1, identifier=number) for number, each in enumerate(payloads, 1)]
    stream = b"".join(map(encode, packets))
    splitter, found, at = Splitter(), [], 0
    while at < len(stream):
        size = sizes[at % len(sizes)]
        found += splitter.feed(stream[at : at + size])
        at += size
    assert found == packets
    assert not splitter.rest


def test_a_packet_that_is_too_long_is_refused_before_it_is_here() -> None:
    with pytest.raises(PeerError, match="too long"):
        Splitter(longest=100).feed(bytes.fromhex("3065"))


@pytest.mark.parametrize(
    ("topic_filter", "topic", "within"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/#", "a", True),  # 4.7.1.2: the parent level as well
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+/+", "/a", True),
        ("/+", "/a", True),
        ("+", "/a", False),
        ("#", "$SYS/up", False),
        ("+/up", "$SYS/up", False),
        ("$SYS/#", "$SYS/up", True),
    ],
)
def test_filters_match_as_the_standard_says(topic_filter: str, topic: str, within: bool) -> None:  # noqa: FBT001
    check_filter(topic_filter)
    check_topic(topic)
    assert matches(topic_filter, topic) is within


@pytest.mark.parametrize("wrong", ["", "a#", "a/#/b", "a+/b", "\0"])
def test_bad_filters_are_refused(wrong: str) -> None:
    with pytest.raises(PeerError):
        check_filter(wrong)


@given(text=st.text(min_size=1, max_size=50))
def test_any_text_is_one_level_of_a_topic(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    topic = f"a/{level(text)}/b"
    check_topic(topic)
    assert matches("a/+/b", topic)


def test_an_event_is_shown_by_its_attributes() -> None:
    event = {"specversion": "1.0", "id": "x-1", "type": "simwarden.card.refused", "data": {"control": "bind.cmp"}}
    found = dissect(encode(Publish("s/cmp/card/refused", json.dumps(event).encode(), 1, identifier=1)))
    assert (found.name, found.fields["id"]) == ("publish", "x-1")
    assert found.fields["data"] == {"control": "bind.cmp"}
    assert dissect(encode(Publish("t", b"[" * 100_000))).fields["payload"].startswith(b"[[")


def test_a_refused_connection_says_why() -> None:
    assert dissect(encode(ConnAck(4))).cause == "bad user name or password"


def test_the_password_is_masked() -> None:
    plain = encode(Connect("ops", user="user", password=b"secret"))
    masked = mask_password(plain)
    assert len(masked) == len(plain)
    assert b"secret" not in masked
    assert "secret" not in repr(dissect(plain))
    assert mask_password(encode(Publish("a", b"secret"))) == encode(Publish("a", b"secret"))
