"""A message of TCAP (Q.773 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simwarden.wire.tcap.components import Component
    from simwarden.wire.tcap.dialogue import BadDialogue, Dialogue
    from simwarden.wire.tcap.enums import MessageType


class Message(NamedTuple):
    """A message: the sender's and the receiver's transaction ids, as far as its type has them (1 to 4 octets).

    An abort has the provider's cause, or a dialogue portion of the user's, or neither.
    """

    type: MessageType
    otid: bytes = b""
    dtid: bytes = b""
    dialogue: Dialogue | BadDialogue | None = None
    components: tuple[Component, ...] = ()
    cause: int | None = None
