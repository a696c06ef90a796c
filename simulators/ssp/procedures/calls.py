"""Calls (TS 23.018, with CAMEL by TS 23.078 4.5): made by a terminal, brought by a trunk, to cards and to others."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.ssp import charging
from simulators.ssp.bcsm import O_BCSM, T_BCSM
from simulators.ssp.call import LAST_FORWARDING, LOCATION, NOT_CONNECTED, Half, Nowhere, Setup
from simulators.ssp.clients.gsmscf import Scf, Trigger
from simulators.ssp.clients.mobility import MapError, NoAnswer, ask_route
from simulators.ssp.numbers import NETWORK_PROVIDED, cause_of, international, is_e164, number_of, who
from simwarden.policy.calls import WORLDWIDE_EMERGENCY
from simwarden.wire.cap import EventType
from simwarden.wire.dtap import MessageType
from simwarden.wire.map import DefaultCallHandling, ErrorCode, GmscCamelSubscription
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeAlias

    from simulators.ssp.call import DigitReply, Downstream, Upstream
    from simulators.ssp.clients.call_control import Leg
    from simulators.ssp.clients.terminal import Terminal
    from simulators.ssp.clients.trunk import IncomingLeg
    from simulators.ssp.core import Core
    from simwarden.wire import map as gsm_map
    from simwarden.wire.dtap import Message
    from simwarden.wire.isup import Number

    Work: TypeAlias = Callable[[], Awaitable[Callable[[], Downstream]]]

C: Final = CauseValue
#: operator determined barring (TS 24.008 10.5.4.11)
_BARRED: Final = 8
#: transfer mode and information transfer capability in octet 3 of a bearer capability, 0 for circuit mode speech
_TRANSFER: Final = 0x0F
#: what a caller is told of the HLR's errors (TS 29.010 table 2.14, TS 23.018 7.2.1)
_CAUSES: Final[Mapping[int, int]] = {
    ErrorCode.UNKNOWN_SUBSCRIBER: C.UNALLOCATED_NUMBER,
    ErrorCode.NUMBER_CHANGED: C.NUMBER_CHANGED,
    ErrorCode.CALL_BARRED: C.CALL_REJECTED,
    ErrorCode.CUG_REJECT: C.INCOMING_CALLS_BARRED_WITHIN_CUG,
    ErrorCode.ABSENT_SUBSCRIBER: C.SUBSCRIBER_ABSENT,
    ErrorCode.TELESERVICE_NOT_PROVISIONED: C.BEARER_CAPABILITY_NOT_AUTHORIZED,
    ErrorCode.BEARER_SERVICE_NOT_PROVISIONED: C.BEARER_CAPABILITY_NOT_AUTHORIZED,
    ErrorCode.FACILITY_NOT_SUPPORTED: C.REQUESTED_FACILITY_NOT_IMPLEMENTED,
    ErrorCode.BUSY_SUBSCRIBER: C.USER_BUSY,
    ErrorCode.NO_SUBSCRIBER_REPLY: C.NO_ANSWER_FROM_USER,
}


def _cause(value: int) -> Cause:
    return Cause(value, LOCATION)


# -- calls that begin


def originate(core: Core, terminal: Terminal, leg: Leg, message: Message) -> None:
    """Set up a call of a terminal's (OCH_MSC): with its O-CSI, unless it calls for help."""
    if message.type is MessageType.EMERGENCY_SETUP:
        _emergency(core, terminal, leg, AddressString(core.config.emergency_centre, 0))
        return
    dialled, bearer = message.get("called_party_bcd_number"), message.get("bearer_capability")
    subscriber = core.subscribers.get(terminal.caller)
    if bearer is None:
        leg.refuse(_cause(C.MANDATORY_ELEMENT_MISSING))
    elif not _is_speech(bearer):  # the HLR provisions telephony and no bearer service (TS 23.018 7.1.2)
        leg.refuse(_cause(C.BEARER_CAPABILITY_NOT_AUTHORIZED))
    elif dialled is None or not dialled.digits:
        leg.refuse(_cause(C.INVALID_NUMBER_FORMAT))
    elif (service := _emergency_service(core, dialled)) is not None:
        _emergency(core, terminal, leg, service)
    elif subscriber is None or not subscriber.telephony:
        leg.refuse(_cause(C.BEARER_CAPABILITY_NOT_AUTHORIZED))
    elif subscriber.outgoing_barred:
        leg.refuse(_cause(_BARRED))
    else:
        caller = _caller(subscriber.msisdn)
        half = Half(core, O_BCSM, leg, partial(_onward, core), subscriber.imsi, subscriber.msisdn)
        half.ended = charging.mobile_originated
        half.scf = scf_of(half, subscriber.o_csi)
        _start(core, leg, half, Setup(dialled, caller, reference=core.next_reference()))


def _is_speech(bearer_capability: bytes) -> bool:
    """Return True if circuit mode speech is asked for, whatever the channel (TS 24.008 10.5.4.5)."""
    return not bearer_capability[0] & _TRANSFER


