"""What the CDRs of a PGW contain about a session (TS 32.298 5.1.2.2, TS 32.251)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.runtime.gtp.charging import zone

if TYPE_CHECKING:
    from simulators.pgw.session import Session


def describe(session: Session, address: str) -> dict[str, Any]:
    """Return the fields of a session's records that say whose it is."""
    return {
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
        "pdpPDNType": session.paa.pdn_type.name,
        "servedPDPPDNAddress": session.paa.ipv4 or session.paa.ipv6,
        "dynamicAddressFlag": session.addresses.is_dynamic(session.paa.ipv4) if session.paa.ipv4 else True,
        "chargingCharacteristics": session.charging_characteristics.hex(),
        "rATType": session.rat.name if session.rat is not None else "",
        "mSTimeZone": zone(session.time_zone),
        **({"pSFurnishChargingInformation": session.furnished.hex()} if session.furnished else {}),
    }
