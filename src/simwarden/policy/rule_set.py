"""The rules of a session together: by which of them a flow passes, as far as can be told by now.

A rule is about a flow by its header, by the name that its far end has, or by both. Names are *shown* by the flow itself
(the host of HTTP, the server name of TLS), or *bound* to the far end's address by answers that the device's resolver
gave it. To fit an open rule by its name, a flow goes to an address for which the resolver gave the device that name,
and shows no other one; where clients say names (HTTP, TLS), or the address is of several, it must show it. To fit a
rule that denies a name it is enough that either says so, an address only if all its names are denied: others would be
hurt. An unreadable flow fits an open rule that needs no name shown, and a rule that denies one of the names of
its address.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.model.network import Network
from simwarden.policy.access_list import leading_to, under
from simwarden.policy.flow_rule import ALL_FLOWS, DNS_PORT, FlowRule, names_allowed, questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.policy.app_blacklists import Blacklist, Entry
    from simwarden.policy.flow_rule import FarEnd, FlowFilter

#: what a device that may ask for a name may ask of it: its addresses, and how it is reached (RFC 9460); a TXT or NULL
#: carries what its owner likes
LOOKUPS: Final = frozenset({"A", "AAAA", "HTTPS", "SVCB", "CNAME"})
#: further types for a name below a listed wildcard: the servers of a service (RFC 2782, RFC 3403)
SERVICES: Final = frozenset({"SRV", "NAPTR"})


#: by what octets are shown that one server reads otherwise than another: they may be for each name of their address
UNREADABLE: Final = "unreadable"


class Shown(NamedTuple):
    """A name that a flow has shown: of the far end, in lower case, with the path if that is said in the clear.

    `by` says where: `http`, `connect`, `tls`, `quic`, `unreadable`, or `dns` for a question, whose path is the kind of
    record. A request of HTTP may say no host: it is for any of its address.
    """

    host: str
    path: str | None = None
    by: str = ""

    @property
    def asks(self) -> bool:
        """Whether it is a question to a resolver."""
        return self.by == "dns"

    @property
    def unnamed(self) -> bool:
        """Whether it is a request without a host."""
        return self.by == "http" and not self.host

    def is_under(self, path: str, *, denied: bool) -> bool:
        """Whether it is for a path, or one below; what servers read in several ways may be for each that is denied."""
        if self.path is None:
            return denied and self.by in ("http", UNREADABLE)
        return not self.asks and under(self.path, path)


class Evidence(NamedTuple):
    """What is known of a flow's names: what it has shown last, whether `more` may come, and those of its address.

    `strict`: an unreadable flow may be for each denied name, whatever its address is.
    """

    shown: Shown | None = None
    more: bool = False
    bound: tuple[str, ...] = ()
    strict: bool = False


NOTHING: Final = Evidence()


class Fit(NamedTuple):
    """The rule that a flow fits, None: no rule; `pending`: if it shows that it does."""

    rule: FlowRule | None
    pending: bool = False


class _Rule:
    """A rule, its filters by name: lists of people's applications are long."""

    __slots__ = ("named", "plain", "questions", "rule")

    def __init__(self, rule: FlowRule) -> None:
        self.rule = rule
        self.plain = tuple(each for each in rule.filters if not each.name)
        if rule.denies:
            self.plain += tuple(within for each in self.plain for within in _in_ipv6(each))
        self.named: dict[str, tuple[FlowFilter, ...]] = {}
        for each in rule.filters:
            if each.name:
                self.named[each.name] = (*self.named.get(each.name, ()), each)
        self.questions = tuple(each for each in rule.filters if each.name and each.question)

    def fit(self, flow: FarEnd, seen: Evidence, *, sure: bool, up: bool) -> bool | None:
        """Whether a flow is one of its; None: if it shows that it is. `sure`: all names of its address are such."""
        found: bool | None = False
        for each in self.plain:
            if each.fits(flow, up=up):
                if by_path := self._by_path(each, seen):
                    return True
                found = None if by_path is None else found
        by_name = self._by_name(flow, seen, sure=sure, up=up) if self.named else False
        return found if by_name is False else by_name

    def _by_name(self, flow: FarEnd, seen: Evidence, *, sure: bool, up: bool) -> bool | None:
        shown, denies = seen.shown, self.rule.denies
        if shown is not None and shown.by == UNREADABLE and (denies or flow.port == DNS_PORT):
            return denies and self._may_be_denied(flow, seen, up=up)
        if shown is None or shown.unnamed or shown.by == UNREADABLE:
            return self._by_address(flow, seen, sure=sure, up=up)
        if shown.asks:
            asked = [each for each in self._of(shown.host, flow, up=up) if each.question]
            lookups = LOOKUPS | SERVICES if any(each.name.startswith("*") for each in asked) else LOOKUPS
            return bool(asked) and (denies or shown.path in lookups)
        if not denies and shown.host not in seen.bound:
            return False  # its address is none that the resolver gave for this name
        return any(self._by_path(each, seen) for each in self._far(shown.host, flow, up=up))

    def _may_be_denied(self, flow: FarEnd, seen: Evidence, *, up: bool) -> bool:
        """Return True if an unreadable flow may be for a denied name: one of its address, or if strict any.

        Unreadable octets to the port of resolvers may be a question for any name.
        """
        if seen.strict or flow.port == DNS_PORT:
            return any(not each.question and each.fits(flow, up=up) for each in self._all())
        return any(self._far(name, flow, up=up) for name in seen.bound)

    def _by_address(self, flow: FarEnd, seen: Evidence, *, sure: bool, up: bool) -> bool | None:
        if sure and any(self.names(each, flow, up=up) for each in seen.bound):
            return True
        if seen.shown is not None:  # a request without a host, denied if it is so whichever host it is for
            far = [self._far(each, flow, up=up) for each in seen.bound] if self.rule.denies else []
            return bool(far) and all(any(self._by_path(each, seen) for each in of) for of in far)
        if self.rule.denies or not seen.more:
            return False
        may = any(self._far(each, flow, up=up) for each in seen.bound)
        return None if may or any(each.fits(flow, up=up) for each in self.questions) else False

    def _by_path(self, filter_: FlowFilter, seen: Evidence) -> bool | None:
        """Whether what a flow shows is below the path of a filter that it fits otherwise; None: if it shows so."""
        if not filter_.path:
            return True
        if seen.shown is None:
            return None if seen.more and not self.rule.denies else False
        return seen.shown.is_under(filter_.path, denied=self.rule.denies)

    def names(self, host: str, flow: FarEnd, *, up: bool) -> bool:
        """Whether a host's name alone says that a flow to it is one of its."""
        shows = not self.rule.denies  # what is denied by its address's names need not show them
        return any(not each.path and not (shows and each.says) for each in self._far(host, flow, up=up))

    def _far(self, host: str, flow: FarEnd, *, up: bool) -> tuple[FlowFilter, ...]:
        return tuple(each for each in self._of(host, flow, up=up) if not each.question)

    def _all(self) -> Iterator[FlowFilter]:
        return (each for found in self.named.values() for each in found)

    def _of(self, host: str, flow: FarEnd, *, up: bool) -> Iterator[FlowFilter]:
        """Yield the filters of a host's name, or of one that it is below, that a flow fits by its header."""
        for name in _above(host):
            yield from (each for each in self.named.get(name, ()) if each.fits(flow, up=up))


