"""Information elements of TS 24.301 9.9 and TS 24.008 10.5 as plain values.

A codec is a pair of functions: value part to value, value to value part. Reading raises ValueError (IndexError for
octets that are missing): the message codec makes the spec's error of it, by whether the element was mandatory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from simwarden.model import values as v
from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.fields import values_of
from simwarden.wire.nas.enums import EmmCause, EpsNetworkFeature, EsmCause, IdentityType, PdnType
from simwarden.wire.tbcd import encode_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEACTIVATED = math.inf
"""The value of a timer that is deactivated: it never runs out."""


class Codec(NamedTuple):
    """How one kind of information element is read and written, and what it may be, as `dissect` shows it."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    values: v.Values = v.NUMBER


def _same(value: bytes) -> bytes:
    return value


OCTETS = Codec(_same, bytes, v.OCTETS)


class MobileIdentity(NamedTuple):
    """A mobile identity: digits of an IMSI, IMEI or IMEISV, a TMSI as number, a GUTI, or none (None).

    Digits stand as they were sent, the check digit of an IMEI too, which networks do not rely upon.
    """

    type: IdentityType
    value: Annotated[str, v.IMSI | v.IMEI] | int | Guti | None

    @property
    def digits(self) -> str:
        """The digits, empty where the identity has none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def guti(self) -> Guti | None:
        """The GUTI, if it is one."""
        return self.value if isinstance(self.value, Guti) else None

    def __str__(self) -> str:
        return f"{self.type.name} {self.value:08x}" if isinstance(self.value, int) else f"{self.type.name} {self.value}"


def _write_digits(digits: str, code: int) -> bytes:
    # Each octet holds its first digit in bits 1 to 4; the very first holds the type there.
    return encode_digits(f"{(len(digits) & 1) << 3 | code:x}{digits}")


def _read_digits(octets: bytes) -> str:
    nibbles = octets.hex()
    swapped = nibbles[0] + "".join([nibbles[i + 1] + nibbles[i] for i in range(2, len(nibbles), 2)])
    if not octets[0] & 8:
        if swapped[-1] != "f":
            raise ValueError("an even number of digits ends with 1111")
        swapped = swapped[:-1]
    if not swapped.isdecimal():
        raise ValueError("digit above 9")
    return swapped


_DIGIT_LENGTHS = {IdentityType.IMSI: range(6, 16), IdentityType.IMEI: range(15, 16), IdentityType.IMEISV: range(16, 17)}


def _digit_identity(kind: IdentityType, octets: bytes) -> MobileIdentity:
    digits = _read_digits(octets)
    if len(digits) not in _DIGIT_LENGTHS[kind]:
        raise ValueError(f"{kind.name} of {len(digits)} digits")
    return MobileIdentity(kind, digits)


def read_guti(octets: bytes) -> Guti:
    """Read the 11 octets of a GUTI (9.9.3.12)."""
    if len(octets) != 11:
        raise ValueError(f"GUTI of {len(octets)} octets")
    tmsi = int.from_bytes(octets[7:11])
    return Guti(Plmn.from_bytes(octets[1:4]), int.from_bytes(octets[4:6]), octets[6], tmsi)


def write_guti(guti: Guti) -> bytes:
    """Write the 11 octets of a GUTI (9.9.3.12)."""
    numbers = guti.mme_group_id << 40 | guti.mme_code << 32 | guti.m_tmsi
    return b"\xf6" + guti.plmn.to_bytes() + numbers.to_bytes(7)


def _read_eps_mobile_identity(octets: bytes) -> MobileIdentity:
    code = octets[0] & 7
    if code == 6:
        return MobileIdentity(IdentityType.GUTI, read_guti(octets))
    if code == 1:
        return _digit_identity(IdentityType.IMSI, octets)
    if code == 3:
        return _digit_identity(IdentityType.IMEI, octets)
    raise ValueError(f"EPS mobile identity of type {code}")


def _write_eps_mobile_identity(identity: MobileIdentity) -> bytes:
    if isinstance(identity.value, Guti):
        return write_guti(identity.value)
    # The EPS mobile identity calls an IMEI 3, the mobile identity 2.
    return _write_digits(identity.digits, {IdentityType.IMSI: 1, IdentityType.IMEI: 3}[identity.type])


def _read_mobile_identity(octets: bytes) -> MobileIdentity:
    code = octets[0] & 7
    if code == 0:
        return MobileIdentity(IdentityType.NO_IDENTITY, None)
    if code == 4:
        if len(octets) != 5:
            raise ValueError(f"TMSI of {len(octets)} octets")
        return MobileIdentity(IdentityType.TMSI, int.from_bytes(octets[1:]))
    if code > 4:
        raise ValueError(f"mobile identity of type {code}")
    return _digit_identity(IdentityType(code), octets)


def _write_mobile_identity(identity: MobileIdentity) -> bytes:
    if isinstance(identity.value, int):
        return b"\xf4" + identity.value.to_bytes(4)
    if identity.type is IdentityType.NO_IDENTITY:
        return b"\x00\x00\x00"
    return _write_digits(identity.digits, identity.type)


_IDENTITY = v.mapping(
    lambda: {"type": v.members(IdentityType), "value": (v.IMSI | v.IMEI | v.GUTI | v.NUMBER).or_none()}
)
EPS_MOBILE_IDENTITY = Codec(_read_eps_mobile_identity, _write_eps_mobile_identity, _IDENTITY)
MOBILE_IDENTITY = Codec(_read_mobile_identity, _write_mobile_identity, _IDENTITY)


def _read_guti_value(octets: bytes) -> Guti:
    if octets[0] & 7 != 6:
        raise ValueError("not a GUTI")
    return read_guti(octets)


GUTI_VALUE = Codec(_read_guti_value, write_guti, v.GUTI)


class Lai(NamedTuple):
    """A location area (TS 23.003 4.1)."""

    plmn: Plmn
    lac: int

    def __str__(self) -> str:
        return f"{self.plmn}-{self.lac:04x}"


def _read_tai(octets: bytes) -> Tai:
    return Tai(Plmn.from_bytes(octets[:3]), int.from_bytes(octets[3:5]))


def _write_tai(tai: Tai) -> bytes:
    return tai.plmn.to_bytes() + tai.tac.to_bytes(2)


TAI = Codec(_read_tai, _write_tai, v.TAI)
LAI = Codec(
    lambda octets: Lai(Plmn.from_bytes(octets[:3]), int.from_bytes(octets[3:5])),
    lambda lai: lai.plmn.to_bytes() + lai.lac.to_bytes(2),
    v.LAI,
)


def _read_tai_list(octets: bytes) -> list[Tai]:
    tais: list[Tai] = []
    position = 0
    while position < len(octets):
        kind, count = octets[position] >> 5 & 3, (octets[position] & 0x1F) + 1
        length = {0: 4 + 2 * count, 1: 6, 2: 1 + 5 * count}.get(kind, 0)
        part = octets[position + 1 : position + length]
        if len(part) != length - 1 or count > 16:
            raise ValueError(f"partial tracking area identity list of type {kind} with {count} elements")
        if kind == 2:
            tais += [_read_tai(part[i : i + 5]) for i in range(0, len(part), 5)]
        else:
            plmn, first = Plmn.from_bytes(part[:3]), int.from_bytes(part[3:5])
            tacs = (
                range(first, first + count)
                if kind
                else [int.from_bytes(part[i : i + 2]) for i in range(3, len(part), 2)]
            )
            tais += [Tai(plmn, tac & 0xFFFF) for tac in tacs]
        position += length
    if not 1 <= len(tais) <= 16:
        raise ValueError(f"tracking area identity list of {len(tais)} elements")
    return tais


def _write_tai_list(tais: Sequence[Tai]) -> bytes:
    if not 1 <= len(tais) <= 16:
        raise ValueError(f"a tracking area identity list has 1 to 16 elements, not {len(tais)}")
    count, first = len(tais) - 1, tais[0]
    if any(tai.plmn != first.plmn for tai in tais):
        return bytes([0x40 | count]) + b"".join([_write_tai(tai) for tai in tais])
    head = first.plmn.to_bytes() + first.tac.to_bytes(2)
    if count and all(tai.tac == first.tac + i for i, tai in enumerate(tais)):
        return bytes([0x20 | count]) + head
    return bytes([count]) + head + b"".join([tai.tac.to_bytes(2) for tai in tais[1:]])


TAI_LIST = Codec(_read_tai_list, _write_tai_list, v.TAI)


def _read_plmn_list(octets: bytes) -> list[Plmn]:
    if len(octets) % 3:
        raise ValueError(f"PLMN list of {len(octets)} octets")
    return [Plmn.from_bytes(octets[i : i + 3]) for i in range(0, len(octets), 3)]


PLMN_LIST = Codec(_read_plmn_list, lambda plmns: b"".join([plmn.to_bytes() for plmn in plmns]), v.PLMN)


# Seconds by the unit in bits 8 to 6; 7 is deactivated, a unit that is not here is read as minutes.
_GPRS_TIMER = {0: 2, 1: 60, 2: 360}
_GPRS_TIMER_3 = {3: 2, 4: 30, 5: 60, 0: 600, 1: 3600, 2: 36000, 6: 1152000}


def _timer(units: dict[int, int], default: int) -> Codec:
    values = [DEACTIVATED if o >> 5 == 7 else float(units.get(o >> 5, default) * (o & 0x1F)) for o in range(256)]
    ascending = sorted((seconds, unit) for unit, seconds in units.items())
    codes = {DEACTIVATED: 0xE0}
    for seconds, unit in reversed(ascending):
        codes |= {float(seconds * count): unit << 5 | count for count in range(32)}

    def read(octets: bytes) -> float:
        return values[octets[0]]

    def write(seconds: float) -> bytes:
        code = codes.get(seconds)
        if code is not None:
            return bytes([code])
        for unit_seconds, unit in ascending:
            if seconds <= unit_seconds * 31:
                return bytes([unit << 5 | math.ceil(seconds / unit_seconds)])
        raise ValueError(f"a timer of {seconds} s is too long for its information element")

    return Codec(read, write)


GPRS_TIMER = _timer(_GPRS_TIMER, 60)
"""GPRS timer and GPRS timer 2 (TS 24.008 10.5.7.3, 10.5.7.4); what does not fit a unit is rounded up."""
GPRS_TIMER_3 = _timer(_GPRS_TIMER_3, 60)
"""GPRS timer 3 (TS 24.008 10.5.7.4a)."""


class UeNetworkCapability(NamedTuple):
    """Algorithms as bit masks, EEA0/EIA0 in bit 8, and the octets after them (9.9.3.34): UEA, UIA and features."""

    eea: int
    eia: int
    rest: bytes = b""

    def supports(self, eea: int, eia: int) -> bool:
        """Whether both algorithms are offered."""
        return bool(self.eea & 0x80 >> eea and self.eia & 0x80 >> eia)


class UeSecurityCapability(NamedTuple):
    """What a SECURITY MODE COMMAND repeats of the capabilities (9.9.3.36): EEA, EIA, then UEA, UIA and GEA."""

    eea: int
    eia: int
    rest: bytes = b""

    @classmethod
    def replay(cls, capability: UeNetworkCapability, gea: int | None = None) -> UeSecurityCapability:
        """Return what the network must repeat of a UE network capability; `gea` from the MS network capability."""
        umts = capability.rest[:2]
        rest = bytes([umts[0], umts[1] & 0x7F]) if len(umts) == 2 else b""
        if gea is not None:
            rest = (rest or b"\0\0") + bytes([gea & 0x7F])
        return cls(capability.eea, capability.eia, rest)


UE_NETWORK_CAPABILITY = Codec(
    lambda octets: UeNetworkCapability(octets[0], octets[1], octets[2:]),
    lambda value: bytes([value.eea, value.eia]) + value.rest,
    values_of(UeNetworkCapability),
)
UE_SECURITY_CAPABILITY = Codec(
    lambda octets: UeSecurityCapability(octets[0], octets[1], octets[2:]),
    lambda value: bytes([value.eea, value.eia]) + value.rest,
    values_of(UeSecurityCapability),
)


class NasAlgorithms(NamedTuple):
    """The selected NAS security algorithms (9.9.3.23): numbers of EEA and EIA."""

    eea: int
    eia: int


NAS_ALGORITHMS = Codec(
    lambda octets: NasAlgorithms(octets[0] >> 4 & 7, octets[0] & 7),
    lambda value: bytes([value.eea << 4 | value.eia]),
    values_of(NasAlgorithms),
)


def _read_features(octets: bytes) -> EpsNetworkFeature:
    return EpsNetworkFeature(int.from_bytes(octets[:2], "little"))


EPS_NETWORK_FEATURE_SUPPORT = Codec(
    _read_features,
    lambda value: bytes([value & 0xFF, value >> 8]) if value >> 8 else bytes([value]),
    values_of(EpsNetworkFeature),
)


def _cause(enum: type[EmmCause | EsmCause]) -> Codec:
    # A number without a name is kept as it came; who receives it treats it as 111 (9.9.3.9, 9.9.4.4).
    names = {int(cause): cause for cause in enum}
    return Codec(lambda octets: names.get(octets[0], octets[0]), lambda value: bytes([value]), values_of(enum))


EMM_CAUSE = _cause(EmmCause)
ESM_CAUSE = _cause(EsmCause)
OCTET = Codec(lambda octets: octets[0], lambda value: bytes([value]))


def _read_apn(octets: bytes) -> str:
    labels, position = [], 0
    while position < len(octets):
        end = position + 1 + octets[position]
        label = octets[position + 1 : end]
        if end > len(octets) or not label or not label.isascii():
            raise ValueError("bad label in an APN")
        labels.append(label.decode("ascii"))
        position = end
    return ".".join(labels)


def _write_apn(name: str) -> bytes:
    return b"".join([bytes([len(label)]) + label.encode("ascii") for label in name.split(".") if label])


APN = Codec(_read_apn, _write_apn, v.APN)


class PdnAddress(NamedTuple):
    """The address of a PDN connection (9.9.4.9): IPv4 in dotted digits, IPv6 as its interface identifier."""

    type: PdnType
    ipv4: Annotated[str, v.ADDRESS] = ""
    interface_id: bytes = b""


def _read_pdn_address(octets: bytes) -> PdnAddress:
    kind = PdnType(octets[0] & 7)
    if kind is PdnType.NON_IP:
        return PdnAddress(kind)
    split = {PdnType.IPV4: 1, PdnType.IPV6: 9, PdnType.IPV4V6: 9}[kind]
    length = 5 if kind is PdnType.IPV4 else 9 if kind is PdnType.IPV6 else 13
    if len(octets) != length:
        raise ValueError(f"PDN address of type {kind.name} in {len(octets)} octets")
    return PdnAddress(kind, ".".join([str(octet) for octet in octets[split:]]), octets[1:split])


def _write_pdn_address(address: PdnAddress) -> bytes:
    ipv4 = bytes([int(part) for part in address.ipv4.split(".")]) if address.ipv4 else b""
    if address.type is PdnType.NON_IP:
        return bytes([address.type, 0, 0, 0, 0])
    return bytes([address.type]) + address.interface_id + ipv4


PDN_ADDRESS = Codec(_read_pdn_address, _write_pdn_address, values_of(PdnAddress))


class EpsQos(NamedTuple):
    """EPS quality of service (9.9.4.3): QCI, and the coded bit rates of a GBR bearer."""

    qci: int
    rates: bytes = b""


EPS_QOS = Codec(
    lambda octets: EpsQos(octets[0], octets[1:]), lambda value: bytes([value.qci]) + value.rates, values_of(EpsQos)
)


def _read_bearers(octets: bytes) -> tuple[int, ...]:
    mask = octets[0] | octets[1] << 8
    return tuple([bearer for bearer in range(5, 16) if mask >> bearer & 1])


EPS_BEARER_CONTEXT_STATUS = Codec(_read_bearers, lambda value: sum([1 << b for b in value]).to_bytes(2, "little"))
"""The active EPS bearer identities (9.9.2.1)."""
