"""The HSS as an element: it listens on S6a, and its management interface provisions, binds, suspends and tells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from simulators.hss import controls
from simulators.hss.config import (
    HssArea,
    HssBinding,
    HssConfig,
    HssCsi,
    HssSubscription,
)
from simulators.hss.core import Core
from simulators.hss.events import EVENTS
from simulators.hss.parts.cards import Binding, Cards
from simulators.hss.parts.csi import Csis
from simulators.hss.parts.subscription import Subscriptions
from simulators.hss.parts.suspension import Suspensions
from simulators.hss.procedures.authentication import authentication_information
from simulators.hss.procedures.late import opened, tell_pending
from simulators.hss.procedures.location import purge_ue, update_location
from simulators.hss.procedures.notification import notify
from simulators.hss.procedures.short_message import report_delivery_status, send_routing_info
from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Role
from simwarden.runtime.declare import CardName, Declaration, VerbModel, verb
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simwarden.operations.approval import By
    from simwarden.operations.provision import CardProvision
    from simwarden.runtime.sigtran.map_node import Handler as MapHandler
    from simwarden.wire.tcap.user import Operation


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
    """Ask the HSS to bind a card to a terminal, in place of what it was bound to."""

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


class Hss(Element[HssConfig]):
    """The home subscriber server."""

    declaration = Declaration(
        kind="hss",
        title="Home subscriber server",
        lane=60,
        config=HssConfig,
        listens=("S6a", "S6c", SIGTRAN),
        keys=True,
        card={"binding": HssBinding, "subscription": HssSubscription, "area": HssArea, "csi": HssCsi},
        controls=(*controls.ALL, ROLES),
        events=EVENTS,
        services={"sms": {"centres": {"smsc": "+8613800100500"}}, "voice": {"signalling": {}}},
    )
    parts = (Cards, Binding, Suspensions, Subscriptions, Csis)

    async def start(self) -> None:
        """Open the store and listen."""
        from simulators.hss.store import METADATA, Store  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        core = self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        core.tell_pending = partial(tell_pending, core)
        self.fit(core)
        handlers = {
            "authentication-information-request": authentication_information,
            "update-location-request": update_location,
            "purge-ue-request": purge_ue,
            "notify-request": notify,
        }
        of_centres = {
            "send-routing-info-for-sm-request": send_routing_info,
            "report-sm-delivery-status-request": report_delivery_status,
        }
        bound, bound_of_centres = (
            {name: partial(handler, core) for name, handler in each.items()} for each in (handlers, of_centres)
        )
        await core.start_node(bound, partial(opened, core), bound_of_centres).listen()
        if self.config.signalling is not None:
            await self._start_hlr(core)

    async def _start_hlr(self, core: Core) -> None:
        """Take part in the signalling network; VLRs hear what is pending for them from before."""
        from simulators.hss.procedures import calls  # noqa: PLC0415 - only who serves calls pays for it
        from simwarden.wire.map import SEND_ROUTING_INFO, UPDATE_LOCATION  # noqa: PLC0415

        handlers: dict[Operation, MapHandler] = {
            UPDATE_LOCATION: partial(calls.update_location, core),
            SEND_ROUTING_INFO: partial(calls.send_routing_info, core),
        }
        await core.start_hlr(handlers).start()
        for number in sorted({notice.host for notice in core.store.at_vlrs()}):
            self.site.spawn(tell_pending(core, number), "pending notifications")

    async def provision_new(self, cards: Sequence[CardProvision], by: By) -> bool:
        """Provision many cards at once."""
        done: bool = self.part(Cards).provision_new(cards, by)
        return done

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell who has the messages and the calls of cards, as MMEs and VLRs know it."""
        cards = self.core.store.page(after="", most=1000)
        return {
            "SMS in MME": [(each.imsi, each.mme) for each in cards if each.sms_number],
            "VLRs": [(each.imsi, each.vlr) for each in cards if each.vlr],
        }

    async def stop(self) -> None:
        """Say goodbye to the MMEs, and to the signalling network."""
        if self.core.point is not None:
            self.core.point.stop()
        await self.core.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        if self.core.point is not None:
            self.core.point.stop(kill=True)
        self.core.node.drop()

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

    def _imsi(self, card: str) -> str:
        found = self.core.store.named(card)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no card {card}")
        return found.imsi
