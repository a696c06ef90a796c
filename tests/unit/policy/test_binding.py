from __future__ import annotations

import pytest

from simwarden.policy.binding import (
    FirstUse,
    judge_features,
    judge_given,
    judge_learned,
    judge_peer,
    judge_subscriber,
    judge_withdrawn,
)

METER, PHONE = "35000100000001", "35000200000001"
FIRST_USE = FirstUse(home_province=True, home_network=True, vectors=True, initial_attach=True)


@pytest.mark.parametrize("bound", [METER, METER + "5", METER + "07"])
@pytest.mark.parametrize("seen", [METER, METER + "9", METER + "01"])
def test_imeis_are_compared_on_14_digits(bound: str, seen: str) -> None:
    assert judge_given(bound=bound, seen=seen).admitted
    assert judge_learned(bound=bound, seen=seen, use=FirstUse()).admitted
    assert not judge_given(bound=bound, seen=PHONE + seen[14:]).admitted
    assert not judge_learned(bound=bound, seen=PHONE + seen[14:], use=FIRST_USE).admitted


def test_a_refusal_says_what_was_expected_and_seen_with_check_digits() -> None:
    ruling = judge_given(bound=METER, seen=PHONE)
    assert dict(ruling.details) == {"expected": "350001000000012", "seen": "350002000000010"}


@pytest.mark.parametrize("bound", [METER, ""])
def test_a_terminal_without_imei_is_refused_unless_configured(bound: str) -> None:
    assert not judge_learned(bound=bound, seen="", use=FIRST_USE).admitted
    lenient = judge_learned(bound=bound, seen="", use=FIRST_USE, admit_unidentified=True)
    assert lenient.admitted
    assert not lenient.details.get("teaches")
    assert lenient.details["seen"] == ""
    assert not judge_given(bound=METER, seen="").admitted
    assert judge_given(bound=METER, seen="", admit_unidentified=True).admitted


@pytest.mark.parametrize("lacking", FirstUse._fields)
def test_only_a_first_use_that_lacks_nothing_teaches(lacking: str) -> None:
    first = judge_learned(bound="", seen=METER, use=FIRST_USE)
    assert (first.admitted, first.details["teaches"]) == (True, "350001000000012")
    elsewhere = judge_learned(bound="", seen=METER, use=FIRST_USE._replace(**{lacking: False}))
    assert elsewhere.admitted
    assert elsewhere.details["teaches"] == ""
    assert "teaches nothing" in elsewhere.reason


LISTED = {"mme.example": "example", "dra.example": "example"}


@pytest.mark.parametrize(
    ("host", "realm", "through", "admitted"),
    [
        ("mme.example", "example", "", True),
        ("mme.example", "example", "mme.example", True),
        ("mme.example", "example", "dra.example", True),
        ("mme.example", "other", "", False),
        ("evil.example", "example", "", False),
        ("evil.example", "example", "dra.example", False),
        ("dra.example", "example", "mme.example", False),
    ],
)
def test_who_may_speak_to_the_register(host: str, realm: str, through: str, *, admitted: bool) -> None:
    ruling = judge_peer(host=host, realm=realm, listed=LISTED, through=through, relays={"dra.example"})
    assert ruling.admitted == admitted


def test_subscriber_and_subscription() -> None:
    assert judge_subscriber(known=True).admitted
    assert not judge_subscriber(known=False).admitted
    assert judge_withdrawn(withdrawn=False).admitted
    assert judge_withdrawn(withdrawn=True, reason="lost").reason == "the subscription is withdrawn: lost"
    unsaid = judge_withdrawn(withdrawn=True)
    assert (unsaid.admitted, unsaid.reason) == (False, "the subscription is withdrawn")


@pytest.mark.parametrize(
    ("needed", "supported", "lacking"),
    [((), (), ""), (("REG_SUB",), ("ODB_ALL_APN", "REG_SUB"), ""), (("REG_SUB", "ODB_ALL_APN"), ("REG_SUB",), "APN")],
)
def test_a_node_supports_what_it_is_to_enforce(
    needed: tuple[str, ...], supported: tuple[str, ...], lacking: str
) -> None:
    ruling = judge_features(needed=needed, supported=supported)
    assert (ruling.admitted, ruling.reason.endswith(f"does not support ODB_ALL_{lacking}")) == (
        not lacking,
        bool(lacking),
    )
    assert ruling.details == {"expected": sorted(needed), "seen": sorted(supported)}


@pytest.mark.parametrize("seen", ["0" * 14, "0" * 16, "00000000123456", "9" * 14])
def test_an_imei_that_no_terminal_has_teaches_nothing(seen: str) -> None:
    use = FirstUse(home_province=True, home_network=True, vectors=True, initial_attach=True)
    refused = judge_learned(bound="", seen=seen, use=use, admit_unidentified=True)
    assert (refused.admitted, refused.details["teaches"]) == (False, "")


@pytest.mark.parametrize(
    ("address", "pinned", "admitted"),
    [
        ("192.0.2.7", ("192.0.2.0/28",), True),
        ("192.0.2.16", ("192.0.2.0/28",), False),
        ("192.0.2.16", ("192.0.2.0/28", "192.0.2.16/32"), True),
        ("::ffff:192.0.2.7", ("192.0.2.0/28",), True),
        ("2001:db8::1", ("192.0.2.0/28", "2001:db8::/32"), True),
        ("2001:db9::1", ("2001:db8::/32",), False),
        ("somewhere", ("192.0.2.0/28",), False),
        ("192.0.2.16", (), True),
        ("", ("192.0.2.0/28",), True),  # an element of this process, which has no address
    ],
)
def test_a_node_connects_from_where_it_is(address: str, pinned: tuple[str, ...], *, admitted: bool) -> None:
    host, realm = next(iter(LISTED.items()))
    ruling = judge_peer(host=host, realm=realm, listed=LISTED, address=address, pinned=pinned)
    assert ruling.admitted is admitted
    assert ruling.details["seen"] == (host if admitted else address)
