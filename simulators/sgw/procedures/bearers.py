"""Bearers while a session lasts: release, paging, what the PGW ends, forwarding (TS 29.274 7.2.9.2 to 7.2.21)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.sgw.procedures import dedicated
from simulators.sgw.procedures.sessions import ACCEPTED, moved, some
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType, Message, refusal

if TYPE_CHECKING:
    from simulators.sgw.core import Core
    from simulators.sgw.session import Bearer, Connection, Device
    from simwarden.runtime.gtp.node import Peer

#: elements of an Update Bearer Request, and of its answer, that go on as they are
_ORDERED = ("bearer_contexts", "apn_ambr", "change_reporting_action", "pti", "pco")
_DONE = ("cause", "bearer_contexts", "ue_time_zone", "user_location_information", "pco")


async def release_access_bearers(core: Core, device: Device, message: Message, _peer: Peer) -> Message:
    """Bring no more packets to the eNB: the device is idle (7.2.21)."""
    release(core, device)
    return Message(message.spec.answer, {"cause": ACCEPTED}, device.mme.teid)


def release(core: Core, device: Device) -> None:
    """Take a device for idle."""
    device.releases += 1
    for bearer in device.bearers.values():
        bearer.enb = None
        core.drop_held(bearer)
    for connection in device.connections.values():
        core.tell(connection)


def page(core: Core, bearer: Bearer) -> None:
    """Have the MME page a device for which packets wait, once (7.2.11)."""
    device = bearer.device
    if device.paging is None:
        device.paging = asyncio.Event()
        core.site.spawn(_notify(core, bearer, device.paging), "downlink-data-notification")


async def _notify(core: Core, bearer: Bearer, over: asyncio.Event) -> None:
    device = bearer.device
    ies = {"ebi": bearer.ebi, "arp": bearer.qos.arp}
    answer = await core.ask_mme(device, Message("downlink-data-notification", ies, device.mme.teid))
    if answer is None or not answer.accepted:
        if answer is not None:
            core.site.note(f"the MME does not page: cause {answer.cause}", imsi=device.imsi)
        give_up(core, device)
        return
    try:
        async with asyncio.timeout(core.config.buffering):
            await over.wait()
    except TimeoutError:
        give_up(core, device)


def give_up(core: Core, device: Device) -> None:
    """Drop what waits for a device that was not reached; the next packet is a reason to page it anew."""
    device.end_paging()
    for bearer in device.bearers.values():
        core.drop_waiting(bearer)


async def downlink_data_notification_failed(core: Core, message: Message, _peer: Peer) -> None:
    """Hear that a device did not answer its paging (7.2.11.3)."""
    device = core.by_teid.get(message.teid)
    if device is not None:
        give_up(core, device)


async def delete_bearer(core: Core, connection: Connection, message: Message, _peer: Peer) -> Message:
    """End a PDN connection for the PGW (7.2.9.2): the MME is asked first, and it ends whatever the MME answers."""
    if message.get("linked_ebi") is None:
        return await dedicated.delete_dedicated(core, connection, message)
    cause = message.get("cause") or CauseIe(Cause.REACTIVATION_REQUESTED)
    told = await _delete_at_mme(core, connection, cause)
    core.close(connection, CauseForRecClosing.NORMAL_RELEASE)
    ies: dict[str, Any] = {"cause": ACCEPTED, "linked_ebi": connection.ebi}
    if told is not None:
        ies |= {name: told.ies[name] for name in ("user_location_information", "ue_time_zone") if name in told.ies}
    return Message(message.spec.answer, ies, connection.pgw.teid)


async def update_bearer(core: Core, connection: Connection, message: Message, _peer: Peer) -> Message:
    """Bring an order of the PGW's to the MME, and its answer back (7.2.15, 7.2.16)."""
    mme = connection.device.mme
    connection.take_reporting(message)
    asked = Message(message.name, some(message, _ORDERED), mme.teid)
    numbers = [connection.commands.pop(each["ebi"], 0) for each in message["bearer_contexts"]]
    numbers.append(connection.resources.pop(message.ies.get("pti", 0), 0))
    told = await core.ask_mme(connection.device, asked, max(numbers))
    if told is None:
        return refusal(message, Cause.REMOTE_PEER_NOT_RESPONDING, connection.pgw.teid)
    if not told.accepted:
        return refusal(message, told["cause"]._replace(remote=True), connection.pgw.teid)
    moved(connection.device, told)
    _take_qualities(connection, message, told)
    return Message(message.spec.answer, some(told, _DONE), connection.pgw.teid)


