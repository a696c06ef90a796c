"""Whether a call may be: what is asked of the rules before it is connected, and again while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.scp import causes, controls
from simulators.scp.call import Direction
from simulators.scp.clients.ssp import release
from simulators.scp.procedures.parties import Told
from simwarden.policy.calls import TENTHS_A_MINUTE, is_emergency
from simwarden.policy.numbers import party

if TYPE_CHECKING:
    from simulators.scp.call import Call
    from simulators.scp.card import VoiceCard
    from simulators.scp.causes import Refusal
    from simulators.scp.core import Core
    from simwarden.policy.decision import Decision


def is_exempt(core: Core, direction: Direction, told: Told) -> bool:
    """Return True for a call to an emergency number that a terminal has dialled, and for a permitted call back.

    Nothing is forwarded to an emergency number.
    """
    if direction is Direction.MO:
        return is_emergency(*told)
    callers = {party(number) for number in core.config.emergency_callers}
    return direction is Direction.MT and bool(told.digits) and party(*told) in callers


def judge_party(core: Core, card: VoiceCard | None, told: Told, on: str, *, emergency: bool = False) -> Decision:
    """Ask whether a card has calls with somebody."""
    listed = card.listed(outgoing=on != controls.MT) if card is not None else None
    undirected = card is not None and card.terms.undirected
    facts = {"number": told.digits, "ton": told.ton, "listed": listed, "undirected": undirected}
    return core.site.decide(controls.LIST, card.imsi if card is not None else "", on=on, emergency=emergency, **facts)


def refusal_of(core: Core, call: Call) -> Refusal | None:
    """Ask the rules whether a call may be connected; None: it may."""
    card, on, told = call.card, call.direction.occasion, Told(call.number, call.ton)
    if not judge_state(core, card, on):
        return causes.SUSPENDED
    target = redirected(card, told) if call.direction is Direction.MO else None
    if target is not None:
        call.number, call.ton = target
        on = controls.REDIRECTED
    if not judge_party(core, card, Told(call.number, call.ton), on).admitted:
        return causes.OFF if card.voice is None else causes.NOT_LISTED
    if call.direction is Direction.MT and card.terms.forward:
        call.forward = card.terms.forward
        if not judge_party(core, card, Told(call.forward), controls.REDIRECTED).admitted:
            return causes.NOT_LISTED
    return refusal_now(core, call, call.direction.occasion)


def refusal_now(core: Core, call: Call, on: str) -> Refusal | None:
    """Ask the rules that time changes: the card's hours, and its minutes."""
    voice = call.card.terms
    if voice.hours:
        facts = {"minute": int(core.time_of_day), "hours": voice.hours}
        if not core.site.decide(controls.HOURS, call.card.imsi, on=on, **facts).admitted:
            return causes.OUT_OF_HOURS
    used = core.store.used(call.card.imsi, core.month)
    quota = voice.quota * TENTHS_A_MINUTE if core.ocs is None else 0
    if not core.site.decide(controls.QUOTA, call.card.imsi, on=on, used=used, quota=quota).admitted:
        return causes.USED_UP
    return None


def judge_state(core: Core, card: VoiceCard, on: str) -> bool:
    """Ask whether a card is in force."""
    return core.site.decide(controls.STATE, card.imsi, on=on, suspended=card.suspended).admitted


def redirected(card: VoiceCard, told: Told) -> Told | None:
    """Return where calls to a number are connected instead, None where they are not."""
    if card.voice is None or not told.digits.strip():
        return None
    found = {party(number): to for number, to in card.voice.redirect.items()}.get(party(*told))
    return Told(found) if found is not None else None


def follow(core: Core, imsi: str) -> None:
    """Judge the calls of a card anew after a change; those that it no longer admits end at once."""
    card = core.store.card(imsi)
    assert card is not None  # noqa: S101 - it was just changed
    for call in core.calls_of(imsi):
        if not call.ends and not _may_go_on(core, call, card):
            release(core, call, causes.WITHDRAWN)


def _may_go_on(core: Core, call: Call, card: VoiceCard) -> bool:
    began, call.card = call.owner, card
    if not judge_state(core, card, controls.IN_CALL):
        return False
    facts: dict[str, Any] = {"began": began, "account": card.terms.account}
    if not core.site.decide(controls.OWNER, card.imsi, on=controls.IN_CALL, **facts).admitted:
        return False
    listed = card.listed(outgoing=call.direction.outgoing)
    facts = {"number": call.number, "ton": call.ton, "listed": listed, "undirected": card.terms.undirected}
    return core.site.decide(controls.LIST, card.imsi, on=controls.IN_CALL, **facts).admitted
