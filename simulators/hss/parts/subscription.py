"""The management routes of subscriptions: APNs, and zone codes, which are the area of a card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simulators.hss.answers import CardTold
from simulators.hss.config import AreaChange, HssArea, HssSubscription, SubscriptionChange
from simulators.hss.controls import Occasion
from simulators.hss.procedures.location import follow_up
from simulators.hss.procedures.subscriber_data import apns_of, change_subscription, context_identifiers, heard_before
from simulators.hss.subscriber import AREA_CHANGE, Due, Subscriber
from simwarden.errors import ManagementError
from simwarden.model.profile import Function
from simwarden.operations.approval import Approval, By, without_approval
from simwarden.operations.management import Call, Role, route
from simwarden.policy.camel import leads_to_ims

if TYPE_CHECKING:
    from simulators.hss.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Subscriptions:
    """What a card may use, and where."""

    def __init__(self, core: Core) -> None:
        self.core = core

    @route(
        "PUT", "/cards/{imsi}/subscription", roles=_BOTH, takes=SubscriptionChange, gives=CardTold, errors=(404, 429)
    )
    async def change_subscription(self, call: Call) -> dict[str, Any]:
        """Change APNs or zone codes; the serving MME is told by IDR and DSR. By the operator."""
        by, imsi = By.of(call), call.path["imsi"]
        self.core.audit.require(controls.AREA.operator, imsi, by, "subscription", by.asks("change a subscription"))
        subscriber, wanted = self.core.card(call.path["imsi"]), without_approval(HssSubscription, call.given)
        action = "subscription"
        if wanted.zones != zones_of(subscriber):
            _, action = self._may_change_area(call, "change the area")
        return await self._subscribe(subscriber, wanted, by, action, occasion=Occasion.SUBSCRIPTION)

    @route("PUT", "/cards/{imsi}/area", roles=_BOTH, takes=AreaChange, gives=CardTold, errors=(404, 429))
    async def change_area(self, call: Call) -> dict[str, Any]:
        """Give a card other zone codes; the serving MME is told by IDR, and acts at once. By the operator."""
        by = By.of(call)
        subscriber, action = self._may_change_area(call, "change the area")
        wanted: AreaChange = call.given
        changed = subscription_of(subscriber).model_copy(update={"zones": wanted.zones})
        return await self._subscribe(subscriber, changed, by, action, occasion=Occasion.AREA, province=wanted.province)

    @route("DELETE", "/cards/{imsi}/area", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_area(self, call: Call) -> dict[str, Any]:
        """Take a card's zone codes away (DSR). By the operator, with an approval record."""
        by = By.of(call)
        subscriber, action = self._may_change_area(call, "end the area")
        if not zones_of(subscriber):
            return subscriber.tell()
        changed = subscription_of(subscriber).model_copy(update={"zones": ()})
        return await self._subscribe(subscriber, changed, by, action, occasion=Occasion.AREA_END)

    def _may_change_area(self, call: Call, action: str) -> tuple[Subscriber, str]:
        """Ask the controls; return the card and the action of the record. Raises ManagementError (403, 404, 429).

        Who may not change an area is told so whether there is such a card or not.
        """
        imsi, by = call.path["imsi"], By.of(call)
        self.core.area.approve(imsi, by, action)
        subscriber = self.core.card(call.path["imsi"])
        if not zones_of(subscriber):
            return subscriber, "area"
        self.core.area.once_more(imsi, by, action)
        return subscriber, AREA_CHANGE

    async def _subscribe(
        self,
        subscriber: Subscriber,
        wanted: HssSubscription,
        by: By,
        action: str,
        *,
        occasion: Occasion,
        province: str = "",
    ) -> dict[str, Any]:
        check_extent(self.core, subscriber.imsi, wanted.zones, province, occasion)
        if occasion is Occasion.SUBSCRIPTION:
            made = replace(subscriber, subscription=wanted.model_dump(mode="json"))
            check_ims(self.core, made, by, occasion)
        before, heard = subscription_of(subscriber), heard_before(self.core, subscriber)
        after = wanted.model_dump(mode="json")
        details = {"before": before.model_dump(mode="json"), "after": after}
        record = self.core.area.record(action, subscriber.imsi, by, details)
        apns = before.apns or self.core.config.apns, wanted.apns or self.core.config.apns
        contexts = context_identifiers(subscriber.contexts, *apns)
        notice = self.core.store.change(subscriber, record, due=Due.SUBSCRIPTION, subscription=after, contexts=contexts)
        if notice is not None:
            await follow_up(self.core, subscriber, await change_subscription(self.core, subscriber, heard, notice))
        return subscriber.tell()


def check_extent(core: Core, imsi: str, zones: tuple[str, ...], province: str, occasion: Occasion) -> None:
    """Let no area be larger than a province. Raises ManagementError (403)."""
    if not zones:
        return
    homes, known = core.config.homes(zones), list(core.config.provinces)
    facts = {"province": province, "homes": homes, "known": known}
    decision = core.site.decide(controls.EXTENT, imsi, on=occasion, **facts)
    if not decision.admitted:
        raise ManagementError(403, decision.reason)


def check_ims(core: Core, made: Subscriber, by: By, occasion: Occasion) -> None:
    """Let no card have calls over IMS whose voice is off or directed. Raises ManagementError (403)."""
    apns = [each.name for each in apns_of(core.config, made)]
    if any(leads_to_ims(each) for each in apns):
        opened = Function.VOICE in made.functions.split()
        facts = {"apns": apns, "opened": opened, "directed": bool(core.csi_of(made).kinds)}
        core.audit.require(controls.IMS, made.imsi, by, occasion.replace("-", " "), facts, on=occasion)


def subscription_of(subscriber: Subscriber) -> HssSubscription:
    """Return what a card may use of its own."""
    return HssSubscription.model_validate(subscriber.subscription)


def zones_of(subscriber: Subscriber) -> tuple[str, ...]:
    """Return the zone codes of a card's own."""
    return subscription_of(subscriber).zones


def subscribed(wanted: HssSubscription | None, area: HssArea | None) -> HssSubscription | None:
    """Return the subscription that a card is provisioned with, None for the default. Raises ManagementError (400)."""
    if area is None:
        return wanted
    base = wanted or HssSubscription()
    if base.zones:
        raise ManagementError(400, "the card's zone codes are given twice")
    return base.model_copy(update={"zones": area.zones})
