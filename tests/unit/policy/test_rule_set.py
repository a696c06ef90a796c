"""Which rule of a session counts for a flow: by its header, by what it shows, and by what its address is called."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.app_blacklists import Blacklist, Entry
from simwarden.policy.flow_rule import ALL_FLOWS, FarEnd, FlowFilter, FlowRule, rules_of
from simwarden.policy.rule_set import NO_RULES, NOTHING, UNDIRECTED, Evidence, Fit, RuleSet, Shown

TCP, UDP, ICMP = 6, 17, 1
RESOLVER = "192.0.2.53"
UNREAD = Evidence(Shown("", by="unreadable"))


def rules(*listed: str, black: tuple[str, ...] = (), directed: bool = True) -> RuleSet:
    entries = [Destination.parse(each) for each in listed] if directed else None
    return RuleSet(rules_of(entries, map(Destination.parse, black)), (RESOLVER, "2001:db8::53"))


def end(address: str, port: int = 443, protocol: int = TCP) -> FarEnd:
    return FarEnd(protocol, ip_address(address).packed, port, 40000)


def name_of(fit: Fit) -> str:
    """Say what a fit comes to: the rule's name, `?` behind it if it depends on what is shown, `-` if it denies."""
    if fit.rule is None:
        return "none"
    return ("-" if fit.rule.denies else "") + fit.rule.name + ("?" if fit.pending else "")


def test_without_rules_nothing_passes() -> None:
    assert NO_RULES.fit(end("192.0.2.1")) == Fit(None)
    assert NO_RULES.directed
    assert not UNDIRECTED.directed
    assert UNDIRECTED.fit(end("192.0.2.1", 0, 47)) == Fit(ALL_FLOWS)


def test_the_least_precedence_counts_and_at_the_same_one_a_closed_gate() -> None:
    every = (FlowFilter(),)
    first, last = FlowRule("first", every, 1), FlowRule("last", every, 3)
    opened, half, closed = (
        FlowRule("opened", every, 2),
        FlowRule("half", every, 2, down=False),
        FlowRule("closed", every, 2, up=False, down=False),
    )
    assert [each.name for each in RuleSet((last, opened, closed, half, first)).rules] == [
        "first", "closed", "half", "opened", "last",
    ]  # fmt: skip
    assert RuleSet((opened, closed)).fit(end("192.0.2.1")).rule is closed
    assert RuleSet((opened, closed)).fit(end("192.0.2.1"), denied=False).rule is opened
    assert RuleSet((first, closed)).fit(end("192.0.2.1")).rule is first
    assert RuleSet((half,)).one_way
    assert RuleSet((FlowRule("up", (FlowFilter(down=False),)),)).one_way
    assert RuleSet((FlowRule("some up", (FlowFilter(), FlowFilter(down=False))),)).one_way
    assert not RuleSet((opened, closed)).one_way


LISTED = rules("https://up.example", "*.iot.example:8883", "http://web.example/firmware", "198.51.100.7:443")
UP, FIRMWARE = "https://up.example", "http://web.example/firmware"
HERE = "198.51.100.80"


