"""What the MME rejects because the protocol demands it. No control decides these, and each says by which clause."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from simulators.mme.causes import Rejection
from simwarden.runtime.declare import Demand
from simwarden.wire.nas.enums import EmmCause, EsmCause

#: demands by the message that rejects, for a cause, a reason and a clause
_attach = partial(Demand, "attach-reject")
_update = partial(Demand, "tracking-area-update-reject")
_service = partial(Demand, "service-reject")
_pdn = partial(Demand, "pdn-connectivity-reject")
_disconnect = partial(Demand, "pdn-disconnect-reject")
_allocation = partial(Demand, "bearer-resource-allocation-reject")

ATTACH_WITHOUT_IMSI: Final = _attach(
    EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK,
    "a device whose GUTI no context has gives no IMSI",
    "TS 24.301 5.5.1.2.5",
)
EMERGENCY_WITHOUT_IDENTITY: Final = _attach(
    EmmCause.IMEI_NOT_ACCEPTED, "an emergency attach names neither a card nor a terminal", "TS 24.301 5.5.1.2.5A"
)
ATTACH_FAULTY: Final = _attach(
    EmmCause.INVALID_MANDATORY_INFORMATION, "the ATTACH REQUEST cannot be read", "TS 24.301 5.5.1.2.7"
)
ATTACH_WITHOUT_ALGORITHM: Final = _attach(
    EmmCause.UE_SECURITY_CAPABILITIES_MISMATCH,
    "network and device have no NAS security algorithm in common",
    "TS 33.401 5.1.4.1",
)
NOT_AUTHENTICATED: Final = Demand(
    "authentication-reject", None, "the card has not proved that it holds the key of its IMSI", "TS 24.301 5.4.2.5"
)
NO_PDN_REQUEST: Final = _attach(
    EsmCause.INVALID_MANDATORY_INFORMATION, "the PDN CONNECTIVITY REQUEST cannot be read", "TS 24.301 7"
)
WRONG_PDN_REQUEST: Final = _attach(
    EsmCause.MESSAGE_NOT_COMPATIBLE_WITH_THE_PROTOCOL_STATE,
    "the ATTACH REQUEST carries something else than a PDN CONNECTIVITY REQUEST",
    "TS 24.301 7.4",
)
NO_APN: Final = _attach(
    EsmCause.MISSING_OR_UNKNOWN_APN, "neither the device nor the subscription names an APN", "TS 24.301 6.5.1.4"
)
NO_GATEWAY: Final = _attach(EsmCause.NETWORK_FAILURE, "a gateway gives no answer, or none of use", "TS 24.301 6.5.1.4")
REFUSED_BY_GATEWAY: Final = _attach(
    EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW,
    "a gateway refuses the session, and no rule of ours decided so; or with the cause that stands for the gateway's",
    "TS 24.301 6.5.1.4",
)
IPV4_ONLY: Final = _attach(
    EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED, "IPv6 is asked for, and there is IPv4 only", "TS 24.301 6.2.2"
)
IPV6_ONLY: Final = _attach(
    EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED, "IPv4 is asked for, and there is IPv6 only", "TS 24.301 6.2.2"
)
UNKNOWN_TYPE: Final = _attach(
    EsmCause.UNKNOWN_PDN_TYPE, "a kind of PDN connection that is none of IP", "TS 24.301 6.5.1.4"
)
UPDATE_WITHOUT_CONTEXT: Final = _update(
    EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK,
    "no context has the GUTI: the MME has lost it, or another one gave it",
    "TS 24.301 5.5.3.2.5",
)
UPDATE_WHILE_DETACHED: Final = _update(
    EmmCause.IMPLICITLY_DETACHED, "the device was detached, or holds no bearer", "TS 24.301 5.5.3.2.5"
)
UPDATE_FAULTY: Final = _update(
    EmmCause.INVALID_MANDATORY_INFORMATION, "the TRACKING AREA UPDATE REQUEST cannot be read", "TS 24.301 5.5.3.2.7"
)
SERVICE_WITHOUT_CONTEXT: Final = _service(
    EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK,
    "no context has the S-TMSI, or the keys of the one that has it do not verify the request",
    "TS 24.301 5.6.1.5",
)
SERVICE_WHILE_DETACHED: Final = _service(EmmCause.IMPLICITLY_DETACHED, "the device was detached", "TS 24.301 5.6.1.5")
NO_CIRCUIT_SWITCHING: Final = _service(
    EmmCause.CS_DOMAIN_NOT_AVAILABLE, "circuit-switched services are asked for", "TS 24.301 5.6.1.5"
)
EMERGENCY_PDN: Final = _pdn(
    EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
    "a device in service asks for an emergency PDN connection: it gets one by an emergency attach",
    "TS 24.301 6.5.1.4",
)
ONLY_EMERGENCY: Final = _pdn(
    EsmCause.REQUEST_REJECTED_UNSPECIFIED,
    "a device that is attached for an emergency call asks for another PDN connection",
    "TS 23.401 5.10.2",
)
SAME_APN: Final = _pdn(
    EsmCause.MULTIPLE_PDN_CONNECTIONS_FOR_A_GIVEN_APN_NOT_ALLOWED,
    "the device has a PDN connection by that APN",
    "TS 24.301 6.5.1.4",
)
TOO_MANY_BEARERS: Final = _pdn(
    EsmCause.INSUFFICIENT_RESOURCES, "all identities of bearers are in use", "TS 24.301 6.5.1.4"
)
ALSO_FURTHER: Final = tuple(
    replace(each, message="pdn-connectivity-reject")
    for each in (NO_APN, NO_GATEWAY, REFUSED_BY_GATEWAY, IPV4_ONLY, IPV6_ONLY, UNKNOWN_TYPE)
)
"""What is demanded at an attach, and where a further PDN connection is asked for."""
LAST_PDN: Final = _disconnect(
    EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED, "the last PDN connection is to be given up", "TS 24.301 6.5.2.4"
)
NO_SUCH_PDN: Final = _disconnect(
    EsmCause.INVALID_EPS_BEARER_IDENTITY, "the PDN connection that is to be given up is not there", "TS 24.301 7.3.2"
)
NO_SUCH_BEARER: Final = _allocation(
    EsmCause.INVALID_EPS_BEARER_IDENTITY,
    "a device asks for packets of a bearer that it has not, or the PGW has not",
    "TS 24.301 6.5.3.4",
)
RESOURCE_REFUSED: Final = _allocation(
    EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW,
    "a device asks for a bearer that the PGW has not for it; or with the cause that stands for the PGW's",
    "TS 24.301 6.5.3.4",
)
RESOURCE_UNANSWERED: Final = _allocation(
    EsmCause.NETWORK_FAILURE, "the gateways do not say whether a device may have a bearer", "TS 24.301 6.5.3.4"
)
ALSO_CHANGED: Final = tuple(
    replace(each, message="bearer-resource-modification-reject", clause="TS 24.301 6.5.4.4")
    for each in (NO_SUCH_BEARER, RESOURCE_REFUSED, RESOURCE_UNANSWERED)
)
"""What is demanded where a device asks for a bearer, and where it changes one."""

DEMANDS: Final = (*(each for each in globals().values() if isinstance(each, Demand)), *ALSO_FURTHER, *ALSO_CHANGED)


def demanded(demand: Demand, reason: str) -> Rejection:
    """Make the rejection that a demand says; `reason` is what is wrong this time."""
    cause = demand.cause
    if isinstance(cause, EsmCause):
        return Rejection(EmmCause.ESM_FAILURE, reason, cause, clause=demand.clause)
    assert cause is not None  # noqa: S101 - AUTHENTICATION REJECT, which has none, is no `Rejection` that is still to be told
    return Rejection(EmmCause(cause), reason, clause=demand.clause)