def _emergency_service(core: Core, dialled: AddressString) -> AddressString | None:
    """Return the emergency service that a number reaches, as a whole and with no type of number; None for any other.

    112 and 911 reach the emergency centre also from a terminal that does not know them (TS 22.101 10.1.1).
    """
    if dialled.nature == 1:
        return None
    if dialled.digits in core.config.emergency_numbers:
        return dialled
    return AddressString(core.config.emergency_centre, 0) if dialled.digits in WORLDWIDE_EMERGENCY else None


def _emergency(core: Core, terminal: Terminal, leg: Leg, number: AddressString) -> None:
    """Set up an emergency call: nobody is asked, nothing bars it (TS 22.101 10.1)."""
    subscriber = core.subscribers.get(terminal.caller)
    imsi, msisdn = (subscriber.imsi, subscriber.msisdn) if subscriber is not None else ("", "")
    half = Half(core, O_BCSM, leg, partial(_onward, core), imsi, msisdn, ended=charging.mobile_originated)
    _start(core, leg, half, Setup(number, _caller(msisdn), reference=core.next_reference(), emergency=True))


def _caller(msisdn: str) -> Number | None:
    """Return whom the network provides as the caller, None for a card whose number it does not know."""
    return number_of(AddressString(msisdn), screening=NETWORK_PROVIDED) if msisdn else None


def _start(core: Core, leg: Leg, half: Half, setup: Setup) -> None:
    _show(core, half, setup, "mo")
    leg.down = half
    leg.proceed()
    half.begin(setup)


def arrive(core: Core, leg: IncomingLeg, setup: Setup) -> None:
    """Take a call from another network: for a roaming number of ours, or as a gateway for a card."""
    down = _to_roaming_number(core, leg, setup) or _to_card(core, leg, setup)
    if down is not None:
        leg.down = down
    else:
        leg.cleared(_cause(C.UNALLOCATED_NUMBER))


# -- where calls go


def _onward(core: Core, up: Upstream, setup: Setup) -> Downstream:
    """Take a call to where its number is."""
    if setup.forwardings > LAST_FORWARDING:
        return _fail(up, C.EXCHANGE_ROUTING_ERROR)
    if not setup.emergency:
        down = _to_card(core, up, setup)
        if down is not None:
            return down
    return core.trunks.call(up, setup) or _fail(up, C.NO_ROUTE_TO_DESTINATION)


def _fail(up: Upstream, value: int) -> Downstream:
    up.cleared(_cause(value))
    return Nowhere()


def _to_card(core: Core, up: Upstream, setup: Setup) -> Downstream | None:
    """Take a call to a card as its gateway; None for a number that is none of a card's."""
    msisdn = international(setup.called)
    own = tuple(each.removeprefix("+") for each in core.config.own_numbers)
    if not msisdn.startswith(own) or not is_e164(msisdn):
        return None
    return _Enquiry(core, up, partial(_interrogate, core, up, setup, msisdn))


class _Enquiry:
    """What is downstream of a call while it is asked where it goes, and the way to there afterwards."""

    def __init__(self, core: Core, up: Upstream, work: Work) -> None:
        self._core, self._up, self._work = core, up, work
        self._next: Downstream | None = None
        self._over = False
        core.site.spawn(self._run(), "interrogation of the HLR")

    async def _run(self) -> None:
        try:
            go_on = await self._work()
        except MapError as error:
            self._fail(_CAUSES.get(error.code, C.TEMPORARY_FAILURE), str(error))
        except NoAnswer as error:
            self._fail(C.TEMPORARY_FAILURE, f"no answer of the HLR: {error}")
        else:
            if not self._over:
                self._next = go_on()

    def _fail(self, value: int, reason: str) -> None:
        self._core.site.note(reason)
        self._up.cleared(_cause(value))

    def release(self, cause: Cause) -> None:
        """See Downstream."""
        self._over = True
        if self._next is not None:
            self._next.release(cause)

    def digit(self, key: str, reply: DigitReply) -> None:
        """See Downstream."""
        if self._next is not None:
            self._next.digit(key, reply)
        else:
            reply(NOT_CONNECTED)


async def _interrogate(core: Core, up: Upstream, setup: Setup, msisdn: str) -> Callable[[], Downstream]:
    """Ask the HLR about a called card (MT_GMSC): if it has a T-CSI its gsmSCF is asked before where it is."""
    told = await ask_route(core, msisdn, setup.reference, suppress_t_csi=False)
    camel = told.extended_routing_info.camel_routing_info if told.extended_routing_info is not None else None
    csis = camel.gmsc_camel_subscription if camel is not None else GmscCamelSubscription()
    t_csi = csis.t_csi
    if t_csi is None:
        return partial(_by_route, core, up, setup, told, msisdn)

    def direct() -> Downstream:
        half = Half(core, T_BCSM, up, partial(_second, core, msisdn), told.imsi or "", msisdn)
        half.elsewhere = partial(_forward, core, msisdn, csis.o_csi)
        half.scf = scf_of(half, t_csi)
        _show(core, half, setup, "gmsc")
        half.begin(setup)
        return half

    return direct