@pytest.mark.parametrize(
    ("to", "seen", "expected"),
    [
        # an address in the list is asked nothing more
        (end("198.51.100.7"), NOTHING, "198.51.100.7:443"),
        (end("198.51.100.7"), Evidence(Shown("any.example")), "198.51.100.7:443"),
        (end("198.51.100.7", 80), NOTHING, "none"),
        (end("64:ff9b::198.51.100.7"), NOTHING, "none"),
        # a name: by the resolver's answer, while nothing else is shown
        (end(HERE), Evidence(more=True), "none"),
        (end(HERE), Evidence(Shown("up.example"), more=True), "none"),
        (end(HERE), Evidence(more=True, bound=("up.example",)), UP + "?"),
        (end(HERE), Evidence(bound=("up.example",)), "none"),
        (end(HERE, 8883), Evidence(more=True, bound=("a.iot.example",)), "*.iot.example:8883"),
        (end(HERE, 8883), Evidence(bound=("a.iot.example",)), "*.iot.example:8883"),
        (end(HERE), Evidence(Shown("up.example"), bound=("up.example",)), UP),
        (end(HERE), Evidence(Shown("video.example"), bound=("up.example",)), "none"),
        (end(HERE, protocol=UDP), Evidence(bound=("up.example",)), "none"),
        (end(HERE, 8443), Evidence(bound=("up.example",)), "none"),
        (end(HERE), Evidence(bound=("other.example",)), "none"),
        (end(HERE), Evidence(Shown("", by="unreadable"), bound=("up.example",)), "none"),
        # an address of several names
        (end(HERE), Evidence(more=True, bound=("up.example", "video.example")), UP + "?"),
        (end(HERE), Evidence(bound=("up.example", "video.example")), "none"),
        (end(HERE), Evidence(Shown("up.example"), bound=("up.example", "video.example")), UP),
        (end(HERE), Evidence(Shown("video.example"), bound=("up.example", "video.example")), "none"),
        # a wildcard stands for what is below, not for itself; a name that this address was not given for is none
        (end(HERE, 8883, UDP), Evidence(bound=("a.b.iot.example",)), "*.iot.example:8883"),
        (end(HERE, 8883), Evidence(bound=("iot.example",)), "none"),
        (end(HERE, 8883), Evidence(bound=("iot.example.net",)), "none"),
        (end(HERE, 8883), Evidence(Shown("c.iot.example"), bound=("a.iot.example",)), "none"),
        # a path: only what is shown in the clear
        (end(HERE, 80), Evidence(more=True, bound=("web.example",)), FIRMWARE + "?"),
        (end(HERE, 80), Evidence(bound=("web.example",)), "none"),
        (end(HERE, 80), Evidence(Shown("web.example", "/firmware/7?x"), bound=("web.example",)), FIRMWARE),
        (end(HERE, 80), Evidence(Shown("web.example", "/firmwares"), bound=("web.example",)), "none"),
        (end(HERE, 80), Evidence(Shown("web.example", "/firmware/../a"), bound=("web.example",)), "none"),
        (end(HERE, 80), Evidence(Shown("web.example", None, "tls"), bound=("web.example",)), "none"),
        (end(HERE, 80), Evidence(Shown("web.example", None, "http"), bound=("web.example",)), "none"),
        (end(HERE, 80), Evidence(Shown("up.example", "/firmware"), bound=("web.example",)), "none"),
        # a request that says no host
        (end(HERE, 80), Evidence(Shown("", "/firmware", "http"), more=True, bound=("web.example",)), "none"),
        (end(HERE), Evidence(Shown("", "/", "http"), more=True, bound=("up.example",)), "none"),
        (end(HERE, 8883), Evidence(Shown("", "/", "http"), bound=("a.iot.example",)), "*.iot.example:8883"),
        (end(HERE, 8883), Evidence(Shown("", "/", "http"), bound=("a.iot.example", "b.example")), "none"),
        (end("198.51.100.7"), Evidence(Shown("", "/", "http")), "198.51.100.7:443"),
    ],
)
def test_a_card_with_a_list(to: FarEnd, seen: Evidence, expected: str) -> None:
    assert name_of(LISTED.fit(to, seen)) == expected
    assert name_of(LISTED.fit(to, seen, up=False)) == expected


#: what tells how a name is reached (RFC 1035 3.2.2, 3596 2.1, 9460 14.1), and what carries octets of its owner's
ASKED, NOT_ASKED = (
    ("A", "AAAA", "CNAME", "HTTPS", "SVCB"),
    ("TXT", "NULL", "ANY", "MX", "NS", "PTR", "TYPE65280"),
)


@pytest.mark.parametrize(
    ("to", "seen", "passes"),
    [
        (end(RESOLVER, 53, UDP), Evidence(Shown("up.example", "A", "dns")), True),
        (end("2001:db8::53", 53, TCP), Evidence(Shown("x.iot.example", "AAAA", "dns")), True),
        (end(RESOLVER, 53, TCP), Evidence(more=True), None),
        (end(RESOLVER, 53, UDP), NOTHING, False),
        *((end(RESOLVER, 53, UDP), Evidence(Shown("x.iot.example", kind, "dns")), True) for kind in ASKED),
        *((end(RESOLVER, 53, UDP), Evidence(Shown("x.iot.example", kind, "dns")), False) for kind in NOT_ASKED),
        (end(RESOLVER, 53, UDP), Evidence(Shown("x.iot.example", "SRV", "dns")), True),
        (end(RESOLVER, 53, UDP), Evidence(Shown("up.example", "SRV", "dns")), False),
        (end(RESOLVER, 53, UDP), Evidence(Shown("video.example", "A", "dns")), False),
        (end(RESOLVER, 53, UDP), Evidence(Shown("a.up.example", "A", "dns")), False),
        (end("203.0.113.53", 53, UDP), Evidence(Shown("up.example", "A", "dns")), False),
        (end(RESOLVER, 853), Evidence(more=True), False),
        (end(RESOLVER, 443), Evidence(Shown("up.example")), False),
        (end(RESOLVER, 53, UDP), Evidence(Shown("up.example", None, "tls")), False),
    ],
)
def test_which_names_a_resolver_is_asked_for(to: FarEnd, seen: Evidence, *, passes: bool | None) -> None:
    fit = LISTED.fit(to, seen)
    assert (None if fit.pending else fit.rule is not None) is passes


