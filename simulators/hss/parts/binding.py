"""Which terminal a card is bound to: by the operator, with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss.procedures.location import cancel_location, withdraw
from simulators.hss.subscriber import Debt, Owed, Subscriber
from simwarden.model.values import IMEI, IMSI, one_of
from simwarden.operations.approval import Approval, BindingChange, By
from simwarden.operations.management import Call, Role, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.hss.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Binding:
    """The binding of a card, given or learned."""

    observables = (
        Observable(
            "binding",
            "the IMEI that a card is bound to, by IMSI",
            fields={"imsi": IMSI, "imei": IMEI, "how": one_of("given", "learned")},
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}/binding", roles=_BOTH, takes=BindingChange, errors=(429,))
    async def bind(self, call: Call) -> dict[str, Any]:
        """Bind a card to an IMEI, or to the one of its next first use. By the operator, with an approval record."""
        subscriber = self._may_bind(call, "bind")
        return await self._rebind(call, subscriber, call.given.mode, call.given.imei)

    @route("DELETE", "/cards/{imsi}/binding", roles=_BOTH, takes=Approval, errors=(429,))
    async def unbind(self, call: Call) -> dict[str, Any]:
        """Take a card's binding away. By the operator, with an approval record."""
        subscriber = self._may_bind(call, "unbind")
        return await self._rebind(call, subscriber, "", "")

    def _may_bind(self, call: Call, action: str) -> Subscriber:
        """Ask the controls, and return the card; a refusal is kept in the audit. Raises ManagementError.

        Who may not bind (403) is told so whether there is such a card (404) or not. A first binding changes none (429).
        """
        by, imsi = By.of(call), call.path["imsi"]
        self.core.binding.approve(imsi, by, action, wanted=str(call.body.get("imei", "")))
        subscriber = self.core.card(call.path["imsi"])
        if subscriber.mode:
            self.core.binding.once_more(imsi, by, action)
        return subscriber

    async def _rebind(self, call: Call, subscriber: Subscriber, mode: str, bound: str) -> dict[str, Any]:
        details = {"before": subscriber.bound, "after": bound, "mode": mode}
        action = "unbind" if not mode else "rebind" if subscriber.mode else "bind"
        record = self.core.binding.record(action, subscriber.imsi, By.of(call), details)
        debts: Sequence[Debt] = ()
        if mode and subscriber.imei != bound:
            # another terminal than the bound one is in use, or the one in use is to be learned by its next attach
            debts = withdraw(self.core, (subscriber,), (record,), owed=Owed.RE_ATTACH, mode=mode, bound=bound)
        else:
            self.core.store.change(subscriber, record, mode=mode, bound=bound)
        self.core.show_binding(subscriber)
        await cancel_location(self.core, *debts)
        return subscriber.tell()
