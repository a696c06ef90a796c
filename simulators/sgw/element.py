"""The SGW as an element: S11 and S5 on one socket, S1-U and S5-U on another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.sgw.config import SgwConfig
from simulators.sgw.controls import ALL
from simwarden.machine.gtp_path import PathSettings
from simwarden.model.values import ADDRESS, APN, IMSI, NAME, NUMBER, one_of
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.sgw.core import Core
    from simwarden.runtime.gtp import Peer


class Sgw(Element[SgwConfig]):
    """The serving gateway."""

    declaration = Declaration(
        kind="sgw",
        title="Serving gateway",
        lane=65,
        config=SgwConfig,
        standing=False,
        starts_after=("pgw",),
        listens=("S11", "S5-C", "S1-U", "S5-U"),
        calls=("S11", "S5-C", "S1-U", "S5-U"),
        observables=(
            Observable(
                "session",
                "a PDN connection, by IMSI and default bearer",
                fields={
                    "imsi": IMSI,
                    "apn": APN,
                    "ebi": NUMBER,
                    "mme": NAME | ADDRESS,
                    "pgw": NAME | ADDRESS,
                    "state": one_of("idle", "connected"),
                },
                serving="apn",
            ),
        ),
        controls=(*ALL, ROLES),
    )
    core: Core

    async def start(self) -> None:
        """Listen on all reference points."""
        from simulators.sgw.core import Core  # noqa: PLC0415 - checking files needs no codec
        from simulators.sgw.procedures import bearers, sessions  # noqa: PLC0415
        from simwarden.runtime.gtp import GtpNode  # noqa: PLC0415

        core = self.core = Core(self.site, self.config)
        handlers = {
            "create-session-request": sessions.create_session,
            "modify-bearer-request": sessions.modify_bearer,
            "delete-session-request": sessions.delete_session,
            "change-notification-request": sessions.change_notification,
            "release-access-bearers-request": bearers.release_access_bearers,
            "delete-bearer-request": bearers.delete_bearer,
            "create-indirect-data-forwarding-tunnel-request": bearers.create_indirect_forwarding,
            "delete-indirect-data-forwarding-tunnel-request": bearers.delete_indirect_forwarding,
            "downlink-data-notification-failure-indication": bearers.downlink_data_notification_failed,
        }
        settings = PathSettings(self.config.t3_response, self.config.n3_requests, self.config.echo)
        served = {name: partial(each, core) for name, each in handlers.items()}
        core.node = GtpNode(self.site, ("S11", "S5-C"), served, settings, core.sender_teid)
        core.node.on_restart = core.node.on_failure = self._lose
        core.page = partial(bearers.page, core)
        core.plane.on_error = self._lose_tunnel

    def _lose(self, peer: Peer) -> None:
        """End the sessions of a peer that has lost them, or is not there any more (TS 23.007 14, 16, 20)."""
        from simulators.sgw.procedures import bearers, sessions  # noqa: PLC0415 - as above
        from simwarden.wire.gtpv2 import Cause  # noqa: PLC0415

        for connection in self.core.of_mme(peer):
            sessions.delete_at_pgw_later(self.core, connection)
        for connection in self.core.of_pgw(peer):
            bearers.lost_at_pgw(self.core, connection, Cause.REACTIVATION_REQUESTED)

    def _lose_tunnel(self, teid: int, host: str) -> None:
        """Take a device for idle whose eNB has no tunnel for it; end what the PGW has none for (TS 23.007 22)."""
        from simulators.sgw.procedures import bearers  # noqa: PLC0415 - as above
        from simwarden.wire.gtpv2 import Cause  # noqa: PLC0415

        for connection in list(self.core.connections()):
            enb, pgw = connection.enb, connection.pgw_user
            if enb is not None and (enb.teid, enb.address) == (teid, host):
                bearers.release(self.core, connection.device)
            if pgw is not None and (pgw.teid, pgw.address) == (teid, host):
                bearers.lost_at_pgw(self.core, connection, Cause.REACTIVATION_REQUESTED)

    async def stop(self) -> None:
        """Sessions end with this node, as peers see by its restart counter."""

    def census(self) -> Mapping[str, int]:
        """Count PDN connections and tunnels."""
        return {"sessions": len(self.core.by_s5_teid), "tunnels": len(self.core.plane)}
