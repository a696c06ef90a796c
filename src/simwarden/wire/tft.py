"""Traffic flow templates (TS 24.008 10.5.6.12): which packets go by a dedicated bearer.

They are octets to GTP, S1AP and the MME, which carry them as they are; the PGW writes them, the device reads them.
"""

from __future__ import annotations

import ipaddress
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.ip import marks_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.wire.ip import Flow

#: SPI, traffic class and flow label of a filter to which they are all the same
_UNMARKED: Final = (None, None, None)
#: filters of one template, of which four bits tell the number
MOST_FILTERS: Final = 15


class Operation(IntEnum):
    """What a template does to the one that a bearer has."""

    CREATE = 1
    DELETE = 2
    ADD_FILTERS = 3
    REPLACE_FILTERS = 4
    DELETE_FILTERS = 5
    NONE = 6


class Direction(IntEnum):
    """For packets of which direction a filter is; those of before release 7 are for packets to the device."""

    PRE_RELEASE_7 = 0
    DOWNLINK = 1
    UPLINK = 2
    BOTH = 3


class TftError(PeerError):
    """A template cannot be carried out; `filters`: because of its packet filters, `semantic`: they can be read."""

    def __init__(self, reason: str, *, filters: bool = False, semantic: bool = False) -> None:
        super().__init__(reason)
        self.filters, self.semantic = filters, semantic


class Filter(NamedTuple):
    """A packet filter; what is not said is any. Ports are from the first to the last."""

    identifier: int = 0
    precedence: int = 0
    """Of filters that fit the one with the least decides, of all bearers of a PDN connection."""
    direction: Direction = Direction.BOTH
    remote: str = ""
    """The far end's network, with its prefix length."""
    local: str = ""
    protocol: int | None = None
    local_ports: tuple[int, int] | None = None
    remote_ports: tuple[int, int] | None = None
    spi: int | None = None
    """Of IPsec: the security parameter index."""
    traffic_class: tuple[int, int] | None = None
    """Traffic class, or type of service, and the mask by which it is compared."""
    flow_label: int | None = None

    def fits(self, flow: Flow, packet: bytes) -> bool:
        """Whether a packet, of a flow as the device sends it, is of this filter."""
        return (
            self.protocol in (None, flow.protocol)
            and _within(self.remote_ports, flow.destination_port)
            and _within(self.local_ports, flow.source_port)
            and _of(self.remote, flow.destination)
            and _of(self.local, flow.source)
            and ((self.spi, self.traffic_class, self.flow_label) == _UNMARKED or self._marked(packet))
        )

    def _marked(self, packet: bytes) -> bool:
        try:
            marks = marks_of(packet)
        except PeerError:
            return False
        value, mask = self.traffic_class or (0, 0)
        return (
            (marks.traffic_class ^ value) & mask == 0
            and self.spi in (None, marks.spi)
            and self.flow_label in (None, marks.flow_label)
        )

    def is_for(self, *, up: bool) -> bool:
        """Whether it is for packets from the device, or for those to it."""
        wanted = Direction.UPLINK if up else Direction.DOWNLINK
        return self.direction in (wanted, Direction.BOTH) or (self.direction is Direction.PRE_RELEASE_7 and not up)


class Tft(NamedTuple):
    """A template: an operation, with filters or (of a deletion) their identifiers."""

    operation: Operation
    filters: tuple[Filter, ...] = ()
    deleted: tuple[int, ...] = ()


def _within(ports: tuple[int, int] | None, port: int) -> bool:
    return ports is None or ports[0] <= port <= ports[1]


def _of(network: str, address: bytes) -> bool:
    if not network:
        return True
    whole = ipaddress.ip_network(network)
    return whole.max_prefixlen == len(address) * 8 and ipaddress.ip_address(address) in whole


def first_that_fits(filters: Iterable[Filter], flow: Flow, packet: bytes, *, up: bool) -> Filter | None:
    """Return the filter with the least precedence that a packet fits."""
    found = [each for each in filters if each.is_for(up=up) and each.fits(flow, packet)]
    return min(found, key=lambda each: each.precedence, default=None)