async def modify_bearer_command(core: Core, message: Message, peer: Peer) -> None:
    """Bring a changed subscription to the PGW (7.2.14.1), which follows it by a request of its own."""
    device, ebi = core.by_teid.get(message.teid), message["bearer_context"]["ebi"]
    connection = device.connections.get(ebi) if device is not None else None
    why: CauseIe | None = CauseIe(Cause.CONTEXT_NOT_FOUND)
    if connection is not None:
        connection.commands[ebi] = message.sequence
        why = await dedicated.command_pgw(core, connection, message)
        if why is not None:
            connection.commands.pop(ebi, None)
    if why is not None:
        dedicated.tell_failure(core, message, peer, why)


def _take_qualities(connection: Connection, asked: Message, told: Message) -> None:
    """Take note of qualities of bearers that the MME has changed."""
    done = {each["ebi"] for each in told["bearer_contexts"] if each["cause"].value == Cause.REQUEST_ACCEPTED}
    by_ebi = {each.ebi: each for each in connection.bearers}
    for each in asked["bearer_contexts"]:
        if each["ebi"] in done & by_ebi.keys() and "bearer_qos" in each:
            by_ebi[each["ebi"]].qos = each["bearer_qos"]


async def _delete_at_mme(core: Core, connection: Connection, cause: CauseIe) -> Message | None:
    mme = connection.device.mme
    ies = {"linked_ebi": connection.ebi, "cause": cause}
    told = None
    for _ in range(dedicated.REPEATS):
        answer = await core.ask_mme(connection.device, Message("delete-bearer-request", ies, mme.teid))
        if answer is None:
            break
        told = answer
        if told.cause != Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS:
            break
        await core.site.clock.sleep(dedicated.GUARD)
    return told


def lost_at_pgw(core: Core, connection: Connection, bearer: Bearer) -> None:
    """End a bearer that the PGW does not have any more, and tell the MME (TS 23.007 14, 20, 22).

    With its default bearer a PDN connection ends.
    """
    if bearer is not connection:
        core.site.note("a bearer is lost at the PGW", imsi=connection.device.imsi, ebi=bearer.ebi)
        core.site.spawn(dedicated.lose(core, connection, bearer), "delete-bearer-request")
        return

    async def work() -> None:
        await _delete_at_mme(core, connection, CauseIe(Cause.REACTIVATION_REQUESTED))

    mme = connection.device.mme
    core.close(connection)
    core.site.note(f"a session is lost at the PGW, and {core.site.behind(mme.address) or mme.address} is told")
    core.site.spawn(work(), "delete-bearer-request")


#: element of the request, its interface type in the answer, and the answer's element
_FORWARDED = (
    ("enodeb_for_dl", "s1_u_sgw_for_dl", InterfaceType.SGW_GTP_U_FOR_DL_DATA_FORWARDING),
    ("enodeb_for_ul", "s1_u_sgw_for_ul", InterfaceType.SGW_GTP_U_FOR_UL_DATA_FORWARDING),
)


async def create_indirect_forwarding(core: Core, device: Device, message: Message, _peer: Peer) -> Message:
    """Open tunnels by which the old eNB's packets come to the new one during a handover (7.2.18)."""
    told = []
    for bearer in message["bearer_contexts"]:
        if bearer["ebi"] not in device.bearers:
            told.append({"ebi": bearer["ebi"], "cause": CauseIe(Cause.CONTEXT_NOT_FOUND)})
            continue
        made: dict[str, Any] = {"ebi": bearer["ebi"], "cause": ACCEPTED}
        for asked, answered, kind in _FORWARDED:
            if asked in bearer:
                made[answered] = core.user_end(kind, _forward(core, device, bearer[asked]))
        told.append(made)
    ies = {"cause": ACCEPTED, "bearer_contexts": tuple(told)}
    return Message(message.spec.answer, ies, device.mme.teid)


def _forward(core: Core, device: Device, target: FTeid) -> int:
    teid = core.plane.open(
        lambda packets: core.plane.send(packets, target.teid, target.address, "S1-U"),
        lambda: core.plane.end(target.teid, target.address, "S1-U"),
    )
    device.forwarding.append(teid)
    return teid


async def delete_indirect_forwarding(core: Core, device: Device, message: Message, _peer: Peer) -> Message:
    """Close the tunnels of a handover (7.2.20)."""
    core.end_forwarding(device)
    return Message(message.spec.answer, {"cause": ACCEPTED}, device.mme.teid)
