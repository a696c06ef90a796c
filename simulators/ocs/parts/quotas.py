"""The quotas of cards: what they may use in a month, which the operator changes with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ocs import controls
from simulators.ocs.answers import CardTold, CardUsed
from simulators.ocs.card import QuotaCard
from simulators.ocs.config import OcsQuota, QuotaChange
from simulators.ocs.service import Service
from simwarden.model.profile import find_use
from simwarden.operations.approval import Approval, By
from simwarden.operations.card_lists import BOTH, CardLists, keep_number
from simwarden.operations.management import Call, route
from simwarden.operations.provision import CardProvision

if TYPE_CHECKING:
    from simulators.ocs.core import Core


class Quotas(CardLists[QuotaCard]):
    """The quotas of cards."""

    section, model = "quota", OcsQuota
    core: Core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its quota; without one it is given nothing. One that is held is not changed this way (409).

        Nor is its number that of another card (409), or what that card uses would be counted for this one.
        """
        keep_number(call.given, self.core.store.numbered(call.given.msisdn))
        return (await self._provision(call)).tell()

    @route("PUT", "/cards/{imsi}/quota", roles=BOTH, takes=QuotaChange, gives=CardTold, errors=(404, 429))
    async def change_quota(self, call: Call) -> dict[str, Any]:
        """Give a card another quota of each month, this one too; who gives it units asks anew. By the operator."""
        return (await self._change(call, "change the quota")).tell()

    @route("DELETE", "/cards/{imsi}/quota", roles=BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_quota(self, call: Call) -> dict[str, Any]:
        """Take a card's quota away, so that it is given nothing. By the operator, with an approval record."""
        return (await self._change(call, "end the quota")).tell()

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what a card may use, and what it has used this month, with what is given out."""
        card = self._card(call.path["imsi"])
        return card.tell() | {"used": self.used(card)}

    def used(self, card: QuotaCard) -> dict[str, int]:
        """Return what it has used this month, with what is given out."""
        return {each.value: self.core.store.used(card.imsi, self.core.month, each) for each in Service}

    def new(self, wanted: CardProvision, held: QuotaCard | None) -> QuotaCard:
        """Make a card of what it is provisioned with: whether it is one of large data its use says, or its owner."""
        del held
        use = find_use(wanted.profile)
        large = use is not None and use.assessment.large if wanted.large is None else wanted.large
        return QuotaCard(wanted.imsi, wanted.msisdn, use.name if use is not None else "", large)

    def check(self, card: QuotaCard, wanted: OcsQuota, by: By, action: str) -> None:
        """Let a card of small data have no large quota. Raises ManagementError (403)."""
        facts = {"octets": wanted.data, "large": card.large}
        self.core.audit.require(controls.SMALL, card.imsi, by, action, facts, wanted=str(wanted.data))

    async def follow(self, card: QuotaCard) -> None:
        """Have the sessions of a card asked about anew, those that are open."""
        from simulators.ocs.clients.gateways import tell  # noqa: PLC0415 - checking files needs no codec

        tell(self.core, card.imsi)
