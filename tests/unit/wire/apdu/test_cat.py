"""Toolkit commands, against pycrate's tags of TS 31.111 and the sequences of TS 31.124 27.22.4.15."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrate_mobile import TS31111_SAT as SAT

from simwarden.errors import PeerError
from simwarden.model.identity import Imei
from simwarden.wire.apdu import cat, dissect
from simwarden.wire.apdu.authenticate import AuthenticateResponse, authenticate_command, parse_challenge
from simwarden.wire.apdu.cat import Local, ProactiveCommand, Result, TerminalProfile, TerminalResponse
from simwarden.wire.sms import Submit, decode_rp_address
from simwarden.wire.sms import decode as decode_tpdu

TERMINAL = Imei("35145120840121", "42")


def test_provide_local_information_bytes() -> None:
    """The command of TS 31.124 27.22.4.15.4.2 (IMEI), and the same for the IMEISV."""
    assert cat.provide_local_information(1, Local.IMEI).to_bytes().hex() == "d009810301260182028182"
    assert cat.provide_local_information(1, Local.IMEISV).to_bytes().hex() == "d009810301260882028182"


def test_an_honest_terminal_answers() -> None:
    imei = cat.answer(cat.provide_local_information(1, Local.IMEI), TERMINAL)
    # digits 35145120840121 and a check digit of 0
    assert imei.to_bytes().hex() == "810301260102028281030100" + "9408" + "3a15542180042101"
    imeisv = cat.answer(cat.provide_local_information(2, Local.IMEISV), TERMINAL)
    assert imeisv.to_bytes().hex() == "810302260802028281030100" + "e209" + "3315542180042141f2"
    assert TerminalResponse.parse(imei.to_bytes()).identity == "351451208401210"
    assert TerminalResponse.parse(imeisv.to_bytes()).identity == "3514512084012142"


def _tags_by_pycrate(octets: bytes) -> list[str]:
    """Walk COMPREHENSION-TLVs with pycrate's tag and length, and name them."""
    names = []
    while octets:
        tag = SAT.COMPTag()
        tag.from_bytes(octets[:1])
        names.append(SAT.CompTag_dict[tag["Val"].get_val()])
        octets = octets[2 + octets[1] :]
    return names


def test_pycrate_names_the_same_objects() -> None:
    assert SAT.BERTag_dict[0xD0] == "Proactive UICC command"
    body = cat.provide_local_information(1, Local.IMEISV).to_bytes()[2:]
    assert _tags_by_pycrate(body) == ["Command details", "Device identity"]
    for what, name in ((Local.IMEI, "IMEI"), (Local.IMEISV, "IMEISV")):
        response = cat.answer(cat.provide_local_information(1, what), TERMINAL).to_bytes()
        assert _tags_by_pycrate(response) == ["Command details", "Device identity", "Result", name]


def test_a_terminal_without_imeisv_says_so() -> None:
    response = cat.answer(cat.provide_local_information(1, Local.IMEISV), TERMINAL, imeisv=False)
    assert TerminalResponse.parse(response.to_bytes()).result == Result.BEYOND_CAPABILITIES
    other = cat.answer(ProactiveCommand(1, cat.CommandType.DISPLAY_TEXT, 0), TERMINAL)
    assert (other.result, other.identity) == (Result.TYPE_NOT_UNDERSTOOD, "")


def test_terminal_profile() -> None:
    assert TerminalProfile().to_bytes()[3] == TerminalProfile().to_bytes()[17] == 0x40
    sends = TerminalProfile(short_messages=True)
    assert sends.to_bytes()[0] == 0x03
    assert sends.to_bytes()[3] == 0x42
    for profile in (TerminalProfile(), TerminalProfile(imei=False), TerminalProfile(imeisv=False), sends):
        assert TerminalProfile.parse(profile.to_bytes()) == profile
    assert TerminalProfile.parse(b"\xff" * 4) == (True, False, True)
    assert not TerminalProfile.parse(b"\x01\0\0\x42").short_messages  # no data download


def test_a_proactive_command_keeps_what_it_does_not_know() -> None:
    command = ProactiveCommand(1, cat.CommandType.DISPLAY_TEXT, 0x80, ((0x0D, b"\x04hello"),))
    assert ProactiveCommand.parse(command.to_bytes()) == command


