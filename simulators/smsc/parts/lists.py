"""The lists of cards: with whom they exchange messages, which the operator changes with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.smsc import controls
from simulators.smsc.answers import CardTold, CardUsed
from simulators.smsc.card import CardList
from simulators.smsc.config import ListChange, SmscSms
from simulators.smsc.events import CHANGE
from simwarden.errors import ManagementError
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision
from simwarden.policy.operator import PROVISION
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.smsc.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Lists:
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card exchanges messages (key: IMSI)",
            fields={"imsi": IMSI, "numbers": GIVEN.or_none(), "undirected": SWITCH},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its list; without one SMS is off. A list that is held is not changed this way (409).

        Nor is its number that of another card (409), or that card's messages would be delivered to it.
        """
        wanted: CardProvision = call.given
        other = self.core.store.numbered(wanted.msisdn)
        if other is not None and other.imsi != wanted.imsi:
            raise ManagementError(409, f"another card has the number {wanted.msisdn}")
        sms, held = wanted.entry("sms", SmscSms), self.core.store.card(wanted.imsi)
        if held is not None and held.sms is not None:
            self.core.lists.stays(wanted.imsi, By.of(call), changed=sms != held.sms)
        self._check(wanted.imsi, By.of(call), sms, PROVISION)
        return self._put(CardList(wanted.imsi, wanted.msisdn, sms), By.of(call), "provision")

    @route("PUT", "/cards/{imsi}/sms", roles=_BOTH, takes=ListChange, gives=CardTold, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card another list, from the next message and attempt on. By the operator."""
        return self._change(call, "change the list", call.given.wanted())

    @route("DELETE", "/cards/{imsi}/sms", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Switch a card's SMS off. By the operator, with an approval record."""
        return self._change(call, "end the list", None)

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card exchanges messages, and how many it has this month."""
        card = self._card(call.path["imsi"])
        return card.tell() | {"used": self.core.store.used(card.imsi, self.core.month)}

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first."""
        return self.core.store.audited(after=call.query.after, most=call.query.limit)

    def _change(self, call: Call, action: str, sms: SmscSms | None) -> dict[str, Any]:
        imsi, by = call.path["imsi"], By.of(call)
        self.core.lists.approve(imsi, by, action)
        card = self._card(imsi)
        if card.sms is not None:
            self.core.lists.once_more(imsi, by, action)
        if sms is not None:
            self._check(imsi, by, sms, action)
        changed = CHANGE if card.sms is not None else "list"
        return self._put(CardList(imsi, card.msisdn, sms), by, changed)

    def _check(self, imsi: str, by: By, sms: SmscSms | None, action: str) -> None:
        """Let a list be no longer than it may. Raises ManagementError (403)."""
        if sms is not None:
            facts = {"numbers": sms.numbers, "approved": sms.exception}
            self.core.audit.require(controls.NUMBERS, imsi, by, action, facts, wanted=" ".join(sms.numbers))

    def _put(self, card: CardList, by: By, action: str) -> dict[str, Any]:
        before, after = self.core.store.card(card.imsi), card.tell()["sms"]
        details = {"before": before.tell()["sms"] if before is not None else None, "after": after}
        self.core.store.put(card, self.core.lists.record(action, card.imsi, by, details))
        self.core.show_list(card)
        return card.tell()

    def _card(self, imsi: str) -> CardList:
        card = self.core.store.card(imsi)
        if card is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {imsi}")
        return card