def _in_ipv6(filter_: FlowFilter) -> Iterator[FlowFilter]:
    """Yield the filters of the IPv6 addresses that stand for a filter's IPv4 addresses."""
    for network in leading_to(filter_.network) if filter_.network is not None else ():
        yield filter_._replace(network=network)


def _above(host: str) -> Iterator[str]:
    yield host
    while "." in host:
        host = host.partition(".")[2]
        yield f"*.{host}"


class RuleSet:
    """The rules of a session. They never change: a session gets another set.

    `directed`: not every flow passes, so that each is judged. `denies`: some rules close their gates both ways.
    `charged` has one rule of those that do not for each way in which they are charged.
    """

    __slots__ = ("_all", "_allowing", "_apps", "charged", "denies", "directed", "one_way", "rules")

    def __init__(
        self, rules: Iterable[FlowRule] = (), resolvers: Iterable[str] = (), apps: Iterable[Blacklist] = ()
    ) -> None:
        """`resolvers` are the addresses that devices with rules by name may ask for these names, and for no others.

        `apps` are people's apps that are denied, before any rule counts.
        """
        given = tuple(rules)
        own = _questions(names_allowed(given), tuple(resolvers))
        self.rules = tuple(sorted((*given, *own), key=lambda each: (each.precedence, each.up + each.down)))
        self._all = tuple(map(_Rule, self.rules))
        self._allowing = tuple(each for each in self._all if not each.rule.denies)
        self._apps = tuple(apps)
        self.charged = tuple(
            {(each.rule.online, each.rule.rating_group): each.rule for each in self._allowing}.values()
        )
        self.denies = len(self._allowing) < len(self._all) or bool(self._apps)
        self.directed = self.rules != (ALL_FLOWS,) or bool(self._apps)
        #: whether packets of a flow may pass in one direction, and not in the other
        self.one_way = any(
            rule.up is not rule.down or any(not (each.up and each.down) for each in rule.filters) for rule in self.rules
        )

    def fit(self, flow: FarEnd, seen: Evidence = NOTHING, *, up: bool = True, denied: bool = True) -> Fit:
        """Return the rule that counts for packets of a flow; without `denied`, of those that do not close both gates.

        One that may yet count, by what the flow shows, is taken if none that counts for sure opens a gate.
        """
        for apps in self._apps if denied else ():
            if (app := _app_of(apps, flow, seen)) is not None:
                return Fit(FlowRule(f"app {app}", (), up=False, down=False))
        pending = None
        opened, closed = (self._sure(flow, seen, up=up, denies=each) for each in (False, True))
        for each in self._all if denied else self._allowing:
            fits = each.fit(flow, seen, sure=closed if each.rule.denies else opened, up=up)
            if fits:
                return Fit(pending, pending=True) if pending is not None and each.rule.denies else Fit(each.rule)
            if fits is None and pending is None:
                pending = each.rule
        return Fit(pending, pending=pending is not None)

    def _sure(self, flow: FarEnd, seen: Evidence, *, up: bool, denies: bool) -> bool:
        """Whether all names of a flow's address are listed, or denied: then it need not show which it is to."""
        if not seen.bound:
            return False
        rules = [each for each in self._all if each.named and each.rule.denies is denies]
        return bool(rules) and all(any(each.names(name, flow, up=up) for each in rules) for name in seen.bound)


