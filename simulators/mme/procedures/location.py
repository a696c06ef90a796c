"""Location and terminal reports to the HSS, and the check with the EIR before them (TS 23.401 5.3.2.1 steps 5b, 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection, demanded_by, describe_result
from simulators.mme.clients.home import merge_subscription
from simulators.mme.contexts import SmsState
from simulators.mme.controls import EQUIPMENT, REGISTER, TERMINAL_IDENTITY, Occasion
from simwarden.policy.equipment import EquipmentAnswer
from simwarden.wire.diameter.codes import UlaFlags

if TYPE_CHECKING:
    from simulators.mme.contexts import Terminal, UeContext
    from simulators.mme.core import Core
    from simwarden.wire.diameter import Message

#: verdicts of the EIR that are kept at most; the oldest goes first
_VERDICTS = 100_000


def refusal_of(core: Core, ue: UeContext, answer: Message | None, asked: Occasion) -> Rejection | None:
    """Read the answer of the HSS to what it was asked: None if it is a success.

    A result that the cause table has is the HSS's own decision, or says that it failed. One that it has not, or
    silence, lets the MME's control refuse with a temporary cause: the card is as good as before when the HSS returns.
    """
    if answer is not None and answer.success:
        decision = core.site.decide(REGISTER, ue.imsi, on=asked, reachable=True)
        return None if decision.admitted else core.temporary(decision.reason)
    cause = core.causes.cause_of(answer) if answer is not None else None
    if answer is not None and cause is not None:
        reason = f"the HSS answered {answer.name} with {describe_result(answer)}"
        return Rejection(cause, reason, clause=demanded_by(answer), by=core.config.hss)
    reason = core.home.silence
    if answer is not None:
        reason = f"{core.home.who_answered(answer)} answered {describe_result(answer)}"
    decision = core.site.decide(REGISTER, ue.imsi, on=asked, reachable=False, reason=reason)
    if decision.admitted and ue.subscription is not None:
        core.site.note("served on by what was known before", imsi=ue.imsi)
        return None
    return core.temporary(reason)


async def admit_terminal(
    core: Core, ue: UeContext, terminal: Terminal | None, occasion: Occasion, *, initial: bool
) -> Rejection | None:
    """Check a terminal with EIR and HSS as far as it is due; only when both admit it becomes the card's terminal.

    The order matters: an attempt that the EIR refuses never reaches the HSS, so that it teaches no binding.
    """
    rejection = _check_identified(core, ue, terminal, occasion) or await check_equipment(core, ue, terminal, occasion)
    if rejection is not None:
        return rejection
    changed = terminal != ue.terminal
    if initial or not ue.located or ue.sms is SmsState.ASKED:
        rejection = await update_location(core, ue, terminal, attaching=occasion is Occasion.ATTACH)
    elif changed:
        rejection = await _report_change(core, ue, terminal, attaching=occasion is Occasion.ATTACH)
    if rejection is None:
        ue.terminal = terminal
    return rejection


def _check_identified(core: Core, ue: UeContext, terminal: Terminal | None, occasion: Occasion) -> Rejection | None:
    equipment = core.config.equipment
    decision = core.site.decide(
        TERMINAL_IDENTITY,
        ue.imsi,
        on=occasion,
        imei=terminal.imei.imei if terminal else "",
        admit_unidentified=equipment.unidentified == "admit",
    )
    if decision.admitted:
        return None
    return Rejection(core.config.causes.unidentified_terminal, decision.reason)


async def check_equipment(core: Core, ue: UeContext, terminal: Terminal | None, occasion: Occasion) -> Rejection | None:
    """ME identity check (TS 29.272 6.2.1.1): ask the EIR, unless its verdict on this pair still holds.

    An admission holds only while the HSS knows that the card is here: else no cancellation would take it back.
    """
    if not core.config.eir or terminal is None:
        return None
    equipment, causes = core.config.equipment, core.config.causes
    key, now = (ue.imsi, terminal.imei.imeisv), core.clock.now()
    until, since, answer = core.verdicts.get(key, (0.0, 0.0, EquipmentAnswer.NO_VERDICT))
    kept = True
    if until <= now or not (ue.located or answer is EquipmentAnswer.PROHIBITED):
        kept, answer = False, await core.home.check_equipment(ue.imsi, terminal)
        core.verdicts.pop(key, None)
        if answer is not EquipmentAnswer.NO_VERDICT and equipment.verdict_lifetime:
            core.verdicts[key] = (now + equipment.verdict_lifetime, now, answer)
            if len(core.verdicts) > _VERDICTS:
                del core.verdicts[next(iter(core.verdicts))]
    decision = core.site.decide(
        EQUIPMENT,
        ue.imsi,
        on=occasion,
        answer=answer,
        imei=terminal.imei.imei,
        admit_unknown=equipment.unknown == "admit",
        admit_without_verdict=equipment.unreachable == "admit",
        age=now - since if kept else None,
    )
    if decision.admitted:
        return None
    if answer is EquipmentAnswer.NO_VERDICT:
        return core.temporary(decision.reason)
    prohibited = answer is EquipmentAnswer.PROHIBITED
    return Rejection(causes.prohibited_equipment if prohibited else causes.unknown_equipment, decision.reason)


async def update_location(core: Core, ue: UeContext, terminal: Terminal | None, *, attaching: bool) -> Rejection | None:
    """Update location (TS 29.272 5.2.1.1): the HSS may refuse the terminal, and gives the subscription."""
    sms = ue.sms is not SmsState.NONE
    answer = await core.home.update_location(ue.imsi, terminal, initial=attaching, sms=sms)
    rejection = refusal_of(core, ue, answer, Occasion.LOCATION)
    if rejection is None and answer is not None and answer.success:
        ue.located = True
        registered = answer.get("ULA-Flags", 0) & UlaFlags.MME_REGISTERED_FOR_SMS
        ue.sms = SmsState.REGISTERED if sms and registered else SmsState.NONE
        data = answer.get("Subscription-Data")
        if data is not None:
            ue.subscription = merge_subscription(None, data, core.config.features)
    return rejection


async def _report_change(core: Core, ue: UeContext, terminal: Terminal | None, *, attaching: bool) -> Rejection | None:
    """Report another terminal than the context has, in the way that is configured."""
    core.site.note(
        "the terminal is another one",
        imsi=ue.imsi,
        expected=ue.terminal.imei.imei if ue.terminal else "",
        seen=terminal.imei.imei if terminal else "",
    )
    if core.config.equipment.report_change == "update-location":
        return await update_location(core, ue, terminal, attaching=attaching)
    return refusal_of(core, ue, await core.home.notify(ue.imsi, terminal), Occasion.NOTIFICATION)
