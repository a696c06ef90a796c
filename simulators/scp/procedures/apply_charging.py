"""The time of calls (TS 23.078 4.3.5, TS 29.078 11.4, 11.5): given for a while, and reported since the answer.

All calls ask again, with or without a quota: if this SCP is gone, they end when their time is over, by the SSP.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.scp import causes
from simulators.scp.call import Grant
from simulators.scp.clients.ocs import Time
from simulators.scp.clients.ssp import alive, release
from simwarden.policy.calls import TENTHS_A_MINUTE, span_of
from simwarden.wire import cap

if TYPE_CHECKING:
    from simulators.scp.call import Call
    from simulators.scp.causes import Refusal
    from simulators.scp.clients.ocs import Ro
    from simulators.scp.clients.ssp import Order
    from simulators.scp.core import Core
    from simwarden.wire.cap import CallResult


async def give_time(core: Core, call: Call) -> Order | Refusal:
    """Give a call time, kept as used before the SSP hears of it; or say why it gets none.

    The last of a quota ends the call at the SSP, to the tenth of a second.
    """
    voice = call.card.terms
    units, last = min(round(core.config.supervision * 10), _until_closing(core, voice.hours)), False
    charged = 0
    if core.ocs is not None:
        time = await _ask(core, core.ocs, call, -(-units // 10))
        if not isinstance(time, Time):
            return time
        units, last = min(units, time.seconds * 10), time.last and time.seconds * 10 <= units
    else:
        left = voice.quota * TENTHS_A_MINUTE - core.store.used(call.card.imsi, core.month)
        if left > 0:  # of a quota that is used up a rule has refused the call
            units, last = min(units, left), left <= units
        charged = units if voice.quota else 0
    grant = Grant(next(core.numbers), call.card.imsi, core.month, charged, units)
    if grant.charged and not await _kept(core, grant):
        return causes.TEMPORARY
    if not alive(core, call):  # it ended meanwhile, and nobody has heard of the time
        _count(core, grant, -grant.charged)
        return causes.TEMPORARY
    call.grant = grant
    return cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(units, last))


async def _ask(core: Core, ocs: Ro, call: Call, seconds: int) -> Time | Refusal:
    """Ask the OCS for time, and report what was used of that which it gave before."""
    if call.account is None:
        call.account = ocs.account(call.card, lambda: release(core, call, causes.WITHDRAWN))
    return await call.account.ask(seconds, _settle(call))


def _settle(call: Call) -> int:
    """Return the seconds that a call has used since they were reported to the OCS, begun ones too."""
    used = -(-call.reported // 10) - call.settled
    call.settled += used
    return used


async def end_time(core: Core, call: Call) -> None:
    """Report the last time of a call that is over to the OCS: without a report of the SSP's all that it was given."""
    if call.account is not None:
        if call.grant is not None:
            core.site.note("how long the call was is not told", imsi=call.card.imsi)
            call.reported, call.grant = call.reported + call.grant.units, None
        await call.account.end(_settle(call))


def _until_closing(core: Core, hours: str) -> int:
    """Return how long a call may be before the card's hours end."""
    if not hours:
        return cap.LONGEST_CALL
    span, now = span_of(hours), core.time_of_day
    left = span.stop - (now if now >= span.start else now + 24 * 60)
    return max(1, min(round(left * TENTHS_A_MINUTE), cap.LONGEST_CALL))


async def _kept(core: Core, grant: Grant) -> bool:
    """Count what is given, and wait until that is kept."""
    waits: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def lost() -> None:
        core.store.charge(grant.imsi, grant.month, units=-grant.charged)
        core.site.note("what a call is given could not be kept", imsi=grant.imsi)
        waits.set_result(False)

    core.store.charge(grant.imsi, grant.month, units=grant.charged)
    core.batch.add(grant, lambda: waits.set_result(True), lost)
    return await waits


def _count(core: Core, grant: Grant, units: int) -> None:
    core.store.charge(grant.imsi, grant.month, units=units)
    core.batch.drop(grant)


def report(core: Core, call: Call, result: CallResult) -> bool:
    """Take how long a call has lasted since its answer; return whether that can be.

    What was given and not used goes back to the quota; without a report all of it is used.
    """
    used, grant = result.time - call.reported, call.grant
    if grant is None or used < 0:
        return False
    call.grant, call.reported = None, result.time
    _count(core, grant, used - grant.charged)
    return True