def _second(core: Core, msisdn: str, half: Half, setup: Setup) -> Downstream:
    """Ask the HLR again, now that the T-CSI has had its turn: where the card is."""

    async def ask() -> Callable[[], Downstream]:
        told = await ask_route(core, msisdn, setup.reference, suppress_t_csi=True)
        return partial(_by_route, core, half, setup, told, msisdn)

    return _Enquiry(core, half, ask)


def _by_route(core: Core, up: Upstream, setup: Setup, told: gsm_map.SendRoutingInfoResult, msisdn: str) -> Downstream:
    """Take a call on by what the HLR says: to a roaming number, here or at another MSC, or forwarded."""
    routing = told.extended_routing_info.routing_info if told.extended_routing_info is not None else None
    if routing is None:
        return _fail(up, C.TEMPORARY_FAILURE)
    if routing.roaming_number is not None:
        moved = dataclasses.replace(setup, called=routing.roaming_number)
        here = _to_roaming_number(core, up, moved, original=setup.called)
        return here or core.trunks.call(up, moved) or _fail(up, C.NO_ROUTE_TO_DESTINATION)
    forwarding = routing.forwarding_data
    if forwarding is None or forwarding.forwarded_to_number is None:
        return _fail(up, C.TEMPORARY_FAILURE)
    moved = dataclasses.replace(setup, called=forwarding.forwarded_to_number, forwardings=setup.forwardings + 1)
    return _forwarded(core, up, moved, (told.imsi or "", msisdn), None)  # CSIs come in place of a route


def _forward(core: Core, msisdn: str, o_csi: gsm_map.OCsi | None, half: Half, setup: Setup) -> Downstream:
    """Take a call on that the gsmSCF of a called card connects to somebody else."""
    return _forwarded(core, half, setup, (half.imsi, msisdn), o_csi)


def _forwarded(core: Core, up: Upstream, setup: Setup, card: tuple[str, str], o_csi: gsm_map.OCsi | None) -> Downstream:
    """Begin the forwarded leg (MF): the card that forwards is the one that calls, by its own O-CSI."""
    imsi, msisdn = card
    own = number_of(AddressString(msisdn))
    setup = dataclasses.replace(setup, original=setup.original or own, redirecting=own)
    half = Half(core, O_BCSM, up, partial(_onward, core), imsi, msisdn)
    half.scf = scf_of(half, o_csi)
    _show(core, half, setup, "forwarded")
    half.begin(setup)
    return half


def _to_roaming_number(
    core: Core, up: Upstream, setup: Setup, original: AddressString | None = None
) -> Downstream | None:
    """Take a call to a card that is here (MT_VMSC), by its VT-CSI; None: the number is no roaming number of ours."""
    imsi = core.take_roaming_number(setup.called.digits)
    if imsi is None:
        return None
    subscriber = core.subscribers.get(imsi)
    if subscriber is None:
        return _fail(up, C.SUBSCRIBER_ABSENT)
    own = AddressString(subscriber.msisdn) if subscriber.msisdn else original or setup.called
    half = Half(core, T_BCSM, up, partial(_page, core, subscriber.imsi), imsi, subscriber.msisdn)
    half.ended, half.ringing = charging.mobile_terminated, core.config.ringing
    half.elsewhere = partial(_forward, core, subscriber.msisdn, subscriber.o_csi)
    half.scf = scf_of(half, subscriber.vt_csi)
    setup = dataclasses.replace(setup, called=own)
    _show(core, half, setup, "mt")
    half.begin(setup)
    return half


def _page(core: Core, imsi: str, half: Half, setup: Setup) -> Downstream:
    """Set a call up at the terminal of a card."""
    subscriber = core.subscribers.get(imsi)
    if subscriber is None or subscriber.terminal is None:
        return _fail(half, C.SUBSCRIBER_ABSENT)
    leg = subscriber.terminal.page(half, setup)
    return leg if leg is not None else _fail(half, C.USER_BUSY)


# -- CSIs


def scf_of(half: Half, csi: gsm_map.OCsi | gsm_map.TCsi | None) -> Scf | None:
    """Return who is asked about a call by an O-CSI, T-CSI or VT-CSI.

    One that does not say its phase is of phase 1, which has no CAP of later ones.
    """
    if csi is None:
        return None
    triggers = {
        EventType(int(each.trigger_detection_point)): Trigger(
            each.service_key,
            each.gsm_scf_address.digits,
            each.default_call_handling is not DefaultCallHandling.CONTINUE_CALL,
            csi.camel_capability_handling or 1,
        )
        for each in csi.triggers
    }
    return Scf(half, triggers)


def _show(core: Core, half: Half, setup: Setup, role: str) -> None:
    """Have a half of a call seen until it is over."""
    number = core.next_call()
    core.calls[number] = half
    told = {"imsi": half.imsi, "role": role, "number": str(who(setup.called))}

    def show(state: str, cause: Cause | None) -> None:
        if half.over:
            core.calls.pop(number, None)
        value = cause_of(cause) if cause is not None else None
        core.site.observe("call", {**told, "state": state, "cause": value}, key=str(number))

    half.show = show
    show("set-up", None)
