"""What the HLR orders of a VLR outside of a location update (TS 29.002 8.1.3, 8.8, 10.2)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.ssp.clients.mobility import MapError
from simulators.ssp.core import HLR
from simwarden.wire import map as gsm_map
from simwarden.wire.map import ErrorCode
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ssp.core import Core
    from simulators.ssp.subscriber import Subscriber
    from simwarden.runtime.sigtran.map_node import Dialogue, Handler
    from simwarden.wire.sccp import Address
    from simwarden.wire.tcap.user import Operation


def handlers(core: Core) -> Mapping[Operation, Handler]:
    """Return what the VLR serves."""
    return {
        gsm_map.INSERT_SUBSCRIBER_DATA: partial(insert_subscriber_data, core),
        gsm_map.DELETE_SUBSCRIBER_DATA: partial(delete_subscriber_data, core),
        gsm_map.CANCEL_LOCATION: partial(cancel_location, core),
        gsm_map.PROVIDE_ROAMING_NUMBER: partial(provide_roaming_number, core),
    }


async def insert_subscriber_data(
    core: Core, asked: gsm_map.InsertSubscriberData, dialogue: Dialogue
) -> gsm_map.InsertSubscriberDataResult:
    """Take what is new of a card (8.8.1): while its location is updated, or later. Calls in progress go on."""
    updated = core.updating.get(dialogue.number)
    if updated is not None:
        updated.insert(asked)
        return _unsupported(core, asked)
    subscriber = _subscriber(core, asked.imsi or "", dialogue)
    subscriber.insert(asked)
    core.site.observe("subscriber", subscriber.tell(), key=subscriber.imsi)
    return _unsupported(core, asked)


def _unsupported(core: Core, asked: gsm_map.InsertSubscriberData) -> gsm_map.InsertSubscriberDataResult:
    """Return what of a card's data this VLR does not act on."""
    barred = asked.odb_data.general if asked.odb_data is not None else None
    return gsm_map.InsertSubscriberDataResult(odb_general=None if core.config.barring else barred)


async def delete_subscriber_data(core: Core, asked: gsm_map.DeleteSubscriberData, dialogue: Dialogue) -> None:
    """Forget something of a card (8.8.2)."""
    subscriber = _subscriber(core, asked.imsi, dialogue)
    subscriber.delete(asked)
    core.site.observe("subscriber", subscriber.tell(), key=subscriber.imsi)


async def cancel_location(core: Core, asked: gsm_map.CancelLocation, dialogue: Dialogue) -> None:
    """Forget a card (8.1.3); its terminal hears of it when it next wants something. A call in progress goes on."""
    _check_hlr(core, dialogue)
    identity = asked.identity
    imsi = identity.imsi or (identity.imsi_with_lmsi.imsi if identity.imsi_with_lmsi is not None else "")
    if core.subscribers.pop(imsi, None) is not None:
        core.site.observe("subscriber", None, key=imsi)


async def provide_roaming_number(
    core: Core, asked: gsm_map.ProvideRoamingNumber, dialogue: Dialogue
) -> gsm_map.ProvideRoamingNumberResult:
    """Give a number by which a call reaches a card (10.2)."""
    _check_hlr(core, dialogue)
    subscriber = core.subscribers.get(asked.imsi)
    if subscriber is None or subscriber.terminal is None:
        raise MapError(ErrorCode.ABSENT_SUBSCRIBER)
    if not subscriber.telephony:
        raise MapError(ErrorCode.FACILITY_NOT_SUPPORTED)
    number = core.give_roaming_number(asked.imsi)
    if not number:
        raise MapError(ErrorCode.NO_ROAMING_NUMBER_AVAILABLE)
    return gsm_map.ProvideRoamingNumberResult(AddressString(number), core.number)


def _subscriber(core: Core, imsi: str, dialogue: Dialogue) -> Subscriber:
    _check_hlr(core, dialogue)
    found = core.subscribers.get(imsi)
    if found is None:
        raise MapError(ErrorCode.UNIDENTIFIED_SUBSCRIBER)
    return found


def _check_hlr(core: Core, dialogue: Dialogue) -> None:
    """Refuse whoever speaks from elsewhere than the HLR: what it orders could take a card's CSIs away."""
    peer: Address = dialogue.peer
    if peer.point_code not in (None, core.config.signalling.hlr.point_code) or peer.ssn not in (None, HLR):
        core.site.note(f"{peer} is not the HLR")
        raise MapError(ErrorCode.UNEXPECTED_DATA_VALUE)
