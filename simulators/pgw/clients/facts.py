"""What a PGW tells servers of a session, in AVPs that Gx and Gy have in common (TS 29.212 5.6.2, TS 32.299 6.4.2)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from simwarden.wire.diameter.apps.credit import SubscriptionIdType
from simwarden.wire.diameter.codes import RatType
from simwarden.wire.diameter.location import encode_location
from simwarden.wire.gtpv2 import RatType as Access
from simwarden.wire.gtpv2.ies import write_zone

if TYPE_CHECKING:
    from simulators.pgw.session import Session
    from simwarden.wire.diameter import Avps

#: User-Equipment-Info-Type of an IMEISV (RFC 8506 8.50)
_IMEISV: Final = 0
#: RAT-Type (TS 29.212 5.3.31) by that of GTP
RATS: Final = {
    Access.EUTRAN: RatType.EUTRAN,
    Access.EUTRAN_NB_IOT: RatType.EUTRAN_NB_IOT,
    Access.LTE_M: RatType.LTE_M,
}


def subscription(session: Session) -> Avps:
    """Say whose session it is: by IMSI, and by MSISDN if it has one."""
    identities = {SubscriptionIdType.END_USER_IMSI: session.imsi, SubscriptionIdType.END_USER_E164: session.msisdn}
    return [
        ("Subscription-Id", [("Subscription-Id-Type", int(kind)), ("Subscription-Id-Data", identity)])
        for kind, identity in identities.items()
        if identity
    ]


def equipment(session: Session) -> Avps:
    """Build the User-Equipment-Info of its terminal: its IMEISV, if the MME has told it."""
    if not session.mei:
        return []
    info = [("User-Equipment-Info-Type", _IMEISV), ("User-Equipment-Info-Value", session.mei.encode())]
    return [("User-Equipment-Info", info)]


def addresses(session: Session) -> Avps:
    """Say its addresses (RFC 7155 4.4.10.5.1, 4.4.10.5.6): of IPv6 the prefix, after its length."""
    avps: Avps = []
    if session.paa.ipv4:
        avps.append(("Framed-IP-Address", ipaddress.IPv4Address(session.paa.ipv4).packed))
    if session.paa.ipv6:
        avps.append(("Framed-IPv6-Prefix", bytes((0, 64)) + ipaddress.IPv6Address(session.paa.ipv6).packed[:8]))
    return avps


def place(session: Session) -> Avps:
    """Say where it is: network, tracking area and cell, time zone."""
    avps: Avps = []
    if session.serving_network is not None:
        network = session.serving_network
        avps.append(("3GPP-SGSN-MCC-MNC", network.mcc + network.mnc))
    location = encode_location(session.uli.tai, session.uli.ecgi) if session.uli is not None else b""
    if location:
        avps.append(("3GPP-User-Location-Info", location))
    if session.time_zone is not None:
        avps.append(("3GPP-MS-TimeZone", write_zone(session.time_zone)))
    return avps
