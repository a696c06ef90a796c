"""Location management (TS 29.272 5.2.1): Update Location, Cancel Location, Purge UE."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from simulators.hss import controls
from simulators.hss.controls import Occasion
from simulators.hss.core import visited_plmn
from simulators.hss.procedures.short_message import alert, registered_number
from simulators.hss.procedures.subscriber_data import FEATURES, needed_features, subscription_data, zones_of
from simulators.hss.subscriber import NO_VLR, VLR, Due, Notice
from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode
from simwarden.wire.diameter.codes import (
    CancellationType,
    ClrFlags,
    ErrorDiagnostic,
    Feature,
    PuaFlags,
    SmsFeature,
    UlaFlags,
    UlrFlags,
)
from simwarden.wire.diameter.features import features_of, supported_features
from simwarden.wire.diameter.terminal import terminal_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from simulators.hss.config import ErrorAnswer
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Subscriber
    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.diameter import Peer

T = TypeVar("T")
_CANCELLATION = {
    Due.WITHDRAWAL: (CancellationType.SUBSCRIPTION_WITHDRAWAL, ClrFlags.S6A_S6D),
    Due.RE_ATTACH: (CancellationType.SUBSCRIPTION_WITHDRAWAL, ClrFlags.S6A_S6D | ClrFlags.REATTACH_REQUIRED),
    Due.UPDATE: (CancellationType.MME_UPDATE_PROCEDURE, ClrFlags.S6A_S6D),
}


async def update_location(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer a ULR (5.2.1.1.3). A binding that it teaches is committed before the answer leaves."""
    subscriber = core.find(message, Occasion.LOCATION)
    if isinstance(subscriber, Message):
        return subscriber
    unserved = await refusal_of(core, subscriber, message)
    if unserved is not None:
        return unserved
    unenforced = refusal_by_features(core, subscriber, message)
    if unenforced is not None:
        return unenforced
    former = subscriber.mme
    origin = message.get("Origin-Host")
    # Who did not hear of a change, or has not served the card until now, has not the data (5.2.1.1.3).
    skips = former == origin and not subscriber.purged and not core.store.any_pending(subscriber.imsi, origin)
    decision = register(
        core, subscriber, message, terminal_of(message), str(visited_plmn(message)), occasion=Occasion.LOCATION
    )
    if decision is not None and not decision.admitted:
        return refuse_terminal(core, subscriber, message, decision)
    if former:
        core.site.spawn(cancel_former(core, subscriber.imsi, former), "cancel location")
    flags, avps = UlaFlags.SEPARATION, [supported_features(FEATURES)]
    if subscriber.sms_number:
        flags |= UlaFlags.MME_REGISTERED_FOR_SMS
        avps.append(supported_features(SmsFeature.SMS_IN_MME))
        core.site.spawn(alert(core, subscriber), "alert service centres")
    avps.append(("ULA-Flags", int(flags)))
    if not (skips and message.get("ULR-Flags") & UlrFlags.SKIP_SUBSCRIBER_DATA):
        avps.append(("Subscription-Data", subscription_data(core.config, subscriber)))
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS, avps)


async def refusal_of(core: Core, subscriber: Subscriber, message: Message) -> Message | None:
    """Return the refusal of a ULR for a card whose subscription is withdrawn; None if it is in force.

    An MME hears first of a withdrawal that is pending for it. It may ask by what it heard of the card before that, and
    would take the answer for an end of it. While it is told the card may be withdrawn, or the same may be
    pending anew: so both are looked at again.
    """
    while in_force(core, subscriber):
        notice = core.store.withdrawal(subscriber.imsi, message.get("Origin-Host"))
        if notice is None:
            return None
        await cancel_location(core, notice)
        if core.store.withdrawal(notice.imsi, notice.host) is notice:
            return core.node.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
    return refuse(core, message, core.config.withdrawn)


