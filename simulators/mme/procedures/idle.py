"""Devices in ECM-IDLE: mobile reachable timer, implicit detach (TS 24.301 5.3.5) and purge (TS 23.401 5.3.9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core


def enter_idle(core: Core, ue: UeContext) -> None:
    """Start to wait for the device's next tracking area update."""
    core.stop_timer(ue)
    ue.last_activity = core.clock.now()
    timers = core.config.timers
    period = timers.t3412 if ue.extended_period is None else ue.extended_period
    if period:  # 0 is deactivated: the device makes no periodic updates
        ue.timer = core.clock.call_later(period + timers.mobile_reachable_margin, lambda: _unreachable(core, ue))


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
        ue.located = False
        await core.home.purge(ue.imsi)
