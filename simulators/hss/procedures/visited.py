"""What the HLR tells VLRs: subscriber data and cancelled locations (TS 29.002 8.1.3, 8.8; CSIs by TS 23.078 4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simulators.hss.controls import Occasion
from simulators.hss.subscriber import Due
from simwarden.policy.camel import O_CSI, T_CSI, VT_CSI, common_phase
from simwarden.policy.numbers import international
from simwarden.runtime.sigtran.map_node import MapError, NoAnswer
from simwarden.wire import map as m
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.hss.config import HssCsi
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Notice, Subscriber

#: telephony, and emergency calls (TS 29.002 17.7.9)
_TELESERVICES = (b"\x11", b"\x12")
#: bit 0 of ODB-GeneralData: all outgoing calls barred (17.7.1)
_ALL_OUTGOING = 0
_HANDLING = {"release": m.DefaultCallHandling.RELEASE_CALL, "continue": m.DefaultCallHandling.CONTINUE_CALL}
_ORDINARY = 0x0A
"""Category of an ordinary subscriber (Q.763 3.11)."""


# -- CSIs


def in_vlr(csi: HssCsi) -> tuple[str, ...]:
    """Return which of a card's CSIs the visited MSC acts on."""
    return tuple(each for each in (O_CSI, VT_CSI) if each in csi.kinds)


def o_csi(csi: HssCsi, phase: int) -> m.OCsi:
    """Return the O-CSI of a card in a phase."""
    trigger = m.OTriggerData(
        m.OTriggerPoint.COLLECTED_INFO, csi.service_key, AddressString(csi.scf), _HANDLING[csi.default]
    )
    return m.OCsi((trigger,), phase)


def t_csi(csi: HssCsi, phase: int) -> m.TCsi:
    """Return the T-CSI or VT-CSI of a card in a phase."""
    trigger = m.TTriggerData(
        m.TTriggerPoint.TERM_ATTEMPT_AUTHORIZED, csi.service_key, AddressString(csi.scf), _HANDLING[csi.default]
    )
    return m.TCsi((trigger,), phase)


def acts_on(core: Core, subscriber: Subscriber, camel: dict[str, Any], occasion: Occasion) -> bool:
    """Decide whether a VLR that offers so much of CAMEL may serve a card; one without CSIs any VLR may."""
    csi = core.csi_of(subscriber)
    csis = in_vlr(csi)
    facts = {"csis": csis, "phases": csi.phases, "supported": camel["phases"], "offered": camel["offered"]}
    return not csis or core.site.decide(controls.CAMEL, subscriber.imsi, on=occasion, **facts).admitted


# -- subscriber data


def number_of(subscriber: Subscriber) -> AddressString | None:
    """Return a card's number as MAP carries it, None for a card without one."""
    return AddressString(international(subscriber.msisdn)) if subscriber.msisdn else None


def _data(core: Core, subscriber: Subscriber) -> m.InsertSubscriberData:
    """Make what a VLR is to know of a card; that the operator bars it is said each time."""
    csi, camel = core.csi_of(subscriber), subscriber.camel
    phases = {each: common_phase(each, csi.phases, camel["phases"], camel["offered"]) for each in in_vlr(csi)}
    barred = subscriber.suspended == "barring"
    o, vt = phases.get(O_CSI), phases.get(VT_CSI)
    sent = m.VlrCamelSubscription(o_csi(csi, o) if o else None, t_csi(csi, vt) if vt else None)
    return m.InsertSubscriberData(
        msisdn=number_of(subscriber),
        category=_ORDINARY,
        subscriber_status=m.SubscriberStatus(barred),
        teleservices=_TELESERVICES,
        odb_data=m.OdbData((_ALL_OUTGOING,)) if barred else None,
        vlr_camel_subscription=sent if o or vt else None,
    )


