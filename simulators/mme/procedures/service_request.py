"""Service request (TS 24.301 5.6.1): an idle device wants its bearer, or answers paging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel
from simulators.mme.controls import BARRING, Occasion
from simulators.mme.procedures import area
from simulators.mme.procedures.default_bearer import initial_context_setup
from simulators.mme.procedures.identification import ask_terminal
from simulators.mme.procedures.location import admit_terminal
from simulators.mme.procedures.paging import answered
from simulators.mme.procedures.pdn_connectivity import apn_lost
from simulators.mme.procedures.release import bind, release_for_good
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.nas.message import Message
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Terminal, UeContext
    from simulators.mme.core import Core


async def serve(core: Core, conn: Connection, ue: UeContext) -> None:
    """Give a registered device, whose request its keys protect, its radio bearer again."""
    bind(core, conn, ue)
    answered(ue)
    rejection = None
    if not ue.emergency:
        ask = core.config.equipment.at_service_request
        rejection = await check(core, conn, ue, Occasion.SERVICE, None, ask=ask)
        rejection = rejection or area.take_up(core, ue, Occasion.SERVICE)
    if rejection is not None:
        if not rejection.temporary:
            core.end_session(ue)
        reject(core, conn, ue, rejection)
        return
    initial_context_setup(conn, ue, None)
    core.show(ue)


async def check(
    core: Core, conn: Connection, ue: UeContext, occasion: Occasion, terminal: Terminal | None, *, ask: bool
) -> Rejection | None:
    """Check a registered device at its contact: by the terminal given, else by the one that it names if it is asked."""
    outside = area.check_place(core, ue, occasion)
    if outside is not None:
        return outside
    if terminal is None:
        terminal = await ask_terminal(core, conn) if ask else ue.terminal
    return (
        await admit_terminal(core, ue, terminal, occasion, initial=False)
        or _barring(core, ue, occasion)
        or apn_lost(core, ue, occasion)
        or area.check_zones(core, ue, occasion)
    )


def _barring(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Operator determined barring of a device that is registered: the message has no room for an ESM cause."""
    decision = core.site.decide(BARRING, ue.imsi, on=occasion, barred=ue.barred)
    if decision.admitted:
        return None
    cause = core.config.causes.barred_while_registered
    return Rejection(EmmCause.IMPLICITLY_DETACHED if cause is EmmCause.ESM_FAILURE else cause, decision.reason)


def reject(core: Core, conn: Connection, ue: UeContext | None, rejection: Rejection) -> None:
    """SERVICE REJECT; the connection ends with it."""
    core.show_reject(ue.imsi if ue else "", "service-request", rejection)
    fields = {} if rejection.t3346 is None else {"t3346": rejection.t3346}
    nas_channel.send(conn, Message(MessageType.SERVICE_REJECT, emm_cause=rejection.emm_cause, **fields))
    release_for_good(core, conn, ue, CauseNas.NORMAL_RELEASE)
