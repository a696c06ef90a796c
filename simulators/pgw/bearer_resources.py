"""What devices ask of bearers by themselves (TS 23.401 5.4.5, TS 29.274 7.2.5): the configuration allows it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.pgw.clients import gx_messages
from simulators.pgw.config import GUARANTEED
from simulators.pgw.controls import BEARER_RESOURCE_COMMAND
from simulators.pgw.dedicated_bearers import create_bearer, delete_bearer, filters_of
from simwarden.wire import tft
from simwarden.wire.gtpv2 import Cause, FlowQos, Message

if TYPE_CHECKING:
    from simulators.pgw.config import ListedBearer
    from simulators.pgw.core import Core
    from simulators.pgw.session import Bearer, Session
    from simwarden.runtime.gtp.node import Peer

#: by whether filters are wrong in an aggregate, and whether they can be read (TS 29.274 8.4)
_FAULTS: Final = {
    (False, False): Cause.SYNTACTIC_ERROR_IN_THE_TAD_OPERATION,
    (True, False): Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS,
    (True, True): Cause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
}


async def bearer_resource_command(core: Core, message: Message, peer: Peer) -> None:
    """Carry out what a device asks for, by a request under the command's number, where it may; else say why not."""
    session = core.commanded(message, peer, BEARER_RESOURCE_COMMAND)
    if session is None:
        return
    if message["linked_ebi"] != session.ebi:
        core.fail(message, peer, Cause.CONTEXT_NOT_FOUND)
        return
    try:
        wanted = tft.decode(message["tad"])
    except tft.TftError as error:
        core.site.note(f"what a device asks for cannot be read: {error.reason}", imsi=session.imsi)
        core.fail(message, peer, _FAULTS[error.filters, error.semantic])
        return
    if not await (_release if message.get("ebi") else _allocate)(core, session, message, wanted):
        core.fail(message, peer, Cause.REQUEST_REJECTED)


async def _allocate(core: Core, session: Session, message: Message, wanted: tft.Tft) -> bool:
    """Set up what the configuration has for such a request (TS 24.301 6.5.3), or what the PCRF gives a rule for.

    Return True if there is such a bearer.
    """
    qos: FlowQos | None = message.get("flow_qos")
    for name, config in session.addresses.config.requests.items():
        if name not in session.bearers and qos is not None and _fits(session, config, qos, wanted):
            await create_bearer(core, session, name, config, commanded=message.sequence, pti=message["pti"])
            return True
    if core.pcrf is not None and session.gx is not None and wanted.operation is tft.Operation.CREATE:
        requested, command = gx_messages.resources(session, wanted, qos), (message.sequence, message["pti"])
        if await core.pcrf.request_resources(session, session.gx, requested, command):
            return True
    core.site.note("a device asks for a bearer that it may not have", imsi=session.imsi)
    return False


def _fits(session: Session, config: ListedBearer, qos: FlowQos, wanted: tft.Tft) -> bool:
    """Whether a device may have what it asks for: this quality, no more than these rates, none but these packets."""
    has = {_bare(each) for each in filters_of(config, 0)}
    rates = qos.gbr_uplink <= config.guaranteed[0] and qos.gbr_downlink <= config.guaranteed[1]
    return (
        (not config.cards or session.imsi in config.cards)
        and qos.qci == config.qci
        and (qos.qci not in GUARANTEED or rates)
        and wanted.operation is tft.Operation.CREATE
        and {_bare(each) for each in wanted.filters} <= has
    )


def _bare(filter_: tft.Filter) -> tft.Filter:
    return filter_._replace(identifier=0, precedence=0)


async def _release(core: Core, session: Session, message: Message, wanted: tft.Tft) -> bool:
    """End a bearer that the device has asked for when it gives all its packets up (TS 24.301 6.5.4); whether it does.

    Other changes are the network's to make.
    """
    bearer: Bearer | None = session.bearer(message["ebi"])
    if bearer is None or not bearer.requested:
        return False
    if {each.identifier for each in bearer.filters} - set(wanted.deleted):
        return False
    await delete_bearer(core, session, bearer, commanded=message.sequence, pti=message["pti"])
    return True
