"""What a gsmSCF is told of a call that waits for its orders (InitialDP, TS 29.078 11.18; TS 23.078 4.6.1.8)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from simulators.ssp.bcsm import O_BCSM
from simulators.ssp.numbers import number_of
from simwarden.runtime.clock import time_zone
from simwarden.wire import cap, tbcd
from simwarden.wire.cap import Phase
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simulators.ssp.call import Half
    from simulators.ssp.core import Core
    from simwarden.wire.cap import EventType

#: an ordinary calling subscriber (Q.763 3.11)
_ORDINARY: Final = 10
#: speech, circuit mode, 64 kbit/s, A-law (Q.763 3.57)
_SPEECH: Final = b"\x80\x90\xa3"
_TELEPHONY: Final = b"\x11"
_QUARTER: Final = dt.timedelta(minutes=15)


def initial_dp(half: Half, dp: EventType, service_key: int, phase: Phase) -> cap.InitialDP:
    """Return the argument of InitialDP for a half at a detection point, as a phase has it."""
    setup, core = half.setup, half.core
    own = AddressString(core.config.signalling.number)
    originating = half.model is O_BCSM and setup.redirecting is None
    called = number_of(setup.called)
    here = core.subscribers.get(half.imsi)
    imei = here.imei if here is not None else ""
    return cap.InitialDP(
        service_key,
        called_party_number=None if originating else called,
        called_party_bcd_number=setup.called if originating else None,
        calling_party_number=setup.caller,
        calling_partys_category=_ORDINARY,
        original_called_party_id=setup.original,
        additional_calling_party_number=setup.additional,
        bearer_capability=cap.arguments.BearerCapability(_SPEECH),
        event_type_bcsm=dp,
        redirecting_party_id=setup.redirecting,
        imsi=half.imsi or None,  # an HLR need not tell a GMSC
        location_information=_location(half, own) if here is not None else None,
        basic_service=cap.BasicService(teleservice=_TELEPHONY),
        call_reference_number=setup.reference,
        msc_address=own,
        time_and_timezone=_local_time(core),
        call_forwarding_pending=half.model is O_BCSM and not originating,
        extension=_extension(own, imei, phase, gateway=half.model is not O_BCSM and here is None),
    )


def _location(half: Half, own: AddressString) -> cap.Location:
    plmn, area = half.core.plmn, half.core.config.location_area
    return cap.Location(0, own, cell=cap.Cell(location_area=plmn.to_bytes() + area.to_bytes(2)))


def _extension(own: AddressString, imei: str, phase: Phase, *, gateway: bool) -> cap.InitialDpExtension | None:
    """Return what phase 3 and 4 add; a terminal is told from phase 4 on."""
    told_imei = imei if imei and phase >= Phase.FOUR else None
    if phase < Phase.THREE or not (gateway or told_imei):
        return None
    return cap.InitialDpExtension(gmsc_address=own if gateway else None, imei=told_imei)


def _local_time(core: Core) -> bytes:
    """Return date, time and zone of the exchange in semi-octets (TS 29.078 7.1, TimeAndTimezone)."""
    zone = core.clock.zone if core.config.utc_offset is None else time_zone(core.config.utc_offset)
    offset = zone.utcoffset(None) / _QUARTER
    octets = tbcd.pack(f"{core.clock.wall().astimezone(zone):%Y%m%d%H%M%S}{round(abs(offset)):02d}")
    return octets if offset >= 0 else octets[:-1] + bytes((octets[-1] | 8,))
