"""The interlock's applet: what it asks, what it believes, what it refuses."""

from __future__ import annotations

import pytest

from simulators.uicc.card import Card, Issue
from simwarden.model.identity import Imei, Plmn
from simwarden.wire.apdu import CommandApdu, ResponseApdu, cat, efs
from simwarden.wire.apdu.authenticate import authenticate_command
from simwarden.wire.apdu.cat import Local, ProactiveCommand, TerminalProfile, TerminalResponse
from simwarden.wire.apdu.contents import Bind, EpsNsc
from simwarden.wire.apdu.control import Control

BOUND = Imei.parse("351451208401216")
OTHER = Imei("35990000000001")
USIM = bytes.fromhex("00a4040c07a0000000871002")
CHALLENGE = authenticate_command(bytes(16), bytes(16))
REFUSED, ASKED_THE_KEYS = 0x6985, 0x6984  # a card without keys: 69 84 shows that the interlock let it pass


def interlocked(bind: Bind) -> Card:
    card = Card(Issue(Plmn("001", "01"), "8986000000000000001", "87654321"))
    card.files.put(efs.EF_BIND, bind.to_bytes())
    card.contact(Control.POWER_ON)
    return card


def send(card: Card, command: CommandApdu) -> ResponseApdu:
    return ResponseApdu.parse(card.transmit(command.to_bytes()))


def talk(card: Card, terminal: Imei, *, profile: TerminalProfile | None = None, imeisv: bool = True) -> list[int]:
    """Play an honest terminal until the card has no more to ask; return what it asked for."""
    asked = []
    response = send(card, (profile or TerminalProfile()).command())
    while response.sw >> 8 == 0x91:
        data = send(card, cat.fetch(response.sw & 0xFF)).data
        command = ProactiveCommand.parse(data)
        asked.append(command.qualifier)
        response = send(card, cat.answer(command, terminal, imeisv=imeisv).command())
    assert response.sw == 0x9000
    return asked


def authenticate(card: Card) -> int:
    card.transmit(USIM)
    return send(card, CHALLENGE).sw


BIND = Bind(BOUND.key, applet=True)


def test_in_its_own_terminal_it_serves() -> None:
    card = interlocked(BIND)
    assert talk(card, BOUND) == [Local.IMEISV]
    assert authenticate(card) == ASKED_THE_KEYS


def test_in_another_terminal_it_refuses() -> None:
    card = interlocked(BIND)
    assert talk(card, OTHER) == [Local.IMEISV]
    assert authenticate(card) == REFUSED
    card.contact(Control.RESET)
    assert talk(card, BOUND) == [Local.IMEISV]
    assert authenticate(card) == ASKED_THE_KEYS


@pytest.mark.parametrize("applet", [True, False])
def test_a_reset_takes_the_keys_of_the_terminal_before_away(applet: bool) -> None:  # noqa: FBT001
    card = interlocked(Bind(BOUND.key, applet=applet))
    card.files.put(efs.EF_EPSNSC, EpsNsc(ksi=3, kasme=bytes(32), integrity=2).to_bytes())
    card.contact(Control.POWER_ON)
    assert EpsNsc.parse(card.files.content(efs.EF_EPSNSC)).valid is not applet


def test_a_new_software_version_is_the_same_terminal() -> None:
    card = interlocked(BIND)
    talk(card, Imei(BOUND.key, "99"))
    assert authenticate(card) == ASKED_THE_KEYS


@pytest.mark.parametrize(("terminal", "expected"), [(BOUND, ASKED_THE_KEYS), (OTHER, REFUSED)])
def test_it_falls_back_to_the_imei(terminal: Imei, expected: int) -> None:
    card = interlocked(BIND)
    assert talk(card, terminal, imeisv=False) == [Local.IMEISV, Local.IMEI]
    assert authenticate(card) == expected
    card.contact(Control.RESET)
    assert talk(card, terminal, profile=TerminalProfile(imeisv=False), imeisv=False) == [Local.IMEI]
    assert authenticate(card) == expected


def test_a_terminal_that_sends_no_profile_is_refused() -> None:
    card = interlocked(BIND)
    assert authenticate(card) == REFUSED
    open_card = interlocked(BIND._replace(fail_open=True))
    assert authenticate(open_card) == ASKED_THE_KEYS
    talk(open_card, OTHER)
    assert authenticate(open_card) == REFUSED  # open towards silence, not towards another terminal


def test_a_terminal_that_cannot_tell_is_refused() -> None:
    card = interlocked(BIND)
    for _ in range(2):
        response = send(card, TerminalProfile(imei=False, imeisv=False).command())
        while response.sw >> 8 == 0x91:
            command = ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data)
            details = command.number, command.kind, command.qualifier
            response = send(card, TerminalResponse(*details, cat.Result.BEYOND_CAPABILITIES).command())
        assert authenticate(card) == REFUSED


def test_it_asks_again_after_a_reset() -> None:
    card = interlocked(BIND)
    talk(card, BOUND)
    card.contact(Control.RESET)
    assert authenticate(card) == REFUSED


def test_every_command_reminds_of_what_waits() -> None:
    card = interlocked(BIND)
    assert send(card, TerminalProfile().command()).sw == 0x910B
    assert ResponseApdu.parse(card.transmit(USIM)).sw == 0x910B
    assert send(card, cat.fetch(5)).sw == 0x6C0B
    assert send(card, cat.fetch(11)).sw == 0x9000
    assert send(card, cat.fetch(11)).sw == 0x6F00


