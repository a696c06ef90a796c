"""The cards that the HSS holds, and the terminals that they are bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simulators.hss.answers import CardTold, LocationTold
from simulators.hss.config import HssArea, HssBinding, HssCsi, HssSubscription
from simulators.hss.parts.subscription import check_extent, check_ims, subscribed, zones_of
from simulators.hss.procedures.location import cancel_location, follow_up, withdraw
from simulators.hss.procedures.subscriber_data import (
    apns_of,
    change_subscription,
    context_identifiers,
    heard_before,
    insert_subscriber_data,
)
from simulators.hss.subscriber import NO_VLR, VLR, Due, Notice, Subscriber
from simwarden.errors import ManagementError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.model.profile import Function
from simwarden.model.values import HOST, IMEI, IMSI, PLMN, one_of
from simwarden.operations.approval import Approval, BindingChange, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision, CardsPage, about
from simwarden.runtime.declare import HISTORY, Observable
from simwarden.wire.diameter import describe
from simwarden.wire.diameter.codes import IdrFlags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.hss.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Cards:
    """Cards, where they are, and their audit."""

    observables = (
        Observable(
            "registration",
            "the MME that serves a card, by IMSI",
            fields={"imsi": IMSI, "mme": HOST, "imei": IMEI.or_none(), "plmn": PLMN.or_none()},
            passing=HISTORY,
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Provision a card, or change its provisioning; SQN, registration and a learned binding stay.

        The MME that serves it is told what it may use now. A binding or an area that is held is not changed this way,
        since a change needs its approval record. Number and ICCID are those of no other card (409).
        """
        wanted: CardProvision = call.given
        made = self._made(wanted, By.of(call))
        if others := self.core.store.taken(made):
            raise ManagementError(409, f"another card has the {others[0][0]} {others[0][1]}")
        held = self.core.store.get(wanted.imsi)
        if held is not None:
            self._check_held(By.of(call), held, made)
            made = _carry_over(held, made)
            made.contexts = context_identifiers(
                held.contexts, apns_of(self.core.config, held), apns_of(self.core.config, made)
            )
        await self._put(held, made, self._record(made, By.of(call)))
        return made.tell()

    def provision_new(self, cards: Sequence[CardProvision], by: By) -> bool:
        """Provision many cards at once that are all new; see Element."""
        if self.core.store.holds_any(cards):
            return False
        made = []
        for each in cards:
            with about(each):
                made.append(self._made(each, by))
        self.core.store.put_new(made, [self._record(subscriber, by) for subscriber in made])
        for subscriber in made:
            self.core.show_binding(subscriber)
        return True

    def _made(self, wanted: CardProvision, by: By) -> Subscriber:
        """Return a card as it is provisioned, if it may have its number and its area. Raises ManagementError."""
        area = wanted.entry("area", HssArea)
        subscription = subscribed(wanted.entry("subscription", HssSubscription), area)
        made = _subscriber(wanted, wanted.entry("binding", HssBinding), subscription, wanted.entry("csi", HssCsi))
        number = {"number": wanted.msisdn, "ranges": self.core.ranges}
        if not self.core.config.shared:
            self.core.audit.require(controls.RANGE, wanted.imsi, by, "provision", number, wanted=wanted.msisdn)
        zones = subscription.zones if subscription is not None else ()
        province = area.province if area is not None else ""
        check_extent(self.core, made.imsi, zones, province, controls.Occasion.PROVISION)
        check_ims(self.core, made, by, controls.Occasion.PROVISION)
        return made

    def _record(self, made: Subscriber, by: By) -> dict[str, Any]:
        details = {"profile": made.profile, "bound": made.bound, "mode": made.mode}
        return self.core.audit.record("provision", made.imsi, details, by)

    async def _put(self, held: Subscriber | None, made: Subscriber, record: dict[str, Any]) -> None:
        """Keep a card as it is provisioned; the MME that serves it is told of what it may use now."""
        core, before = self.core, heard_before(self.core, held) if held is not None else None
        loses_sms = held is not None and bool(held.sms_number) and not made.sms_number
        vlr = held.vlr if held is not None else ""
        calls_end = [Notice(made.imsi, vlr, Due.WITHDRAWAL, VLR)] if vlr and not made.vlr else []
        notice = core.store.put(made, record, more=calls_end)
        if calls_end:
            core.show_vlr(made)
            await cancel_location(core, *calls_end)
        core.show_binding(made)
        if loses_sms:  # (TS 29.272 5.2.2.1.3)
            await insert_subscriber_data(core, made, [], flags=int(IdrFlags.REMOVE_SMS_REGISTRATION))
        if notice is not None:
            subscriber = core.card(made.imsi)
            await follow_up(core, subscriber, await change_subscription(core, subscriber, before, notice))

    def _check_held(self, by: By, held: Subscriber, made: Subscriber) -> None:
        """Ask the controls whether what restricts a held card stays as it is. Raises ManagementError (409)."""
        zones = zones_of(held)
        self.core.binding.stays(held.imsi, by, changed=not _same_binding(held, made))
        self.core.area.stays(held.imsi, by, changed=bool(zones) and zones_of(made) != zones)
        self.core.csi.stays(held.imsi, by, changed=made.csi != held.csi)

    @route("GET", "/cards/{imsi}", gives=CardTold)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what the HSS holds of a card; keys are never told."""
        return self.core.card(call.path["imsi"]).tell()

    @route("GET", "/cards", query=CardsPage, gives=tuple[CardTold, ...])
    async def list_cards(self, call: Call) -> list[dict[str, Any]]:
        """List what the HSS holds of cards, by IMSI."""
        asked: CardsPage = call.query
        return [each.tell() for each in self.core.store.page(after=asked.after, most=asked.limit)]

    @route("GET", "/cards/{imsi}/location", gives=LocationTold)
    async def locate(self, call: Call) -> dict[str, Any]:
        """Ask the serving MME for a card's state and place (IDR)."""
        flags = IdrFlags.EPS_USER_STATE | IdrFlags.EPS_LOCATION_INFORMATION
        answer = await insert_subscriber_data(self.core, self.core.card(call.path["imsi"]), [], flags=int(flags))
        if answer is None:
            raise ManagementError(503, "no MME that can be reached serves the card")
        found = describe(answer).fields
        return {key: _readable(found.get(key)) for key in ("eps_user_state", "eps_location_information")}

    @route("DELETE", "/cards/{imsi}/location", takes=Approval, gives=CardTold)
    async def end_location(self, call: Call) -> dict[str, Any]:
        """End what a card has, an attach under way too (CLR); it may attach again, and is judged anew."""
        subscriber = self.core.card(call.path["imsi"])
        record = self.core.audit.record("cancel-location", subscriber.imsi, {"reason": By.of(call).reason}, By.of(call))
        await cancel_location(self.core, *withdraw(self.core, (subscriber,), (record,), due=Due.RE_ATTACH))
        return subscriber.tell()

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first."""
        return self.core.store.audited(after=call.query.after, most=call.query.limit)

    @route("GET", "/cards/{imsi}/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit_card(self, call: Call) -> list[dict[str, Any]]:
        """Tell a card's audit records: what was bound, learned, refused, suspended, by whom and why."""
        imsi, asked = self.core.card(call.path["imsi"]).imsi, call.query
        return self.core.store.audited(imsi, after=asked.after, most=asked.limit)


