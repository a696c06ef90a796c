"""Information elements of GTPv2-C (TS 29.274 8): number, name, length, and how each is read and written.

Reading is given octets of at least the element's shortest length, and raises ValueError where the content cannot be.
What follows the fields that are known is of a later release, and passed over (8.1).
"""

from __future__ import annotations

import ipaddress
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.gtpv2 import enums as e
from simwarden.wire.gtpv2.values import Ambr, Arp, BearerQos, CauseIe, FlowQos, FTeid, IeType, Paa, UeTimeZone, Uli
from simwarden.wire.tbcd import decode_digits, encode_digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import IntEnum


class Ie(NamedTuple):
    """An information element: `annotation` is the type of its values, `shortest` its least octets.

    `exact`: no other length is right. A grouped one (`read` None) has a grammar of its own in each message.
    """

    number: int
    name: str
    annotation: Any
    shortest: int
    read: Callable[[bytes], Any] | None
    write: Callable[[Any], bytes] | None
    exact: bool = False


#: of what thousands of sessions say alike one object is kept, which nothing changes
_shared = lru_cache(maxsize=1024)

# -- digits, numbers and names


def _digits_of(least: int, most: int) -> tuple[Callable[[bytes], str], Callable[[str], bytes]]:
    def check(digits: str) -> str:
        if not (digits.isascii() and digits.isdecimal() and least <= len(digits) <= most):
            raise ValueError(f"{digits!r} has not {least} to {most} digits")
        return digits

    return lambda octets: check(decode_digits(octets)), lambda digits: encode_digits(check(digits))


def _number(length: int) -> tuple[Callable[[bytes], int], Callable[[int], bytes]]:
    def write(value: int) -> bytes:
        try:
            return value.to_bytes(length)
        except OverflowError as error:
            raise ValueError(str(error)) from None

    return lambda octets: int.from_bytes(octets[:length]), write


def _member(kind: type[IntEnum], mask: int = 0xFF) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    """Return the codec of an enumeration in the low bits of one octet, the others spare."""
    members = {int(each): each for each in kind}

    def read(octets: bytes) -> Any:
        found = members.get(octets[0] & mask)
        if found is None:
            raise ValueError(f"{octets[0] & mask} is no {kind.__name__}")
        return found

    return read, lambda value: bytes((members[value],))


_READ_MODE, _WRITE_MODE = _member(e.SelectionMode, 3)


def _read_mode(octets: bytes) -> Any:
    """Read a selection mode; 3 is for later use, and is taken as 2 (8.58)."""
    return e.SelectionMode.NETWORK_PROVIDED_NOT_VERIFIED if octets[0] & 3 == 3 else _READ_MODE(octets)


def _read_ebi(octets: bytes) -> int:
    return octets[0] & 0x0F


def _write_ebi(value: int) -> bytes:
    if not 0 <= value <= 15:
        raise ValueError(f"{value} is no EPS bearer identity")
    return bytes((value,))


@_shared
def read_apn(octets: bytes) -> str:
    """Return an APN from its labels (TS 23.003 9.1): letters, digits and hyphens, 100 octets at most."""
    if len(octets) > 100:
        raise ValueError(f"an APN of {len(octets)} octets")
    labels, at = [], 0
    while at < len(octets):
        end = at + 1 + octets[at]
        label = octets[at + 1 : end].decode("ascii", "replace")
        if end > len(octets) or not (label.isascii() and label.replace("-", "a").isalnum()):
            raise ValueError("no APN")
        labels.append(label)
        at = end
    return ".".join(labels).lower()


@_shared
def write_apn(name: str) -> bytes:
    """Return the labels of an APN."""
    octets = b"".join(bytes((len(label),)) + label.encode("ascii") for label in name.split("."))
    read_apn(octets)
    return octets


def network_identifier(apn: str) -> str:
    """Return an APN without its operator identifier (TS 23.003 9.1.2)."""
    labels = apn.lower().split(".")
    return ".".join(labels[:-3]) if labels[-1] == "gprs" and len(labels) > 3 else apn.lower()


