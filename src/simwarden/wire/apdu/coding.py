"""Codings of digits and networks on a card: TS 31.102 4.2, TS 102.221 13, TS 24.008 10.5.1.3 and 10.5.1.4."""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.model.identity import Guti, Plmn, Tai, check_imsi

_BCD = "0123456789*#abc"
NO_PLMN = b"\xff\xff\xff"


def swap(octets: bytes) -> str:
    """Return the nibbles of a semi-octet string in reading order, low nibble first."""
    text = octets.hex()
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2))


def bcd(digits: str, size: int | None = None) -> bytes:
    """Encode digits low nibble first, filled with F to whole bytes, or to `size` bytes. Raises ValueError."""
    padded = digits + "f" * (len(digits) % 2)
    octets = bytes.fromhex("".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2)))
    if size is None:
        return octets
    if len(octets) > size:
        raise ValueError(f"{len(digits)} digits do not fit in {size} bytes")
    return octets + b"\xff" * (size - len(octets))


def digits_of(octets: bytes, what: str) -> str:
    """Decode digits up to the filler. Raises PeerError on anything else."""
    digits = swap(octets).rstrip("f")
    if digits and not digits.isdecimal():
        raise PeerError(f"{what} holds a nibble that is no digit: {octets.hex()}")
    return digits


def mobile_identity(kind: int, digits: str) -> bytes:
    """Encode digits as in TS 24.008 10.5.1.4 from octet 3 on: `kind` 1 IMSI, 2 IMEI, 3 IMEISV."""
    odd = len(digits) % 2
    return bcd(f"{kind | odd << 3:x}{digits}")


def mobile_identity_digits(octets: bytes, kind: int, what: str) -> str:
    """Decode what `mobile_identity` encodes. Raises PeerError for another kind, parity or a nibble that is no digit."""
    if not octets or octets[0] & 0x07 != kind:
        raise PeerError(f"{what} is not a mobile identity of type {kind}")
    nibbles = swap(octets)
    digits = nibbles[1:] if octets[0] & 0x08 else nibbles[1:-1]
    if not digits.isdecimal() or not (octets[0] & 0x08 or nibbles[-1] == "f"):
        raise PeerError(f"{what} holds a nibble that is no digit: {octets.hex()}")
    return digits


def encode_imsi(imsi: str) -> bytes:
    """EFIMSI (TS 31.102 4.2.2): length, then the identity; 9 bytes."""
    body = mobile_identity(1, imsi)
    return (bytes((len(body),)) + body).ljust(9, b"\xff")


def decode_imsi(octets: bytes) -> str:
    """Decode EFIMSI. Raises PeerError, also for a card that has no IMSI yet."""
    if len(octets) != 9 or not 1 <= octets[0] <= 8:
        raise PeerError("EFIMSI holds no IMSI")
    try:
        return check_imsi(mobile_identity_digits(octets[1 : 1 + octets[0]], 1, "EFIMSI"))
    except ValueError as error:
        raise PeerError(f"EFIMSI: {error}") from error


def encode_iccid(iccid: str) -> bytes:
    """EFICCID (TS 102.221 13.2): up to 20 digits, 10 bytes."""
    return bcd(iccid, 10)


def decode_plmn(octets: bytes) -> Plmn | None:
    """Decode three bytes; None where the place is empty (FF FF FF). Raises PeerError."""
    if octets == NO_PLMN:
        return None
    try:
        return Plmn.from_bytes(octets)
    except ValueError as error:
        raise PeerError(f"PLMN {octets.hex()}: {error}") from error


def encode_plmn_list(plmns: list[Plmn], places: int) -> bytes:
    """EFFPLMN (TS 31.102 4.2.16): networks, then empty places. The first ones are lost when there are too many."""
    kept = plmns[-places:]
    return b"".join(plmn.to_bytes() for plmn in kept) + NO_PLMN * (places - len(kept))


def decode_plmn_list(octets: bytes) -> list[Plmn]:
    """Decode a list of networks, empty places left out. Raises PeerError."""
    if len(octets) % 3:
        raise PeerError(f"a list of PLMNs has {len(octets)} bytes, not a multiple of 3")
    found = [decode_plmn(octets[i : i + 3]) for i in range(0, len(octets), 3)]
    return [plmn for plmn in found if plmn is not None]


def encode_guti(guti: Guti) -> bytes:
    """Encode as the EPS mobile identity of TS 24.301 9.9.3.12 with its length byte: 12 bytes."""
    tail = guti.plmn.to_bytes() + guti.mme_group_id.to_bytes(2, "big") + bytes((guti.mme_code,))
    return b"\x0b\xf6" + tail + guti.m_tmsi.to_bytes(4, "big")


def decode_guti(octets: bytes) -> Guti | None:
    """Decode 12 bytes; None when the card holds no GUTI (FF...). Raises PeerError."""
    if octets == b"\xff" * 12:
        return None
    if len(octets) != 12 or octets[0] != 0x0B or octets[1] & 0x07 != 6:
        raise PeerError(f"no GUTI in {octets.hex()}")
    plmn = decode_plmn(octets[2:5])
    if plmn is None:
        raise PeerError("GUTI without PLMN")
    return Guti(plmn, int.from_bytes(octets[5:7], "big"), octets[7], int.from_bytes(octets[8:], "big"))


def encode_tai(tai: Tai | None, home: Plmn) -> bytes:
    """Encode the last visited registered TAI; none is written as the home network with TAC 0000 (TS 31.102 annex E)."""
    return tai.plmn.to_bytes() + tai.tac.to_bytes(2, "big") if tai else home.to_bytes() + b"\0\0"


def decode_tai(octets: bytes) -> Tai | None:
    """Decode 5 bytes; TAC 0000 and FFFE mean that there is none (TS 23.003 19.4.2.3). Raises PeerError."""
    if len(octets) != 5:
        raise PeerError(f"a TAI has 5 bytes, not {len(octets)}")
    tac = int.from_bytes(octets[3:], "big")
    plmn = decode_plmn(octets[:3])
    return None if plmn is None or tac in (0x0000, 0xFFFE) else Tai(plmn, tac)


def encode_number(msisdn: str, size: int = 12) -> bytes:
    """Encode length, TON/NPI and BCD number in `size` bytes: TS 31.102 4.2.26. A leading + means international."""
    digits = msisdn.lstrip("+")
    if not digits:
        return b"\xff" * size
    number = bcd(digits)
    ton = b"\x91" if msisdn.startswith("+") else b"\x81"
    return (bytes((len(number) + 1,)) + ton + number).ljust(size, b"\xff")


def decode_number(octets: bytes) -> str:
    """Decode what `encode_number` encodes; empty when the place is empty. Raises PeerError."""
    if not octets or octets[0] in (0x00, 0xFF):
        return ""
    if octets[0] + 1 > len(octets):
        raise PeerError("number runs beyond its field")
    nibbles = swap(octets[2 : 1 + octets[0]]).rstrip("f")
    if any(nibble not in "0123456789abcde" for nibble in nibbles):
        raise PeerError(f"number holds filler in its middle: {octets.hex()}")
    plus = "+" if octets[1] & 0x70 == 0x10 else ""
    return plus + "".join(_BCD[int(nibble, 16)] if nibble != "e" else "?" for nibble in nibbles)
