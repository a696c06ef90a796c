"""The APN-AMBR and the QoS of the default bearer, as a PCRF authorises them (TS 29.212 4.5.5, TS 23.401 5.4.2)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.pgw import dedicated_bearers
from simulators.pgw.config import GUARANTEED
from simwarden.policy.flow_rule import Quality
from simwarden.runtime.diameter.gx_qos import ambr_of, apn_ambr, default_bearer, qos_information, quality_of
from simwarden.wire.diameter.message import SharedGroup
from simwarden.wire.gtpv2 import Ambr, Arp, BearerQos

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.session import Session
    from simwarden.wire.diameter import Avps, Message

#: the reserved QCI besides 0, and the lowest priority level of an ARP
_RESERVED: Final = 255
_LOWEST: Final = 15


class Authorized(NamedTuple):
    """The QoS of a session: the APN-AMBR, and that of the default bearer."""

    ambr: Ambr
    qos: BearerQos


def requested(ambr: Ambr, qos: BearerQos) -> Avps:
    """Build the AVPs that ask for a QoS: QoS-Information with the APN-AMBR, Default-EPS-Bearer-QoS."""
    return [*apn_ambr(ambr.uplink * 1000, ambr.downlink * 1000), default_bearer(_quality(qos))]


@lru_cache(maxsize=1024)
def charged(ambr: Ambr, qos: BearerQos) -> tuple[str, Any]:
    """Build the QoS-Information by which an OCS may rate a session: QCI, ARP and APN-AMBR together."""
    rates = apn_ambr(ambr.uplink * 1000, ambr.downlink * 1000)
    groups = (qos_information(_quality(qos)), *rates)
    return "QoS-Information", SharedGroup(each for _, group in groups for each in group)


def _quality(qos: BearerQos) -> Quality:
    return Quality(qos.qci, qos.arp.priority, qos.arp.may_preempt, qos.arp.preemptable)


def authorized(message: Message, asked: Authorized) -> Authorized:
    """Return the QoS that a message of a PCRF authorises; what it leaves out is as it was asked for.

    A rate of less than 1 kbit/s is 1 kbit/s: GTP has no smaller one.
    """
    ambr, qos = asked
    for group in message.all("QoS-Information"):
        uplink, downlink = ambr_of(group)
        ambr = Ambr(_kbits(uplink, ambr.uplink), _kbits(downlink, ambr.downlink))
    quality = quality_of(message.get("Default-EPS-Bearer-QoS", []))
    if quality is not None:
        qos = qos._replace(qci=quality.qci, arp=Arp(quality.priority, quality.may_preempt, quality.preemptable))
    granted = Authorized(ambr, qos)
    return asked if granted == asked else granted  # of equal ones a session keeps its own


def _kbits(rate: int | None, otherwise: int) -> int:
    return otherwise if rate is None else max(1, rate // 1000)


def is_possible(qos: BearerQos) -> bool:
    """Return True if a default bearer can have a QoS: no guaranteed rates, no reserved value (TS 29.274 8.15)."""
    return 0 < qos.qci < _RESERVED and qos.qci not in GUARANTEED and 0 < qos.arp.priority <= _LOWEST


async def enforce(core: Core, session: Session, wanted: Authorized, *, commanded: int = 0) -> bool:
    """Order a QoS of the device (Update Bearer Request, TS 29.274 7.2.15); return True if it is carried out.

    The new rate holds here from the beginning. If the order is not carried out, the device keeps the rate before (TS
    24.301 6.4.3.4, 6.4.3.5) and so does the session; yet a lower one holds for its packets, or a device that does not
    answer evades it. A QoS that no default bearer can have is not ordered at all.
    """
    ambr, qos = wanted
    before = session.ambr
    core.limit(session, ambr)
    context = {"ebi": session.ebi, **({"bearer_qos": qos} if qos != session.qos else {})}
    ies: dict[str, Any] = {"bearer_contexts": (context,), "apn_ambr": ambr}
    told = None
    if is_possible(qos):
        told = await dedicated_bearers.order(core, session, "update-bearer-request", ies, commanded=commanded)
    if told is not None:
        session.qos = qos
    elif session.ambr == ambr and core.by_teid.get(session.teid) is session:
        core.limit(session, before, most=ambr)
    return told is not None
