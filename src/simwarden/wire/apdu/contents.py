"""What stands in the files of a USIM: TS 31.102 4.2, one class a file that has an inner structure."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from simwarden.errors import PeerError
from simwarden.wire.apdu import tlv
from simwarden.wire.apdu.coding import (
    decode_guti,
    decode_number,
    decode_tai,
    digits_of,
    encode_guti,
    encode_number,
    encode_tai,
)

if TYPE_CHECKING:
    from simwarden.model.identity import Guti, Plmn, Tai

NO_KEY = 7
"""Key set identifier: no key is available (TS 33.401 6.3, TS 33.102 6.4.4)."""
EMPTY_KEYS = bytes((NO_KEY,)) + b"\xff" * 32
"""EFKeys and EFKeysPS (TS 31.102 4.2.3, 4.2.4): no key set identifier, CK and IK."""
EMPTY_START_HFN = bytes.fromhex("f00000f00000")
"""EFSTART-HFN (TS 31.102 4.2.51): START of the CS and PS domain."""
EMPTY_LOCI = b"\xff" * 7 + bytes.fromhex("fffeff01")
"""EFLOCI (TS 31.102 4.2.17): no TMSI and location area, not updated."""
EMPTY_PSLOCI = b"\xff" * 10 + bytes.fromhex("fffeff01")
"""EFPSLOCI (TS 31.102 4.2.23): no P-TMSI, signature and routing area, not updated."""


class UpdateStatus(IntEnum):
    """EPS update status, location update status and routing area update status, as far as they agree."""

    UPDATED = 0
    NOT_UPDATED = 1
    ROAMING_NOT_ALLOWED = 2
    LOCATION_AREA_NOT_ALLOWED = 3


def _sized(octets: bytes, size: int, what: str) -> bytes:
    if len(octets) != size:
        raise PeerError(f"{what} has {len(octets)} bytes, want {size}")
    return octets


def _status(octet: int, what: str) -> UpdateStatus:
    try:
        return UpdateStatus(octet & 0x07)
    except ValueError as error:
        raise PeerError(f"{what}: update status {octet:02x} is reserved") from error


class EpsLoci(NamedTuple):
    """EFEPSLOCI (TS 31.102 4.2.91): who the network says the card is, and where it last was."""

    guti: Guti | None = None
    last_tai: Tai | None = None
    status: UpdateStatus = UpdateStatus.NOT_UPDATED

    def to_bytes(self, home: Plmn) -> bytes:
        """Encode; `home` fills the place of a missing TAI."""
        guti = encode_guti(self.guti) if self.guti else b"\xff" * 12
        return guti + encode_tai(self.last_tai, home) + bytes((self.status,))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode 18 bytes. Raises PeerError."""
        _sized(octets, 18, "EFEPSLOCI")
        return cls(decode_guti(octets[:12]), decode_tai(octets[12:17]), _status(octets[17], "EFEPSLOCI"))


class EpsNsc(NamedTuple):
    """EFEPSNSC (TS 31.102 4.2.92): the EPS NAS security context. `ksi` 7: there is none."""

    ksi: int = NO_KEY
    kasme: bytes = b"\xff" * 32
    uplink_count: int = 0
    downlink_count: int = 0
    ciphering: int = 0
    integrity: int = 0

    def to_bytes(self) -> bytes:
        """Encode one record of 54 bytes."""
        body = (
            tlv.tlv(0x80, bytes((self.ksi,)))
            + tlv.tlv(0x81, self.kasme)
            + tlv.tlv(0x82, self.uplink_count.to_bytes(4, "big"))
            + tlv.tlv(0x83, self.downlink_count.to_bytes(4, "big"))
            + tlv.tlv(0x84, bytes(((self.ciphering & 7) << 4 | self.integrity & 7,)))
        )
        return tlv.tlv(0xA0, body)

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode one record; an empty one means that there is no context. Raises PeerError."""
        if not octets.strip(b"\xff"):
            return cls()
        found = dict(tlv.objects(tlv.only(octets, 0xA0, "EFEPSNSC")))
        sizes = {0x80: 1, 0x81: 32, 0x82: 4, 0x83: 4, 0x84: 1}
        for tag, size in sizes.items():
            _sized(found.get(tag, b""), size, f"EFEPSNSC object {tag:02x}")
        uplink, downlink = (int.from_bytes(found[tag], "big") for tag in (0x82, 0x83))
        algorithms = found[0x84][0]
        return cls(found[0x80][0] & 7, found[0x81], uplink, downlink, algorithms >> 4 & 7, algorithms & 7)

    @property
    def valid(self) -> bool:
        """There is a context."""
        return self.ksi != NO_KEY

    def __repr__(self) -> str:
        """Show all but the key."""
        return f"EpsNsc(ksi={self.ksi}, uplink_count={self.uplink_count}, downlink_count={self.downlink_count})"


class AdministrativeData(NamedTuple):
    """EFAD (TS 31.102 4.2.18): mode of operation and length of the MNC in the IMSI."""

    mode: int = 0
    mnc_length: int = 2

    def to_bytes(self) -> bytes:
        """Encode 4 bytes."""
        return bytes((self.mode, 0, 0, self.mnc_length))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode 4 bytes or more. Raises PeerError."""
        if len(octets) < 4 or octets[3] & 0x0F not in (2, 3):
            raise PeerError(f"EFAD {octets.hex()} tells no length of the MNC")
        return cls(octets[0], octets[3] & 0x0F)


