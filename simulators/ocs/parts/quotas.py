"""The quotas of cards: what they may use in a month, which the operator changes with an approval record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.ocs import controls
from simulators.ocs.answers import CardTold, CardUsed
from simulators.ocs.card import QuotaCard
from simulators.ocs.config import OcsQuota, QuotaChange
from simulators.ocs.events import CHANGE
from simulators.ocs.service import Service
from simwarden.errors import ManagementError
from simwarden.model.profile import find_use
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision
from simwarden.policy.operator import PROVISION

if TYPE_CHECKING:
    from simulators.ocs.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Quotas:
    """Quotas."""

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its quota; without one it is given nothing. One that is held is not changed this way (409).

        Nor is its number that of another card (409), or what that card uses would be counted for this one.
        """
        wanted: CardProvision = call.given
        other = self.core.store.numbered(wanted.msisdn)
        if other is not None and other.imsi != wanted.imsi:
            raise ManagementError(409, f"another card has the number {wanted.msisdn}")
        quota, held = wanted.entry("quota", OcsQuota), self.core.store.card(wanted.imsi)
        if held is not None and held.quota is not None:
            self.core.quotas.stays(wanted.imsi, By.of(call), changed=quota != held.quota)
        use = find_use(wanted.profile)
        known = use is not None and use.assessment.large
        large = known if wanted.large is None else wanted.large
        card = QuotaCard(wanted.imsi, wanted.msisdn, use.name if use is not None else "", large, quota)
        self._check(card, By.of(call), PROVISION)
        return self._put(card, By.of(call), "provision")

    @route("PUT", "/cards/{imsi}/quota", roles=_BOTH, takes=QuotaChange, gives=CardTold, errors=(404, 429))
    async def change_quota(self, call: Call) -> dict[str, Any]:
        """Give a card another quota of each month, this one too; who gives it units asks anew. By the operator."""
        return self._change(call, "change the quota", call.given.wanted())

    @route("DELETE", "/cards/{imsi}/quota", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_quota(self, call: Call) -> dict[str, Any]:
        """Take a card's quota away, so that it is given nothing. By the operator, with an approval record."""
        return self._change(call, "end the quota", None)

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what a card may use, and what it has used this month, with what is given out."""
        card = self._card(call.path["imsi"])
        used = {each.value: self.core.store.used(card.imsi, self.core.month, each) for each in Service}
        return card.tell() | {"used": used}

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first."""
        return self.core.store.audited(after=call.query.after, most=call.query.limit)

    def _change(self, call: Call, action: str, quota: OcsQuota | None) -> dict[str, Any]:
        from simulators.ocs.clients.gateways import tell  # noqa: PLC0415 - checking files needs no codec

        imsi, by = call.path["imsi"], By.of(call)
        self.core.quotas.approve(imsi, by, action)
        card = self._card(imsi)
        if card.quota is not None:
            self.core.quotas.once_more(imsi, by, action)
        changed = replace(card, quota=quota)
        self._check(changed, by, action)
        told = self._put(changed, by, CHANGE if card.quota is not None else "quota")
        tell(self.core, imsi)
        return told

    def _check(self, card: QuotaCard, by: By, action: str) -> None:
        """Let a card of small data have no large quota. Raises ManagementError (403)."""
        if card.quota is not None:
            octets = card.quota.data
            facts = {"octets": octets, "large": card.large}
            self.core.audit.require(controls.SMALL, card.imsi, by, action, facts, wanted=str(octets))

    def _put(self, card: QuotaCard, by: By, action: str) -> dict[str, Any]:
        before, after = self.core.store.card(card.imsi), card.tell()["quota"]
        details = {"before": before.tell()["quota"] if before is not None else None, "after": after}
        self.core.store.put(card, self.core.quotas.record(action, card.imsi, by, details))
        for service in Service:
            self.core.show(card, service)
        return card.tell()

    def _card(self, imsi: str) -> QuotaCard:
        card = self.core.store.card(imsi)
        if card is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {imsi}")
        return card
