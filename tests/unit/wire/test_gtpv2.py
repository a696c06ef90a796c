"""What an erroneous GTPv2-C message calls for (TS 29.274 7.7), and how messages are shown."""

from __future__ import annotations

from typing import Any

import pytest
from vectors import FOLDER

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import (
    Ambr,
    BearerQos,
    Cause,
    CauseIe,
    FTeid,
    IeType,
    Indication,
    InterfaceType,
    Message,
    Paa,
    PdnType,
    RatType,
    Uli,
)
from simwarden.wire.gtpv2.reading import Gtpv2

MME = FTeid(InterfaceType.S11_MME_GTP_C, 0x11, "192.0.2.1")
BEARER = {"ebi": 5, "bearer_qos": BearerQos(9)}
ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)


def create(**more: Any) -> Message:
    ies = {
        "imsi": "001010000000001",
        "msisdn": "8614600000001",
        "rat_type": RatType.EUTRAN,
        "sender_f_teid": MME,
        "apn": "meters",
        "paa": Paa(PdnType.IPV4, "0.0.0.0"),  # noqa: S104 - ask for any address
        "apn_ambr": Ambr(1000, 2000),
        "user_location_information": Uli(Tai(Plmn("001", "01"), 7), Ecgi(Plmn("001", "01"), 0x101)),
        "indication_flags": Indication.CRSI | Indication.DAF,
        "bearer_contexts_to_be_created": (BEARER,),
    }
    return Message("create-session-request", {**ies, **more}, 0, 0x010203)


def without(octets: bytes, number: int, instance: int = 0) -> bytes:
    """Take an element out of a message."""
    return changed(octets, number, None, instance)


def changed(octets: bytes, number: int, value: bytes | None, instance: int = 0) -> bytes:
    """Give an element another value."""
    out, at = octets[:12], 12
    while at < len(octets):
        end = at + 4 + int.from_bytes(octets[at + 1 : at + 3])
        if (octets[at], octets[at + 3]) != (number, instance):
            out += octets[at:end]
        elif value is not None:
            out += bytes((number,)) + len(value).to_bytes(2) + bytes((instance,)) + value
        at = end
    return out[:2] + (len(out) - 4).to_bytes(2) + out[4:]


OCTETS = gtpv2.encode(create())
#: what is wrong, its cause and the element that is told
WRONG: dict[str, tuple[bytes, Cause, IeType | None]] = {
    "no APN": (without(OCTETS, 71), Cause.MANDATORY_IE_MISSING, IeType(71)),
    "no bearer": (without(OCTETS, 93), Cause.MANDATORY_IE_MISSING, IeType(93)),
    "a bearer without QoS": (changed(OCTETS, 93, bytes.fromhex("4900010005")), Cause.MANDATORY_IE_MISSING, IeType(80)),
    "an APN that is none": (changed(OCTETS, 71, b"\x07meters"), Cause.MANDATORY_IE_INCORRECT, IeType(71)),
    "an unknown RAT": (changed(OCTETS, 82, b"\x63"), Cause.MANDATORY_IE_INCORRECT, IeType(82)),
    "a number with a letter": (changed(OCTETS, 76, b"\x68\xa4\x10"), Cause.MANDATORY_IE_INCORRECT, IeType(76)),
    "a short F-TEID": (changed(OCTETS, 87, b"\x8a\0\0\0"), Cause.INVALID_LENGTH, IeType(87)),
    "an F-TEID without address": (changed(OCTETS, 87, bytes(9)), Cause.MANDATORY_IE_INCORRECT, IeType(87)),
    "an empty RAT": (changed(OCTETS, 82, b""), Cause.INVALID_LENGTH, IeType(82)),
    "a message that says another length": (OCTETS + b"\0", Cause.INVALID_LENGTH, None),
    "a message that ends early": (OCTETS[:-3], Cause.INVALID_LENGTH, None),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_with_its_cause_and_element(what: str) -> None:
    octets, cause, offending = WRONG[what]
    with pytest.raises(gtpv2.GtpError) as caught:
        gtpv2.decode(octets)
    assert (caught.value.cause, caught.value.offending) == (cause, offending), caught.value.reason
    answer = gtpv2.answer_to(caught.value)
    assert answer is not None
    assert (answer.name, answer.sequence) == ("create-session-response", 0x010203)
    again = gtpv2.decode(gtpv2.encode(answer))
    assert again.get("cause") == CauseIe(cause, offending=offending)
    assert not again.accepted


def test_a_rejection_goes_to_the_tunnel_that_the_request_names() -> None:
    with pytest.raises(gtpv2.GtpError) as caught:
        gtpv2.decode(without(OCTETS, 71))
    answer = gtpv2.answer_to(caught.value)
    assert answer is not None
    assert answer.teid == MME.teid


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x48\x20\0\4", "no GTPv2 header"),
        (bytes((*OCTETS[:1], 240, *OCTETS[2:])), "unknown GTPv2 message 240"),
        (b"\x40" + OCTETS[1:], "create-session-request without a TEID"),
        (bytes.fromhex("48010009000000000000010003000100"), "echo-request with a TEID"),
    ],
)
def test_what_is_no_message_here_is_discarded(octets: bytes, reason: str) -> None:
    with pytest.raises(gtpv2.GtpError, match=reason) as caught:
        gtpv2.decode(octets)
    assert gtpv2.answer_to(caught.value) is None


