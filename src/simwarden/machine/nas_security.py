"""NAS security of EPS: ciphering and integrity of NAS messages, and the NAS COUNTs (TS 24.301 4.4, TS 33.401 Annex B).

Both ends of a signalling connection hold one `NasSecurityContext`; it never shows its keys.
"""

from __future__ import annotations

import hmac
from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from simwarden.errors import InternalError, PeerError
from simwarden.machine.eps_keys import kenb, knas_enc, knas_int
from simwarden.machine.snow3g import uea2, uia2
from simwarden.wire.nas.security_header import EMM_DISCRIMINATOR, SecurityHeaderType, header_type, split

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import AEADEncryptionContext, CipherContext

COUNT_LIMIT = 1 << 24
"""NAS COUNTs have 24 bits; a context is spent when one is used up (TS 24.301 4.4.3.5)."""

SPENT_SOON = COUNT_LIMIT - 256

_ZERO_MAC = bytes(4)


class Direction(IntEnum):
    """The DIRECTION bit of TS 33.401 B.1.1."""

    UPLINK = 0
    DOWNLINK = 1


def _header(count: int, bearer: int, direction: int) -> int:
    return count << 32 | bearer << 27 | direction << 26


class Integrity:
    """One integrity algorithm under one key: 128-EIA1, 128-EIA2 (TS 33.401 B.2), or EIA0, whose MAC is zero."""

    __slots__ = ("_base", "_snow")

    def __init__(self, algorithm: int, key: bytes) -> None:
        if algorithm not in (0, 1, 2):
            raise ValueError(f"EIA{algorithm} is not supported")
        self._snow = key if algorithm == 1 else None
        self._base = CMAC(algorithms.AES128(key)) if algorithm == 2 else None

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        """Return the 4-octet MAC of a message."""
        if self._snow is not None:
            return uia2(self._snow, count, bearer << 27, direction, message)
        if self._base is None:
            return _ZERO_MAC
        run = self._base.copy()
        run.update(_header(count, bearer, direction).to_bytes(8) + message)
        return run.finalize()[:4]


