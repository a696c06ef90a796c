"""The HSS as an element: it listens on S6a, and its management interface provisions, binds, suspends and tells."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from simulators.hss import controls
from simulators.hss.config import (
    HssArea,
    HssBinding,
    HssConfig,
    HssSubscription,
    ManySuspended,
    Suspension,
)
from simulators.hss.core import Core
from simulators.hss.events import EVENTS
from simulators.hss.procedures.authentication import authentication_information
from simulators.hss.procedures.location import cancel_location, follow_up, purge_ue, update_location, withdraw
from simulators.hss.procedures.notification import notify
from simulators.hss.procedures.subscriber_data import (
    apns_of,
    context_identifiers,
    insert_subscriber_data,
    tell_barring,
)
from simulators.hss.subscriber import ENDED, Debt, Owed, Subscriber
from simulators.hss.subscription_routes import SubscriptionRoutes, subscribed, zones_of
from simwarden.errors import ManagementError
from simwarden.model.identity import Imei
from simwarden.model.values import HOST, IMEI, IMSI, PLMN, one_of
from simwarden.operations.approval import Approval, Audit, BindingChange, By
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Call, Role, route
from simwarden.operations.provision import CardProvision, CardsPage
from simwarden.runtime.declare import HISTORY, CardName, Declaration, Observable, VerbModel, verb
from simwarden.wire.diameter import describe
from simwarden.wire.diameter.codes import IdrFlags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Suspend(VerbModel):
    """Suspend a card by management."""

    shorthand = "card"
    card: CardName
    """The card."""
    how: Literal["barring", "withdrawal"] = "barring"
    """Barring: all packet services barred (IDR); withdrawal: the subscription is withdrawn for a time (CLR)."""
    reason: str = ""
    """Why, for the audit."""


class Resume(VerbModel):
    """Let a suspended card work again."""

    shorthand = "card"
    card: CardName
    """The card."""


class Bind(VerbModel):
    """Ask the register to bind a card to a terminal, in place of what it was bound to."""

    occasion = "bind"

    card: CardName
    """The card."""
    imei: str
    """The terminal's IMEI (`meter.imei`)."""
    role: Role = Role.OPERATOR
    """Who asks: the operator or the customer."""
    caller: str = ""
    """The asking person or company, for the audit."""
    approver: str = ""
    """Approval record: who is responsible."""
    reason: str = ""
    """Approval record: why."""
    form: str = ""
    """Approval record: reference of the signed form."""


