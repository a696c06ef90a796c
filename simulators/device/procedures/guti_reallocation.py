"""GUTI reallocation (TS 24.301 5.4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.nas import Message, MessageType

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


def on_command(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Take the new GUTI, and the TAI list if one came."""
    emm.guti = message["guti"]
    emm.tai_list = list(message.get("tai_list", emm.tai_list))
    emm.send(Message(MessageType.GUTI_REALLOCATION_COMPLETE))
    emm.store_location()
