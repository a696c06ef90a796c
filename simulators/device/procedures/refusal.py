"""A reject of any procedure: the cause's reaction, carried out, or the procedure's abnormal case."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.device.rejects import AT_ONCE, REACTIONS, UNPROTECTED, Forbid, Next, Usim
from simulators.device.state import Procedure, Timer
from simwarden.wire.nas import EmmCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simulators.device.rejects import Reaction
    from simwarden.wire.nas import Message


def refused(emm: Emm, procedure: Procedure, message: Message, *, protected: bool) -> None:
    """Do what TS 24.301 demands on the cause in a reject."""
    cause = message["emm_cause"]
    emm.observe("emm_cause", cause)
    reaction = _reaction(emm, procedure, message)
    if reaction is None:
        emm.fail("rejected", at_once=int(cause) in AT_ONCE)
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


def apply(emm: Emm, reaction: Reaction, cause: int, *, protected: bool, t3346: float | None = None) -> None:
    """Carry the reaction to a cause out, up to the search for another cell or network."""
    if not protected and cause in UNPROTECTED:
        _count_unprotected(emm, reaction)
    if reaction.status is not None:
        emm.update_status = reaction.status
    if reaction.delete:
        emm.forget_registration()
    if reaction.usim is not Usim.KEEP:
        emm.invalidate_usim(reaction.usim)
    _forbid(emm, reaction.forbid)
    emm.enter(reaction.state)
    if not reaction.state.registered:
        emm.drop_bearers()
    emm.store_location()
    if reaction.then is Next.WAIT_T3346:
        emm.attach_attempts = emm.tau_attempts = 0
        # 5.5.1.2.5: the value counts only under integrity protection, else a random one of the default range does.
        emm.start(Timer.T3346, t3346 if protected and t3346 is not None else emm.site.rng.uniform(900, 1800))


def _count_unprotected(emm: Emm, reaction: Reaction) -> None:
    """5.3.7b: a forged reject must not lock a UE out for ever."""
    if not emm.running(Timer.T3247):
        emm.start(Timer.T3247, emm.site.rng.uniform(1800, 3600))
    if reaction.usim is not Usim.KEEP:
        emm.usim_events += 1
    if reaction.forbid in (Forbid.PLMN, Forbid.PLMN_FOR_GPRS) and emm.cell is not None:
        plmn = emm.cell.tai.plmn
        emm.plmn_events[plmn] = emm.plmn_events.get(plmn, 0) + 1


def _forbid(emm: Emm, what: Forbid) -> None:
    if what is Forbid.NOTHING or emm.cell is None:
        return
    tai = emm.cell.tai
    if what in (Forbid.AREA_REGIONAL, Forbid.AREA_ROAMING):
        emm.forbidden_areas |= {tai}
        if not emm.running(Timer.FORBIDDEN_AREAS):
            emm.start(Timer.FORBIDDEN_AREAS, emm.site.rng.uniform(43200, 86400))
        if tai in emm.tai_list:
            emm.tai_list.remove(tai)
    elif what is Forbid.PLMN_FOR_A_WHILE:
        emm.resting_plmn = tai.plmn
        emm.start(Timer.PLMN_42)
    elif what is Forbid.PLMN:
        if tai.plmn not in emm.forbidden_plmns:
            emm.forbidden_plmns.append(tai.plmn)
            emm.store_forbidden_plmns()
    else:
        emm.forbidden_plmns_gprs |= {tai.plmn}
    emm.site.note(f"{what.value}: {tai if what.value.startswith('forbidden tracking') else tai.plmn}")
