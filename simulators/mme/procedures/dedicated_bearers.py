"""Dedicated bearers, as the gateways order them (TS 23.401 5.4.1 to 5.4.4, TS 24.301 6.4.2 to 6.4.4, TS 36.413 8.2)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.mme.clients import nas_channel, s1
from simulators.mme.contexts import Dedicated, NoAnswer
from simulators.mme.procedures import default_bearer
from simulators.mme.procedures.paging import page
from simulators.mme.procedures.pdn_connectivity import run, tell_end
from simwarden.wire.gtpv2 import Ambr, BearerQos, Cause, CauseIe, Message, refusal
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.nas.enums import EsmCause, MessageType
from simwarden.wire.nas.message import Message as NasMessage
from simwarden.wire.nas.message import encode
from simwarden.wire.nas.rates import Ambr as NasAmbr
from simwarden.wire.nas.rates import BitRates, encode_ambr, encode_rates
from simwarden.wire.s1ap.values import ErabToBeModified

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from simulators.mme.contexts import Bearer, Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.gtp.node import Peer
    from simwarden.wire.s1ap import Message as S1Message

_T = MessageType
_ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
#: octets of a traffic flow template (TS 24.008 10.5.6.12)
_MOST_TFT: Final = 255
#: what a gateway hears of a device that refuses (TS 29.274 7.2.4, TS 24.301 6.4.2.4); of other causes that it does
_REFUSALS: Final = {
    EsmCause.INSUFFICIENT_RESOURCES: Cause.NO_RESOURCES_AVAILABLE,
    EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION: Cause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION,
    EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION: Cause.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION,
    EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS: Cause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
    EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS: Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS,
}


async def _reach(core: Core, ue: UeContext, linked: Bearer) -> Connection | Cause:
    """Return the connection of a device whose default bearer stands, paged if it is idle; else why there is none."""
    if not await page(core, ue):
        return Cause.UNABLE_TO_PAGE_UE
    while (conn := ue.connection) is not None:
        if conn.target is not None:
            return Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS
        if (task := conn.procedure or _setting_up(conn, linked)) is not None:
            await asyncio.wait({task})
        elif linked.enb is not None:
            return conn
        elif not await _radio_up(core, conn, linked):  # the service request is accepted, its bearers are under way
            break
    return Cause.UE_NOT_RESPONDING


def _setting_up(conn: Connection, linked: Bearer) -> asyncio.Task[None] | None:
    """Return what session management does of a device whose default bearer it has not taken yet."""
    return None if linked.accepted else next(iter(conn.transactions.values()), None)


async def _radio_up(core: Core, conn: Connection, linked: Bearer) -> bool:
    """Wait for radio bearers; whether that of a default bearer stands."""
    conn.radio_up.clear()
    timer = core.clock.call_later(core.config.timers.t3485, conn.radio_up.set)
    await conn.radio_up.wait()
    timer.cancel()
    return linked.enb is not None


async def _carry_out(core: Core, conn: Connection, identity: int, work: Coroutine[Any, Any, Cause], what: str) -> Cause:
    """Run a procedure about a bearer beside the others; return its outcome, also where the connection ends it."""
    outcome = Cause.UE_NOT_RESPONDING

    async def note() -> None:
        nonlocal outcome
        outcome = await work

    task = run(core, conn, (0, identity), note(), what)
    await asyncio.wait({task})
    return outcome


async def _ask(
    core: Core,
    conn: Connection,
    bearer: Bearer | Dedicated,
    transmit: Callable[[], None],
    timer: str,
    *wanted: MessageType,
) -> Cause:
    """Ask a device about a bearer; return what the gateways hear. `wanted`: that it accepts, and that it refuses."""
    try:
        answer = await nas_channel.ask(core, conn, transmit, timer, *wanted, bearer=bearer.identity)
    except NoAnswer:
        core.site.note(f"{timer.upper()} ran out for the last time", imsi=conn.imsi, ebi=bearer.identity)
        return Cause.UE_NOT_RESPONDING
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the one that runs this
        if task.cancelling():
            raise
        return Cause.NO_RESOURCES_AVAILABLE  # the eNB has not done its part
    if answer.type is wanted[0]:
        return Cause.REQUEST_ACCEPTED
    return _REFUSALS.get(answer["esm_cause"], Cause.UE_REFUSES)


# -- set up


async def create_bearer(core: Core, message: Message, _peer: Peer) -> Message:
    """Set dedicated bearers up (TS 29.274 7.2.3): at a device that is idle after it has been paged."""
    ue = core.gateways.by_teid.get(message.teid)
    if ue is not None and message["linked_ebi"] in ue.setting_up:  # it came with the answer (TS 23.401 annex F)
        await ue.setting_up[message["linked_ebi"]].wait()
    if ue is None or ue.sgw is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND)
    teid, began = ue.sgw.teid, core.clock.now()
    linked = ue.bearers.get(message["linked_ebi"])
    if linked is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND, teid)
    conn = await _reach(core, ue, linked)
    if isinstance(conn, Cause):
        return refusal(message, conn, teid)
    pti = message.ies.get("pti", 0)
    told = [await _create(core, conn, ue, linked, {**each, "pti": pti}) for each in message["bearer_contexts"]]
    path = core.config.gateways
    if core.clock.now() - began >= path.t3_response * path.n3_requests:  # they wait no longer (TS 29.274 7.6)
        core.site.note("the gateways have given bearers up before they stood", imsi=ue.imsi)
        for bearer in [ue.all_bearers.get(each["ebi"]) for each in told]:
            if isinstance(bearer, Dedicated):
                await _end(core, ue, bearer)
        return refusal(message, Cause.UE_NOT_RESPONDING, teid)
    return answer(message, told, teid)


def answer(message: Message, told: list[dict[str, Any]], teid: int) -> Message:
    """Return an answer about several bearers: what was carried out of them decides its cause."""
    good = [each for each in told if each["cause"] is _ACCEPTED]
    if not good:
        cause = told[0]["cause"]
    else:
        cause = _ACCEPTED if len(good) == len(told) else CauseIe(Cause.REQUEST_ACCEPTED_PARTIALLY)
    return Message(message.spec.answer, {"cause": cause, "bearer_contexts": tuple(told)}, teid)


async def _create(core: Core, conn: Connection, ue: UeContext, linked: Bearer, asked: dict[str, Any]) -> dict[str, Any]:
    identity = default_bearer.free_identity(conn, ue)
    end = asked.get("s1_u_sgw")
    long = len(asked["bearer_tft"]) > _MOST_TFT
    if identity is None or end is None or long or ue.bearers.get(linked.identity) is not linked:
        lacks = Cause.CONDITIONAL_IE_MISSING if end is None else Cause.NO_RESOURCES_AVAILABLE
        lacks = Cause.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION if long else lacks
        return {"ebi": 0, "cause": CauseIe(lacks), "s1_u_sgw": end}
    standing = asyncio.get_running_loop().create_future()
    new = Dedicated(linked, identity, asked["bearer_qos"], asked["bearer_tft"], end, standing, transaction=asked["pti"])
    linked.dedicated[identity] = new
    cause = await _carry_out(
        core, conn, identity, _activate(core, conn, ue, new), "dedicated EPS bearer context activation"
    )
    if cause is Cause.REQUEST_ACCEPTED:
        new.accepted = True
        return {"ebi": identity, "cause": _ACCEPTED, "s1_u_enodeb": new.enb, "s1_u_sgw": end}
    linked.dedicated.pop(identity, None)
    return {"ebi": 0, "cause": CauseIe(cause), "s1_u_sgw": end}


async def _activate(core: Core, conn: Connection, ue: UeContext, new: Dedicated) -> Cause:
    """ACTIVATE DEDICATED EPS BEARER CONTEXT REQUEST, first with the radio bearer (6.4.2.2), under T3485."""
    plain = encode(
        NasMessage(
            _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST,
            eps_bearer_identity=new.identity,
            procedure_transaction_identity=new.transaction,
            linked_eps_bearer_identity=new.linked.identity,
            eps_qos=_quality(new.qos),
            tft=new.tft,
        )
    )
    transmit = nas_channel.at_first(partial(default_bearer.set_up_radio, conn, ue, new, plain), conn, plain)
    wanted = _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT
    cause = await _ask(core, conn, new, transmit, "t3485", *wanted)
    if cause is Cause.REQUEST_ACCEPTED:
        timer = core.clock.call_later(core.config.timers.t3485, partial(s1.expire, new.standing))
        stands = await new.standing
        timer.cancel()
        cause = cause if stands else Cause.NO_RESOURCES_AVAILABLE
    elif cause is not Cause.NO_RESOURCES_AVAILABLE or new.enb is not None:
        default_bearer.release_radio(conn, new)
    return cause


def _quality(qos: BearerQos) -> EpsQos:
    rates = BitRates(qos.mbr_uplink, qos.mbr_downlink, qos.gbr_uplink, qos.gbr_downlink)
    return EpsQos(qos.qci, encode_rates(rates))


def without_radio(core: Core, conn: Connection, identity: int) -> bool:
    """The eNB has not set a bearer up (TS 36.413 8.2.1.2); whether it is a dedicated one."""
    bearer = conn.ue.all_bearers.get(identity) if conn.ue is not None else None
    if not isinstance(bearer, Dedicated):
        return False
    core.site.note("the eNB has no room for a bearer", imsi=conn.imsi, ebi=identity)
    if not bearer.standing.done():
        bearer.standing.set_result(False)
    if identity in conn.waits:
        conn.waits[identity].answer.cancel()
    return True


# -- changed


class _Change(NamedTuple):
    """What a bearer is to become; `tft` goes on to the device, None and the APN-AMBR's None: as it is."""

    bearer: Bearer | Dedicated
    linked: Bearer
    qos: BearerQos
    tft: bytes | None
    ambr: Ambr | None
    transaction: int = 0

    def fields(self) -> dict[str, Any]:
        """Return what the device is told."""
        told: dict[str, Any] = {}
        if self.qos != self.bearer.qos:
            told["new_eps_qos"] = _quality(self.qos)
        if self.tft is not None:
            told["tft"] = self.tft
        if self.ambr is not None:
            told["apn_ambr"] = encode_ambr(NasAmbr(self.ambr.downlink, self.ambr.uplink))
        return told