@pytest.mark.parametrize(
    "octets", ["", "8103012601", "8203012601", "81020126020282810301", "81030126018301009403123456"]
)
def test_malformed_terminal_responses(octets: str) -> None:
    with pytest.raises(PeerError):
        TerminalResponse.parse(bytes.fromhex(octets))


def test_authenticate_codings() -> None:
    """TS 31.102 7.1.2.1: DB with RES, CK, IK; DC with AUTS."""
    command = authenticate_command(b"R" * 16, b"A" * 16)
    assert command.to_bytes()[:6].hex() == "008800812210"
    assert parse_challenge(command.data) == (b"R" * 16, b"A" * 16)
    success = AuthenticateResponse(b"r" * 8, b"c" * 16, b"i" * 16)
    assert success.to_bytes() == b"\xdb\x08" + b"r" * 8 + b"\x10" + b"c" * 16 + b"\x10" + b"i" * 16
    assert len(success.to_bytes()) == 0x2C
    assert AuthenticateResponse.parse(success.to_bytes()) == success
    assert AuthenticateResponse.parse(success.to_bytes() + b"\x08" + b"k" * 8) == success
    failure = AuthenticateResponse(auts=bytes(14))
    assert AuthenticateResponse.parse(failure.to_bytes()) == failure
    assert "cccc" not in repr(success)


@given(st.binary(max_size=80))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    for decode in (AuthenticateResponse.parse, parse_challenge, TerminalResponse.parse, ProactiveCommand.parse):
        for octets in (data, b"\xdb" + data, b"\xd0" + data, b"\x81\x03\x01\x26\x01\x83\x01\x00\x94" + data):
            with contextlib.suppress(PeerError):
                decode(octets)
    TerminalProfile.parse(data)


def test_toolkit_in_the_fields_words() -> None:
    response = cat.answer(cat.provide_local_information(1, Local.IMEISV), TERMINAL).command()
    assert dissect(response.to_bytes()).summary == "TERMINAL RESPONSE 3514512084012142"
    proactive = cat.provide_local_information(1, Local.IMEISV).to_bytes() + b"\x90\x00"
    found = dissect(proactive, is_response=True, command=cat.fetch(11).to_bytes())
    assert found.name == "fetch-response"
    assert found.summary.endswith("PROVIDE LOCAL INFORMATION IMEISV")


#: SEND SHORT MESSAGE 1.1.1 of TS 31.124 27.22.4.10.1.4.2: "Send SM", "Test Message" to +012345678
_SEND_SHORT_MESSAGE = bytes.fromhex(
    "d037810301130082028183850753656e6420534d86099111223344556677f88b180100099110325476f840f40c54657374204d657373616765"
)


def test_send_short_message_is_as_the_test_specification_has_it() -> None:
    command = ProactiveCommand.parse(_SEND_SHORT_MESSAGE)
    assert (command.kind, command.qualifier, command.to) == (cat.CommandType.SEND_SHORT_MESSAGE, 0, 0x83)
    assert command.to_bytes() == _SEND_SHORT_MESSAGE
    objects = dict(command.rest)
    centre, tpdu = objects[cat.ADDRESS], objects[cat.SMS_TPDU]
    assert str(decode_rp_address(centre)) == "+112233445566778"
    submit = decode_tpdu(tpdu, from_mobile=True)
    assert isinstance(submit, Submit)
    assert (str(submit.destination), submit.user_data.octets) == ("+012345678", b"Test Message")
    # ours has no text to show, and else is the same
    made = cat.send_short_message(1, tpdu, centre)
    assert made.to_bytes() == _SEND_SHORT_MESSAGE.replace(b"\x85\x07Send SM", b"").replace(b"\xd0\x37", b"\xd0\x2e")


def test_result_keeps_what_goes_with_it() -> None:
    response = TerminalResponse(1, cat.CommandType.SEND_SHORT_MESSAGE, 0, Result.SMS_RP_ERROR, more=b"\x15")
    assert response.to_bytes().endswith(bytes.fromhex("03023515"))
    assert TerminalResponse.parse(response.to_bytes()) == response