def test_another_version_is_told_so() -> None:
    for octets, sequence in ((bytes.fromhex("3a1000040000000700090000"), 9), (b"\x20" + bytes(7), 0)):
        with pytest.raises(gtpv2.UnsupportedVersionError):
            gtpv2.decode(octets)
        told = gtpv2.decode(gtpv2.version_not_supported(octets))
        assert (told.name, told.sequence) == ("version-not-supported-indication", sequence)


def test_an_optional_element_that_is_wrong_is_as_if_it_were_not_there() -> None:
    octets = gtpv2.encode(create(ue_time_zone=gtpv2.UeTimeZone(8.0)))
    for value in (b"", b"\xff\0"):
        assert gtpv2.decode(changed(octets, 114, value)) == create()


def test_unknown_and_unexpected_elements_are_kept_aside() -> None:
    extra = bytes.fromhex("c8000100aa") + bytes.fromhex("4700070306") + b"meters"
    octets = OCTETS[:2] + (len(OCTETS) - 4 + len(extra)).to_bytes(2) + OCTETS[4:] + extra
    message = gtpv2.decode(octets)
    assert message == create()
    assert [(each.type, each.instance) for each in message.others] == [(200, 0), (71, 3)]
    assert gtpv2.dissect(octets).fields["unknown_ies"][0] == {"type": 200, "instance": 0, "octets": b"\xaa"}


def test_of_repeated_elements_the_first_counts() -> None:
    extra = bytes.fromhex("47000600") + b"\x05other"
    octets = OCTETS[:2] + (len(OCTETS) - 4 + len(extra)).to_bytes(2) + OCTETS[4:] + extra
    assert gtpv2.decode(octets)["apn"] == "meters"


def test_order_carries_no_meaning() -> None:
    turned = changed(OCTETS, 1, None) + OCTETS[12:24]
    turned = turned[:2] + (len(turned) - 4).to_bytes(2) + turned[4:]
    assert gtpv2.decode(turned) == create()


def test_a_response_that_rejects_may_lack_the_rest() -> None:
    refused = Message("create-session-response", {"cause": CauseIe(Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION)}, 1, 2)
    assert gtpv2.decode(gtpv2.encode(refused)) == refused
    with pytest.raises(ValueError, match="create-session-response lacks bearer_contexts_created"):
        gtpv2.encode(Message("create-session-response", {"cause": ACCEPTED}))
    octets = changed(gtpv2.encode(refused), 2, bytes((Cause.REQUEST_ACCEPTED, 0)))
    with pytest.raises(gtpv2.GtpError, match="bearer_contexts_created is missing"):
        gtpv2.decode(octets)


def test_a_cause_that_is_not_known_rejects() -> None:
    octets = gtpv2.encode(Message("delete-session-response", {"cause": CauseIe(200)}, 1, 2))
    message = gtpv2.decode(octets)
    assert (message.cause, message.accepted) == (200, False)
    assert gtpv2.dissect(octets).cause == "200"


