"""What comes to a PGW from outside, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.pgw import bearer_resources, dedicated_bearers, procedures, rule_bearers
from simulators.pgw.user_plane import Gateway
from simwarden.model.identity import Plmn
from simwarden.runtime.gtp.node import GtpNode
from simwarden.trace.records import CauseForRecClosing

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simwarden.runtime.diameter import Handler
    from simwarden.runtime.gtp.node import Peer

_HANDLERS: Final = {
    "create-session-request": procedures.create_session,
    "modify-bearer-request": procedures.modify_bearer,
    "delete-session-request": procedures.delete_session,
    "change-notification-request": procedures.change_notification,
    "modify-bearer-command": procedures.modify_bearer_command,
    "delete-bearer-command": dedicated_bearers.delete_bearer_command,
    "bearer-resource-command": bearer_resources.bearer_resource_command,
}


def open_paths(core: Core) -> None:
    """Take requests of SGWs, their packets, and what tells of lost ones."""
    served = {name: partial(each, core) for name, each in _HANDLERS.items()}
    core.node = GtpNode(core.site, ("S5-C",), served, core.config.path(), core.sender_teid, listed=core.config.sgws)
    core.node.on_restart = core.node.on_failure = partial(_lose, core)
    core.gateway = Gateway(core)
    core.follow_area = partial(procedures.follow_area, core)


async def connect(core: Core) -> None:
    """Connect to the servers that APNs name; a run without any loads no codec of theirs."""
    apns = core.config.apns.values()
    rulers, granters = (dict.fromkeys(filter(None, each)) for each in ([a.gx for a in apns], [a.gy for a in apns]))
    if not rulers and not granters:
        return
    from simwarden.machine.diameter_shared import LocalNode  # noqa: PLC0415 - as said
    from simwarden.runtime.diameter.node import DiameterNode  # noqa: PLC0415

    config, clock = core.config, core.site.clock
    realm = config.realm or Plmn.parse(config.plmn).realm
    host = config.origin_host or f"{core.site.name}.{realm}"
    state = int(clock.wall().timestamp()) + core.node.counter  # greater after a restart within the same second, too
    local = LocalNode(host, realm, (core.node.address,), state_id=state)
    served = {"Gx": rulers, "Gy": granters}
    points: dict[str, dict[str, Handler]] = {point: {} for point, servers in served.items() if servers}
    node = core.diameter = DiameterNode(core.site, local, points)
    places = partial(procedures.update_bearer, core, start=True)
    if rulers:
        from simulators.pgw.clients.pcrf import Pcrf, Procedures  # noqa: PLC0415

        served_by = Procedures(partial(procedures.delete_bearer, core), partial(rule_bearers.follow, core), places)
        core.pcrf = Pcrf(core, node, realm, served_by)
    if granters:
        from simulators.pgw.clients.ocs import Ocs  # noqa: PLC0415

        core.ocs = Ocs(core, node, realm, partial(procedures.delete_bearer, core), report_places=places)
    for point, servers in served.items():
        for server in servers:
            await node.connect(point, server)


def _lose(core: Core, peer: Peer) -> None:
    """End the sessions of an SGW that has lost them, or is not there any more (TS 23.007 17, 20)."""
    for session in core.of_host(peer.host):
        core.close(session, CauseForRecClosing.ABNORMAL_RELEASE)
