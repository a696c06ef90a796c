"""MAP of a VLR, of an MSC and of a GMSC: what they ask of HLR and EIR, and the errors in their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.ssp.core import EIR, HLR
from simwarden.policy.equipment import EquipmentAnswer
from simwarden.runtime.sigtran.map_node import MapError, MapNode, NoAnswer
from simwarden.wire import map as gsm_map
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ssp.core import Core
    from simulators.ssp.subscriber import Subscriber

__all__ = ["MapError", "MapNode", "NoAnswer", "ask_equipment", "ask_route", "update_location"]

#: O-CSI, VT-CSI and T-CSI are those that it acts on in phase 4 (OfferedCamel4CSIs)
_OFFERED: Final = (0, 2, 3)
_ANSWERS: Final[Mapping[int | None, EquipmentAnswer]] = {
    gsm_map.EquipmentStatus.WHITE_LISTED: EquipmentAnswer.ALLOWED,
    gsm_map.EquipmentStatus.BLACK_LISTED: EquipmentAnswer.PROHIBITED,
    gsm_map.EquipmentStatus.GREY_LISTED: EquipmentAnswer.TRACKED,
}


def _phases(core: Core) -> tuple[int, ...] | None:
    return tuple(sorted(core.config.camel_phases)) or None


def _offered(core: Core) -> tuple[int, ...] | None:
    return _OFFERED if 4 in core.config.camel_phases else None


def _address(node: Any, ssn: int) -> Address:
    return Address(ssn, node.point_code)


async def update_location(core: Core, subscriber: Subscriber) -> None:
    """Register a card at the HLR, and take its data (TS 29.002 8.1.2). Raises MapError, NoAnswer."""
    argument = gsm_map.UpdateLocation(
        subscriber.imsi,
        core.number,
        core.number,
        vlr_capability=gsm_map.VlrCapability(_phases(core), _offered(core)),
        add_info=gsm_map.AddInfo(subscriber.imei) if subscriber.imei else None,
    )
    numbers: list[int] = []

    def opened(dialogue: int) -> None:
        numbers.append(dialogue)
        core.updating[dialogue] = subscriber

    hlr = _address(core.config.signalling.hlr, HLR)
    try:
        await core.vlr.ask(hlr, gsm_map.NETWORK_LOC_UP, gsm_map.UPDATE_LOCATION, argument, opened=opened)
    finally:
        for each in numbers:
            del core.updating[each]


async def ask_equipment(core: Core, imei: str) -> EquipmentAnswer:
    """Ask the EIR about a terminal (8.7.1); what is no verdict, is told as none."""
    eir = core.config.signalling.eir
    assert eir is not None  # noqa: S101 - asked only where there is one
    argument = gsm_map.CheckImei(imei, (0,))
    try:
        told = await core.msc.ask(_address(eir, EIR), gsm_map.EQUIPMENT_MNGT, gsm_map.CHECK_IMEI, argument)
    except MapError as error:
        unknown = error.code == gsm_map.ErrorCode.UNKNOWN_EQUIPMENT
        return EquipmentAnswer.UNKNOWN if unknown else EquipmentAnswer.NO_VERDICT
    except NoAnswer:
        return EquipmentAnswer.NO_VERDICT
    status = told.equipment_status if told is not None else None
    return _ANSWERS.get(status, EquipmentAnswer.NO_VERDICT)


async def ask_route(
    core: Core, msisdn: str, reference: bytes, *, suppress_t_csi: bool
) -> gsm_map.SendRoutingInfoResult:
    """Ask the HLR where a card is (10.1). Raises MapError, NoAnswer."""
    phases = _phases(core)
    info = gsm_map.CamelInfo(phases, suppress_t_csi, _offered(core)) if phases is not None else None
    argument = gsm_map.SendRoutingInfo(
        AddressString(msisdn),
        gsm_map.InterrogationType.BASIC_CALL,
        core.number,
        call_reference_number=reference,
        camel_info=info,
    )
    hlr = _address(core.config.signalling.hlr, HLR)
    told = await core.msc.ask(hlr, gsm_map.LOCATION_INFO_RETRIEVAL, gsm_map.SEND_ROUTING_INFO, argument)
    if told is None:
        raise NoAnswer("an answer that says nothing")
    assert isinstance(told, gsm_map.SendRoutingInfoResult)  # noqa: S101 - of this operation there is no other
    return told
