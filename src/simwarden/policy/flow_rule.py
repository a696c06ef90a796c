"""Which flows of a session pass: the rules that PCRF, PGW and OCS share (PCC rules, TS 23.203 6.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.policy.access_list import Destination, Network


class FlowFilter(NamedTuple):
    """Ends of flows (a service data flow filter, TS 23.203 6.2.2.2), for packets of some direction; None is any.

    `network`, `name` and `ports` are of the far end. A `name` is in lower case, `*.` before it stands for all names
    below; a `path` (a prefix of it) can be told of clear HTTP only. Both are told by what a flow shows.
    """

    network: Network | None = None
    protocol: int | None = None
    ports: range | None = None
    local_ports: range | None = None
    up: bool = True
    down: bool = True
    name: str = ""
    path: str = ""
    question: bool = False

    def fits(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether a flow of that protocol with that far end is one of these; the address is 4 or 16 octets."""
        return (
            (self.protocol is None or self.protocol == protocol)
            and (self.ports is None or port in self.ports)
            and (self.network is None or self.network.has(address))
        )


class Quality(NamedTuple):
    """The QoS of a rule's bearer (TS 23.203 6.3.1): QCI, ARP, rates in bit/s (0: none)."""

    qci: int
    priority: int = 15
    may_preempt: bool = False
    preemptable: bool = True
    maximum_up: int = 0
    maximum_down: int = 0
    guaranteed_up: int = 0
    guaranteed_down: int = 0


class FlowRule(NamedTuple):
    """Flows, those of any filter, and what becomes of them (a PCC rule, TS 23.203 6.3.1).

    Of rules that a flow fits the one with the least `precedence` counts. `up` and `down`: its gates are open in that
    direction. `application`: its filters are those of this TDF-Application-Identifier. `quality`: None is that of the
    default bearer.
    """

    name: str
    filters: tuple[FlowFilter, ...]
    precedence: int = 0
    up: bool = True
    down: bool = True
    application: str = ""
    rating_group: int | None = None
    online: bool = False
    offline: bool = False
    monitoring_key: str = ""
    quality: Quality | None = None

    def fits(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether the rule is about a flow of that protocol with that far end."""
        return any(each.fits(protocol, address, port) for each in self.filters)


#: of a card whose data is not directed
ALL_FLOWS: Final = FlowRule("all flows", (FlowFilter(),), precedence=1 << 31)


def rule_of(rules: Iterable[FlowRule], protocol: int, address: bytes, port: int) -> FlowRule | None:
    """Return the first of some rules that is about a flow; None: no rule, so no packet passes."""
    return next((each for each in rules if each.fits(protocol, address, port)), None)


_TCP, _UDP, _DNS = 6, 17, 53
#: where rules of lists begin: what is denied comes before all that is allowed
_DENIED, _ALLOWED = 100, 1000


def rules_of(
    whitelist: Iterable[Destination] | None, blacklist: Iterable[Destination] = ()
) -> tuple[FlowRule, ...]:
    """Return the rules that lists of destinations stand for; without a whitelist (None) all that is not denied passes.

    A rule is called as its entry is written. A denied name may be no name of the far end, and is not asked for either.
    """
    denied = [
        FlowRule(f"not {each.text}", tuple(_denied(each)), _DENIED + number, up=False, down=False)
        for number, each in enumerate(blacklist)
    ]
    if whitelist is None:
        return (*denied, ALL_FLOWS)
    allowed = [FlowRule(each.text, (_filter(each),), _ALLOWED + number) for number, each in enumerate(whitelist)]
    return (*denied, *allowed)


def _filter(entry: Destination) -> FlowFilter:
    name = entry.host if isinstance(entry.host, str) else ""
    network = None if isinstance(entry.host, str) else entry.host
    return FlowFilter(network, entry.protocol, entry.ports, name="" if name == "*" else name, path=entry.path)


def _denied(entry: Destination) -> Iterator[FlowFilter]:
    yield (found := _filter(entry))
    if found.name and not found.path:
        yield from questions(found.name)


def questions(name: str, resolver: Network | None = None) -> tuple[FlowFilter, FlowFilter]:
    """Return the flows in which a resolver (None: any) is asked for a name, by UDP and TCP (RFC 1035 4.2)."""
    port = range(_DNS, _DNS + 1)
    by_udp = FlowFilter(resolver, _UDP, port, name=name, question=True)
    return by_udp, by_udp._replace(protocol=_TCP)
