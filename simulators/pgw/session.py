"""A session: one PDN connection of a card, its tunnel, what it may and what it did."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.pgw.flow_table import FlowTable
from simwarden.machine.inspection.bindings import Bindings
from simwarden.machine.ip_fragments import Fragments
from simwarden.policy.rule_set import NO_RULES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from simulators.pgw.clients.gx_rules import Rules
    from simulators.pgw.credit import Credit
    from simulators.pgw.flow_table import FlowKind
    from simulators.pgw.pools import Addresses
    from simulators.pgw.usage import Monitor
    from simwarden.machine.inspection.watch import Watch
    from simwarden.machine.ip_fragments import Whole
    from simwarden.machine.token_bucket import Bucket
    from simwarden.model.identity import Plmn
    from simwarden.policy.flow_rule import FlowRule
    from simwarden.policy.rule_set import RuleSet, Shown
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.gtp.charging import Account
    from simwarden.wire.gtpv2 import Ambr, BearerQos, FTeid, Paa, RatType, UeTimeZone, Uli
    from simwarden.wire.tft import Filter

    #: by which access a session is, where, in which time zone, in which network, and by which SGW
    Access = tuple[RatType | None, Uli | None, UeTimeZone | None, Plmn | None, str]


#: seconds without a packet after which a flow is idle (RFC 4787 4.3), and a connection (RFC 5382 5)
IDLE: Final = 300.0
IDLE_CONNECTION: Final = 7440.0
#: why packets are dropped above the APN-AMBR (TS 23.401 4.7.3), and above what a bearer with guaranteed rates may have
OVER_AMBR: Final = "ambr: above the rate of the session's APN"
OVER_MBR: Final = "mbr: above the rate of its bearer"
OVER_RULE: Final = "mbr: above the rate of its rule"
#: the state of a session of which nothing is in use; what changes is made then
EMPTY: Final[Mapping[Any, Any]] = MappingProxyType({})
#: the rating group of rules that are not charged online (Online 0, TS 29.212 5.3.10)
FREE: Final = -1


@dataclass(slots=True, eq=False)
class Bearer:
    """A dedicated bearer of a session (TS 23.401 4.7.2); `sgw_user` is the SGW's end of its tunnel, None before."""

    name: str
    qos: BearerQos
    filters: tuple[Filter, ...]
    #: those of the session, or its own if its rates are guaranteed
    uplink: Bucket
    downlink: Bucket
    charging_id: int
    ebi: int = 0
    user_teid: int = 0
    sgw_user: FTeid | None = None
    #: whether the device has asked for it
    requested: bool = False


class Counters(NamedTuple):
    """Packets and octets of a flow."""

    uplink_packets: int = 0
    uplink_octets: int = 0
    downlink_packets: int = 0
    downlink_octets: int = 0
    dropped_packets: int = 0
    dropped_octets: int = 0

    def since(self, before: Counters) -> Counters:
        """Return what has been counted since."""
        return Counters(*(now - then for now, then in zip(self, before, strict=True)))


@dataclass(slots=True, eq=False, repr=False)
class FlowCount:
    """What passed of one 5-tuple, and what did not."""

    began: float
    #: True if its first packet was the device's
    outbound: bool = field(kw_only=True)
    ended: float = field(init=False)
    passed: float = field(init=False)
    #: its class in the table of flows, and when it was moved there last
    kind: FlowKind | None = None
    moved: float = field(init=False)
    #: by which rules it was decided, and by which no packet of it has to be judged any more
    rules: RuleSet | None = None
    settled: RuleSet | None = None
    #: whether it passes, from the device and to it; None: that is not decided yet
    up: bool | None = None
    down: bool | None = None
    #: the rule that it passes by, and its rating group, None: the rule names none; FREE: no octets are asked for
    rule: FlowRule | None = None
    group: int | None = None
    #: passes by a rule that names the remote endpoint
    listed: bool = False
    #: decision of the gate: the device began the flow, the server is listed, and the reason if it is closed
    gate: tuple[bool, bool, str] | None = None
    #: whether it passes only if it shows a name
    pending: bool = False
    #: the octets that had passed when it had to show none, and those that wait to be granted
    named_at: int = 0
    waiting: int = 0
    #: who refused it last, and why
    refused_by: str = ""
    why: str = ""
    #: what it has shown last, and the names of its far end's address by which it was decided
    shown: tuple[Shown, ...] = ()
    bound: tuple[str, ...] = ()
    #: from when on a packet of the card renews its relation with the server
    renew: float = math.inf
    #: names of its address as it began, and those that it showed; who looks at what it shows, if it may
    names: tuple[str, ...] = ()
    watch: Watch | None = None
    uplink_packets: int = 0
    uplink_octets: int = 0
    downlink_packets: int = 0
    downlink_octets: int = 0
    dropped: int = 0
    dropped_octets: int = 0
    #: the rule that has dropped some, and the rate above which some were
    closed_by: str = ""
    over: str = ""
    #: that rule dropped the last packet
    closed: bool = False
    #: packets and octets in its records so far, and when the last one was written; None: there is no record yet
    recorded: Counters | None = None
    recorded_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.ended = self.passed = self.moved = self.recorded_at = self.began

    @property
    def counters(self) -> Counters:
        """What passed up and down, and what was dropped, in packets and octets."""
        up, down = (self.uplink_packets, self.uplink_octets), (self.downlink_packets, self.downlink_octets)
        return Counters(*up, *down, self.dropped, self.dropped_octets)