def test_what_a_condition_demands_is_asked_for_by_name() -> None:
    message = gtpv2.decode(without(OCTETS, 1))
    with pytest.raises(gtpv2.GtpError, match="create-session-request without imsi") as caught:
        message["imsi"]
    assert (caught.value.cause, caught.value.offending) == (Cause.CONDITIONAL_IE_MISSING, IeType(1))
    assert message.incorrect("apn", "no such name").offending == IeType(71)


def test_a_response_carries_the_message_that_comes_with_it() -> None:
    ies = {"cause": ACCEPTED, "bearer_contexts_created": ({"ebi": 5, "cause": ACCEPTED},)}
    first = bytearray(gtpv2.encode(Message("create-session-response", ies, 1, 2)))
    first[0] |= 0x10
    bearer = {"ebi": 0, "bearer_tft": b"\x21\x30\xff\x02\x30\x11", "bearer_qos": BearerQos(1)}
    asked = Message("create-bearer-request", {"linked_ebi": 5, "bearer_contexts": (bearer,)}, 1, 3)
    found = gtpv2.dissect(bytes(first) + gtpv2.encode(asked))
    assert (found.name, [each.name for each in found.inner]) == ("create-session-response", ["create-bearer-request"])
    assert found.summary == "Create session response, Create bearer request"


def test_what_cannot_be_is_not_sent() -> None:
    for wrong, reason in (
        ({"imsi": "12345"}, "6 to 15 digits"),
        ({"apn": "me ters"}, "no APN"),
        ({"color": "red"}, "no element color"),
        ({"sender_f_teid": FTeid(InterfaceType.S11_MME_GTP_C, 1)}, "without an address"),
        ({"apn": None}, "lacks apn"),
    ):
        with pytest.raises(ValueError, match=reason):
            gtpv2.encode(create(**wrong))


def test_shown_as_in_the_field() -> None:
    found = gtpv2.dissect(OCTETS)
    assert found.summary == "Create session request (IMSI 001010000000001, APN meters)"
    assert found.fields["sender_f_teid"] == {
        "interface": InterfaceType.S11_MME_GTP_C,
        "teid": 0x11,
        "ipv4": "192.0.2.1",
    }
    assert found.fields["user_location_information"] == {"tai": "001-01-0007", "ecgi": "001-01-0000101"}
    assert found.fields["indication_flags"] == ["DAF", "CRSI"]
    refused = CauseIe(Cause.MANDATORY_IE_MISSING, remote=True, offending=IeType(71))
    shown = gtpv2.dissect(gtpv2.encode(Message("create-session-response", {"cause": refused}, 1, 2)))
    assert shown.summary == "Create session response (cause 70 MANDATORY_IE_MISSING)"
    assert shown.cause == "70 MANDATORY_IE_MISSING"
    assert shown.fields["cause"] is Cause.MANDATORY_IE_MISSING
    assert (shown.fields["cause_source"], shown.fields["offending_ie"]) == (True, {"type": 71, "instance": 0})


@pytest.mark.parametrize("name", gtpv2.SPECS)
def test_what_is_shown_is_what_is_told_of(name: str) -> None:
    """Each field that a message shows is declared, and may be what it is."""
    info = Gtpv2().info(name)
    assert info is not None
    told = {each.name: each for each in (*info.fields, *info.others)}
    seeds = [line.split() for line in (FOLDER / "gtpv2/seeds.txt").read_text().splitlines()]
    octets = [bytes.fromhex(each) for each, what in seeds if what == name]
    for each in octets:
        fields = gtpv2.dissect(each).fields
        assert fields.keys() <= told.keys()
        for field, value in fields.items():
            if not isinstance(value, (dict, list)):
                shown = value.hex() if isinstance(value, bytes) else str(getattr(value, "name", value))
                may_be = told[field].may_be
                assert may_be.given or may_be.kinds or may_be.may_be(shown), (field, value)
        assert {each.name for each in info.fields if each.required} <= fields.keys()
