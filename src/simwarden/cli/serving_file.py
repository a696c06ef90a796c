"""What a `serve` file says."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator

from simwarden.errors import PeerError
from simwarden.operations.management import Role
from simwarden.runtime.declare import Model, Networks, UtcOffset
from simwarden.runtime.transport.reception import Limits
from simwarden.wire.mqtt import check_topic

Carrier = Literal["", "tcp", "sctp", "sctp-udp"]


def _one_or_each(value: Any) -> Any:
    """Return one value for all interfaces as that of the interface ""."""
    return value if isinstance(value, dict) else {"": value}


def _carrier_or_each(value: Any) -> Any:
    """Return one carrier for all interfaces as that of the interface ""."""
    if not isinstance(value, dict) and value not in get_args(Carrier):
        raise ValueError(f"expected one of {', '.join(get_args(Carrier)[1:])}, or one for each interface")
    return _one_or_each(value)


class Managed(Model):
    """Where another element's management interface is."""

    url: str
    """http or https URL."""
    token: str = ""
    """The operator's bearer token there; `env:NAME` and `file:PATH` are read from there."""


class TokenEntry(Model):
    """A caller of the management interface."""

    token: str
    """Its bearer token, or `sha256:` and its hexadecimal hash; `env:NAME` and `file:PATH` are read from there."""
    role: Role = Role.OPERATOR
    """`operator` or `customer`."""
    accounts: tuple[str, ...] = ()
    """The accounts whose cards are a customer's own; a customer without one sees none."""


class EventsFile(Model):
    """Where events go; `events: {}` is enough."""

    broker: str = ""
    """mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS; by default a broker of ours in this process."""
    listen: str = ""
    """Of the broker of ours: where it listens; by default 127.0.0.1:1883."""
    authorities: str = ""
    """With TLS: a file of the certificates that the broker's is checked by; by default the system's."""
    certificate: str = ""
    """With TLS: a file of the element's own certificate, for a broker that asks for one."""
    key: str = ""
    """With TLS: the file of its private key, where that is not in the certificate's."""
    user: str = ""
    """User name at the broker."""
    password: str = ""
    """Password at the broker; `env:NAME` and `file:PATH` are read from there."""
    client: str = ""
    """Client identifier; by default `PREFIX-ELEMENT`. Two publishers with one throw each other out."""
    prefix: str = "simwarden"
    """The first levels of all topics."""
    most: int = Field(default=1_000_000, ge=1)
    """How many events may wait for the broker."""

    @field_validator("prefix")
    @classmethod
    def _may_begin_a_topic(cls, value: str) -> str:
        try:
            check_topic(value)
        except PeerError:
            value = ""
        if not value or value.startswith(("$", "/")) or value.endswith("/"):
            raise ValueError("levels of a topic, without wildcards, $ or / at an end, are expected")
        return value


class ServeFile(Model):
    """What a `serve` file says."""

    type: str = ""
    """The element's type; by default its name."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The element's settings, as in a network file."""
    transport: Annotated[dict[str, Carrier], BeforeValidator(_carrier_or_each)] = Field(default_factory=dict)
    """What carries S1-MME, X2 and M3UA: `sctp`, as specified, by the kernel or libusrsctp (`sctp-udp`: in UDP alone);
    or, only if asked for, `tcp`: messages of S1AP and X2AP are then in a frame of simwarden's own, which no real peer
    reads. Or one for each of some interfaces: Diameter (`S6a: sctp`) is on TCP unless it is named here."""
    listen: dict[str, str] = Field(default_factory=dict)
    """Interfaces and the addresses to listen on; by default 127.0.0.1 and the well-known port. A multi-homed endpoint
    of SCTP has several IPv4 addresses: `192.0.2.7,198.51.100.7:3868`."""
    source: Annotated[dict[str, str], BeforeValidator(_one_or_each)] = Field(default_factory=dict)
    """The local address, with or without a port, that connections to other elements are made from, or one for each
    interface; by default the system chooses. Of SCTP it may be several, as in `listen`."""
    reader: str = ""
    """A card only: host:port of the virtual reader (vsmartcard-vpcd) that it is put into, instead of listening."""
    peers: dict[str, Any] = Field(default_factory=dict)
    """Other elements by name: host:port, or one for each interface."""
    store: str = ""
    """URL of the database (`sqlite:///PATH`, `postgresql://...`; `env:NAME` and `file:PATH` are read from there); by
    default one that lives as long as the process."""
    management: str = ""
    """host:port of the management interface; empty: none."""
    tokens: dict[str, str | TokenEntry] = Field(default_factory=dict)
    """Callers of the management interface by name, which stands in audit records. A text is the token of a caller whose
    name is its role."""
    managed: dict[str, Managed] = Field(default_factory=dict)
    """Other elements whose management interface this one calls, by name."""
    subscribers: str = ""
    """A file of subscribers (as `simwarden export` writes it, YAML or JSON) to be provisioned at start; from a
    later start on only those whose row has changed."""
    events: EventsFile | None = None
    """Where events go; without it, nowhere."""
    utc_offset: UtcOffset = 8
    """Hours by which the operator's time is ahead of UTC, as in the network files of all its elements
    (docs/calendars.md)."""
    records: str = ""
    """A file to which flow records and CDRs are added, a line of JSON each (docs/records.md); without it, none are
    kept."""
    cdrs: str = ""
    """A file to which CDRs are added as octets: GPRSRecords of TS 32.298 in BER, one after the other; without it, none
    are kept so."""
    limits: Limits = Limits()
    """How many peers may connect to each interface, and how long they may stay silent."""
    allow: dict[str, Annotated[Networks, Field(min_length=1)]] = Field(default_factory=dict)
    """Addresses and networks (`192.0.2.0/24`) that peers may send from, by interface; those that share a port share
    them. An interface that is not listed here is open to all addresses."""

    @field_validator("events", mode="before")
    @classmethod
    def _may_be_a_word(cls, value: Any) -> Any:
        return {"": {}, "on": {}, "off": None}.get(value, value) if isinstance(value, str) else value
