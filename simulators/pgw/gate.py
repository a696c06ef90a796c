"""The stateful gate of an APN (`stateful_gate`): from outside, flows that the device began or of listed servers.

There is no NAT: devices keep their addresses. It is asked after the rules of the session, which say who is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.pgw import rules
from simulators.pgw.controls import FLOW, GATE
from simulators.pgw.session import IDLE, IDLE_CONNECTION
from simwarden.wire.ip import Protocol, address_text

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.session import FlowCount, Session
    from simwarden.wire.ip import Flow

_ERRORS: Final = frozenset({Protocol.ICMP, Protocol.ICMPV6})


def refusal(core: Core, session: Session, flow: Flow, count: FlowCount, packet: bytes) -> str:
    """Return why a packet from outside does not pass; empty if it does. It is decided again if the facts change."""
    if not session.gated:
        return ""
    about = rules.flow_of_error(session, packet, up=False) if flow.protocol in _ERRORS else None
    begun, listed = _is_begun(about or count, flow, core.site.clock.now()), count.listed
    if count.gate is None or count.gate[:2] != (begun, listed):
        address, port = address_text(flow.destination), flow.destination_port
        asked = {"begun": begun, "listed": listed, "address": address, "port": port}
        decision = core.site.decide(GATE, session.imsi, on=FLOW, **asked)
        count.gate = (begun, listed, "" if decision.admitted else f"{GATE.id}: {decision.reason}")
    return count.gate[2]


def _is_begun(count: FlowCount, flow: Flow, now: float) -> bool:
    """Return True if a flow is the device's: it has sent packets that passed, and the flow was not idle too long.

    The idle time of datagrams applies to a connection that has ended (RFC 5382 5).
    """
    connected = flow.protocol == Protocol.TCP and not (count.watch is not None and count.watch.over)
    idle = IDLE_CONNECTION if connected else IDLE
    return count.uplink_packets > 0 and now - count.passed <= idle
