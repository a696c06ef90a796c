from __future__ import annotations

import pytest

from simwarden.wire.diameter import (
    Application,
    Avps,
    DiameterError,
    ExperimentalResult,
    Message,
    RawAvp,
    ResultCode,
    answer_to,
    application_id,
    check_request,
    decode,
    encode,
    request,
)
from simwarden.wire.diameter.dictionary import AVPS, COMMANDS, GROUPS, requests

S6A = (Application.S6A,)
GOOD: Avps = [
    ("Session-Id", "m;1;1"),
    application_id(16777251),
    ("Auth-Session-State", 1),
    ("Origin-Host", "mme.example"),
    ("Origin-Realm", "example"),
    ("Destination-Realm", "example"),
    ("User-Name", "001010000000017"),
    ("RAT-Type", 1004),
    ("ULR-Flags", 34),
    ("Visited-PLMN-Id", b"\x00\xf1\x10"),
]


def ulr(avps: Avps) -> Message:
    return decode(encode(request("Update-Location-Request", avps)))


def fault(message: Message) -> DiameterError:
    with pytest.raises(DiameterError) as caught:
        check_request(message, S6A)
    return caught.value


def test_a_good_request_passes() -> None:
    check_request(ulr(GOOD), S6A)


@pytest.mark.parametrize("name", [n for n, _ in GOOD if n != "Vendor-Specific-Application-Id"])
def test_each_mandatory_avp_is_missed(name: str) -> None:
    wrong = fault(ulr([avp for avp in GOOD if avp[0] != name]))
    assert wrong.code == ResultCode.DIAMETER_MISSING_AVP
    ((failed, raw),) = wrong.failed
    assert failed == name
    assert raw.code == AVPS[name].code
    assert len(raw.data) == AVPS[name].size


def test_an_avp_once_too_often_is_5009_with_the_first_extra_one() -> None:
    wrong = fault(ulr([*GOOD, ("User-Name", "001010000000099")]))
    assert (wrong.code, wrong.failed) == (
        ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES,
        (("User-Name", "001010000000099"),),
    )


def test_groups_are_checked_too() -> None:
    twice = [("IMEI", "35000100000001"), ("IMEI", "35000100000002")]
    assert fault(ulr([*GOOD, ("Terminal-Information", twice)])).code == ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES
    lacking = [("Vendor-Id", 10415)]
    assert fault(ulr([*GOOD, ("Supported-Features", lacking)])).code == ResultCode.DIAMETER_MISSING_AVP
    strange = [("Vendor-Id", 10415), ("User-Name", "x")]
    avps = [avp for avp in GOOD if avp[0] != "Vendor-Specific-Application-Id"]
    wrong = fault(ulr([*avps, ("Vendor-Specific-Application-Id", strange)]))
    assert wrong.code == ResultCode.DIAMETER_AVP_NOT_ALLOWED


def test_a_value_outside_a_closed_enumeration_is_5004() -> None:
    avps = [("Auth-Session-State", 7) if name == "Auth-Session-State" else (name, value) for name, value in GOOD]
    assert fault(ulr(avps)).code == ResultCode.DIAMETER_INVALID_AVP_VALUE


def test_an_unknown_avp_with_the_m_bit_is_5001() -> None:
    raw = RawAvp(9999, 10415, 0xC0, b"?")
    wrong = fault(ulr([*GOOD, (raw.name, raw)]))
    assert (wrong.code, wrong.failed) == (ResultCode.DIAMETER_AVP_UNSUPPORTED, (("AVP-10415-9999", raw),))
    optional = RawAvp(9999, 10415, 0x80, b"?")
    check_request(ulr([*GOOD, (optional.name, optional)]), S6A)


@pytest.mark.parametrize(
    ("command", "application", "flags", "code"),
    [
        (316, 16777252, 0xC0, 3007),
        (999, 16777251, 0xC0, 3001),
        (324, 16777251, 0xC0, 3001),
        (316, 16777251, 0x80, 3008),
        (316, 16777251, 0xE0, 3008),
        (280, 0, 0xC0, 3008),
    ],
)
def test_headers(command: int, application: int, flags: int, code: int) -> None:
    assert fault(Message(command, application, flags, avps=list(GOOD))).code == code


def test_answers_repeat_what_they_must() -> None:
    proxy = ("Proxy-Info", [("Proxy-Host", "dra.example"), ("Proxy-State", b"s")])
    asked = ulr([*GOOD, proxy])
    asked.hop_by_hop, asked.end_to_end = 3, 4
    answer = answer_to(asked, ResultCode.DIAMETER_SUCCESS, ("hss.example", "example"), [("ULA-Flags", 1)])
    assert (answer.hop_by_hop, answer.end_to_end, answer.flags) == (3, 4, 0x40)
    assert answer.avps[0] == ("Session-Id", "m;1;1")
    assert answer.get("Auth-Session-State") == 1
    assert answer.avps[-1] == proxy
    assert answer.success


def test_experimental_and_base_results_are_different_avps() -> None:
    asked = ulr(GOOD)
    unknown = answer_to(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN, ("h", "r"))
    assert (unknown.experimental_result, unknown.result_code) == (5001, None)
    unsupported = answer_to(asked, ResultCode.DIAMETER_AVP_UNSUPPORTED, ("h", "r"))
    assert (unsupported.experimental_result, unsupported.result_code, unsupported.error) == (None, 5001, False)
    own = answer_to(asked, 5999, ("h", "r"), experimental=True)
    assert own.experimental_result == 5999
    assert not own.success


def test_protocol_errors_have_the_e_bit() -> None:
    answer = answer_to(ulr(GOOD), ResultCode.DIAMETER_COMMAND_UNSUPPORTED, ("h", "r"), reason="no")
    assert answer.error
    assert answer.get("Error-Message") == "no"


def test_every_avp_of_a_grammar_is_in_the_dictionary() -> None:
    for grammar in [*GROUPS.values(), *(c.grammar for c in COMMANDS.values())]:
        assert set(grammar.rules) <= set(AVPS), grammar.name
    assert {avp.name for avp in AVPS.values() if avp.kind == 2} == set(GROUPS)


def test_every_request_has_its_answer() -> None:
    for command in requests():
        answer = COMMANDS[command.application, command.code, False]
        assert answer.name == command.name.replace("-request", "-answer")
        assert (answer.application, answer.proxiable) == (command.application, command.proxiable)