# -- octets


_FOUR, _FOUR_LOCAL, _SIX_MASK, _SIX, _SIX_LOCAL = 0x10, 0x11, 0x20, 0x21, 0x23
_PROTOCOL, _LOCAL_PORT, _LOCAL_PORTS, _REMOTE_PORT, _REMOTE_PORTS = 0x30, 0x40, 0x41, 0x50, 0x51
_SPI, _CLASS, _LABEL = 0x60, 0x70, 0x80
#: components and their octets
_LENGTHS: Final = {_FOUR: 8, _FOUR_LOCAL: 8, _SIX_MASK: 32, _SIX: 17, _SIX_LOCAL: 17, _PROTOCOL: 1} | {
    _LOCAL_PORT: 2,
    _LOCAL_PORTS: 4,
    _REMOTE_PORT: 2,
    _REMOTE_PORTS: 4,
    _SPI: 4,
    _CLASS: 2,
    _LABEL: 3,
}
#: components of which a filter has one at most: of two no packet fits both, or each says the same (TS 23.060 15.3.2)
_EXCLUSIVE: Final = (
    {_FOUR, _SIX, _SIX_MASK},
    {_FOUR, _SIX_LOCAL},
    {_FOUR_LOCAL, _SIX, _SIX_MASK},
    {_FOUR_LOCAL, _SIX_LOCAL},
    {_LOCAL_PORT, _LOCAL_PORTS},
    {_REMOTE_PORT, _REMOTE_PORTS},
)


def encode(tft: Tft) -> bytes:
    """Return the octets of a template. Raises ValueError where it has too many filters, or ones too long."""
    count = len(tft.filters) or len(tft.deleted)
    if count > MOST_FILTERS:
        raise ValueError(f"a traffic flow template has {MOST_FILTERS} filters at most, not {count}")
    head = bytes((tft.operation << 5 | count,))
    if tft.operation is Operation.DELETE_FILTERS:
        return head + bytes(tft.deleted)
    return head + b"".join([_encode_filter(each) for each in tft.filters])


def _encode_filter(each: Filter) -> bytes:
    content = _network(each.remote, _FOUR, _SIX) + _network(each.local, _FOUR_LOCAL, _SIX_LOCAL)
    if each.protocol is not None:
        content += bytes((_PROTOCOL, each.protocol))
    content += _ports(each.local_ports, _LOCAL_PORT, _LOCAL_PORTS)
    content += _ports(each.remote_ports, _REMOTE_PORT, _REMOTE_PORTS)
    if each.spi is not None:
        content += bytes((_SPI,)) + each.spi.to_bytes(4)
    if each.traffic_class is not None:
        content += bytes((_CLASS, *each.traffic_class))
    if each.flow_label is not None:
        content += bytes((_LABEL,)) + each.flow_label.to_bytes(3)
    return bytes((each.direction << 4 | each.identifier, each.precedence, len(content))) + content


def _network(network: str, four: int, six: int) -> bytes:
    if not network:
        return b""
    whole = ipaddress.ip_network(network)
    if whole.version == 4:
        return bytes((four,)) + whole.network_address.packed + whole.netmask.packed
    return bytes((six,)) + whole.network_address.packed + bytes((whole.prefixlen,))


def _ports(ports: tuple[int, int] | None, one: int, several: int) -> bytes:
    if ports is None:
        return b""
    first, last = ports
    if first == last:
        return bytes((one,)) + first.to_bytes(2)
    return bytes((several,)) + first.to_bytes(2) + last.to_bytes(2)


