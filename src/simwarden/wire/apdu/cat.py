"""Card application toolkit, as far as an interlock and messages of the card need it: TS 102.223 and TS 31.111."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from simwarden.errors import PeerError
from simwarden.wire.apdu import tlv
from simwarden.wire.apdu.coding import mobile_identity, mobile_identity_digits
from simwarden.wire.apdu.command import CommandApdu, Ins

if TYPE_CHECKING:
    from simwarden.model.identity import Imei

PROACTIVE = 0xD0
_DETAILS, _DEVICES, _RESULT, _IMEI, _IMEISV = 0x01, 0x02, 0x03, 0x14, 0x62
#: a number with its type and plan, here of a service centre; a TPDU (TS 101.220 7.2)
ADDRESS, SMS_TPDU = 0x06, 0x0B
_UICC, _TERMINAL, _NETWORK = 0x81, 0x82, 0x83


class CommandType(IntEnum):
    """Type of a proactive command (TS 102.223 9.4), those that this testbed names."""

    REFRESH = 0x01
    MORE_TIME = 0x02
    POLL_INTERVAL = 0x03
    SET_UP_EVENT_LIST = 0x05
    SEND_SHORT_MESSAGE = 0x13
    DISPLAY_TEXT = 0x21
    PROVIDE_LOCAL_INFORMATION = 0x26
    TIMER_MANAGEMENT = 0x27


class Local(IntEnum):
    """What PROVIDE LOCAL INFORMATION asks for: its command qualifier (TS 102.223 8.6)."""

    LOCATION = 0x00
    IMEI = 0x01
    IMEISV = 0x08


class Result(IntEnum):
    """General result of a TERMINAL RESPONSE (TS 102.223 8.12); 0X ended well, 2X may be tried again, 3X not."""

    PERFORMED = 0x00
    PARTIAL = 0x01
    MISSING_INFORMATION = 0x02
    TERMINAL_UNABLE_NOW = 0x20
    NETWORK_UNABLE_NOW = 0x21
    BEYOND_CAPABILITIES = 0x30
    TYPE_NOT_UNDERSTOOD = 0x31
    DATA_NOT_UNDERSTOOD = 0x32
    NUMBER_NOT_KNOWN = 0x33
    SMS_RP_ERROR = 0x35
    VALUES_MISSING = 0x36


class TerminalProfile(NamedTuple):
    """What TERMINAL PROFILE claims (TS 102.223 5.2): PROVIDE LOCAL INFORMATION (bytes 4 and 18), short messages.

    The latter are those for the card (SMS-PP data download, byte 1) and of the card (SEND SHORT MESSAGE, byte 4).
    """

    imei: bool = True
    imeisv: bool = True
    short_messages: bool = False

    def to_bytes(self) -> bytes:
        """Encode 20 bytes, with profile download itself set."""
        octets = bytearray(20)
        octets[0] = 0x03 if self.short_messages else 0x01
        octets[3] = (0x40 if self.imei else 0) | (0x02 if self.short_messages else 0)
        octets[17] = 0x40 if self.imeisv else 0
        return bytes(octets)

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode; what a short profile does not mention is not supported."""
        padded = octets.ljust(18, b"\0")
        return cls(bool(padded[3] & 0x40), bool(padded[17] & 0x40), bool(padded[0] & padded[3] & 0x02))

    def command(self) -> CommandApdu:
        """Return the TERMINAL PROFILE command."""
        return CommandApdu(0x80, Ins.TERMINAL_PROFILE, data=self.to_bytes())


def fetch(size: int) -> CommandApdu:
    """FETCH the proactive command that a 91 XX announced."""
    return CommandApdu(0x80, Ins.FETCH, le=size or 256)


