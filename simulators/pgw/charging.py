"""What a PGW tells of a session when it ends: a CDR (TS 32.298 5.1.2.2, TS 32.251), and a record of each flow."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any

from simwarden.runtime.gtp.charging import zone
from simwarden.trace.records import FlowRecord

if TYPE_CHECKING:
    from simulators.pgw.session import FlowCount, Session
    from simwarden.runtime.site import Site
    from simwarden.wire.ip import Flow


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


def _verdict(count: FlowCount) -> str:
    """Return what became of a flow; what is above a rate is no refusal by a rule."""
    if count.closed_by and not (count.uplink_packets or count.downlink_packets):
        return "refuse"
    return "limit" if count.over else "admit"


def close_flow(site: Site, session: Session, flow: Flow | None = None) -> None:
    """Tell of a flow of a session, by default the one that began first, and count it no longer."""
    start = site.clock.wall() - dt.timedelta(seconds=site.clock.now())
    flow = flow or next(iter(session.flows))
    count = session.flows.remove(flow)
    site.record(
        FlowRecord(
            element=site.name,
            subject=session.imsi,
            apn=session.apn,
            protocol=flow.protocol,
            address=str(ipaddress.ip_address(flow.source)),
            port=flow.source_port,
            peer=str(ipaddress.ip_address(flow.destination)),
            peer_port=flow.destination_port,
            uplink_packets=count.uplink_packets,
            uplink_octets=count.uplink_octets,
            downlink_packets=count.downlink_packets,
            downlink_octets=count.downlink_octets,
            dropped_packets=count.dropped,
            dropped_octets=count.dropped_octets,
            began=start + dt.timedelta(seconds=count.began),
            ended=start + dt.timedelta(seconds=count.ended),
            names=count.names,
            verdict=_verdict(count),
            rule=count.closed_by or count.over,
        )
    )
