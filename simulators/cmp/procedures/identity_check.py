"""ME Identity Check (TS 29.272 6.2.1), asked by an MME, or by an EIR that passes the question on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.cmp import controls
from simulators.cmp.card import Change
from simulators.cmp.procedures.lifecycle import mismatch, operation, tell_register
from simwarden.model.identity import Imei, imei_key
from simwarden.policy.card_states import TRANSITIONS, CardState, Operation
from simwarden.policy.platform import Mismatch
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
    change, account = Change(card), platform.account(card)
    if account.check == "next-day":
        day, at = platform.now().date().isoformat(), platform.now().isoformat()
        change.contacts.append({"day": day, "at": at, "imsi": imsi, "imei": key})
    elif card.state is not CardState.TEST:
        decision = _judge(platform, card, key)
        if decision is not None and not decision.admitted:
            _mismatch(platform, change, decision)
            return False
        if decision is not None:
            if decision.details.get("alarm"):
                mismatch(platform, change, decision, source="network", action="alarm")
            _capture(platform, change, decision)
    _use(platform, change, key)
    return platform.keep(change) or check(platform, imsi, key)


def _judge(platform: Platform, card: Card, key: str) -> Decision | None:
    """Let binding and pools decide; the decision that refuses, else the one that alarms, else the last one."""
    account = platform.account(card)
    wish = {"mismatch": account.mismatch, "before": card.mismatches, "grace": account.grace}
    bound = None
    in_pool = None
    if platform.settings.pools:
        in_pool = platform.decide(controls.POOL, card, seen=key, pools=platform.pools_of(card), **wish)
    if card.mode and (in_pool is None or (in_pool.admitted and not in_pool.details.get("alarm"))):
        bound = platform.decide(controls.BINDING, card, bound=card.bound, seen=key, **wish)
    return bound or in_pool


def _capture(platform: Platform, change: Change, decision: Decision) -> None:
    """Bind a card to the terminal of its first use, if the decision says so."""
    teaches, card = decision.details.get("teaches", ""), change.card
    if teaches:
        change.first_use = imei_key(teaches)
        change.audit.append(platform.record("capture", card.imsi, None, {"imei": teaches}))
        change.shown.append(lambda: platform.show_binding(card))
        change.shown.append(lambda: platform.happened("captured", card, imei=teaches))


def _mismatch(platform: Platform, change: Change, decision: Decision) -> None:
    """Do what the account wants: at least a record, and if it says so a suspended card."""
    card = change.card
    suspends = platform.account(card).mismatch is Mismatch.SUSPEND
    mismatch(platform, change, decision, source="network", action="suspend" if suspends else "refuse")
    if suspends and (card.state, Operation.SUSPEND) in TRANSITIONS:
        operation(platform, change, Operation.SUSPEND, None, decision.reason)
    platform.keep(change)
    if card.owed:
        platform.site.spawn(tell_register(platform, card), "suspension")


def _use(platform: Platform, change: Change, key: str) -> None:
    """Let a served card be in a terminal; its first use makes it active."""
    card = change.card
    before = card.terminal
    first_use = (card.state, Operation.FIRST_USE) in TRANSITIONS
    if before == key and not first_use:
        return
    change.values |= {"terminal": key, "first": card.first or key}
    if first_use:
        operation(platform, change, Operation.FIRST_USE, None, "first use")
    if before and before != key:
        told = {"before": Imei(before).imei, "after": Imei(key).imei}
        change.shown.append(lambda: platform.happened("terminal-changed", card, **told))
