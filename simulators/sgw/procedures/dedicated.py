"""Dedicated bearers: the PGW orders them, the MME has them set up and ended (TS 29.274 7.2.3, 7.2.9.2, 7.2.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.sgw import charging
from simulators.sgw.procedures.sessions import ACCEPTED
from simulators.sgw.session import Bearer
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire.gtpv2 import Cause, CauseIe, InterfaceType, Message, failure_of, refusal

if TYPE_CHECKING:
    from simulators.sgw.core import Core
    from simulators.sgw.session import Connection, Device
    from simwarden.runtime.gtp.node import Peer

_S11 = "S11"
_HANDOVER = Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS
#: seconds before the MME is told again what came in the middle of a handover (TS 23.401 5.5.1)
GUARD: Final = 3.0
#: how often it is; no handover takes longer
REPEATS: Final = 4
_INVALID = CauseIe(Cause.INVALID_REPLY_FROM_REMOTE_PEER)
_SAID = ("user_location_information", "ue_time_zone")


async def create_bearer(core: Core, connection: Connection, message: Message, _peer: Peer) -> Message:
    """Have the MME set bearers up that the PGW orders (7.2.3, 7.2.4)."""
    if message["linked_ebi"] != connection.ebi or any(
        each.get("s5_u_pgw") is None for each in message["bearer_contexts"]
    ):
        return refusal(message, Cause.MANDATORY_IE_INCORRECT, connection.pgw.teid)
    made = [_open(core, connection, each) for each in message["bearer_contexts"]]
    releases = connection.device.releases
    told = await _ask_mme(core, connection, message, made)
    answers = told["bearer_contexts"] if told is not None and told.accepted else ()
    by_end = {each["s1_u_sgw"].teid: each for each in answers if each.get("s1_u_sgw") is not None}
    contexts = []
    for bearer, asked in zip(made, message["bearer_contexts"], strict=True):
        contexts.append(_settle(core, connection, bearer, asked, by_end.get(bearer.s1_teid, {})))
        if connection.device.releases > releases:  # it has become idle meanwhile
            bearer.enb = None
    if told is None:
        return refusal(message, Cause.REMOTE_PEER_NOT_RESPONDING, connection.pgw.teid)
    if not told.accepted:
        return refusal(message, told["cause"]._replace(remote=True), connection.pgw.teid)
    ies = {"cause": told["cause"], "bearer_contexts": tuple(contexts)}
    ies |= {name: told.ies[name] for name in _SAID if name in told.ies}
    return Message(message.spec.answer, ies, connection.pgw.teid)


def _open(core: Core, connection: Connection, asked: dict[str, Any]) -> Bearer:
    """Open the tunnels of a bearer, which has no identity before the MME gives it one."""
    bearer = Bearer(device=connection.device, ebi=0, qos=asked["bearer_qos"], pgw_user=asked["s5_u_pgw"])
    core.open_tunnels(bearer)
    return bearer


async def _ask_mme(core: Core, connection: Connection, message: Message, made: list[Bearer]) -> Message | None:
    contexts = tuple(
        {
            "ebi": 0,
            "bearer_tft": asked["bearer_tft"],
            "s1_u_sgw": core.user_end(InterfaceType.S1_U_SGW_GTP_U, bearer.s1_teid),
            "s5_u_pgw": bearer.pgw_user,
            "bearer_qos": bearer.qos,
        }
        for bearer, asked in zip(made, message["bearer_contexts"], strict=True)
    )
    mme, pti = connection.device.mme, message.ies.get("pti", 0)
    ies = {"linked_ebi": connection.ebi, "bearer_contexts": contexts, **({"pti": pti} if pti else {})}
    commanded = connection.resources.pop(pti, 0)
    return await core.ask_mme(connection.device, Message(message.name, ies, mme.teid), commanded)


def _settle(
    core: Core, connection: Connection, bearer: Bearer, asked: dict[str, Any], told: dict[str, Any]
) -> dict[str, Any]:
    """Keep a bearer that the MME has set up, else close it; return what the PGW hears of it."""
    cause, enb = told.get("cause", _INVALID), told.get("s1_u_enodeb")
    alive = core.by_s5_teid.get(connection.teid) is connection
    if cause.value != Cause.REQUEST_ACCEPTED or enb is None or not alive:
        core.close_bearer(bearer, CauseForRecClosing.ABNORMAL_RELEASE)
        return {"ebi": 0, "cause": cause if cause.value != Cause.REQUEST_ACCEPTED else _INVALID}
    bearer.ebi = told["ebi"]
    bearer.enb = enb
    connection.dedicated[bearer.ebi] = bearer
    charging.begin_dedicated(core, connection, bearer, asked.get("charging_id", 0))
    return {
        "ebi": bearer.ebi,
        "cause": ACCEPTED,
        "s5_u_sgw": core.user_end(InterfaceType.S5_S8_SGW_GTP_U, bearer.s5_teid),
        "s5_u_pgw": bearer.pgw_user,
    }


async def delete_dedicated(core: Core, connection: Connection, message: Message) -> Message:
    """End dedicated bearers for the PGW, after the MME was asked (7.2.9.2); in a handover the PGW has to ask again."""
    ebis: tuple[int, ...] = message["ebis"]
    ended = await end(core, connection, ebis, message.ies.get("pti", 0))
    if ended is None:
        return refusal(message, CauseIe(_HANDOVER, remote=True), connection.pgw.teid)
    known = {True: ACCEPTED, False: CauseIe(Cause.CONTEXT_NOT_FOUND)}
    contexts = tuple({"ebi": ebi, "cause": known[ebi in ended]} for ebi in ebis)
    return Message(message.spec.answer, {"cause": ACCEPTED, "bearer_contexts": contexts}, connection.pgw.teid)


async def end(core: Core, connection: Connection, ebis: tuple[int, ...], pti: int = 0) -> frozenset[int] | None:
    """End dedicated bearers, whatever the MME answers; return those that there were. `pti`: the device asked for it.

    None: they stay, as the device is being handed over.
    """
    device = connection.device
    commanded = next((connection.commands.pop(each) for each in ebis if each in connection.commands), 0)
    commanded = connection.resources.pop(pti, commanded)
    asked = Message("delete-bearer-request", {"ebis": ebis, **({"pti": pti} if pti else {})}, device.mme.teid)
    told = await core.ask_mme(device, asked, commanded)
    if told is not None and told.cause == _HANDOVER:
        return None
    ended = {ebi: connection.dedicated.pop(ebi) for ebi in ebis if ebi in connection.dedicated}
    for bearer in ended.values():
        core.close_bearer(bearer, CauseForRecClosing.NORMAL_RELEASE)
    return frozenset(ended)


async def lose(core: Core, connection: Connection, bearer: Bearer) -> None:
    """End a dedicated bearer that the PGW has lost, if need be after a handover."""
    for _ in range(REPEATS):
        if await end(core, connection, (bearer.ebi,)) is not None:
            break
        await core.site.clock.sleep(GUARD)


async def delete_bearer_command(core: Core, message: Message, peer: Peer) -> None:
    """Bring to the PGW that the radio has lost bearers (7.2.17.1); it ends them by a request of its own."""
    device = core.by_teid.get(message.teid)
    asked = [each["ebi"] for each in message["bearer_contexts"]]
    found = [each for each in device.connections.values() if set(asked) & set(each.dedicated)] if device else []
    for connection in found:
        mine = tuple({"ebi": each} for each in asked if each in connection.dedicated)
        # of several requests that end them the first alone has the command's number: a second one would be a duplicate
        connection.commands |= {each["ebi"]: message.sequence * (connection is found[0]) for each in mine}
        command = Message("delete-bearer-command", {"bearer_contexts": mine}, connection.pgw.teid)
        core.site.spawn(_command(core, connection, command), "delete-bearer-command")
    if not found:
        _fail(core, device, peer.host, asked, message.sequence)


async def bearer_resource_command(core: Core, message: Message, peer: Peer) -> None:
    """Bring to the PGW what a device asks for (7.2.5); it carries that out by a request of its own, or says why not."""
    device, pti = core.by_teid.get(message.teid), message["pti"]
    connection = device.connections.get(message["linked_ebi"]) if device is not None else None
    why: CauseIe | None = CauseIe(Cause.CONTEXT_NOT_FOUND)
    if connection is not None:
        connection.resources[pti] = message.sequence
        why = await command_pgw(core, connection, message, remote=True)
    if why is not None:
        tell_failure(core, message, peer, why)


async def command_pgw(core: Core, connection: Connection, message: Message, *, remote: bool = False) -> CauseIe | None:
    """Bring a command of the MME to the PGW; return why it fails, None if a request of the PGW carries it out.

    `remote`: say that the cause is the PGW's.
    """
    ies = {name: value for name, value in message.ies.items() if name != "sender_f_teid"}
    answer = await core.ask_pgw(connection, Message(message.name, ies, connection.pgw.teid))
    if answer is None:
        return CauseIe(Cause.REMOTE_PEER_NOT_RESPONDING)
    if answer.name in message.spec.orders:
        return None
    cause: CauseIe = answer["cause"]
    return cause._replace(remote=True) if remote else cause


def tell_failure(core: Core, message: Message, peer: Peer, why: CauseIe) -> None:
    """Tell the MME why its command is not carried out."""
    failure = failure_of(message, why, core.sender_teid(message.teid))
    core.node.tell(failure, peer.host, _S11, message.sequence)


def _fail(core: Core, device: Device | None, host: str, ebis: list[int], sequence: int) -> None:
    """Tell the MME that a command of its is about nothing."""
    why = CauseIe(Cause.CONTEXT_NOT_FOUND)
    ies = {"cause": why, "bearer_contexts": tuple({"ebi": each, "cause": why} for each in ebis)}
    failure = Message("delete-bearer-failure-indication", ies, device.mme.teid if device is not None else 0)
    core.node.tell(failure, host, _S11, sequence)


async def _command(core: Core, connection: Connection, command: Message) -> None:
    """Command the PGW; what it has not, or does not answer for, ends here."""
    device, ebis = connection.device, [each["ebi"] for each in command["bearer_contexts"]]
    answer = await core.ask_pgw(connection, command)
    if answer is not None and answer.name == "delete-bearer-request":
        return  # which ends them
    for each in ebis:
        bearer = connection.dedicated.pop(each, None)
        if bearer is not None:
            core.close_bearer(bearer, CauseForRecClosing.ABNORMAL_RELEASE)
        sequence = connection.commands.pop(each, 0)
        if sequence:
            _fail(core, device, device.mme.address, [each], sequence)