def test_its_commands_are_numbered() -> None:
    """From 1 to FE (TS 102.223 8.6), so that an answer to the one before is told from that to this one."""
    card = interlocked(BIND)
    numbers = []
    for _ in range(0xFF):
        response = send(card, TerminalProfile().command())
        numbers.append(ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data).number)
    assert numbers == [*range(1, 0xFF), 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x81\x03\x01\x26\x08",
        bytes.fromhex("810301260802028281830100" + "e202ffff"),
        bytes.fromhex("810301260802028281830100" + "9408ffffffffffffffff"),
    ],
)
def test_nonsense_is_no_identity(answer: bytes) -> None:
    card = interlocked(BIND)
    send(card, TerminalProfile().command())
    send(card, cat.fetch(11))
    assert send(card, CommandApdu(0x80, 0x14, data=answer)).sw == 0x6A80
    assert authenticate(card) == REFUSED


def test_an_answer_to_another_question_is_no_answer() -> None:
    card = interlocked(BIND)
    send(card, TerminalProfile().command())
    send(card, cat.fetch(11))
    lie = TerminalResponse(77, cat.CommandType.PROVIDE_LOCAL_INFORMATION, Local.IMEISV, 0, imeisv=BOUND.imeisv)
    assert send(card, lie.command()).sw == 0x910B  # it asks for the IMEI instead
    assert authenticate(card) == REFUSED


@pytest.mark.parametrize("bind", [Bind(), Bind(BOUND.key), Bind(applet=True)])
def test_without_applet_or_binding_there_is_no_interlock(bind: Bind) -> None:
    card = interlocked(bind)
    card.judge = lambda *_: pytest.fail("no decision is due")
    assert talk(card, OTHER) == ([Local.IMEISV] if bind.applet else [])
    assert authenticate(card) == ASKED_THE_KEYS


def test_a_damaged_area_is_no_reason_to_serve() -> None:
    card = interlocked(BIND)
    card.files.put(efs.EF_BIND, b"\x03\x00" + b"\xff" * 8)
    assert authenticate(card) == REFUSED


def test_the_decision_is_the_judges() -> None:
    card = interlocked(BIND)
    heard = []

    def judge(bound: str, seen: str, fail_open: bool) -> bool:  # noqa: FBT001
        heard.append((bound, seen, fail_open))
        return False

    card.judge = judge
    talk(card, BOUND)
    assert authenticate(card) == REFUSED
    assert heard == [(BOUND.key, BOUND.imeisv, False)]


def _answers(card: Card, *, result: int, other: int = 0) -> int:
    """Answer the applet's questions with the bound IMEISV and a result; `other` is added to the number answered."""
    response = send(card, TerminalProfile().command())
    for _ in range(2):
        command = ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data)
        details = command.number + other, command.kind, command.qualifier
        response = send(card, TerminalResponse(*details, result, imeisv=BOUND.key + "01").command())
        if response.sw >> 8 != 0x91:
            break
    return authenticate(card)


@pytest.mark.parametrize("result", [0x10, cat.Result.BEYOND_CAPABILITIES, 0x20])
def test_an_identity_in_an_answer_that_failed_is_none(result: int) -> None:
    # TS 102.223 8.12: 0X is a command performed, 1X, 2X and 3X are not
    assert _answers(interlocked(BIND), result=result) == REFUSED


@pytest.mark.parametrize("result", [0x00, 0x0F])
def test_an_identity_in_an_answer_of_success_counts(result: int) -> None:
    assert _answers(interlocked(BIND), result=result) == ASKED_THE_KEYS


def test_an_identity_in_an_answer_to_another_question_is_none() -> None:
    assert _answers(interlocked(BIND), result=0, other=1) == REFUSED


def test_an_answer_without_an_identity_takes_nothing_back() -> None:
    card = interlocked(BIND)
    response = send(card, TerminalProfile().command())
    command = ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data)
    response = send(card, TerminalResponse(command.number, command.kind, command.qualifier, 0).command())
    assert response.sw >> 8 == 0x91  # nothing was said, so that it asks for the IMEI
    command = ProactiveCommand.parse(send(card, cat.fetch(response.sw & 0xFF)).data)
    assert command.qualifier == Local.IMEI
    send(card, cat.answer(command, BOUND).command())
    assert authenticate(card) == ASKED_THE_KEYS


def test_a_second_profile_begins_anew() -> None:
    card = interlocked(BIND)
    talk(card, BOUND)
    send(card, TerminalProfile().command())
    assert authenticate(card) == REFUSED


def test_a_terminal_that_claims_the_imei_only_is_asked_for_that() -> None:
    card = interlocked(BIND)
    assert talk(card, BOUND, profile=TerminalProfile(imei=True, imeisv=False), imeisv=False) == [Local.IMEI]
    card.contact(Control.RESET)
    assert talk(card, BOUND, profile=TerminalProfile(imei=False, imeisv=False)) == [Local.IMEISV]


def test_another_terminal_of_the_type_is_another_terminal() -> None:
    card = interlocked(BIND)
    talk(card, Imei(f"{int(BOUND.key) + 1:014d}"))
    assert authenticate(card) == REFUSED