# -- addresses


@_shared
def _v4(octets: bytes) -> str:
    return ".".join(map(str, octets))


@_shared
def _v6(octets: bytes) -> str:
    return str(ipaddress.IPv6Address(octets))


@_shared
def _packed(address: str) -> bytes:
    if ":" in address:
        return ipaddress.IPv6Address(address).packed
    octets = bytes(map(int, address.split(".")))  # three times as fast as by ipaddress
    if len(octets) != 4:
        raise ValueError(f"{address!r} is no IPv4 address")
    return octets


def _read_address(octets: bytes) -> str:
    if len(octets) not in (4, 16):
        raise ValueError(f"an address of {len(octets)} octets")
    return _v4(octets) if len(octets) == 4 else _v6(octets)


def _read_paa(octets: bytes) -> Paa:
    kind = octets[0] & 7
    length = {1: 5, 2: 18, 3: 22, 4: 1, 5: 1}.get(kind, 0)
    if not length or len(octets) < length:
        raise ValueError(f"a PAA of type {kind} with {len(octets)} octets")
    pdn_type = e.PdnType(kind)
    if pdn_type is e.PdnType.IPV4:
        return Paa(pdn_type, _v4(octets[1:5]))
    if pdn_type in (e.PdnType.NON_IP, e.PdnType.ETHERNET):
        return Paa(pdn_type)
    if octets[1] > 128:
        raise ValueError(f"a prefix of {octets[1]} bits")
    return Paa(pdn_type, _v4(octets[18:22]) if kind == 3 else "", _v6(octets[2:18]), octets[1])


def _write_paa(paa: Paa) -> bytes:
    out = bytes((paa.pdn_type,))
    if paa.pdn_type in (e.PdnType.IPV6, e.PdnType.IPV4V6):
        out += bytes((paa.prefix_length,)) + _packed(paa.ipv6)
    if paa.pdn_type in (e.PdnType.IPV4, e.PdnType.IPV4V6):
        out += _packed(paa.ipv4)
    return out


_INTERFACES = {int(each): each for each in e.InterfaceType}


def _read_f_teid(octets: bytes) -> FTeid:
    head = octets[0]
    end4 = 5 + (4 if head & 0x80 else 0)
    end6 = end4 + (16 if head & 0x40 else 0)
    if end6 == 5 or len(octets) < end6:
        raise ValueError("an F-TEID without its address")
    return FTeid(
        _INTERFACES.get(head & 0x3F, head & 0x3F),
        int.from_bytes(octets[1:5]),
        _v4(octets[5:9]) if head & 0x80 else "",
        _v6(octets[end4:end6]) if head & 0x40 else "",
    )


def _write_f_teid(end: FTeid) -> bytes:
    v4, v6 = _packed(end.ipv4) if end.ipv4 else b"", _packed(end.ipv6) if end.ipv6 else b""
    if not (v4 or v6):
        raise ValueError("an F-TEID without an address")
    head = (0x80 if v4 else 0) | (0x40 if v6 else 0) | end.interface
    return struct.pack(">BI", head, end.teid) + v4 + v6


# -- causes, flags, rates


_CAUSES = {int(each): each for each in e.Cause}


def _read_cause(octets: bytes) -> CauseIe:
    value, flags = octets[0], octets[1]
    if not value:
        raise ValueError("cause 0")
    offending = IeType(octets[2], octets[5] & 15) if len(octets) >= 6 else None
    return CauseIe(_CAUSES.get(value, value), bool(flags & 1), bool(flags & 2), bool(flags & 4), offending)


def _write_cause(cause: CauseIe) -> bytes:
    flags = cause.remote | cause.bearer_context_error << 1 | cause.pdn_connection_error << 2
    head = bytes((cause.value, flags))
    if cause.offending is None:
        return head
    return head + bytes((cause.offending.type, 0, 0, cause.offending.instance))


@_shared
def _read_indication(octets: bytes) -> e.Indication:
    return e.Indication(int.from_bytes(octets[:7], "little"))


