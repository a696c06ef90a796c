"""Detach by the device and by the network (TS 24.301 5.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel
from simulators.mme.contexts import EmmState
from simulators.mme.procedures.identification import ask_terminal
from simulators.mme.procedures.paging import answered, page
from simulators.mme.procedures.release import bind, release, release_for_good, run, settle
from simulators.mme.procedures.tracking_area_update import claim, prove_claim, take_over
from simwarden.wire.nas.enums import DetachType, EmmCause, MessageType, NetworkDetachType
from simwarden.wire.nas.message import Message
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Terminal, UeContext
    from simulators.mme.core import Core

_SWITCH_OFF = 8


async def detach_by_device(
    core: Core, conn: Connection, request: Message, known: UeContext | None, *, verified: bool
) -> None:
    """Detach a device that asks for it; one that cannot be believed is authenticated first, or ignored (4.4.4.3)."""
    switch_off = bool(request["detach_type"] & _SWITCH_OFF)
    if known is not None and not verified and (switch_off or not await _proves(core, conn, known, request)):
        core.site.note("detach request that nothing proves is ignored", imsi=known.imsi)
        release(core, conn, CauseNas.DETACH)
        return
    if known is not None:
        bind(core, conn, known)
        if request["detach_type"] & 7 == DetachType.IMSI_DETACH:
            nas_channel.send(conn, Message(MessageType.DETACH_ACCEPT))
            return
        core.end_session(known)
    if not switch_off:
        nas_channel.send(conn, Message(MessageType.DETACH_ACCEPT))
    release_for_good(core, conn, known, CauseNas.DETACH)


async def _proves(core: Core, conn: Connection, known: UeContext, request: Message) -> bool:
    """Whether a device shows that it is the one that it wants to detach: by its card and its terminal."""
    claimed = claim(core, conn, known, request)
    try:
        terminal = await prove_claim(core, conn, claimed)
        if terminal is None:
            terminal = await ask_terminal(core, conn)
    finally:
        core.attempts.pop(claimed, None)
    if isinstance(terminal, Rejection):
        return False
    if _key(terminal) != _key(known.terminal):
        return False
    take_over(known, claimed)
    return True


def _key(terminal: Terminal | None) -> str:
    """Return what terminals are compared by; empty for one that does not say who it is."""
    return terminal.imei.key if terminal is not None else ""


def detach_by_network(
    core: Core, ue: UeContext, kind: NetworkDetachType, cause: EmmCause | None, *, lost: bool = False
) -> None:
    """Detach a registered device: the core's resources go at once, and the device is told if it is connected.

    An idle one that has to attach anew is paged and told; another sleeps, and learns at its next contact (implicit
    detach). An attach under way ends; the device tries again, and is told why then. `lost`: the gateways have its
    session no longer, and hear nothing.
    """
    if ue.state is not EmmState.REGISTERED:
        if ue.connection is not None:
            release_for_good(core, ue.connection, ue, CauseNas.DETACH)
        return
    core.end_session(ue, lost=lost)
    conn = ue.connection
    if conn is None:
        core.site.note("implicit detach", imsi=ue.imsi)
        settle(core, ue)
        if kind is NetworkDetachType.RE_ATTACH_REQUIRED:
            ue.detach = kind, cause
            core.site.spawn(_call(core, ue), "paging for a detach")
    else:
        request_detach(core, conn, ue, kind, cause)


async def _call(core: Core, ue: UeContext) -> None:
    """Page a device to tell it that it is detached (TS 23.401 5.3.8.3); one that does not answer learns later."""
    if not await page(core, ue):
        ue.detach = None


def answer_call(core: Core, conn: Connection, ue: UeContext) -> bool:
    """Tell a device that was paged for it that it is detached; False if none was."""
    order, ue.detach = ue.detach, None
    if order is None:
        return False
    conn.security = ue.keys
    bind(core, conn, ue)
    answered(ue)
    request_detach(core, conn, ue, *order)
    return True


def request_detach(
    core: Core, conn: Connection, ue: UeContext, kind: NetworkDetachType, cause: EmmCause | None
) -> None:
    """Tell a UE, whose session is over, that it is detached; a handover meanwhile takes this to the target eNB."""
    run(core, conn, _tell(core, conn, ue, kind, cause), "detach by the network")
    conn.detaching = kind, cause


async def _tell(core: Core, conn: Connection, ue: UeContext, kind: NetworkDetachType, cause: EmmCause | None) -> None:
    """DETACH REQUEST under T3422 (5.5.2.3)."""
    fields = {} if cause is None else {"emm_cause": cause}
    request = Message(MessageType.DETACH_REQUEST, detach_type=int(kind), **fields)
    await nas_channel.ask(core, conn, request, "t3422", MessageType.DETACH_ACCEPT)
    release_for_good(core, conn, ue, CauseNas.DETACH)
