"""X2AP between eNBs (TS 36.423): set-up and handover, in the same aligned PER as S1AP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from simwarden.wire.dissection import Dissection
from simwarden.wire.s1ap.codec import Message as S1apMessage
from simwarden.wire.s1ap.codec import decode_as, encode
from simwarden.wire.s1ap.dissect import plain_fields, title_of
from simwarden.wire.x2.enums import CauseMisc, CauseProtocol, CauseRadioNetwork, CauseTransport
from simwarden.wire.x2.messages import BY_CODE, SPECS, Procedure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.s1ap.messages import Spec

_GROUPS: dict[type, str] = {
    CauseRadioNetwork: "radioNetwork",
    CauseTransport: "transport",
    CauseProtocol: "protocol",
    CauseMisc: "misc",
}


class Message(S1apMessage):
    """An X2AP message: its name (`handover-request`) and its elements by name, as in S1AP."""

    __slots__ = ()
    specs: ClassVar[Mapping[str, Spec]] = SPECS
    by_code: ClassVar[Mapping[tuple[int, int], Spec]] = BY_CODE


def decode(data: bytes) -> Message:
    """Return the message. Raises S1apError, which is a PeerError; its causes are S1AP's, named alike."""
    return decode_as(Message, data)


def dissect(data: bytes) -> Dissection:
    """Show a message by the specification's names; keys read `***`. Raises PeerError."""
    message = decode(data)
    fields = plain_fields(message, _GROUPS)
    cause = fields.get("cause", "")
    target = message.get("target_cell_id")
    about = ", ".join(part for part in (f"to cell {target}" if target else "", cause) if part)
    summary = f"{title_of(message.name)} ({about})" if about else title_of(message.name)
    return Dissection(message.name, summary, fields, cause)


__all__ = [
    "SPECS",
    "CauseMisc",
    "CauseProtocol",
    "CauseRadioNetwork",
    "CauseTransport",
    "Message",
    "Procedure",
    "decode",
    "dissect",
    "encode",
]
