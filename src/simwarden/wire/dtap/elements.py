"""Information elements of TS 24.008 10.5.4 as plain values; those that NAS has too are taken from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire import tbcd
from simwarden.wire.dtap.enums import CallState, MmCause, RrCause
from simwarden.wire.nas.elements import Codec
from simwarden.wire.q850 import Cause, CauseValue, decode_cause, encode_cause

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import IntEnum

#: coding standard of causes in TS 24.008: that of GSM (10.5.4.11)
CODING_GSM: Final = 3
_EXTENSION: Final = 0x80


class CallingNumber(NamedTuple):
    """A calling party BCD number (10.5.4.9): with its type, plan, and whether it may be shown and was verified."""

    digits: str
    nature: int = 0
    plan: int = 1
    presentation: int = 0
    screening: int = 0

    def __str__(self) -> str:
        return f"+{self.digits}" if self.nature == tbcd.INTERNATIONAL else self.digits


def _wrong(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Turn the error of a reader that other families have into that of an element."""

    def take(octets: bytes) -> Any:
        try:
            return read(octets)
        except PeerError as error:
            raise ValueError(error.reason) from None

    return take


def _read_calling(octets: bytes) -> CallingNumber:
    head = octets[0]
    second, at = (0, 1) if head & _EXTENSION else (octets[1], 2)
    digits = tbcd.unpack(octets[at:])
    return CallingNumber(digits, head >> 4 & 7, head & 15, second >> 5 & 3, second & 3)


def _write_calling(number: CallingNumber) -> bytes:
    head = number.nature << 4 | number.plan
    if not number.presentation and not number.screening:
        return bytes((_EXTENSION | head,)) + tbcd.pack(number.digits)
    second = _EXTENSION | number.presentation << 5 | number.screening
    return bytes((head, second)) + tbcd.pack(number.digits)


def _number_of(enum: type[IntEnum]) -> Codec:
    names = {int(each): each for each in enum}
    return Codec(lambda octets: names.get(octets[0], octets[0]), lambda value: bytes((value,)), v.members(enum))


def _read_state(octets: bytes) -> int:
    """Read a call state; two bits tell by whose coding (10.5.4.6)."""
    return _STATES.get(octets[0] & 0x3F, octets[0] & 0x3F)


_STATES: Final[dict[int, int]] = {int(each): each for each in CallState}
_NAMES: Final = {int(each): each for each in CauseValue}


def _read_cause(octets: bytes) -> Cause:
    cause = decode_cause(octets)
    return cause._replace(value=_NAMES.get(cause.value, cause.value))


CALLED_NUMBER: Final = Codec(_wrong(tbcd.decode_address), tbcd.encode_address, v.MSISDN)
CALLING_NUMBER: Final = Codec(_wrong(_read_calling), _write_calling, v.MSISDN)
CAUSE: Final = Codec(_wrong(_read_cause), encode_cause, v.members(CauseValue) | v.NUMBER)
MM_CAUSE: Final = _number_of(MmCause)
RR_CAUSE: Final = _number_of(RrCause)
CALL_STATE: Final = Codec(_read_state, lambda value: bytes((0xC0 | value,)), v.members(CallState) | v.NUMBER)
KEY: Final = Codec(lambda octets: chr(octets[0] & 0x7F), lambda value: value.encode("ascii"), v.GIVEN)
"""A keypad facility (10.5.4.17): one character of IA5."""