class Services(frozenset[int]):
    """EFUST or EFEST (TS 31.102 4.2.8, 4.2.47): the numbers of the services that are on."""

    def to_bytes(self, size: int) -> bytes:
        """Encode in `size` bytes; services beyond are left out."""
        bits = sum(1 << number - 1 for number in self if number <= size * 8)
        return bits.to_bytes(size, "little")

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode; any bytes are valid."""
        return cls(8 * i + bit + 1 for i, octet in enumerate(octets) for bit in range(8) if octet >> bit & 1)


class AccessClasses(frozenset[int]):
    """EFACC (TS 31.102 4.2.15): the access control classes 0 to 15 of the card."""

    def to_bytes(self) -> bytes:
        """Encode 2 bytes."""
        return sum(1 << number for number in self).to_bytes(2, "big")


class ServiceProvider(NamedTuple):
    """EFSPN (TS 31.102 4.2.12): display condition and name."""

    name: str = ""
    display: int = 0

    def to_bytes(self) -> bytes:
        """Encode 17 bytes. Raises ValueError for a name beyond 16 characters or beyond ASCII."""
        text = self.name.encode("ascii")
        if len(text) > 16:
            raise ValueError(f"a provider's name has at most 16 characters, not {len(text)}")
        return bytes((self.display,)) + text.ljust(16, b"\xff")


class Msisdn(NamedTuple):
    """A record of EFMSISDN (TS 31.102 4.2.26)."""

    number: str = ""
    name: str = ""

    def to_bytes(self, size: int = 28) -> bytes:
        """Encode one record: name, number, no capability and extension records. Raises ValueError."""
        name = self.name.encode("ascii")[: size - 14].ljust(size - 14, b"\xff")
        number = encode_number(self.number)
        if len(number) > 12:
            raise ValueError(f"{self.number} does not fit in a record of EFMSISDN")
        return name + number + b"\xff\xff"


class SmsParameters(NamedTuple):
    """A record of EFSMSP (TS 31.102 4.2.27): the service centre's address is what an MO SMS goes to."""

    service_centre: str = ""
    protocol: int = 0
    coding: int = 0
    validity: int = 0xA7

    def to_bytes(self, size: int = 42) -> bytes:
        """Encode one record."""
        present = 0xE1 if self.service_centre else 0xE3  # a cleared bit says: present (destination never is)
        tail = bytes((self.protocol, self.coding, self.validity))
        centre = encode_number(self.service_centre)
        return b"\xff" * (size - 28) + bytes((present,)) + b"\xff" * 12 + centre + tail

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode one record. Raises PeerError."""
        if len(octets) < 28:
            raise PeerError(f"a record of EFSMSP has at least 28 bytes, not {len(octets)}")
        body = octets[-28:]
        return cls(decode_number(body[13:25]) if not body[0] & 0x02 else "", *body[25:])


class Application(NamedTuple):
    """A record of EFDIR (TS 102.221 13.1): an application on the card."""

    aid: bytes
    label: str = ""

    def to_bytes(self, size: int) -> bytes:
        """Encode one record of `size` bytes. Raises ValueError when it does not fit."""
        octets = tlv.tlv(0x61, tlv.tlv(0x4F, self.aid) + tlv.tlv(0x50, self.label.encode("ascii")))
        if len(octets) > size:
            raise ValueError(f"an application template of {len(octets)} bytes does not fit in {size}")
        return octets.ljust(size, b"\xff")

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode one record. Raises PeerError."""
        found = dict(tlv.objects(tlv.only(octets, 0x61, "EFDIR")))
        if 0x4F not in found:
            raise PeerError("EFDIR: application template without AID")
        return cls(found[0x4F], found.get(0x50, b"").decode("ascii", "replace"))


class Bind(NamedTuple):
    """EF.BIND, the interlock's area: byte 1 flags (01 bound, 02 applet on, 04 admits when the terminal is silent).

    Byte 2 is reserved (00); bytes 3 to 10 are the IMEI's 14 digits, low nibble first, filled with F.
    """

    imei_key: str = ""
    applet: bool = False
    fail_open: bool = False

    def to_bytes(self) -> bytes:
        """Encode 10 bytes."""
        flags = bool(self.imei_key) | self.applet << 1 | self.fail_open << 2
        digits = self.imei_key.ljust(16, "f")
        return bytes((flags, 0)) + bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, 16, 2)))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode. Raises PeerError, also for an area that says it is bound and holds no IMEI."""
        _sized(octets, 10, "EF.BIND")
        key = digits_of(octets[2:], "EF.BIND") if octets[0] & 1 else ""
        if octets[0] & 1 and len(key) != 14:
            raise PeerError("EF.BIND is bound to no IMEI of 14 digits")
        return cls(key, bool(octets[0] & 2), bool(octets[0] & 4))


def encode_languages(codes: list[str], size: int) -> bytes:
    """Encode EFLI or EFPL in `size` bytes."""
    return "".join(codes).encode("ascii")[:size].ljust(size, b"\xff")
