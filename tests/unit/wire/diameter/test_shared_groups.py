"""Groups that many messages have alike are decoded once: no message reads otherwise for it."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.wire.diameter import Avps, DiameterError, Message, RawAvp, ResultCode, check_request, decode, encode
from simwarden.wire.diameter.codec import MAXIMUM_DEPTH
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.diameter.message import SharedGroup, read_group

DEFINITION: list[tuple[str, Any]] = [
    ("Charging-Rule-Name", b"coap"),
    ("Flow-Information", [("Flow-Description", "permit out 17 from 192.0.2.1 to assigned"), ("Flow-Direction", 3)]),
    ("Precedence", 7),
]


def order(definition: list[tuple[str, Any]], session: str = "a", *more: tuple[str, Any]) -> bytes:
    """Return an RAR of the PCRF that installs a rule, with `more` AVPs."""
    head = [
        ("Session-Id", session),
        ("Auth-Application-Id", BY_POINT["Gx"]),
        ("Origin-Host", "pcrf.example"),
        ("Origin-Realm", "example"),
        ("Destination-Realm", "example"),
        ("Destination-Host", "pgw.example"),
        ("Re-Auth-Request-Type", 0),
    ]
    install = ("Charging-Rule-Install", [("Charging-Rule-Definition", definition)])
    return encode(Message(258, BY_POINT["Gx"], 0xC0, 1, 1, [*head, install, *more]))


def definition_in(octets: bytes) -> Any:
    return decode(octets).find("Charging-Rule-Install", "Charging-Rule-Definition")


def test_equal_octets_are_one_value_and_others_another() -> None:
    one, other = definition_in(order(DEFINITION)), definition_in(order(DEFINITION, "b"))
    assert one is other
    assert one == DEFINITION
    changed = definition_in(order([*DEFINITION[:2], ("Precedence", 8)]))
    assert changed == [*DEFINITION[:2], ("Precedence", 8)]


@pytest.mark.parametrize(
    "change",
    [
        lambda group: group.append(("Precedence", 1)),
        lambda group: group.clear(),
        lambda group: group.sort(),
        lambda group: group.__setitem__(0, ("Precedence", 1)),
        lambda group: group.__delitem__(0),
        lambda group: group.__iadd__([("Precedence", 1)]),
    ],
)
def test_nobody_changes_what_is_in_other_messages(change: Any) -> None:
    group = definition_in(order(DEFINITION))
    for each in (group, group[1][1]):
        with pytest.raises(TypeError):
            change(each)
    assert definition_in(order(DEFINITION)) == DEFINITION


def test_what_is_not_understood_is_so_in_each_message() -> None:
    strange = RawAvp(9999, 10415, 0xC0, b"\0\0\0\1")
    octets = order([*DEFINITION, (strange.name, strange)])
    for _ in range(2):
        with pytest.raises(DiameterError) as error:
            check_request(decode(octets), {BY_POINT["Gx"]})
        assert error.value.result is ResultCode.DIAMETER_AVP_UNSUPPORTED


def test_a_group_against_its_grammar_is_refused_each_time() -> None:
    octets = order(DEFINITION[1:])
    for _ in range(2):
        with pytest.raises(DiameterError) as error:
            check_request(decode(octets), {BY_POINT["Gx"]})
        assert error.value.result is ResultCode.DIAMETER_MISSING_AVP


def test_a_group_is_checked_against_the_grammar_of_each_avp_that_it_is_the_value_of() -> None:
    group, applications = [("Precedence", 7)], {BY_POINT["Gx"]}
    check_request(decode(order(DEFINITION, "a", ("QoS-Information", group))), applications)
    with pytest.raises(DiameterError) as error:
        check_request(decode(order(group)), applications)
    assert error.value.result is ResultCode.DIAMETER_MISSING_AVP


def test_a_reader_reads_a_group_once_and_a_reader_that_fails_each_time() -> None:
    group, reads = SharedGroup(DEFINITION), list[str]()

    def count(avps: Avps) -> int:
        reads.append("count")
        return len(avps)

    def refuse(_avps: Avps) -> int:
        reads.append("refuse")
        raise TypeError

    assert [read_group(group, count) for _ in range(2)] == [3, 3]
    for _ in range(2):
        with pytest.raises(TypeError):
            read_group(group, refuse)
    assert reads == ["count", "refuse", "refuse"]
    assert [read_group(list(DEFINITION), count) for _ in range(2)] == [3, 3]
    assert len(reads) == 5


def test_an_encoded_group_has_the_same_octets_each_time() -> None:
    assert [order(SharedGroup(DEFINITION)) for _ in range(2)] == [order(DEFINITION)] * 2
    group = SharedGroup(DEFINITION)
    assert [order(group, each) for each in "ab"] == [order(DEFINITION, each) for each in "ab"]


def test_a_fault_is_told_by_its_octet_of_the_message() -> None:
    octets = bytearray(order(DEFINITION))
    at = octets.index((1010).to_bytes(4, "big"))  # Precedence, of which the length is made too great
    octets[at + 5 : at + 8] = (200).to_bytes(3, "big")
    for _ in range(2):
        with pytest.raises(DiameterError) as error:
            decode(bytes(octets))
        assert error.value.result is ResultCode.DIAMETER_INVALID_AVP_LENGTH
        assert f"at octet {at} " in error.value.reason


def test_groups_in_it_are_as_deep_as_in_others() -> None:
    def nested(levels: int) -> list[tuple[str, Any]]:
        return [*DEFINITION[:1], ("Charging-Rule-Definition", nested(levels - 1))] if levels else DEFINITION

    assert definition_in(order(nested(MAXIMUM_DEPTH - 4))) == nested(MAXIMUM_DEPTH - 4)
    with pytest.raises(DiameterError) as error:
        decode(order(nested(MAXIMUM_DEPTH)))
    assert error.value.result is ResultCode.DIAMETER_INVALID_AVP_VALUE


def test_one_that_is_long_is_not_kept() -> None:
    name = [("Charging-Rule-Name", bytes(5000)), *DEFINITION[1:]]
    one, other = definition_in(order(name)), definition_in(order(name))
    assert one == other == name
    assert one is not other
