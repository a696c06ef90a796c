"""SEND SHORT MESSAGE: what a terminal makes of the card's command, and what it says of how that ended."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.procedures import short_message, toolkit
from simulators.device.procedures.short_message import Sent
from simwarden.wire.apdu.cat import (
    SMS_TPDU,
    CommandType,
    ProactiveCommand,
    Result,
    TerminalResponse,
    send_short_message,
)
from simwarden.wire.ppsms import RpCause
from simwarden.wire.sms import Address, Deliver, Submit, UserData, encode, encode_rp_address, octets_for

if TYPE_CHECKING:
    from collections.abc import Coroutine

NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
CENTRE = encode_rp_address(Address.parse("+8613800100500"))[1:]
TPDU = encode(Submit(reference=0, destination=Address("10658000"), user_data=UserData(octets_for("here", 0))))


class Terminal:
    """What the procedure uses of a terminal and of its card; `heard` is what the card was told."""

    def __init__(self, sent: Sent = Sent("accepted"), centre: str = "") -> None:  # noqa: B008 - it is a constant
        self.site, self.session, self.link = self, self, None
        self.card = SimpleNamespace(service_centre=centre)
        self.sms_reference = 6
        self.outcome = sent
        self.sent: list[tuple[list[Submit], str]] = []
        self.heard: list[TerminalResponse] = []
        self.notes: list[str] = []
        self.work: list[asyncio.Task[None]] = []

    def spawn(self, work: Coroutine[Any, Any, None], _what: str) -> None:
        self.work.append(asyncio.ensure_future(work))

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def command(self, command: Any) -> None:
        self.heard.append(TerminalResponse.parse(command.data))

    async def send_submits(self, _emm: Any, submits: list[Submit], centre: str) -> Sent:
        self.sent.append((submits, centre))
        return self.outcome

    async def serve(self, command: ProactiveCommand, patch: pytest.MonkeyPatch) -> TerminalResponse:
        patch.setattr(short_message, "send_submits", self.send_submits)
        toolkit.send_short_message(self, self, command)  # type: ignore[arg-type]
        await asyncio.gather(*self.work)
        (response,) = self.heard
        assert (response.number, response.kind) == (command.number, CommandType.SEND_SHORT_MESSAGE)
        return response


async def test_message_goes_by_the_centre_that_the_card_names(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(centre="+8613900000000")
    assert (await terminal.serve(send_short_message(3, TPDU, CENTRE), monkeypatch)).result == Result.PERFORMED
    (((submit,), centre),) = terminal.sent
    assert centre == "+8613800100500"
    assert (submit.destination.number, submit.reference) == ("10658000", 7)


async def test_without_one_it_goes_by_that_of_ef_smsp(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(centre="+8613900000000")
    await terminal.serve(send_short_message(3, TPDU), monkeypatch)
    assert terminal.sent[0][1] == "+8613900000000"
    nowhere = Terminal()
    assert (await nowhere.serve(send_short_message(3, TPDU), monkeypatch)).result == Result.VALUES_MISSING
    assert nowhere.sent == []


async def test_what_is_to_be_packed_is(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = Submit(
        reference=0, destination=Address("10658000"), data_coding_scheme=0xF4, user_data=UserData(b"Short Message")
    )
    terminal = Terminal(centre="1")
    await terminal.serve(send_short_message(1, encode(octets))._replace(qualifier=1), monkeypatch)
    (submit,) = terminal.sent[0][0]
    assert (submit.data_coding_scheme, submit.user_data.text(0)) == (0, "Short Message")
    # the octets that TS 31.124 27.22.4.10 expects of it (sequence 1.2)
    assert encode(submit).hex().endswith("0d53f45b4e0735cbf379f85c06")


@pytest.mark.parametrize(
    ("sent", "result", "more"),
    [
        (Sent("refused", RpCause.CALL_BARRED), Result.SMS_RP_ERROR, b"\x0a"),
        (Sent("refused"), Result.NETWORK_UNABLE_NOW, b"\0"),
        (Sent("no-answer"), Result.NETWORK_UNABLE_NOW, b"\0"),
        (Sent("not-registered"), Result.TERMINAL_UNABLE_NOW, b"\x04"),
        (Sent("rejected"), Result.TERMINAL_UNABLE_NOW, b"\x04"),
    ],
)
async def test_card_hears_how_it_ended(
    sent: Sent, result: Result, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = await Terminal(sent, centre="1").serve(send_short_message(1, TPDU), monkeypatch)
    assert (response.result, response.more) == (result, more)


@pytest.mark.parametrize(
    "rest",
    [
        (),
        ((SMS_TPDU, b"\x01\x00"),),
        ((SMS_TPDU, TPDU), (0x06, b"\x11")),
        (
            (
                SMS_TPDU,
                encode(
                    Submit(reference=0, destination=Address("1"), data_coding_scheme=4, user_data=UserData(b"\xff"))
                ),
            ),
        ),
    ],
    ids=["nothing", "cut", "no address", "octets that are no text"],
)
async def test_what_is_no_message_is_not_sent(
    rest: tuple[tuple[int, bytes], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(centre="1")
    command = ProactiveCommand(1, CommandType.SEND_SHORT_MESSAGE, 1, rest)
    assert (await terminal.serve(command, monkeypatch)).result == Result.DATA_NOT_UNDERSTOOD
    assert terminal.sent == []
    assert len(terminal.notes) == 1


async def test_a_message_of_the_other_direction_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(centre="1")
    deliver = encode(Deliver(originator=Address("10658000"), time_stamp=NOW))
    assert (await terminal.serve(send_short_message(1, deliver), monkeypatch)).result == Result.DATA_NOT_UNDERSTOOD