@lru_cache(maxsize=1024)  # many cards have entries by the same names
def _questions(names: tuple[str, ...], resolvers: tuple[str, ...]) -> tuple[FlowRule, ...]:
    """Return the rule by which resolvers may be asked for names, if there is any of both."""
    asked = [each for name in names for to in resolvers for each in questions(name, Network.parse(to))]
    return (FlowRule("questions for listed names", tuple(asked), ALL_FLOWS.precedence - 1),) if asked else ()


def _app_of(apps: Blacklist, flow: FarEnd, seen: Evidence) -> str | None:
    """Return the app of people that a flow is of: by the name that it shows, else by those of its address, or by that.

    What is kept open beside an app is none of it, whatever its address is. An unreadable flow may be of each app that
    has a name at its address.
    """
    unreadable = seen.shown is not None and seen.shown.by == UNREADABLE
    if unreadable and (seen.strict or flow.port == DNS_PORT):
        return UNREADABLE
    names = seen.bound if seen.shown is None or seen.shown.unnamed or unreadable else (seen.shown.host,)
    found = [apps.by_name(each) for each in names]
    denied = [each for each in found if each is not None and each.denied]
    if denied and unreadable:
        return denied[0].who
    if any(each is not None and not each.denied for each in found):
        return None
    by_name: Entry | None = found[0] if found and all(found) else None
    entry = by_name or apps.by_address(flow.address)
    return entry.who if entry is not None and entry.denied else None


#: what sessions have of which nothing is known: nothing passes
NO_RULES: Final = RuleSet()
UNDIRECTED: Final = RuleSet((ALL_FLOWS,))
