"""PDN connections beside that of the attach (TS 24.301 6.5.1, 6.5.2, 6.4.4; TS 23.401 5.10): set up, and ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.mme import demands
from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel, s1
from simulators.mme.contexts import NoAnswer
from simulators.mme.controls import Occasion
from simulators.mme.demands import demanded
from simulators.mme.procedures import default_bearer, location_reporting
from simwarden.wire.nas.enums import EmmCause, EsmCause, MessageType, RequestType
from simwarden.wire.nas.message import Message, encode

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from typing import Any

    from simulators.mme.contexts import ApnConfiguration, Bearer, Connection, Dedicated, UeContext
    from simulators.mme.core import Core

_T = MessageType
_ON = Occasion.CONNECTIVITY


def run(
    core: Core, conn: Connection, key: tuple[int, int], work: Coroutine[Any, Any, None], what: str
) -> asyncio.Task[None]:
    """Run a procedure of session management, beside those of others and of mobility management."""

    async def then_forget() -> None:
        try:
            await work
        finally:
            conn.transactions.pop(key, None)

    task = conn.transactions[key] = core.site.spawn(then_forget(), what)
    return task


def reject(core: Core, conn: Connection, request: Message, kind: MessageType, rejection: Rejection) -> None:
    """Refuse what a device asks session management for."""
    name, cause = kind.name.lower().replace("_", "-"), rejection.esm_cause
    core.site.reject(name, cause, rejection.reason, subject=conn.imsi, clause=rejection.clause, by=rejection.by)
    transaction = request["procedure_transaction_identity"]
    more = default_bearer.back_off(core, cause) if kind is _T.PDN_CONNECTIVITY_REJECT else {}
    answer = Message(kind, eps_bearer_identity=0, procedure_transaction_identity=transaction, esm_cause=cause, **more)
    nas_channel.send(conn, answer)


# -- set up


def connect(core: Core, conn: Connection, ue: UeContext, request: Message) -> None:
    """PDN CONNECTIVITY REQUEST of a device in service; one that is repeated is at work already (6.5.1.6)."""
    key = (request["procedure_transaction_identity"], 0)
    if key not in conn.transactions:
        run(core, conn, key, _connect(core, conn, ue, request), "PDN connectivity")


async def _connect(core: Core, conn: Connection, ue: UeContext, request: Message) -> None:
    made = await _set_up(core, conn, ue, request)
    if isinstance(made, Rejection):
        reject(core, conn, request, _T.PDN_CONNECTIVITY_REJECT, made)
        return
    try:
        await _activate(core, conn, ue, made, request)
    finally:
        if not made.accepted and ue.bearers.get(made.identity) is made:
            core.gateways.end(ue, made)
    core.gateways.modify(ue, (made.identity,))  # of none that was not accepted
    location_reporting.control(core, conn)


async def _set_up(core: Core, conn: Connection, ue: UeContext, request: Message) -> Bearer | Rejection:
    """Have the gateways set up what a device asks for, as far as it may (6.5.1.3, 6.5.1.4)."""
    chosen = _choose(core, conn, ue, request)
    if isinstance(chosen, Rejection):
        return chosen
    free = default_bearer.free_identity(conn, ue)
    if free is None:
        return demanded(demands.TOO_MANY_BEARERS, demands.TOO_MANY_BEARERS.doc)
    conn.asked[free] = chosen[0].lower()
    try:
        return await default_bearer.set_up(core, ue, chosen, request, identity=free, occasion=_ON)
    finally:
        del conn.asked[free]


def _choose(core: Core, conn: Connection, ue: UeContext, request: Message) -> tuple[str, ApnConfiguration] | Rejection:
    """Return the APN that a device asks for, if it may have a connection by it."""
    if request["request_type"] & 7 == RequestType.EMERGENCY:
        return demanded(demands.EMERGENCY_PDN, demands.EMERGENCY_PDN.doc)
    if ue.emergency:
        return demanded(demands.ONLY_EMERGENCY, demands.ONLY_EMERGENCY.doc)
    chosen = default_bearer.choose_apn(core, ue, request.get("access_point_name", ""), _ON)
    if isinstance(chosen, Rejection) or core.config.gateways.several_per_apn:
        return chosen
    name = chosen[0].lower()
    if name in conn.asked.values() or any(each.apn.lower() == name for each in ue.bearers.values()):
        return demanded(demands.SAME_APN, f"the device has a PDN connection to {name}")
    return chosen


async def _activate(core: Core, conn: Connection, ue: UeContext, bearer: Bearer, request: Message) -> None:
    """ACTIVATE DEFAULT EPS BEARER CONTEXT REQUEST, first with the radio bearer (6.4.1.2), under T3485."""
    plain = default_bearer.activation(bearer, request)
    transmit = nas_channel.at_first(partial(default_bearer.set_up_radio, conn, ue, bearer, plain), conn, plain)
    wanted = (
        _T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT,
        _T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REJECT,
    )
    try:
        answer = await nas_channel.ask(core, conn, transmit, "t3485", *wanted, bearer=bearer.identity)
        bearer.accepted = answer.type is wanted[0]
    except NoAnswer:
        core.site.note("T3485 ran out for the last time", imsi=ue.imsi, apn=bearer.apn)
    if not bearer.accepted:
        default_bearer.release_radio(conn, bearer)


def without_radio(core: Core, conn: Connection, identity: int) -> None:
    """The eNB has not set a bearer up (TS 36.413 8.2.1.2): its PDN connection ends, and the device asks again.

    The UE-AMBR that came with the order counted it, and is told anew.
    """
    core.site.note("the eNB has not set a bearer up", imsi=conn.imsi, bearer=identity)
    if conn.ue is not None and identity in conn.ue.bearers:
        rate = s1.aggregate_bit_rate(conn.ue, without=identity)
        s1.send(conn, "ue-context-modification-request", ue_aggregate_maximum_bitrate=rate)
    if identity in conn.waits:
        conn.waits[identity].answer.cancel()


# -- ended


def disconnect(core: Core, conn: Connection, ue: UeContext, request: Message) -> None:
    """PDN DISCONNECT REQUEST (6.5.2.3, 6.5.2.4)."""
    transaction = request["procedure_transaction_identity"]
    bearer = ue.bearers.get(request["linked_eps_bearer_identity"])
    if (transaction, 0) in conn.transactions:
        return
    if bearer is None:
        reject(core, conn, request, _T.PDN_DISCONNECT_REJECT, demanded(demands.NO_SUCH_PDN, demands.NO_SUCH_PDN.doc))
    elif len(ue.bearers) == 1:
        reject(core, conn, request, _T.PDN_DISCONNECT_REJECT, demanded(demands.LAST_PDN, demands.LAST_PDN.doc))
    else:
        deactivate(core, ue, bearer, EsmCause.REGULAR_DEACTIVATION, transaction)


def deactivate(
    core: Core, ue: UeContext, bearer: Bearer, cause: EsmCause, transaction: int = 0, *, tell: bool = True
) -> None:
    """End one PDN connection of several: at the gateways (`tell`) at once, and at the device if it is connected.

    An idle device learns of it at its next contact (6.4.4.2).
    """
    core.gateways.end(ue, bearer, tell=tell)
    core.show(ue)
    conn = ue.connection
    if conn is not None and conn.context_set_up:
        key = (transaction, 0 if transaction else bearer.identity)
        work = tell_end(core, conn, bearer, cause, transaction)
        run(core, conn, key, work, "EPS bearer context deactivation")


async def tell_end(core: Core, conn: Connection, bearer: Bearer | Dedicated, cause: EsmCause, transaction: int) -> None:
    """DEACTIVATE EPS BEARER CONTEXT REQUEST, first with the release of the radio bearer, under T3495."""
    plain = encode(
        Message(
            _T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST,
            eps_bearer_identity=bearer.identity,
            procedure_transaction_identity=transaction,
            esm_cause=cause,
        )
    )
    transmit = nas_channel.at_first(partial(default_bearer.release_radio, conn, bearer, plain), conn, plain)
    wanted = _T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT
    try:
        await nas_channel.ask(core, conn, transmit, "t3495", wanted, bearer=bearer.identity)
    except NoAnswer:
        core.site.note("T3495 ran out for the last time", imsi=conn.imsi, ebi=bearer.identity)


def apn_lost(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Ask whether the APNs in use are still subscribed: those that are not end.

    A device that loses all of them has to attach anew (#10).
    """
    data = ue.subscription
    if ue.emergency or data is None:
        return None
    asked = [(each, default_bearer.judge(core, ue, data, each.apn, occasion)) for each in ue.bearers.values()]
    lost = [each for each in asked if not each[1].admitted]
    if lost and len(lost) == len(asked):
        return Rejection(EmmCause.IMPLICITLY_DETACHED, lost[0][1].reason)
    for bearer, _ in lost:
        deactivate(core, ue, bearer, EsmCause.REGULAR_DEACTIVATION)
    return None
