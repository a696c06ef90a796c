"""The lists of cards: with whom they exchange messages, which the operator changes with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.smsc import controls
from simulators.smsc.answers import CardTold, CardUsed
from simulators.smsc.card import CardList
from simulators.smsc.config import ListChange, SmscSms
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.card_lists import BOTH, CardLists, keep_number
from simwarden.operations.management import Call, route
from simwarden.operations.provision import CardProvision
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.smsc.core import Core


class Lists(CardLists[CardList]):
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card exchanges messages (key: IMSI)",
            fields={"imsi": IMSI, "numbers": GIVEN.or_none(), "undirected": SWITCH},
            kept=True,
        ),
    )
    section, model = "sms", SmscSms
    core: Core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its list; without one SMS is off. A list that is held is not changed this way (409).

        Nor is its number that of another card (409), or that card's messages would be delivered to it.
        """
        keep_number(call.given, self.core.store.numbered(call.given.msisdn))
        return (await self._provision(call)).tell()

    @route("PUT", "/cards/{imsi}/sms", roles=BOTH, takes=ListChange, gives=CardTold, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card another list, from the next message and attempt on. By the operator."""
        return (await self._change(call, "change the list")).tell()

    @route("DELETE", "/cards/{imsi}/sms", roles=BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Switch a card's SMS off. By the operator, with an approval record."""
        return (await self._change(call, "end the list")).tell()

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card exchanges messages, and how many it has this month."""
        card = self._card(call.path["imsi"])
        return card.tell() | {"used": self.core.store.used(card.imsi, self.core.month)}

    def used(self, card: CardList) -> dict[str, int]:
        """Return how many messages it has this month."""
        return {"messages": self.core.store.used(card.imsi, self.core.month)}

    def new(self, wanted: CardProvision, held: CardList | None) -> CardList:
        """Make a card of what it is provisioned with."""
        del held
        return CardList(wanted.imsi, wanted.msisdn)

    def check(self, card: CardList, wanted: SmscSms, by: By, action: str) -> None:
        """Let a list be no longer than it may. Raises ManagementError (403)."""
        facts = {"numbers": wanted.numbers, "approved": wanted.exception}
        self.core.audit.require(controls.NUMBERS, card.imsi, by, action, facts, wanted=" ".join(wanted.numbers))
