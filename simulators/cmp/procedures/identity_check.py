"""ME Identity Check (TS 29.272 6.2.1), asked by an MME, or by an EIR that passes the question on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.cmp import controls
from simulators.cmp.procedures.lifecycle import carry_out, tell_register
from simwarden.model.identity import Imei, imei_key
from simwarden.policy.card_states import TRANSITIONS, CardState, Operation
from simwarden.policy.platform import Mismatch
from simwarden.policy.risk_scenes import SEPARATED
from simwarden.wire.diameter import ResultCode
from simwarden.wire.diameter.codes import EquipmentStatus
from simwarden.wire.diameter.terminal import required_terminal

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message


async def me_identity_check(platform: Platform, message: Message, peer: Peer) -> Message:
    """Answer an ECR: allowed if the card that it names may be used in the terminal, else prohibited.

    A question that names no card is about the terminal alone, of which the platform knows nothing: allowed.
    """
    node = platform.node
    refused = platform.peers.refusal(node, message, peer)
    if refused is not None:
        return refused
    imsi, key = message.get("User-Name", ""), required_terminal(message)
    allowed = not imsi or check(platform, imsi, key)
    status = EquipmentStatus.ALLOWED if allowed else EquipmentStatus.PROHIBITED
    shown = {"imsi": imsi, "imei": Imei(key).imei, "status": status.name.lower()}
    platform.site.observe("equipment", shown, key=Imei(key).imei)
    return node.answer(message, ResultCode.DIAMETER_SUCCESS, [("Equipment-Status", int(status))])


def check(platform: Platform, imsi: str, key: str) -> bool:
    """Decide whether a card may be used in a terminal (14 digits), capture what is to be, and keep the contact."""
    card = platform.store.get(imsi)
    if not platform.site.decide(controls.CARD, imsi, known=card is not None).admitted:
        return False
    if card is None:  # a switch lets all pass
        return True
    if not platform.decide(controls.STATE, card, state=card.state).admitted:
        return False
    account = platform.account(card)
    if account.check == "next-day":
        day, at = platform.now().date().isoformat(), platform.now().isoformat()
        platform.store.contact({"day": day, "at": at, "imsi": imsi, "imei": key})
    elif card.state is not CardState.TEST:
        decision = _judge(platform, card, key)
        if decision is not None and not decision.admitted:
            _mismatch(platform, card, decision)
            return False
        if decision is not None and decision.details.get("alarm"):
            _count(platform, card, decision, "alarm")
        if decision is not None and not _capture(platform, card, decision):
            return check(platform, imsi, key)
    _used(platform, card, key)
    return True


def _judge(platform: Platform, card: Card, key: str) -> Decision | None:
    """Let binding and pools decide; the decision that refuses, else the one that alarms, else the last one."""
    account = platform.account(card)
    wish = {"mismatch": account.mismatch, "before": card.mismatches, "grace": account.grace}
    bound = None
    in_pool = None
    if platform.pools:
        in_pool = platform.decide(controls.POOL, card, seen=key, pools=platform.pools_of(card), **wish)
    if card.mode and (in_pool is None or (in_pool.admitted and not in_pool.details.get("alarm"))):
        bound = platform.decide(controls.BINDING, card, bound=card.bound, seen=key, **wish)
    return bound or in_pool


def _capture(platform: Platform, card: Card, decision: Decision) -> bool:
    """Bind a card to the terminal of its first use; False if another first use was faster."""
    teaches = decision.details.get("teaches", "")
    if not teaches:
        return True
    record = platform.record("capture", card.imsi, None, {"imei": teaches})
    if not platform.store.capture(card, imei_key(teaches), record):
        return False
    platform.show_binding(card)
    platform.happened("captured", card, imei=teaches)
    return True


def _count(platform: Platform, card: Card, decision: Decision, action: str) -> None:
    card.mismatches += 1
    details = {"scene": SEPARATED, "reason": decision.reason, "action": action}
    platform.store.put(card, platform.record("mismatch", card.imsi, None, details))
    platform.risk(card, SEPARATED, decision, source="network", action=action)
    platform.happened("mismatch", card, action=action, seen=decision.details.get("seen", ""))


def _mismatch(platform: Platform, card: Card, decision: Decision) -> None:
    """Do what the account wants: at least a record, and if it says so a suspended card."""
    suspends = platform.account(card).mismatch is Mismatch.SUSPEND
    _count(platform, card, decision, "suspend" if suspends else "refuse")
    if suspends and (card.state, Operation.SUSPEND) in TRANSITIONS:
        carry_out(platform, card, Operation.SUSPEND, None, decision.reason)
        platform.site.spawn(tell_register(platform, card), "suspension")


def _used(platform: Platform, card: Card, key: str) -> None:
    """Keep which terminal a served card is in; its first use makes it active."""
    before = card.terminal
    first_use = (card.state, Operation.FIRST_USE) in TRANSITIONS
    if before == key and not first_use:
        return
    card.terminal, card.first = key, card.first or key
    if first_use:
        carry_out(platform, card, Operation.FIRST_USE, None, "first use")
    else:
        platform.store.put(card)
    if before and before != key:
        platform.happened("terminal-changed", card, before=Imei(before).imei, after=Imei(key).imei)
