"""What the MME sends on S1: messages of one device's connection, and waiting for what an eNB answers (TS 36.413 8)."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from simwarden.wire.gtpv2 import FTeid, InterfaceType
from simwarden.wire.s1ap import CauseProtocol, Message, S1apError, encode, ue_ids
from simwarden.wire.s1ap.enums import PreEmptionCapability, PreEmptionVulnerability
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    ErabLevelQosParameters,
    ErabToBeSetup,
    GbrQosInformation,
    SecurityContext,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
    transport_layer_address,
)

if TYPE_CHECKING:
    from simulators.mme.contexts import Bearer, Connection, Dedicated, Enb, UeContext
    from simulators.mme.core import Core
    from simwarden.wire.gtpv2 import BearerQos
    from simwarden.wire.s1ap.values import Cause

_T = TypeVar("_T")
#: bit/s, the most that S1AP tells (TS 36.413 9.2.1.19)
_MOST_RATE: Final = 10_000_000_000


def send(conn: Connection, name: str, *, clear: bytes | None = None, **ies: Any) -> None:
    """Send a message of a device's connection, with its two numbers; `clear` is the NAS message before ciphering."""
    ids = {"mme_ue_s1ap_id": conn.mme_id, "enb_ue_s1ap_id": conn.enb_id}
    conn.enb.link.send(encode(Message(name, {**ids, **ies})), stream=conn.stream, clear=clear)


def send_common(enb: Enb, name: str, **ies: Any) -> None:
    """Send a message that belongs to no device's connection."""
    enb.link.send(encode(Message(name, ies)))


async def answer(core: Core, conn: Connection, seconds: float) -> Message | None:
    """Wait for what a target eNB answers; None if it does not come in time. Send the request just before."""
    future: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
    conn.s1_answer = future
    try:
        return await within(core, future, seconds)
    finally:
        conn.s1_answer = None


async def within(core: Core, waiting: asyncio.Future[_T], seconds: float) -> _T | None:
    """Wait for something; None if it does not come in time."""
    timer = core.clock.call_later(seconds, partial(expire, waiting))
    try:
        return await waiting
    finally:
        timer.cancel()


def expire(waiting: asyncio.Future[Any]) -> None:
    """Let a wait end without an answer."""
    if not waiting.done():
        waiting.set_result(None)


def error_indication(enb: Enb, error: S1apError) -> None:
    """Tell an eNB what was wrong with its message (8.7.2)."""
    ids = ue_ids(error.message) if error.message is not None else {}
    if error.message is None or error.message.name != "error-indication":  # never about an Error Indication (10.2)
        send_common(enb, "error-indication", cause=error.cause, criticality_diagnostics=error.diagnostics, **ids)


def not_expected(enb: Enb, message: Message) -> None:
    """Tell an eNB that its message makes no sense now (10.4)."""
    cause = CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE
    error_indication(enb, S1apError(f"{message.name} now", cause, message.diagnosis(), message))


def security_capabilities(ue: UeContext) -> UeSecurityCapabilities:
    """Turn a device's algorithms into S1AP's bits: NAS counts from EEA0, S1AP from EEA1 (9.2.1.40)."""
    return UeSecurityCapabilities((ue.capability.eea & 0x7F) << 9, (ue.capability.eia & 0x7F) << 9)


def aggregate_bit_rate(ue: UeContext, *, without: int = 0) -> UeAggregateMaximumBitrate:
    """The UE-AMBR in use: as subscribed, at most what its APNs have together (TS 23.401 4.7.3).

    `without` is the default bearer of a PDN connection that ends.
    """
    data, rates = ue.subscription, [each.ambr for number, each in ue.bearers.items() if number != without]
    down, up = (data.ambr_dl, data.ambr_ul) if data is not None else (1_000_000, 1_000_000)
    if rates:
        down = min(down, sum(each.downlink for each in rates) * 1000)
        up = min(up, sum(each.uplink for each in rates) * 1000)
    return UeAggregateMaximumBitrate(min(down, _MOST_RATE), min(up, _MOST_RATE))


def quality(qos: BearerQos) -> ErabLevelQosParameters:
    """A bearer's quality as S1AP tells it, in bit/s."""
    arp = qos.arp
    rates = qos.mbr_downlink, qos.mbr_uplink, qos.gbr_downlink, qos.gbr_uplink
    guaranteed = GbrQosInformation(*(min(each * 1000, _MOST_RATE) for each in rates)) if any(rates) else None
    priority = AllocationAndRetentionPriority(
        arp.priority, PreEmptionCapability(arp.may_preempt), PreEmptionVulnerability(arp.preemptable)
    )
    return ErabLevelQosParameters(qos.qci, priority, guaranteed)


def to_be_set_up(bearer: Bearer | Dedicated, pdu: bytes | None) -> ErabToBeSetup:
    """Return a bearer as an eNB is asked to set it up, with the SGW's end of its tunnel."""
    end = bearer.sgw
    return ErabToBeSetup(bearer.identity, quality(bearer.qos), transport_layer_address(end.address), end.teid, pdu)


def enb_end(teid: int, address: bytes) -> FTeid:
    """Return an eNB's end of a tunnel as GTP has it. An address of both versions counts by its first (9.2.2.1)."""
    host = ipaddress.ip_address(address[:4] if len(address) in (4, 20) else address)
    return FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, teid, str(host))


def next_hop(ue: UeContext) -> SecurityContext:
    """The next hop key and its counter for a path switch or handover (TS 33.401 7.2.8)."""
    return SecurityContext(ue.next_hop_count, ue.next_hop)


def send_release(conn: Connection, ids: Any, cause: Cause) -> None:
    """Command the release of a device's connection (8.3.3), which names it by one element for both numbers."""
    conn.enb.link.send(
        encode(Message("ue-context-release-command", {"ue_s1ap_ids": ids, "cause": cause})), stream=conn.stream
    )


def send_request(conn: Connection, name: str, **ies: Any) -> None:
    """Send the first message of a connection that only the MME has numbered so far."""
    conn.enb.link.send(encode(Message(name, {"mme_ue_s1ap_id": conn.mme_id, **ies})), stream=conn.stream)
