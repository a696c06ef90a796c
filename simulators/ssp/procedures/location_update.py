"""Location updating (TS 24.008 4.4, TS 23.012): the terminal is asked who it is and looked up, then the HLR decides."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.ssp import controls
from simulators.ssp.clients.mobility import MapError, NoAnswer, ask_equipment, update_location
from simulators.ssp.subscriber import Subscriber
from simwarden.wire.dtap import MessageType, MmCause
from simwarden.wire.map import ErrorCode
from simwarden.wire.nas import IdentityType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ssp.clients.terminal import Terminal
    from simulators.ssp.core import Core
    from simwarden.wire.dtap import Message

#: what a terminal is told of the HLR's errors (TS 29.010 table 2.1)
CAUSES: Final[Mapping[int, MmCause]] = {
    ErrorCode.UNKNOWN_SUBSCRIBER: MmCause.IMSI_UNKNOWN_IN_HLR,
    ErrorCode.ILLEGAL_SUBSCRIBER: MmCause.ILLEGAL_MS,
    ErrorCode.ILLEGAL_EQUIPMENT: MmCause.ILLEGAL_ME,
    ErrorCode.ROAMING_NOT_ALLOWED: MmCause.PLMN_NOT_ALLOWED,
}


def on_request(core: Core, terminal: Terminal, message: Message) -> None:
    """Take LOCATION UPDATING REQUEST."""
    core.site.spawn(_update(core, terminal, message), "location update")


async def _update(core: Core, terminal: Terminal, message: Message) -> None:
    identity = message["mobile_identity"]
    if identity.type is not IdentityType.IMSI:  # no TMSI is given here, so that it is none of ours
        imsi = await terminal.ask_identity(IdentityType.IMSI)
    else:
        imsi = identity.digits
    if not imsi:
        terminal.reject_update(MmCause.SEMANTICALLY_INCORRECT_MESSAGE)
        return
    imei = await terminal.ask_identity(IdentityType.IMEISV)
    cause = await _judge_terminal(core, imsi, imei)
    if cause is not None:
        terminal.reject_update(cause)
        return
    await _register(core, terminal, Subscriber(imsi, imei))


async def _judge_terminal(core: Core, imsi: str, imei: str) -> MmCause | None:
    """Return why a terminal is refused, None where it may be served."""
    ask = partial(core.site.decide, on=controls.LOCATION)
    if not ask(controls.TERMINAL_IDENTITY, imsi, imei=imei).admitted:
        return MmCause.ILLEGAL_ME
    if core.config.signalling.eir is None or not imei:
        return None
    answer = await ask_equipment(core, imei)
    config = core.config
    decision = ask(
        controls.EQUIPMENT,
        imsi,
        answer=answer,
        imei=imei,
        admit_unknown=config.admit_unknown_equipment,
        admit_without_verdict=config.admit_without_verdict,
    )
    if decision.admitted:
        return None
    return MmCause.NETWORK_FAILURE if decision.details.get("temporary") else MmCause.ILLEGAL_ME


async def _register(core: Core, terminal: Terminal, subscriber: Subscriber) -> None:
    """Register a card: its data replace what was known of it, also where that was with another terminal."""
    try:
        await update_location(core, subscriber)
    except MapError as error:
        terminal.reject_update(CAUSES.get(error.code, MmCause.NETWORK_FAILURE))
        return
    except NoAnswer as error:
        core.site.note(f"no answer of the HLR: {error}")
        terminal.reject_update(MmCause.NETWORK_FAILURE)
        return
    _leave_earlier_place(core, terminal, subscriber.imsi)
    terminal.imsi, subscriber.terminal = subscriber.imsi, terminal
    core.subscribers[subscriber.imsi] = subscriber
    core.site.observe("subscriber", subscriber.tell(), key=subscriber.imsi)
    terminal.send(MessageType.LOCATION_UPDATING_ACCEPT, location_area_identification=core.area)
    terminal.release()


def _leave_earlier_place(core: Core, terminal: Terminal, imsi: str) -> None:
    """Clear the calls of a card in the terminal that it was in before, and of the card that this terminal had."""
    _detach(core, terminal, terminal.imsi if terminal.imsi != imsi else "")
    known = core.subscribers.get(imsi)
    if known is not None and known.terminal is not None and known.terminal is not terminal:
        earlier = known.terminal
        _detach(core, earlier, imsi)
        earlier.release()


def _detach(core: Core, terminal: Terminal, imsi: str) -> None:
    """Take a card as absent from a terminal, if it is registered there: nobody is paged for it any more."""
    subscriber = core.subscribers.get(imsi)
    if subscriber is not None and subscriber.terminal is terminal:
        subscriber.terminal = None
        terminal.give_up_page()


def on_detach(core: Core, terminal: Terminal, imsi: str) -> None:
    """Take IMSI DETACH INDICATION (4.3.4): calls end, calls to the card find it absent; its data stay."""
    _detach(core, terminal, imsi)
    terminal.release()