def decode(octets: bytes) -> Tft:
    """Return a template. Raises TftError. Parameters after the filters are of no use here, and passed over."""
    if not octets:
        raise TftError("a traffic flow template without octets")
    count = octets[0] & 15
    try:
        operation = Operation(octets[0] >> 5)
    except ValueError:
        raise TftError(f"{octets[0] >> 5} is no operation of a traffic flow template") from None
    has_none = operation in (Operation.DELETE, Operation.NONE)
    if has_none is bool(count):
        raise TftError(f"a traffic flow template that is to {operation.name} has {count} filters")
    if operation is Operation.DELETE_FILTERS:
        if len(octets) < 1 + count:
            raise TftError("a list of packet filters that ends early")
        return Tft(operation, deleted=tuple(each & 15 for each in octets[1 : 1 + count]))
    return Tft(operation, _decode_filters(octets[1:], count, more=bool(octets[0] & 0x10)))


def _decode_filters(octets: bytes, count: int, *, more: bool) -> tuple[Filter, ...]:
    filters, at = [], 0
    for _ in range(count):
        content = octets[at + 3 : at + 3 + octets[at + 2]] if at + 3 <= len(octets) else b""
        if at + 3 > len(octets) or len(content) < octets[at + 2]:
            raise TftError(f"{count} packet filters, of which some are not there")
        filters.append(_decode_filter(octets[at], octets[at + 1], content))
        at += 3 + len(content)
    if not more and at < len(octets):
        raise TftError("octets after the packet filters")
    if len({each.identifier for each in filters}) < len(filters):
        raise TftError("two packet filters with one identifier", filters=True)
    if len({each.precedence for each in filters}) < len(filters):
        raise TftError("two packet filters with one precedence", filters=True)
    return tuple(filters)


def _decode_filter(head: int, precedence: int, content: bytes) -> Filter:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(content):
        kind = content[at]
        length = _LENGTHS.get(kind)
        value = content[at + 1 : at + 1 + (length or 0)]
        if length is None or len(value) < length or kind in found:
            raise TftError(f"component {kind:#04x} of a packet filter", filters=True)
        found[kind] = value
        at += 1 + length
    if not found:
        raise TftError("a packet filter without components", filters=True)
    if any(len(found.keys() & each) > 1 for each in _EXCLUSIVE):
        raise TftError("components of a packet filter that no packet fits together", filters=True, semantic=True)
    try:
        return Filter(
            head & 15,
            precedence,
            Direction(head >> 4 & 3),
            _read_network(found, _FOUR, _SIX, _SIX_MASK),
            _read_network(found, _FOUR_LOCAL, _SIX_LOCAL),
            found[_PROTOCOL][0] if _PROTOCOL in found else None,
            _read_ports(found, _LOCAL_PORT, _LOCAL_PORTS),
            _read_ports(found, _REMOTE_PORT, _REMOTE_PORTS),
            int.from_bytes(found[_SPI]) if _SPI in found else None,
            (found[_CLASS][0], found[_CLASS][1]) if _CLASS in found else None,
            int.from_bytes(found[_LABEL]) & 0xFFFFF if _LABEL in found else None,
        )
    except ValueError as error:
        raise TftError(f"a packet filter of {error}", filters=True) from None


def _read_network(found: dict[int, bytes], four: int, six: int, six_mask: int = 0) -> str:
    """Return a network; host bits that are set count for nothing. Raises ValueError."""
    if four in found:
        octets = found[four]
        address, mask = ipaddress.IPv4Address(octets[:4]), ipaddress.IPv4Address(octets[4:])
        return str(ipaddress.IPv4Network((address, str(mask)), strict=False))
    if six in found:
        octets = found[six]
        return str(ipaddress.IPv6Network((octets[:16], octets[16]), strict=False))
    if six_mask in found:
        octets = found[six_mask]
        ones = f"{int.from_bytes(octets[16:]):0128b}"
        if "01" in ones:
            raise ValueError("a mask that is no prefix")
        return str(ipaddress.IPv6Network((octets[:16], ones.count("1")), strict=False))
    return ""


def _read_ports(found: dict[int, bytes], one: int, several: int) -> tuple[int, int] | None:
    if one in found:
        port = int.from_bytes(found[one])
        return port, port
    if several in found:
        return int.from_bytes(found[several][:2]), int.from_bytes(found[several][2:])
    return None
