"""What a PGW tells of a session when it ends: a CDR (TS 32.298 5.1.2.2, TS 32.251), and a record of each flow."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any

from simwarden.trace.records import CauseForRecClosing, ChargingRecord, FlowRecord

if TYPE_CHECKING:
    from simulators.pgw.session import Container, Session
    from simwarden.runtime.site import Site
    from simwarden.wire.gtpv2 import Uli


def close_records(site: Site, session: Session, address: str, cause: CauseForRecClosing, number: int) -> None:
    """Tell of a session that has ended; `number` counts the records of this node."""
    site.record(
        ChargingRecord(element=site.name, record="pGWRecord", fields=_fields(site, session, address, cause, number))
    )
    while session.flows:
        close_flow(site, session)


def _fields(site: Site, session: Session, address: str, cause: CauseForRecClosing, number: int) -> dict[str, Any]:
    now = site.clock.wall()
    found = {
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
        "recordOpeningTime": session.opened.isoformat(),
        "duration": round((now - session.opened).total_seconds()),
        "causeForRecClosing": cause,
        "localSequenceNumber": number,
        "nodeID": site.name,
        "listOfTrafficVolumes": [_volume(each, session, now) for each in session.containers],
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _volume(container: Container, session: Session, now: dt.datetime) -> dict[str, Any]:
    last = container is session.containers[-1]
    found = {
        "changeCondition": "recordClosure" if last else "userLocationChange",
        "changeTime": now.isoformat() if last else "",
        "dataVolumeGPRSUplink": container.uplink,
        "dataVolumeGPRSDownlink": container.downlink,
        "userLocationInformation": place(container.uli),
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def place(uli: Uli | None) -> str:
    """Return where a device is, in words."""
    return " ".join(str(each) for each in (uli.tai, uli.ecgi) if each is not None) if uli is not None else ""


def close_flow(site: Site, session: Session) -> None:
    """Tell of the flow of a session that began first, and count it no longer."""
    start = site.clock.wall() - dt.timedelta(seconds=site.clock.now())
    flow = next(iter(session.flows))
    count = session.flows.pop(flow)
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
            verdict="admit" if count.uplink_packets or count.downlink_packets or not count.closed_by else "refuse",
            rule=count.closed_by,
        )
    )