def _readable(value: Any, name: str = "") -> Any:
    """Return what an MME told with TAI and ECGI as people write them, and other octets in hexadecimal digits."""
    if isinstance(value, dict):
        return {key: _readable(each, key) for key, each in value.items()}
    if not isinstance(value, bytes):
        return value
    plmn, number = value[:3], int.from_bytes(value[3:], "big")
    try:
        if (name, len(value)) == ("tracking_area_identity", 5):
            return str(Tai(Plmn.from_bytes(plmn), number))
        if (name, len(value)) == ("e_utran_cell_global_identity", 7):
            return str(Ecgi(Plmn.from_bytes(plmn), number))
    except ValueError:
        pass
    return value.hex()


class Binding:
    """The binding of a card, given or learned."""

    observables = (
        Observable(
            "binding",
            "the IMEI that a card is bound to, by IMSI",
            fields={"imsi": IMSI, "imei": IMEI, "how": one_of("given", "learned")},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}/binding", roles=_BOTH, takes=BindingChange, gives=CardTold, errors=(429,))
    async def bind(self, call: Call) -> dict[str, Any]:
        """Bind a card to an IMEI, or to the one of its next first use. By the operator, with an approval record."""
        subscriber = self._may_bind(call, "bind")
        return await self._rebind(call, subscriber, call.given.mode, call.given.imei)

    @route("DELETE", "/cards/{imsi}/binding", roles=_BOTH, takes=Approval, gives=CardTold, errors=(429,))
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
        notices: Sequence[Notice] = ()
        elsewhere = subscriber.imei != bound or (subscriber.vlr and subscriber.vlr_imei != bound)
        if mode and (not bound or elsewhere):
            # another terminal than the bound one is in use, or the one in use is to be learned by its next attach
            notices = withdraw(self.core, (subscriber,), (record,), due=Due.RE_ATTACH, mode=mode, bound=bound)
        else:
            self.core.store.change(subscriber, record, mode=mode, bound=bound)
        self.core.show_binding(subscriber)
        await cancel_location(self.core, *notices)
        return subscriber.tell()


def _subscriber(
    wanted: CardProvision, binding: HssBinding | None, subscription: HssSubscription | None, csi: HssCsi | None
) -> Subscriber:
    k, opc = wanted.secrets
    return Subscriber(
        imsi=wanted.imsi,
        name=wanted.name,
        iccid=wanted.iccid,
        msisdn=wanted.msisdn,
        profile=wanted.profile,
        functions=" ".join(wanted.opened),
        k=k.hex(),
        opc=opc.hex(),
        mode=binding.mode if binding is not None else "",
        bound=binding.imei if binding is not None else "",
        subscription=subscription.model_dump(mode="json") if subscription is not None else {},
        csi=csi.model_dump(mode="json") if csi is not None else {},
    )


def _same_binding(held: Subscriber, made: Subscriber) -> bool:
    """Whether a card stays bound as it is; what was learned is learned no further by provisioning."""
    return made.mode == held.mode == "learned" or (made.mode, made.bound) == (held.mode, held.bound)


#: what provisioning says anew; all else of a card stays
_PROVISIONED = ("imsi", "name", "iccid", "msisdn", "profile", "functions", "k", "opc", "subscription", "csi", "mode")


def _carry_over(held: Subscriber, made: Subscriber) -> Subscriber:
    """Return the new provisioning with what a card keeps."""
    functions = made.functions.split()
    changed = {name: getattr(made, name) for name in _PROVISIONED}
    if not made.mode == held.mode == "learned":
        changed["bound"] = made.bound
    if Function.VOICE not in functions:
        changed |= NO_VLR
    # who has voice has messages by the MSC (TS 23.272 C.8)
    if Function.SMS not in functions or Function.VOICE in functions:
        changed["sms_number"] = ""
    return replace(held, **changed)
