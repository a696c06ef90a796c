"""ME Identity Check (TS 29.272 6.2.1), asked by an MME, or by an EIR that passes the question on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.cmp import controls
from simulators.cmp.card import Change
from simulators.cmp.controls import Occasion
from simulators.cmp.procedures.lifecycle import in_phone, mismatch, operation, tell_hss
from simulators.cmp.procedures.sweep import hold
from simwarden.model.identity import Imei, imei_key
from simwarden.policy.card_states import TRANSITIONS, CardState, Operation
from simwarden.policy.platform import Mismatch, PhoneWish
from simwarden.wire.diameter import ResultCode
from simwarden.wire.diameter.codes import EquipmentStatus
from simwarden.wire.diameter.terminal import required_terminal

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message


async def me_identity_check(platform: Platform, message: Message, _peer: Peer) -> Message:
    """Answer an ECR: allowed if the card that it names may be used in the terminal, else prohibited.

    A question that names no card is about the terminal alone, of which the platform knows nothing: allowed.
    """
    imsi, key = message.get("User-Name", ""), required_terminal(message)
    allowed = not imsi or check(platform, imsi, key)
    status = EquipmentStatus.ALLOWED if allowed else EquipmentStatus.PROHIBITED
    shown = {"imsi": imsi, "imei": Imei(key).imei, "status": status.name.lower()}
    platform.site.observe("equipment", shown, key=Imei(key).imei)
    return platform.node.answer(message, ResultCode.DIAMETER_SUCCESS, [("Equipment-Status", int(status))])


def check(platform: Platform, imsi: str, key: str) -> bool:
    """Decide whether a card may be used in a terminal (14 digits), capture what is to be, and keep the contact."""
    card = platform.store.get(imsi)
    if not platform.site.decide(controls.CARD, imsi, on=Occasion.CHECK, known=card is not None).admitted:
        return False
    if card is None:  # a switch lets all pass
        return True
    hold(platform, card)
    if not platform.decide(controls.STATE, card, Occasion.CHECK, state=card.state).admitted:
        return False
    allowed = _check_terminal(platform, card, key)
    return allowed if allowed is not None else check(platform, imsi, key)


def _check_terminal(platform: Platform, card: Card, key: str) -> bool | None:
    """Decide about a terminal of a card that is served; None if meanwhile another first use has bound it."""
    change = Change(card)
    phone = _judge_phone(platform, change, key)
    if not phone.admitted:
        return False
    decision = _judge_binding(platform, change, key)
    if decision is not None and not decision.admitted:
        _mismatch(platform, change, decision)
        return False
    if phone.details.get("alarm") and card.terminal != key:
        in_phone(platform, change, phone, source="network", action="alarm")
    if decision is not None:
        if decision.details.get("alarm"):
            mismatch(platform, change, decision, source="network", action="alarm")
        _capture(platform, change, decision)
    _use(platform, change, key)
    return platform.keep(change) or None


def _judge_binding(platform: Platform, change: Change, key: str) -> Decision | None:
    """Decide by binding and pools, or keep the contact, which is judged the next day; in test none is learned."""
    card = change.card
    if platform.account(card).check == "next-day":
        day, at = platform.site.clock.local().date().isoformat(), platform.now().isoformat()
        change.contacts.append({"day": day, "at": at, "imsi": card.imsi, "imei": key})
        return None
    return _judge(platform, card, key) if card.bound or card.state is not CardState.TEST else None


def _judge_phone(platform: Platform, change: Change, key: str) -> Decision:
    """Decide about a terminal by its kind; a refusal is kept."""
    wish = platform.account(change.card).phone
    decision = platform.decide(
        controls.PHONE, change.card, Occasion.CHECK, kind=platform.kind_of(key), seen=key, wish=wish
    )
    if not decision.admitted:
        suspends = wish is PhoneWish.SUSPEND
        in_phone(platform, change, decision, source="network", action="suspend" if suspends else "refuse")
        _refuse(platform, change, decision, suspends=suspends)
    return decision


def _judge(platform: Platform, card: Card, key: str) -> Decision | None:
    """Let binding and pools decide; the decision that refuses, else the one that alarms, else the last one."""
    account = platform.account(card)
    wish = {"mismatch": account.mismatch, "before": card.mismatches, "grace": account.grace}
    bound = None
    in_pool = None
    if platform.settings.pools:
        in_pool = platform.decide(controls.POOL, card, Occasion.CHECK, seen=key, pools=platform.pools_of(card), **wish)
    if card.mode and (in_pool is None or (in_pool.admitted and not in_pool.details.get("alarm"))):
        bound = platform.decide(controls.BINDING, card, Occasion.CHECK, bound=card.bound, seen=key, **wish)
    return bound or in_pool


def _capture(platform: Platform, change: Change, decision: Decision) -> None:
    """Bind a card to the terminal of its first use, if the decision says so."""
    teaches, card = decision.details.get("teaches", ""), change.card
    if teaches:
        change.first_use = imei_key(teaches)
        change.audit.append(platform.record("capture", card.imsi, None, {"imei": teaches}))
        change.shown.append(lambda: platform.show_binding(card))


def _mismatch(platform: Platform, change: Change, decision: Decision) -> None:
    """Do what the account wants: at least a record, and if it says so a suspended card."""
    suspends = platform.account(change.card).mismatch is Mismatch.SUSPEND
    mismatch(platform, change, decision, source="network", action="suspend" if suspends else "refuse")
    _refuse(platform, change, decision, suspends=suspends)


def _refuse(platform: Platform, change: Change, decision: Decision, *, suspends: bool) -> None:
    """Keep a refusal, and that the card is suspended if it is to be."""
    card = change.card
    if suspends:
        operation(platform, change, Operation.SUSPEND, None, decision.reason)
    platform.keep(change)
    platform.site.spawn(tell_hss(platform, card), "suspension")


def _use(platform: Platform, change: Change, key: str) -> None:
    """Let a served card be in a terminal; its first use makes it active."""
    card = change.card
    before = card.terminal
    if card.bound not in ("", key):
        change.values["strayed"] = True
    if card.handed_over:
        change.values["handed_over"] = False
    first_use = (card.state, Operation.FIRST_USE) in TRANSITIONS
    if before == key and not first_use:
        return
    change.values |= {"terminal": key, "first": card.first or key}
    if first_use:
        operation(platform, change, Operation.FIRST_USE, None, "first use")
    if before != key and card.own_terminal:
        told = {"before": Imei(before).imei, "after": Imei(key).imei}
        platform.happens(change, "terminal-changed", **told)
