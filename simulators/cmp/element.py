"""The platform as an element: it listens on S13, and its management interface is the operator's hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.answers import (
    AllRecordsAsked,
    AuditsTold,
    BatchTold,
    ByHand,
    CardsAsked,
    CardsTold,
    CardTold,
    Day,
    Ended,
    Loaded,
    RecordsAsked,
    RisksTold,
    ServicesTold,
)
from simulators.cmp.config import (
    Account,
    BindingBatch,
    BulkLoad,
    CmpBinding,
    CmpCard,
    CmpConfig,
    Pool,
    PoolChange,
)
from simulators.cmp.events import EVENTS
from simulators.cmp.north.service import North, NorthVerbs
from simulators.cmp.parts.codes import Codes
from simulators.cmp.platform import Platform
from simulators.cmp.procedures import binding, lifecycle, loading, pools, records, sweep
from simulators.cmp.procedures.identity_check import me_identity_check
from simwarden.errors import ManagementError
from simwarden.model.values import CELL, GIVEN, IDENTIFIER, IMEI, IMSI, STATION, members, one_of, shaped
from simwarden.operations.approval import Approval, Audit, BindingChange, By
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Call, Role, route
from simwarden.operations.provision import CardProvision
from simwarden.policy.card_states import CardState
from simwarden.policy.risk_scenes import SCENES
from simwarden.runtime.declare import HISTORY, Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.cmp.card import Card
    from simulators.cmp.store import Records

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


#: why a subscription began or ended (CAMARA `initiationReason`, `terminationReason`), or the terminal that is told
_TOLD = (
    IMEI
    | one_of(
        "SUBSCRIPTION_CREATED",
        "SUBSCRIPTION_DELETED",
        "SUBSCRIPTION_EXPIRED",
        "ACCESS_TOKEN_EXPIRED",
        "MAX_EVENTS_REACHED",
        "NETWORK_TERMINATED",
    )
).or_none()


class Cmp(NorthVerbs, Element[CmpConfig]):
    """The connection-management platform."""

    declaration = Declaration(
        kind="cmp",
        title="Connection-management platform",
        lane=75,
        config=CmpConfig,
        standing=False,
        starts_after=("hss", "sms_gateway"),
        listens=("S13",),
        card={"binding": CmpBinding, "platform": CmpCard},
        observables=(
            Observable(
                "card",
                "where a card is in its life, by IMSI",
                fields={
                    "imsi": IMSI,
                    "state": members(CardState),
                    "account": GIVEN.or_none(),
                    "batch": GIVEN.or_none(),
                },
                kept=True,
            ),
            Observable(
                "binding",
                "the IMEI that a card is bound to, by IMSI",
                fields={"imsi": IMSI, "imei": IMEI, "how": one_of("given", "learned")},
                kept=True,
            ),
            Observable(
                "equipment",
                "what was said of a terminal last, by IMEI",
                fields={"imsi": IMSI.or_none(), "imei": IMEI, "status": one_of("allowed", "prohibited")},
                passing=HISTORY,
            ),
            Observable(
                "risk",
                "the last record of risk of a card, by IMSI: the scene's code, and what was done",
                fields={
                    "imsi": IMSI,
                    "scene": one_of(*SCENES),
                    "expected": IMEI | GIVEN | one_of("no phone"),
                    "seen": IMEI,
                    "source": one_of("network", "records"),
                    "action": one_of("alarm", "refuse", "suspend"),
                },
                passing=HISTORY,
                evidence="record",
                kept=True,
            ),
            Observable(
                "presence",
                "what an MME said last of where a card is, by IMSI: inside or outside its area, and the cell",
                fields={"imsi": IMSI, "place": one_of("inside", "outside"), "cell": (CELL | STATION).or_none()},
                passing=HISTORY,
            ),
            Observable(
                "notification",
                "the last event that a subscriber was told of, by IMSI: its type, and the IMEI or the reason in it",
                fields={
                    "subscription": IDENTIFIER,
                    "imsi": IMSI,
                    "type": one_of("subscription-started", "subscription-ended", "imei-change", "area-change"),
                    "told": _TOLD,
                    "sink": shaped("the host of a sink", r"[0-9a-z.-]+"),
                },
                passing=HISTORY,
            ),
        ),
        controls=(*controls.ALL, ROLES),
        events=EVENTS,
    )
    parts = (Codes,)
    platform: Platform

    async def start(self) -> None:
        """Open the store and listen; tell the HSS what is still pending for it."""
        from simulators.cmp.access_codes import METADATA as CODES  # noqa: PLC0415 - as below
        from simulators.cmp.access_codes import AccessCodes  # noqa: PLC0415 - as below
        from simulators.cmp.store import METADATA, Store  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        store = Store(self.site.open_store(METADATA))
        store.give_up_loads()
        platform = self.platform = Platform(self.site, self.config, store)
        codes = AccessCodes(platform, self.site.open_store(CODES))
        self.fit(codes)
        sweep.take_up(platform)
        platform.node = platform.peers.serve(
            {"S13": {"me-identity-check-request": partial(me_identity_check, platform)}}
        )
        self.north = North(platform, self.config.north) if self.config.north.clients else None
        await platform.node.listen()
        if self.north is not None:
            await self.north.start()
        self.site.spawn(lifecycle.tell_pending(platform), "pending notifications")
        if codes.gateways:
            self.site.spawn(codes.keep_told(), "codes told", standing=True)
        accounts = (*platform.settings.accounts.values(), self.config.others)
        if any(each.check == "next-day" for each in accounts):
            self._judge_days()

    def _judge_days(self) -> None:
        if not self.platform.judging:
            self.platform.judging = True
            self.site.spawn(records.judge_days(self.platform), "records of the day before", standing=True)

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.platform.audit

    async def stop(self) -> None:
        """Say goodbye to those who ask."""
        if self.north is not None:
            await self.north.stop()
        await self.platform.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        if self.north is not None:
            await self.north.stop()
        self.platform.node.drop()

    # -- cards

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Provision a card; of one that is held, whose it is may change, its state and a held binding not (409).

        Number and ICCID are those of no other card (409).
        """
        made = loading.provisioned(call.given)
        self.platform.may_issue([made.msisdn], made.imsi, By.of(call), "provision")
        if others := self.platform.store.taken(made):
            raise ManagementError(409, f"another card has the {others[0][0]} {others[0][1]}")
        held = self.platform.store.get(made.imsi)
        reassigned = held is not None and (held.account, held.msisdn) != (made.account, made.msisdn)
        if held is not None:
            changed = made.mode != held.mode or bool(made.bound and made.bound != held.bound)
            self.platform.binding.stays(held.imsi, By.of(call), changed=changed)
            made = _carry_over(held, made, rebound=changed)
            if reassigned:  # other pools, other wishes
                made.pending = binding.pending_by(self.platform, made)
        else:
            made.pending = lifecycle.pending_of_new(made.state)
        self.platform.put(made, loading.record(self.platform, made, By.of(call)), reassigned=reassigned)
        self.platform.show_card(made)
        self.platform.show_binding(made)
        kept = self.platform.card(made.imsi)
        await lifecycle.tell_hss(self.platform, kept)
        return self.platform.tell(kept, call.role)

    async def provision_new(self, cards: Sequence[CardProvision], by: By) -> bool:
        """Provision many cards at once."""
        return await loading.provision_new(self.platform, cards, by)

    @route("GET", "/cards", roles=_BOTH, query=CardsAsked, gives=CardsTold)
    async def list_cards(self, call: Call) -> dict[str, Any]:
        """List cards by IMSI, or find those of an identity; a customer's own only."""
        asked: CardsAsked = call.query
        where = asked.model_dump(mode="json", include={"account", "batch", "state", "msisdn", "iccid"})
        found, more, total = self.platform.store.page(
            {name: value for name, value in where.items() if value},
            imei=asked.imei,
            after=asked.after,
            most=asked.limit,
            accounts=_accounts(call),
        )
        told = [self.platform.tell(card, call.role) for card in found]
        return {"cards": told, "next": found[-1].imsi if more else "", "total": total}

    @route("POST", "/cards", takes=BulkLoad, gives=Loaded, errors=(409,))
    async def load(self, call: Call) -> dict[str, int]:
        """Load many new cards with their bindings, all or none; 409 names what cards have already."""
        return {"cards": await loading.load(self.platform, call.given.cards, By.of(call))}

    @route("GET", "/cards/{imsi}", roles=_BOTH, gives=CardTold)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what is held of a card; to a customer of its own only."""
        return self.platform.tell(self._card(call), call.role)

    @route("GET", "/cards/{imsi}/services", roles=_BOTH, gives=ServicesTold, errors=(502, 503))
    async def services(self, call: Call) -> dict[str, Any]:
        """Tell the lists and quotas that elements have of a card, and what is used; to a customer of its own only.

        They are changed there, by the operator.
        """
        path, found = f"/cards/{self._card(call).imsi}/list", []
        for name in self.config.services:
            try:
                found.append({"element": name, **await self.site.manage(name, "GET", path)})
            except ManagementError as error:
                if error.status != 404:  # it has no such card
                    raise
        return {"services": found}

    @route(
        "POST",
        "/cards/{imsi}/operations/{operation}",
        roles=_BOTH,
        types={"operation": ByHand},
        takes=Approval,
        gives=CardTold,
        errors=(409, 423),
    )
    async def operate(self, call: Call) -> dict[str, Any]:
        """Change a card's state by an operation: test, issue, activate, suspend, resume, pre-cancel, restore, close.

        A suspension needs its approval record.
        """
        card = self._card(call)
        await lifecycle.operate(self.platform, card, call.path["operation"], By.of(call))
        return self.platform.tell(card, call.role)

    # -- bindings

    @route("PUT", "/cards/{imsi}/binding", roles=_BOTH, takes=BindingChange, gives=CardTold, errors=(423, 429))
    async def bind(self, call: Call) -> dict[str, Any]:
        """Bind a card to an IMEI, or to the one of its next first use. By the operator, with an approval record."""
        card, wanted = self._card(call), call.given
        await binding.bind(self.platform, card, By.of(call), imei=wanted.imei)
        return self.platform.tell(card, call.role)

    @route("DELETE", "/cards/{imsi}/binding", roles=_BOTH, takes=Approval, gives=CardTold, errors=(423, 429))
    async def unbind(self, call: Call) -> dict[str, Any]:
        """Take a card's binding away. By the operator, with an approval record."""
        card = self._card(call)
        await binding.unbind(self.platform, card, By.of(call))
        return self.platform.tell(card, call.role)

    @route("POST", "/bindings", roles=_BOTH, takes=BindingBatch, gives=BatchTold)
    async def change_bindings(self, call: Call) -> dict[str, Any]:
        """Change the bindings of a batch of cards; each has its own outcome."""
        self.platform.audit.require(controls.OPERATOR, "", By.of(call), "batch", By.of(call).asks("batch"))
        return {"cards": await binding.change_batch(self.platform, call.given.cards, By.of(call))}

    @route("GET", "/pools", gives=dict[str, Pool])
    async def list_pools(self, _call: Call) -> dict[str, Any]:
        """Tell all pools of terminals."""
        return {name: pool.model_dump(mode="json") for name, pool in self.platform.settings.pools.items()}

    @route("PUT", "/pools/{pool}", roles=_BOTH, takes=PoolChange, gives=Ended)
    async def put_pool(self, call: Call) -> dict[str, int]:
        """Set a pool of terminals tied to a pool of numbers; what it no longer allows ends at once."""
        pool: Pool = call.given.pool()
        return {"ended": await pools.put_pool(self.platform, call.path["pool"], pool, By.of(call))}

    @route("DELETE", "/pools/{pool}", roles=_BOTH, takes=Approval, gives=Ended)
    async def delete_pool(self, call: Call) -> dict[str, int]:
        """Take a pool of terminals away."""
        self.platform.audit.require(controls.OPERATOR, "", By.of(call), "pool", By.of(call).asks("pool"))
        if call.path["pool"] not in self.platform.settings.pools:
            raise ManagementError(404, f"there is no pool {call.path['pool']}")
        return {"ended": await pools.put_pool(self.platform, call.path["pool"], None, By.of(call))}

    # -- accounts and batches

    @route("GET", "/accounts", gives=dict[str, Account])
    async def list_accounts(self, _call: Call) -> dict[str, Any]:
        """Tell what all accounts want of the check of their cards."""
        return {name: account.model_dump(mode="json") for name, account in self.platform.settings.accounts.items()}

    @route("PUT", "/accounts/{account}", roles=_BOTH, takes=Account, gives=Account)
    async def put_account(self, call: Call) -> dict[str, Any]:
        """Set what an account wants of the check of its cards; what it no longer allows ends at once."""
        account: Account = call.given
        await pools.put_account(self.platform, call.path["account"], account, By.of(call))
        if account.check == "next-day":
            self._judge_days()
        return account.model_dump(mode="json")

    @route("POST", "/accounts/{account}/batches/{batch}/shutdown", roles=_BOTH, takes=Approval, gives=Loaded)
    async def shut_down(self, call: Call) -> dict[str, int]:
        """Shut one batch of a customer down at once, with an approval record; other batches stay up."""
        account, batch = call.path["account"], call.path["batch"]
        return {"cards": await sweep.shut_down(self.platform, account, batch, By.of(call))}

    # -- records

    @route("POST", "/records/{day}", types={"day": Day}, gives=Loaded)
    async def judge_records(self, call: Call) -> dict[str, int]:
        """Judge the contacts of a day (`2026-03-02`) now."""
        return {"cards": await records.judge_day(self.platform, call.path["day"])}

    @route("GET", "/risks", roles=_BOTH, query=AllRecordsAsked, gives=RisksTold)
    async def risks(self, call: Call) -> dict[str, Any]:
        """List records of risk, the newest first; to a customer those of its own cards."""
        return self.platform.store.risks(_asked(call, call.query.imsi), accounts=_accounts(call))._asdict()

    @route("GET", "/cards/{imsi}/risks", roles=_BOTH, query=RecordsAsked, gives=RisksTold)
    async def risks_of(self, call: Call) -> dict[str, Any]:
        """List a card's records of risk, the newest first."""
        return self.platform.store.risks(_asked(call, self._card(call).imsi), accounts=_accounts(call))._asdict()

    @route("GET", "/audit", roles=_BOTH, query=AllRecordsAsked, gives=AuditsTold)
    async def audit(self, call: Call) -> dict[str, Any]:
        """List audit records, the newest first: what was done and refused, by whom and why.

        To a customer those of its own cards.
        """
        return self.platform.store.audited(_asked(call, call.query.imsi), accounts=_accounts(call))._asdict()

    @route("GET", "/cards/{imsi}/audit", roles=_BOTH, query=RecordsAsked, gives=AuditsTold)
    async def audit_of(self, call: Call) -> dict[str, Any]:
        """List a card's audit records, the newest first; to a customer those since the card is its own."""
        return self.platform.store.audited(_asked(call, self._card(call).imsi), accounts=_accounts(call))._asdict()

    def _card(self, call: Call) -> Card:
        return self.platform.card(call.path["imsi"], By.of(call))


def _accounts(call: Call) -> frozenset[str] | None:
    """Return the accounts whose cards a caller may know of; None for all."""
    return call.accounts if call.role is Role.CUSTOMER else None


def _asked(call: Call, imsi: str) -> Records:
    from simulators.cmp.store import Records  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

    asked: RecordsAsked = call.query
    since, until = (at.isoformat() if at is not None else "" for at in (asked.since, asked.until))
    return Records(imsi, since, until, asked.after, asked.limit)


def _carry_over(held: Card, made: Card, *, rebound: bool) -> Card:
    """Return the card with what it keeps; only a switch lets it be `rebound`."""
    if rebound:
        held = replace(held, mode=made.mode, bound=made.bound)
    identity = {name: getattr(made, name) for name in ("imsi", "iccid", "msisdn", "name", "form", "account", "batch")}
    carried = replace(held, **identity)
    return (
        replace(carried, handed_over=True, strayed=False, mismatches=0) if carried.account != held.account else carried
    )
