"""X2AP messages: their octets are made and read as those of S1AP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from simwarden.wire.s1ap.codec import Message as S1apMessage
from simwarden.wire.s1ap.codec import decode_as, encode
from simwarden.wire.x2.messages import BY_CODE, SPECS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.s1ap.messages import Spec

__all__ = ["Message", "decode", "encode"]


class Message(S1apMessage):
    """An X2AP message: its name (`handover-request`) and its elements by name, as in S1AP."""

    __slots__ = ()
    specs: ClassVar[Mapping[str, Spec]] = SPECS
    by_code: ClassVar[Mapping[tuple[int, int], Spec]] = BY_CODE


def decode(data: bytes) -> Message:
    """Return the message. Raises S1apError, which is a PeerError; its causes are S1AP's, named alike."""
    return decode_as(Message, data)