async def update_bearers(core: Core, ue: UeContext, message: Message) -> list[dict[str, Any]] | Cause:
    """Change qualities and packets of bearers, and the APN-AMBR (TS 29.274 7.2.15); a cause: none is tried."""
    told: list[dict[str, Any]] = []
    pti = message.ies.get("pti", 0)
    for each in message["bearer_contexts"]:
        bearer = ue.all_bearers.get(each["ebi"])
        if bearer is None:
            told.append({"ebi": each["ebi"], "cause": CauseIe(Cause.CONTEXT_NOT_FOUND)})
            continue
        linked = bearer.linked
        if len(each.get("bearer_tft", b"")) > _MOST_TFT:
            told.append({"ebi": each["ebi"], "cause": CauseIe(Cause.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION)})
            continue
        ambr: Ambr | None = message["apn_ambr"] if message["apn_ambr"] != linked.ambr else None
        change = _Change(bearer, linked, each.get("bearer_qos") or bearer.qos, each.get("bearer_tft"), ambr, pti)
        cause = Cause.REQUEST_ACCEPTED
        if change.fields():
            conn = await _reach(core, ue, linked)
            if isinstance(conn, Cause):
                return conn
            work = _modify(core, conn, ue, change)
            cause = await _carry_out(core, conn, bearer.identity, work, "EPS bearer context modification")
        told.append({"ebi": each["ebi"], "cause": _ACCEPTED if cause is Cause.REQUEST_ACCEPTED else CauseIe(cause)})
    return told


