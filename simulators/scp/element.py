"""The SCP as an element: CAP over M3UA for SSPs, and its management."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from simulators.scp.config import ScpConfig, ScpVoice
from simulators.scp.controls import ALL
from simulators.scp.events import EVENTS
from simulators.scp.parts.calls import Calls
from simulators.scp.parts.lists import Lists
from simulators.scp.parts.states import States
from simwarden.operations.call_views import CAP_DIALOGUES
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.scp.core import Core

#: the subsystem of CAP (TS 23.003 annex A)
_CAP: Final = 146


class Scp(Element[ScpConfig]):
    """Service control point: the gsmSCF of CAMEL (TS 23.078 3.1)."""

    declaration = Declaration(
        kind="scp",
        title="Service control point",
        lane=84,
        config=ScpConfig,
        standing=False,
        starts_after=("ocs",),
        listens=(SIGTRAN,),
        calls=(SIGTRAN, "Ro"),
        card={"voice": ScpVoice},
        controls=(*ALL, ROLES),
        events=EVENTS,
        services={"voice": {}},
    )
    #: an SSP learns of a restart of the SCP by the answer to its next message only
    forgets: ClassVar[tuple[str, ...]] = (CAP_DIALOGUES,)
    parts = (Lists, States, Calls)
    core: Core

    async def start(self) -> None:
        """Open the store, and serve SSPs."""
        from simulators.scp.core import Core  # noqa: PLC0415 - checking files needs no codec
        from simulators.scp.dispatch import take  # noqa: PLC0415
        from simulators.scp.store import METADATA, Store  # noqa: PLC0415
        from simwarden.runtime.sigtran.nodes import make_point  # noqa: PLC0415
        from simwarden.wire.cap import CAP_USER  # noqa: PLC0415

        core = self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        self.fit(core)
        core.point = make_point(self.site, self.config, self.config.ssps)
        core.user = core.point.user(_CAP, CAP_USER, lambda event: take(core, event))
        if not self.site.clock.virtual:
            CAP_USER.types()  # takes longer to load than an SSP waits for the answer about a first call
        await core.point.start()
        if self.config.ocs:
            from simulators.scp.clients.ocs import Ro  # noqa: PLC0415 - who counts by itself speaks no Diameter

            core.ocs = Ro(self.site, self.config)
            await core.ocs.connect()

    def census(self) -> Mapping[str, int]:
        """Count calls in progress: not as an SSP does, which hears of a restart here with its next message only."""
        return {"directed_calls": len(self.core.calls)}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Return the cards whose calls SSPs ask about."""
        return {CAP_DIALOGUES: [(call.card.imsi,) for call in self.core.calls.values()]}

    async def stop(self) -> None:
        """Write what was counted, and go down; calls end when their time is over."""
        self.core.batch.flush()
        self.core.point.stop()
        if self.core.ocs is not None:
            await self.core.ocs.node.stop()
        self.core.batch.over = True

    async def killed(self) -> None:
        """Lose power."""
        self.core.batch.over = True
        self.core.point.stop(kill=True)
        if self.core.ocs is not None:
            self.core.ocs.node.drop()