async def insert_data(
    core: Core, subscriber: Subscriber, vlr: str, ask: Callable[[Any, Any], Awaitable[Any]], occasion: Occasion
) -> bool:
    """Tell the VLR that serves a card what it is to know of it; return whether it acts on all of that.

    Raises MapError, NoAnswer.
    """
    told = list(in_vlr(core.csi_of(subscriber)))
    barred = subscriber.suspended == "barring"
    data = _data(core, subscriber)
    answer = await ask(m.INSERT_SUBSCRIBER_DATA, data) or m.InsertSubscriberDataResult()
    camel = {**subscriber.camel, "csis": told}
    if answer.supported_camel_phases is not None:
        camel["phases"] = list(answer.supported_camel_phases)
        camel["offered"] = list(answer.offered_camel4_csis or ())
    if subscriber.vlr == vlr:  # not another one meanwhile
        core.store.change(subscriber, camel=camel)
    supported = [] if _ALL_OUTGOING in (answer.odb_general or ()) else ["ODB_ALL_OG"]
    facts = {"needed": ["ODB_ALL_OG"], "supported": supported}
    if barred and not core.site.decide(controls.BARRING, subscriber.imsi, on=occasion, **facts).admitted:
        return False
    return answer.supported_camel_phases is None or acts_on(core, subscriber, camel, occasion)


async def tell_calls(core: Core, subscriber: Subscriber, notice: Notice) -> bool:
    """Tell the serving VLR what has changed of a card, which is pending (8.8); return whether it acts on that.

    A VLR that is not reached is told again.
    """
    ask = partial(_ask_alone, core, notice)
    try:
        acts = acts_on(core, subscriber, subscriber.camel, Occasion.MAP_DATA)
        if acts:
            gone = set(subscriber.camel.get("csis", ())) - set(in_vlr(core.csi_of(subscriber)))
            if gone:
                await ask(m.DELETE_SUBSCRIBER_DATA, _withdrawn(subscriber, gone))
            acts = await insert_data(core, subscriber, notice.host, ask, Occasion.MAP_DATA)
    except NoAnswer as reason:
        core.site.note(f"VLR {notice.host} was not told: {reason}", imsi=subscriber.imsi)
        core.tell_again(notice.host)
        return True
    except MapError as error:
        # also that it has forgotten the card (unidentifiedSubscriber): it serves it no more
        core.site.note(f"VLR {notice.host} does not take what it is told: {error}", imsi=subscriber.imsi)
        acts = False
    core.store.told(notice)
    return acts


async def _ask_alone(core: Core, notice: Notice, operation: Any, argument: Any) -> Any:
    argument = replace(argument, imsi=notice.imsi)
    return await core.ask_vlr(notice.host, m.SUBSCRIBER_DATA_MNGT, operation, argument)


def _withdrawn(subscriber: Subscriber, gone: set[str]) -> m.DeleteSubscriberData:
    """Make the order to forget CSIs (8.8.2): all of them, or each by its bit."""
    if gone == set(subscriber.camel.get("csis", ())):
        return m.DeleteSubscriberData(subscriber.imsi, camel_subscription_withdraw=True)
    bits = {O_CSI: 0, VT_CSI: 4, T_CSI: 8}
    return m.DeleteSubscriberData(subscriber.imsi, specific_csi=tuple(sorted(bits[each] for each in gone)))


# -- cancelled locations


async def cancel_at_vlr(core: Core, notice: Notice) -> bool:
    """Send a CancelLocation (8.1.3); return whether it was answered."""
    update = notice.what is Due.UPDATE
    kind = m.CancellationType.UPDATE_PROCEDURE if update else m.CancellationType.SUBSCRIPTION_WITHDRAW
    asked = m.CancelLocation(m.Identity(imsi=notice.imsi), kind)
    try:
        await core.ask_vlr(notice.host, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked)
    except NoAnswer as reason:
        core.site.note(f"VLR {notice.host} was not told that {notice.imsi} is cancelled: {reason}", imsi=notice.imsi)
        return False
    except MapError as error:
        core.site.note(f"VLR {notice.host} answered the cancellation with {error}", imsi=notice.imsi)
    return True
