"""Identification (TS 24.301 5.4.4): asking a device for its IMSI, IMEISV or IMEI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.clients import nas_channel
from simulators.mme.contexts import Terminal
from simwarden.model.identity import Imei
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection
    from simulators.mme.core import Core
    from simwarden.wire.nas.elements import MobileIdentity


async def ask_identity(core: Core, conn: Connection, kind: IdentityType) -> str:
    """Ask for an identity; return its digits, empty if the device has none or gives another. Raises NoAnswer."""
    request = Message(MessageType.IDENTITY_REQUEST, identity_type=int(kind))
    conn.identity_asked = kind
    answer = await nas_channel.ask(core, conn, request, "t3470", MessageType.IDENTITY_RESPONSE)
    identity: MobileIdentity = answer["mobile_identity"]
    return identity.digits if identity.type == kind else ""


async def ask_terminal(core: Core, conn: Connection) -> Terminal | None:
    """Ask for the IMEISV, and for the IMEI if there is none; None if the terminal gives neither."""
    return read_terminal(await ask_identity(core, conn, IdentityType.IMEISV)) or read_terminal(
        await ask_identity(core, conn, IdentityType.IMEI)
    )


def read_terminal(digits: str) -> Terminal | None:
    """Read the digits of an IMEISV (16) or IMEI (15, of which the last is not relied upon: TS 23.003 6.2.1)."""
    if len(digits) == 16:
        return Terminal(Imei(digits[:14], digits[14:]), sv_known=True)
    return Terminal(Imei(digits[:14]), sv_known=False) if len(digits) == 15 else None
