"""S1 Setup, Overload Start and Stop (TS 36.413 8.7.3, 8.7.6, 8.7.7), and which MME a device is sent to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simwarden.wire.s1ap import OverloadAction, PagingDrx, TimeToWait
from simwarden.wire.s1ap.values import SupportedTa
from simwarden.wire.uu import EstablishmentCause, STmsi

if TYPE_CHECKING:
    from simulators.enb.context import Mme, UeContext
    from simulators.enb.station import Station
    from simwarden.runtime.link import Link
    from simwarden.wire.s1ap import Message

_SECONDS = {
    TimeToWait.V1S: 1.0,
    TimeToWait.V2S: 2.0,
    TimeToWait.V5S: 5.0,
    TimeToWait.V10S: 10.0,
    TimeToWait.V20S: 20.0,
    TimeToWait.V60S: 60.0,
}
#: seconds between attempts at most
LONGEST_RETRY = 600.0
_URGENT = (EstablishmentCause.EMERGENCY, EstablishmentCause.MT_ACCESS)
_HIGH = (EstablishmentCause.HIGH_PRIORITY_ACCESS, EstablishmentCause.MT_ACCESS)


def begin(station: Station, mme: Mme, link: Link | None = None) -> None:
    """Ask an MME for S1 Setup (8.7.3.2), on a new link or once more on the old one."""
    if link is not None:
        mme.link = link
    mme.setup_timer = None
    station.observe_s1(mme, "setting-up")
    codes = sorted({cell.tai.tac for cell in station.cells.values()})
    station.to_mme(
        mme,
        "s1-setup-request",
        global_enb_id=station.global_id,
        # ENBname is a PrintableString (TS 36.413 9.1.8.4), which has no underscore
        enb_name=re.sub(r"[^A-Za-z0-9 '()+,./:=?-]", "-", station.site.name)[:150],
        supported_tas=tuple(SupportedTa(code, (station.plmn,)) for code in codes),
        default_paging_drx=PagingDrx.V128,
    )


def response(station: Station, mme: Mme, message: Message) -> None:
    """S1 is up (8.7.3.2)."""
    mme.served = message["served_gummeis"]
    mme.capacity = message.get("relative_mme_capacity") or 0
    mme.title = message.get("mme_name") or ""
    mme.failures = 0
    mme.overload = None
    station.observe_s1(mme, "up")
    if mme.link is not None:
        mme.link.know()


def failure(station: Station, mme: Mme, message: Message) -> None:
    """Try again, after TimeToWait where the MME gives one (8.7.3.3)."""
    wait = message.get("time_to_wait")
    cause = message.get("cause")
    delay = retry_delay(station, mme) if wait is None else _SECONDS[wait]
    station.observe_s1(mme, "refused")
    text = cause.text if cause is not None else "no cause"
    station.site.note(f"S1 Setup refused by {mme.name} ({text}), again in {delay:g} s")
    if mme.link is not None:
        mme.link.refuse(f"S1 Setup refused: {text}")
    mme.setup_timer = station.site.clock.call_later(delay, lambda: begin(station, mme))


def retry_delay(station: Station, mme: Mme) -> float:
    """Return the seconds until the next attempt, twice as many each time."""
    delay: float = min(station.config.s1_retry * 2 ** min(mme.failures, 20), LONGEST_RETRY)
    mme.failures += 1
    return delay


def overload_start(station: Station, mme: Mme, message: Message) -> None:
    """Refuse what the MME cannot take (8.7.6.2)."""
    mme.overload = message["overload_response"]
    station.site.note(f"{mme.name} is overloaded: {mme.overload.spec_name}")


def overload_stop(station: Station, mme: Mme, _message: Message) -> None:
    """Take everything again (8.7.7.2)."""
    mme.overload = None
    station.site.note(f"{mme.name} is no longer overloaded")


def refused_by_overload(mme: Mme, cause: EstablishmentCause) -> bool:
    """Tell whether an overloaded MME wants a connection of this cause refused (9.2.3.20)."""
    match mme.overload:
        case OverloadAction.REJECT_NON_EMERGENCY_MO_DT:
            return cause in (EstablishmentCause.MO_DATA, EstablishmentCause.DELAY_TOLERANT_ACCESS)
        case OverloadAction.REJECT_RRC_CR_SIGNALLING:
            refused = EstablishmentCause.MO_DATA, EstablishmentCause.DELAY_TOLERANT_ACCESS
            return cause in (*refused, EstablishmentCause.MO_SIGNALLING)
        case OverloadAction.PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY:
            return cause not in _URGENT
        case OverloadAction.PERMIT_HIGH_PRIORITY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY:
            return cause not in _HIGH
        case OverloadAction.REJECT_DELAY_TOLERANT_ACCESS:
            return cause == EstablishmentCause.DELAY_TOLERANT_ACCESS
    return False


def select_mme(station: Station, ue: UeContext) -> Mme | None:
    """Choose the MME of a device: the one that knows it, else one by capacity (TS 23.401 4.3.8.3)."""
    able = [mme for mme in station.mmes.values() if mme.up]
    known = ue.registered_mme
    for mme in able:
        if known is not None and mme.serves(known):
            return mme
        if known is None and isinstance(ue.identity, STmsi) and mme.serves_code(station.plmn, ue.identity.mmec):
            return mme
    able = [mme for mme in able if not refused_by_overload(mme, ue.establishment_cause)] or able
    if len(able) > 1:
        # a capacity of 0 takes no new devices while another MME does
        weights = [mme.capacity for mme in able]
        return station.site.rng.choices(able, weights if any(weights) else None)[0]
    return able[0] if able else None


def lost(station: Station, mme: Mme) -> None:
    """Forget what an MME was, its S1 being gone; the devices are the caller's business."""
    if mme.setup_timer is not None:
        mme.setup_timer.cancel()
        mme.setup_timer = None
    mme.link, mme.served, mme.overload = None, (), None
    station.observe_s1(mme, "down")
