"""Contents of Gx requests and answers of a PGW (TS 29.212 5.6.2, 5.6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from simulators.pgw import qos
from simulators.pgw.clients import facts
from simwarden.model.network import Network
from simwarden.policy.flow_rule import Quality
from simwarden.runtime.diameter.gx_qos import qos_information
from simwarden.wire.diameter.apps.credit import TerminationCause
from simwarden.wire.diameter.apps.gx import EventTrigger
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.features import supported_features
from simwarden.wire.diameter.filter_rule import FilterRule

if TYPE_CHECKING:
    from simulators.pgw.clients.gx_rules import Rules
    from simulators.pgw.session import Session
    from simwarden.wire.diameter import Avps
    from simwarden.wire.gtpv2 import FlowQos
    from simwarden.wire.tft import Filter, Tft

#: event triggers about the place of a device, which the MME has to report
PLACES: Final = frozenset({EventTrigger.USER_LOCATION_CHANGE, EventTrigger.TAI_CHANGE, EventTrigger.ECGI_CHANGE})
_FEATURES: Final = GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC
#: IP-CAN-Type of EPS (TS 29.212 5.3.27), ENABLE_ONLINE (5.3.10)
_EPS, _ONLINE = 5, 1
#: Packet-Filter-Operation (TS 29.212 5.3.57): ADDITION
_ADDITION: Final = 1


def initial(session: Session) -> Avps:
    """Build the content of a CCR-I: all that is known of a new session.

    An APN with an OCS charges online by default, which `Online` announces (5.3.10).
    """
    return [
        *facts.subscription(session),
        supported_features(_FEATURES),
        *facts.addresses(session),
        *access(session),
        *facts.equipment(session),
        *qos.requested(session.ambr, session.qos),
        ("AN-GW-Address", session.sgw.address),
        *facts.place(session),
        *([("Online", _ONLINE)] if session.addresses.config.gy else []),
    ]


def update(session: Session, gx: Rules) -> Avps:
    """Build the content of a CCR-U: events and reports since the last one."""
    events, gx.events = gx.events, ()
    requested, gx.requested = gx.requested, ()
    avps: Avps = [*facts.subscription(session), *access(session), *facts.place(session), *gx.reports()]
    avps += [_charging_identifier(session, gx, name) for name in gx.identified]
    gx.identified = ()
    avps += gx.changes(session.addresses.config.rating_group)
    avps += [*(("Event-Trigger", int(each)) for each in events), *requested]
    if EventTrigger.AN_GW_CHANGE in events:
        avps.append(("AN-GW-Address", session.sgw.address))
    if EventTrigger.USAGE_REPORT in events and session.usage is not None:
        avps += session.usage.report()
    return avps


def _charging_identifier(session: Session, gx: Rules, name: bytes) -> tuple[str, Any]:
    """Build the Access-Network-Charging-Identifier-Gx of a rule: that of its bearer (5.3.22)."""
    bearer = session.bearers.get(gx.bearer_of(name))
    identifier = (bearer or session).charging_id.to_bytes(4, "big")
    content = [("Access-Network-Charging-Identifier-Value", identifier), ("Charging-Rule-Name", name)]
    return "Access-Network-Charging-Identifier-Gx", content


def termination(session: Session) -> Avps:
    """Build the content of a CCR-T: the Termination-Cause and the use since the last report (4.5.17.5)."""
    used = session.usage.report(last=True) if session.usage is not None else []
    return [*facts.subscription(session), ("Termination-Cause", int(TerminationCause.DIAMETER_LOGOUT)), *used]


def resources(session: Session, wanted: Tft, flow: FlowQos | None) -> Avps:
    """Build what a device asks for: packet filters to be added, and their QoS (5.3.7, value 23)."""
    avps: Avps = [("Packet-Filter-Operation", _ADDITION)]
    avps += [("Packet-Filter-Information", _filter(each)) for each in wanted.filters]
    if flow is not None:
        arp, rates = session.qos.arp, (each * 1000 for each in flow[1:])
        avps.append(qos_information(Quality(flow.qci, arp.priority, arp.may_preempt, arp.preemptable, *rates)))
    return avps


def _filter(each: Filter) -> Avps:
    """Build the content of a Packet-Filter-Information; Flow-Direction has the numbers of TS 24.008 10.5.6.12."""
    remote = Network.parse(each.remote) if each.remote else None
    local: Network | Literal["assigned"] = Network.parse(each.local) if each.local else "assigned"
    far, near = (
        () if ports is None else (range(ports[0], ports[1] + 1),) for ports in (each.remote_ports, each.local_ports)
    )
    avps: Avps = [
        ("Precedence", each.precedence),
        ("Packet-Filter-Content", str(FilterRule(each.protocol, remote, far, local, near)).encode()),
    ]
    if each.traffic_class is not None:
        avps.append(("ToS-Traffic-Class", bytes(each.traffic_class)))
    if each.spi is not None:
        avps.append(("Security-Parameter-Index", each.spi.to_bytes(4, "big")))
    if each.flow_label is not None:
        avps.append(("Flow-Label", each.flow_label.to_bytes(3, "big")))
    return [*avps, ("Flow-Direction", int(each.direction))]


def access(session: Session) -> Avps:
    """Build IP-CAN-Type and RAT-Type of a session."""
    avps: Avps = [("IP-CAN-Type", _EPS)]
    if session.rat in facts.RATS:
        avps.append(("RAT-Type", int(facts.RATS[session.rat])))
    return avps