def _write_indication(flags: e.Indication) -> bytes:
    return int(flags).to_bytes(max(2, (int(flags).bit_length() + 7) // 8), "little")


_AMBR = struct.Struct(">II")


def _read_arp(octets: bytes) -> Arp:
    octet = octets[0]
    if not octet & 0x3C:
        raise ValueError("0 is no priority level")
    return Arp(octet >> 2 & 15, not octet & 0x40, not octet & 1)


def _write_arp(arp: Arp) -> bytes:
    if not 1 <= arp.priority <= 15:
        raise ValueError(f"{arp.priority} is no priority level")
    return bytes(((not arp.may_preempt) << 6 | arp.priority << 2 | (not arp.preemptable),))


@_shared
def _read_qos(octets: bytes) -> BearerQos:
    rates = [int.from_bytes(octets[at : at + 5]) for at in (2, 7, 12, 17)]
    return BearerQos(octets[1], _read_arp(octets), *rates)


@_shared
def _write_qos(qos: BearerQos) -> bytes:
    rates = qos[2:]
    return _write_arp(qos.arp) + bytes((qos.qci,)) + b"".join([rate.to_bytes(5) for rate in rates])


def _read_flow_qos(octets: bytes) -> FlowQos:
    return FlowQos(octets[0], *[int.from_bytes(octets[at : at + 5]) for at in (1, 6, 11, 16)])


def _write_flow_qos(qos: FlowQos) -> bytes:
    return bytes((qos.qci,)) + b"".join([rate.to_bytes(5) for rate in qos[1:]])


# -- places and times


def _read_tai(octets: bytes) -> Tai:
    return Tai(Plmn.from_bytes(octets[:3]), int.from_bytes(octets[3:5]))


def _read_ecgi(octets: bytes) -> Ecgi:
    return Ecgi(Plmn.from_bytes(octets[:3]), int.from_bytes(octets[3:7]) & 0x0FFFFFFF)


def _write_tai(tai: Tai) -> bytes:
    return tai.plmn.to_bytes() + tai.tac.to_bytes(2)


def _write_ecgi(cell: Ecgi) -> bytes:
    return cell.plmn.to_bytes() + cell.cell_identity.to_bytes(4)


#: parts of a ULI in their order, with bit and length (8.21)
_PARTS: Final[tuple[tuple[str, int, int], ...]] = (
    ("cgi", 0x01, 7),
    ("sai", 0x02, 7),
    ("rai", 0x04, 7),
    ("tai", 0x08, 5),
    ("ecgi", 0x10, 7),
    ("lai", 0x20, 5),
    ("macro_enodeb", 0x40, 6),
    ("extended_macro_enodeb", 0x80, 6),
)
_READ_PART: dict[str, Callable[[bytes], Any]] = {"tai": _read_tai, "ecgi": _read_ecgi}
_WRITE_PART: dict[str, Callable[[Any], bytes]] = {"tai": _write_tai, "ecgi": _write_ecgi}


@_shared
def _read_uli(octets: bytes) -> Uli:
    found: dict[str, Any] = {}
    at = 1
    for name, bit, length in _PARTS:
        if octets[0] & bit:
            part = octets[at : at + length]
            if len(part) < length:
                raise ValueError(f"a ULI that ends in its {name}")
            found[name] = _READ_PART.get(name, bytes)(part)
            at += length
    return Uli(**found)


def _write_uli(uli: Uli) -> bytes:
    flags, out = 0, b""
    for name, bit, _ in _PARTS:
        part = getattr(uli, name)
        if part is not None:
            flags |= bit
            out += _WRITE_PART.get(name, bytes)(part)
    return bytes((flags,)) + out


def _read_zone(octets: bytes) -> UeTimeZone:
    """Read quarters of an hour in two decimal digits, the first of them in the low bits, bit 4 the sign."""
    if octets[0] >> 4 > 9:
        raise ValueError("a time zone that is no decimal number")
    quarters = (octets[0] & 0x07) * 10 + (octets[0] >> 4)
    return UeTimeZone(-quarters / 4 if octets[0] & 8 else quarters / 4, octets[1] & 3)


def write_zone(zone: UeTimeZone) -> bytes:
    """Write a time zone, as 3GPP-MS-TimeZone has it too (TS 29.061 16.4.7.2)."""
    tens, units = divmod(round(abs(zone.hours) * 4), 10)
    return bytes((units << 4 | tens | (8 if zone.hours < 0 else 0), zone.daylight_saving))


_IMSI, _MEI, _MSISDN = _digits_of(6, 15), _digits_of(15, 16), _digits_of(5, 15)
_OCTET, _FOUR = _number(1), _number(4)
_Octets = Annotated[bytes, v.OCTETS]

_TABLE: tuple[Ie, ...] = (
    Ie(1, "imsi", Annotated[str, v.IMSI], 3, *_IMSI),
    Ie(2, "cause", CauseIe, 2, _read_cause, _write_cause),
    Ie(3, "recovery", int, 1, *_OCTET),
    Ie(71, "apn", Annotated[str, v.FULL_APN], 1, read_apn, write_apn),
    Ie(72, "ambr", Ambr, 8, lambda octets: Ambr(*_AMBR.unpack_from(octets)), lambda rate: _AMBR.pack(*rate)),
    Ie(73, "ebi", int, 1, _read_ebi, _write_ebi),
    Ie(74, "ip_address", Annotated[str, v.ADDRESS], 4, _read_address, _packed),
    Ie(75, "mei", Annotated[str, v.IMEI], 8, *_MEI, True),
    Ie(76, "msisdn", Annotated[str, v.MSISDN], 3, *_MSISDN),
    Ie(77, "indication", e.Indication, 1, _read_indication, _write_indication),
    Ie(78, "pco", _Octets, 1, bytes, bytes),
    Ie(79, "paa", Paa, 1, _read_paa, _write_paa),
    Ie(80, "bearer_qos", BearerQos, 22, _read_qos, _write_qos),
    Ie(81, "flow_qos", FlowQos, 21, _read_flow_qos, _write_flow_qos),
    Ie(82, "rat_type", e.RatType, 1, *_member(e.RatType)),
    Ie(83, "serving_network", Plmn, 3, lambda octets: Plmn.from_bytes(octets[:3]), Plmn.to_bytes),
    Ie(84, "bearer_tft", _Octets, 1, bytes, bytes),
    Ie(85, "tad", _Octets, 1, bytes, bytes),
    Ie(86, "uli", Uli, 1, _read_uli, _write_uli),
    Ie(87, "f_teid", FTeid, 9, _read_f_teid, _write_f_teid),
    Ie(92, "delay_value", int, 1, *_OCTET),
    Ie(93, "bearer_context", None, 0, None, None),
    Ie(94, "charging_id", int, 4, *_FOUR),
    Ie(95, "charging_characteristics", _Octets, 2, lambda octets: octets[:2], bytes),
    Ie(97, "bearer_flags", int, 1, *_OCTET),
    Ie(99, "pdn_type", e.PdnType, 1, *_member(e.PdnType, 7)),
    Ie(100, "pti", int, 1, *_OCTET),
    Ie(114, "ue_time_zone", UeTimeZone, 2, _read_zone, write_zone),
    Ie(127, "apn_restriction", int, 1, *_OCTET),
    Ie(128, "selection_mode", e.SelectionMode, 1, _read_mode, _WRITE_MODE),
    Ie(131, "change_reporting_action", e.ChangeReportingAction, 1, *_member(e.ChangeReportingAction)),
    Ie(135, "node_type", e.NodeType, 1, *_member(e.NodeType)),
    Ie(152, "node_features", int, 1, *_OCTET),
    Ie(155, "arp", Arp, 1, _read_arp, _write_arp),
    Ie(156, "epc_timer", int, 1, *_OCTET),
    Ie(170, "uli_timestamp", int, 4, *_FOUR),
    Ie(172, "ran_nas_cause", _Octets, 1, bytes, bytes),
)
IES: dict[str, Ie] = {each.name: each for each in _TABLE}