def refusal_by_features(core: Core, subscriber: Subscriber, message: Message) -> Message | None:
    """Return the refusal of a ULR from an MME that would not enforce the subscription (5.2.1.1.3); None if it would."""
    supported = features_of(message, Feature)
    for control, feature, held in (
        (controls.BARRING, Feature.ODB_ALL_APN, subscriber.suspended == "barring"),
        (controls.ZONES, Feature.REG_SUB, bool(zones_of(core.config, subscriber))),
    ):
        if not held and supported & feature:
            continue
        if not _supports(core, subscriber, control, feature if held else Feature(0), supported):
            more = [("Error-Diagnostic", int(ErrorDiagnostic.ODB_ALL_APN))] if control is controls.BARRING else []
            return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_ROAMING_NOT_ALLOWED, more)
    return None


def _supports(core: Core, subscriber: Subscriber, control: Control, needed: Feature, supported: Feature) -> bool:
    facts = {"needed": [str(each.name) for each in needed], "supported": [str(each.name) for each in supported]}
    return core.site.decide(control, subscriber.imsi, on=Occasion.LOCATION, **facts).admitted


async def follow_up(core: Core, subscriber: Subscriber, answer: Message | None) -> str:
    """Have a device attach anew, to be refused then, where the IDA says that the MME enforces nothing of the kind.

    Returns how the MME was told: by `insert-subscriber-data` or `cancel-location`, or that it is `pending`.
    """
    if answer is None:
        return "pending"
    lacking = needed_features(core.config, subscriber) & ~features_of(answer, Feature)
    if not lacking:
        return "insert-subscriber-data"
    reason = f"{subscriber.mme} does not support {', '.join(str(each.name) for each in lacking)}"
    record = core.audit.record("cancel-location", subscriber.imsi, {"reason": reason})
    await cancel_location(core, *withdraw(core, (subscriber,), (record,), due=Due.RE_ATTACH))
    return "cancel-location"


def in_force(core: Core, subscriber: Subscriber) -> bool:
    """Decide whether a card's subscription is in force."""
    withdrawn = subscriber.ended or subscriber.suspended == "withdrawal"
    facts = {"withdrawn": withdrawn, "reason": subscriber.why}
    return core.site.decide(controls.WITHDRAWN, subscriber.imsi, on=Occasion.LOCATION, **facts).admitted


def register(
    core: Core, subscriber: Subscriber, message: Message, seen: str, plmn: str, *, occasion: Occasion
) -> Decision | None:
    """Let the binding decide about a terminal and, if it admits it, keep where the card is and what was learned.

    Returns the decision, None for a card that is not bound. Of two first uses at once the second one finds the card
    bound and is judged by that.
    """
    while True:
        decision = core.judge_binding(subscriber, seen, occasion, core.first_use(subscriber, message))
        if decision is not None and not decision.admitted:
            return decision
        number = subscriber.sms_number
        if occasion is Occasion.LOCATION:
            number = registered_number(core, subscriber, message)
        teaches = seen if decision is not None and decision.details.get("teaches") else ""
        origin = message.get("Origin-Host")
        audit = core.audit.record("learn", subscriber.imsi, {"imei": seen, "mme": origin})
        if core.store.register(
            subscriber,
            mme=origin,
            realm=message.get("Origin-Realm"),
            plmn=plmn,
            imei=seen or subscriber.imei,
            sms_number=number,
            teaches=teaches,
            audit=audit,
        ):
            break
        subscriber = core.card(subscriber.imsi)
    if teaches:
        core.show_binding(subscriber)
        if subscriber.vlr and subscriber.vlr_imei != subscriber.bound:  # its calls are in another terminal
            notice = forget_vlr(core, subscriber, "the card was bound to another terminal by its first use")
            core.site.spawn(cancel_location(core, notice), "cancel location")
    core.show_registration(subscriber)
    return decision


def refuse_terminal(core: Core, subscriber: Subscriber, message: Message, decision: Decision) -> Message:
    """Answer a ULR from a terminal that the card is not bound to, as configured.

    The answer has no ULA-Flags: they belong to a successful one (5.2.1.1.1).
    """
    core.store.audit(core.mismatch(subscriber, decision, "update-location-request"))
    return refuse(core, message, core.config.mismatch)


