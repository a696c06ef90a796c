"""The contacts of a card that are no APDU: power, reset and answer to reset (ISO/IEC 7816-3, TS 102.221 6.3).

A terminal that gets a card connects to it on ME-UICC, sends `insertion`, then POWER_ON; the card may close the link at
any time, which means that it was pulled out. Each message on the link is one APDU, except the insertion, the card's
answer to reset and a single byte from the terminal (no command APDU is that short). These bytes are those of the
virtual reader vpcd; other than there a power-on and a reset are answered by the ATR at once, as a real card does.
"""

from __future__ import annotations

from enum import IntEnum

from simwarden.model.form import Slot


class Control(IntEnum):
    """What the terminal does to the contacts. POWER_OFF is not answered, the others are, by the ATR."""

    POWER_OFF = 0x00
    POWER_ON = 0x01
    RESET = 0x02
    ATR = 0x04

    def message(self) -> bytes:
        """Return the message for the link."""
        return bytes((self,))


def control_of(message: bytes) -> Control | None:
    """Return which control a message of the terminal is; None for an APDU or an unknown byte (a card ignores that)."""
    return _CONTROLS.get(message[0]) if len(message) == 1 else None


_PRESENT = 0x08
_CONTROLS = {int(control): control for control in Control}


def _checked(atr: bytes) -> bytes:
    tck = 0
    for octet in atr[1:]:
        tck ^= octet
    return atr + bytes((tck,))


ATR = _checked(bytes.fromhex("3b9f96801fc78031a073be211367") + b"simward")
"""3B: direct convention. Fi/Di 512/32, T=0 with T=15 interface bytes (supply classes A to C), historical bytes
with card capabilities (selection by AID, path, FID and SFI) and card service data, as TS 102.221 6.3 asks; the
pre-issuing data (ISO/IEC 7816-4 8.1.1.2.5) say whose card it is: ours, and no product's."""


def is_atr(message: bytes) -> bool:
    """Tell an answer to reset from a response APDU: TS first, and the exclusive-or of all later bytes is 0."""
    tck = 0
    for octet in message[1:]:
        tck ^= octet
    return len(message) >= 4 and message[0] in (0x3B, 0x3F) and tck == 0


def insertion(slot: Slot) -> bytes:
    """Return the first message on a link: a card is put into this slot.

    Two bytes, so no APDU either. The card answers with the same bytes when it makes contact; when it does not fit, or
    cannot leave the terminal that it is in, the link is closed. A terminal that leaves it out has a slot for any card.
    """
    return bytes((_PRESENT, slot))


def insertion_of(message: bytes) -> Slot | None:
    """Return the slot that an insertion tells of; None for any other message."""
    if len(message) != 2 or message[0] != _PRESENT:
        return None
    return Slot(message[1]) if message[1] in set(Slot) else None