class Ciphering:
    """One ciphering algorithm under one key: 128-EEA1, 128-EEA2 (TS 33.401 B.1), or EEA0, which changes nothing."""

    __slots__ = ("_snow", "_stream")

    def __init__(self, algorithm: int, key: bytes) -> None:
        if algorithm not in (0, 1, 2):
            raise ValueError(f"EEA{algorithm} is not supported")
        self._snow = key if algorithm == 1 else None
        self._stream: CipherContext | AEADEncryptionContext | None = None
        if algorithm == 2:
            self._stream = Cipher(algorithms.AES128(key), modes.CTR(bytes(16))).encryptor()

    def apply(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        """Cipher or decipher: the same operation."""
        if self._snow is not None:
            return uea2(self._snow, count, bearer, direction, message)
        if self._stream is None:
            return message
        self._stream.reset_nonce((_header(count, bearer, direction) << 64).to_bytes(16))
        return self._stream.update(message)


@lru_cache(maxsize=512)
def _algorithms(kasme: bytes, eia: int, eea: int) -> tuple[Integrity, Ciphering]:
    """Return the algorithms under the keys derived from KASME.

    OpenSSL's state takes 2 kB a context and 20 us to make. It is kept for those at work, and both ends of a connection
    use the same: a context at rest is KASME and two COUNTs.
    """
    return Integrity(eia, knas_int(kasme, eia)), Ciphering(eea, knas_enc(kasme, eea))


@dataclass(slots=True, eq=False)
class NasSecurityContext:
    """A native EPS security context and its two COUNTs, as one end sees it.

    `ul_count` and `dl_count` are the COUNTs of the next message to be sent, or expected, in each direction. Restore
    them to take up a stored context (EFEPSNSC, TS 31.102 4.2.92).
    """

    #: 32 octets, to be stored on the card. Never for a log or a trace
    kasme: bytes = field(repr=False)
    _: KW_ONLY
    ksi: int
    eia: int
    eea: int
    is_network: bool = field(repr=False)
    ul_count: int = 0
    dl_count: int = 0

    def __post_init__(self) -> None:
        """Derive the NAS keys from KASME. Raises ValueError for an algorithm other than 0 to 2."""
        _algorithms(self.kasme, self.eia, self.eea)  # that it can be done at all shows here

    @property
    def nearly_spent(self) -> bool:
        """True when a COUNT is about to wrap around: authenticate anew or release (TS 24.301 4.4.3.5)."""
        return self.ul_count >= SPENT_SOON or self.dl_count >= SPENT_SOON

    def kenb(self) -> bytes:
        """Return KeNB for the uplink message last sent or received (TS 33.401 7.2.6.2, 7.2.6.3)."""
        return kenb(self.kasme, max(self.ul_count - 1, 0))

    @property
    def _integrity(self) -> Integrity:
        return _algorithms(self.kasme, self.eia, self.eea)[0]

    @property
    def _ciphering(self) -> Ciphering:
        return _algorithms(self.kasme, self.eia, self.eea)[1]

    def protect(self, message: bytes, kind: SecurityHeaderType) -> bytes:
        """Return the message under a security header of type 1 to 4, and step the COUNT.

        Raises InternalError when the COUNT is used up.
        """
        direction, count = self._next()
        octets = bytes([count & 0xFF])
        octets += self._ciphering.apply(count, 0, direction, message) if kind in (2, 4) else message
        mac = self._integrity.mac(count, 0, direction, octets)
        return bytes([kind << 4 | EMM_DISCRIMINATOR]) + mac + octets

    def unprotect(self, pdu: bytes) -> bytes:
        """Verify a message with security header type 1 to 4, return it deciphered and step the COUNT.

        Raises PeerError: malformed, MAC failure, or a replayed message; the COUNT then stays as it was.
        """
        secured = split(pdu)
        direction, expected = self._expected()
        count = _estimate(expected, secured.sequence_number, 256)
        self._verify(secured.mac, count, direction, pdu[5:], 256)
        self._received(direction, count)
        if secured.header_type in (2, 4):
            return self._ciphering.apply(count, 0, direction, secured.payload)
        return secured.payload

    def service_request(self) -> bytes:
        """Return a SERVICE REQUEST: KSI, 5 bits of sequence number and the short MAC (TS 24.301 8.2.25, 9.9.3.28)."""
        direction, count = self._next()
        head = bytes([SecurityHeaderType.SERVICE_REQUEST << 4 | EMM_DISCRIMINATOR, self.ksi << 5 | count & 0x1F])
        return head + self._integrity.mac(count, 0, direction, head)[2:]

    def verify_service_request(self, pdu: bytes) -> None:
        """Verify a SERVICE REQUEST and step the COUNT. Raises PeerError as `unprotect` does."""
        if header_type(pdu) is not SecurityHeaderType.SERVICE_REQUEST or len(pdu) < 4:
            raise PeerError("not a service request")
        direction, expected = self._expected()
        count = _estimate(expected, pdu[1] & 0x1F, 32)
        self._verify(pdu[2:4], count, direction, pdu[:2], 32)
        self._received(direction, count)

    def _next(self) -> tuple[Direction, int]:
        count = self.dl_count if self.is_network else self.ul_count
        if count >= COUNT_LIMIT:
            raise InternalError("NAS COUNT is used up")
        if self.is_network:
            self.dl_count = count + 1
            return Direction.DOWNLINK, count
        self.ul_count = count + 1
        return Direction.UPLINK, count

    def _expected(self) -> tuple[Direction, int]:
        if self.is_network:
            return Direction.UPLINK, self.ul_count
        return Direction.DOWNLINK, self.dl_count

    def _received(self, direction: Direction, count: int) -> None:
        if direction is Direction.UPLINK:
            self.ul_count = count + 1
        else:
            self.dl_count = count + 1

    def _verify(self, mac: bytes, count: int, direction: Direction, message: bytes, modulus: int) -> None:
        if count < COUNT_LIMIT and hmac.compare_digest(self._mac(len(mac), count, direction, message), mac):
            return
        # The estimate never falls behind what was accepted, so an old message fails by its MAC. Say which it was.
        if count >= modulus and hmac.compare_digest(self._mac(len(mac), count - modulus, direction, message), mac):
            raise PeerError(f"replayed NAS message, COUNT {count - modulus}")
        raise PeerError("NAS message authentication code does not verify")

    def _mac(self, length: int, count: int, direction: Direction, message: bytes) -> bytes:
        return self._integrity.mac(count, 0, direction, message)[-length:]


def _estimate(expected: int, sequence_number: int, modulus: int) -> int:
    """Return the lowest COUNT not below the expected one that has this sequence number (TS 24.301 4.4.3.1)."""
    count = expected - expected % modulus + sequence_number
    return count if count >= expected else count + modulus
