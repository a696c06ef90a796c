"""UE context release (TS 36.413 8.3.2, 8.3.3), and what a device's context becomes when its connection ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.mme.clients import s1
from simulators.mme.contexts import EmmState, NoAnswer
from simulators.mme.procedures.idle import enter_idle, start_purge_timer
from simwarden.wire.s1ap import CauseNas, CauseRadioNetwork
from simwarden.wire.s1ap.values import UeS1apIdPair

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from simulators.mme.contexts import Connection, Enb, UeContext
    from simulators.mme.core import Core
    from simwarden.wire.s1ap import Message
    from simwarden.wire.s1ap.values import Cause

#: seconds after which a connection is forgotten although the eNB did not confirm its release
_PATIENCE = 5.0


def release(core: Core, conn: Connection, cause: Cause) -> None:
    """Have a connection released; its device is idle from now on, whenever the eNB confirms."""
    if conn.releasing:
        return
    conn.releasing = True
    core.halt(conn)
    let_go(core, conn)
    if conn.target is not None:
        release(core, conn.target, CauseRadioNetwork.HANDOVER_CANCELLED)
    if conn.enb_id is None:
        ids: UeS1apIdPair | int = conn.mme_id
    else:
        ids = UeS1apIdPair(conn.mme_id, conn.enb_id)
    s1.send_release(conn, ids, cause)
    conn.guard = core.clock.call_later(_PATIENCE, lambda: core.drop(conn))


def complete(core: Core, conn: Connection, _message: Message) -> None:
    """The eNB confirms: the connection's numbers are free."""
    if conn.guard is not None:
        conn.guard.cancel()
    let_go(core, conn)
    core.drop(conn)


def requested(core: Core, conn: Connection, message: Message) -> None:
    """The eNB asks for the release: the device is inactive, or the radio lost it."""
    release(core, conn, message.get("cause", CauseRadioNetwork.UNSPECIFIED))


def lost(core: Core, conn: Connection) -> None:
    """A connection is gone without signalling: reset, link down."""
    if conn.guard is not None:
        conn.guard.cancel()
    ue = conn.ue
    core.halt(conn)
    let_go(core, conn)
    core.drop(conn)
    if conn.target is not None and conn.target.guard is None:  # before HANDOVER COMMAND: nobody will come there
        release(core, conn.target, CauseRadioNetwork.HANDOVER_CANCELLED)
    if ue is not None:
        settle(core, ue)


def lost_all(core: Core, enb: Enb) -> None:
    """An eNB is gone, or starts anew."""
    for conn in [conn for conn in core.connections.values() if conn.enb is enb]:
        lost(core, conn)


def let_go(core: Core, conn: Connection) -> None:
    """Let the connection's device be ECM-IDLE, if this is still its connection."""
    ue = conn.served
    if ue is None:
        return
    ue.connection = None
    if ue.short_messages is not None:
        ue.short_messages.lost("the connection is gone")
    core.gateways.release_access_bearers(ue)
    if ue.state is EmmState.REGISTERED:
        enter_idle(core, ue, internal=conn.enb.link.internal)
        core.show(ue)


def bind(core: Core, conn: Connection, ue: UeContext) -> None:
    """Let a device be ECM-CONNECTED over a connection, in place of one that it may have had.

    Whom the connection served before (an attempt that this one replaces) is let go.
    """
    former = conn.ue
    if former is not None and former is not ue:
        let_go(core, conn)
        settle(core, former)
    if ue.connection is not conn:
        leave(core, ue)
    core.stop_timer(ue)
    ue.connection, conn.ue = conn, ue
    ue.tai, ue.cell = conn.tai, conn.cell


def leave(core: Core, ue: UeContext) -> None:
    """Release a connection that a context has beside the one its device now uses."""
    if ue.connection is not None:
        release(core, ue.connection, CauseNas.NORMAL_RELEASE)


def adopt(core: Core, ue: UeContext) -> None:
    """Make a context that was just admitted the one of its card, and end what an older one had."""
    older = core.by_imsi.get(ue.key)
    if older is ue:
        return
    if older is not None:
        core.end_session(older)
        core.forget(older)
        leave(core, older)
    core.by_imsi[ue.key] = ue


def run(
    core: Core, conn: Connection, work: Coroutine[Any, Any, None], what: str, *, beside_sessions: bool = False
) -> None:
    """Run a NAS procedure on a connection, in place of one that runs there, or only beside session management."""
    core.halt(conn, sessions=not beside_sessions)
    conn.procedure = core.site.spawn(_finish(core, conn, work), what)


async def _finish(core: Core, conn: Connection, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except NoAnswer as silence:
        core.site.note(f"{silence} ran out for the last time", imsi=conn.imsi)
        release_unfinished(core, conn)
    finally:
        if conn.procedure is asyncio.current_task():
            conn.procedure = None


def release_unfinished(core: Core, conn: Connection) -> None:
    """Release the connection of a procedure that came to no end."""
    release_for_good(core, conn, conn.ue, CauseNas.UNSPECIFIED)


def release_for_good(core: Core, conn: Connection, ue: UeContext | None, cause: Cause) -> None:
    """Have a connection released, and decide what is kept of the device's context, if it has one."""
    release(core, conn, cause)
    if ue is not None:
        settle(core, ue)


def settle(core: Core, ue: UeContext) -> None:
    """Decide what is kept of a context that is not registered: its keys, for a while, or nothing."""
    if ue.state is EmmState.REGISTERED or ue.connection is not None:
        return
    core.end_session(ue)
    if ue.emergency or core.by_imsi.get(ue.key) is not ue:
        core.forget(ue)
    else:
        start_purge_timer(core, ue)
