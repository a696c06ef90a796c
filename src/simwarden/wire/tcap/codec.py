"""Octets to messages of TCAP and back (Q.773 chapters 3 and 4).

The envelope is cut here, since what answers damage depends on what of it can still be read: a transaction portion is
answered by a P-ABORT, a dialogue portion by an ABRT, and a component by a reject of that component alone (Q.774 3.2).
"""

from __future__ import annotations

from typing import Final

from simwarden.errors import PeerError
from simwarden.wire import ber
from simwarden.wire.tcap.components import decode_components, encode_component
from simwarden.wire.tcap.dialogue import decode_dialogue, encode_dialogue
from simwarden.wire.tcap.enums import AbortCause, MessageType
from simwarden.wire.tcap.message import Message

_OTID, _DTID, _CAUSE, _DIALOGUE, _COMPONENTS = 0x48, 0x49, 0x4A, 0x6B, 0x6C
_TYPES: Final = {int(each): each for each in MessageType}
#: which transaction ids a message has, in their order (Q.773 3.1)
_IDS: Final = {
    MessageType.BEGIN: (_OTID,),
    MessageType.CONTINUE: (_OTID, _DTID),
    MessageType.END: (_DTID,),
    MessageType.ABORT: (_DTID,),
}


class TcapError(PeerError):
    """A transaction portion that cannot be taken; `otid` is the sender's id where it can be read, to be answered."""

    def __init__(self, reason: str, cause: AbortCause, otid: bytes = b"", dtid: bytes = b"") -> None:
        super().__init__(reason, code=cause)
        self.otid, self.dtid = otid, dtid


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError for transaction ids that its type does not have."""
    ids = {_OTID: message.otid, _DTID: message.dtid}
    for tag, value in ids.items():
        if (tag in _IDS[message.type]) != (1 <= len(value) <= 4):
            raise ValueError(f"transaction ids of {message.type.name}: {message.otid.hex()}, {message.dtid.hex()}")
    out = [ber.put(tag, ids[tag]) for tag in _IDS[message.type]]
    if message.cause is not None:
        out.append(ber.put_integer(message.cause, _CAUSE))
    if message.dialogue is not None:
        out.append(ber.put(_DIALOGUE, encode_dialogue(message.dialogue)))
    if message.components:
        out.append(ber.put(_COMPONENTS, b"".join(map(encode_component, message.components))))
    return ber.put(message.type, b"".join(out))


def decode(data: bytes) -> Message:
    """Read one message. Raises TcapError with the P-Abort cause that answers what is wrong."""
    otid = dtid = b""
    try:
        whole = ber.only(data)
        parts = ber.elements(whole.value)
    except PeerError as error:
        otid, dtid = _salvage(data)
        raise TcapError(error.reason, AbortCause.BADLY_FORMATTED_TRANSACTION_PORTION, otid, dtid) from None
    for each in parts:
        if each.tag == _OTID and not otid:
            otid = each.value
        elif each.tag == _DTID and not dtid:
            dtid = each.value
    kind = _TYPES.get(whole.tag)
    if kind is None:
        raise TcapError(f"no message has tag {whole.tag:#04x}", AbortCause.UNRECOGNIZED_MESSAGE_TYPE, otid, dtid)
    return _Parts(kind, parts, otid, dtid).message()


def _salvage(data: bytes) -> tuple[bytes, bytes]:
    """Return the transaction ids of a message whose later elements are damaged (Q.774 3.3.3.1)."""
    found = {_OTID: b"", _DTID: b""}
    at = 1
    at += 1 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
    try:
        for _ in range(2):
            element = ber.take(data, at)
            if element.tag in found and 1 <= len(element.value) <= 4:
                found[element.tag] = element.value
            at += len(element.octets)
    except PeerError:
        pass
    return found[_OTID], found[_DTID]


class _Parts:
    """The elements of a message, taken in their order."""

    def __init__(self, kind: MessageType, parts: list[ber.Element], otid: bytes, dtid: bytes) -> None:
        self.kind, self.parts, self.otid, self.dtid = kind, parts, otid, dtid

    def wrong(self, reason: str, cause: AbortCause = AbortCause.INCORRECT_TRANSACTION_PORTION) -> TcapError:
        return TcapError(reason, cause, self.otid if 1 <= len(self.otid) <= 4 else b"", self.dtid)

    def take(self, tag: int) -> bytes | None:
        """Return the value of the next element if it has this tag."""
        return self.parts.pop(0).value if self.parts and self.parts[0].tag == tag else None

    def message(self) -> Message:
        ids = {}
        for tag in _IDS[self.kind]:
            value = self.take(tag)
            if value is None or not 1 <= len(value) <= 4:
                raise self.wrong(f"{self.kind.name} without its transaction ids")
            ids[tag] = value
        cause = self._cause() if self.kind is MessageType.ABORT else None
        dialogue = self.take(_DIALOGUE) if cause is None else None
        components = self.take(_COMPONENTS) if self.kind is not MessageType.ABORT else None
        if self.parts:
            raise self.wrong(f"{self.kind.name} with an element {self.parts[0].tag:#04x} that is not in its place")
        return Message(
            self.kind,
            ids.get(_OTID, b""),
            ids.get(_DTID, b""),
            decode_dialogue(dialogue) if dialogue is not None else None,
            decode_components(components) if components is not None else (),
            cause,
        )

    def _cause(self) -> int | None:
        value = self.take(_CAUSE)
        if value is None:
            return None
        if len(value) != 1:
            raise self.wrong("a P-Abort cause that is no octet")
        return value[0]
