"""A message of DTAP, and the codec that reads and writes it by its declaration.

What a receiver must do with faulty octets is TS 24.008 clause 8: a `PeerError` carries cause 96 or 97 where there is an
answer, and no cause where the message is ignored. Call control has a transaction identifier (TS 24.007 11.2.3.1.3).
"""

from __future__ import annotations

from typing import Any, Final

from simwarden.errors import PeerError
from simwarden.wire.dtap.enums import Discriminator, MessageType, MmCause
from simwarden.wire.dtap.messages import DECLARATIONS
from simwarden.wire.nas.message import Elements, read_elements, write_elements

_DISCRIMINATORS: Final = frozenset(map(int, Discriminator))
_TYPES: Final = {int(each): each for each in MessageType}
#: bits of the second octet that are the send sequence number, of CC and MM (TS 24.007 11.2.3.2.1)
_TYPE: Final = 0x3F
_FLAG: Final = 0x8
_EXTENDED: Final = 7


class Message(Elements):
    """A message: its type, its fields, and of call control whose transaction it is.

    `transaction` is the identifier, 0 to 6; `answering`: its flag is set, by whom has not begun the transaction.
    """

    __slots__ = ("answering", "transaction", "type")

    def __init__(self, kind: MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        super().__init__(fields)
        self.type, self.transaction, self.answering = kind, transaction, answering

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and (self.type, self.transaction, self.answering) == (other.type, other.transaction, other.answering)
            and self.fields == other.fields
        )

    __hash__ = None  # type: ignore[assignment]  # fields may be changed

    def __repr__(self) -> str:
        return f"Message({self.type.name}, {self.transaction}, {self.fields})"


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError if a field is missing, unknown or does not fit."""
    kind = message.type
    head = int(kind.discriminator)
    if kind.discriminator is Discriminator.CC:
        if not 0 <= message.transaction < _EXTENDED:
            raise ValueError(f"transaction identifier {message.transaction}")
        head |= (message.answering << 3 | message.transaction) << 4
    elements = write_elements(DECLARATIONS[kind], message.fields, len(message.fields))
    return bytes((head, kind & 0xFF)) + elements


def decode(data: bytes) -> Message:
    """Read a message. Raises PeerError, with code 96 or 97 where clause 8 has a cause for it."""
    if len(data) < 2:
        raise PeerError(f"DTAP message of {len(data)} octets is too short for its type")
    discriminator = data[0] & 0x0F
    if discriminator not in _DISCRIMINATORS:
        raise PeerError(f"protocol discriminator {discriminator}")
    number = data[1] if discriminator == Discriminator.RR else data[1] & _TYPE
    kind = _TYPES.get(discriminator << 8 | number)
    if kind is None:
        code = MmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED
        raise PeerError(f"{Discriminator(discriminator).name} message type {number:#04x} is not known", code=code)
    transaction = data[0] >> 4 if discriminator == Discriminator.CC else 0
    if transaction & _EXTENDED == _EXTENDED:
        raise PeerError("an extended transaction identifier")
    message = Message(kind, transaction & _EXTENDED, answering=bool(transaction & _FLAG))
    read_elements(message, DECLARATIONS[kind], data, 2)
    return message