async def _modify(core: Core, conn: Connection, ue: UeContext, change: _Change) -> Cause:
    """MODIFY EPS BEARER CONTEXT REQUEST (6.4.3.2) under T3486, with the radio's part where its quality changes."""
    bearer, linked = change.bearer, change.linked
    kind, fields = _T.MODIFY_EPS_BEARER_CONTEXT_REQUEST, change.fields()
    head = {"eps_bearer_identity": bearer.identity, "procedure_transaction_identity": change.transaction}
    plain = encode(NasMessage(kind, **head, **fields))
    transmit: Callable[[], None] = partial(nas_channel.send_plain, conn, plain)
    was, linked.ambr = linked.ambr, change.ambr or linked.ambr  # of which the UE-AMBR is made
    if fields.keys() & {"new_eps_qos", "apn_ambr"}:
        transmit = nas_channel.at_first(partial(_modify_radio, conn, ue, change, plain), conn, plain)
    wanted = _T.MODIFY_EPS_BEARER_CONTEXT_ACCEPT, _T.MODIFY_EPS_BEARER_CONTEXT_REJECT
    cause = Cause.UE_NOT_RESPONDING
    try:
        cause = await _ask(core, conn, bearer, transmit, "t3486", *wanted)
    finally:
        if cause is not Cause.REQUEST_ACCEPTED:
            linked.ambr = was
    if cause is Cause.REQUEST_ACCEPTED:
        bearer.qos = change.qos
    return cause


