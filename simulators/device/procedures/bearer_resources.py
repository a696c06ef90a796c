"""Bearers that a terminal asks for by itself, and gives up (TS 24.301 6.5.3, 6.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures import transactions
from simwarden.wire.nas import EsmCause, MessageType
from simwarden.wire.tft import Operation, Tft, encode

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.nas.elements import EpsQos
    from simwarden.wire.tft import Filter


def allocate(emm: Emm, linked: int, qos: EpsQos, packets: Filter) -> None:
    """BEARER RESOURCE ALLOCATION REQUEST: a bearer for one aggregate of packets (6.5.3.2)."""
    transactions.start(
        emm,
        MessageType.BEARER_RESOURCE_ALLOCATION_REQUEST,
        linked_eps_bearer_identity=linked,
        traffic_flow_aggregate=encode(Tft(Operation.CREATE, (packets,))),
        required_traffic_flow_qos=qos,
    )


def release(emm: Emm, identity: int) -> None:
    """BEARER RESOURCE MODIFICATION REQUEST: none of a bearer's packets is to go by it any more (6.5.4.2)."""
    held = tuple(each.identifier for each in emm.dedicated[identity].filters)
    transactions.start(
        emm,
        MessageType.BEARER_RESOURCE_MODIFICATION_REQUEST,
        eps_bearer_identity_for_packet_filter=identity,
        traffic_flow_aggregate=encode(Tft(Operation.DELETE_FILTERS, deleted=held)),
        esm_cause=EsmCause.REGULAR_DEACTIVATION,
    )
