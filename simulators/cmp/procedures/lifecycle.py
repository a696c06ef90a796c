"""The life of a card: operations by the table of states, and what the HSS is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.card import Change
from simwarden.errors import ManagementError
from simwarden.policy.card_states import SERVED, TRANSITIONS, CardState, Operation
from simwarden.policy.risk_scenes import IN_PHONE, SEPARATED
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.operations.approval import By
    from simwarden.policy.decision import Decision

#: cards that the HSS is told of at the same time
_AT_ONCE = 64
#: operations that wait for no lock: what stops a card, and what undoes it
_URGENT = frozenset({Operation.SUSPEND, Operation.RESUME})


async def operate(platform: Platform, card: Card, operation: Operation, by: By) -> None:
    """Do something to a card's state, by the table, and tell the HSS.

    Raises ManagementError: 403 for a customer, and for a suspension without its approval record, 409 for an operation
    that the table lacks, 423 for a locked card.
    """
    on = controls.Occasion.OPERATION
    platform.audit.require(controls.OPERATOR, card.imsi, by, operation.value, by.asks(operation.value), on=on)
    if operation not in _URGENT:
        check_lock(platform, card, by, operation.value, on=on)
    if operation is Operation.SUSPEND:
        platform.audit.require(controls.APPROVAL, card.imsi, by, operation.value, by.approval, on=on)
    facts = {"state": card.state, "operation": operation}
    platform.audit.require(controls.TRANSITION, card.imsi, by, operation.value, facts, on=on, status=409)
    carry_out(platform, card, operation, by, by.reason)
    await tell_hss(platform, card)


def check_lock(platform: Platform, card: Card, by: By, action: str, *, on: str = "") -> None:
    """Refuse an operation on a card that somebody operated on a moment ago. Raises ManagementError (423)."""
    elapsed = platform.now().timestamp() - card.operated if card.operated else None
    lock = platform.config.limits.lock
    platform.audit.require(controls.LOCK, card.imsi, by, action, {"elapsed": elapsed, "lock": lock}, on=on, status=423)


def carry_out(platform: Platform, card: Card, operated: Operation, by: By | None, reason: str) -> None:
    """Change a card's state and keep it; what the HSS has to be told is kept as pending. `by` None: the network."""
    change = Change(card)
    operation(platform, change, operated, by, reason)
    platform.keep(change)


def operation(platform: Platform, change: Change, operated: Operation, by: By | None, reason: str) -> None:
    """Let a change of a card be an operation on its state, by the table."""
    card, before = change.card, change.becomes("state")
    # Where a switch lets an operation pass that the table lacks, the state stays.
    after = TRANSITIONS.get((before, operated), before)
    details: dict[str, Any] = {"before": before.value, "after": after.value, "reason": reason}
    if by is not None:
        details.update(by.approval)
    pending, still = _pending(before, after), change.becomes("pending")
    if pending == "resume" and still:  # the HSS has not heard of an end of what runs that came before
        pending = "reopen"
    change.values |= {"state": after, "pending": pending or still}
    if by is not None and operated not in _URGENT:
        change.values["operated"] = platform.now().timestamp()
    change.audit.append(platform.record(operated.value, card.imsi, by, details))
    change.shown.append(lambda: platform.show_card(card))


def mismatch(platform: Platform, change: Change, decision: Decision, *, source: str, action: str, **more: str) -> None:
    """Let a change count that a card is in a wrong terminal, with the records of it, which say `more` in the audit."""
    card, seen = change.card, decision.details.get("seen", "")
    change.values["mismatches"] = card.mismatches + 1
    details = {"scene": SEPARATED, "reason": decision.reason, "action": action, **decision.details, **more}
    change.audit.append(platform.record("mismatch", card.imsi, None, details))
    platform.risk(change, SEPARATED, decision, source=source, action=action)
    platform.happens(change, "mismatch", seen=seen)


def in_phone(platform: Platform, change: Change, decision: Decision, *, source: str, action: str, **more: str) -> None:
    """Let a change leave the records of a card that is in a phone."""
    details = {"scene": IN_PHONE, "reason": decision.reason, "action": action, **decision.details, **more}
    change.audit.append(platform.record("phone", change.card.imsi, None, details))
    platform.risk(change, IN_PHONE, decision, source=source, action=action)


def eviction(platform: Platform, change: Change) -> None:
    """Let a change end what a card has in a terminal that it may no longer be in; that is pending for the HSS.

    Of a card that is suspended, or about to be, nothing is left to end.
    """
    if platform.config.hss != "off" and change.becomes("state") in SERVED:
        change.values["pending"] = "reopen" if change.becomes("pending") in ("resume", "reopen") else "evict"


