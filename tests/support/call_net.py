"""The HSS with its HLR part, and VLRs of a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hss_net import IMSI, Net
from map_net import NODES, SSP, SSP2, ScriptedVlr

from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.runtime.loop import TestbedLoop

MSISDN = f"861440{IMSI[-9:]}"


class CallNet(Net):
    """HSS with its HLR part, two VLRs that it knows, and a stranger with the number of the first."""

    def __init__(
        self,
        loop: TestbedLoop,
        transport: str = "memory",
        store: str = "",
        *,
        through: Mapping[str, Any] = {},
        dials: str = "hss",
        external: Mapping[str, Any] = {},
        **config: Any,
    ) -> None:
        """`through` are more settings of the signalling point, `dials` is with whom the VLRs associate themselves."""
        signalling = {"nodes": NODES | {"far": {"number": "8613800000028", "point_code": 28}}, **through}
        super().__init__(loop, transport, store, external=external, signalling=signalling, **config)
        self.vlr, self.vlr2, self.stranger = (
            self.add(name, ScriptedVlr, {"number": number, "point_code": code, "dials": dials})
            for name, (number, code) in (("ssp", SSP), ("ssp2", SSP2), ("far", (SSP[0], 28)))
        )

    async def start(self) -> None:
        await super().start()
        await self.settle()

    async def voice(self, functions: tuple[str, ...] = ("voice", "data"), **sections: Any) -> None:
        await self.provision(keys={"functions": list(functions)}, **sections)

    def refusals(self) -> list[str]:
        return [each.decision.control.id for each in self.of(Decided) if not each.decision.admitted][1:]  # the evil MME
