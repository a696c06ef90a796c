"""Identification (TS 24.301 5.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.nas import IdentityType, Message, MessageType, MobileIdentity

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


def on_request(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Answer with the identity asked for; only the IMSI is asked for in clear (4.4.4.2), others came protected."""
    asked = message["identity_type"]
    if asked in (IdentityType.IMEI, IdentityType.IMEISV):
        identity = emm.terminal.identity(asked)
    elif asked == IdentityType.IMSI and emm.card is not None:
        identity = MobileIdentity(IdentityType.IMSI, emm.card.imsi)
    else:
        identity = MobileIdentity(IdentityType.NO_IDENTITY, None)
    emm.send(Message(MessageType.IDENTITY_RESPONSE, mobile_identity=identity))
