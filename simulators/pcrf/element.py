"""The PCRF as an element: Gx for PGWs, and its management."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.pcrf.config import PcrfConfig, PcrfData
from simulators.pcrf.controls import ALL
from simulators.pcrf.events import EVENTS
from simulators.pcrf.parts.lists import Lists
from simulators.pcrf.parts.sessions import Sessions
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from simulators.pcrf.core import Core


class Pcrf(Element[PcrfConfig]):
    """Policy and charging rules function (TS 23.203 6.2.1)."""

    declaration = Declaration(
        kind="pcrf",
        title="Policy and charging rules function",
        lane=80,
        config=PcrfConfig,
        standing=False,
        listens=("Gx",),
        card={"data": PcrfData},
        controls=(*ALL, ROLES),
        events=EVENTS,
    )
    parts = (Lists, Sessions)
    core: Core

    async def start(self) -> None:
        """Open the store, and listen; PGWs hear what is pending when they connect."""
        from simulators.pcrf.core import Core  # noqa: PLC0415 - checking files needs no codec
        from simulators.pcrf.procedures.credit_control import credit_control  # noqa: PLC0415
        from simulators.pcrf.procedures.re_auth import opened  # noqa: PLC0415
        from simulators.pcrf.store import METADATA, Store  # noqa: PLC0415

        core = self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        self.fit(core)
        handlers = {"Gx": {"credit-control-request": partial(credit_control, core)}}
        core.node = core.peers.serve(handlers, opened=partial(opened, core))
        await core.node.listen("Gx")

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell sessions as PGWs of the home network have them."""
        own = (each for each in self.core.store.sessions if each.realm == self.core.peers.realm)
        return {"Gx sessions": [(each.id, each.imsi, each.apn) for each in own]}

    async def stop(self) -> None:
        """Say goodbye to PGWs."""
        await self.core.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        self.core.node.drop()
