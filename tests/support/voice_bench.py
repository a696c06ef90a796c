"""An SCP and the SSP that asks it, on a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripted_ssp import ScriptedSsp, SspCall, originating, terminating

from simulators.scp.element import Scp
from simwarden.testing import Bench
from simwarden.wire import cap

if TYPE_CHECKING:
    from simwarden.wire.isup import Number

IMSI, MSISDN = "001010123456789", "861440000000001"
OTHER_IMSI, OTHER_MSISDN = "001010123456780", "861440000000002"
LISTED, UNLISTED = "01065800012", "01065800013"
VOICE: dict[str, Any] = {"by": "scp", "numbers": [LISTED]}
APPROVED = {"approver": "Li Wei", "reason": "other line", "form": "F-21"}


class VoiceBench(Bench):
    """Cards are provisioned at the SCP, and call through the SSP."""

    subject = "scp"

    def __init__(self, *, stores: dict[str, str] | None = None, **config: Any) -> None:
        super().__init__(stores=stores)
        self.scp = self.add("scp", Scp, config)
        self.ssp = self.add("ssp", ScriptedSsp)

    async def start(self) -> None:
        """Start, and have the association come up."""
        await super().start()
        await self.settle()

    async def provision(
        self, voice: dict[str, Any] | None = VOICE, *, imsi: str = IMSI, msisdn: str = MSISDN
    ) -> dict[str, Any]:
        """Provision a card."""
        card = {"name": "card", "imsi": imsi, "iccid": "", "msisdn": msisdn}
        uses = {"profile": "elevator-alarm", "form": "plug-in"}
        sections = {"voice": [voice]} if voice is not None else {}
        found: dict[str, Any] = await self.call("PUT", f"/cards/{imsi}", card | uses | {"sections": sections})
        return found

    async def ask(self, asked: cap.InitialDP, phase: cap.Phase = cap.Phase.FOUR) -> SspCall:
        """Ask about a call, and wait for what is ordered."""
        call = self.ssp.ask(asked, phase)
        await self.settle()
        return call

    async def dial(self, number: str, ton: int = 0, **more: Any) -> SspCall:
        """Have the card call a number."""
        return await self.ask(originating(IMSI, number, ton=ton, own=MSISDN, **more))

    async def called_by(self, caller: Number | None, **more: Any) -> SspCall:
        """Have the card called."""
        return await self.ask(terminating(IMSI, MSISDN, caller, **more))

    async def used(self) -> float:
        """Return the seconds that the card has used this month."""
        found: float = (await self.call("GET", f"/cards/{IMSI}"))["used"]
        return found
