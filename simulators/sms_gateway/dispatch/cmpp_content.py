"""Contents of CMPP_SUBMIT and CMPP_DELIVER, and the user data that SMPP and TPDUs have for them (CMPP 2.0 7.4.3.1).

Msg_Fmt 0 is ASCII, of which the GSM 7 bit default alphabet (TS 23.038 6.2.1) has other codes and some characters more.
A text that the other side has no codes for goes as UCS2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.sms_gateway.contents import OCTETS
from simwarden.wire import smpp, sms
from simwarden.wire.cmpp import Format, Submit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.sms_gateway.messages import Message

#: data codings by Msg_Fmt of UCS2 and of binary data; write card is class 2 of 8 bit data (TS 23.038 4)
_CODINGS: Final[dict[int, int]] = {Format.WRITE_CARD: 0xF6, Format.BINARY: 4, Format.UCS2: sms.UCS2_CODING}
_TEXTS: Final[dict[int, str]] = {Format.ASCII: "ascii", Format.GB: "gb18030"}
_FORMATS: Final[dict[sms.Alphabet | None, Format]] = {
    sms.Alphabet.UCS2: Format.UCS2,
    sms.Alphabet.OCTETS: Format.BINARY,
}
#: octets of a header that says which part of a long message follows
_PART_HEADER: Final = 6


class Content(NamedTuple):
    """The content of one CMPP_DELIVER."""

    msg_fmt: Format
    tp_udhi: int
    octets: bytes


def read_content(body: Submit) -> tuple[int, bytes] | None:
    """Return data coding and user data of a CMPP_SUBMIT; None for a text that is not in its Msg_Fmt."""
    codec = _TEXTS.get(body.msg_fmt)
    if codec is None:
        return _CODINGS.get(body.msg_fmt, _CODINGS[Format.BINARY]), body.msg_content
    header, rest = _cut(body.msg_content, header=bool(body.tp_udhi))
    try:
        text = rest.decode(codec)
    except UnicodeDecodeError:
        return None
    coding = sms.scheme_for(text) if body.msg_fmt == Format.ASCII else sms.UCS2_CODING
    return coding, header + sms.octets_for(text, coding)


def write_contents(message: Message) -> Sequence[Content]:
    """Return the contents of a card's message: one, or the parts of a text that is too long for one as UCS2.

    A part of a long message keeps its number, so it stays one content: if it is too long as UCS2, `?` replaces each
    character that ASCII lacks.
    """
    form = _FORMATS.get(smpp.alphabet_of(message.data_coding))
    if form is not None:
        return (Content(form, int(message.udhi), message.octets),)
    header, rest = _cut(message.octets, header=message.udhi)
    text = smpp.message_text(rest, message.data_coding)
    ucs2 = text.encode("utf-16-be")
    if not text.isascii() and len(header) + len(ucs2) <= OCTETS:
        return (Content(Format.UCS2, int(message.udhi), header + ucs2),)
    if text.isascii() or header:
        return (Content(Format.ASCII, int(message.udhi), header + text.encode("ascii", "replace")),)
    parts = sms.parts_of(ucs2, sms.UCS2_CODING, _PART_HEADER)
    counted = (sms.Concatenation(message.id & 0xFF, len(parts), number) for number in range(1, len(parts) + 1))
    return [
        Content(Format.UCS2, 1, sms.encode_header([each.element]) + part)
        for each, part in zip(counted, parts, strict=True)
    ]


def _cut(octets: bytes, *, header: bool) -> tuple[bytes, bytes]:
    """Return the user data header with its length, and the rest; the rest is empty if the header is damaged."""
    length = octets[0] + 1 if header and octets else 0
    return octets[:length], octets[length:]
