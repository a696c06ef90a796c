"""AUTHENTICATE in a 3G security context: TS 31.102 7.1.2."""

from __future__ import annotations

from typing import NamedTuple, Self

from simwarden.errors import PeerError
from simwarden.wire.apdu.command import CommandApdu, Ins
from simwarden.wire.apdu.status import StatusWord

CONTEXT_3G = 0x81
SUCCESS, SYNCHRONISATION_FAILURE = 0xDB, 0xDC


def authenticate_command(rand: bytes, autn: bytes) -> CommandApdu:
    """Return AUTHENTICATE with RAND and AUTN (16 bytes each), as case 3: the response is fetched by GET RESPONSE."""
    return CommandApdu(0x00, Ins.AUTHENTICATE, 0x00, CONTEXT_3G, b"\x10" + rand + b"\x10" + autn)


def parse_challenge(data: bytes) -> tuple[bytes, bytes]:
    """Return RAND and AUTN of an AUTHENTICATE. Raises PeerError (67 00 or 6A 80)."""
    if len(data) != 34:
        raise PeerError(f"AUTHENTICATE carries {len(data)} bytes, want 34", code=StatusWord.WRONG_LENGTH)
    if data[0] != 16 or data[17] != 16:
        raise PeerError("RAND and AUTN must have 16 bytes each", code=StatusWord.INCORRECT_DATA)
    return data[1:17], data[18:]


class AuthenticateResponse(NamedTuple):
    """The answer: RES, CK and IK, or AUTS alone when the sequence number is out of range."""

    res: bytes = b""
    ck: bytes = b""
    ik: bytes = b""
    auts: bytes = b""

    def to_bytes(self) -> bytes:
        """Encode with tag DB (success) or DC (synchronisation failure)."""
        if self.auts:
            return bytes((SYNCHRONISATION_FAILURE, len(self.auts))) + self.auts
        return bytes((SUCCESS,)) + b"".join(bytes((len(part),)) + part for part in (self.res, self.ck, self.ik))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode; a Kc behind IK is ignored. Raises PeerError."""
        parts = _length_values(octets[1:])
        if octets[:1] == bytes((SYNCHRONISATION_FAILURE,)) and [len(part) for part in parts] == [14]:
            return cls(auts=parts[0])
        if octets[:1] != bytes((SUCCESS,)) or len(parts) not in (3, 4):
            raise PeerError("AUTHENTICATE response is neither DB with RES, CK, IK nor DC with AUTS")
        res, ck, ik = parts[:3]
        if not 4 <= len(res) <= 16 or len(ck) != 16 or len(ik) != 16:
            raise PeerError("AUTHENTICATE response: RES has 4 to 16 bytes, CK and IK 16")
        return cls(res, ck, ik)

    def __repr__(self) -> str:
        """Show which kind of answer it is, no key."""
        return "AuthenticateResponse(synchronisation failure)" if self.auts else "AuthenticateResponse(success)"


def _length_values(octets: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while at < len(octets):
        end = at + 1 + octets[at]
        if end > len(octets):
            raise PeerError("AUTHENTICATE response is cut short")
        parts.append(octets[at + 1 : end])
        at = end
    return parts
