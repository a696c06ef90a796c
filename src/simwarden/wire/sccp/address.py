"""Party addresses (Q.713 3.4, 3.5), with point codes of 14 bits."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError

_DIGITS: Final = "0123456789abcdef"
LAST_POINT_CODE: Final = 0x3FFF
#: address indicator (3.4.1): what is there, and by what is routed
_POINT_CODE, _SSN, _BY_SSN = 0x01, 0x02, 0x40
#: encoding schemes (3.4.2.3.3): BCD with an odd and an even number of digits
_ODD, _EVEN = 1, 2


class GlobalTitle(NamedTuple):
    """A global title: what is None is not in it, and by that its form (the global title indicator) is told.

    All three are indicator 4, `nature` alone 1, `translation_type` alone 2, and that with `numbering_plan` 3.
    Digits are decimal, or a to f for the codes 10 to 15.
    """

    digits: str
    nature: int | None = None
    translation_type: int | None = None
    numbering_plan: int | None = None

    @property
    def indicator(self) -> int:
        """The global title indicator. Raises ValueError for a form that there is none for."""
        there = (self.nature is not None, self.translation_type is not None, self.numbering_plan is not None)
        try:
            return _FORMS[there]
        except KeyError:
            raise ValueError(f"no global title has the form of {self}") from None


_FORMS: Final = {
    (True, False, False): 1,
    (False, True, False): 2,
    (False, True, True): 3,
    (True, True, True): 4,
}


class Address(NamedTuple):
    """A called or calling party: point code, subsystem and global title, as far as they are there.

    `route_on_ssn`: by subsystem at the point code; else the global title is translated first.
    """

    ssn: int | None = None
    point_code: int | None = None
    global_title: GlobalTitle | None = None
    route_on_ssn: bool = True

    def __str__(self) -> str:
        title = self.global_title
        parts = [] if title is None else [f"+{title.digits}" if title.nature == 4 else title.digits]
        parts += [] if self.point_code is None else [f"PC {self.point_code}"]
        parts += [] if self.ssn is None else [f"SSN {self.ssn}"]
        return " ".join(parts) or "nobody"


def encode_address(address: Address) -> bytes:
    """Return an address without its length. Raises ValueError."""
    indicator, parts = _BY_SSN if address.route_on_ssn else 0, []
    if address.point_code is not None:
        if not 0 <= address.point_code <= LAST_POINT_CODE:
            raise ValueError(f"point code {address.point_code} has more than 14 bits")
        indicator |= _POINT_CODE
        parts.append(address.point_code.to_bytes(2, "little"))
    if address.ssn is not None:
        indicator |= _SSN
        parts.append(bytes((address.ssn,)))
    if address.global_title is not None:
        indicator |= address.global_title.indicator << 2
        parts.append(_encode_title(address.global_title))
    return b"".join((bytes((indicator,)), *parts))


def _encode_title(title: GlobalTitle) -> bytes:
    odd, form = len(title.digits) % 2, title.indicator
    if odd and form == 2:
        raise ValueError("a global title by translation type alone has an even number of digits")
    head: tuple[int, ...] = ()
    if title.translation_type is not None:
        head = (title.translation_type,)
    if title.numbering_plan is not None:
        head += (title.numbering_plan << 4 | (_ODD if odd else _EVEN),)
    if title.nature is not None:
        head += (title.nature | (odd << 7 if form == 1 else 0),)
    values = [_DIGITS.index(each) for each in title.digits] + [0] * odd
    pairs = zip(values[::2], values[1::2], strict=True)
    return bytes((*head, *(low | high << 4 for low, high in pairs)))


def decode_address(data: bytes) -> Address:
    """Read an address without its length; no octets at all are an address that says nothing. Raises PeerError."""
    if not data:
        return Address()
    indicator, at = data[0], 1
    point_code = ssn = None
    if indicator & 0x80:
        raise PeerError("an address of a national form")
    if indicator & _POINT_CODE:
        point_code, at = int.from_bytes(_piece(data, at, 2), "little") & LAST_POINT_CODE, at + 2
    if indicator & _SSN:
        ssn, at = _piece(data, at, 1)[0], at + 1
    form = indicator >> 2 & 15
    title = _decode_title(form, data[at:]) if form else None
    if not form and at != len(data):
        raise PeerError(f"an address with {len(data) - at} octets behind it")
    return Address(ssn, point_code, title, bool(indicator & _BY_SSN))


def _piece(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise PeerError(f"an address that ends early: {data.hex()}")
    return data[at : at + size]


def _decode_title(form: int, data: bytes) -> GlobalTitle:
    if form > 4:
        raise PeerError(f"global title indicator {form}")
    at, odd = 0, False
    nature = translation = plan = None
    if form >= 2:
        translation, at = _piece(data, at, 1)[0], at + 1
    if form >= 3:
        octet, at = _piece(data, at, 1)[0], at + 1
        plan, scheme = octet >> 4, octet & 15
        if scheme not in (_ODD, _EVEN):
            raise PeerError(f"digits of a global title by encoding scheme {scheme}")
        odd = scheme == _ODD
    if form in (1, 4):
        octet, at = _piece(data, at, 1)[0], at + 1
        nature, odd = octet & 0x7F, bool(octet & 0x80) if form == 1 else odd
    digits = "".join(_DIGITS[half] for each in data[at:] for half in (each & 15, each >> 4))
    if odd and not digits:
        raise PeerError("an odd number of digits, and none there")
    return GlobalTitle(digits[:-1] if odd else digits, nature, translation, plan)
