"""What comes to an SGW from outside, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.sgw.procedures import bearers, dedicated, sessions
from simwarden.runtime.gtp.node import GtpNode

if TYPE_CHECKING:
    from simulators.sgw.core import Core
    from simwarden.runtime.gtp.node import Peer
    from simwarden.wire.gtpv2 import FTeid

_HANDLERS: Final = {
    "create-session-request": sessions.create_session,
    "modify-bearer-request": sessions.modify_bearer,
    "delete-session-request": sessions.delete_session,
    "change-notification-request": sessions.change_notification,
    "release-access-bearers-request": bearers.release_access_bearers,
    "create-bearer-request": dedicated.create_bearer,
    "modify-bearer-command": bearers.modify_bearer_command,
    "delete-bearer-command": dedicated.delete_bearer_command,
    "bearer-resource-command": dedicated.bearer_resource_command,
    "update-bearer-request": bearers.update_bearer,
    "delete-bearer-request": bearers.delete_bearer,
    "create-indirect-data-forwarding-tunnel-request": bearers.create_indirect_forwarding,
    "delete-indirect-data-forwarding-tunnel-request": bearers.delete_indirect_forwarding,
    "downlink-data-notification-failure-indication": bearers.downlink_data_notification_failed,
}


def open_paths(core: Core) -> None:
    """Take requests of MMEs and PGWs, and what tells of lost ones."""
    served = {name: partial(each, core) for name, each in _HANDLERS.items()}
    listed = (*core.config.mmes, *core.config.pgws)
    core.node = GtpNode(core.site, ("S11", "S5-C"), served, core.config.path(), core.sender_teid, listed=listed)
    core.node.on_restart = core.node.on_failure = partial(_lose, core)
    core.page = partial(bearers.page, core)
    core.plane.on_error = partial(_lose_tunnel, core)


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
