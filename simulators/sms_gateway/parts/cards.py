"""Whose cards are, and with whom they exchange messages: what the operator changes, with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.answers import CardTold
from simulators.sms_gateway.config import GatewayCard, ListChange
from simulators.sms_gateway.controls import NUMBERS
from simulators.sms_gateway.messages import Card, in_full
from simulators.sms_gateway.procedures.revoking import review_pairs
from simwarden.errors import ManagementError
from simwarden.model.profile import Function
from simwarden.model.values import GIVEN, IMSI, SWITCH, TEXT
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditTold, CardProvision
from simwarden.policy.numbers import party
from simwarden.policy.operator import CHANGE_LIST, PROVISION
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.sms_gateway.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Cards:
    """The cards of customers, and their lists."""

    observables = (
        Observable(
            "card",
            "whose a card is, whether it is opened for SMS, and the codes on its list (key: IMSI)",
            fields={"imsi": IMSI, "account": GIVEN, "opened": SWITCH, "numbers": TEXT},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card; one without an entry `sms` exchanges no messages. A list that is held is not changed (409)."""
        wanted: CardProvision = call.given
        entry, held, by = wanted.entry("sms", GatewayCard), self.core.cards.get(wanted.imsi), By.of(call)
        if entry is None:
            if held is not None:
                self.core.list_changes.stays(wanted.imsi, by, changed=True)
            return self._tell(wanted.imsi)
        made = _card(wanted.imsi, wanted.msisdn, entry, opened=Function.SMS in wanted.opened)
        other = self.core.by_number.get(party(made.msisdn)) if made.msisdn else None
        if other is not None and other.imsi != made.imsi:
            raise ManagementError(409, f"another card has the number {made.msisdn}")
        if held is None:
            self._bounded(made, by, PROVISION)
        else:
            changed = (held.account, held.parties) != (made.account, made.parties)
            self.core.list_changes.stays(made.imsi, by, changed=changed)
        if made != held:
            self._put(made, by, "provision")
        return self._tell(made.imsi)

    @route("PUT", "/cards/{imsi}/sms", roles=_BOTH, takes=ListChange, gives=CardTold, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Change whose a card is and the codes on its list, which holds at once. By the operator, with an approval."""
        wanted, imsi, by = call.given, call.path["imsi"], By.of(call)
        self.core.list_changes.approve(imsi, by, "change the list")
        held = self._held(imsi)
        made = _card(imsi, held.msisdn, wanted, opened=held.opened)
        self._bounded(made, by, CHANGE_LIST)
        self.core.list_changes.once_more(imsi, by, "change the list")
        self._put(made, by, "list-changed")
        return self._tell(imsi)

    @route("DELETE", "/cards/{imsi}/sms", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Let a card exchange messages with nobody. By the operator, with an approval record."""
        imsi, by = call.path["imsi"], By.of(call)
        self.core.list_changes.approve(imsi, by, "end the list")
        held = self._held(imsi)
        self.core.list_changes.once_more(imsi, by, "end the list")
        self._put(Card(imsi, held.msisdn, held.account, held.opened, ()), by, "list-changed")
        return self._tell(imsi)

    @route("GET", "/cards/{imsi}/sms", gives=CardTold)
    async def query_list(self, call: Call) -> dict[str, Any]:
        """Tell whose a card is and the codes on its list."""
        self._held(call.path["imsi"])
        return self._tell(call.path["imsi"])

    @route("GET", "/cards/{imsi}/audit", gives=tuple[AuditTold, ...])
    async def audit_of(self, call: Call) -> list[dict[str, Any]]:
        """Tell a card's audit records."""
        return self.core.store.audited(call.path["imsi"])

    def _held(self, imsi: str) -> Card:
        held = self.core.cards.get(imsi)
        if held is None:
            raise ManagementError(404, f"no card has the IMSI {imsi}")
        return held

    def _bounded(self, made: Card, by: By, on: str) -> None:
        """Let a list have so many numbers, more by approval. Raises ManagementError (403)."""
        facts = {"numbers": made.numbers, "most": self.core.config.most_numbers, "approved": by.approver}
        self.core.audit.require(NUMBERS, made.imsi, by, on, facts)

    def _put(self, made: Card, by: By, action: str) -> None:
        core, held = self.core, self.core.cards.get(made.imsi)
        details = {"before": _shown(held), "after": _shown(made)}
        core.store.put_card(made, core.list_changes.record(action, made.imsi, by, details))
        core.take_card(made)
        core.site.observe("card", {"imsi": made.imsi, **_shown(made)}, key=made.imsi)
        core.review(lambda message: message.card == made.imsi)
        if held is not None:
            review_pairs(core, held, dict.fromkeys(held.parties, held.account))

    def _tell(self, imsi: str) -> dict[str, Any]:
        return {"imsi": imsi, **_shown(self.core.cards.get(imsi))}


def _card(imsi: str, number: str, entry: GatewayCard, *, opened: bool) -> Card:
    msisdn = in_full(party(number)) if number else ""
    return Card(imsi, msisdn, entry.account, opened, entry.numbers, frozenset(map(party, entry.numbers)))


def _shown(card: Card | None) -> dict[str, Any]:
    if card is None:
        return {"account": "", "opened": False, "numbers": []}
    return {"account": card.account, "opened": card.opened, "numbers": list(card.numbers)}
