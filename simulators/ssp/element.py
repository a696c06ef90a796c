"""The SSP as an element: M3UA to HLR, EIR and gsmSCF, SIP to other networks, and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ssp.config import SspConfig
from simulators.ssp.controls import ALL
from simulators.ssp.demands import DEMANDS
from simulators.ssp.parts.calls import Calls
from simwarden.operations.call_views import CAP_DIALOGUES, TERMINAL_CALLS, TRUNK_CALLS
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration
from simwarden.wire.dtap.family import UM
from simwarden.wire.m3ua.family import SIGTRAN
from simwarden.wire.sip.family import TRUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.ssp.core import Core
    from simwarden.runtime.link import Link


class Ssp(Element[SspConfig]):
    """Service switching point: MSC with VLR, and GMSC, with gsmSSF and gsmSRF (TS 23.078)."""

    #: a VLR is empty after a restart, of which neither HLR nor gsmSCF nor trunk is notified (TS 23.007 4.2)
    forgets = ("VLRs", CAP_DIALOGUES, TRUNK_CALLS)
    declaration = Declaration(
        kind="ssp",
        title="Service switching point (MSC/VLR, GMSC)",
        lane=50,
        config=SspConfig,
        standing=False,
        starts_after=("hss", "eir", "scp", "pstn"),
        listens=(UM, TRUNK),
        calls=(SIGTRAN, TRUNK),
        controls=ALL,
        demands=DEMANDS,
        records=("MOCallRecord", "MTCallRecord"),
        services={"voice": {"trunks": {"pstn": {"prefixes": [""]}}}},
    )
    parts = (Calls,)
    core: Core

    async def start(self) -> None:
        """Listen for terminals and calls, and associate with the signalling network."""
        from simulators.ssp.clients.mobility import MapNode  # noqa: PLC0415 - checking files needs no codec
        from simulators.ssp.clients.trunk import Trunks  # noqa: PLC0415
        from simulators.ssp.core import CAP, MSC, VLR, Core  # noqa: PLC0415
        from simulators.ssp.procedures import calls, subscriber_data  # noqa: PLC0415
        from simwarden.runtime.sigtran.nodes import make_point  # noqa: PLC0415
        from simwarden.wire.cap import CAP_USER  # noqa: PLC0415

        core = self.core = Core(self.site, self.config)
        self.fit(core)
        signalling = self.config.signalling
        core.point = make_point(
            self.site, signalling, {each.number: each for each in (signalling.hlr, *signalling.scfs)}
        )
        core.cap = core.point.user(CAP, CAP_USER, core.take_cap)
        core.vlr = MapNode(core.point, VLR, subscriber_data.handlers(core))
        core.msc = MapNode(core.point, MSC)
        core.trunks = Trunks(core, lambda leg, setup: calls.arrive(core, leg, setup))
        await core.point.start()
        await self.site.listen(UM, self._accept)
        self.site.note("no cell and no authentication between terminals and this MSC: a link stands for the radio")

    def _accept(self, link: Link) -> None:
        from simulators.ssp import dispatch  # noqa: PLC0415 - as above

        dispatch.accept(self.core, link)

    def census(self) -> Mapping[str, int]:
        """Count halves of calls, dialogues about them, and roaming numbers that wait."""
        core = self.core
        return {"half_calls": len(core.calls), "dialogues": len(core.cap.tc), "roaming_numbers": len(core.roaming)}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Return the subscribers of the VLR, and the other ends of calls: terminals, gsmSCFs and trunks."""
        from simulators.ssp.clients.call_control import terminals_of  # noqa: PLC0415 - as above

        core, trunks = self.core, {f"{TRUNK_CALLS}{name}" for name in self.config.trunks}
        peers = core.trunks.peers()
        return {
            "VLRs": [(imsi, self.config.signalling.number) for imsi in core.subscribers],
            TERMINAL_CALLS: [(name,) for name in terminals_of(core.calls.values())],
            CAP_DIALOGUES: [(scf.imsi,) for scf in core.scfs.values()],
            **{name: [(peer,) for peer in peers if name == f"{TRUNK_CALLS}{peer}"] for name in trunks},
        }

    async def stop(self) -> None:
        """Go down: calls end with it, and all who are in them are told."""
        from simulators.ssp.call import LOCATION  # noqa: PLC0415 - as above
        from simwarden.wire.q850 import Cause, CauseValue  # noqa: PLC0415

        for half in list(self.core.calls.values()):
            half.end(Cause(CauseValue.TEMPORARY_FAILURE, LOCATION))
        self._end()
        self.core.point.stop()

    async def killed(self) -> None:
        """Lose power."""
        self._end()
        self.core.point.stop(kill=True)

    def _end(self) -> None:
        self.core.trunks.stop()
        for terminal in list(self.core.terminals.values()):
            terminal.link.close("the MSC is gone")
        for _, timer in self.core.roaming.values():
            timer.cancel()
