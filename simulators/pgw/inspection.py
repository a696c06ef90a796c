"""The names of flows, for rules and records: what a flow shows itself, and what a resolver told of its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.machine.inspection.watch import watch

if TYPE_CHECKING:
    from simulators.pgw.session import FlowCount, Session
    from simwarden.wire.ip import Flow

#: names that are told of a flow: what it showed last comes first, then those of its address
_MOST: Final = 16


def begin(session: Session, flow: Flow, count: FlowCount, now: float) -> None:
    """Look at a flow from now on; its address may have names."""
    count.names = session.bindings.told_of(flow.destination, now)
    count.bound = session.bindings.names_of(flow.destination, now)
    count.watch = watch(flow, session.bindings)


def look(count: FlowCount, packet: bytes, now: float, *, up: bool) -> bool:
    """Look at a packet of a flow that has a watch; whether what it shows has changed."""
    seen = count.watch
    if seen is None or not seen.feed(packet, now, up=up):
        return False
    shown = (each.host for each in seen.shown if each.host)
    count.names = tuple(dict.fromkeys((*shown, *count.names)))[:_MOST]
    return True
