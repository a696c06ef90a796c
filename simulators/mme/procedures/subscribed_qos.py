"""What a changed subscription means to the bearers that stand: HSS-initiated QoS modification (TS 23.401 5.4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulators.mme.clients import s1
from simulators.mme.procedures.default_bearer import quality_of, rates_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core
    from simwarden.wire.gtpv2 import Ambr, BearerQos
    from simwarden.wire.s1ap.values import UeAggregateMaximumBitrate


class Subscribed(NamedTuple):
    """What a device has by its subscription: the UE-AMBR, and of each PDN connection APN-AMBR and QoS."""

    total: UeAggregateMaximumBitrate
    connections: Mapping[int, tuple[Ambr, BearerQos]]


def of(ue: UeContext) -> Subscribed:
    """Return what a device has by its subscription as it is now."""
    found = {}
    for identity, bearer in ue.bearers.items():
        point = ue.subscription.find(bearer.apn) if ue.subscription is not None else None
        if point is not None:
            found[identity] = rates_of(ue, point), quality_of(point)
    return Subscribed(s1.aggregate_bit_rate(ue), found)


def follow(core: Core, ue: UeContext, before: Subscribed) -> None:
    """Have eNB and PGW follow what has changed of a device that stays in service; the PGW orders the rest."""
    if not ue.in_service:
        return
    now, conn = of(ue), ue.connection
    if now.total != before.total and conn is not None and conn.context_set_up:
        s1.send(conn, "ue-context-modification-request", ue_aggregate_maximum_bitrate=now.total)
    for identity, (ambr, qos) in now.connections.items():
        was = before.connections.get(identity, (ambr, qos))
        if was != (ambr, qos):
            core.gateways.follow(ue, ue.bearers[identity], ambr, qos if qos != was[1] else None)