class Hss(SubscriptionRoutes, Element[HssConfig]):
    """The home subscriber server."""

    declaration = Declaration(
        kind="hss",
        title="Home subscriber server",
        lane=60,
        config=HssConfig,
        listens=("S6a",),
        keys=True,
        card={"binding": HssBinding, "subscription": HssSubscription, "area": HssArea},
        observables=(
            Observable(
                "binding",
                "the IMEI that a card is bound to, by IMSI",
                fields={"imsi": IMSI, "imei": IMEI, "how": one_of("given", "learned")},
            ),
            Observable(
                "registration",
                "the MME that serves a card, by IMSI",
                fields={"imsi": IMSI, "mme": HOST, "imei": IMEI.or_none(), "plmn": PLMN.or_none()},
                passing=HISTORY,
            ),
            Observable(
                "subscription",
                "whether a card is suspended, by IMSI: active, barring or withdrawal; or ended for good",
                fields={"imsi": IMSI, "status": one_of("active", "barring", "withdrawal", ENDED)},
            ),
        ),
        controls=(*controls.ALL, ROLES),
        events=EVENTS,
    )
    core: Core

    async def start(self) -> None:
        """Open the store and listen."""
        from simulators.hss.store import METADATA, Store  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        handlers = {
            "authentication-information-request": authentication_information,
            "update-location-request": update_location,
            "purge-ue-request": purge_ue,
            "notify-request": notify,
        }
        node = self.core.start_node({name: partial(handler, self.core) for name, handler in handlers.items()})
        await node.listen()

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.core.audit

    async def stop(self) -> None:
        """Say goodbye to the MMEs."""
        await self.core.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        self.core.node.drop()

    # -- cards

    @route("PUT", "/cards/{imsi}", takes=CardProvision, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Provision a card, or change its provisioning; SQN, registration and a learned binding stay.

        A binding or an area that is held is not changed this way, since a change needs its approval record. Number and
        ICCID are those of no other card (409).
        """
        wanted: CardProvision = call.given
        area = wanted.entry("area", HssArea)
        subscription = subscribed(wanted.entry("subscription", HssSubscription), area)
        made = _subscriber(wanted, wanted.entry("binding", HssBinding), subscription)
        number = {"number": wanted.msisdn, "ranges": self.core.ranges}
        self.core.audit.require(controls.RANGE, wanted.imsi, By.of(call), "provision", number, wanted=wanted.msisdn)
        if others := self.core.store.taken(made):
            raise ManagementError(409, f"another card has the {others[0][0]} {others[0][1]}")
        held = self.core.store.get(wanted.imsi)
        self.may_be_so_large(
            made.imsi, zones_of(made), area.province if area is not None else "", controls.Occasion.PROVISION
        )
        if held is not None:
            self._check_held(By.of(call), held, made)
            made = _carry_over(held, made)
            made.contexts = context_identifiers(held.contexts, apns_of(self.config, held), apns_of(self.config, made))
        details = {"profile": wanted.profile, "bound": made.bound, "mode": made.mode}
        self.core.store.put(made, self._record(call, "provision", made.imsi, details))
        if held is None or held.bound != made.bound:
            self.core.show_binding(made)
        return self.tell(made)

    def _check_held(self, by: By, held: Subscriber, made: Subscriber) -> None:
        """Ask the controls whether what restricts a held card stays as it is. Raises ManagementError (409)."""
        zones = zones_of(held)
        self.core.binding.stays(held.imsi, by, changed=not _same_binding(held, made))
        self.core.area.stays(held.imsi, by, changed=bool(zones) and zones_of(made) != zones)

    @route("DELETE", "/cards/{imsi}")
    async def cancel_card(self, call: Call) -> dict[str, Any]:
        """End a card for good: its location is cancelled and its subscription withdrawn."""
        subscriber = self.card_of(call)
        await self._suspend(call, (subscriber,), Suspension(how="withdrawal", reason="cancelled"), ends=True)
        return self.tell(subscriber)

    @route("GET", "/cards/{imsi}")
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what the register holds of a card; keys are never told."""
        return self.tell(self.card_of(call))

    @route("GET", "/cards", query=CardsPage)
    async def list_cards(self, call: Call) -> list[dict[str, Any]]:
        """List what the register holds of cards, by IMSI."""
        asked: CardsPage = call.query
        return [self.tell(each) for each in self.core.store.page(after=asked.after, most=asked.limit)]

    @route("GET", "/cards/{imsi}/location")
    async def locate(self, call: Call) -> dict[str, Any]:
        """Ask the serving MME for a card's state and place (IDR)."""
        flags = IdrFlags.EPS_USER_STATE | IdrFlags.EPS_LOCATION_INFORMATION
        answer = await insert_subscriber_data(self.core, self.card_of(call), [], flags=int(flags))
        if answer is None:
            raise ManagementError(503, "no MME that can be reached serves the card")
        found = describe(answer).fields
        return {key: found.get(key) for key in ("eps_user_state", "eps_location_information")}

    @route("DELETE", "/cards/{imsi}/location")
    async def end_location(self, call: Call) -> dict[str, Any]:
        """End what a card has, an attach under way too (CLR); it may attach again, and is judged anew."""
        subscriber = self.card_of(call)
        record = self._record(call, "cancel-location", subscriber.imsi, {"reason": By.of(call).reason})
        await cancel_location(self.core, *withdraw(self.core, (subscriber,), (record,), owed=Owed.RE_ATTACH))
        return self.tell(subscriber)

    # -- binding

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
        subscriber = self.card_of(call)
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
        return self.tell(subscriber)

    # -- suspension

    @route("POST", "/cards/{imsi}/suspension", takes=Suspension)
    async def suspend_card(self, call: Call) -> dict[str, Any]:
        """Suspend a card; what it has is ended at once. `told` says how its MME heard of it.

        `insert-subscriber-data`, `cancel-location` (also where the MME cannot bar a card), `pending` where it did not
        answer and is told again, `nobody` where no MME serves the card.
        """
        subscriber = self.card_of(call)
        told = await self._suspend(call, (subscriber,), call.given)
        return {**self.tell(subscriber), "told": told[subscriber.imsi]}

    async def _suspend(
        self, call: Call, subscribers: Sequence[Subscriber], wanted: Suspension, *, ends: bool = False
    ) -> dict[str, str]:
        """Suspend cards, or end them for good; return how the MME of each was told. Who is ended stays so."""
        over = {} if ends else {each.imsi: "nobody" for each in subscribers if each.ended}
        subscribers = [each for each in subscribers if each.imsi not in over]
        held = {"suspended": ENDED if ends else wanted.how, "why": wanted.reason}
        details = {"how": held["suspended"], "reason": wanted.reason}
        records = [self._record(call, "suspend", subscriber.imsi, details) for subscriber in subscribers]
        if wanted.how == "withdrawal":
            debts = withdraw(self.core, subscribers, records, owed=Owed.WITHDRAWAL, **held)
        else:
            debts = self.core.store.change_all(subscribers, records, owed=Owed.BARRING, **held)
        for subscriber in subscribers:
            self.core.show_status(subscriber)
        if wanted.how == "withdrawal":
            await cancel_location(self.core, *debts)
            way = {debt.imsi: "pending" if self.core.store.owes(debt) else "cancel-location" for debt in debts}
            ways = [way.get(each.imsi, "nobody") for each in subscribers]
        else:
            owed = {debt.imsi: debt for debt in debts}
            ways = await asyncio.gather(*(self._bar(each, owed.get(each.imsi)) for each in subscribers))
        return over | {each.imsi: way for each, way in zip(subscribers, ways, strict=True)}

    async def _bar(self, subscriber: Subscriber, debt: Debt | None) -> str:
        if debt is None:
            return "nobody"
        return await follow_up(self.core, subscriber, await tell_barring(self.core, subscriber, debt))

    @route("POST", "/suspensions", takes=ManySuspended)
    async def suspend_many(self, call: Call) -> dict[str, Any]:
        """Suspend many cards, all or none; `unknown` are those that the register does not have."""
        wanted: ManySuspended = call.given
        found = {imsi: self.core.store.get(imsi) for imsi in wanted.cards}
        known = [subscriber for subscriber in found.values() if subscriber is not None]
        told = await self._suspend(call, known, wanted)
        unknown = [imsi for imsi, held in found.items() if held is None]
        return {"suspended": len(known), "unknown": unknown, "told": dict(Counter(told.values()))}

    @route("DELETE", "/cards/{imsi}/suspension", errors=(409,))
    async def resume_card(self, call: Call) -> dict[str, Any]:
        """End a card's suspension; a card that was ended for good stays so (409)."""
        subscriber = self.card_of(call)
        if subscriber.ended:
            raise ManagementError(409, f"{subscriber.imsi} was ended for good")
        how = subscriber.suspended
        owed = Owed.BARRING if how == "barring" else None
        record = self._record(call, "resume", subscriber.imsi, {"how": how})
        debt = self.core.store.change(subscriber, record, owed=owed, suspended="", why="")
        self.core.show_status(subscriber)
        if debt is not None:
            await tell_barring(self.core, subscriber, debt)
        return self.tell(subscriber)

    # -- audit

    @route("GET", "/audit")
    async def audit(self, _call: Call) -> list[dict[str, Any]]:
        """Tell all audit records."""
        return self.core.store.audited()

    @route("GET", "/cards/{imsi}/audit")
    async def audit_card(self, call: Call) -> list[dict[str, Any]]:
        """Tell a card's audit records: what was bound, learned, refused, suspended, by whom and why."""
        return self.core.store.audited(self.card_of(call).imsi)

    # -- verbs

    @verb("suspended")
    async def suspend(self, arguments: Suspend) -> str:
        """Suspend a card: `suspended`."""
        body = {"how": arguments.how, "reason": arguments.reason}
        await self.manage(Role.OPERATOR, "POST", f"/cards/{self._imsi(arguments.card)}/suspension", body)
        return "suspended"

    @verb("active")
    async def resume(self, arguments: Resume) -> str:
        """Resume a card: `active`."""
        await self.manage(Role.OPERATOR, "DELETE", f"/cards/{self._imsi(arguments.card)}/suspension")
        return "active"

    @verb("bound", "refused")
    async def rebind(self, arguments: Bind) -> str:
        """Change a card's binding: `bound`, or `refused`."""
        body = arguments.model_dump(include={"imei", "approver", "reason", "form"})
        path = f"/cards/{self._imsi(arguments.card)}/binding"
        try:
            await self.manage(arguments.role, "PUT", path, body, caller=arguments.caller)
        except ManagementError as refusal:
            if refusal.status == 403:
                return "refused"
            raise
        return "bound"

    # -- helpers

    def _imsi(self, card: str) -> str:
        found = self.core.store.named(card)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no card {card}")
        return found.imsi

    def card_of(self, call: Call) -> Subscriber:
        """Return the card of a call's path. Raises ManagementError (404)."""
        found = self.core.store.get(call.path["imsi"])
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no card {call.path['imsi']}")
        return found

    def _record(self, call: Call, action: str, imsi: str, details: Mapping[str, Any]) -> dict[str, Any]:
        return self.core.audit.record(action, imsi, details, By.of(call))

    def tell(self, subscriber: Subscriber) -> dict[str, Any]:
        """Tell what is held of a card; keys are never told."""
        bound, imei = subscriber.bound, subscriber.imei
        return {
            "imsi": subscriber.imsi,
            "card": subscriber.name,
            "iccid": subscriber.iccid,
            "msisdn": subscriber.msisdn,
            "profile": subscriber.profile,
            "functions": subscriber.functions.split(),
            "binding": {"how": subscriber.mode, "imei": Imei(bound).imei if bound else ""} if subscriber.mode else None,
            "suspended": subscriber.suspended,
            "mme": subscriber.mme,
            "terminal": Imei(imei).imei if imei else "",
            "subscription": subscriber.subscription,
        }


def _subscriber(wanted: CardProvision, binding: HssBinding | None, subscription: HssSubscription | None) -> Subscriber:
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
    )


def _same_binding(held: Subscriber, made: Subscriber) -> bool:
    """Whether a card stays bound as it is; what was learned is learned no further by provisioning."""
    return made.mode == held.mode == "learned" or (made.mode, made.bound) == (held.mode, held.bound)


def _carry_over(held: Subscriber, made: Subscriber) -> Subscriber:
    """Return the new provisioning with what a card keeps."""
    return replace(
        made,
        seq=held.seq,
        bound=held.bound if made.mode == held.mode == "learned" else made.bound,
        suspended=held.suspended,
        why=held.why,
        mme=held.mme,
        mme_realm=held.mme_realm,
        plmn=held.plmn,
        imei=held.imei,
        purged=held.purged,
        attempts=held.attempts,
        vectors=held.vectors,
    )
