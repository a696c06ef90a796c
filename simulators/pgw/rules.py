"""Where the rules of a session come from: its APN, or the card's own lists; and what is decided by them of each flow.

A flow is decided when its first packet comes, when it shows a name, and when its session gets other rules; what was
decided stays with its count, so that a packet costs two comparisons. Without a rule that counts no packet passes.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulators.pgw import evidence
from simulators.pgw.controls import BLACKLIST, FLOW, SHOWN_NAME, WHITELIST
from simwarden.model.network import Network
from simwarden.policy.flow_rule import ALL_FLOWS, FarEnd, FlowFilter, FlowRule
from simwarden.policy.operator import CHANGE_LIST
from simwarden.policy.rule_set import UNDIRECTED, RuleSet
from simwarden.wire import ip

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.session import FlowCount, Session
    from simwarden.policy.decision import Decision
    from simwarden.policy.rule_set import Evidence, Fit

#: why packets of a call for help go no further
CONFINED: Final = "emergency: nothing but its own networks is reached"
_ICMP: Final = frozenset({ip.Protocol.ICMP, ip.Protocol.ICMPV6})


def begin(core: Core, session: Session) -> None:
    """Give a new session its rules: those of calls for help, or of its card's lists, where no PCRF has given some.

    The resolvers of its APN alone say by what names rules are about an address.
    """
    if session.apn in core.config.emergency_apns:
        networks = map(Network.parse, core.config.emergency_networks)
        session.rules = RuleSet(FlowRule("emergency", (FlowFilter(each),)) for each in networks)
        session.confined = True
    elif session.gx is None:
        session.rules = _own(core, session)
    # from the beginning, whatever the rules are: else whoever has answered a device before could open any address
    session.bindings = core.relations.bindings(session, _packed(session.addresses.config.dns))


def follow(core: Core, imsi: str) -> None:
    """Let the lists that a card has now hold for its sessions that no PCRF rules, and for the flows that run."""
    ruled = [each for each in core.sessions.values() if each.imsi == imsi and not each.confined]
    for session in [each for each in ruled if each.gx is None]:
        install(core, session, _own(core, session), CHANGE_LIST)


def install(core: Core, session: Session, rules: RuleSet, on: str) -> None:
    """Let a session have other rules from now on, by which flows that run are decided at once."""
    session.rules = rules
    for flow, count in session.flows.items():
        evidence.recall(flow, count)
        _decide(core, session, flow, count, up=count.uplink_packets > 0 or not count.downlink_packets, on=on)


def _own(core: Core, session: Session) -> RuleSet:
    """Return the rules of the card's lists, as this node is provisioned with them."""
    card = core.store.card(session.imsi)
    if card.data is None:
        return UNDIRECTED
    apps = [core.app_lists().of(card.use, card.data.apps)] if card.data.apps else ()
    return RuleSet(card.data.rules(), session.addresses.config.dns, apps)