@dataclass(slots=True)
class ServiceUse:
    """Octets that a rating group has used, and when first and last."""

    first: float
    last: float
    uplink: int = 0
    downlink: int = 0


@dataclass(slots=True, eq=False)
class Session:
    """A PDN connection."""

    owner: str
    imsi: str
    msisdn: str
    mei: str
    apn: str
    ebi: int
    paa: Paa
    ambr: Ambr
    qos: BearerQos
    addresses: Addresses
    charging_id: int
    opened: dt.datetime
    #: the SGW's ends, and ours
    sgw: FTeid
    sgw_user: FTeid
    teid: int = 0
    user_teid: int = 0
    #: from where the SGW has sent the request that it is the SGW by
    sgw_host: str = ""
    #: TEIDs of all tunnels for its packets, until the SGW has ended them too
    tunnels: tuple[int, ...] = ()
    rat: RatType | None = None
    uli: Uli | None = None
    #: whether each change of that is reported (TS 23.401 5.9.2.2)
    reported: bool = False
    #: whether the MME can report it (CRSI, TS 29.274 8.12)
    reportable: bool = False
    #: what flows may pass; no other does
    rules: RuleSet = NO_RULES
    #: what its PCRF has told, None: it has none
    gx: Rules | None = None
    #: what its OCS has granted, None: it needs no grant
    credit: Credit[Session] | None = None
    #: what is reported of its use to its PCRF, None: nothing
    usage: Monitor | None = None
    #: the SGW may pause its charging, and has done so (TS 23.401 5.3.6A)
    pausable: bool = False
    paused: bool = False
    #: the largest packet to the device during a pause: its size and its flow
    largest: tuple[int, FlowCount | None] = (0, None)
    #: what its OCS wants to have in its records (PS-Furnish-Charging-Information, TS 32.299 7.2)
    furnished: bytes = b""
    #: the rates of rules that have one, by their names
    rates: Mapping[str, tuple[Bucket, Bucket]] = field(default_factory=lambda: EMPTY)
    #: whether it is a call for help, which no card's lists are about
    confined: bool = False
    #: fragments of packets that are not whole yet, to the device and from it; None: there were none
    fragments: tuple[Fragments, Fragments] | None = None
    #: by which rule no packets pass, empty if they do
    closed_by: str = ""
    time_zone: UeTimeZone | None = None
    serving_network: Plmn | None = None
    charging_characteristics: bytes = b""
    selection_mode: int = 0
    #: source addresses that are the device's: octets of the IPv4 address, and of the prefix
    ipv4: bytes = b""
    prefix: bytes = b""
    uplink: Bucket = field(init=False)
    downlink: Bucket = field(init=False)
    #: dedicated bearers by name, in the order in which their filters count
    bearers: dict[str, Bearer] = field(default_factory=dict)
    flows: FlowTable[FlowCount] = field(default_factory=FlowTable)
    #: what its rating groups have used since its last record, where a server rules or grants them
    services: Mapping[int, ServiceUse] = field(default_factory=lambda: EMPTY)
    #: when flows are recorded next, while the session goes on
    flow_timer: Timer | None = None
    #: what resolvers told the device
    bindings: Bindings = field(default_factory=Bindings)
    account: Account = field(init=False)

    @property
    def key(self) -> tuple[str, int]:
        """By which it is found: a card (or a terminal without one), and its default bearer."""
        return self.owner, self.ebi

    def bearer(self, ebi: int) -> Bearer | None:
        """Return a dedicated bearer by its identity; one that is being set up has none yet."""
        return next((each for each in self.bearers.values() if each.sgw_user is not None and each.ebi == ebi), None)

    def count_service(self, group: int | None, octets: int, now: float, *, up: bool) -> None:
        """Count octets for a rating group, by default that of the APN."""
        number = self.addresses.config.rating_group if group is None else group
        use = self.services.get(number)
        if use is None:
            use = ServiceUse(now, now)
            self.services = {**self.services, number: use}
        use.last = now
        if up:
            use.uplink += octets
        else:
            use.downlink += octets

    def reassemble(self, fragment: bytes, now: float, *, up: bool) -> Whole | None:
        """Take a fragment; return its packet if that is whole now. Raises PeerError."""
        if self.fragments is None:
            self.fragments = Fragments(), Fragments()
        return self.fragments[up].take(fragment, now)

    @property
    def gated(self) -> bool:
        """Return True if packets from outside have to pass the stateful gate of the APN; emergency sessions do not."""
        return self.addresses.config.stateful_gate and not self.confined

    @property
    def inspected(self) -> bool:
        """Return True if each packet is inspected, and fragments are reassembled for that."""
        return self.rules.directed or self.gated

    @property
    def access(self) -> Access:
        """By which access it is, where, in which time zone, in which network, and by which SGW."""
        return self.rat, self.uli, self.time_zone, self.serving_network, self.sgw.address

    def group_of(self, rule: FlowRule) -> int | None:
        """Return the rating group of a rule; FREE for one that is not charged online."""
        return FREE if self.gx is not None and not self.gx.is_online(rule) else rule.rating_group

    def moved(self, uli: Uli | None) -> bool:
        """Count from now on for another place; whether it is one."""
        moved = self.account.moved(uli)
        if moved:
            self.uli = uli
        return moved