def refuse(core: Core, message: Message, answer: ErrorAnswer) -> Message:
    """Refuse a ULR with a configured result."""
    return core.node.answer(message, answer.code, experimental=answer.experimental)


async def cancel_former(core: Core, imsi: str, host: str) -> None:
    """Cancel a card's location at the node that served it before, if that has not forgotten it by itself."""
    for notice in core.store.pending(host):
        if (notice.imsi, notice.what) == (imsi, Due.UPDATE):
            await cancel_location(core, notice)


async def cancel_location(core: Core, *notices: Notice) -> None:
    """Cancel cards' locations at MMEs (5.2.1.2) and VLRs, all at once. Who does not answer is told again.

    What one has answered is kept without waiting for another, which may never answer.
    """
    hosts: dict[str, list[Notice]] = {}
    for notice in notices:
        hosts.setdefault(notice.host, []).append(notice)
    await _together([_cancel_at(core, host, due) for host, due in hosts.items()])


async def _cancel_at(core: Core, host: str, notices: Sequence[Notice]) -> None:
    heard = await _together([_cancel(core, notice) for notice in notices])
    core.store.told(*(notice for notice, told in zip(notices, heard, strict=True) if told))
    if not all(heard):
        core.tell_again(host)


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    return [await work[0]] if len(work) == 1 else await asyncio.gather(*work)


async def _cancel(core: Core, notice: Notice) -> bool:
    """Send a CLR, or to a VLR a CancelLocation; return whether it was answered."""
    if notice.at_vlr:
        from simulators.hss.procedures.visited import cancel_at_vlr  # noqa: PLC0415 - only who serves calls pays for it

        return await cancel_at_vlr(core, notice)
    kind, flags = _CANCELLATION[notice.what]
    avps = [("User-Name", notice.imsi), ("Cancellation-Type", int(kind)), ("CLR-Flags", int(flags))]
    request = core.node.make("Cancel-Location-Request", avps, realm=notice.realm, host=notice.host)
    try:
        await core.ask(notice.host, request)
    except Unreachable as reason:
        core.site.note(f"{notice.host} was not told that {notice.imsi} is cancelled: {reason}", imsi=notice.imsi)
        return False
    return True


def withdraw(
    core: Core, subscribers: Sequence[Subscriber], records: Sequence[dict[str, Any]], *, due: Due, **values: Any
) -> list[Notice]:
    """Keep a change of cards, with its `records`, by which all ends that they have; return for whom that is pending.

    `due` is a withdrawal, or that their devices attach anew where they may be served as before.
    """
    served = [subscriber for subscriber in subscribers if subscriber.mme]
    called = [subscriber for subscriber in subscribers if subscriber.vlr]
    notices = core.store.change_all(subscribers, records, due=due, **values)
    for subscriber in served:
        core.show_registration(subscriber)
    for subscriber in called:
        core.show_vlr(subscriber)
    return notices


def forget_vlr(core: Core, subscriber: Subscriber, reason: str) -> Notice:
    """Keep that the VLR which serves a card's calls does so no more; return that it has to be told."""
    record = core.audit.record("cancel-location", subscriber.imsi, {"reason": reason})
    notice = Notice(subscriber.imsi, subscriber.vlr, Due.WITHDRAWAL, VLR)
    core.store.change(subscriber, record, more=[notice], **NO_VLR)
    core.show_vlr(subscriber)
    return notice


async def drop_vlr(core: Core, subscriber: Subscriber, reason: str) -> None:
    """Let the VLR that serves a card's calls do so no more, and tell it."""
    await cancel_location(core, forget_vlr(core, subscriber, reason))


async def purge_ue(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer a PUR (5.2.1.3.3): the registered MME's is kept, and its M-TMSI frozen."""
    subscriber = core.find(message, Occasion.PURGE)
    if isinstance(subscriber, Message):
        return subscriber
    origin = message.get("Origin-Host")
    core.store.purge(subscriber, origin)
    if subscriber.mme != origin:
        return core.node.answer(message, ResultCode.DIAMETER_SUCCESS)
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS, [("PUA-Flags", int(PuaFlags.FREEZE_M_TMSI))])
