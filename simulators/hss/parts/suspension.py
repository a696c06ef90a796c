"""Cards that are suspended for a time, resumed, or terminated."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulators.hss.answers import CardTold, ManyTold, SuspensionTold
from simulators.hss.config import ManySuspended, Suspension
from simulators.hss.procedures.late import tell_vlrs
from simulators.hss.procedures.location import cancel_location, follow_up, withdraw
from simulators.hss.procedures.subscriber_data import tell_barring
from simulators.hss.subscriber import ENDED, Due, Notice, Subscriber
from simwarden.errors import ManagementError
from simwarden.model.values import IMSI, one_of
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.hss.core import Core


class Suspensions:
    """Barring and withdrawal."""

    observables = (
        Observable(
            "subscription",
            "whether a card is suspended, by IMSI: active, barring or withdrawal; or terminated",
            fields={"imsi": IMSI, "status": one_of("active", "barring", "withdrawal", ENDED)},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("DELETE", "/cards/{imsi}", takes=Approval, gives=CardTold)
    async def cancel_card(self, call: Call) -> dict[str, Any]:
        """Terminate a card: its location is cancelled and its subscription withdrawn."""
        subscriber = self.core.card(call.path["imsi"])
        await self._suspend(By.of(call), (subscriber,), Suspension(how="withdrawal", reason="cancelled"), ends=True)
        return subscriber.tell()

    @route("POST", "/cards/{imsi}/suspension", takes=Suspension, gives=SuspensionTold)
    async def suspend_card(self, call: Call) -> dict[str, Any]:
        """Suspend a card; what it has is ended at once, also at its VLR. `told` says how its MME heard of it.

        `insert-subscriber-data`, `cancel-location` (also where the MME cannot bar a card), `pending` where it did not
        answer and is told again, `nobody` where no MME serves the card.
        """
        subscriber = self.core.card(call.path["imsi"])
        told = await self._suspend(By.of(call), (subscriber,), call.given)
        return {**subscriber.tell(), "told": told[subscriber.imsi]}

    async def _suspend(
        self, by: By, subscribers: Sequence[Subscriber], wanted: Suspension, *, ends: bool = False
    ) -> dict[str, str]:
        """Suspend cards, or terminate them; return how the MME of each was told. Who is ended stays so."""
        over = {each.imsi: "nobody" for each in subscribers if each.ended}
        subscribers = [each for each in subscribers if each.imsi not in over]
        held: dict[str, Any] = {"suspended": ENDED if ends else wanted.how, "why": wanted.reason}
        details = {"how": held["suspended"], "reason": wanted.reason}
        records = [self.core.audit.record("suspend", subscriber.imsi, details, by) for subscriber in subscribers]
        if wanted.how == "withdrawal":
            notices = withdraw(self.core, subscribers, records, due=Due.WITHDRAWAL, **held)
        else:
            notices = self.core.store.change_all(subscribers, records, due=Due.BARRING, **held)
        for subscriber in subscribers:
            self.core.show_status(subscriber)
        if wanted.how == "withdrawal":
            await cancel_location(self.core, *notices)
            way = dict.fromkeys((notice.imsi for notice in notices), "cancel-location")
            way |= {notice.imsi: "pending" for notice in notices if self.core.store.is_pending(notice)}
            ways = [way.get(each.imsi, "nobody") for each in subscribers]
        else:
            due = {notice.imsi: notice for notice in notices if not notice.at_vlr}
            at_vlrs = [notice.imsi for notice in notices if notice.at_vlr]
            told = asyncio.gather(*(self._bar(each, due.get(each.imsi)) for each in subscribers))
            ways, _ = await asyncio.gather(told, tell_vlrs(self.core, *at_vlrs))
        return over | {each.imsi: way for each, way in zip(subscribers, ways, strict=True)}

    async def _bar(self, subscriber: Subscriber, notice: Notice | None) -> str:
        if notice is None:
            return "nobody"
        return await follow_up(self.core, subscriber, await tell_barring(self.core, subscriber, notice))

    @route("POST", "/suspensions", takes=ManySuspended, gives=ManyTold)
    async def suspend_many(self, call: Call) -> dict[str, Any]:
        """Suspend many cards, all or none; `unknown` are those that the HSS does not have."""
        wanted: ManySuspended = call.given
        found = {imsi: self.core.store.get(imsi) for imsi in wanted.cards}
        known = [subscriber for subscriber in found.values() if subscriber is not None]
        told = await self._suspend(By.of(call), known, wanted)
        unknown = [imsi for imsi, held in found.items() if held is None]
        return {"suspended": len(known), "unknown": unknown, "told": dict(Counter(told.values()))}

    @route("DELETE", "/cards/{imsi}/suspension", takes=Approval, gives=CardTold, errors=(409,))
    async def resume_card(self, call: Call) -> dict[str, Any]:
        """End a card's suspension; a card that was terminated stays so (409)."""
        subscriber = self.core.card(call.path["imsi"])
        if subscriber.ended:
            raise ManagementError(409, f"{subscriber.imsi} was terminated")
        how = subscriber.suspended
        due = Due.BARRING if how == "barring" else None
        record = self.core.audit.record("resume", subscriber.imsi, {"how": how}, By.of(call))
        notice = self.core.store.change(subscriber, record, due=due, suspended="", why="")
        self.core.show_status(subscriber)
        if notice is not None:
            await tell_barring(self.core, subscriber, notice)
        await tell_vlrs(self.core, subscriber.imsi)
        return subscriber.tell()
