"""What is in a message beside text: what a customer may not send, also where it is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire import smpp, sms

if TYPE_CHECKING:
    from simulators.sms_gateway.messages import Request

#: texts of the GSM alphabet, of Latin 1 and of UCS2 as SMPP has them, and of classes 0 and 1 as TS 23.038 4 has them
_PLAIN_CODINGS: Final = frozenset({0x00, 0x01, 0x03, 0x08, 0x10, 0x11, 0x18, 0x19, 0xF0, 0xF1})
OCTETS = 140


def beyond_text(request: Request) -> str:
    """Say what makes a message more than a text, empty where nothing does.

    What is not known to be harmless is not: a reserved data coding, an unknown element of a header, a damaged header.
    """
    try:
        header = sms.split_header(request.octets)[0] if request.udhi else ()
    except PeerError as error:
        return error.reason
    if smpp.alphabet_of(request.data_coding) is sms.Alphabet.OCTETS:  # an SMSC reads it by SMPP 3.4 5.2.19 or TS 23.038
        return "binary data"
    found = sms.beyond_text(request.protocol_id, request.data_coding, header)
    unknown = request.data_coding not in _PLAIN_CODINGS
    return found or (f"data coding {request.data_coding:#04x}" if unknown else "")


def concatenation(request: Request) -> sms.Concatenation | None:
    """Return which part of a long message it is; None for one that is whole."""
    return part_of(request.octets) if request.udhi else None


def part_of(octets: bytes) -> sms.Concatenation | None:
    """Return which part of a long message user data with a header are; None for none, or a damaged header."""
    try:
        return sms.concatenation_of(sms.split_header(octets)[0])
    except PeerError:
        return None


def fits(request: Request) -> bool:
    """Return True if user data fit one message to a card (TS 23.040 9.2.3.16); a septet has an octet in SMPP.

    Latin 1 text of SMPP goes to the card in the default alphabet, or as UCS2.
    """
    length = request.octets[0] + 1 if request.udhi and request.octets else 0
    rest, alphabet = request.octets[length:], smpp.alphabet_of(request.data_coding)
    if alphabet is None:
        text = rest.decode("latin-1")
        scheme = sms.scheme_for(text)
        rest, alphabet = sms.octets_for(text, scheme), sms.coding_of(scheme).alphabet
    room = OCTETS - length
    return len(rest) <= (room * 8 // 7 if alphabet is sms.Alphabet.GSM_7_BIT else room)
