"""What the card has the terminal do: SEND SHORT MESSAGE (TS 102.223 6.4.10, TS 31.111 6.4.10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulators.device.clients.card import CardGoneError
from simulators.device.procedures import short_message
from simwarden.errors import PeerError
from simwarden.wire.apdu.cat import ADDRESS, SMS_TPDU, ProactiveCommand, Result, TerminalResponse
from simwarden.wire.sms import Submit, decode, decode_rp_address, encode

if TYPE_CHECKING:
    from simulators.device.clients.card import CardSession
    from simulators.device.contexts import Emm

#: the command qualifier by which the terminal packs the text into septets (TS 102.223 8.6)
_PACKING: Final = 0x01
#: "no service", beside a terminal that cannot at present (8.12.2)
_NO_SERVICE: Final = b"\x04"
#: no specific cause can be given
_NO_CAUSE: Final = b"\0"


def send_short_message(emm: Emm, session: CardSession, command: ProactiveCommand) -> None:
    """Begin to send a message of the card's; it hears by TERMINAL RESPONSE how that ended."""
    emm.site.spawn(_send(emm, session, command), "a message of the card")


async def _send(emm: Emm, session: CardSession, command: ProactiveCommand) -> None:
    result, more = await _outcome(emm, command)
    details = command.number, command.kind, command.qualifier
    try:
        await session.command(TerminalResponse(*details, result, more=more).command())
    except CardGoneError as error:
        emm.site.note(f"the card does not hear of its message: {error}")
    except PeerError as error:
        emm.site.peer_fault(session.link, error.reason)


async def _outcome(emm: Emm, command: ProactiveCommand) -> tuple[Result, bytes]:
    """Send the message; return the general result, and what goes with it."""
    try:
        submit, centre = _read(command)
    except (PeerError, ValueError) as error:
        emm.site.note(f"the card has something sent that is no message: {error}")
        return Result.DATA_NOT_UNDERSTOOD, b""
    to = centre or (emm.card.service_centre if emm.card is not None else "")
    if not to:
        return Result.VALUES_MISSING, b""
    submit = replace(submit, reference=short_message.next_reference(emm))  # the terminal's to give
    sent = await short_message.send_submits(emm, [submit], to)
    if sent.word == "accepted":
        return Result.PERFORMED, b""
    if sent.rp_cause:
        return Result.SMS_RP_ERROR, bytes((sent.rp_cause,))
    if sent.word in ("refused", "no-answer"):
        return Result.NETWORK_UNABLE_NOW, _NO_CAUSE
    return Result.TERMINAL_UNABLE_NOW, _NO_SERVICE


def _read(command: ProactiveCommand) -> tuple[Submit, str]:
    """Return the message and the service centre that the card names, if any. Raises PeerError, ValueError."""
    objects = dict(command.rest)
    tpdu = decode(objects.get(SMS_TPDU, b""), from_mobile=True)
    centre = decode_rp_address(objects.get(ADDRESS, b""))
    if not isinstance(tpdu, Submit):
        raise PeerError(f"{tpdu.name} is not for a terminal to send")
    if command.qualifier & _PACKING:  # what is to be packed has an octet a character
        if not tpdu.user_data.octets.isascii():
            raise PeerError("octets that are no characters of the default alphabet")
        tpdu = replace(tpdu, data_coding_scheme=0)
    encode(tpdu)  # it fits into one
    return tpdu, str(centre) if centre is not None else ""
