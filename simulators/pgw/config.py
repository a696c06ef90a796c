"""Settings of a PGW. `profile.yaml` explains each with an example."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.operations.data_lists import DataLists, DestinationText
from simwarden.runtime.declare import (
    CellText,
    IpAddress,
    IpNetworkText,
    Model,
    Names,
    Networks,
    OptionalNetwork,
    Seconds,
)
from simwarden.runtime.gtp.charging import RecordLimits
from simwarden.runtime.gtp.config import GtpConfig, by_lower_apn

if TYPE_CHECKING:
    from collections.abc import Collection

#: QCIs of bearers with a guaranteed bit rate (TS 23.203 table 6.1.7)
GUARANTEED: Final = frozenset({1, 2, 3, 4, 65, 66, 67, 75})


#: networks that are not on the internet (RFC 6890)
INNER: Final = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("224.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
)


def _check_ports(value: str) -> str:
    first, _, last = value.partition("-")
    both = first, last or first
    if value and not (all(map(str.isdecimal, both)) and int(both[0]) <= int(both[1]) <= 65535):
        raise ValueError(f"{value} are no ports")
    return value


def _check_traffic_class(value: str) -> str:
    parts = value.split("/")
    if value and not (len(parts) == 2 and all(each.isdecimal() and int(each) <= 255 for each in parts)):
        raise ValueError(f"{value} is no traffic class with its mask")
    return value


def _check_protocol(value: int | str) -> int | str:
    if isinstance(value, int) and not 0 <= value <= 255:
        raise ValueError(f"{value} is no protocol")
    return value


class FilterConfig(Model):
    """Packets that go by a bearer (TS 24.008 10.5.6.12); what is not said is any."""

    direction: Literal["both", "uplink", "downlink"] = "both"
    """Packets of which direction."""
    remote: OptionalNetwork = ""
    """Network of the far end."""
    protocol: Annotated[int | Literal["tcp", "udp", "icmp", "icmpv6", ""], AfterValidator(_check_protocol)] = ""
    """Protocol, by name or number."""
    ports: Annotated[str, AfterValidator(_check_ports)] = ""
    """Port of the far end, or the first and the last (`5000-5010`)."""
    spi: int | None = Field(default=None, ge=0, le=0xFFFFFFFF)
    """Security parameter index of IPsec."""
    traffic_class: Annotated[str, AfterValidator(_check_traffic_class)] = ""
    """Traffic class, or type of service, with the mask by which it is compared (`184/252`: expedited forwarding)."""
    flow_label: int | None = Field(default=None, ge=0, le=0xFFFFF)
    """Flow label of IPv6."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        marks = self.spi, self.flow_label
        if not (self.remote or self.protocol or self.ports or self.traffic_class) and marks == (None, None):
            raise ValueError("a filter says a network, a protocol, ports or marks of packets")
        return self

    @property
    def protocol_number(self) -> int | None:
        """Number of the protocol, None for any."""
        if isinstance(self.protocol, int):
            return self.protocol
        return {"": None, "tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}[self.protocol]

    @property
    def class_and_mask(self) -> tuple[int, int] | None:
        """Traffic class and mask, None for any."""
        value, _, mask = self.traffic_class.partition("/")
        return (int(value), int(mask)) if mask else None

    @property
    def port_range(self) -> tuple[int, int] | None:
        """The first and the last port of the far end, None for any."""
        first, _, last = self.ports.partition("-")
        return (int(first), int(last or first)) if first else None


class BearerConfig(Model):
    """A dedicated bearer (TS 23.401 4.7.2): its quality, and which packets go by it."""

    qci: int = Field(default=9, ge=1, le=254)
    """QoS class identifier (TS 23.203 table 6.1.7); of 1 to 4, 65 to 67 and 75 rates are guaranteed."""
    priority: int = Field(default=8, ge=1, le=15)
    """Priority level of allocation and retention; 1 is the highest."""
    may_preempt: bool = False
    """Whether it may take the place of bearers of lower priority."""
    preemptable: bool = True
    """Whether those of higher priority may take its place."""
    guaranteed: tuple[int, int] = (0, 0)
    """Guaranteed kbit/s, uplink and downlink."""
    maximum: tuple[int, int] = (0, 0)
    """Most kbit/s of a bearer with guaranteed rates, uplink and downlink."""
    filters: Annotated[tuple[FilterConfig, ...], Field(min_length=1, max_length=15)]
    """Its packets, those of earlier filters first. Of several bearers the one that is named first counts."""

    @model_validator(mode="after")
    def _has_rates(self) -> Self:
        has = all(0 < rate <= most for rate, most in zip(self.guaranteed, self.maximum, strict=True))
        if (self.qci in GUARANTEED and not has) or (self.qci not in GUARANTEED and any(self.guaranteed + self.maximum)):
            raise ValueError(f"of QCI {self.qci} rates are {'' if self.qci in GUARANTEED else 'not '}guaranteed")
        return self


class ListedBearer(BearerConfig):
    """A dedicated bearer that is set up with each session."""

    cards: tuple[str, ...] = ()
    """IMSIs of the cards that have it; empty: all."""


def _check_ipv4(value: str) -> str:
    if value and ipaddress.ip_network(value).version != 4:
        raise ValueError(f"{value} is no IPv4 network")
    return value


def _check_ipv6(value: str) -> str:
    if value and (ipaddress.ip_network(value).version != 6 or ipaddress.ip_network(value).prefixlen > 64):
        raise ValueError(f"{value} is no IPv6 network of /64 prefixes")
    return value


def _off(value: object) -> object:
    return "" if value in ("off", False) else value


class ApnConfig(Model):
    """What sessions of an APN get."""

    ipv4: Annotated[IpNetworkText, AfterValidator(_check_ipv4)] = "10.64.0.0/16"
    """Network of dynamic IPv4 addresses; empty: no IPv4 here."""
    ipv6: Annotated[IpNetworkText, AfterValidator(_check_ipv6)] = "2001:db8:64::/48"
    """Network of dynamic /64 prefixes; empty: no IPv6 here."""
    static: Networks = ()
    """Networks of addresses and prefixes that subscriptions may have as static ones."""
    dns: tuple[IpAddress, ...] = (
        "192.0.2.53",
        "2001:db8::53",
    )
    """DNS servers that a device is told when it asks, of both versions of IP."""
    inner_networks: Networks | None = None
    """Networks to which no listed name leads, whatever a DNS answer says (DNS rebinding); the addresses of all APNs are
    added. By default those for special purposes (RFC 6890). For a private APN whose servers are there, list none (`[]`)
    or others."""
    mtu: int = Field(default=1358, ge=1280, le=9000)
    """MTU that a device is told when it asks; what GTP leaves of 1500 octets (TS 23.060 annex C)."""
    bearers: dict[str, ListedBearer] = Field(default_factory=dict, max_length=10)
    """Dedicated bearers, by name, that sessions get when their default bearer stands."""
    requests: dict[str, ListedBearer] = Field(default_factory=dict, max_length=10)
    """Dedicated bearers, by name, that devices may ask for; all else that they ask for is refused."""
    stateful_gate: bool = False
    """Forward a packet from outside only if it belongs to a flow that the device began, or comes from a server that a
    rule of the card names. Devices keep their addresses: there is no NAT."""
    charging_pause: bool = True
    """Pause charging while the SGW does not reach the device (TS 23.401 5.3.6A)."""
    report_location: bool = False
    """Whether each change of tracking area and cell is asked for, of an MME that can report it (CRSI)."""
    gx: Annotated[str, Names("pcrf"), BeforeValidator(_off)] = ""
    """The PCRF by which alone its sessions are ruled; empty, or `off`: this node's own provisioning."""
    unmatched: Literal["drop", "pass"] = "drop"
    """What becomes of flows that no rule of the PCRF is about: TS 23.203 says that they are dropped, a foreign PCRF may
    expect otherwise. `pass` is a leak: whom a list does not name is reached."""
    gy: Annotated[str, Names("ocs"), BeforeValidator(_off)] = ""
    """The OCS that grants its sessions their octets; empty, or `off`: none has to."""
    without_ocs: Literal["end", "continue"] = "end"
    """What becomes of sessions whose OCS does not answer, and has said before that they go on without it (CONTINUE,
    RFC 8506 8.14). `continue` is a leak: nobody counts what passes then."""
    not_applicable: Literal["pass", "end"] = "pass"
    """What an OCS's answer that credit control is not applicable does (4011, RFC 8506 9.1): `pass` lets the session or
    the rating group pass uncounted, unless the OCS has granted the session units before. `end` refuses it, for an APN
    all of whose cards have a quota: there `pass` is a leak, as such an answer makes a card's traffic free."""
    rating_group: int = Field(default=1, ge=0, le=0xFFFFFFFF)
    """The rating group of what is passed by a rule that names none."""

    @model_validator(mode="after")
    def _is_ruled(self) -> Self:
        if self.unmatched == "pass" and not self.gx:
            raise ValueError("unmatched flows pass only where a PCRF rules (gx)")
        if self.not_applicable == "end" and not self.gy:
            raise ValueError("an answer of an OCS ends sessions only where they have one (gy)")
        if self.without_ocs == "continue" and not self.gy:
            raise ValueError("sessions go on without an OCS only where they have one (gy)")
        return self


class PgwArea(Model):
    """The cells to which a card's packets are bound, by the location that the MME reports (TS 23.401 5.9.2.2)."""

    by: Literal["pgw"] = "pgw"
    """Who checks."""
    cells: Annotated[tuple[CellText, ...], Field(min_length=1)]
    """Its cells, as E-CGI (`001-01-0000101`) or by name (`enb/1`). Network and eNB identity (`001-01-00001`, `enb/*`)
    stand for all cells of a base station."""


class AreaChange(Approval, PgwArea):
    """Body of `PUT /cards/{imsi}/area`."""


class PgwData(DataLists):
    """With whom a card exchanges packets, by the PGW's own provisioning."""

    by: Literal["pgw"] = "pgw"
    """Who checks."""


class DataChange(Approval, PgwData):
    """Body of `PUT /cards/{imsi}/data`."""


class PgwConfig(GtpConfig):
    """Settings of a PGW."""

    sgws: tuple[Annotated[str, Names("sgw")], ...] = ("sgw",)
    """Elements, or IP addresses, whose requests it takes; others get cause 109."""
    apns: Annotated[dict[str, ApnConfig], Field(min_length=1), AfterValidator(by_lower_apn)] = Field(
        default_factory=lambda: {"*": ApnConfig()}
    )
    """APNs that it serves, in any case; `*`: any other. Others get cause 78."""
    emergency_apns: tuple[Annotated[str, AfterValidator(str.lower)], ...] = ("sos",)
    """APNs of calls for help, which are for cards of any number and for terminals without one."""
    emergency_networks: Networks = ()
    """Networks that their packets may go to and come from; no other."""
    partial_records: RecordLimits = RecordLimits()
    """When a CDR is closed though its session goes on, in another one."""
    flow_interval: Seconds = Field(default=1800.0, ge=0)
    """How long a flow goes on until it has a record, again and again; 0: when it is idle or ends."""
    area_changes: ChangeLimit = ChangeLimit()
    """How often the cells to which a card's packets are bound may be changed or taken away."""
    list_changes: ChangeLimit = ChangeLimit()
    """How often the lists of destinations that a card has may be changed or taken away."""
    unnamed_octets: int = Field(default=4096, ge=0)
    """Octets of a flow, both ways together, that pass before it has shown the name that it has to show."""
    hello_octets: int = Field(default=20480, ge=0)
    """Octets of a flow, both ways together, that pass while its ClientHello (TLS, QUIC) has begun and is not whole, if
    that is more than `unnamed_octets`: a hello with a large session ticket or post-quantum keys has up to 16 KiB."""
    refused_questions: Literal["drop", "answer", "nxdomain"] = "drop"
    """Questions to the resolvers of the APN (DNS over UDP) that the card's lists do not admit. `drop`: the device waits
    for an answer. `answer`: the PGW answers REFUSED in the resolver's name, so that the device need not wait.
    `nxdomain`: it answers NXDOMAIN, as if the name did not exist."""
    refused_flows: Literal["drop", "answer"] = "drop"
    """Other packets of a device that the card's lists do not admit. `drop`: the device waits for an answer. `answer`:
    the PGW resets a TCP connection in the name of its destination, and answers all else with an error of ICMP or ICMPv6
    (administratively prohibited), within the APN-AMBR. Packets to the device are never answered."""
    answer_grace: Seconds = 129600.0
    """Grace, from its last packet on, of an address of a listed name that a card has used before the resolver's answer
    ended; the server reaches the card as long. The default covers a device that reports once a
    day. `0`: new flows need an answer that has not ended."""
    unreadable: Literal["by-address", "deny"] = "by-address"
    """Unreadable flows (HTTP/2 in the clear, octets that servers read in two ways) of a card to which names or apps are
    denied. `by-address`: they are dropped where a resolver gave the card a denied name for their address. `deny`: all
    of them are dropped, also those of devices that use such a protocol with other servers."""
    applications: dict[str, Annotated[tuple[DestinationText, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Filters by which rules of a PCRF are told: identifiers, or names of predefined rules, with their destinations."""
    answer_time: Seconds = Field(default=4.0, gt=0)
    """How long a PCRF or an OCS may take to answer; less than an SGW waits for a session."""
    origin_host: str = ""
    """Diameter identity; by default the element's name in the network's realm."""
    realm: str = ""
    """Origin-Realm, and that of its PCRFs and OCSs; by default the network's realm (TS 23.003 19.2)."""
    app_lists: str = ""
    """File of people's apps beside those that come with simwarden."""
    ranges: str = ""
    """File of number ranges in place of those that come with simwarden."""
    internet: Annotated[str, Names("element")] = "internet"
    """The element on SGi, to which packets go; empty, or not there: there is no way out, and they are dropped."""

    def asks(self, name: str, apns: Collection[str]) -> bool:
        """Return True if sessions by one of a card's APNs take rules or octets from a server."""
        servers = {each for apn in self.apns.values() for each in (apn.gx, apn.gy)}
        chosen = [self.apns.get(each.lower()) or self.apns.get("*") for each in apns]
        return not apns or name not in servers or any(each and name in (each.gx, each.gy) for each in chosen)

    def refuses(self, section: str, *, asked: bool) -> str:
        """Take no lists where a PCRF rules the sessions of each APN: they would not be asked."""
        del asked
        if section != "data" or not all(each.gx for each in self.apns.values()):
            return ""
        peers = ", ".join(dict.fromkeys(each.gx for each in self.apns.values()))
        return f"sessions of its APNs take their rules from Gx (gx: {peers}) and from nothing else"