def test_an_address_of_a_listed_and_a_denied_name_is_neither() -> None:
    held = rules("up.example:1883", black=("tv.example",))
    both = ("up.example", "tv.example")
    assert name_of(held.fit(end(HERE, 1883), Evidence(bound=both))) == "none"
    assert name_of(held.fit(end(HERE, 1883), Evidence(more=True, bound=both))) == "up.example:1883?"


@pytest.mark.parametrize(
    ("entry", "port", "bound", "passes"),
    [
        ("tcp://up.example:2101", 2101, ("up.example",), True),
        ("up.example:1883", 1883, ("up.example",), True),
        ("tcp://up.example:2101", 2101, ("up.example", "tv.example"), False),
        ("tcp://up.example:2101", 2101, (), False),
        ("http://up.example:2101", 2101, ("up.example",), False),
        ("http://up.example/live", 80, ("up.example",), False),
        ("up.example:53", 53, ("up.example",), False),
    ],
)
def test_an_unreadable_flow_passes_by_an_entry_that_needs_no_name(
    entry: str, port: int, bound: tuple[str, ...], *, passes: bool
) -> None:
    fit = rules(entry).fit(end(HERE, port), UNREAD._replace(bound=bound))
    assert name_of(fit) == (entry if passes else "none")


def test_a_question_is_no_path() -> None:
    held = rules("http://192.0.2.53:53/A")
    assert name_of(held.fit(end(RESOLVER, 53), Evidence(Shown("192.0.2.53", "/A/1")))) == "http://192.0.2.53:53/A"
    assert held.fit(end(RESOLVER, 53), Evidence(Shown("up.example", "A", "dns"))) == Fit(None)


def test_a_card_without_names_asks_nobody() -> None:
    question = Evidence(Shown("up.example", "A", "dns"))
    assert rules("198.51.100.7:443").fit(end(RESOLVER, 53, UDP), question) == Fit(None)


BLACK = {
    "black": (
        *("wx.example", "*.video.example", "203.0.113.0/28", "2001:db8:66::/64"),
        *("http://web.example/live", "http://203.0.113.99/live"),
    ),
    "directed": False,
}