class ProactiveCommand(NamedTuple):
    """Command details and devices of a proactive command (TS 102.223 6.6.15); other objects stay in `rest`."""

    number: int
    kind: int
    qualifier: int
    rest: tuple[tuple[int, bytes], ...] = ()
    to: int = _TERMINAL

    def to_bytes(self) -> bytes:
        """Encode the BER-TLV that FETCH returns."""
        body = tlv.comprehension(_DETAILS, bytes((self.number, self.kind, self.qualifier)))
        body += tlv.comprehension(_DEVICES, bytes((_UICC, self.to)))
        return tlv.tlv(PROACTIVE, body + b"".join(tlv.comprehension(tag, value) for tag, value in self.rest))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode. Raises PeerError."""
        found = tlv.comprehension_objects(tlv.only(octets, PROACTIVE, "proactive command"))
        number, kind, qualifier = _details(found, "proactive command")
        rest = tuple(item for item in found if item[0] not in (_DETAILS, _DEVICES))
        devices = dict(found).get(_DEVICES, b"")
        return cls(number, kind, qualifier, rest, devices[1] if len(devices) > 1 else _TERMINAL)


def provide_local_information(number: int, what: Local) -> ProactiveCommand:
    """Ask the terminal for its IMEI or IMEISV."""
    return ProactiveCommand(number, CommandType.PROVIDE_LOCAL_INFORMATION, what)


def send_short_message(number: int, tpdu: bytes, centre: bytes = b"") -> ProactiveCommand:
    """Have the terminal send a TPDU (TS 31.111 6.6.9), to the service centre whose address this is or EF.SMSP's."""
    rest = ((ADDRESS, centre),) if centre else ()
    return ProactiveCommand(number, CommandType.SEND_SHORT_MESSAGE, 0, (*rest, (SMS_TPDU, tpdu)), _NETWORK)


class TerminalResponse(NamedTuple):
    """Answer to a proactive command (TS 102.223 6.8): its details again, the result, and the identity asked for.

    `more` is the additional information on the result (8.12): of an RP-ERROR its cause (TS 31.111 8.12).
    """

    number: int
    kind: int
    qualifier: int
    result: int
    imei: str = ""
    imeisv: str = ""
    more: bytes = b""

    def to_bytes(self) -> bytes:
        """Encode the data of TERMINAL RESPONSE."""
        body = tlv.comprehension(_DETAILS, bytes((self.number, self.kind, self.qualifier)))
        body += tlv.comprehension(_DEVICES, bytes((_TERMINAL, _UICC)), required=False)
        body += tlv.comprehension(_RESULT, bytes((self.result,)) + self.more, required=False)
        if self.imei:
            body += tlv.comprehension(_IMEI, mobile_identity(2, self.imei))
        if self.imeisv:
            body += tlv.comprehension(_IMEISV, mobile_identity(3, self.imeisv))
        return body

    def command(self) -> CommandApdu:
        """Return the TERMINAL RESPONSE command."""
        return CommandApdu(0x80, Ins.TERMINAL_RESPONSE, data=self.to_bytes())

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode; unknown objects are ignored. Raises PeerError."""
        objects = tlv.comprehension_objects(octets)
        details = _details(objects, "TERMINAL RESPONSE")
        found = dict(objects)
        if not found.get(_RESULT):
            raise PeerError("TERMINAL RESPONSE without a result")
        imei = mobile_identity_digits(found[_IMEI], 2, "IMEI") if _IMEI in found else ""
        imeisv = mobile_identity_digits(found[_IMEISV], 3, "IMEISV") if _IMEISV in found else ""
        if len(imei) not in (0, 15) or len(imeisv) not in (0, 16):
            raise PeerError("an IMEI has 15 digits, an IMEISV 16")
        return cls(*details, found[_RESULT][0], imei, imeisv, found[_RESULT][1:])

    @property
    def identity(self) -> str:
        """The digits that the terminal gave, empty when it gave none."""
        return self.imeisv or self.imei


def _details(objects: list[tuple[int, bytes]], what: str) -> tuple[int, int, int]:
    details = dict(objects).get(_DETAILS, b"")
    if len(details) != 3:
        raise PeerError(f"{what}: command details have {len(details)} bytes, want 3")
    return details[0], details[1], details[2]


def answer(command: ProactiveCommand, imei: Imei, *, imeisv: bool = True) -> TerminalResponse:
    """Return what an honest terminal answers; `imeisv` false: it can give its IMEI only (TS 102.223 6.4.15)."""
    details = (command.number, command.kind, command.qualifier)
    if command.kind != CommandType.PROVIDE_LOCAL_INFORMATION:
        return TerminalResponse(*details, Result.TYPE_NOT_UNDERSTOOD)
    if command.qualifier == Local.IMEI:
        # the check digit is transmitted as 0 (TS 23.003 6.2.1)
        return TerminalResponse(*details, Result.PERFORMED, imei=imei.key + "0")
    if command.qualifier == Local.IMEISV and imeisv:
        return TerminalResponse(*details, Result.PERFORMED, imeisv=imei.imeisv)
    return TerminalResponse(*details, Result.BEYOND_CAPABILITIES)
