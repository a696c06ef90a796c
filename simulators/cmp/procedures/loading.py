"""Loading many new cards, a slice at a time, and all or none: until the last one is kept none of them exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from simulators.cmp.card import Card
from simulators.cmp.config import BulkCard, CmpBinding, CmpCard
from simulators.cmp.procedures.lifecycle import pending_of_new, tell_pending
from simulators.cmp.procedures.sweep import SLICE
from simwarden.errors import ManagementError
from simwarden.operations.management import reasons
from simwarden.operations.provision import about
from simwarden.policy.numbers import international
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.cmp.platform import Platform
    from simwarden.operations.approval import By
    from simwarden.operations.provision import CardProvision

#: what no two cards have alike
_IDENTITIES = ("imsi", "msisdn", "iccid")


async def load(platform: Platform, cards: Sequence[Any], by: By) -> int:
    """Load new cards, as a body gives them, and return how many.

    Raises ManagementError: 400 for what is no card, or an identity that stands there twice, 403 for
    a number that is not dedicated, 409 for an identity that is held.
    """
    name, kept, pending = platform.site.rng.randbytes(16).hex(), list[str](), False
    seen: dict[str, set[str]] = {each: set() for each in _IDENTITIES}
    platform.store.begin_load(name)
    try:
        for start in range(0, len(cards), SLICE):
            some = [_of_bulk(_read(start + place, each)) for place, each in enumerate(cards[start : start + SLICE])]
            _check_twice(some, seen)
            platform.may_issue([card.msisdn for card in some], "", by, "load")
            held = platform.store.load(name, some)
            if held:
                told = ", ".join(f"{identity} {value}" for identity, value in held[:5])
                raise ManagementError(409, f"cards are held already with {told}")  # noqa: TRY301 - the rest goes below
            kept += [card.imsi for card in some]
            pending = pending or any(card.pending for card in some)
            await platform.site.clock.give_way()
        platform.store.end_load(name, platform.record("load", "", by, {"cards": len(cards)}))
    except (ManagementError, StoreError):
        await _unload(platform, name, kept)
        raise
    if pending:
        await tell_pending(platform)
    return len(cards)


async def provision_new(platform: Platform, wanted: Sequence[CardProvision], by: By) -> bool:
    """Provision many cards at once that are all new; see Element."""
    if platform.store.holds_any(wanted):
        return False
    cards = []
    for each in wanted:
        with about(each):
            platform.may_issue([each.msisdn], each.imsi, by, "provision")
            card = provisioned(each)
        card.pending = pending_of_new(card.state)
        cards.append(card)
    platform.store.put_new(cards, [record(platform, card, by) for card in cards])
    for card in cards:
        platform.show_card(card)
        platform.show_binding(card)
    if any(card.pending for card in cards):  # else all cards would be looked through for each few
        await tell_pending(platform)
    return True


def record(platform: Platform, card: Card, by: By) -> dict[str, Any]:
    """Make the audit record of a card that is provisioned."""
    details = {"account": card.account, "batch": card.batch, "state": card.state.value, "bound": card.bound}
    return platform.record("provision", card.imsi, by, details)


def provisioned(wanted: CardProvision) -> Card:
    """Return a card as it is provisioned. Raises ManagementError (400)."""
    bound, place = wanted.entry("binding", CmpBinding), wanted.entry("platform", CmpCard) or CmpCard()
    return Card(
        imsi=wanted.imsi,
        iccid=wanted.iccid,
        msisdn=wanted.msisdn,
        name=wanted.name,
        form=wanted.form,
        account=place.account,
        batch=place.batch,
        state=place.state,
        mode=bound.mode if bound is not None else "",
        bound=bound.imei if bound is not None else "",
    )


async def _unload(platform: Platform, name: str, kept: Sequence[str]) -> None:
    for start in range(0, len(kept), SLICE):
        platform.store.unload(kept[start : start + SLICE])
        await platform.site.clock.give_way()
    platform.store.give_up_loads(name)


def _read(place: int, given: Any) -> BulkCard:
    try:
        return BulkCard.model_validate(given)
    except ValidationError as error:
        raise ManagementError(400, f"cards.{place}: {reasons(error)}") from None


def _check_twice(cards: Sequence[Card], seen: dict[str, set[str]]) -> None:
    for name, values in seen.items():
        for card in cards:
            value = getattr(card, name)
            if value and name == "msisdn":
                value = international(value)  # one number, however it is written
            if value and value in values:
                raise ManagementError(400, f"an {name} stands there twice")
            values.add(value)


def _of_bulk(each: BulkCard) -> Card:
    return Card(
        imsi=each.imsi,
        iccid=each.iccid,
        msisdn=each.msisdn,
        form=each.form,
        account=each.account,
        batch=each.batch,
        state=each.state,
        mode="given" if each.imei else "learned" if each.learn else "",
        bound=each.imei,
        pending=pending_of_new(each.state),
    )