def _pending(before: CardState, after: CardState) -> str:
    """Return what the HSS has to be told of a card whose state changes; not every network asks the platform."""
    if after is CardState.CLOSED:
        return "close"
    if before in SERVED and after not in SERVED:
        return "suspend"
    if before not in SERVED and after in SERVED:
        return "resume"
    return ""


def pending_of_new(state: CardState) -> str:
    """Return what the HSS has to be told of a card that comes to the platform in a state."""
    return _pending(CardState.ACTIVE, state)


# -- the HSS -------------------------------------------------------------------------------------------


async def tell_hss(platform: Platform, card: Card) -> None:
    """Tell the HSS what is pending for it of a card; one that cannot be reached is told later."""
    hss = platform.config.hss
    if card.imsi in platform.telling:
        return
    platform.telling.add(card.imsi)
    try:
        while card.pending:
            what = card.pending
            if hss != "off" and not await _tell_once(platform, hss, card, what):
                retry_later(platform)
                return
            platform.store.told([card], what)
    except StoreError:
        retry_later(platform)
        raise
    finally:
        platform.telling.discard(card.imsi)


async def _tell_once(platform: Platform, hss: str, card: Card, what: str) -> bool:
    path = f"/cards/{card.imsi}"
    try:
        if what == "close":
            await platform.site.manage(hss, "DELETE", path)
        elif what == "suspend":
            body = {"how": platform.config.suspension, "reason": f"{card.state.value} by {platform.site.name}"}
            await platform.site.manage(hss, "POST", f"{path}/suspension", body)
        if what in ("evict", "reopen"):  # an attach under way as well, about which the platform was asked before
            await platform.site.manage(hss, "DELETE", f"{path}/location", {"reason": f"order of {platform.site.name}"})
        if what in ("resume", "reopen"):
            await platform.site.manage(hss, "DELETE", f"{path}/suspension")
    except ManagementError as error:
        platform.site.note(f"{hss} was not told to {what}: {error}", imsi=card.imsi)
        return error.status == 404  # a card that the HSS does not have needs no word about it
    return True


def retry_later(platform: Platform) -> None:
    """See to it that what is pending is told in a while."""
    if not platform.retrying:
        platform.retrying = True
        platform.site.spawn(_retry(platform), "pending notifications")


async def _retry(platform: Platform) -> None:
    try:
        await platform.site.clock.sleep(platform.config.retry)
    finally:
        platform.retrying = False
    await tell_pending(platform)


async def tell_pending(platform: Platform) -> None:
    """Tell the HSS all that is pending for it."""
    after = ""
    try:
        while some := platform.store.some(pending=True, after=after, most=_AT_ONCE):
            after = some[-1].imsi
            await tell_all(platform, some)
            await platform.site.clock.give_way()
    except StoreError:
        retry_later(platform)
        raise


async def tell_all(platform: Platform, cards: Sequence[Card]) -> None:
    """Tell the HSS of many cards, some at a time; suspensions, which are in a hurry, by one call for some."""
    for start in range(0, len(cards), _AT_ONCE):
        some = cards[start : start + _AT_ONCE]
        if platform.config.hss == "off":  # one transaction for all: PostgreSQL takes 1 to 3 ms for each
            for what in sorted({card.pending for card in some} - {""}):
                platform.store.told(some, what)
            continue
        await _suspend_some(platform, [card for card in some if card.pending == "suspend"])
        await asyncio.gather(*(tell_hss(platform, card) for card in some))


async def _suspend_some(platform: Platform, cards: Sequence[Card]) -> None:
    """Have the HSS suspend cards all at once. If it cannot, they stay pending, and are told one by one."""
    hss = platform.config.hss
    cards = [card for card in cards if card.imsi not in platform.telling]
    if len(cards) < 2:
        return
    imsis = [card.imsi for card in cards]
    platform.telling.update(imsis)
    try:
        reason = f"suspended by {platform.site.name}"
        body = {"cards": imsis, "how": platform.config.suspension, "reason": reason}
        await platform.site.manage(hss, "POST", "/suspensions", body)
        platform.store.told(cards, "suspend")
    except ManagementError as error:
        platform.site.note(f"{hss} was not told to suspend {len(cards)} cards at once: {error}")
    except StoreError:
        retry_later(platform)
        raise
    finally:
        platform.telling.difference_update(imsis)
