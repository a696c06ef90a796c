"""Short messages: what the terminal's user sends, and what has come."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from simulators.device.procedures import short_message
from simulators.device.verbs import ENDED, DevicePart, OfDevice, OneDevice
from simwarden.errors import ManagementError, PeerError
from simwarden.model.values import GIVEN, NUMBER, OCTETS, PARTY, TIME, members, one_of
from simwarden.runtime.declare import AS_HEXADECIMAL, HISTORY, Observable, Seconds, verb
from simwarden.wire.ppsms import CpCause, RpCause
from simwarden.wire.sms import Address, FailureCause, Status, encode_rp_address
from simwarden.wire.sms.address import encode_address

_MESSAGE = {
    "originator": PARTY | GIVEN,
    "text": GIVEN,
    "octets": OCTETS.or_none(),
    "time": TIME,
    "protocol_identifier": NUMBER,
    "message_class": NUMBER.or_none(),
}


def _check_destination(value: str) -> str:
    encode_address(Address.parse(value))
    return value


def _check_centre(value: str) -> str:
    if value and not value.removeprefix("+").isdecimal():
        raise ValueError(f"the address of a service centre is a number, not {value!r}")
    encode_rp_address(Address.parse(value) if value else None)
    return value


class SendSms(OfDevice):
    """Send a short message."""

    to: Annotated[str, Field(min_length=1, max_length=20), AfterValidator(_check_destination)]
    """The number or code that it is for."""
    ton: Annotated[int, Field(ge=-1, le=7)] = -1
    """The type of number of `to` (TS 23.040 9.1.2.5); -1: as it is written."""
    npi: Annotated[int, Field(ge=-1, le=15)] = -1
    """The numbering plan of `to` (TS 23.040 9.1.2.5); -1: ISDN, of a text unknown."""
    text: Annotated[str, Field(max_length=10_000)] = ""
    """What it says; a long text goes in parts. Empty without `octets`: `alarm`."""
    octets: Annotated[str, Field(max_length=20_000), AS_HEXADECIMAL] = ""
    """User data in hexadecimal digits instead of a text."""
    header: Annotated[str, Field(max_length=280), AS_HEXADECIMAL] = ""
    """The user data header of each part in hexadecimal digits, with its length (TS 23.040 9.2.3.24)."""
    data_coding: Annotated[int, Field(ge=-1, le=255)] = -1
    """TP-DCS; -1: as the text needs, of octets 8 bit data."""
    reply_path: bool = False
    """TP-RP: the answer may go through the same centre."""
    validity: Seconds = 0.0
    """TP-VP, relative: how long the centre keeps it; 0: not said."""
    service_centre: Annotated[str, AfterValidator(_check_centre)] = ""
    """The centre that it is sent to, of a terminal that has another set than the card has (EF.SMSP)."""
    protocol_identifier: Annotated[int, Field(ge=0, le=255)] = 0
    """TP-PID."""
    status_report: bool = False
    """Whether the centre is to say what became of it."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.text and self.octets:
            raise ValueError("a message has a text or octets, not both")
        try:
            short_message.user_data_of(self.outgoing)
        except PeerError as error:
            raise ValueError(f"header: {error.reason}") from error
        encode_address(self.outgoing.destination)
        return self

    @property
    def outgoing(self) -> short_message.Outgoing:
        """The message."""
        address = Address.parse(self.to)
        ton, npi = (own if own >= 0 else read for own, read in ((self.ton, address.ton), (self.npi, address.npi)))
        return short_message.Outgoing(
            destination=Address(address.number, ton, npi),
            text=self.text or ("" if self.octets else "alarm"),
            octets=bytes.fromhex(self.octets),
            header=bytes.fromhex(self.header),
            data_coding=self.data_coding,
            protocol_identifier=self.protocol_identifier,
            status_report=self.status_report,
            reply_path=self.reply_path,
            validity=self.validity,
        )


class ShortMessages(DevicePart):
    """Messages of its own, and those that have come."""

    observables = (
        Observable("sms", "a message that has come, by its number from 1", fields=_MESSAGE, passing=HISTORY, kept=True),
        Observable(
            "status_report",
            "what became of a message that it sent, by its reference",
            fields={"reference": NUMBER, "recipient": PARTY | GIVEN, "status": members(Status) | NUMBER},
            passing=HISTORY,
        ),
        Observable("send_sms", "how its last message ended", one_of("started", "refused", *ENDED), passing=HISTORY),
        Observable("rp_cause", "the RP cause of the last refusal", values=members(RpCause) | NUMBER, passing=HISTORY),
        Observable("cp_cause", "the CP cause of the last refusal", values=members(CpCause) | NUMBER, passing=HISTORY),
        Observable(
            "tp_failure_cause",
            "the service centre's own cause of the last refusal (TP-FCS)",
            values=members(FailureCause) | NUMBER,
            passing=HISTORY,
        ),
    )

    @verb("refused", *ENDED)
    async def send_sms(self, arguments: SendSms) -> str:
        """Send a message: `accepted` or `refused` by the network, `no-answer`, or what holds it back."""
        emm = self.powered
        centre = arguments.service_centre or (emm.card.service_centre if emm.card is not None else "")
        if not centre:
            raise ManagementError(
                409, f"{emm.site.name} has no service centre: neither the card nor the step names one"
            )
        return await short_message.send(emm, arguments.outgoing, centre)

    @verb("refused", *ENDED)
    async def delete_sms(self, _arguments: OneDevice) -> str:
        """Delete all messages, and tell the network if one has found no room: `accepted`, or how that ended."""
        emm = self.powered
        emm.messages.clear()
        if not emm.memory_full:
            return "accepted"
        word = await short_message.tell_room(emm)
        if word == "accepted":
            emm.memory_full = False
        return word
