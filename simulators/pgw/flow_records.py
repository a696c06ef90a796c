"""Flow records of a PGW: what passed of each 5-tuple and what did not, while its session goes on and when it ends.

A flow has a record when it was idle for 5 minutes, each time that it has gone on for `flow_interval`, and when it ends.
Each contains what was counted since the one before.
"""

from __future__ import annotations

import datetime as dt
import enum
from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.pgw.session import IDLE
from simwarden.trace.records import FlowRecord
from simwarden.wire.ip import address_text

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.session import FlowCount, Session
    from simwarden.runtime.site import Site
    from simwarden.wire.ip import Flow

#: seconds between two looks at the flows of a session at least
_PAUSE: Final = 10.0


class EndReason(enum.StrEnum):
    """Why a record is written (as flowEndReason, RFC 5102 5.11.3)."""

    IDLE = "idle-timeout"
    ACTIVE = "active-timeout"
    FLOW = "end-of-flow"
    SESSION = "end-of-session"
    RESOURCES = "lack-of-resources"


def watch(core: Core, session: Session, delay: float = IDLE) -> None:
    """Record the flows of a session in a while."""
    interval = core.config.flow_interval or delay
    session.flow_timer = core.site.clock.call_later(min(delay, interval), partial(_record_due, core, session))


def stop_watching(session: Session) -> None:
    """Cancel the timer of a session's flow records."""
    if session.flow_timer is not None:
        session.flow_timer.cancel()


def _record_due(core: Core, session: Session) -> None:
    """Record flows that are idle, or have gone on for long; the timer runs as long as some are to be recorded."""
    now, due = core.site.clock.now(), []
    interval = core.config.flow_interval or float("inf")
    for flow, count in session.flows.items():
        if count.recorded == count.counters:
            continue
        idle_at, active_at = count.ended + IDLE, count.recorded_at + interval
        if min(idle_at, active_at) > now:
            due.append(min(idle_at, active_at))
            continue
        _record(core.site, session, flow, count, EndReason.IDLE if idle_at <= now else EndReason.ACTIVE)
        if idle_at > now:
            due.append(min(idle_at, now + interval))
    session.flow_timer = None
    if due:
        watch(core, session, max(min(due) - now, _PAUSE))


def close_flow(site: Site, session: Session, reason: EndReason, flow: Flow | None = None) -> None:
    """Forget a flow of a session, by default the one that began first, with a record of what is in none yet."""
    flow = flow or next(iter(session.flows))
    count = session.flows.remove(flow)
    if count.recorded != count.counters:
        _record(site, session, flow, count, reason)


def _record(site: Site, session: Session, flow: Flow, count: FlowCount, reason: EndReason) -> None:
    counters, now = count.counters, site.clock.now()
    start = site.clock.wall() - dt.timedelta(seconds=now)
    passed, began = counters, count.began
    if count.recorded is not None:
        passed, began = counters.since(count.recorded), count.recorded_at
    count.recorded, count.recorded_at = counters, now
    site.record(
        FlowRecord(
            element=site.name,
            subject=session.imsi,
            apn=session.apn,
            protocol=flow.protocol,
            address=address_text(flow.source),
            port=flow.source_port,
            peer=address_text(flow.destination),
            peer_port=flow.destination_port,
            **passed._asdict(),
            began=start + dt.timedelta(seconds=began),
            ended=start + dt.timedelta(seconds=count.ended),
            names=count.names,
            verdict=_verdict(count),
            rule=count.closed_by or count.over,
            end_reason=reason,
        )
    )


def _verdict(count: FlowCount) -> str:
    """Return the verdict about a flow: what is above a rate is no refusal by a rule."""
    if count.closed:
        return "refuse"
    return "limit" if count.over else "admit"
