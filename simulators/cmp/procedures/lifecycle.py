"""The life of a card: operations by the table of states, what the subscriber register is told, shutdown of a batch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simwarden.policy.card_states import SERVED, TRANSITIONS, CardState, Operation
from simwarden.runtime.management import ManagementError

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.runtime.approval import By

#: cards that the register is told of at the same time
_AT_ONCE = 64
#: operations that wait for no lock: what stops a card, and what undoes it
_URGENT = frozenset({Operation.SUSPEND, Operation.RESUME})


async def operate(platform: Platform, card: Card, operation: Operation, by: By) -> None:
    """Do something to a card's state, by the table, and tell the subscriber register.

    Raises ManagementError: 403 for a customer, 409 for an operation that the table lacks, 423 for a locked card.
    """
    platform.require(controls.OPERATOR, card, by, operation.value, by.asks)
    if operation not in _URGENT:
        check_lock(platform, card, by, operation.value)
    facts = {"state": card.state, "operation": operation}
    platform.require(controls.TRANSITION, card, by, operation.value, facts, status=409)
    carry_out(platform, card, operation, by, by.reason)
    await tell_register(platform, card)


def check_lock(platform: Platform, card: Card, by: By, action: str) -> None:
    """Refuse an operation on a card that somebody operated on a moment ago. Raises ManagementError (423)."""
    elapsed = platform.now().timestamp() - card.operated if card.operated else None
    lock = platform.config.limits.lock
    platform.require(controls.LOCK, card, by, action, {"elapsed": elapsed, "lock": lock}, status=423)


def carry_out(platform: Platform, card: Card, operation: Operation, by: By | None, reason: str) -> None:
    """Change a card's state and keep it; what the register has to be told is kept as owed. `by` None: the network."""
    record = _change(platform, card, operation, by, reason)
    if by is not None and operation not in _URGENT:
        card.operated = platform.now().timestamp()
    platform.store.put(card, record)
    _show(platform, card)


def _change(platform: Platform, card: Card, operation: Operation, by: By | None, reason: str) -> dict[str, Any]:
    """Change a card's state, unkept, and return the audit record of it."""
    before = card.state
    # Where a switch lets an operation pass that the table lacks, the state stays.
    card.state = TRANSITIONS.get((before, operation), before)
    details: dict[str, Any] = {"before": before.value, "after": card.state.value, "reason": reason}
    if by is not None:
        details.update(by.approval)
    card.owed = _owed(before, card.state) or card.owed
    return platform.record(operation.value, card.imsi, by, details)


def _owed(before: CardState, after: CardState) -> str:
    if after is CardState.CLOSED:
        return "close"
    if before in SERVED and after not in SERVED:
        return "suspend"
    if before not in (*SERVED, CardState.STOCK) and after in SERVED:
        return "resume"
    return ""


def _show(platform: Platform, card: Card) -> None:
    platform.show_card(card)
    platform.happened("state", card, state=card.state.value)


# -- the subscriber register -------------------------------------------------------------------------------------------


async def tell_register(platform: Platform, card: Card) -> None:
    """Tell the subscriber register what it is owed of a card; one that cannot be reached is told later."""
    if await _tell(platform, card):
        platform.store.put(card)


async def _tell(platform: Platform, card: Card) -> bool:
    """Tell what is owed; return whether nothing is any more, which has then to be kept."""
    register = platform.config.hss
    if not card.owed or card.imsi in platform.telling:
        return False
    platform.telling.add(card.imsi)
    try:
        while card.owed:
            what = card.owed
            if register != "off" and not await _tell_once(platform, register, card, what):
                retry_later(platform)
                return False
            if card.owed == what:
                card.owed = ""
    finally:
        platform.telling.discard(card.imsi)
    return True


async def _tell_once(platform: Platform, register: str, card: Card, what: str) -> bool:
    path = f"/cards/{card.imsi}"
    try:
        if what == "close":
            await platform.site.manage(register, "DELETE", path)
        elif what == "suspend":
            body = {"how": platform.config.suspension, "reason": f"{card.state.value} by {platform.site.name}"}
            await platform.site.manage(register, "POST", f"{path}/suspension", body)
        else:
            await platform.site.manage(register, "DELETE", f"{path}/suspension")
    except ManagementError as error:
        platform.site.note(f"{register} was not told to {what}: {error}", imsi=card.imsi)
        return error.status == 404  # a card that the register does not have needs no word about it
    return True


def retry_later(platform: Platform) -> None:
    """See to it that what is owed is told in a while."""
    if not platform.retrying:
        platform.retrying = True
        platform.site.spawn(_retry(platform), "told late")


async def _retry(platform: Platform) -> None:
    try:
        await platform.site.clock.sleep(platform.config.retry)
    finally:
        platform.retrying = False
    await tell_all(platform, list(platform.store.select(owed=True)))


async def tell_all(platform: Platform, cards: list[Card]) -> None:
    """Tell the register of many cards, some at a time."""
    for start in range(0, len(cards), _AT_ONCE):
        some = cards[start : start + _AT_ONCE]
        told = await asyncio.gather(*(_tell(platform, card) for card in some))
        platform.store.put_all([card for card, done in zip(some, told, strict=True) if done], [])


async def evict(platform: Platform, card: Card) -> None:
    """End what a card has in a terminal that is no longer its own: withdrawn, and in force again for the right one."""
    register = platform.config.hss
    if register == "off" or card.state not in SERVED:
        return
    path = f"/cards/{card.imsi}/suspension"
    try:
        await platform.site.manage(register, "POST", path, {"how": "withdrawal", "reason": "terminal changed"})
        await platform.site.manage(register, "DELETE", path)
    except ManagementError as error:
        platform.site.note(f"{register} did not end what the card has: {error}", imsi=card.imsi)


# -- shutdown of a batch -----------------------------------------------------------------------------------------------


async def shut_down(platform: Platform, account: str, batch: str, by: By) -> int:
    """Suspend all cards of one batch of a customer at once (guideline 4.4), and return how many.

    No limit of batches and no lock holds it up. The whole batch is refused at the next request before the register is
    told of the first card. Raises ManagementError: 403 for a customer, 404 for a batch without cards.
    """
    platform.require(controls.OPERATOR, None, by, "shutdown", by.asks)
    cards = list(platform.store.select(account, batch))
    if not cards:
        raise ManagementError(404, f"{account} has no batch {batch}")
    stopped = [card for card in cards if (card.state, Operation.SUSPEND) in TRANSITIONS]
    whole = {"account": account, "batch": batch, "cards": len(stopped), **by.approval}
    records = [platform.record("shutdown", "", by, whole)]
    records += [_change(platform, card, Operation.SUSPEND, by, by.reason) for card in stopped]
    platform.store.put_all(stopped, records)
    for card in stopped:
        _show(platform, card)
    await tell_all(platform, stopped)
    return len(stopped)
