"""What gateways say of sessions: packets wait (TS 23.401 5.3.4.3), one has ended (5.4.4.1), or is lost (TS 23.007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.procedures import dedicated_bearers, location_reporting
from simulators.mme.procedures.detach import detach_by_network
from simulators.mme.procedures.paging import page
from simulators.mme.procedures.pdn_connectivity import deactivate
from simwarden.wire.gtpv2 import Cause, CauseIe, Message, Uli, refusal
from simwarden.wire.nas.enums import EsmCause, NetworkDetachType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.mme.contexts import Bearer, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.gtp.node import Peer
    from simwarden.wire.gtpv2 import FTeid

_ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
_Again, _Not = NetworkDetachType.RE_ATTACH_REQUIRED, NetworkDetachType.RE_ATTACH_NOT_REQUIRED


async def downlink_data_notification(core: Core, message: Message, _peer: Peer) -> Message:
    """Packets wait for a device: page it if it is idle; its service request brings them (TS 29.274 7.2.11)."""
    ue = core.gateways.by_teid.get(message.teid)
    if ue is None or ue.sgw is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND)
    core.site.spawn(_page(core, ue, ue.sgw), "paging for packets")
    return Message(message.spec.answer, {"cause": _ACCEPTED}, ue.sgw.teid)


async def _page(core: Core, ue: UeContext, sgw: FTeid) -> None:
    """Page a device, and tell the SGW if it does not answer (7.2.11.3)."""
    if not await page(core, ue) and ue.sgw is sgw:
        core.gateways.not_reached(sgw)


async def delete_bearer(core: Core, message: Message, _peer: Peer) -> Message:
    """A gateway has ended a session (7.2.9.2).

    With its last one the device is detached, and attaches again if it may (TS 23.401 5.4.4.1).
    """
    ue = core.gateways.by_teid.get(message.teid)
    if ue is None or ue.sgw is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND)
    conn = ue.connection
    if conn is not None and conn.target is not None and (message.get("linked_ebi") is None or len(ue.bearers) > 1):
        # the eNB that it comes to would go on with what is ended (TS 23.401 5.5.1); a detach waits for it by itself
        return refusal(message, Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS, ue.sgw.teid)
    if message.get("linked_ebi") is None:
        return await dedicated_bearers.delete_bearers(core, ue, message, ue.sgw.teid)
    bearer = ue.bearers.get(message["linked_ebi"])
    if bearer is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND, ue.sgw.teid)
    teid, ies = ue.sgw.teid, {"cause": _ACCEPTED, "linked_ebi": bearer.identity}
    disallowed = message.cause == Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED
    if len(ue.bearers) == 1:
        detach_by_network(core, ue, _Not if disallowed else _Again, None, lost=True)
    else:
        cause = EsmCause.REGULAR_DEACTIVATION if disallowed else EsmCause.REACTIVATION_REQUESTED
        deactivate(core, ue, bearer, cause, tell=False)
    return Message(message.spec.answer, ies, teid)


async def update_bearer(core: Core, message: Message, _peer: Peer) -> Message:
    """A PGW changes bearers, and orders reports of where a device is, or ends them (TS 29.274 7.2.15)."""
    ue = core.gateways.by_teid.get(message.teid)
    if ue is None or ue.sgw is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND)
    teid = ue.sgw.teid
    told = await dedicated_bearers.update_bearers(core, ue, message)
    if isinstance(told, Cause):
        return refusal(message, told, teid)
    answer = dedicated_bearers.answer(message, told, teid)
    if answer.accepted:
        for each in message["bearer_contexts"]:
            order_reports(core, ue, each["ebi"], message)
        answer.ies["user_location_information"] = Uli(ue.tai, ue.cell)
    return answer


def order_reports(core: Core, ue: UeContext, identity: int, message: Message) -> None:
    """Report where a device is from now on, or no longer, as a request or an answer of the PGW says (8.61)."""
    bearer, action = ue.bearers.get(identity), message.get("change_reporting_action")
    if bearer is not None and action is not None:
        bearer.reported, bearer.place = bool(action), Uli(ue.tai, ue.cell)
        core.site.note("reports of places are ordered" if action else "reports of places end", imsi=ue.imsi)
        location_reporting.control(core, ue.connection)


def lost(core: Core, ue: UeContext, gone: tuple[Bearer, ...], reason: str) -> None:
    """Sessions are lost at the gateways: the device has to set them up, or to attach again (TS 23.007 14, 20)."""
    names = ", ".join(each.apn for each in gone)
    core.site.note(f"the gateways have lost a session: {reason}", imsi=ue.imsi, apn=names)
    if len(gone) == len(ue.bearers):
        detach_by_network(core, ue, _Again, None, lost=True)
        return
    for bearer in gone:
        deactivate(core, ue, bearer, EsmCause.REACTIVATION_REQUESTED, tell=False)


def lost_all(core: Core, peer: Peer) -> None:
    """The SGW has restarted, or is not there any more: all of its sessions are lost (TS 23.007 14, 20)."""
    gone = [ue for ue in core.gateways.by_teid.values() if ue.sgw is not None and ue.sgw.address == peer.host]
    for ue in gone:
        lost(core, ue, tuple(ue.bearers.values()), f"{peer.name} has restarted, or does not answer")


HANDLERS: Mapping[str, Callable[[Core, Message, Peer], Awaitable[Message]]] = {
    "downlink-data-notification": downlink_data_notification,
    "create-bearer-request": dedicated_bearers.create_bearer,
    "update-bearer-request": update_bearer,
    "delete-bearer-request": delete_bearer,
}
"""What gateways ask, by name."""
