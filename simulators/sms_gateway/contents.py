"""What is in a message beside text: what a customer may not send, also where it is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire import smpp, sms
from simwarden.wire.sms.header import CONCATENATED_8, CONCATENATED_16

if TYPE_CHECKING:
    from simulators.sms_gateway.messages import Request

#: protocol identifiers of a plain message, and of one that replaces another (TS 23.040 9.2.3.9)
_PLAIN_PIDS: Final = frozenset({0x00, *range(0x41, 0x48)})
#: texts of the GSM alphabet, of Latin 1 and of UCS2 as SMPP has them, and of classes 0 and 1 as TS 23.038 4 has them
_PLAIN_CODINGS: Final = frozenset({0x00, 0x01, 0x03, 0x08, 0x10, 0x11, 0x18, 0x19, 0xF0, 0xF1})
#: elements of a header that change no more than how a text is put together and read (9.2.3.24)
_PLAIN_ELEMENTS: Final = frozenset({CONCATENATED_8, CONCATENATED_16, 0x24, 0x25})
_CLASS_2: Final = 2
UCS2_CODING, SEPTETS, OCTETS = 8, 160, 140


def beyond_text(request: Request) -> str:
    """Say what makes a message more than a text, empty where nothing does.

    What is not known to be harmless is not: a reserved data coding, an unknown element of a header, a damaged header.
    """
    if request.protocol_id not in _PLAIN_PIDS:
        return f"protocol identifier {request.protocol_id:#04x}"
    if coding := _coding(request.data_coding):
        return coding
    if not request.udhi:
        return ""
    try:
        header, _ = sms.split_header(request.octets)
    except PeerError as error:
        return error.reason
    if sms.ports_of(header) is not None:
        return "a message to an application port"
    odd = [each.identifier for each in header if each.identifier not in _PLAIN_ELEMENTS]
    return f"header element {odd[0]:#04x}" if odd else ""


def _coding(data_coding: int) -> str:
    """Say what is wrong with a data coding, read by SMPP 3.4 5.2.19 and by TS 23.038 4: an SMSC may do either."""
    coding = sms.coding_of(data_coding)
    if smpp.alphabet_of(data_coding) is sms.Alphabet.OCTETS or coding.alphabet is sms.Alphabet.OCTETS:
        return "binary data"
    if coding.message_class is not None and coding.message_class >= _CLASS_2:
        return f"class {coding.message_class}"
    return "" if data_coding in _PLAIN_CODINGS else f"data coding {data_coding:#04x}"


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
    """Whether it goes into one message to a card (TS 23.040 9.2.3.16); a septet has an octet in SMPP."""
    packed = smpp.alphabet_of(request.data_coding) is not sms.Alphabet.OCTETS and request.data_coding != UCS2_CODING
    if not packed:
        return len(request.octets) <= OCTETS
    if not request.udhi:
        return len(request.octets) <= SEPTETS
    header = request.octets[0] + 1 if request.octets else 0
    return len(request.octets) - header <= (OCTETS - header) * 8 // 7
