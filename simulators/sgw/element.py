"""The SGW as an element: S11 and S5 on one socket, S1-U and S5-U on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.sgw.config import SgwConfig
from simulators.sgw.controls import ALL
from simwarden.model.values import ADDRESS, APN, IMSI, NAME, NUMBER, one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.sgw.core import Core


class Sgw(Element[SgwConfig]):
    """The serving gateway."""

    declaration = Declaration(
        kind="sgw",
        title="Serving gateway",
        lane=65,
        config=SgwConfig,
        starts_after=("pgw",),
        listens=("S11", "S5-C", "S1-U", "S5-U"),
        calls=("S11", "S5-C", "S1-U", "S5-U"),
        observables=(
            Observable(
                "session",
                "a PDN connection, by IMSI and default bearer",
                fields={
                    "imsi": IMSI.or_none(),
                    "apn": APN,
                    "ebi": NUMBER,
                    "mme": NAME | ADDRESS,
                    "pgw": NAME | ADDRESS,
                    "state": one_of("idle", "connected"),
                },
                passing=("state",),
                serving="apn",
            ),
        ),
        controls=ALL,
        records=("sGWRecord",),
    )
    core: Core

    async def start(self) -> None:
        """Listen on all reference points."""
        from simulators.sgw import dispatch  # noqa: PLC0415 - checking files needs no codec
        from simulators.sgw.core import Core  # noqa: PLC0415

        self.core = Core(self.site, self.config)
        dispatch.open_paths(self.core)

    async def stop(self) -> None:
        """Sessions end with this node, as peers see by its restart counter."""
        self.core.node.close()

    async def killed(self) -> None:
        """Lose power."""
        await self.stop()

    def census(self) -> Mapping[str, int]:
        """Count PDN connections, bearers, those of them that have a tunnel to an eNB, and tunnels."""
        connections = self.core.by_s5_teid.values()
        bearers = [bearer for each in connections for bearer in each.bearers]
        return {
            "sessions": len(connections),
            "EPS bearers": len(bearers),
            "bearers": sum(each.enb is not None for each in bearers),
            "tunnels": len(self.core.plane),
        }

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell tunnels and QoS as the MME has them, and tunnels as the PGW."""
        connections = self.core.by_s5_teid.values()
        bearers = [bearer for each in connections for bearer in each.bearers]
        return {
            "S11 tunnels": {(each.device.mme.teid, each.device.teid) for each in connections},
            "QoS": [(each.device.imsi, each.ebi, *each.qos) for each in bearers],
            "S1-U tunnels": [
                (each.ebi, *each.enb.end, each.s1_teid, self.core.plane.address)
                for each in bearers
                if each.enb is not None
            ],
            "S5 tunnels": [(each.teid, each.pgw.teid) for each in connections],
            "S5-U tunnels": [
                (each.ebi, each.s5_teid, each.pgw_user.teid) for each in bearers if each.pgw_user is not None
            ],
        }
