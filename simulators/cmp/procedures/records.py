"""The record-side check: the contacts of a day are judged on the next one.

Where a gateway charges, its call detail records carry the IMEI; until there is one, the platform's own history of
ME identity checks stands in for them: time, IMSI and IMEI of each attach, update and service request that it was asked
about.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simulators.cmp import controls
from simulators.cmp.card import Change
from simulators.cmp.procedures.lifecycle import mismatch, operation, tell_hss
from simulators.cmp.procedures.sweep import COUNTED, SLICE
from simwarden.model.form import FormFactor
from simwarden.policy.card_states import SERVED, TRANSITIONS, CardState, Operation
from simwarden.policy.platform import Mismatch
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.policy.decision import Decision


async def judge_days(platform: Platform) -> None:
    """Judge the day before, every day at the configured time, for as long as the platform runs.

    Days at whose end it did not run, or its database did not, are judged as soon as it can.
    """
    while True:
        now = platform.site.clock.local()
        due = now.replace(hour=0, minute=0, second=0, microsecond=0)
        due += dt.timedelta(seconds=platform.config.records_at)
        over = now.date() if now >= due else now.date() - dt.timedelta(days=1)
        if due <= now:
            due += dt.timedelta(days=1)
        pause = (due - now).total_seconds()
        try:
            for day in platform.store.unjudged(over.isoformat()):
                await judge_day(platform, dt.date.fromisoformat(day))
        except StoreError as error:
            platform.site.note(f"records are judged later: {error}")
            pause = platform.config.retry
        await platform.site.clock.sleep(pause)


async def judge_day(platform: Platform, day: dt.date) -> int:
    """Judge the contacts of a day and do what accounts want; return how many cards were in a wrong terminal.

    A card that was found in a wrong terminal on that day already is not counted again. What is judged ends; contacts
    that come later on that day are judged another time.
    """
    wrong: dict[str, Decision] = {}
    after = 0
    while some := platform.store.contacts(day.isoformat(), after=after, most=SLICE):
        after = some[-1][0]
        for _, imsi, imei in some:
            if imsi not in wrong and (decision := _judge(platform, imsi, imei)) is not None and not decision.admitted:
                wrong[imsi] = decision
        await platform.site.clock.give_way()
    for imsi, decision in wrong.items():
        if not any(record["details"].get("day") == day.isoformat() for record in platform.store.history(imsi)):
            await _act(platform, platform.card(imsi), decision, day.isoformat())
            await platform.site.clock.give_way()
    while platform.store.judged(day.isoformat(), upto=after, most=COUNTED):
        await platform.site.clock.give_way()
    return len(wrong)


def _judge(platform: Platform, imsi: str, imei: str) -> Decision | None:
    """Decide about a card in a terminal; None about one that is not served."""
    card = platform.card(imsi)
    if card.state not in SERVED or (card.state is CardState.TEST and not card.bound):
        return None
    if card.mode == "learned" and not card.bound:
        change = Change(card, first_use=imei)
        change.audit.append(platform.record("capture", card.imsi, None, {"imei": imei}))
        change.shown.append(lambda: platform.show_binding(card))
        if not platform.keep(change):
            platform.store.get(card.imsi)  # bound by another first use meanwhile, to be judged by that
    embedded = card.form in (FormFactor.SOLDERED.value, FormFactor.EUICC.value)
    return platform.decide(
        controls.RECORDS,
        card,
        controls.Occasion.RECORDS,
        seen=imei,
        bound=card.bound,
        pools=platform.pools_of(card),
        embedded=embedded,
        first=card.first,
    )


async def _act(platform: Platform, card: Card, decision: Decision, day: str) -> None:
    account = platform.account(card)
    wants = account.mismatch is not Mismatch.ALARM and card.mismatches + 1 > account.grace
    suspends = wants and (card.state, Operation.SUSPEND) in TRANSITIONS  # nobody has done so meanwhile
    change = Change(card)
    mismatch(platform, change, decision, source="records", action="suspend" if suspends else "alarm", day=day)
    if suspends:
        operation(platform, change, Operation.SUSPEND, None, decision.reason)
    platform.keep(change)
    await tell_hss(platform, card)
