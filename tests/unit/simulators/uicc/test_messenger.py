"""An applet that sends short messages by the terminal: when it is called, what it hands out, and what it hears."""

from __future__ import annotations

import pytest

from simulators.uicc.card import Card, Issue
from simulators.uicc.config import AppletSms
from simwarden.model.identity import Imei, Plmn
from simwarden.wire.apdu import CommandApdu, Ins, ResponseApdu, cat, efs, tlv
from simwarden.wire.apdu.cat import ProactiveCommand, TerminalProfile, TerminalResponse
from simwarden.wire.apdu.contents import Bind
from simwarden.wire.apdu.control import Control
from simwarden.wire.sms import Submit, decode, decode_rp_address

CALL = CommandApdu(0x80, Ins.ENVELOPE, 0, 0, tlv.tlv(0xD1, b"\x82\x02\x83\x81"))
IMEI = Imei.parse("351451208401216")


def called(message: AppletSms, bind: Bind | None = None) -> Card:
    card = Card(Issue(Plmn("001", "01"), "8986000000000000001", "87654321"), message=message)
    if bind is not None:
        card.files.put(efs.EF_BIND, bind.to_bytes())
    card.contact(Control.POWER_ON)
    send(card, TerminalProfile(short_messages=True).command())
    return card


def send(card: Card, command: CommandApdu) -> ResponseApdu:
    return ResponseApdu.parse(card.transmit(command.to_bytes()))


def fetched(card: Card, response: ResponseApdu) -> ProactiveCommand:
    assert response.sw >> 8 == 0x91
    return ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data)


def answered(card: Card, command: ProactiveCommand, result: int = 0) -> int:
    return send(card, TerminalResponse(*command[:3], result).command()).sw


def test_each_call_is_a_message() -> None:
    card = called(AppletSms(to="10658000", text="here", service_centre="+8613800100500"))
    for number in (1, 2):
        command = fetched(card, send(card, CALL))
        assert (command.number, command.kind) == (number, cat.CommandType.SEND_SHORT_MESSAGE)
        objects = dict(command.rest)
        assert str(decode_rp_address(objects[cat.ADDRESS])) == "+8613800100500"
        submit = decode(objects[cat.SMS_TPDU], from_mobile=True)
        assert isinstance(submit, Submit)
        assert submit.destination.number == "10658000"
        assert submit.user_data.text(submit.data_coding_scheme) == "here"
        assert answered(card, command) == 0x9000
        assert card.messenger.result is not None
        assert card.messenger.result.result == cat.Result.PERFORMED


@pytest.mark.parametrize("begin", [Control.RESET, Control.POWER_ON])
def test_a_reset_forgets_what_was_to_be_sent(begin: Control) -> None:
    card = called(AppletSms(to="10658000"))
    assert send(card, CALL).sw >> 8 == 0x91
    card.contact(begin)
    assert send(card, CommandApdu(0, Ins.SELECT, 0, 0x0C, b"\x3f\x00")).sw == 0x9000


def test_a_terminal_that_introduces_itself_anew_sends_nothing_of_before() -> None:
    card = called(AppletSms(to="10658000"))
    assert send(card, CALL).sw >> 8 == 0x91
    assert send(card, TerminalProfile(short_messages=True).command()).sw == 0x9000


@pytest.mark.parametrize("more", [0, None])
def test_a_command_is_fetched_whole_by_its_length_or_by_as_much_as_there_is(more: int | None) -> None:
    card = called(AppletSms(to="10658000"))
    size = send(card, CALL).sw & 0xFF
    assert send(card, cat.fetch(size + 1)).sw == send(card, cat.fetch(size - 1)).sw == 0x6C00 | size
    response = send(card, cat.fetch(size if more is None else more))
    assert (response.sw, len(response.data)) == (0x9000, size)


def test_while_the_terminal_is_at_work_nothing_else_is_announced() -> None:
    card = called(AppletSms(to="10658000"))
    command = fetched(card, send(card, CALL))
    assert send(card, CALL).sw == 0x9000
    assert send(card, cat.fetch(0)).sw == 0x6F00
    assert answered(card, command) >> 8 == 0x91  # now the second one is
    card.contact(Control.RESET)
    send(card, TerminalProfile().command())
    assert send(card, CommandApdu(0x80, Ins.STATUS, 0, 0x0C)).sw == 0x9000


def test_nobody_is_called_without_an_applet_or_by_anything_else() -> None:
    assert send(called(AppletSms()), CALL).sw == 0x9000
    card = called(AppletSms(to="10658000"))
    assert send(card, CommandApdu(0x80, Ins.ENVELOPE, 0, 0, tlv.tlv(0xD6, b"\x99\x01\x05"))).sw == 0x9000
    assert send(card, CommandApdu(0x80, Ins.ENVELOPE, 0, 0, b"\xd1\x05\x00")).sw == 0x6A80


def test_a_response_to_another_command_is_none() -> None:
    card = called(AppletSms(to="10658000"))
    command = fetched(card, send(card, CALL))
    assert answered(card, command._replace(number=77)) == 0x6A80
    assert card.messenger.result is None


def test_the_interlock_asks_first() -> None:
    card = called(AppletSms(to="10658000"), Bind(IMEI.key, applet=True))
    asked = fetched(card, send(card, CALL))
    assert asked.kind == cat.CommandType.PROVIDE_LOCAL_INFORMATION
    response = send(card, cat.answer(asked, IMEI).command())
    assert fetched(card, response).kind == cat.CommandType.SEND_SHORT_MESSAGE


def test_remote_management_calls_nobody() -> None:
    card = called(AppletSms(to="10658000"))
    with card.aside():
        assert send(card, CALL).sw == 0x9000
    assert card.messenger.waiting is None


def test_remote_management_leaves_the_terminal_what_it_has_verified() -> None:
    card = Card(Issue(Plmn("001", "01"), "8986000000000000001", "87654321", pin1_enabled=True))
    card.contact(Control.POWER_ON)
    imsi = CommandApdu.parse(bytes.fromhex("00b0870000"))  # which PIN1 guards
    usim, verify = bytes.fromhex("00a4040c07a0000000871002"), bytes.fromhex("0020000108" + b"1234".hex() + "ff" * 4)
    assert card.transmit(usim) == card.transmit(verify) == b"\x90\x00"
    with card.aside():
        assert send(card, imsi).sw == 0x6A82  # from the MF it is not seen
        card.transmit(usim)
        assert send(card, imsi).sw == 0x6982
    assert send(card, imsi).sw == 0x9000


@pytest.mark.parametrize(
    "wrong", [{"to": "1" * 21}, {"to": "1", "service_centre": "somewhere"}, {"to": "1", "text": "x" * 61}]
)
def test_what_no_message_can_say(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|characters"):
        AppletSms.model_validate(wrong)
