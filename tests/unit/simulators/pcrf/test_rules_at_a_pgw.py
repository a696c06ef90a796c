"""A list that a PCRF tells by rules on Gx lets pass what it lets pass where it is the PGW's own, and nothing else."""

from __future__ import annotations

from typing import Any

import budget
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulators.pcrf.config import PcrfConfig, PcrfData
from simulators.pcrf.rules import rules_for
from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import FarEnd, FlowFilter, rules_of
from simwarden.policy.rule_set import Evidence, RuleSet, Shown
from simwarden.runtime.diameter import pcc_rules
from simwarden.runtime.diameter.pcc_rules import Place, RuleError, rule_of
from simwarden.wire.diameter import Message, decode, encode, first
from simwarden.wire.diameter.apps.gx import FlowStatus

ADDRESSES = ("198.51.100.80", "192.0.2.53", "2001:db8::80", "64:ff9b::c633:6450")
NAMES = ("a.example", "x.a.example")
PATHS = ("", "/a", "/a/b")
RESOLVERS = ("192.0.2.53",)
PORTS = (53, 80, 443)


def entry(host: str, scheme: str, port: int | None, path: str) -> str:
    """Write an entry as a contract does; a path stands behind a scheme of the web only."""
    host = f"[{host}]" if ":" in host and "/" not in host and (scheme or port) else host
    where = f"{host}:{port}" if port is not None else host
    return f"{scheme}://{where}{path if scheme in ('http', 'https') else ''}" if scheme else where


def known(text: str) -> bool:
    try:
        Destination.parse(text)
    except ValueError:
        return False
    return True


HOSTS = (*ADDRESSES, "198.51.100.80/28", *NAMES, "*.a.example", "*")
SCHEMES = ("", "tcp", "udp", "http", "https", "quic", "coap", "mqtts")
ENTRIES = st.builds(
    entry, st.sampled_from(HOSTS), st.sampled_from(SCHEMES), st.none() | st.sampled_from(PORTS), st.sampled_from(PATHS)
).filter(known)
LISTS = st.lists(ENTRIES, max_size=4, unique_by=Destination.parse)
#: of a session
IPV4, IPV6 = Network.parse("10.64.0.1"), Network.parse("2001:db8:64::/64")
OWN = st.sampled_from(((IPV4,), (IPV6,), (IPV4, IPV6)))
FLOWS = st.builds(
    FarEnd,
    st.sampled_from((6, 17)),
    st.sampled_from(ADDRESSES).map(Network.parse).map(lambda it: it.start.to_bytes(it.width // 8)),
    st.sampled_from(PORTS),
)
SHOWN = st.builds(
    Shown,
    st.sampled_from(("", *NAMES, *ADDRESSES, "c.example")),
    st.none() | st.sampled_from((*PATHS[1:], "/", "A", "TXT")),
    st.sampled_from(("http", "tls", "quic", "connect", "dns", "unreadable")),
)
SEEN = st.builds(Evidence, st.none() | SHOWN, st.booleans(), st.lists(st.sampled_from(NAMES), unique=True).map(tuple))


def told(white: list[str] | None, black: list[str], own: tuple[Network, ...], *, adc: bool) -> RuleSet:
    """Return what a PGW makes, for a session of some addresses, of what a PCRF tells it.

    The applications of the PCRF stand for one entry each; a PGW without ADC has predefined rules of them. What cannot
    be installed opens nothing, and closes nothing.
    """
    applications = {f"app-{number}": (text,) for number, text in enumerate(dict.fromkeys([*(white or ()), *black]))}
    data = PcrfData(whitelist=white, blacklist=black)
    predefined = tuple(called for name in applications for called in (name, f"not {name}"))
    config = PcrfConfig(applications=applications, predefined=predefined)
    orders = rules_for(data, "", config, directed=white is not None, adc=adc)
    assert not orders.lacking
    sent = decode(encode(Message(272, 16777238, 0x40, 1, 1, orders.install)))
    parsed = {name: tuple(map(Destination.parse, each)) for name, each in applications.items()}
    place = Place(
        own,
        {name: filters(rules_of(each)) for name, each in parsed.items()},
        {name: filters(rules_of((), each)) for name, each in parsed.items()}.get,
    )
    found = []
    for name, value in sent.get("Charging-Rule-Install", []):
        if name == "Charging-Rule-Name":
            found.append(pcc_rules.predefined(value.decode(), place))
            continue
        try:
            found.append(rule_of(value, place))
        except RuleError:
            assert first(value, "Flow-Status") != FlowStatus.DISABLED, value
    return RuleSet(found, RESOLVERS)


def filters(rules: Any) -> tuple[FlowFilter, ...]:
    return tuple(each for rule in rules for each in rule.filters)


@pytest.mark.parametrize("adc", [True, False], ids=["applications", "predefined rules"])
@settings(max_examples=budget.examples(200))
@given(white=st.none() | LISTS, black=LISTS, addresses=OWN, flow=FLOWS, seen=SEEN, up=st.booleans())
def test_it_is_the_same_list(
    white: list[str] | None,
    black: list[str],
    addresses: tuple[Network, ...],
    flow: FarEnd,
    seen: Evidence,
    *,
    up: bool,
    adc: bool,
) -> None:
    assume(len(flow.address) * 8 in {each.width for each in addresses})
    entries = None if white is None else [*map(Destination.parse, white)]
    own = RuleSet(rules_of(entries, map(Destination.parse, black)), RESOLVERS)
    mine, theirs = (each.fit(flow, seen, up=up) for each in (own, told(white, black, addresses, adc=adc)))
    assert (mine.rule is None, mine.pending) == (theirs.rule is None, theirs.pending)
    if mine.rule is not None and theirs.rule is not None:
        assert (mine.rule.up, mine.rule.down) == (theirs.rule.up, theirs.rule.down)
