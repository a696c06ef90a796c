"""What information elements of GTPv2-C hold, as plain values; addresses are texts."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Tai  # noqa: TC001 - types of fields, read when somebody asks what may be
from simwarden.wire.gtpv2.enums import Cause, InterfaceType, PdnType  # noqa: TC001 - as above

Address = Annotated[str, v.ADDRESS.or_none()]


class IeType(NamedTuple):
    """Which element a cause is about: its type and instance."""

    type: int
    instance: int = 0


class CauseIe(NamedTuple):
    """A cause (8.4): whether the remote node gave it (CS), and what is wrong with which element."""

    value: Cause | int
    remote: bool = False
    bearer_context_error: bool = False
    pdn_connection_error: bool = False
    offending: IeType | None = None


class Ambr(NamedTuple):
    """Bit rates of all non-GBR bearers of an APN, in kbit/s (8.7)."""

    uplink: int
    downlink: int


class Arp(NamedTuple):
    """Allocation and retention priority (8.86)."""

    priority: int = 15
    may_preempt: bool = False
    preemptable: bool = True


class BearerQos(NamedTuple):
    """The QoS of a bearer (8.15); rates in kbit/s."""

    qci: int
    arp: Arp = Arp()
    mbr_uplink: int = 0
    mbr_downlink: int = 0
    gbr_uplink: int = 0
    gbr_downlink: int = 0


class FlowQos(NamedTuple):
    """The QoS that a device asks for (8.16); rates in kbit/s."""

    qci: int
    mbr_uplink: int = 0
    mbr_downlink: int = 0
    gbr_uplink: int = 0
    gbr_downlink: int = 0


class Paa(NamedTuple):
    """The addresses of a PDN connection (8.14): IPv4, IPv6 prefix with an interface identifier."""

    pdn_type: PdnType
    ipv4: Address = ""
    ipv6: Address = ""
    prefix_length: int = 64


class FTeid(NamedTuple):
    """An end of a tunnel (8.22)."""

    interface: InterfaceType | int
    teid: int
    ipv4: Address = ""
    ipv6: Address = ""

    @classmethod
    def at(cls, interface: InterfaceType, teid: int, address: str) -> FTeid:
        """Return an end at an IP address of either version."""
        return cls(interface, teid, ipv6=address) if ":" in address else cls(interface, teid, address)

    @property
    def end(self) -> tuple[int, str]:
        """Its TEID and address."""
        return self.teid, self.address

    @property
    def address(self) -> str:
        """Where to send to; IPv4 if there is a choice."""
        return self.ipv4 or self.ipv6

    @property
    def addresses(self) -> frozenset[str]:
        """Its addresses, of both versions of IP."""
        return frozenset(filter(None, (self.ipv4, self.ipv6)))


class Uli(NamedTuple):
    """Where a device is (8.21); locations of 2G and 3G, and eNB identities, as octets."""

    tai: Tai | None = None
    ecgi: Ecgi | None = None
    cgi: bytes | None = None
    sai: bytes | None = None
    rai: bytes | None = None
    lai: bytes | None = None
    macro_enodeb: bytes | None = None
    extended_macro_enodeb: bytes | None = None


class UeTimeZone(NamedTuple):
    """The device's time zone: hours from UTC, and those that are daylight saving time (8.44)."""

    hours: float
    daylight_saving: int = 0


class Unknown(NamedTuple):
    """An element that the message's grammar does not know; it is ignored (7.7.9)."""

    type: int
    instance: int
    octets: bytes