@pytest.mark.parametrize(
    ("to", "seen", "passes"),
    [
        (end("203.0.113.7"), NOTHING, False),
        (end("203.0.113.16"), NOTHING, True),
        (end("::ffff:203.0.113.7"), NOTHING, False),
        (end("64:ff9b::203.0.113.7"), NOTHING, False),
        (end("64:ff9b::203.0.113.16"), NOTHING, True),
        (end("2001:db8:66::1"), NOTHING, False),
        (end("2001:db8:67::1"), NOTHING, True),
        (end(HERE), Evidence(Shown("wx.example")), False),
        (end(HERE), Evidence(Shown("WX.example.net")), True),
        (end(HERE), Evidence(Shown("pay.wx.example")), True),
        (end(HERE), Evidence(Shown("a.video.example")), False),
        (end(HERE, 9, UDP), Evidence(bound=("wx.example", "b.video.example")), False),
        (end(HERE), Evidence(bound=("wx.example", "pay.example")), True),
        (end(HERE), Evidence(Shown("pay.example"), bound=("wx.example",)), True),
        (end(HERE), Evidence(more=True), True),
        (end(HERE), UNREAD, True),
        (end(HERE), UNREAD._replace(bound=("pay.example",)), True),
        (end(HERE), UNREAD._replace(bound=("pay.example", "wx.example")), False),
        (end(HERE, 80), UNREAD._replace(bound=("web.example",)), False),
        (end(HERE), UNREAD._replace(strict=True), False),
        (end(HERE, 53), UNREAD, False),
        (end(HERE, 80), Evidence(Shown("web.example", "/live/1")), False),
        (end(HERE, 80), Evidence(Shown("web.example", None, "tls")), True),
        (end(HERE, 80), Evidence(Shown("web.example", "/")), True),
        (end(HERE, 80), Evidence(bound=("web.example",)), True),
        (end(HERE, 80), Evidence(Shown("web.example", None, "http")), False),
        (end(HERE, 80), Evidence(Shown("web.example", None, "connect")), True),
        (end(HERE, 80), Evidence(Shown("other.example", None, "http")), True),
        (end(HERE, 80), Evidence(Shown("", "/live", "http"), bound=("web.example",)), False),
        (end(HERE, 80), Evidence(Shown("", "/", "http"), bound=("web.example",)), True),
        (end(HERE, 80), Evidence(Shown("", "/live", "http"), bound=("web.example", "pay.example")), True),
        (end(HERE, 80), Evidence(Shown("", "/live", "http")), True),
        (end(HERE), Evidence(Shown("", "/", "http"), bound=("wx.example", "b.video.example")), False),
        (end(HERE), Evidence(Shown("", "/", "http"), bound=("wx.example", "pay.example")), True),
        (end("203.0.113.99", 80), Evidence(Shown("", "/live/1", "http")), False),
        (end("203.0.113.99", 80), Evidence(Shown("", None, "http")), False),
        (end("203.0.113.99", 80), Evidence(Shown("", by="unreadable")), False),
        (end("203.0.113.99", 80), Evidence(Shown("any.example", "/", "http")), True),
        (end("203.0.113.99", 80), Evidence(more=True), True),
        (end("203.0.113.200", 53, UDP), Evidence(Shown("wx.example", "TXT", "dns")), False),
        (end("203.0.113.200", 53, UDP), Evidence(Shown("web.example", "A", "dns")), True),
    ],
)
def test_what_is_denied(to: FarEnd, seen: Evidence, *, passes: bool) -> None:
    held = rules(**BLACK)  # type: ignore[arg-type]
    fit = held.fit(to, seen)
    assert (fit.rule is ALL_FLOWS) is passes
    assert (fit.rule is not None and fit.rule.denies) is not passes
    assert held.denies


def test_what_is_denied_is_so_though_it_is_listed() -> None:
    held = rules("wx.example:443", "203.0.113.7:443", black=("wx.example", "203.0.113.0/24"))
    seen = Evidence(more=True, bound=("wx.example",))
    for to in (end("203.0.113.7"), end(HERE)):
        fit = held.fit(to, seen)
        assert fit.rule is not None
        assert fit.rule.denies
        assert not fit.pending


APPS = Blacklist(
    Entry(Destination.parse(text), denied, who)
    for text, denied, who in (
        ("chat.example", True, "chat"),
        ("*.chat.example", True, "chat"),
        ("pay.chat.example", False, "chat-pay"),
        ("films.example", True, "films"),
        ("203.0.113.0/24", True, "films"),
    )
)


@pytest.mark.parametrize(
    ("to", "seen", "app"),
    [
        (end(HERE), Evidence(more=True), ""),
        (end(HERE), Evidence(Shown("a.chat.example")), "chat"),
        (end(HERE), Evidence(Shown("pay.chat.example")), ""),
        (end(HERE), Evidence(Shown("chat.example.net")), ""),
        (end(HERE), UNREAD, ""),
        (end(HERE), UNREAD._replace(bound=("pay.chat.example", "a.chat.example")), "chat"),
        (end("203.0.113.7"), UNREAD, "films"),
        (end(HERE, 53), UNREAD, "unreadable"),
        (end(HERE), UNREAD._replace(strict=True), "unreadable"),
        (end(HERE), Evidence(bound=("a.chat.example", "films.example")), "chat"),
        (end(HERE), Evidence(bound=("a.chat.example", "pay.chat.example")), ""),
        (end(HERE), Evidence(bound=("a.chat.example", "iot.example")), ""),
        (end(RESOLVER, 53, UDP), Evidence(Shown("www.chat.example", "A", "dns")), "chat"),
        (end(RESOLVER, 53, UDP), Evidence(Shown("pay.chat.example", "A", "dns")), ""),
        (end(HERE), Evidence(Shown("", "/", "http"), bound=("a.chat.example",)), "chat"),
        (end(HERE), Evidence(Shown("", "/", "http"), bound=("iot.example",)), ""),
        (end("203.0.113.7"), NOTHING, "films"),
        (end("203.0.113.7"), Evidence(Shown("any.example")), "films"),
        (end("203.0.113.7"), Evidence(Shown("pay.chat.example")), ""),
        (end("::ffff:203.0.113.7"), NOTHING, "films"),
    ],
)
def test_apps_of_people_and_what_is_needed_beside_them(to: FarEnd, seen: Evidence, app: str) -> None:
    undirected = RuleSet((ALL_FLOWS,), apps=[APPS])
    assert undirected.denies
    assert undirected.directed
    assert name_of(undirected.fit(to, seen)) == (f"-app {app}" if app else "all flows")
    assert undirected.fit(to, seen, denied=False).rule is ALL_FLOWS
    directed = RuleSet(LISTED.rules, apps=[APPS])  # what is needed is kept open, and not opened
    assert name_of(directed.fit(to, seen)) == (f"-app {app}" if app else name_of(LISTED.fit(to, seen)))


