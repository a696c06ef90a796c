"""What is in a message beside text, which may work on the card or the terminal by itself (TS 23.040, TS 23.038)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.sms.coding import coding_of
from simwarden.wire.sms.enums import Alphabet
from simwarden.wire.sms.header import CONCATENATED_8, CONCATENATED_16, ports_of

if TYPE_CHECKING:
    from simwarden.wire.sms.header import Header

#: protocol identifiers of a plain message, and of one that replaces another (TS 23.040 9.2.3.9)
_PLAIN_PIDS: Final = frozenset({0x00, *range(0x41, 0x48)})
#: elements of a header that change no more than how a text is put together and read (9.2.3.24)
_PLAIN_ELEMENTS: Final = frozenset({CONCATENATED_8, CONCATENATED_16, 0x24, 0x25})
_CLASS_2: Final = 2


def beyond_text(protocol_identifier: int, data_coding_scheme: int, header: Header) -> str:
    """Say what makes a message more than a text, empty where nothing does.

    What is not known to be harmless is not: another TP-PID, an unknown element of a header.
    """
    if protocol_identifier not in _PLAIN_PIDS:
        return f"protocol identifier {protocol_identifier:#04x}"
    coding = coding_of(data_coding_scheme)
    if coding.alphabet is Alphabet.OCTETS:
        return "binary data"
    if coding.message_class is not None and coding.message_class >= _CLASS_2:
        return f"class {coding.message_class}"
    if ports_of(header) is not None:
        return "a message to an application port"
    odd = [each.identifier for each in header if each.identifier not in _PLAIN_ELEMENTS]
    return f"header element {odd[0]:#04x}" if odd else ""
