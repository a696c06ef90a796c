"""The record-side check: the contacts of a day are judged on the next one.

Where a gateway charges, its call detail records carry the IMEI; until there is one, the platform's own history of
ME identity checks stands in for them: time, IMSI and IMEI of each attach, update and service request that it was asked
about.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simulators.cmp import controls
from simulators.cmp.procedures.lifecycle import carry_out, tell_register
from simwarden.model.form import FormFactor
from simwarden.policy.card_states import SERVED, TRANSITIONS, CardState, Operation
from simwarden.policy.platform import Mismatch
from simwarden.policy.risk_scenes import SEPARATED

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.policy.decision import Decision


async def judge_days(platform: Platform) -> None:
    """Judge the day before, every day at the configured time, for as long as the platform runs."""
    while True:
        now = platform.now()
        due = now.replace(hour=0, minute=0, second=0, microsecond=0)
        due += dt.timedelta(seconds=platform.config.records_at)
        if due <= now:
            due += dt.timedelta(days=1)
        await platform.site.clock.sleep((due - now).total_seconds())
        await judge_day(platform, platform.now().date() - dt.timedelta(days=1))


async def judge_day(platform: Platform, day: dt.date) -> int:
    """Judge the contacts of a day and do what accounts want; return how many cards were in a wrong terminal."""
    wrong: dict[str, Decision] = {}
    for _, imsi, imei in platform.store.contacts(day.isoformat()):
        card = platform.store.get(imsi)
        if card is None or card.imsi in wrong or card.state not in SERVED or card.state is CardState.TEST:
            continue
        decision = _judge(platform, card, imei)
        if not decision.admitted:
            wrong[imsi] = decision
    for imsi, decision in wrong.items():
        await _act(platform, platform.card(imsi), decision)
    return len(wrong)


def _judge(platform: Platform, card: Card, imei: str) -> Decision:
    if card.mode == "learned" and not card.bound:
        platform.store.capture(card, imei, platform.record("capture", card.imsi, None, {"imei": imei}))
        platform.show_binding(card)
    embedded = card.form in (FormFactor.SOLDERED.value, FormFactor.EUICC.value)
    return platform.decide(
        controls.RECORDS,
        card,
        seen=imei,
        bound=card.bound if card.mode else "",
        pools=platform.pools_of(card),
        embedded=embedded,
        first=card.first,
    )


async def _act(platform: Platform, card: Card, decision: Decision) -> None:
    account = platform.account(card)
    card.mismatches += 1
    suspends = account.mismatch is not Mismatch.ALARM and card.mismatches > account.grace
    action = "suspend" if suspends else "alarm"
    details = {"scene": SEPARATED, "reason": decision.reason, "action": action}
    platform.store.put(card, platform.record("mismatch", card.imsi, None, details))
    platform.risk(card, SEPARATED, decision, source="records", action=action)
    platform.happened("mismatch", card, action=action, seen=decision.details.get("seen", ""))
    if suspends and (card.state, Operation.SUSPEND) in TRANSITIONS:
        carry_out(platform, card, Operation.SUSPEND, None, decision.reason)
        await tell_register(platform, card)
