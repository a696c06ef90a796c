"""Cards that are suspended, and resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.scp.answers import CardTold
from simulators.scp.config import Suspension
from simwarden.errors import ManagementError
from simwarden.model.values import IMSI, one_of
from simwarden.operations.approval import By
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.scp.core import Core


class States:
    """States of cards."""

    observables = (
        Observable(
            "state",
            "whether a card is suspended (key: IMSI)",
            fields={"imsi": IMSI, "state": one_of("active", "suspended")},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("POST", "/cards/{imsi}/suspension", takes=Suspension, gives=CardTold, errors=(404,))
    async def suspend_card(self, call: Call) -> dict[str, Any]:
        """Suspend a card; its calls end at once. Emergency calls are not its own."""
        return self._set(call, call.given.reason, "suspend")

    @route("DELETE", "/cards/{imsi}/suspension", gives=CardTold, errors=(404,))
    async def resume_card(self, call: Call) -> dict[str, Any]:
        """Let a suspended card have calls again."""
        return self._set(call, None, "resume")

    def _set(self, call: Call, why: str | None, action: str) -> dict[str, Any]:
        from simulators.scp.procedures.admission import follow  # noqa: PLC0415 - checking files needs no codec

        imsi = call.path["imsi"]
        held = self.core.store.card(imsi)
        if held is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {imsi}")
        details = {"reason": why or "", "before": _word(held.suspended), "after": _word(why)}
        card = replace(held, suspended=why)
        self.core.store.put(card, self.core.audit.record(action, imsi, details, By.of(call)))
        self.core.show_state(card)
        follow(self.core, imsi)
        return card.tell()


def _word(suspended: str | None) -> str:
    return "active" if suspended is None else "suspended"
