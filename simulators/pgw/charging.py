"""What the CDRs of a PGW contain about a session (TS 32.298 5.1.2.2, TS 32.251)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from simulators.pgw.addressing import prefix_of
from simulators.pgw.session import EMPTY
from simwarden.runtime.gtp.charging import served_addresses, zone

if TYPE_CHECKING:
    from simulators.pgw.session import Session
    from simwarden.runtime.site import Site


def describe(session: Session, site: Site, address: str) -> dict[str, Any]:
    """Return the fields of a session's record that say whose it is, and what its rating groups have used since."""
    return {
        "listOfServiceData": _take_service_data(session, site),
        "servedIMSI": session.imsi,
        "servedMSISDN": session.msisdn,
        "servedIMEI": session.mei,
        "chargingID": session.charging_id,
        "pDNConnectionChargingID": session.charging_id,
        "p-GWAddress": address,
        "servingNodeAddress": [session.sgw.address],
        "servingNodeType": ["gTPSGW"],
        "servingNodePLMNIdentifier": str(session.serving_network) if session.serving_network else "",
        "accessPointNameNI": session.apn,
        "apnSelectionMode": session.selection_mode,
        **served_addresses(session.paa),
        **_dynamic(session),
        "chargingCharacteristics": session.charging_characteristics.hex(),
        "rATType": session.rat.name if session.rat is not None else "",
        "mSTimeZone": zone(session.time_zone),
        **({"pSFurnishChargingInformation": session.furnished.hex()} if session.furnished else {}),
    }


def _dynamic(session: Session) -> dict[str, bool]:
    """Return which of a session's addresses are of a pool; with both versions the first is that of IPv6."""
    of_ipv4 = {"dynamicAddressFlag": session.addresses.is_dynamic(session.paa.ipv4)} if session.paa.ipv4 else {}
    if not session.paa.ipv6:
        return of_ipv4
    beside = {f"{name}Ext": flag for name, flag in of_ipv4.items()}
    return {"dynamicAddressFlag": session.addresses.is_dynamic(prefix_of(session.paa)), **beside}


def _take_service_data(session: Session, site: Site) -> tuple[dict[str, Any], ...] | None:
    """Return what each rating group has used since the last record, and count anew; None if there is nothing."""
    now, start = site.clock.wall(), site.clock.wall() - dt.timedelta(seconds=site.clock.now())
    used, session.services = session.services, EMPTY
    return (
        tuple(
            {
                "ratingGroup": group,
                "datavolumeFBCUplink": each.uplink,
                "datavolumeFBCDownlink": each.downlink,
                "timeOfFirstUsage": (start + dt.timedelta(seconds=each.first)).isoformat(),
                "timeOfLastUsage": (start + dt.timedelta(seconds=each.last)).isoformat(),
                "timeOfReport": now.isoformat(),
                "serviceConditionChange": "recordClosure",
            }
            for group, each in sorted(used.items())
        )
        or None
    )
