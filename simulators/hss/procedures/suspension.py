"""Suspension: the serving MME bars a card (TS 29.272 5.2.2), or loses it (5.2.1.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.hss.procedures.location import cancel_location, follow_up, withdraw
from simulators.hss.procedures.subscriber_data import tell_barring
from simulators.hss.subscriber import ENDED, Owed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.hss.config import Suspension
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Debt, Subscriber
    from simwarden.operations.approval import By


async def suspend(
    core: Core, by: By, subscribers: Sequence[Subscriber], wanted: Suspension, *, ends: bool = False
) -> dict[str, str]:
    """Suspend cards, or end them for good; return how the MME of each was told. Who is ended stays so."""
    over = {} if ends else {each.imsi: "nobody" for each in subscribers if each.ended}
    subscribers = [each for each in subscribers if each.imsi not in over]
    held = {"suspended": ENDED if ends else wanted.how, "why": wanted.reason}
    details = {"how": held["suspended"], "reason": wanted.reason}
    records = [core.audit.record("suspend", subscriber.imsi, details, by) for subscriber in subscribers]
    if wanted.how == "withdrawal":
        debts = withdraw(core, subscribers, records, owed=Owed.WITHDRAWAL, **held)
    else:
        debts = core.store.change_all(subscribers, records, owed=Owed.BARRING, **held)
    for subscriber in subscribers:
        core.show_status(subscriber)
    if wanted.how == "withdrawal":
        await cancel_location(core, *debts)
        way = {debt.imsi: "pending" if core.store.owes(debt) else "cancel-location" for debt in debts}
        ways = [way.get(each.imsi, "nobody") for each in subscribers]
    else:
        owed = {debt.imsi: debt for debt in debts}
        ways = await asyncio.gather(*(_bar(core, each, owed.get(each.imsi)) for each in subscribers))
    return over | {each.imsi: way for each, way in zip(subscribers, ways, strict=True)}


async def _bar(core: Core, subscriber: Subscriber, debt: Debt | None) -> str:
    if debt is None:
        return "nobody"
    return await follow_up(core, subscriber, await tell_barring(core, subscriber, debt))
