"""Devices in ECM-IDLE: mobile reachable timer, implicit detach (TS 24.301 5.3.5) and purge (TS 23.401 5.3.9.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core
    from simwarden.wire.nas.message import Message

#: bit 1 of the MS network feature support: extended periodic timers are supported (TS 24.008 10.5.1.15)
_EXTENDED_TIMERS = 1
#: the longest that T3412 and T3412 extended can say, in seconds (TS 24.008 10.5.7.3, 10.5.7.4a)
_LONGEST, _LONGEST_EXTENDED = 11160.0, 35712000.0


def choose_period(core: Core, ue: UeContext, request: Message) -> dict[str, float]:
    """Choose the period of updates (TS 24.301 5.5.1.2.4): the subscribed one, else the device's wish, else ours.

    Returns fields of the accept: T3412, and T3412 extended for a device that takes that instead.
    """
    timers = core.config.timers
    subscribed = ue.subscription.periodic if ue.subscription is not None else 0
    wanted = request.get("t3412_extended")
    extended = None
    if wanted is not None or request.get("ms_network_feature_support", 0) & _EXTENDED_TIMERS:
        extended = float(wanted or timers.t3412_extended)
        if subscribed:
            extended = min(float(subscribed), _LONGEST_EXTENDED)
    t3412 = min(float(subscribed or timers.t3412), _LONGEST)
    ue.period = t3412 if extended is None else extended
    return {"t3412": t3412} if extended is None else {"t3412": t3412, "t3412_extended": extended}


def enter_idle(core: Core, ue: UeContext, *, internal: bool) -> None:
    """Start to wait for the device's next tracking area update.

    Periodic updates are keep-alives: while device and eNB are in this process (`internal`) both ends skip them.
    """
    core.stop_timer(ue)
    timers = core.config.timers
    if ue.emergency:  # the call is over, and with it what the UE was exempted for
        ue.timer = core.clock.call_later(core.config.emergency.callback, lambda: implicit_detach(core, ue))
        return
    period = ue.period
    if 0 < period < math.inf:  # else it is deactivated: the device makes no periodic updates
        patience = period + timers.mobile_reachable_margin
        ue.timer = core.clock.keep_alive(patience, lambda: _unreachable(core, ue), internal=internal)


def _unreachable(core: Core, ue: UeContext) -> None:
    core.site.note("mobile reachable timer ran out", imsi=ue.imsi)
    ue.timer = core.clock.call_later(core.config.timers.implicit_detach, lambda: implicit_detach(core, ue))


def implicit_detach(core: Core, ue: UeContext) -> None:
    """Detach a device that is not told (TS 24.301 5.3.5); it learns at its next contact (#10)."""
    core.site.note("implicit detach", imsi=ue.imsi)
    core.end_session(ue)
    if ue.emergency:
        core.forget(ue)
    else:
        start_purge_timer(core, ue)


def start_purge_timer(core: Core, ue: UeContext) -> None:
    """Keep a detached device's context, with its keys, for a while."""
    core.stop_timer(ue)
    ue.timer = core.clock.call_later(
        core.config.timers.purge, lambda: (core.site.spawn(purge(core, ue), "purge"), None)[1]
    )


async def purge(core: Core, ue: UeContext) -> None:
    """Delete a context and tell the HSS, if it believes the card to be here (TS 29.272 5.2.1.3)."""
    core.forget(ue)
    if ue.located:
        await core.home.purge(ue.imsi)
