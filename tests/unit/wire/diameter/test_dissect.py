from __future__ import annotations

import pytest

from simwarden.errors import PeerError
from simwarden.wire.diameter import ExperimentalResult, Message, RawAvp, dissect, encode, request


def answer(*avps: tuple[str, object], command: int = 316) -> bytes:
    return encode(Message(command, 16777251, 0x40, avps=list(avps)))


def test_an_answer_that_refuses() -> None:
    d = dissect(answer(("Experimental-Result", [("Vendor-Id", 10415), ("Experimental-Result-Code", 5001)])))
    assert d.name == "update-location-answer"
    assert d.fields == {"experimental_result": 5001}
    assert isinstance(d.fields["experimental_result"], ExperimentalResult)
    assert d.cause == "5001 USER_UNKNOWN"
    assert d.summary == "Update location answer, experimental result 5001 USER_UNKNOWN"


def test_an_operators_own_code_is_a_number() -> None:
    d = dissect(answer(("Experimental-Result", [("Vendor-Id", 10415), ("Experimental-Result-Code", 5999)])))
    assert d.fields["experimental_result"] == 5999
    assert d.cause == "5999"


def test_result_code_and_experimental_result_do_not_mix() -> None:
    d = dissect(answer(("Result-Code", 5001)))
    assert d.fields == {"result_code": 5001}
    assert d.cause == "5001 AVP_UNSUPPORTED"
    assert dissect(answer(("Result-Code", 2001))).cause == ""


def test_fields_read_as_in_the_field() -> None:
    message = request(
        "ME-Identity-Check-Request",
        [
            ("Terminal-Information", [("IMEI", "35000100000001"), ("Software-Version", "01")]),
            ("User-Name", "001010000000017"),
            ("Visited-PLMN-Id", b"\x00\xf1\x10"),
            ("Route-Record", "a"),
            ("Route-Record", "b"),
            ("Route-Record", "c"),
            ("AVP-9", RawAvp(9999, 0, 0, b"raw")),
        ],
    )
    d = dissect(encode(message))
    assert d.summary == "ME identity check request"
    assert d.fields["terminal_information"] == {"imei": "35000100000001", "software_version": "01"}
    assert d.fields["visited_plmn_id"] == "001-01"
    assert d.fields["route_record"] == ["a", "b", "c"]
    assert d.fields["avp_9999"] == b"raw"


def test_equipment_status_is_named() -> None:
    d = dissect(encode(Message(324, 16777252, 0x40, avps=[("Result-Code", 2001), ("Equipment-Status", 1)])))
    assert d.summary == "ME identity check answer, 1 PROHIBITED"


def test_keys_are_masked() -> None:
    vector = [("RAND", bytes(16)), ("XRES", bytes(8)), ("AUTN", bytes(16)), ("KASME", b"k" * 32)]
    d = dissect(answer(("Authentication-Info", [("E-UTRAN-Vector", vector)]), command=318))
    assert d.fields["authentication_info"]["e_utran_vector"]["kasme"] == "***"
    assert "kkkk" not in repr(d)


def test_a_plmn_that_is_none_stays_octets_and_an_unknown_command_has_a_number() -> None:
    d = dissect(encode(Message(999, 0, 0x80, avps=[("Visited-PLMN-Id", b"\xaa\xbb\xcc")])))
    assert d.name == "command-999-request"
    assert d.fields == {"visited_plmn_id": b"\xaa\xbb\xcc"}


def test_bytes_that_are_no_message_are_a_peer_error() -> None:
    with pytest.raises(PeerError):
        dissect(b"\x01")
