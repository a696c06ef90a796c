"""What comes to an SGW from outside, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from simulators.sgw.procedures import bearers, dedicated, sessions
from simwarden.runtime.gtp.node import GtpNode
from simwarden.wire.gtpv2 import Cause, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.sgw.core import Core
    from simwarden.runtime.gtp.node import Peer
    from simwarden.wire.gtpv2 import FTeid, Message

    Handler = Callable[[Core, Message, Peer], Awaitable[Message | None]]

S = TypeVar("S")
#: the procedures of an MME, those that it has for a known device, and those that a PGW has for a PDN connection
_OF_MME: Final = {
    "create-session-request": sessions.create_session,
    "modify-bearer-command": bearers.modify_bearer_command,
    "delete-bearer-command": dedicated.delete_bearer_command,
    "bearer-resource-command": dedicated.bearer_resource_command,
    "downlink-data-notification-failure-indication": bearers.downlink_data_notification_failed,
}
_OF_DEVICE: Final = {
    "modify-bearer-request": sessions.modify_bearer,
    "delete-session-request": sessions.delete_session,
    "change-notification-request": sessions.change_notification,
    "release-access-bearers-request": bearers.release_access_bearers,
    "create-indirect-data-forwarding-tunnel-request": bearers.create_indirect_forwarding,
    "delete-indirect-data-forwarding-tunnel-request": bearers.delete_indirect_forwarding,
}
_OF_CONNECTION: Final = {
    "create-bearer-request": dedicated.create_bearer,
    "update-bearer-request": bearers.update_bearer,
    "delete-bearer-request": bearers.delete_bearer,
}


def open_paths(core: Core) -> None:
    """Take requests of MMEs and PGWs, and what tells of lost ones."""
    served = {name: partial(_serve, core, each, core.is_mme) for name, each in _OF_MME.items()}
    served |= {
        name: partial(_serve, core, _about(core.by_teid, each), core.is_mme) for name, each in _OF_DEVICE.items()
    }
    served |= {
        name: partial(_serve, core, _about(core.by_s5_teid, each), core.is_pgw) for name, each in _OF_CONNECTION.items()
    }
    listed = (*core.config.mmes, *core.config.pgws)
    core.node = GtpNode(core.site, ("S11", "S5-C"), served, core.config.path(), core.sender_teid, listed=listed)
    core.node.on_restart = core.node.on_failure = partial(_lose, core)
    core.page = partial(bearers.page, core)
    core.pause = partial(sessions.pause_charging, core)
    core.plane.on_error = partial(_lose_tunnel, core)


async def _serve(
    core: Core,
    handler: Handler,
    is_sender: Callable[[Message, Peer], bool],
    message: Message,
    peer: Peer,
) -> Message | None:
    """Carry a procedure out for the MME or PGW that a tunnel is of."""
    if core.config.check_senders and not is_sender(message, peer):
        return core.node.refuse_sender(message, peer)
    return await handler(core, message, peer)


def _about(known: Mapping[int, S], handler: Callable[[Core, S, Message, Peer], Awaitable[Message]]) -> Handler:
    """Return the handler that carries a procedure out for what the TEID of a request names, and refuses others."""

    async def serve(core: Core, message: Message, peer: Peer) -> Message:
        subject = known.get(message.teid)
        if subject is None:
            return refusal(message, Cause.CONTEXT_NOT_FOUND)
        return await handler(core, subject, message, peer)

    return serve


def _lose(core: Core, peer: Peer) -> None:
    """End the sessions of a peer that has lost them, or is not there any more (TS 23.007 14, 16, 20)."""
    for connection in core.of_mme(peer):
        sessions.delete_at_pgw_later(core, connection)
    for connection in core.of_pgw(peer):
        bearers.lost_at_pgw(core, connection, connection)


def _lose_tunnel(core: Core, teid: int, host: str) -> None:
    """Take a device for idle whose eNB has no tunnel for it; end what the PGW has none for (TS 23.007 22)."""
    for connection in list(core.connections()):
        for bearer in connection.bearers:
            if _is_at(bearer.enb, teid, host):
                bearers.release(core, connection.device)
            if _is_at(bearer.pgw_user, teid, host):
                bearers.lost_at_pgw(core, connection, bearer)


def _is_at(end: FTeid | None, teid: int, host: str) -> bool:
    return end is not None and (end.teid, end.address) == (teid, host)
