"""A reject of any procedure: the cause's reaction, or the procedure's abnormal case."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.device.rejects import AT_ONCE, REACTIONS, Next, apply
from simulators.device.state import Procedure, Timer
from simwarden.wire.nas import EmmCause

if TYPE_CHECKING:
    from simulators.device.emm import Emm
    from simulators.device.rejects import Reaction
    from simwarden.wire.nas import Message


def refused(emm: Emm, procedure: Procedure, message: Message, *, protected: bool) -> None:
    """Do what TS 24.301 demands on the cause in a reject."""
    cause = message["emm_cause"]
    emm.port.observe("emm_cause", cause)
    reaction = _reaction(emm, procedure, message)
    if reaction is None:
        _abnormal(emm, procedure, at_once=int(cause) in AT_ONCE)
    else:
        apply(emm, reaction, int(cause), protected=protected, t3346=message.get("t3346"))
        if reaction.then is Next.ATTACH:
            emm.pending = Procedure.ATTACH
        elif reaction.then in (Next.OTHER_CELL, Next.OTHER_PLMN):
            emm.searching = reaction.then
        emm.finish("rejected")
    if emm.wired:
        emm.start(Timer.T3440)


def _reaction(emm: Emm, procedure: Procedure, message: Message) -> Reaction | None:
    cause = message["emm_cause"]
    if not emm.honours_rejects:
        # Who wants service for all that takes a cause that leads to it (#9, #10, #40), and keeps what it knows.
        known = REACTIONS[procedure].get(int(cause))
        return known._replace(status=None, delete=False) if known is not None and known.then is Next.ATTACH else None
    # Without a T3346 that says something, #22 is an abnormal case like any other (5.5.1.2.5).
    if cause == EmmCause.CONGESTION and not 0 < message.get("t3346", 0) < math.inf:
        return None
    return REACTIONS[procedure].get(int(cause))


def _abnormal(emm: Emm, procedure: Procedure, *, at_once: bool) -> None:
    from simulators.device.procedures import FAILURES  # noqa: PLC0415 - they need each other

    FAILURES[procedure](emm, "rejected", at_once=at_once)
