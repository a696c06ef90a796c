"""Bearers that a device asks for, and changes of them (TS 24.301 6.5.3, 6.5.4; TS 23.401 5.4.5): the PGW decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.mme.causes import Rejection
from simulators.mme.demands import NO_SUCH_BEARER, RESOURCE_REFUSED, RESOURCE_UNANSWERED, demanded
from simulators.mme.procedures.default_bearer import rejection_of
from simulators.mme.procedures.pdn_connectivity import reject, run
from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.wire.gtpv2 import FlowQos, RatType
from simwarden.wire.nas.enums import EmmCause, EsmCause, MessageType
from simwarden.wire.nas.rates import decode_rates

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.wire.nas.message import Message

_T = MessageType
_REJECTS = {
    _T.BEARER_RESOURCE_ALLOCATION_REQUEST: _T.BEARER_RESOURCE_ALLOCATION_REJECT,
    _T.BEARER_RESOURCE_MODIFICATION_REQUEST: _T.BEARER_RESOURCE_MODIFICATION_REJECT,
}
_QOS, _PACKETS = "required_traffic_flow_qos", "traffic_flow_aggregate"


def request(core: Core, conn: Connection, ue: UeContext, message: Message) -> None:
    """BEARER RESOURCE ALLOCATION or MODIFICATION REQUEST; one that is repeated is at work already.

    It is until the device has taken what it was given: it sends again as late as the network does (T3480, T3485).
    """
    key = (message["procedure_transaction_identity"], 0)
    asked = (each for linked in ue.bearers.values() for each in linked.dedicated.values())
    given = {each.transaction for each in asked if not each.accepted}
    if key not in conn.transactions and key[0] not in given:
        run(core, conn, key, _request(core, conn, ue, message), "bearer resources")


async def _request(core: Core, conn: Connection, ue: UeContext, message: Message) -> None:
    rejection = await _ask(core, ue, message)
    if rejection is not None:
        reject(core, conn, message, _REJECTS[message.type], rejection)


async def _ask(core: Core, ue: UeContext, message: Message) -> Rejection | None:
    """Ask the gateways, which order what the device wants under its transaction; else return why it is refused."""
    allocation = message.type is _T.BEARER_RESOURCE_ALLOCATION_REQUEST
    identity = message["linked_eps_bearer_identity" if allocation else "eps_bearer_identity_for_packet_filter"]
    bearer = ue.bearers.get(identity) if allocation else ue.all_bearers.get(identity)
    if bearer is None:
        return demanded(NO_SUCH_BEARER, f"the device has no bearer {identity}")
    ies: dict[str, Any] = {
        "linked_ebi": bearer.linked.identity,
        "pti": message["procedure_transaction_identity"],
        "tad": message[_PACKETS],
        "rat_type": RatType.EUTRAN,
    }
    if not allocation:
        ies["ebi"] = identity
    if _QOS in message:
        try:
            rates = decode_rates(message[_QOS].rates)
        except ValueError as error:
            return Rejection(
                EmmCause.ESM_FAILURE, str(error), EsmCause.EPS_QOS_NOT_ACCEPTED, clause=RESOURCE_REFUSED.clause
            )
        ies["flow_qos"] = FlowQos(message[_QOS].qci, *rates)
    try:
        answer = await core.gateways.ask_resource(ue, ies)
    except NoAnswerError as error:
        return demanded(RESOURCE_UNANSWERED, str(error))
    if answer.name.endswith("-request"):
        return None
    return rejection_of(core, answer, bearer.linked.apn, RESOURCE_REFUSED.clause)
