"""Time stamps and validity of TPDUs (TS 23.040 9.2.3.11, 9.2.3.12)."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.sms.enums import ValidityFormat

_QUARTER: Final = 15 * 60
_CENTURY: Final = 2000
#: of an enhanced validity period: another octet of functionality follows, and how it is coded
_EXTENDED, _CODED = 0x80, 0x07


def encode_time(when: dt.datetime) -> bytes:
    """Return a time stamp: seven octets of swapped digits, the last the time zone in quarters of an hour."""
    offset = when.utcoffset()
    quarters = round(offset.total_seconds() / _QUARTER) if offset is not None else 0
    parts = (when.year % 100, when.month, when.day, when.hour, when.minute, when.second, abs(quarters))
    octets = [part % 10 << 4 | part // 10 for part in parts]
    return bytes((*octets[:6], octets[6] | (0x08 if quarters < 0 else 0)))


def decode_time(octets: bytes) -> dt.datetime:
    """Read a time stamp. Raises PeerError."""
    if len(octets) != 7:
        raise PeerError(f"a time stamp of {len(octets)} octets")
    parts = [(each & 15) * 10 + (each >> 4) for each in octets[:6]]
    zone = octets[6]
    quarters = (zone & 7) * 10 + (zone >> 4)
    if any(each & 15 > 9 or each >> 4 > 9 for each in octets[:6]) or zone >> 4 > 9:
        raise PeerError(f"a time stamp {octets.hex()} with digits that are none")
    try:
        offset = dt.timezone(dt.timedelta(seconds=quarters * _QUARTER * (-1 if zone & 8 else 1)))
        return dt.datetime(_CENTURY + parts[0], *parts[1:], tzinfo=offset)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise PeerError(f"a time stamp {octets.hex()}: {error}") from None


class Validity(NamedTuple):
    """A validity period as sent: its format, and one octet or seven."""

    format: ValidityFormat
    octets: bytes

    @classmethod
    def relative(cls, seconds: float) -> Validity:
        """Return the shortest relative period that lasts so long, or the longest there is (63 weeks)."""
        return cls(ValidityFormat.RELATIVE, bytes((next((v for v in range(256) if _relative(v) >= seconds), 255),)))

    @classmethod
    def absolute(cls, when: dt.datetime) -> Validity:
        """Return the period that ends at a time."""
        return cls(ValidityFormat.ABSOLUTE, encode_time(when))

    def until(self, now: dt.datetime) -> dt.datetime | None:
        """Return when it ends, counted from `now`; None where it sets no end. Raises PeerError."""
        if self.format is ValidityFormat.RELATIVE:
            return now + dt.timedelta(seconds=_relative(self.octets[0]))
        if self.format is ValidityFormat.ABSOLUTE:
            return decode_time(self.octets)
        seconds = _enhanced(self.octets)
        return None if seconds is None else now + dt.timedelta(seconds=seconds)


def _relative(value: int) -> int:
    """Return the seconds of a relative validity period (9.2.3.12.1)."""
    if value < 144:
        return (value + 1) * 5 * 60
    if value < 168:
        return 12 * 3600 + (value - 143) * 30 * 60
    return (value - 166) * 86400 if value < 197 else (value - 192) * 7 * 86400


def _enhanced(octets: bytes) -> int | None:
    """Return the seconds of an enhanced validity period (9.2.3.12.3); None where it has none. Raises PeerError."""
    first = octets[0]
    at = 2 if first & _EXTENDED else 1
    match first & _CODED:
        case 0:
            return None
        case 1:
            return _relative(octets[at])
        case 2:
            return octets[at]
        case 3:
            digits = octets[at : at + 3]
            hours, minutes, seconds = ((each & 15) * 10 + (each >> 4) for each in digits)
            return hours * 3600 + minutes * 60 + seconds
    raise PeerError(f"an enhanced validity period of form {first & _CODED}")
