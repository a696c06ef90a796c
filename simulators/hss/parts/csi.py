"""The CAMEL subscription of a card: whether its calls are directed, and by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.hss.answers import CardTold
from simulators.hss.config import CsiChange, HssCsi
from simulators.hss.controls import Occasion
from simulators.hss.parts.subscription import check_ims
from simulators.hss.procedures.late import tell_vlrs
from simulators.hss.subscriber import CSI_CHANGE, Due
from simwarden.model.values import IMEI, IMSI
from simwarden.operations.approval import Approval, By, without_approval
from simwarden.operations.management import Call, Role, route
from simwarden.policy.camel import NODE
from simwarden.runtime.declare import HISTORY, Observable

if TYPE_CHECKING:
    from simulators.hss.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Csis:
    """CSIs, and who serves the calls of cards."""

    observables = (
        Observable(
            "location",
            "the VLR that serves a card's calls, by IMSI: its number, its MSC's, and the terminal that it named",
            fields={"imsi": IMSI, "vlr": NODE, "msc": NODE, "imei": IMEI.or_none()},
            passing=HISTORY,
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}/csi", roles=_BOTH, takes=CsiChange, gives=CardTold, errors=(404, 429))
    async def change_csi(self, call: Call) -> dict[str, Any]:
        """Give a card other CSIs; the serving VLR is told (InsertSubscriberData). By the operator, with approval."""
        return await self._change(call, without_approval(HssCsi, call.given), Occasion.CSI)

    @route("DELETE", "/cards/{imsi}/csi", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_csi(self, call: Call) -> dict[str, Any]:
        """Take a card's CSIs away (DeleteSubscriberData): its calls are directed no more. By the operator."""
        return await self._change(call, HssCsi(kinds=()), Occasion.CSI_END)

    async def _change(self, call: Call, wanted: HssCsi, occasion: Occasion) -> dict[str, Any]:
        """Ask the controls, keep the change, and tell the VLR. Raises ManagementError (403, 404, 429).

        Who may not change it is told so whether there is such a card or not.
        """
        imsi, by, action = call.path["imsi"], By.of(call), occasion.replace("-", " ")
        self.core.csi.approve(imsi, by, action)
        subscriber = self.core.card(imsi)
        before = self.core.csi_of(subscriber)
        if wanted == before:
            return subscriber.tell()
        if occasion is Occasion.CSI:
            check_ims(self.core, replace(subscriber, csi=wanted.model_dump(mode="json")), by, occasion)
        self.core.csi.once_more(imsi, by, action)
        after = wanted.model_dump(mode="json")
        details = {"before": before.model_dump(mode="json"), "after": after}
        record = self.core.csi.record(CSI_CHANGE, imsi, by, details)
        self.core.store.change(subscriber, record, due=Due.CALLS, csi=after)
        await tell_vlrs(self.core, imsi)
        return subscriber.tell()
