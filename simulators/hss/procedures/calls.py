"""What VLRs and GMSCs ask of the HLR (TS 29.002 8.1.2, 10.1; TS 23.078 4): who serves a card's calls, and the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simulators.hss.controls import Occasion
from simulators.hss.procedures.location import cancel_former, cancel_location, drop_vlr
from simulators.hss.procedures.subscriber_data import zones_of
from simulators.hss.procedures.visited import acts_on, insert_data, number_of, o_csi, t_csi
from simulators.hss.subscriber import NO_VLR, Due
from simwarden.model.identity import imei_key
from simwarden.model.profile import Function
from simwarden.policy.binding import FirstUse
from simwarden.policy.camel import O_CSI, T_CSI, common_phase
from simwarden.runtime.sigtran.map_node import MapError, NoAnswer
from simwarden.wire import map as m
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.map import ErrorCode
from simwarden.wire.tbcd import INTERNATIONAL, AddressString

if TYPE_CHECKING:
    from simulators.hss.config import ErrorAnswer
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Notice, Subscriber
    from simwarden.runtime.sigtran.map_node import Dialogue

_NOT_ALLOWED = m.roaming_not_allowed(m.RoamingNotAllowedCause.PLMN_ROAMING_NOT_ALLOWED)
_BARRED = m.call_barred(m.CallBarringCause.OPERATOR_BARRING)


# -- registration of a VLR


async def update_location(core: Core, asked: m.UpdateLocation, dialogue: Dialogue) -> m.UpdateLocationResult:
    """Answer an UpdateLocation (8.1.2): the VLR has heard what the card may do before it hears that it serves it."""
    subscriber = _found(core, core.store.get(asked.imsi), asked.vlr_number, dialogue, Occasion.MAP_LOCATION)
    camel = _offered(asked.vlr_capability)
    await _tell_first(core, subscriber, asked.vlr_number.digits)
    _may_register(core, subscriber, asked, camel)
    former = subscriber.vlr
    due = core.store.register_vlr(
        subscriber,
        vlr=asked.vlr_number.digits,
        msc=asked.msc_number.digits,
        imei=_terminal(asked),
        camel={**camel, "csis": []},
    )
    core.show_vlr(subscriber)
    if former:
        core.site.spawn(cancel_former(core, subscriber.imsi, former), "cancel location")
    await _give_data(core, subscriber, dialogue, due)
    return m.UpdateLocationResult(core.signalling.address)


async def _tell_first(core: Core, subscriber: Subscriber, vlr: str) -> None:
    """Let a VLR hear first that a card is cancelled: it may ask by what it heard before that. Raises MapError."""
    for notice in core.store.at_vlrs(subscriber.imsi):
        if notice.host == vlr and notice.what is not Due.CALLS:
            await cancel_location(core, notice)
            if core.store.is_pending(notice):
                raise MapError(ErrorCode.SYSTEM_FAILURE)


def _may_register(core: Core, subscriber: Subscriber, asked: m.UpdateLocation, camel: dict[str, Any]) -> None:
    """Ask all that has a word about a registration. Raises MapError."""
    if not _opened(core, subscriber, Occasion.MAP_LOCATION):
        raise MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)
    withdrawn = subscriber.ended or subscriber.suspended == "withdrawal"
    if not _in_force(core, subscriber, Occasion.MAP_LOCATION, withdrawn=withdrawn):
        raise _refusal(core.config.withdrawn)
    # MAP's regional subscription is not built: no VLR enforces zone codes
    facts = {"needed": ["REG_SUB"] if zones_of(core.config, subscriber) else [], "supported": []}
    if not core.site.decide(controls.ZONES, subscriber.imsi, on=Occasion.MAP_LOCATION, **facts).admitted:
        raise MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)
    if not acts_on(core, subscriber, camel, Occasion.MAP_LOCATION):
        raise MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)
    # The HLR gives VLRs no authentication vectors: what a VLR says of a terminal is nobody's first use.
    decision = core.judge_binding(subscriber, _terminal(asked), Occasion.MAP_LOCATION, FirstUse())
    if decision is not None and not decision.admitted:
        core.store.audit(core.mismatch(subscriber, decision, "map-update-location"))
        raise _refusal(core.config.mismatch)


async def _give_data(core: Core, subscriber: Subscriber, dialogue: Dialogue, due: Notice) -> None:
    """Tell the VLR that registers a card what it is to know of it; one that does not take it serves nobody.

    What happens to the card meanwhile holds: it is registered here no more then, or is told anew. Raises MapError.
    """
    acts = False
    try:
        acts = await insert_data(core, subscriber, due.host, dialogue.ask, Occasion.MAP_LOCATION)
    except (MapError, NoAnswer) as reason:
        core.site.note(f"VLR {due.host} has not taken the subscriber data: {reason}", imsi=subscriber.imsi)
        if subscriber.vlr == due.host:
            core.store.change(subscriber, **NO_VLR)
            core.show_vlr(subscriber)
    core.store.told(due)
    if subscriber.vlr != due.host:
        raise MapError(ErrorCode.SYSTEM_FAILURE)
    if not acts:
        await drop_vlr(core, subscriber, "the VLR does not support what the card needs")
        raise MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)


def _offered(capability: m.VlrCapability | None) -> dict[str, Any]:
    """Return what a VLR offers of CAMEL, nothing where it does not say."""
    capability = capability or m.VlrCapability()
    return {
        "phases": list(capability.supported_camel_phases or ()),
        "offered": list(capability.offered_camel4_csis or ()),
    }


def _terminal(asked: m.UpdateLocation) -> str:
    """Return the terminal that a VLR names (ADD-Info), empty if it names none."""
    return imei_key(asked.add_info.imeisv) if asked.add_info is not None else ""


# -- calls to a card


async def send_routing_info(core: Core, asked: m.SendRoutingInfo, dialogue: Dialogue) -> m.SendRoutingInfoResult:
    """Answer a SendRoutingInfo (10.1): first by the T-CSI, then by the roaming number that the VLR gives."""
    number = asked.msisdn.digits
    if not number.isdecimal():
        raise MapError(ErrorCode.UNEXPECTED_DATA_VALUE)
    held = core.store.numbered(f"+{number}" if asked.msisdn.nature == INTERNATIONAL else number)
    subscriber = _found(core, held, asked.gmsc_address, dialogue, Occasion.MAP_ROUTING)
    if not _in_force(core, subscriber, Occasion.MAP_ROUTING, withdrawn=bool(subscriber.suspended)):
        raise MapError(ErrorCode.CALL_BARRED, _BARRED)
    if not _opened(core, subscriber, Occasion.MAP_ROUTING):
        raise MapError(ErrorCode.TELESERVICE_NOT_PROVISIONED)
    if asked.interrogation_type is not m.InterrogationType.BASIC_CALL:  # no forwarding is provisioned
        raise MapError(ErrorCode.FACILITY_NOT_SUPPORTED)
    csis = _directed(core, subscriber, asked.camel_info)
    if csis is not None:
        told = m.ExtendedRoutingInfo(camel_routing_info=m.CamelRoutingInfo(csis))
        return m.SendRoutingInfoResult(subscriber.imsi, told, msisdn=number_of(subscriber))
    if not subscriber.vlr:
        raise MapError(ErrorCode.ABSENT_SUBSCRIBER, m.absent_subscriber(m.AbsentSubscriberReason.IMSI_DETACH))
    route = m.ExtendedRoutingInfo(m.RoutingInfo(await _roaming_number(core, subscriber, asked)))
    return m.SendRoutingInfoResult(subscriber.imsi, route, AddressString(subscriber.msc), number_of(subscriber))


def _directed(core: Core, subscriber: Subscriber, camel: m.CamelInfo | None) -> m.GmscCamelSubscription | None:
    """Return the CSIs of a GMSC where the T-CSI has its turn now. Raises MapError.

    A GMSC that does not offer the phase is given no way to the card, also not when it says that the T-CSI had its turn.
    By the O-CSI a call that is forwarded there is the card's own.
    """
    csi = core.csi_of(subscriber)
    if T_CSI not in csi.kinds:
        return None
    camel = camel or m.CamelInfo(())
    supported, offered = camel.supported_camel_phases, camel.offered_camel4_csis or ()
    kinds = [each for each in (T_CSI, O_CSI) if each in csi.kinds]
    facts = {"csis": kinds, "phases": csi.phases, "supported": supported, "offered": offered}
    if not core.site.decide(controls.CAMEL, subscriber.imsi, on=Occasion.MAP_ROUTING, **facts).admitted:
        raise MapError(ErrorCode.CALL_BARRED, _BARRED)
    if camel.suppress_t_csi:
        return None
    t, o = (common_phase(each, csi.phases, supported, offered) for each in (T_CSI, O_CSI))
    if not t:  # only proofs admit it by force
        return None
    return m.GmscCamelSubscription(t_csi(csi, t), o_csi(csi, o) if O_CSI in kinds else None)


async def _roaming_number(core: Core, subscriber: Subscriber, asked: m.SendRoutingInfo) -> AddressString:
    """Ask the serving VLR for a roaming number (10.2). Raises MapError."""
    phases = asked.camel_info.supported_camel_phases if asked.camel_info is not None else None
    wanted = m.ProvideRoamingNumber(
        subscriber.imsi,
        AddressString(subscriber.msc),
        number_of(subscriber),
        gmsc_address=asked.gmsc_address,
        call_reference_number=asked.call_reference_number,
        supported_camel_phases=phases,
    )
    try:
        told = await core.ask_vlr(subscriber.vlr, m.ROAMING_NUMBER_ENQUIRY, m.PROVIDE_ROAMING_NUMBER, wanted)
    except NoAnswer as reason:
        core.site.note(f"VLR {subscriber.vlr} gave no roaming number: {reason}", imsi=subscriber.imsi)
        raise MapError(ErrorCode.SYSTEM_FAILURE) from None
    except MapError as error:
        absent = error.code == ErrorCode.ABSENT_SUBSCRIBER
        raise MapError(error.code if absent else ErrorCode.SYSTEM_FAILURE, error.parameter if absent else b"") from None
    if told is None:
        raise MapError(ErrorCode.SYSTEM_FAILURE)
    number: AddressString = told.roaming_number
    return number


# -- who asks, and about whom


def _found(
    core: Core, held: Subscriber | None, node: AddressString, dialogue: Dialogue, occasion: Occasion
) -> Subscriber:
    """Return the card that a known node asks about. Raises MapError; a stranger learns nothing of it."""
    imsi = held.imsi if held is not None else ""
    facts = {"number": node.digits, "listed": core.listed_nodes(dialogue.peer)}
    if not core.site.decide(controls.NODE, imsi or node.digits, on=occasion, **facts).admitted:
        routing = occasion is Occasion.MAP_ROUTING
        raise (
            MapError(ErrorCode.FACILITY_NOT_SUPPORTED)
            if routing
            else MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)
        )
    known = core.site.decide(controls.SUBSCRIBER, imsi, on=occasion, known=held is not None)
    if held is None or not known.admitted:
        raise MapError(ErrorCode.UNKNOWN_SUBSCRIBER)
    return held


def _opened(core: Core, subscriber: Subscriber, occasion: Occasion) -> bool:
    opened = Function.VOICE in subscriber.functions.split()
    return core.site.decide(controls.VOICE, subscriber.imsi, on=occasion, opened=opened).admitted


def _in_force(core: Core, subscriber: Subscriber, occasion: Occasion, *, withdrawn: bool) -> bool:
    facts = {"withdrawn": withdrawn, "reason": subscriber.why}
    return core.site.decide(controls.WITHDRAWN, subscriber.imsi, on=occasion, **facts).admitted


def _refusal(answer: ErrorAnswer) -> MapError:
    """Return the error of MAP that says what a configured result says on S6a (TS 29.305 A.2 for those that it maps)."""
    if answer.code == ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN and answer.experimental:
        return MapError(ErrorCode.UNKNOWN_SUBSCRIBER)
    return MapError(ErrorCode.ROAMING_NOT_ALLOWED, _NOT_ALLOWED)