@lru_cache(maxsize=64)
def _packed(addresses: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(ipaddress.ip_address(each).packed for each in addresses)


def judge(core: Core, session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, *, up: bool) -> None:
    """Decide a flow by the packet that has come of it, where that is not decided yet, or has to be for each."""
    if not session.rules.directed:
        count.rules = count.settled = session.rules
        count.up = count.down = True
        return
    about = flow_of_error(session, packet, up=up) if flow.protocol in _ICMP else None
    if about is not None:
        count.up, count.down, count.rules = True, True, None  # the next may be of another
        count.rule, count.group = about.rule, about.group
        return
    if up and evidence.is_question(flow) and evidence.take_question(count, packet, core.site.clock.now()):
        count.up = None
    if count.rules is not session.rules or (count.up if up else count.down) is None:
        _decide(core, session, flow, count, up=up, on=FLOW)


def look_again(core: Core, session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, *, up: bool) -> bool:
    """Look at a packet of a flow that may show names; whether it passes by what is shown then.

    A flow that has to show one is closed when it shows none, or so many octets would have passed before it does.
    """
    question = evidence.is_question(flow)
    if question and up:
        return True  # it was judged by what it asks
    passed = count.uplink_octets + count.downlink_octets + count.waiting + len(packet)
    if not count.pending:
        count.named_at = passed  # the same ports may carry another connection, which has to show a name again
    now, begun = core.site.clock.now(), count.watch.begun if count.watch is not None else 0
    changed = evidence.take(count, packet, now, up=up)
    if count.watch is not None and count.watch.begun != begun:
        before, count.bound = count.bound, session.bindings.names_of(flow.destination, now)
        changed = changed or before != count.bound
    if count.pending and not changed:
        changed = passed - count.named_at > _octets_before_name(core, count)
        count.watch = None if changed else count.watch
    if changed and not question:
        _decide(core, session, flow, count, up=up, on=SHOWN_NAME)
    return bool(count.up if up else count.down)


def _octets_before_name(core: Core, count: FlowCount) -> int:
    """Return the octets that may pass before a flow shows its name."""
    in_hello = count.watch is not None and count.watch.in_hello
    return max(core.config.unnamed_octets, core.config.hello_octets if in_hello else 0)


def reconsider(core: Core, session: Session, flow: ip.Flow, count: FlowCount, *, up: bool) -> bool:
    """Decide a flow anew whose address has got other names since it was refused; whether it passes now."""
    before, count.bound = count.bound, session.bindings.names_of(flow.destination, core.site.clock.now())
    if set(count.bound) <= set(before):
        return False
    _decide(core, session, flow, count, up=up, on=FLOW)
    return bool(count.up if up else count.down)


def _decide(core: Core, session: Session, flow: ip.Flow, count: FlowCount, *, up: bool, on: str) -> None:
    """Decide whether packets of a flow pass in a direction, and in the other if nothing tells the two apart.

    A question that does not pass closes nothing to the answers of others by the same ports.
    """
    rules = session.rules
    if count.rules is not rules or on != FLOW:
        count.rules, count.up, count.down = rules, None, None
    question = evidence.is_question(flow)
    count.settled = None if rules.directed and (question or flow.protocol in _ICMP) else rules
    passes = _passes(core, session, flow, count, up=up, on=on)
    if not rules.one_way and (passes or not question):
        count.up = count.down = passes
    elif up:
        count.up = passes
    else:
        count.down = passes


def _passes(core: Core, session: Session, flow: ip.Flow, count: FlowCount, *, up: bool, on: str) -> bool:
    """Ask the controls, each about the rules that are its own, and keep with the count who refuses, and why."""
    rules, end = session.rules, FarEnd(flow.protocol, flow.destination, flow.destination_port, flow.source_port)
    known = evidence.of(flow, count, strict=core.config.unreadable == "deny")
    seen, fit = _worst(rules, end, known, up=up)
    if session.confined:
        count.refused_by = count.why = CONFINED
        return fit.rule is not None
    facts = {
        "address": ip.address_text(flow.destination),
        "port": flow.destination_port,
        "name": seen.shown.host if seen.shown is not None else "",
    }
    count.pending = False
    if rules.denies:
        denying = fit.rule if fit.rule is not None and fit.rule.denies else None
        if not _admits(count, core.site.decide(BLACKLIST, session.imsi, on=on, rule=denying, **facts)):
            return False
        if denying is not None:
            fit = rules.fit(end, seen, up=up, denied=False)
    if session.addresses.is_inner(flow.destination):  # no name leads there, whoever says so
        fit = rules.fit(end, seen._replace(bound=()), up=up, denied=False)
    if fit.rule is not None:
        count.rule, count.group = fit.rule, session.group_of(fit.rule)
    count.listed = fit.rule is not None and fit.rule.names_far_end
    if fit.rule is ALL_FLOWS:
        return True
    count.pending = fit.pending
    open_ = fit.rule is not None and (fit.rule.up if up else fit.rule.down)
    asked = {"rule": fit.rule, "open_": open_, "pending": fit.pending, **facts}
    admitted = _admits(count, core.site.decide(WHITELIST, session.imsi, on=on, **asked))
    if admitted and not fit.pending:
        count.renew = core.site.clock.now()  # at the next packet of the card that passes
    return admitted


def _worst(rules: RuleSet, end: FarEnd, known: tuple[Evidence, ...], *, up: bool) -> tuple[Evidence, Fit]:
    """Return by what a flow passes least of what it has shown together: all of it counts."""
    fits = [(each, rules.fit(end, each, up=up)) for each in known]
    return min(fits, key=lambda found: 0 if found[1].rule is None or found[1].rule.denies else 2 - found[1].pending)


def _admits(count: FlowCount, decision: Decision) -> bool:
    count.refused_by, count.why = decision.control.id, f"{decision.control.id}: {decision.reason}"
    return decision.admitted


def flow_of_error(session: Session, packet: bytes, *, up: bool) -> FlowCount | None:
    """Return the flow that passes and that an error of ICMP is about (RFC 792, RFC 4443 2.1).

    Errors to the device may be of any router on the way; its own go to whom it has them from.
    """
    inner = ip.error_about(packet)
    if inner is None or (up and ip.addresses_of(packet)[1] != inner.source):
        return None
    count = session.flows.get(inner.back() if up else inner)
    passes = count is not None and count.rules is session.rules and (count.down if up else count.up)
    return count if passes else None