def _modify_radio(conn: Connection, ue: UeContext, change: _Change, plain: bytes) -> None:
    """Have an eNB change a bearer's quality, with the NAS message that says so (TS 36.413 8.2.2)."""
    item = ErabToBeModified(change.bearer.identity, s1.quality(change.qos), nas_channel.protect(conn, plain))
    s1.send(
        conn,
        "e-rab-modify-request",
        clear=plain,
        ue_aggregate_maximum_bitrate=s1.aggregate_bit_rate(ue),
        e_rab_to_be_modified_list_bearer_mod_req=(item,),
    )


def radio_modified(core: Core, conn: Connection, message: S1Message) -> None:
    """E-RAB MODIFY RESPONSE: what the eNB has not done is not done (TS 36.413 8.2.2.2)."""
    for item in message.ies.get("e_rab_failed_to_modify_list", ()):
        core.site.note("the eNB has not changed a bearer", imsi=conn.imsi, ebi=item.e_rab_id, cause=item.cause)
        if item.e_rab_id in conn.waits:
            conn.waits[item.e_rab_id].answer.cancel()


# -- ended


async def delete_bearers(core: Core, ue: UeContext, message: Message, teid: int) -> Message:
    """End dedicated bearers, and no others (TS 29.274 7.2.9.2); an idle device learns of it at its next contact."""
    told = []
    for identity in message["ebis"]:
        bearer = ue.all_bearers.get(identity)
        if not isinstance(bearer, Dedicated):
            told.append({"ebi": identity, "cause": CauseIe(Cause.CONTEXT_NOT_FOUND)})
            continue
        await _end(core, ue, bearer, message.ies.get("pti", 0))
        told.append({"ebi": identity, "cause": _ACCEPTED})
    return answer(message, told, teid)


async def _end(core: Core, ue: UeContext, bearer: Dedicated, transaction: int = 0) -> None:
    """Have device and eNB end a bearer that the gateways do not have (any more), by a transaction if it has one."""
    bearer.linked.dedicated.pop(bearer.identity, None)
    conn = ue.connection
    if conn is not None and conn.context_set_up:
        work = tell_end(core, conn, bearer, EsmCause.REGULAR_DEACTIVATION, transaction)
        await asyncio.wait({run(core, conn, (0, bearer.identity), work, "EPS bearer context deactivation")})


def released(core: Core, conn: Connection, message: S1Message) -> None:
    """E-RAB RELEASE INDICATION: the radio has lost bearers (TS 36.413 8.2.3.3)."""
    if conn.ue is not None and conn.ue.connection is conn:
        lost_by_radio(core, conn.ue, {item.e_rab_id for item in message["e_rab_released_list"]})


def lost_by_radio(core: Core, ue: UeContext, identities: Collection[int]) -> None:
    """Have the gateways end dedicated bearers that the radio, or the device, has not (TS 23.401 5.4.4.2)."""
    lost = [each for each in ue.all_bearers.values() if isinstance(each, Dedicated) and each.identity in identities]
    for each in lost:
        each.enb, each.accepted = None, False
        core.site.note("a dedicated bearer has no radio bearer", imsi=ue.imsi, ebi=each.identity)
    for linked in ue.bearers.values():  # what ends them has the command's number, and is about one PDN connection
        core.gateways.lose(ue, *(each for each in lost if each.linked is linked))
