"""The GSM 7 bit default alphabet with its extension table (TS 23.038 6.2.1), packed and not (6.1.2.1)."""

from __future__ import annotations

from typing import Final

_ESCAPE: Final = 0x1B
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_SEPTETS: Final = {
    **{each: bytes((number,)) for number, each in enumerate(_BASIC) if number != _ESCAPE},
    **{each: bytes((_ESCAPE, number)) for number, each in _EXTENDED.items()},
}


def to_septets(text: str) -> bytes:
    """Return a text in septets, an octet each. Raises ValueError for a character that the alphabet has not."""
    try:
        return b"".join([_SEPTETS[each] for each in text])
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not in the GSM 7 bit default alphabet") from None


def in_alphabet(text: str) -> bool:
    """Whether all characters of a text are in the alphabet."""
    return all(each in _SEPTETS for each in text)


def from_septets(septets: bytes) -> str:
    """Return the text of septets; an unknown pair is read without its escape, a last escape as a blank (6.2.1.1)."""
    out, escaped = [], False
    for each in septets:
        code = each & 0x7F
        if escaped:
            out.append(_EXTENDED.get(code, " " if code == _ESCAPE else _BASIC[code]))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            out.append(_BASIC[code])
    return "".join(out) + (" " if escaped else "")


def pack(septets: bytes, fill: int = 0) -> bytes:
    """Pack septets behind `fill` bits, which bring them to a septet boundary after a header."""
    bits = 0
    for each in reversed(septets):
        bits = bits << 7 | each & 0x7F
    return (bits << fill).to_bytes((len(septets) * 7 + fill + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """Return `count` septets behind `fill` bits."""
    bits = int.from_bytes(octets, "little") >> fill
    out = bytearray(count)
    for at in range(count):
        out[at] = bits & 0x7F
        bits >>= 7
    return bytes(out)
