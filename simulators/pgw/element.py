"""The PGW as an element: S5 for control and packets, SGi, and its management."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from simulators.pgw.answers import SessionsEnded, SessionTold
from simulators.pgw.config import PgwArea, PgwConfig, PgwData
from simulators.pgw.controls import ALL
from simulators.pgw.events import EVENTS
from simulators.pgw.flow_records import EndReason, close_flow, stop_watching
from simulators.pgw.parts.areas import Areas
from simulators.pgw.parts.bearers import Bearers
from simulators.pgw.parts.lists import Lists
from simwarden.errors import ManagementError
from simwarden.model.values import APN, CELL, IMSI, NUMBER, TAI, USER_ADDRESS, one_of
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Call, route
from simwarden.runtime.declare import Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.pgw.core import Core
    from simwarden.operations.approval import Audit

#: seconds until a way out that was lost is tried again: at first, and at most, doubled each time
_RETRY, _LONGEST_RETRY = 5.0, 600.0


class Pgw(Element[PgwConfig]):
    """The PDN gateway."""

    declaration = Declaration(
        kind="pgw",
        title="PDN gateway",
        lane=78,
        config=PgwConfig,
        starts_after=("internet", "pcrf", "ocs"),
        listens=("S5-C", "S5-U"),
        calls=("S5-C", "S5-U", "SGi", "Gx", "Gy"),
        observables=(
            Observable(
                "session",
                "a PDN connection, by IMSI and default bearer",
                fields={
                    "imsi": IMSI.or_none(),
                    "apn": APN,
                    "ebi": NUMBER,
                    "pdn_type": one_of("IPV4", "IPV6", "IPV4V6"),
                    "ipv4": USER_ADDRESS.or_none(),
                    "ipv6": USER_ADDRESS.or_none(),
                    "tai": TAI.or_none(),
                    "cell": CELL.or_none(),
                    "state": one_of("open", "closed"),
                    "charging": one_of("active", "paused"),
                },
                passing=("tai", "cell", "ipv4", "ipv6", "state", "charging"),
                serving="apn",
            ),
        ),
        card={"area": PgwArea, "data": PgwData},
        controls=(*ALL, ROLES),
        events=EVENTS,
        records=("pGWRecord", "flow"),
    )
    parts = (Areas, Bearers, Lists)
    core: Core

    async def start(self) -> None:
        """Listen on S5, and connect to SGi."""
        from simulators.pgw import dispatch  # noqa: PLC0415 - checking files needs no codec
        from simulators.pgw.core import Core  # noqa: PLC0415
        from simulators.pgw.store import METADATA, AreaStore, ListStore, RelationStore  # noqa: PLC0415

        engine = self.site.open_store(METADATA)
        self.core = Core(self.site, self.config, AreaStore(engine), ListStore(engine), RelationStore(engine))
        dispatch.open_paths(self.core)
        self.fit(self.core)
        await dispatch.connect(self.core)
        if not self.config.internet:
            return
        try:
            await self._connect()
        except ConnectionError as error:
            self.site.note(f"there is no way out: {error}")

    async def _connect(self) -> None:
        link = await self.site.connect("SGi", self.config.internet)
        self.core.gateway.connect(link, lambda: self.site.spawn(self._connect_again(), "SGi"))

    async def _connect_again(self) -> None:
        """Have a way out again that was lost; it is tried for as long as it takes."""
        delay = _RETRY
        while True:
            await self.site.clock.sleep(delay)
            delay = min(2 * delay, _LONGEST_RETRY)
            with contextlib.suppress(ConnectionError):
                await self._connect()
                return

    async def stop(self) -> None:
        """Record flows, and close the way out; sessions end with this node, as peers see by its restart counter."""
        for session in self.core.by_teid.values():
            while session.flows:
                close_flow(self.site, session, EndReason.SESSION)
        await self._close()

    async def _close(self) -> None:
        self.core.node.close()
        for session in self.core.by_teid.values():
            stop_watching(session)
        if self.core.diameter is not None:
            await self.core.diameter.stop()
        if self.core.gateway.sgi is not None:
            self.core.gateway.sgi.close()

    async def killed(self) -> None:
        """Lose power."""
        if self.core.diameter is not None:
            self.core.diameter.drop()
            self.core.diameter = None
        await self._close()

    def census(self) -> Mapping[str, int]:
        """Count sessions, and their bearers."""
        sessions = self.core.by_teid.values()
        return {"sessions": len(sessions), "EPS bearers": sum(1 + len(each.bearers) for each in sessions)}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell addresses as the MME has them, and tunnels as the SGW."""
        sessions = self.core.by_teid.values()
        dedicated = [(each, bearer) for each in sessions for bearer in each.bearers.values()]
        return {
            "PDN connections": [
                (each.imsi, each.ebi, each.apn, each.paa.ipv4, each.paa.ipv6, *each.ambr) for each in sessions
            ],
            "QoS": [
                *((each.imsi, each.ebi, *each.qos) for each in sessions),
                *((each.imsi, bearer.ebi, *bearer.qos) for each, bearer in dedicated),
            ],
            "Gx sessions": [(each.gx.credit.id, each.imsi, each.apn) for each in sessions if each.gx is not None],
            "S5 tunnels": [(each.sgw.teid, each.teid) for each in sessions],
            "S5-U tunnels": [
                *((each.ebi, each.sgw_user.teid, each.user_teid) for each in sessions),
                *((each.ebi, each.sgw_user.teid, each.user_teid) for _, each in dedicated if each.sgw_user is not None),
            ],
        }

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.core.audit

    # -- management

    @route("GET", "/sessions", gives=tuple[SessionTold, ...])
    async def list_sessions(self, _call: Call) -> list[dict[str, Any]]:
        """Tell all sessions."""
        return [
            {"imsi": each.imsi, "apn": each.apn, "ebi": each.ebi, "ipv4": each.paa.ipv4, "ipv6": each.paa.ipv6}
            for each in self.core.sessions.values()
        ]

    @route("DELETE", "/sessions/{imsi}", gives=SessionsEnded)
    async def end_sessions(self, call: Call) -> dict[str, int]:
        """End all sessions of a card; the device may set up others at once."""
        return await self._end(call.path["imsi"])

    @route("DELETE", "/sessions/{imsi}/{apn}", gives=SessionsEnded)
    async def end_session(self, call: Call) -> dict[str, int]:
        """End the sessions of a card by one APN; the device may set up others at once."""
        return await self._end(call.path["imsi"], call.path["apn"].lower())

    async def _end(self, imsi: str, apn: str = "") -> dict[str, int]:
        from simulators.pgw import procedures  # noqa: PLC0415 - as above

        found = [each for each in self.core.sessions.values() if each.imsi == imsi and apn in ("", each.apn)]
        if not found:
            raise ManagementError(404, f"{imsi} has no session" + (f" by {apn}" if apn else ""))
        for session in found:
            await procedures.delete_bearer(self.core, session)
        return {"ended": len(found)}
