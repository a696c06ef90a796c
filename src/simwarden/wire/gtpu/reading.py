"""GTP-U in the field's words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simwarden.model import values as v
from simwarden.wire.dissection import Dissection, dissect_carried
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.gtpu.codec import ExtensionType, Message, MessageType, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAMES: Final = {each.name.lower().replace("_", "-"): each for each in MessageType}
_EXTENSIONS = {int(each): each for each in ExtensionType}
_HEADER: Final = {
    "sequence_number": v.NUMBER,
    "extension_headers": v.mapping(lambda: {"type": v.members(ExtensionType) | v.NUMBER, "content": v.OCTETS}),
}
#: by message: what it has beside the header, and whether it must
_FIELDS: Final[dict[MessageType, dict[str, tuple[bool, v.Values]]]] = {
    MessageType.ECHO_RESPONSE: {"recovery": (True, v.NUMBER)},
    MessageType.ERROR_INDICATION: {"peer_teid": (True, v.NUMBER), "peer_address": (True, v.ADDRESS)},
    MessageType.SUPPORTED_EXTENSION_HEADERS_NOTIFICATION: {
        "extension_header_types": (True, v.members(ExtensionType) | v.NUMBER)
    },
}


def _fields(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {"teid": message.teid, "sequence_number": message.sequence}
    shown["extension_headers"] = [
        {"type": _EXTENSIONS.get(each.type, each.type), "content": each.content} for each in message.extensions
    ]
    shown["recovery"], shown["peer_teid"] = message.recovery, message.peer_teid
    shown["peer_address"] = message.peer_address
    shown["extension_header_types"] = [_EXTENSIONS.get(each, each) for each in message.types]
    return {name: value for name, value in shown.items() if value not in (None, "", [])}


def dissect(data: bytes, packet: Callable[[bytes], Dissection] | None = None) -> Dissection:
    """Show a message; `packet` dissects the user packet in it. Raises PeerError on a bad header."""
    message = decode(data)
    name = message.type.name.lower().replace("_", "-")
    title = {"g-pdu": "G-PDU"}.get(name, name.replace("-", " ").capitalize())
    about = [f"TEID {message.teid:#010x}"] if message.teid else []
    if message.peer_teid is not None:
        about.append(f"no tunnel {message.peer_teid:#010x} at {message.peer_address}")
    inner: tuple[Dissection, ...] = ()
    if message.payload and packet is not None:
        inner = (dissect_carried(packet, message.payload, "packet", "packet"),)
    head = f"{title} ({', '.join(about)})" if about else title
    return Dissection(name, ", ".join([head, *(each.summary for each in inner)]), _fields(message), "", inner)


class Gtpu(Reading):
    """How GTP-U is read."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, partial(known.inner, "ip") if known.inner is not None else None)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return NAMES

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        kind = NAMES.get(name)
        if kind is None:
            return None
        own = [MessageField(each, must, values) for each, (must, values) in _FIELDS.get(kind, {}).items()]
        others = tuple(MessageField(each, False, values) for each, values in _HEADER.items())
        fields = (MessageField("teid", True, v.NUMBER), *own)
        return MessageInfo(f"GTP-U message (TS 29.281 7), type {int(kind)}", fields, (), others)