def test_an_open_rule_that_counts_for_sure_goes_before_one_that_may() -> None:
    held = rules("http://198.51.100.80/a", "198.51.100.80:80")
    assert name_of(held.fit(end(HERE, 80), Evidence(more=True))) == "198.51.100.80:80"
    assert RuleSet(held.rules[:1]).fit(end(HERE, 80)) == Fit(None)  # nor one that can no more
    closed = FlowRule("closed", (FlowFilter(Network.parse(HERE)),), 2000, up=False, down=False)
    both = RuleSet((*held.rules[:1], closed))
    assert name_of(both.fit(end(HERE, 80), Evidence(more=True))) == "http://198.51.100.80/a?"
    assert name_of(both.fit(end(HERE, 80), Evidence(Shown("", "/b")))) == "-closed"
    several = rules("http://198.51.100.80/a", "http://198.51.100.80/b")  # of those that may, the first
    assert name_of(several.fit(end(HERE, 80), Evidence(more=True))) == "http://198.51.100.80/a?"


def test_what_is_denied_below_a_listed_path_closes_no_flow_before_it_is_asked_for() -> None:
    held = rules("http://198.51.100.80/a", black=("http://198.51.100.80/a/b",))
    assert name_of(held.fit(end(HERE, 80), Evidence(more=True))) == "http://198.51.100.80/a?"
    assert name_of(held.fit(end(HERE, 80), Evidence(Shown("", "/a/c", "http")))) == "http://198.51.100.80/a"
    assert name_of(held.fit(end(HERE, 80), Evidence(Shown("", "/a/b/c", "http")))) == "-not http://198.51.100.80/a/b"


HOSTS = st.sampled_from(["a.example", "b.example", "x.a.example", "wx.example"])


@given(
    listed=st.lists(st.sampled_from(["a.example:443", "*.a.example:443", "198.51.100.80:443"]), unique=True),
    shown=st.none() | st.builds(Shown, HOSTS),
    bound=st.lists(HOSTS, unique=True).map(tuple),
    more=st.booleans(),
)
def test_what_is_denied_never_passes_and_less_listed_never_opens(
    listed: list[str], shown: Any, bound: tuple[str, ...], *, more: bool
) -> None:
    seen, to = Evidence(shown, more=more, bound=bound), end(HERE)
    fit = rules(*listed).fit(to, seen)
    assert rules(*listed[1:]).fit(to, seen).rule is None or fit.rule is not None
    told = shown.host if shown else bound
    black = rules(*listed, black=("198.51.100.80",)).fit(to, seen)
    assert black.rule is not None
    assert black.rule.denies
    if not listed or (told not in ("a.example", "x.a.example") and "198.51.100.80:443" not in listed and shown):
        assert fit.rule is None


@pytest.mark.parametrize(
    "address",
    ["198.51.100.7", "::ffff:198.51.100.7", "64:ff9b::198.51.100.7", "2002:c633:6407::1", "2002:c633:6407:9::"],
)
def test_a_denied_address_is_denied_behind_ipv6_too(address: str) -> None:
    held = RuleSet(rules_of(None, [Destination.parse("198.51.100.0/24")]))
    assert held.fit(end(address, 443)).rule != ALL_FLOWS
    assert held.fit(end("2002:c633:6507::1", 443)).rule is ALL_FLOWS  # of 198.51.101.7
    app = Blacklist([Entry(Destination.parse("198.51.100.0/24"), denied=True, who="an app")])
    assert app.by_address(ip_address(address).packed) is not None


def test_an_address_behind_teredo_is_not_denied() -> None:
    held = RuleSet(rules_of(None, [Destination.parse("198.51.100.7")]))
    teredo = "2001:0:cb00:7101:0:ffff:39cc:9bf8"  # its last 32 bits are those of 198.51.100.7, inverted
    assert held.fit(end(teredo, 443)).rule is ALL_FLOWS
