"""Which flows of a session pass: the rules that PCRF, PGW and OCS share (PCC rules, TS 23.203 6.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.model.network import Network
    from simwarden.policy.access_list import Destination

_TCP, _UDP = 6, 17
#: port of resolvers (RFC 1035 4.2)
DNS_PORT: Final = 53


class FlowFilter(NamedTuple):
    """Ends of flows (a service data flow filter, TS 23.203 6.2.2.2), for packets of some direction; None is any.

    `network`, `name` and `ports` are of the far end. A `name` is in lower case, `*.` before it stands for all names
    below; a `path` (a prefix of it) can be told of clear HTTP only. Both are told by what a flow shows. `says`: its
    flows show their names, so that one that does not is none of these. `question`: the name is none of the far end, but
    one that a resolver is asked for.
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
    says: bool = False

    @property
    def shown(self) -> bool:
        """Whether its flows are told by what they show, not by their headers alone."""
        return bool(self.name or self.path or self.says)

    def fits(self, flow: FarEnd, *, up: bool) -> bool:
        """Whether a packet of a flow, from the device (`up`) or to it, is one of these by its header alone."""
        return (
            (self.up if up else self.down)
            and (self.protocol is None or self.protocol == flow.protocol)
            and (self.ports is None or flow.port in self.ports)
            and (self.local_ports is None or flow.local_port in self.local_ports)
            and (self.network is None or self.network.has(flow.address))
        )


class FarEnd(NamedTuple):
    """With whom a flow is: protocol, address (4 or 16 octets) and port of the far end, and the device's own port."""

    protocol: int
    address: bytes
    port: int
    local_port: int = 0


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

    Of rules that a flow fits the one with the least `precedence` counts, of several with the same one that closes more
    gates. `up` and `down`: its gates are open in that direction. `application`: its filters are those of this
    TDF-Application-Identifier. `online`: whether an OCS grants its octets; None leaves that to the session's default
    charging method. `quality`: None is that of the default bearer. `monitoring_key`: under which its use is counted.
    """

    name: str
    filters: tuple[FlowFilter, ...]
    precedence: int = 0
    up: bool = True
    down: bool = True
    application: str = ""
    rating_group: int | None = None
    online: bool | None = None
    quality: Quality | None = None
    monitoring_key: bytes = b""

    @property
    def denies(self) -> bool:
        """Whether its gates are closed both ways (Flow-Status DISABLED, TS 29.212 5.3.11)."""
        return not (self.up or self.down)

    @property
    def names_far_end(self) -> bool:
        """Return True if each filter names a network or a host."""
        return bool(self.filters) and all(
            each.name or (each.network is not None and each.network.length) for each in self.filters
        )


#: of a card whose data is not directed
ALL_FLOWS: Final = FlowRule("all flows", (FlowFilter(),), precedence=1 << 31)
#: of a session whose PCRF expects that all passes that its rules say nothing of
UNMATCHED: Final = FlowRule("unmatched", (FlowFilter(),), precedence=(1 << 32) - 1)
#: where rules of lists begin: what is denied comes before all that is allowed, however long a list is
_DENIED, _ALLOWED = 100, 1000


def rules_of(whitelist: Iterable[Destination] | None, blacklist: Iterable[Destination] = ()) -> tuple[FlowRule, ...]:
    """Return the rules that lists of destinations stand for; without a whitelist (None) all that is not denied passes.

    A rule is called as its entry is written. A denied name may be no name of the far end, and is not asked for either.
    """
    denied = [
        FlowRule(f"not {each.text}", tuple(_denied(each)), min(_DENIED + number, _ALLOWED - 1), up=False, down=False)
        for number, each in enumerate(blacklist)
    ]
    if whitelist is None:
        return (*denied, ALL_FLOWS)
    allowed = [FlowRule(each.text, (_filter(each),), _ALLOWED + number) for number, each in enumerate(whitelist)]
    return (*denied, *allowed)


def _filter(entry: Destination) -> FlowFilter:
    name = entry.host if isinstance(entry.host, str) else ""
    network = None if isinstance(entry.host, str) else entry.host
    name = "" if name == "*" else name
    return FlowFilter(network, entry.protocol, entry.ports, name=name, path=entry.path, says=entry.says)


def _denied(entry: Destination) -> Iterator[FlowFilter]:
    yield (found := _filter(entry))
    if found.name and not found.path:
        yield from questions(found.name)


def questions(name: str, resolver: Network | None = None) -> tuple[FlowFilter, FlowFilter]:
    """Return the flows in which a resolver (None: any) is asked for a name, by UDP and TCP (RFC 1035 4.2)."""
    port = range(DNS_PORT, DNS_PORT + 1)
    by_udp = FlowFilter(resolver, _UDP, port, name=name, question=True)
    return by_udp, by_udp._replace(protocol=_TCP)


def names_allowed(rules: Iterable[FlowRule]) -> tuple[str, ...]:
    """Return the names of far ends that rules let flows pass to, each once."""
    found = [each.name for rule in rules if not rule.denies for each in rule.filters if each.name and not each.question]
    return tuple(dict.fromkeys(found))
